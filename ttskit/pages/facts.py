"""Facts: what an artifact of each kind knows of one utterance, as JSON can hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ttskit.formats.timeline import Timeline, check, step

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.kinds import (
        Alignment,
        Codes,
        Controls,
        Corpus,
        Features,
        Scores,
        Spoken,
        Tokens,
    )
    from ttskit.artifacts.reader import Reader

THRESHOLD, TOKENS = 5.0, 10  # deviations, tokens of a symbol: as `doctor` has them by default


def corpus(id: str, reader: Reader[Corpus]) -> Iterator[tuple[str, Any]]:
    """Yield length, level, clipping and silence of a recording, and what synthesis cost."""
    import numpy as np

    from ttskit.dsp import faults

    record, rate = reader[id], int(reader.attributes["sample_rate"])
    loud = np.abs(record.audio.astype(np.float64)) / 32768
    start, within, end = faults.pauses(record.audio, rate)
    yield "sample_rate", rate
    yield "samples", len(record.audio)
    yield "seconds", round(len(record.audio) / rate, 3)
    yield "peak_db", _decibel(loud.max(initial=0))
    yield "level_db", _decibel(float(np.sqrt(np.square(loud).mean())) if len(loud) else 0)
    yield "clipped_samples", faults.clipped(record.audio)
    yield "silence_seconds", {"start": start, "longest_within": within, "end": end}
    for name in ("synthesis_seconds", "load_seconds", "peak_megabytes"):
        if (value := getattr(record, name)) is not None:
            yield name, float(value)


def _decibel(magnitude: float) -> float | None:
    import math

    return round(20 * math.log10(magnitude), 1) if magnitude > 0 else None


def tokens(id: str, reader: Reader[Tokens]) -> Iterator[tuple[str, Any]]:
    """Yield the words of a text and their phonemes."""
    record, symbols = reader[id], reader.table("symbols")
    yield "language", record.language
    yield "normalised", " ".join(record.words)
    if record.dropped:
        yield "not_spoken", record.dropped
    by_word, guessed = spellings(record, symbols), record.guessed.tolist()
    yield (
        "words",
        [
            {"word": word, "phonemes": phonemes, **({"guessed": True} if guess else {})}
            for word, phonemes, guess in zip(record.words, by_word, guessed, strict=True)
        ],
    )


def spellings(record: Tokens | Alignment, symbols: Sequence[str]) -> list[str]:
    """Return the phonemes of each word."""
    phonemes: list[list[str]] = [[] for _ in record.words]
    for token, owner in zip(record.tokens, record.token_word, strict=True):
        if owner >= 0:
            phonemes[owner].append(symbols[token])
    return [" ".join(word) for word in phonemes]


def features(id: str, reader: Reader[Features]) -> Iterator[tuple[str, Any]]:
    """Yield the length, pitch and loudness."""
    from ttskit.dsp.faults import octave_jumps

    record = reader[id]
    yield from framed(reader, len(record.mel))
    yield from spread(record, {"loudness_db": record.loudness})
    yield "octave_jumps", octave_jumps(record.f0, record.voiced)


def controls(id: str, reader: Reader[Controls]) -> Iterator[tuple[str, Any]]:
    """Yield the length, pitch and how much of harmonics and of noise is played."""
    import numpy as np

    record = reader[id]
    yield from framed(reader, len(record.f0))
    gains = {"amplitude": record.amplitude[record.voiced], "noise": record.noise.mean(axis=1)}
    levels = {f"{name}_db": 20 * np.log10(gain[gain > 0]) for name, gain in gains.items()}
    yield from spread(record, levels)


def spread(
    record: Features | Controls, levels: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, Any]]:
    """Yield the voiced share, and the 5th, 50th and 95th percentile of pitch and levels."""
    import numpy as np

    yield "voiced_share", round(float(record.voiced.mean()), 3) if len(record.voiced) else None
    for name, values in {"f0_hz": record.f0[record.voiced], **levels}.items():
        if len(values):
            three = zip(("low", "median", "high"), np.percentile(values, [5, 50, 95]), strict=True)
            yield name, {key: round(float(one), 1) for key, one in three}


def framed(reader: Reader[Any], frames: int) -> Iterator[tuple[str, Any]]:
    """Yield the length in frames."""
    yield "frames", frames
    yield "seconds", round(frames * step(reader), 3)


def alignment(id: str, reader: Reader[Alignment]) -> Iterator[tuple[str, Any]]:
    """Yield the time and the score of each word, and what `doctor` reports."""
    from ttskit.metrics import oddities
    from ttskit.metrics.rank import rank

    check(reader)
    yield from framed(reader, int(reader[id].durations.sum()))
    yield "score", rank(reader.column("score"), reader.row(id), "higher")
    yield "words", list(times(Timeline(reader[id], reader.table("symbols"), step(reader))))
    findings = oddities.alignments(reader, THRESHOLD, TOKENS)
    yield "odd", [f"{one.what}: {one.detail}" for one in findings if one.id == id]


def times(timeline: Timeline) -> Iterator[dict[str, Any]]:
    """Yield each word with its phonemes, times and score; one without frames has no times."""
    import numpy as np

    record, intervals = timeline.record, {word.number: word for word in timeline.words}
    phonemes = spellings(record, timeline.symbols)
    for number, word in enumerate(record.words):
        facts: dict[str, Any] = {"word": word, "phonemes": phonemes[number]}
        if number in intervals:
            start, stop = intervals[number][:2]
            facts |= {"start": round(start, 3), "stop": round(stop, 3)}
            own = (record.token_word == number) & (record.durations > 0)
            score = np.average(record.token_score[own], weights=record.durations[own])
            facts |= {"score": round(float(score), 3)} if np.isfinite(score) else {}
        yield facts


def mels(id: str, reader: Reader[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the length of a mel, and the words that a decoder made it of."""
    record = reader[id]
    yield from framed(reader, len(record.mel))
    if record.dropped:
        yield "not_spoken", record.dropped
    if record.take is not None:
        choices = record.take[1:]
        bits = len(choices) * max(1, int(choices.max(initial=0)).bit_length())
        rate = round(bits / (len(record.mel) * step(reader)), 1)
        yield "take", f"{len(choices)} choices of the model {record.take_of}, {rate:g} bits/s"
    yield from spoken(record, reader)


def codes(id: str, reader: Reader[Codes]) -> Iterator[tuple[str, Any]]:
    """Yield how many codes there are of each book, and the words that they speak."""
    record = reader[id]
    yield from framed(reader, int(record.frames))
    yield from zip(("codes", "books"), record.codes.shape, strict=True)
    yield from spoken(record, reader)


def spoken(record: Spoken, reader: Reader[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the words of mels or codes where they are known."""
    from ttskit.pages.utterance import as_alignment

    if reader.has_axis("token"):
        check(reader)
        timeline = Timeline(as_alignment(record), reader.table("symbols"), step(reader))
        yield "words", list(times(timeline))


def scores(id: str, reader: Reader[Scores]) -> Iterator[tuple[str, Any]]:
    """Yield each score and its rank among the utterances, and what a recogniser heard."""
    from ttskit.metrics import registry
    from ttskit.metrics.rank import rank

    known = registry.scores()
    yield (
        "scores",
        [
            {
                "number": spec.name,
                "unit": spec.metadata["unit"],
                "better": known[spec.name].better,
                **rank(reader.column(spec.name), reader.row(id), known[spec.name].better),
            }
            for spec in reader.columns
            if spec.name in known
        ],
    )
    if (words := reader.value(reader.row(id), "heard")) is not None:
        yield "heard", words


FACTS: Mapping[str, Callable[[str, Any], Iterator[tuple[str, Any]]]] = {
    "corpus": corpus,
    "tokens": tokens,
    "features": features,
    "alignment": alignment,
    "mels": mels,
    "codes": codes,
    "controls": controls,
    "scores": scores,
}
