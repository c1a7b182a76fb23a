"""Judging: from the artifacts that are compared to the Scores of each utterance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib import metadata
from itertools import islice
from typing import Any, cast

import numpy as np

from ttskit.artifacts.kinds import Alignment, Corpus, Scores
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import Number
from ttskit.dsp import praat
from ttskit.dsp.crepe import Crepe, decode
from ttskit.dsp.samples import resample
from ttskit.errors import ArtifactError, AudioError, TtskitError, UsageError
from ttskit.metrics.measure import Measure, Needs
from ttskit.metrics.registry import MEASURES
from ttskit.metrics.sound import Follow, Frames, Pair, Sound, Timing
from ttskit.metrics.verdict import CEILING, FLOOR
from ttskit.text.detection import detected
from ttskit.text.languages import LANGUAGES

REVISION = 1
WANTED: dict[Needs, str] = {
    "timed": "a Corpus that `ttskit compare` has made, which records how long that took",
    "alignments": "two Alignments: the reference, the synthesised",
}
WITHOUT_REFERENCE: frozenset[Needs] = frozenset({"speech", "transcript", "timed"})
WITH_REFERENCE: frozenset[Needs] = frozenset({"path", "pair", "voices"})
PITCH = ("crepe-tiny", "crepe-full", "praat")
TIMINGS = ("dtw", "plain")
LIBRARIES = ("numpy", "scipy", "numba", "soxr")
SPEECH_RATE = 16_000  # Hz, the rate of audio for networks


@dataclass(frozen=True)
class Compared:
    """The artifacts that are compared."""

    reference: Reader[Corpus] | None = None
    synthesised: Reader[Corpus] | None = None
    alignments: tuple[Reader[Alignment], Reader[Alignment]] | None = None
    ceiling: Reader[Corpus] | None = None  # the recordings through the vocoder

    @property
    def readers(self) -> list[Reader[Any]]:
        """All artifacts, the reference first."""
        return [*self.corpora, *(self.alignments or ()), *([self.ceiling] if self.ceiling else ())]

    @property
    def corpora(self) -> list[Reader[Corpus]]:
        """The Corpora, the reference first."""
        return [one for one in (self.reference, self.synthesised) if one is not None]

    @property
    def allows(self) -> set[Needs]:
        """The needs of measures that these artifacts meet."""
        allowed: set[Needs] = {"alignments"} if self.alignments else set()
        if self.synthesised is not None:
            timed = "synthesis_seconds" in self.synthesised.container.columns
            allowed |= WITHOUT_REFERENCE if timed else WITHOUT_REFERENCE - {"timed"}
        return allowed | (WITH_REFERENCE if self.reference else set())

    @property
    def frames(self) -> Frames:
        """The frames in which spectra are compared: at the lower one of the sample rates."""
        return Frames.at(min(int(one.attributes["sample_rate"]) for one in self.corpora))

    @property
    def language(self) -> str:
        """The language of the texts: that of the Alignments, else the one that they look like."""
        if self.alignments:
            return str(self.alignments[0].value(0, "language"))
        likely = detected(self.readers[0].table("text"), "en-us")
        return (likely.code or likely.name) if likely else "en-us"

    def joined(
        self, among: Collection[str] | None = None, limit: int | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """Return the ids that all artifacts share, and for other ids why they can't be compared.

        Looks at the first `limit` ids, of `among` if that is set.
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
    """Return the measures of these names; without names, those that need no extra package.

    `allowed` are the needs that the artifacts meet.
    """
    if unknown := [name for name in names if name not in MEASURES]:
        raise UsageError(f"no measure {unknown[0]!r}: there is {', '.join(MEASURES)}")
    if pitch not in PITCH:
        raise TtskitError(f"--f0 {pitch}: there is {', '.join(PITCH)}")
    fit = [name for name, one in MEASURES.items() if one.needs in allowed]
    names = names or [name for name in fit if not MEASURES[name].packages]
    if not names:
        raise TtskitError(
            f"without a reference: say by --measures which of {', '.join(fit)} to take"
        )
    return {name: _usable(MEASURES[name], name in fit, pitch) for name in names}


def _usable(measure: Measure, fits: bool, pitch: str) -> Measure:
    """Return a measure with its pitch tracker set; refuse one that cannot be computed."""
    if not fits:
        inputs = WANTED.get(measure.needs, "two Corpora: the reference, the synthesised")
        raise TtskitError(f"the measure {measure.name} needs {inputs}")
    if not measure.installed:
        raise TtskitError(f"the measure {measure.name} needs pip install 'ttskit[{measure.extra}]'")
    if measure.follows_pitch:
        return replace(measure, settings=replace(measure.settings, f0=pitch))
    return measure


def heard_in(measures: Mapping[str, Measure], language: str) -> dict[str, Measure]:
    """Return the measures without those whose recogniser does not know the language.

    The others are set to it.  Refuses a language in which nothing is left to measure.
    """
    code = LANGUAGES[language].package if language in LANGUAGES else ""
    left = {}
    for name, measure in measures.items():
        if measure.languages is None:
            left[name] = measure
        elif code in measure.languages:
            left[name] = replace(measure, settings=replace(measure.settings, language=code))
    if not left:
        raise TtskitError(no_recogniser(list(measures), language))
    return left


def no_recogniser(names: Sequence[str], language: str) -> str:
    """Return what is not measured because the recognisers of measures don't know a language."""
    code = LANGUAGES[language].package if language in LANGUAGES else ""
    able = [name for name, one in MEASURES.items() if code in (one.languages or ())]
    if able:
        return f"{', '.join(names)}: no recogniser for {language}; {able[0]} has one"
    return f"no recogniser for {language}: intelligibility not measured ({', '.join(names)})"


def columns(measures: Collection[str], bounded: bool = False) -> dict[str, Number]:
    """Return the columns of the scores of measures, in the order of the registry.

    `bounded`: with their ceilings and floors.
    """
    numbers = {}
    for name, measure in MEASURES.items():
        if name in measures:
            for column, score in measure.scores.items():
                ends = (CEILING, FLOOR) if bounded and column in measure.bounded else ()
                for end in ("", *ends):
                    numbers[column + end] = Number(score.unit, score.least, score.most)
    return numbers


def hash_of(name: str, settings: Mapping[str, Any]) -> str:
    """Return eight digits that two numbers share only if they can be compared."""
    facts = json.dumps({"measure": name, "revision": REVISION, **settings}, sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:8]


def libraries(measures: Iterable[Measure]) -> list[str]:
    """Return the versions of the libraries that the measures use."""
    names = [name for one in measures for name in one.packages.values()]
    return [f"{name} {metadata.version(name)}" for name in (*LIBRARIES, *names)]


class Judge:
    """From the id of an utterance to its Scores, by the measures of these names.

    Without names, by those that need no extra package; without a language, in that of the
    artifacts.  Those that have no recogniser for it are left out, and named in `unheard`.  A judge
    can be pickled; networks are loaded by the process that first needs them.
    """

    def __init__(
        self,
        compared: Compared,
        names: Sequence[str],
        timing: str = "dtw",
        f0: str = "crepe-tiny",
        language: str | None = None,
    ) -> None:
        self.compared, self.language = compared, language or compared.language
        every = chosen(names, compared.allows, f0)
        self.measures = heard_in(every, self.language)
        self.unheard = [name for name in every if name not in self.measures]
        if timing not in TIMINGS:
            raise TtskitError(f"--timing {timing}: there is {', '.join(TIMINGS)}")
        self.timing = cast("Timing", timing)
        self._engines: dict[str, Any] = {}

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """Everything that determines the numbers of each measure, by its name."""
        settings = {}
        for name, measure in self.measures.items():
            own = asdict(measure.settings)
            if measure.needs in ("path", "pair"):
                own |= asdict(self.compared.frames)
            if measure.needs == "path":
                own |= {"timing": self.timing}
            settings[name] = own
        return settings

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name != "crepe"}
        return state | {"_engines": {}}

    @cached_property
    def crepe(self) -> Crepe:
        return Crepe(self._pitch.f0.removeprefix("crepe-"))

    def __call__(self, id: str) -> Scores:
        first = self.compared.readers[0]
        speaker, text = (first.value(first.row(id), name) for name in ("speaker", "text"))
        evidence = Evidence(id, text, self.compared, self.timing, self._follow)
        scores = self._scores(evidence, self.measures)
        heard = scores.pop("heard", None)
        if self.compared.ceiling:
            scores |= self._bounds(evidence, self.compared.ceiling)
        return Scores(id=id, speaker=speaker, text=text, heard=heard, numbers=scores)

    def _scores(self, evidence: Evidence, names: Iterable[str]) -> dict[str, Any]:
        """Return the scores of one utterance by some of the measures."""
        scores: dict[str, Any] = {}
        for name in names:
            measure = self.measures[name]
            scores |= measure.evaluate(*evidence.of(measure.needs), self._engine(name))
        return scores

    def _bounds(self, evidence: Evidence, ceiling: Reader[Corpus]) -> dict[str, float]:
        """Return ceiling and floor of each score that has them, by the names of their columns."""
        known = {
            name: score
            for measure in self.measures.values()
            for name, score in measure.scores.items()
            if name in measure.bounded
        }
        owners = [name for name, one in self.measures.items() if one.bounded]
        best = self._scores(evidence.instead(ceiling, evidence.id), owners)
        worst = dict.fromkeys(known, np.nan)
        if (reference := self.compared.reference) and (other := _other(reference, evidence.id)):
            beside = [name for name in owners if self.measures[name].needs in WITH_REFERENCE]
            worst |= self._scores(evidence.instead(reference, other), beside)
        worst |= {name: score.worst for name, score in known.items() if score.worst is not None}
        ends = ((CEILING, best), (FLOOR, worst))
        return {name + end: values[name] for end, values in ends for name in known}

    def _engine(self, name: str) -> Any:
        """Return what a measure's `evaluate` gets last: its settings, or its network."""
        measure = self.measures[name]
        if measure.engine is None:
            return measure.settings
        if name not in self._engines:
            self._engines[name] = measure.engine(measure.settings)
        return self._engines[name]

    @property
    def _pitch(self) -> Any:
        """The settings of the first measure that follows pitch; all of them follow it alike."""
        return next(one.settings for one in self.measures.values() if one.follows_pitch)

    def _follow(self, audio: np.ndarray, rate: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return f0 and periodicity of every frame, voiced or not."""
        own = self._pitch
        if own.f0 == "praat":
            return praat.pitch(audio, rate, hop, own.fmin, own.fmax)
        return decode(self.crepe.follow(audio, rate, hop), fmin=own.fmin, fmax=own.fmax)


class Evidence:
    """The inputs of the measures for one utterance, each computed when it is first needed."""

    def __init__(
        self, id: str, text: str, compared: Compared, timing: Timing, follow: Follow
    ) -> None:
        self.id, self.text, self.compared, self.timing = id, text, compared, timing
        self.frames, self._follow = compared.frames if compared.corpora else None, follow
        self._spoken = id  # the utterance of the synthesised speech

    def instead(self, reader: Reader[Corpus], id: str) -> Evidence:
        """Return the evidence if an utterance of another Corpus were the synthesised speech."""
        compared = replace(self.compared, synthesised=reader)
        other = Evidence(self.id, self.text, compared, self.timing, self._follow)
        other.frames, other._spoken = self.frames, id
        if self.compared.reference:
            other.reference = self.reference
        return other

    def of(self, needs: Needs) -> tuple[Any, ...]:
        """Return the arguments of a measure's `evaluate`, without the last one."""
        arguments: dict[Needs, Callable[[], tuple[Any, ...]]] = {
            "pair": lambda: (self.pair,),
            "path": lambda: (self.pair,),
            "speech": lambda: (self.speech,),
            "transcript": lambda: (self.speech, self.text),
            "voices": lambda: (
                self._audio(self.compared.reference, self.id, SPEECH_RATE),
                self.speech,
            ),
            "timed": self._seconds,
            "alignments": self._durations,
        }
        return arguments[needs]()

    @cached_property
    def pair(self) -> Pair:
        """Both recordings at the lower one of their sample rates."""
        synthesised = self._sound(self.compared.synthesised, self._spoken)
        return Pair(self.reference, synthesised, self.timing)

    @cached_property
    def reference(self) -> Sound:
        return self._sound(self.compared.reference, self.id)

    @cached_property
    def speech(self) -> np.ndarray:
        """(sample,) float32 at 16 kHz: the synthesised speech."""
        return self._audio(self.compared.synthesised, self._spoken, SPEECH_RATE)

    def _sound(self, reader: Reader[Corpus] | None, id: str) -> Sound:
        """Return an utterance in the common frames."""
        assert self.frames is not None
        return Sound(self._audio(reader, id, self.frames.sample_rate), self.frames, self._follow)

    def _audio(self, reader: Reader[Corpus] | None, id: str, rate: int) -> np.ndarray:
        """(sample,) float32 at a rate."""
        assert reader is not None
        samples = reader[id].audio.astype(np.float32) / np.float32(32768)
        if not len(samples):
            raise AudioError(f"has no samples in {reader.name}")
        audio: np.ndarray = resample(samples, int(reader.attributes["sample_rate"]), rate)
        return audio

    def _seconds(self) -> tuple[float, float]:
        """Return how many seconds synthesis took, and how many of audio it made."""
        reader = self.compared.synthesised
        assert reader is not None
        record, rate = reader[self.id], reader.attributes["sample_rate"]
        if record.synthesis_seconds is None or not len(record.audio):
            raise AudioError(f"has no samples in {reader.name}")
        return float(record.synthesis_seconds), len(record.audio) / float(rate)

    def _durations(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return how many ms each token lasts in both Alignments, and which are spoken."""
        assert self.compared.alignments is not None
        first, second = (_durations(reader, self.id) for reader in self.compared.alignments)
        (tokens, reference, spoken), (others, synthesised, _) = first, second
        if tokens != others:
            raise ArtifactError("has other tokens in the two Alignments")
        return reference, synthesised, spoken


def _durations(reader: Reader[Alignment], id: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the tokens of an utterance, how many ms each lasts, and which are spoken."""
    record, grid, symbols = reader[id], reader.attributes, reader.table("symbols")
    frame = 1000 * float(grid["hop_length"]) / float(grid["sample_rate"])  # ms
    tokens = [symbols[token] for token in record.tokens]
    return tokens, record.durations * frame, record.token_word >= 0


def _other(reference: Reader[Corpus], id: str) -> str | None:
    """Return the next utterance that says something else, if there is one: no other take.

    Of recordings without a text, each is taken to be another.
    """
    own = reference.row(id)
    text = reference.value(own, "text") or None
    rows = (row % len(reference) for row in range(own + 1, own + len(reference)))
    return next((reference.ids[row] for row in rows if reference.value(row, "text") != text), None)
