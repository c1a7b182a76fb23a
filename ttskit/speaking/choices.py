"""What decides the choices of a decoder that makes takes: a sampler, a take, a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ttskit.artifacts import kinds
from ttskit.errors import TtskitError, UsageError
from ttskit.speaking import takes

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader
    from ttskit.speaking.sources import Source
    from ttskit.voices.model import Model

SAMPLERS = ("uniform", "prior", "greedy", "guided")
TEMPERATURES = {"uniform": float("inf"), "greedy": 0.0, "guided": 1.0}  # by sampler


class ChoiceOptions(NamedTuple):
    """What options say of the choices of a decoder."""

    sampler: str | None
    take: Path | None
    takes: int
    word: str
    guide: Path | None
    noise_scale: float | None

    def any(self) -> bool:
        """Whether they ask for what only a decoder with takes can do."""
        return self.takes > 1 or bool(self.sampler or self.deciding())

    def deciding(self) -> list[str]:
        """Return the options that decide every choice, of which there may be one."""
        given = {
            "--take": self.take,
            "--inpaint": self.word,
            "--guide": self.guide,
            "--sampler guided": self.sampler == "guided",
        }
        return [name for name, value in given.items() if value]

    def check(self) -> None:
        """Refuse options that contradict each other."""
        deciding = self.deciding()
        if len(deciding) > 1:
            raise UsageError(f"{' and '.join(deciding)}: give one of them")
        fixed = [name for name in deciding if name != "--inpaint"]
        fixed += ["--sampler greedy"] if self.sampler == "greedy" else []
        fixed += ["--noise-scale 0"] if self.noise_scale == 0 else []
        if self.takes > 1 and fixed:
            raise UsageError(one_take(self.takes, fixed[0]))


def one_take(count: int, option: str) -> str:
    """Say that an option leaves nothing to chance, so that takes would all be the same."""
    return f"--takes {count} and {option}: there is one take without chance"


def choices_of(models: Sequence[Model], options: ChoiceOptions, source: Source) -> Choices:
    """Return what decides the choices of a decoder, as the models and the inputs can."""
    if options.any():
        decoder = takes.taker(models)
    options.check()
    if (options.word or options.sampler == "guided") and not source.measured:
        raise TtskitError(
            f"{source.name}: is no recording, which --inpaint and --sampler guided need: give "
            "Features and their Alignment"
        )
    given = None
    if options.take is not None:
        given = kinds.read(options.take)
        if given.kind is not kinds.Mels or not len(given) or given[given.ids[0]].take is None:
            raise TtskitError(f"{options.take}: has no takes; decode writes them by a ddn decoder")
        takes.check(given[given.ids[0]].take_of, decoder, str(options.take))
    guide = kinds.read(options.guide) if options.guide is not None else None
    if guide is not None and guide.kind is not kinds.Features:
        raise TtskitError(f"{guide.name}: is {guide.kind.kind()}, needs Features to follow")
    return Choices(given, options.sampler == "guided", options.word, guide)


def sampled(sampler: str | None) -> dict[str, float]:
    """Return the knobs by which a ddn decoder chooses as a sampler does."""
    if sampler not in TEMPERATURES:
        return {}
    return {"temperature": TEMPERATURES[sampler], "noise_scale": 1.0}


@dataclass(frozen=True)
class Choices:
    """What decides the choices of a decoder beside its prior."""

    takes: Reader[kinds.Mels] | None = None  # whose choices are made again
    guided: bool = False  # come as near to the recording as choices can
    word: str = ""  # of a recording, to be spoken anew: the word, or its number from 1
    guide: Reader[kinds.Features] | None = None  # whose loudness is to be come near to

    def options(self) -> dict[str, object]:
        """Return what the result depends on, by name; without any, nothing."""
        named = {"guided": self.guided, "inpaint": self.word}
        return {name: value for name, value in named.items() if value}

    def digests(self) -> list[str]:
        """Return the digests of the artifacts that it reads."""
        read = [reader.digests for reader in (self.takes, self.guide) if reader is not None]
        return [digest for digests in read for digest in digests]

    def fields(
        self, spelt: kinds.Tokens | kinds.Alignment, mel: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Return the fields by which the decoder of an utterance chooses.

        `mel` is that of the recording, if it is one; `spelt` is then its alignment.
        """
        if self.takes is not None:
            take = self.takes[spelt.id].take if spelt.id in self.takes else None
            if take is None or not len(take):
                raise TtskitError(f"{self.takes.name}: has no take of it")
            return {"take": take.astype(np.int64)}
        if self.guide is not None:
            if spelt.id not in self.guide:
                raise TtskitError(f"{self.guide.name}: has no recording of it to follow")
            curve = self.guide.value(self.guide.row(spelt.id), "loudness")
            if not len(curve):
                raise TtskitError(f"{self.guide.name}: its recording has no frame to follow")
            return {"curve": curve}
        if not (self.guided or self.word):
            return {}
        assert mel is not None
        assert not isinstance(spelt, kinds.Tokens)
        guided = np.ones(len(mel), bool)
        if self.word:
            number = numbered(self.word, list(spelt.words))
            guided = np.repeat(spelt.token_word != number, spelt.durations)
        return {"guide": mel, "guided": guided}

    def whole(self, fields: Mapping[str, np.ndarray]) -> bool:
        """Whether an utterance has a take that makes it again: not one with recorded frames."""
        return "take" in fields and not self.word

    def kept(self, fields: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the mel; beside a word that is spoken anew, frames are the recorded ones."""
        mel = fields["mel"]
        if not self.word:
            return mel
        return np.where(fields["guided"][:, None], fields["guide"], mel)


def numbered(word: str, words: Sequence[str]) -> int:
    """Return the place from 0 of a word of an utterance: of the first that is it, or by number."""
    if word in words:
        return words.index(word)
    if word.isdecimal() and 1 <= int(word) <= len(words):
        return int(word) - 1
    raise TtskitError(f"has no word {word!r}; its words are {' '.join(words)}")
