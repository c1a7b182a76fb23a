"""Doctor: which utterances of a corpus look wrong, and in what.

Reads a Corpus, its Features where they are given; writes one line per finding: id, what is odd,
how odd.  Nothing is changed: what to do about it is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ttskit.options import Inputs

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifact import Reader
    from ttskit.kinds import Corpus, Features

FULL_SCALE = 32700  # of 32768: the level of a clipped sample
FRAME = 0.02  # seconds


class Finding(NamedTuple):
    """One thing that is odd about one utterance."""

    id: str
    what: str
    detail: str


def clipped(audio: np.ndarray) -> int:
    """Return how many samples lie in runs of three or more at full scale of one sign."""
    import numpy as np

    count = 0
    for sign in (1, -1):
        full = np.concatenate([[False], sign * audio.astype(np.int32) >= FULL_SCALE, [False]])
        edges = np.flatnonzero(np.diff(full))
        runs = edges[1::2] - edges[::2]
        count += int(runs[runs >= 3].sum())
    return count


def pauses(audio: np.ndarray, sample_rate: int) -> tuple[float, float, float]:
    """Return the seconds of silence at the start, the longest within, and at the end.

    Silent is what lies 40 dB below the loud parts of the recording, or near its noise floor.
    """
    import numpy as np

    size = max(1, round(FRAME * sample_rate))
    frames = audio[: len(audio) // size * size].astype(np.float64).reshape(-1, size)
    if not len(frames):
        return 0.0, 0.0, 0.0
    level = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-3)
    floor, loud = np.percentile(level, [5, 95])
    sound = np.flatnonzero(level > max(loud - 40, min(floor + 6, loud - 10)))
    if not len(sound):
        return len(audio) / sample_rate, 0.0, 0.0
    within = int(np.diff(sound).max(initial=1)) - 1
    end = len(frames) - 1 - int(sound[-1])
    return int(sound[0]) * FRAME, within * FRAME, end * FRAME


def octave_jumps(features: Features) -> int:
    """Return how often f0 jumps by more than 0.8 octaves from one voiced frame to the next."""
    import numpy as np

    both = features.voiced[1:] & features.voiced[:-1]
    steps = np.abs(np.diff(np.log2(np.maximum(features.f0, 1))))
    return int((steps[both] > 0.8).sum())


def outliers(values: np.ndarray, threshold: float) -> np.ndarray:
    """Return how many robust standard deviations each value is off, 0 within the threshold."""
    import numpy as np

    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    off = (values - middle) / max(float(spread), 1e-9)
    return np.where(np.abs(off) > threshold, off, 0.0)


def examine(
    corpus: Reader[Corpus], features: Reader[Features] | None, silence: float, threshold: float
) -> Iterator[Finding]:
    """Yield all findings: first those that stand for themselves, then those against the rest."""
    import numpy as np

    rate = int(corpus.attributes["sample_rate"])
    levels, rates = np.zeros(len(corpus)), np.zeros(len(corpus))
    for row, id in enumerate(corpus.ids):
        record = corpus.record(row)
        audio = record.audio
        if count := clipped(audio):
            yield Finding(id, "clipping", f"{count} samples at full scale")
        times = pauses(audio, rate)
        for where, seconds in zip(("start", "middle", "end"), times, strict=True):
            if seconds > silence:
                yield Finding(id, "silence", f"{seconds:.2f} s at the {where}")
        inner = audio[round(times[0] * rate) : len(audio) - round(times[2] * rate)]
        levels[row] = 10 * np.log10(np.square(inner / 32768).mean() + 1e-12) if len(inner) else -120
        spoken = max(FRAME, len(inner) / rate)
        rates[row] = np.log(max(1, sum(map(str.isalnum, record.text))) / spoken)
        if features and id in features and (jumps := octave_jumps(features[id])):
            yield Finding(id, "octave jumps", f"{jumps} in f0")
    for values, what in ((levels, "level"), (rates, "speech rate")):
        off = outliers(values, threshold)
        for row in np.argsort(-np.abs(off), kind="stable"):
            if off[row]:
                yield Finding(corpus.ids[row], what, _how(what, values, int(row), float(off[row])))


def _how(what: str, values: np.ndarray, row: int, off: float) -> str:
    import numpy as np

    typical = float(np.median(values))
    if what == "level":
        told = f"{values[row]:.1f} dB, others {typical:.1f}"
    else:
        told = f"{np.exp(values[row]):.1f} letters/s, others {np.exp(typical):.1f}"
        told += ": more text than audio?" if off > 0 else ": more audio than text?"
    return f"{told} ({abs(off):.1f} deviations)"


def command(
    inputs: Inputs = None,
    silence: Annotated[float, typer.Option(min=0, help="Seconds that are too long.")] = 1.0,
    threshold: Annotated[float, typer.Option(min=1, help="Deviations that are too many.")] = 5.0,
) -> None:
    """List the utterances of a corpus that look wrong."""
    from ttskit import kinds, progress, streams

    corpus, features = streams.inputs(inputs, kinds.Corpus, optional=(kinds.Features,))
    ill = set()
    for finding in examine(corpus, features, silence, threshold):
        ill.add(finding.id)
        typer.echo("\t".join(finding))
    progress.note(f"{corpus.name}: {len(ill)} of {len(corpus)} utterances look odd")
