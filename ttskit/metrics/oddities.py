"""Oddities: what looks wrong in recordings, in their pitch and in their alignment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ttskit.formats.timeline import Timeline, check, step

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.kinds import Alignment, Corpus, Features
    from ttskit.artifacts.reader import Reader
    from ttskit.metrics.pronunciation import Suspect


LONGEST = 30.0  # s of an utterance, before it is better cut
VOICED = 20  # frames of an utterance, before its speaker is judged
SPEAKERS = 10  # utterances of a speaker, before others are told from it
LOUD, DEPTH = 0.9, 35.0  # silent is what is so many dB below this quantile of the loudness
PAUSE = 0.2  # s of silence within a word; closures of plosives last up to 0.15


class Finding(NamedTuple):
    """One thing that is odd about one utterance."""

    id: str
    what: str
    detail: str


def deviations(values: np.ndarray) -> np.ndarray:
    """Return how many robust standard deviations each value is from the median; ignore NaN."""
    import numpy as np

    middle = np.nanmedian(values)
    spread = 1.4826 * np.nanmedian(np.abs(values - middle))
    return (values - middle) / max(float(spread), 1e-9)


def recordings(corpus: Reader[Corpus], silence: float, threshold: float) -> Iterator[Finding]:
    """Yield findings on audio and text: first per recording, then compared with all others."""
    import numpy as np

    from ttskit.dsp import faults

    rate = int(corpus.attributes["sample_rate"])
    levels, rates = np.zeros(len(corpus)), np.zeros(len(corpus))
    for row, id in enumerate(corpus.ids):
        record = corpus.record(row)
        audio = record.audio
        if count := faults.clipped(audio):
            yield Finding(id, "clipping", f"{count} samples at full scale")
        if len(audio) > LONGEST * rate:
            yield Finding(id, "length", f"{len(audio) / rate:.0f} s in one utterance")
        times = faults.pauses(audio, rate)
        for where, seconds in zip(("start", "middle", "end"), times, strict=True):
            if seconds > silence:
                yield Finding(id, "silence", f"{seconds:.2f} s at the {where}")
        inner = audio[round(times[0] * rate) : len(audio) - round(times[2] * rate)]
        levels[row] = 10 * np.log10(np.square(inner / 32768).mean() + 1e-12) if len(inner) else -120
        spoken = max(faults.FRAME, len(inner) / rate)
        rates[row] = np.log(max(1, sum(map(str.isalnum, record.text))) / spoken)
    for values, what in ((levels, "level"), (rates, "speech rate")):
        off = deviations(values)
        for row in np.argsort(-np.abs(off), kind="stable"):
            if abs(off[row]) > threshold:
                yield Finding(corpus.ids[row], what, _how(what, values, int(row), float(off[row])))


def pitches(features: Reader[Features]) -> Iterator[Finding]:
    """Yield octave jumps in f0."""
    from ttskit.dsp.faults import octave_jumps

    for id, record in features.items():
        if jumps := octave_jumps(record.f0, record.voiced):
            yield Finding(id, "octave jumps", f"{jumps} in f0")


def voices(features: Reader[Features], threshold: float) -> Iterator[Finding]:
    """Yield utterances that another speaker than the one they are said to be of may speak.

    Two signs, each relative to the median of the speaker: the median of f0, and the mean spectrum
    of the voiced frames without its level.  Both must be off.
    """
    import numpy as np

    by_speaker = defaultdict(list)
    for id, record in features.items():
        if record.voiced.sum() >= VOICED:
            mel = record.mel[record.voiced].mean(axis=0)
            f0 = np.log2(np.median(record.f0[record.voiced]))
            by_speaker[record.speaker].append((id, f0, mel - mel.mean()))
    for of_one in by_speaker.values():
        if len(of_one) < SPEAKERS:
            continue
        ids, pitches, mels = zip(*of_one, strict=True)
        timbres = np.array(mels)
        apart = np.sqrt(np.square(timbres - np.median(timbres, axis=0)).mean(axis=1))
        high, far = deviations(np.array(pitches)), deviations(apart)
        for row in np.argsort(-far, kind="stable"):
            if far[row] > threshold < abs(high[row]):
                typical = 2 ** float(np.median(pitches))
                detail = (
                    f"f0 {2 ** pitches[row]:.0f} Hz, others {typical:.0f} ({abs(high[row]):.1f} "
                    f"deviations), and another timbre ({far[row]:.1f})"
                )
                yield Finding(ids[row], "other speaker", detail)


def pauses(alignment: Reader[Alignment], features: Reader[Features]) -> Iterator[Finding]:
    """Yield silences within words, longer than the closure of a plosive; the longest first."""
    import numpy as np

    check(alignment)
    found = []
    for id, record in alignment.items():
        if id not in features:
            continue
        loudness = features.value(features.row(id), "loudness")
        quiet = np.append(loudness < np.quantile(loudness, LOUD) - DEPTH, False)
        edges = np.concatenate([[0], np.cumsum(record.durations)])
        for number, word in enumerate(record.words):
            own = np.flatnonzero(record.token_word == number)
            if len(own):
                start, stop = int(edges[own[0]]), int(edges[own[-1] + 1])
                at, length = _longest_run(quiet[start:stop])
                found.append((length * step(alignment), id, word, (start + at) * step(alignment)))
    for seconds, id, word, begin in sorted(found, key=lambda one: -one[0]):
        if seconds < PAUSE:
            return
        detail = f"{seconds:.2f} s of silence in {word!r} at {begin:.2f} s"
        yield Finding(id, "pause in word", detail)


def _longest_run(quiet: np.ndarray) -> tuple[int, int]:
    """Return where the longest run of quiet frames inside a word begins, and its length."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]])))
    runs = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if 0 < a < b < len(quiet)]
    start, stop = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return int(start), int(stop - start)


def mispronounced(suspects: Sequence[Suspect], seconds: float) -> Iterator[Finding]:
    """Yield words whose phonemes the recordings contradict; a frame lasts so many seconds."""
    for one in suspects:
        place, count = one.places[0], len(one.places)
        detail = f"{one.word}: {' '.join(one.symbols)}"
        detail += f"; {' '.join(one.better)} fits better" if one.better else " does not fit"
        detail += f" (as in {place.id} at {place.start * seconds:.2f} s"
        detail += f", and {count - 1} more)" if count > 1 else ")"
        yield Finding("-", "pronunciation", detail)


class Phonemes(NamedTuple):
    """The phonemes of an Alignment that have frames, each field (P,), all utterances end to end."""

    row: np.ndarray
    token: np.ndarray  # its place in the utterance
    symbol: np.ndarray
    frames: np.ndarray
    score: np.ndarray

    def only(self, wanted: np.ndarray) -> Phonemes:
        return Phonemes(*(field[wanted] for field in self))

    def usual(self, values: np.ndarray, least: int) -> np.ndarray:
        """Return the median of each phoneme's symbol; of all if that has fewer than `least`."""
        import numpy as np

        medians = np.full(len(values), np.median(values) if len(values) else 0.0)
        for symbol in np.unique(self.symbol):
            alike = self.symbol == symbol
            if alike.sum() >= least:
                medians[alike] = np.median(values[alike])
        return medians


def phonemes(alignment: Reader[Alignment]) -> Phonemes:
    """Return the phonemes of an Alignment: no pauses, no punctuation, nothing without frames."""
    import numpy as np

    from ttskit.text.symbols import SPECIAL

    counts = alignment.lengths("token")
    rows = np.repeat(np.arange(len(counts)), counts)
    places = np.arange(len(rows)) - np.repeat(alignment.offsets("token")[:-1], counts)
    names = ("tokens", "durations", "token_score")
    symbols, frames, scores = (np.array(alignment.column(name)) for name in names)
    silent = np.isin(np.array(alignment.table("symbols"), dtype=object), SPECIAL)[symbols]
    every = Phonemes(rows, places, symbols, frames, scores.astype(np.float64))
    return every.only((frames > 0) & ~silent)


def alignments(
    alignment: Reader[Alignment], threshold: float, min_tokens: int
) -> Iterator[Finding]:
    """Yield texts that don't fit the audio, phonemes that last too long, and rare phonemes."""
    check(alignment)
    spoken = phonemes(alignment)
    yield from _misfits(alignment, spoken, threshold, min_tokens)
    yield from _stretched(alignment, spoken, threshold, min_tokens)
    yield from _scarce(alignment, spoken, min_tokens)
    yield from _of_language(alignment)


def _misfits(
    alignment: Reader[Alignment], spoken: Phonemes, threshold: float, least: int
) -> Iterator[Finding]:
    """Yield utterances whose text does not seem to fit the audio, the worst first.

    Two signs, each relative to the median of the symbol: low scores, and unusual durations.  A
    mean over n tokens varies by 1/sqrt(n), so a long utterance is judged more strictly.
    Utterances with unknown scores, which a person has edited, are left out.
    """
    import numpy as np

    spoken = spoken.only(np.isfinite(alignment.column("score"))[spoken.row])
    lengths = np.log(spoken.frames)
    low = spoken.usual(spoken.score, least) - spoken.score
    off = np.abs(lengths - spoken.usual(lengths, least))
    counts = np.bincount(spoken.row, minlength=len(alignment)).astype(float)
    counts[counts == 0] = np.nan
    means = [np.bincount(spoken.row, sign, len(alignment)) / counts for sign in (low, off)]
    if np.isnan(counts).all():
        return
    middles = [np.nanmedian(mean) for mean in means]
    signs = [
        deviations((mean - middle) * np.sqrt(counts))
        for mean, middle in zip(means, middles, strict=True)
    ]
    worse = np.nan_to_num(deviations(signs[0] + signs[1]))
    for row in np.argsort(-worse, kind="stable"):
        if worse[row] > threshold:
            detail = (
                f"tokens score {means[0][row]:.1f} below usual, others {middles[0]:.1f}; durations "
                f"off by x{np.exp(means[1][row]):.2f}, others x{np.exp(middles[1]):.2f}: "
                f"another text than audio? ({worse[row]:.1f} deviations)"
            )
            yield Finding(alignment.ids[row], "alignment", detail)


def _stretched(
    alignment: Reader[Alignment], spoken: Phonemes, threshold: float, least: int
) -> Iterator[Finding]:
    """Yield phonemes that last far longer than others of the same symbol, the worst first."""
    import numpy as np

    usual = spoken.usual(spoken.frames, least)
    apart = np.abs(spoken.frames - usual)
    spread = 1.4826 * np.maximum(spoken.usual(apart, least), np.median(apart) if len(apart) else 0)
    off = (spoken.frames - usual) / np.maximum(spread, 1)
    for at in np.argsort(-off, kind="stable"):
        if off[at] <= threshold:
            return
        row, token = int(spoken.row[at]), int(spoken.token[at])
        record = alignment.record(row)
        line = Timeline(record, alignment.table("symbols"), step(alignment))
        detail = (
            f"{line.symbols[record.tokens[token]]} of {record.words[record.token_word[token]]!r} "
            f"at {line.edges[token]:.2f} s lasts {spoken.frames[at] * line.step:.2f} s, "
            f"others {usual[at] * line.step:.2f} s ({off[at]:.1f} deviations)"
        )
        yield Finding(record.id, "duration", detail)


def _scarce(alignment: Reader[Alignment], spoken: Phonemes, least: int) -> Iterator[Finding]:
    """Yield phonemes with too few tokens to learn them from, the rarest first."""
    import numpy as np

    from ttskit.text.symbols import SPECIAL

    table = alignment.table("symbols")
    counts = np.bincount(spoken.symbol, minlength=len(table))
    for symbol in np.argsort(counts, kind="stable"):
        if 0 < counts[symbol] < least:
            yield Finding(
                "-", "little data", f"{table[symbol]}: {counts[symbol]} of {least} tokens"
            )
    absent = [s for s, count in zip(table, counts, strict=True) if not count and s not in SPECIAL]
    if absent and least:
        yield Finding("-", "no data", " ".join(absent))


def _of_language(alignment: Reader[Alignment]) -> Iterator[Finding]:
    """Yield that a large part of the words is in no lexicon: is the language another one?"""
    from ttskit.text.detection import doubts
    from ttskit.text.languages import CHARACTERS, installed
    from ttskit.text.phonemes import unknown
    from ttskit.text.symbols import language_of

    language = language_of(alignment.table("symbols"))
    if language in {"", CHARACTERS} or not installed(language):
        return
    words = [word for row in range(len(alignment)) for word in alignment.value(row, "words")]
    guessed = unknown(words, language)
    if complaint := doubts(alignment.table("text"), language, guessed, len(words)):
        yield Finding("-", "language", complaint)


def _how(what: str, values: np.ndarray, row: int, off: float) -> str:
    import numpy as np

    typical = float(np.median(values))
    if what == "level":
        detail = f"{values[row]:.1f} dB, others {typical:.1f}"
    else:
        detail = f"{np.exp(values[row]):.1f} letters/s, others {np.exp(typical):.1f}"
        detail += ": more text than audio?" if off > 0 else ": more audio than text?"
    return f"{detail} ({abs(off):.1f} deviations)"
