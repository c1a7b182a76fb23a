"""From an utterance to its mel, in any process, and from all of a source to Mels.

All randomness follows from the seed and the id of the utterance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ttskit.errors import TtskitError

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Recipe, Running
    from ttskit.artifacts.kinds import Alignment, Mels, Tokens
    from ttskit.speaking.acoustics import Cascade, Manner
    from ttskit.speaking.candidates import Choice, Judges
    from ttskit.speaking.choices import Choices
    from ttskit.speaking.sources import Source
    from ttskit.voices.model import Model

REVISION = 1


class Utterance(NamedTuple):
    """What is to be spoken; of a recording, what is known of its tokens and of its frames."""

    spelt: Tokens | Alignment
    known: Mapping[str, np.ndarray] | None = None  # durations, pitch, loudness_token
    recorded: Mapping[str, np.ndarray] | None = None
    mel: np.ndarray | None = None  # of the recording


@dataclass(frozen=True)
class Decode:
    """From an utterance to its mel; every process loads the models for itself."""

    models: Sequence[Model]
    tell: Callable[[Any], Utterance]
    manner: Manner
    seed: int
    device: str
    known: Collection[str]
    choices: Choices
    choice: Choice
    clips: Sequence[str] = ()  # to sound like, perhaps with weights

    @cached_property
    def judges(self) -> Judges:
        from ttskit.speaking.candidates import Judges

        return Judges(self.cascade, self.choice)

    @cached_property
    def cascade(self) -> Cascade:
        from ttskit.speaking.acoustics import Cascade

        return Cascade(self.models, "mel", (*self.known, "clip"), self.device)

    @cached_property
    def heard(self) -> Mapping[str, np.ndarray]:
        """What the clips give."""
        from ttskit.speaking.clips import heard

        return heard(self.cascade, self.clips, ", ".join(model.name for model in self.models))

    @cached_property
    def fingerprint(self) -> str:
        """Of the model whose choices are a take."""
        from ttskit.speaking import takes

        return takes.fingerprint(takes.taker(self.models))

    @property
    def reader(self) -> Model:
        """The last model that reads tokens."""
        from ttskit.voices.voice import last_reader

        return last_reader(self.models)

    def __getstate__(self) -> dict[str, Any]:
        loaded = ("cascade", "judges", "fingerprint")
        return {name: value for name, value in vars(self).items() if name not in loaded}

    def check(self) -> None:
        """Refuse models that do not fit, before any work is done."""
        _ = self.judges, self.heard
        name = self.reader.name
        self.cascade.check_rate(self.manner.length_scale, name)
        if "durations" in {*self.known} - self.cascade.takes:
            raise TtskitError(
                f"{name}: says itself how long tokens last, so it cannot follow recordings: give "
                "their Tokens alone"
            )

    def __call__(self, item: Any) -> Mels:
        return self.spoken(item, self.manner)

    def spoken(self, item: Any, manner: Manner) -> Mels:
        """Return the mel of an utterance that is spoken in some manner."""
        import numpy as np

        from ttskit.artifacts.kinds import Mels, Tokens
        from ttskit.speaking.acoustics import check, unspoken

        spelt, known, columns, guide = self.tell(item)
        recorded: dict[str, Any] = dict(columns or {})
        check(spelt, len(self.reader.facts.symbols))
        speaker = manner.speaker or self.reader.speaker(spelt.speaker)
        manner = replace(manner, speaker=speaker)
        given = {
            "tokens": spelt.tokens,
            **(known or {}),
            **self.heard,
            **self.choices.fields(spelt, guide),
        }
        fields = self._chosen(spelt, given, manner)
        if lost := unspoken(spelt.token_word, list(spelt.words), fields["durations"]):
            raise TtskitError(f"the word {lost!r} would get no frame, needs one: align it again")
        if not np.isfinite(fields["mel"]).all():
            names = ", ".join(model.name for model in self.models)
            raise TtskitError(f"{names} produced NaN or infinity: retrain it")
        return Mels(
            id=spelt.id,
            speaker=speaker or spelt.speaker,
            text=spelt.text,
            mel=self.choices.kept(fields),
            language=spelt.language,
            tokens=spelt.tokens,
            token_word=spelt.token_word,
            words=spelt.words,
            spans=spelt.spans,
            durations=fields["durations"],
            dropped=spelt.dropped if isinstance(spelt, Tokens) else None,
            confidence=fields.get("confidence"),
            take=fields["take"].astype("u2") if self.choices.whole(fields) else None,
            take_of=self.fingerprint if self.choices.whole(fields) else None,
            **recorded,
        )

    def _chosen(
        self, spelt: Tokens | Alignment, known: Mapping[str, np.ndarray], manner: Manner
    ) -> Mapping[str, np.ndarray]:
        """Return the fields of the best candidate."""
        from ttskit.speaking.acoustics import seed_of
        from ttskit.speaking.realignment import Script

        script = Script(
            spelt.id,
            manner.speaker,
            spelt.text,
            spelt.tokens,
            spelt.token_word,
            tuple(spelt.words),
            manner.length_scale,
        )

        def make(candidate: int) -> Mapping[str, np.ndarray]:
            mark = f"{spelt.id} candidate {candidate}" if candidate else spelt.id
            return self.cascade.run(spelt.id, known, manner, seed_of(self.seed, mark))

        return self.judges.choose(script, make).fields


@dataclass(frozen=True)
class Iterated:
    """From an utterance and a number of iterations to its mel, whose id ends in that number."""

    make: Decode

    def __call__(self, item: tuple[Any, int]) -> Mels:
        utterance, count = item
        manner = self.make.manner
        knobs = {**manner.knobs, "iterations": count}
        mels = self.make.spoken(utterance, replace(manner, knobs=knobs))
        return replace(mels, id=f"{mels.id}@{count}")


def steered(manner: Manner) -> dict[str, Any]:
    """Return what models are steered by, to be recorded."""
    return {**manner.knobs, **({"preset": manner.preset} if manner.preset else {})}


def recipe(
    source: Source, make: Decode, limit: int | None, iterations: Sequence[int] = ()
) -> Recipe:
    """Return what the artifact is made of and how."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe
    from ttskit.speaking import clips
    from ttskit.voices.model import GRID

    manner, facts = make.manner, make.models[-1].facts
    options = {
        **source.options,
        "speaker": manner.speaker,
        "length_scale": manner.length_scale,
        "noise_scale": None,
        **steered(manner),
        **make.choice.options(),
        **clips.options(make.clips),
        "seed": make.seed,
        "limit": limit,
        **make.choices.options(),
    }
    if iterations:
        options["iterations"] = list(iterations)
    if manner.style is not None:
        options["style"] = hashlib.sha256(manner.style.tobytes()).hexdigest()
    models = [one.container.digest for one in make.models]
    return Recipe(
        stage="decode",
        revision=REVISION,
        kind=kinds.Mels,
        options=options,
        inputs=[*source.digests, *models, *make.choices.digests()],
        attributes={name: getattr(facts, name) for name in GRID},
        tables={"symbols": make.reader.facts.symbols},
        skipped=source.skipped,
    )


def write(
    output: Path | None,
    source: Source,
    make: Decode,
    limit: int | None,
    running: Running,
    iterations: Sequence[int] = (),
) -> Path:
    """Write the mels of the first `limit` utterances; note the characters that have no token.

    With several numbers of iterations there is one mel of each, `ID@N`.
    """
    from ttskit.artifacts.build import build, needed
    from ttskit.speaking import tokens

    how = recipe(source, make, limit, iterations)
    if needed(output, how, running):
        make.check()
    items = dict(list(source.items.items())[:limit])
    if len(iterations) > 1:
        items = {f"{id}@{n}": (item, n) for id, item in items.items() for n in iterations}
        path = build(output, how, items, Iterated(make), running, source=source.name)
    else:
        path = build(output, how, items, make, running, source=source.name)
    tokens.note_dropped(path)
    return path
