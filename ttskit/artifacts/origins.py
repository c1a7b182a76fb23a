"""Origins: which command makes each kind of artifact."""

from __future__ import annotations

from collections.abc import Iterable

COMMANDS = {
    "corpus": "corpus",
    "tokens": "tokens",
    "features": "features",
    "alignment": "align",
    "mels": "decode",
    "codes": "encode",
    "controls": "vocode --controls",
    "scores": "evaluate",
    "model": "train",
    "voice": "voice pack",
}


def commands(kinds: Iterable[str]) -> str:
    """Return the commands that make some kinds of artifact, the simplest to run first.

    >>> commands(["alignment", "tokens"])
    '`ttskit tokens` or `ttskit align`'
    """
    wanted = set(kinds)
    return " or ".join(f"`ttskit {verb}`" for kind, verb in COMMANDS.items() if kind in wanted)


def needed(kind: str, wanted: Iterable[str]) -> str:
    """Return that an artifact is of one kind and needs to be of others, and what makes these.

    >>> needed("tokens", ["features"])
    'is tokens, needs features: the output of `ttskit features`'
    """
    names = list(wanted)
    return f"is {kind}, needs {', '.join(names)}: the output of {commands(names)}"
