"""CREPE pitch: activations of torchcrepe's networks on an exact frame grid, and their decoders.

A frame is a window of 1024 samples at 16 kHz.  Its activations say for each of 360 pitch bins,
20 cents apart, how sure the network is.  A decoder makes f0 and periodicity of them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ttskit.errors import AudioError, TtskitError

SAMPLE_RATE = 16_000  # Hz, of the network
WINDOW = 1024  # samples of a frame; its centre is sample 512
BINS = 360
CENTS_PER_BIN = 20.0
LOWEST_CENTS = 1997.3794084376191  # of bin 0, above 10 Hz
REACH = 4  # bins on either side of the chosen one that a weighted mean takes in

Decoder = Literal["argmax", "weighted", "viterbi", "viterbi-mean"]


class Crepe:
    """One of CREPE's networks, ready to run.

    Parameters
    ----------
    capacity : "full" or "tiny"
    device : "cpu" runs the transforms of `crepe_network.FastNetwork`; anything else that torch
        knows, such as "cuda", the plain convolutions.
    threads : CPU threads of the fast network.  Results do not depend on it.
    plain : run the plain convolutions on CPU too.

    An instance may be shared by threads.  It is not made to be pickled: each process makes one.
    """

    def __init__(
        self, capacity: str = "full", device: str = "cpu", threads: int = 1, plain: bool = False
    ) -> None:
        from ttskit.dsp import crepe_network

        if capacity not in ("full", "tiny"):
            raise TtskitError(f"CREPE has no capacity {capacity!r}: it is full or tiny")
        state = crepe_network.weights(capacity)
        self.capacity = capacity
        self._network: crepe_network.FastNetwork | crepe_network.PlainNetwork
        if plain or device != "cpu":
            self._network = crepe_network.PlainNetwork(state, device)
        else:
            self._network = crepe_network.FastNetwork(state, threads)
        self._silence = self._network(np.zeros((1, WINDOW), np.float32))[0]

    def activations(self, frames: np.ndarray) -> np.ndarray:
        """Run the network.

        Frames of nothing but zeros are not computed: they all get what one such frame got, to
        the last bit.

        Parameters
        ----------
        frames : (frame, 1024) float32
            As `normalise` makes them.

        Returns
        -------
        (frame, 360) float32
            From 0 to 1, as `torchcrepe.infer` gives them.
        """
        frames = np.asarray(frames, np.float32)
        sounding = frames.any(axis=1)
        if sounding.all():
            return self._network(frames)
        out = np.empty((len(frames), BINS), np.float32)
        out[~sounding] = self._silence
        out[sounding] = self._network(frames[sounding])
        return out

    def follow(
        self, wav: np.ndarray, sample_rate: int, hop_length: int, chunk: int = 4096
    ) -> np.ndarray:
        """Activations of a recording on the frame grid.

        Frame j is centred at (j + 1/2) hop_length samples of the recording, to within half a
        sample at 16 kHz (31 microseconds) and without drift.  The recording is continued by
        zeros on both sides.  Windows exist for `chunk` frames at a time only, so beside the
        result memory does not grow with the length of the recording.

        Parameters
        ----------
        wav : (sample,) float
        sample_rate : Hz
        hop_length : samples of wav

        Returns
        -------
        (frame, 360) float32
            len(wav) // hop_length frames.
        """
        if not np.isfinite(wav).all():
            raise AudioError("the recording has samples that are not numbers")
        places = centres(len(wav) // hop_length, sample_rate, hop_length)
        signal = np.pad(resample(wav, sample_rate), WINDOW // 2)
        windows = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)
        out = np.empty((len(places), BINS), np.float32)
        for start in range(0, len(places), chunk):
            part = slice(start, start + chunk)
            # rounding up a last half sample may point one beyond the end
            at = np.minimum(places[part], len(windows) - 1)
            out[part] = self.activations(normalise(windows[at]))
        return out


def centres(frames: int, sample_rate: int, hop_length: int) -> np.ndarray:
    """(frame,) int64: the samples at 16 kHz nearest to (j + 1/2) hop_length, in whole numbers."""
    doubled = (2 * np.arange(frames, dtype=np.int64) + 1) * hop_length * SAMPLE_RATE
    return (doubled + sample_rate) // (2 * sample_rate)


def resample(wav: np.ndarray, sample_rate: int) -> np.ndarray:
    """(sample,) float32 at 16 kHz, without delay (soxr, very high quality)."""
    wav = np.asarray(wav, np.float32)
    if sample_rate == SAMPLE_RATE:
        return wav
    import soxr

    return np.asarray(soxr.resample(wav, sample_rate, SAMPLE_RATE, quality="VHQ"))


def normalise(frames: np.ndarray) -> np.ndarray:
    """(frame, 1024) float32: each frame less its mean, over its standard deviation.

    The deviation is that of a sample (n - 1) and at least 1e-10, as torchcrepe has it.  A frame
    of one constant value becomes exact zeros.
    """
    mean = frames.mean(axis=1, keepdims=True, dtype=np.float64)
    centred = (frames - mean).astype(np.float32)
    power = np.einsum("ij,ij->i", centred, centred, dtype=np.float64)
    deviation = np.sqrt(power / (frames.shape[1] - 1))
    centred /= np.maximum(deviation, 1e-10)[:, None].astype(np.float32)
    return centred


def decode(
    activations: np.ndarray,
    decoder: Decoder = "viterbi-mean",
    fmin: float = 50.0,
    fmax: float = 550.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose a pitch in each frame.

    `argmax` takes the surest bin, `viterbi` the likeliest path (see `ttskit.dsp.viterbi`), both
    in steps of 20 cents; unlike torchcrepe they add no random dither to the result.
    `weighted` is torchcrepe's mean around the surest bin, whose weights are the sigmoid of the
    activations, thus nearly equal.  `viterbi-mean` is the mean around the bin of the path,
    weighted by the activations themselves, as CREPE's authors do.

    Parameters
    ----------
    activations : (frame, 360) float32
    decoder : how to choose
    fmin, fmax : Hz
        Bins below and above are out of the question.

    Returns
    -------
    f0 : (frame,) float32
        Hz.
    periodicity : (frame,) float32
        The activation of the chosen bin.
    """
    first, stop = bin_range(fmin, fmax)
    allowed = activations[:, first:stop]
    if decoder in ("argmax", "weighted"):
        bins = first + allowed.argmax(axis=1)
    elif decoder in ("viterbi", "viterbi-mean"):
        bins = _path(activations, first, stop)
    else:
        raise TtskitError(f"no decoder {decoder!r}: argmax, weighted, viterbi or viterbi-mean")
    periodicity = np.take_along_axis(activations, bins[:, None], axis=1)[:, 0]
    if decoder == "weighted":
        f0 = frequency(_mean(1 / (1 + np.exp(-activations.astype(np.float64))), bins, first, stop))
    elif decoder == "viterbi-mean":
        f0 = frequency(_mean(activations.astype(np.float64), bins, first, stop))
    else:
        f0 = frequency(bins)
    return f0.astype(np.float32), periodicity


def frequency(bins: np.ndarray) -> np.ndarray:
    """Hz of pitch bins, which may be fractions."""
    return 10 * 2 ** ((CENTS_PER_BIN * bins + LOWEST_CENTS) / 1200)


def bin_range(fmin: float, fmax: float) -> tuple[int, int]:
    """The bins from fmin to fmax, Hz: the first, and the one after the last."""
    if not 0 < fmin < fmax:
        raise TtskitError(f"fmin {fmin:g} Hz and fmax {fmax:g} Hz: fmin must be the lower one")
    low, high = (
        (1200 * np.log2(edge / 10) - LOWEST_CENTS) / CENTS_PER_BIN for edge in (fmin, fmax)
    )
    first, stop = max(0, int(np.floor(low))), min(BINS, int(np.ceil(high)))
    if first >= stop:
        lowest, highest = frequency(np.array([0, BINS - 1]))
        raise TtskitError(
            f"{fmin:g} to {fmax:g} Hz: CREPE knows pitch from {lowest:.1f} to {highest:.0f} Hz"
        )
    return first, stop


def _path(activations: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Viterbi over all bins, where those that are not allowed have no probability."""
    from ttskit.dsp import viterbi

    likelihood = np.zeros(activations.shape, np.float32)
    allowed = activations[:, first:stop]
    powers = np.exp(allowed - allowed.max(axis=1, keepdims=True, initial=0))
    likelihood[:, first:stop] = powers / powers.sum(axis=1, keepdims=True)
    return viterbi.path(likelihood)


def _mean(weights: np.ndarray, bins: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Mean bin around each of bins, of those from first to stop."""
    around = bins[:, None] + np.arange(-REACH, REACH + 1)
    inside = (around >= first) & (around < stop)
    near = np.take_along_axis(weights, np.clip(around, first, stop - 1), axis=1) * inside
    return (near * around).sum(axis=1) / np.maximum(near.sum(axis=1), np.finfo(np.float64).tiny)
