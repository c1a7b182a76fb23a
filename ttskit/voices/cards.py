"""Cards that seem to be of another voice, or that still say nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ttskit.artifacts import hdf5
from ttskit.voices import embedded

UNSTATED = "Not stated"


def sections(card: str) -> dict[str, str]:
    """Return the sections of a card by their headings.

    >>> sections("# Ann\\n\\n## Data\\n\\nOwn recordings.\\n")
    {'Data': 'Own recordings.'}
    """
    parts = re.split(r"^## +(.+)$", card, flags=re.MULTILINE)[1:]
    return {head.strip(): text.strip() for head, text in zip(parts[::2], parts[1::2], strict=True)}


def doubts(card: str, digests: Collection[str], language: str) -> Iterator[str]:
    """Yield what is doubtful about the card of a voice, whose models have these digests."""
    own = sections(card)
    if empty := [head.lower() for head, text in own.items() if text.startswith(UNSTATED)]:
        yield f"says nothing yet of {', '.join(empty)}"
    named = re.search(r"\blanguage ([a-z]{2}(?:-[a-z]{2})?)\b", own.get("Data", ""))
    if named and named[1] != language:
        yield f"its data are of the language {named[1]}, the models of {language}: is it a copy?"
    for name, path in embedded.voices().items():
        container = hdf5.open_container(path)
        other = sections(str(container.attributes.get("card", "")))
        known = {str(v) for key, v in container.attributes.items() if key.endswith(".digest")}
        known.add(container.digest)  # of older voices
        same = [head.lower() for head, text in own.items() if text and other.get(head) == text]
        if same and known.isdisjoint(digests):
            yield f"{', '.join(same)} are those of the voice {name}: is it a copy?"
