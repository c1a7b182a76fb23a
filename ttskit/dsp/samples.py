"""Arithmetic on the samples of a recording: rate, level, silence, 16 bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ttskit.errors import AudioError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

KNEE = 0.8  # of full scale: louder samples are bent
BENT = KNEE + (1 - KNEE) * math.tanh(1)  # what a sample at full scale is bent to


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample by soxr (very high quality) to round(n·to/from) samples, halves rounded up."""
    import numpy as np
    import soxr

    if from_rate == to_rate:
        return samples
    length = (2 * len(samples) * to_rate + from_rate) // (2 * from_rate)
    resampled = soxr.resample(np.asarray(samples, np.float32), from_rate, to_rate, quality="VHQ")
    return np.pad(resampled[:length], (0, max(0, length - len(resampled))))


def resampling(from_rate: int, to_rate: int) -> Callable[[Samples, bool], Samples]:
    """Return a function that resamples piece by piece; it takes a piece and if it is the last."""
    import numpy as np
    import soxr

    if from_rate == to_rate:
        return lambda samples, _: samples
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="VHQ")
    return lambda samples, last: stream.resample_chunk(np.asarray(samples, np.float32), last)


def bent(samples: Samples) -> Samples:
    """Bend peaks, so that none is beyond full scale and has to be cut.

    What was at full scale comes to `BENT`, and what was beyond it between that and full scale.
    """
    import numpy as np

    magnitude = np.abs(samples)
    within = KNEE + (1 - KNEE) * np.tanh((magnitude - KNEE) / (1 - KNEE))
    return np.where(magnitude > KNEE, np.copysign(within, samples), samples).astype(np.float32)


def to_int16(samples: Samples | NDArray[np.int16]) -> tuple[NDArray[np.int16], int]:
    """Return samples rounded to 16 bit, and the number of clipped ones beyond full scale."""
    import numpy as np

    if samples.dtype == np.int16:
        return np.asarray(samples, np.int16), 0
    if not np.isfinite(samples).all():
        raise AudioError("the audio is not of numbers throughout: `ttskit verify` model and input")
    clipped = int(np.count_nonzero(np.abs(samples) > 1))
    scaled = np.rint(np.asarray(samples, np.float32) * np.float32(32768))
    return np.clip(scaled, -32768, 32767).astype(np.int16), clipped


def normalise_peak(samples: Samples, peak_dbfs: float) -> Samples:
    """Scale samples to a largest magnitude of `peak_dbfs` (at most 0); silence is unchanged."""
    import numpy as np

    if not peak_dbfs <= 0:
        raise AudioError(f"a peak of {peak_dbfs} dBFS would clip; it must be at most 0")
    peak = float(np.abs(samples).max(initial=0))
    if peak == 0:
        return samples
    return np.asarray(samples * (10 ** (peak_dbfs / 20) / peak), np.float32)


def trim(samples: Samples, rate: int, pad: float = 0.1) -> Samples:
    """Cut off silence at both ends.

    Silence is measured by levels over 30 ms every 10 ms.  Where silence cannot be told from
    sound, nothing is cut.

    Parameters
    ----------
    samples : (sample,) float
    rate : int
        Hz.
    pad : float
        Seconds kept before the first and after the last sound.
    """
    import numpy as np

    hop = max(1, rate // 100)
    if len(samples) < 6 * hop:
        return samples
    power = np.add.reduceat(np.square(samples, dtype=np.float64), np.arange(0, len(samples), hop))
    power = np.convolve(power, np.ones(3) / 3, mode="same")
    levels = 10 * np.log10(power / hop + 1e-12)  # dBFS, one every 10 ms
    silent, floor = silence(levels)
    if silent < floor:
        return samples
    sound = np.flatnonzero(levels > silent)
    first = int(sound[0]) * hop - round(pad * rate)
    last = (int(sound[-1]) + 1) * hop + round(pad * rate)
    return samples[max(0, first) : last]


def silence(levels: NDArray[np.float64]) -> tuple[float, float]:
    """Return the level up to which a recording is silent, and its noise floor, in dB.

    The loud level is the 95th percentile, the floor the 5th.  Levels up to 40 dB below the loud
    one are silence, or up to 6 dB above the floor if the recording is noisy.  If loud level and
    floor differ by less than 10 dB (steady noise, a tone), nothing is silent: the first level
    returned is below the floor.

    Parameters
    ----------
    levels : (frame,) float
        dB.
    """
    import numpy as np

    floor, loud = np.percentile(levels, [5, 95]).tolist()
    return max(loud - 40, min(floor + 6, loud - 10)), floor
