"""F0 by SwiftF0, a network of 0.1 MB that onnxruntime runs, at the centres of the frame grid.

Its frames are 256 samples at 16 kHz apart, the first one centred at the first sample.  Their
values are interpolated to the centres of the grid's frames.
"""

from __future__ import annotations

import numpy as np

from ttskit.dsp import crepe, engines, grid, pitch
from ttskit.errors import AudioError, TtskitError

STEP = 256  # samples at 16 kHz from one frame of the network to the next
RANGE = (46.875, 2093.75)  # Hz, the pitches that the network knows
NARROWEST = 1.05  # a range of fewer candidates than one is refused by the network (1.042)


class Swift:
    """The network, ready to run.

    Parameters
    ----------
    threads : of the CPU

    It cannot be pickled: each process makes its own.
    """

    def __init__(self, threads: int = 1) -> None:
        try:
            engines.onnxruntime()
            import swift_f0
        except ImportError as error:
            raise TtskitError(
                "--f0 swift needs the extra swift: pip install 'ttskit[swift]'"
            ) from error
        self._network = swift_f0.SwiftF0(threads=threads)

    def pitch(
        self,
        audio: np.ndarray,
        sample_rate: int,
        hop_length: int,
        fmin: float = 50.0,
        fmax: float = 550.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find f0.

        Beyond its end the recording is reflected, so that the last frame lies between two frames
        of the network, too.

        Parameters
        ----------
        audio : (sample,) float, full scale is ±1
        sample_rate, hop_length : Hz, samples
        fmin, fmax : Hz

        Returns
        -------
        f0 : (frame,) float32, Hz, of every frame, voiced or not
        confidence : (frame,) float32, from 0 to 1; 0 where the peak is below 0.001
        """
        check_range(fmin, fmax)
        if not np.isfinite(audio).all():
            raise AudioError("the recording has samples that are not numbers")
        frames = grid.count(len(audio), hop_length)
        if not frames:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        signal = crepe.resample(audio, sample_rate)
        signal = signal[grid.reflected(len(signal), 0, 2 * STEP)]
        heard = self._network.detect(signal, crepe.SAMPLE_RATE, fmin, fmax)
        place = grid.centres(frames, hop_length) * (crepe.SAMPLE_RATE / sample_rate / STEP)
        confidence = np.interp(place, np.arange(len(heard.confidence)), heard.confidence)
        f0 = pitch.between(heard.pitch_hz, place)
        return f0.astype(np.float32), confidence.astype(np.float32)


def check_range(fmin: float, fmax: float) -> None:
    """Refuse a range of pitch in which the network has no candidate."""
    low, high = max(fmin, RANGE[0]), min(fmax, RANGE[1])
    if high < NARROWEST * low:
        raise TtskitError(
            f"{fmin:g} to {fmax:g} Hz: SwiftF0 knows pitch from {RANGE[0]:.1f} to {RANGE[1]:.0f} "
            f"Hz, and needs an fmax of at least {NARROWEST} times fmin"
        )
