"""Timed: texts spoken by one system, and the seconds and the memory that this takes.

Seconds are those of the processor: on one thread they are those of a clock on a machine that has
nothing else to do, and they hardly swing with what else it does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit import progress
from ttskit.speaking.candidates import Choice

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.kinds import Corpus, Tokens
    from ttskit.artifacts.reader import Reader
    from ttskit.speaking.chain import Chain
    from ttskit.speaking.lines import Line
    from ttskit.speaking.style import Style
    from ttskit.speaking.texts import UtteranceText
    from ttskit.text.spelling import Speller


@dataclass(frozen=True)
class SharedStyle:
    """How every system speaks."""

    language: str | None  # of models, None is their own; a voice has its own
    noise_scale: float | None
    speaker: str
    seed: int
    knobs: Mapping[str, float] = field(default_factory=dict)
    choice: Choice = field(default_factory=Choice)
    clips: tuple[str, ...] = ()  # to sound like, perhaps with weights

    def style(self, seed: int) -> Style:
        """Return the style of one text."""
        from ttskit.speaking.style import Style

        return Style(
            noise_scale=self.noise_scale,
            speaker=self.speaker,
            seed=seed,
            others=self.knobs,
            reference=self.clips,
        )

    def options(self) -> dict[str, Any]:
        """Return all that the audio depends on, as far as it is not the usual."""
        from ttskit.speaking import clips

        own = {"noise_scale": self.noise_scale, "speaker": self.speaker, "seed": self.seed}
        knobs = {"knobs": dict(self.knobs)} if self.knobs else {}
        how = {**self.choice.options(), **clips.options(self.clips)}
        return {"language": self.language, **own, **knobs, **how}


@dataclass
class TimedSpeech:
    """From a text to its audio by one system, and what that took.

    It is loaded by the process that first calls it.  Every text is spoken twice, and the faster
    take counts: what is paid once (imports, weights, lexicon, what libraries prepare for a length)
    is not in it.  Loading is all that the process has spent until a text was spoken, but for what
    speaking it took.
    """

    parts: Sequence[str]  # of a voice: see `voice.opened`
    manner: SharedStyle
    tokens: Reader[Tokens] | None  # where the texts are spelt already
    load_seconds: float | None = field(default=None, init=False)

    def __call__(self, text: UtteranceText) -> Corpus:
        begun = time.process_time()
        self.speak(text)
        again = time.process_time()
        with progress.hushed():  # what there is to note has been noted
            samples = self.speak(text)
        first, second = again - begun, time.process_time() - again
        if self.load_seconds is None:
            self.load_seconds = again - second
        from ttskit.artifacts.kinds import Corpus
        from ttskit.dsp.samples import to_int16

        return Corpus(
            id=text.id,
            speaker=self.manner.speaker,
            text=text.text,
            audio=to_int16(samples)[0],
            synthesis_seconds=min(first, second),  # type: ignore[arg-type]
            load_seconds=self.load_seconds,  # type: ignore[arg-type]
            peak_megabytes=peak() / 1e6,  # type: ignore[arg-type]
        )

    def speak(self, text: UtteranceText) -> np.ndarray:
        """Return (sample,) float; all randomness follows from the seed and the id alone."""
        import numpy as np

        from ttskit.speaking import chain
        from ttskit.speaking.acoustics import seed_of

        manner = self.manner
        style = manner.style(seed_of(manner.seed, text.id))
        pieces = chain.pieces(self.chain, self._lines(text), style)
        return np.concatenate([block for piece in pieces for block in piece.blocks()])

    @cached_property
    def chain(self) -> Chain:
        from ttskit.speaking.chain import Chain
        from ttskit.voices import voice

        opened = voice.opened(self.parts, self.manner.language)
        return Chain(opened, choice=self.manner.choice)

    @cached_property
    def speller(self) -> Speller:
        return self.chain.voice.speller()

    def _lines(self, text: UtteranceText) -> Iterator[Line]:
        from ttskit.speaking.acoustics import check
        from ttskit.speaking.lines import to_lines, whole_line
        from ttskit.text.ssml import Passage

        if self.tokens is None:
            yield from to_lines([Passage(text.text, place=text.id)], self.speller)
            return
        spelt, table = self.tokens[text.id], self.chain.facts.symbols
        check(spelt, len(table))
        yield whole_line(spelt, table)


def peak() -> int:
    """Return the most bytes that this process has had in memory.

    On Linux, `getrusage` would also count the parent's memory when it started this process.
    """
    import resource
    import sys

    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
