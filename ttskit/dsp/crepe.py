"""CREPE pitch: activations of torchcrepe's networks on an exact frame grid, and their decoders.

A frame is a window of 1024 samples at 16 kHz.  The network returns an activation from 0 to 1 for
each of 360 pitch bins, 20 cents apart.  A decoder turns these into f0 and periodicity.
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
REACH = 4  # bins on either side of the chosen one that enter a weighted mean

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

    An instance may be shared by threads.  It cannot be pickled: each process makes its own.
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

        Frames of zeros are not computed: they all get the activations of one such frame, which
        gives the same result to the last bit.

        Parameters
        ----------
        frames : (frame, 1024) float32
            As `normalise` returns them.

        Returns
        -------
        (frame, 360) float32
            From 0 to 1, as `torchcrepe.infer` returns them.
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
        sample at 16 kHz (31 microseconds) and without drift.  The recording is padded with
        zeros on both sides.  `chunk` frames are processed at a time, so apart from the result
        memory does not grow with the length of the recording.

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
            # rounding up half a sample may point one beyond the end
            at = np.minimum(places[part], len(windows) - 1)
            out[part] = self.activations(normalise(windows[at]))
        return out


def centres(frames: int, sample_rate: int, hop_length: int) -> np.ndarray:
    """Return the samples at 16 kHz nearest to the centres of frames, (frame,) int64."""
    doubled = (2 * np.arange(frames, dtype=np.int64) + 1) * hop_length * SAMPLE_RATE
    return (doubled + sample_rate) // (2 * sample_rate)


def resample(wav: np.ndarray, sample_rate: int) -> np.ndarray:
    """Resample to 16 kHz without delay (soxr, very high quality), (sample,) float32."""
    wav = np.asarray(wav, np.float32)
    if sample_rate == SAMPLE_RATE:
        return wav
    import soxr

    return np.asarray(soxr.resample(wav, sample_rate, SAMPLE_RATE, quality="VHQ"))


def normalise(frames: np.ndarray) -> np.ndarray:
    """Return frames (frame, 1024) with mean 0 and standard deviation 1.

    The deviation is the corrected one (n - 1) and at least 1e-10, as in torchcrepe.  A constant
    frame becomes exact zeros.
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

    `argmax` takes the bin with the highest activation, `viterbi` the most likely path (see
    `ttskit.dsp.viterbi`), both in steps of 20 cents and without the random dither of torchcrepe.
    `weighted` is torchcrepe's mean around the highest bin, with the sigmoid of activations as
    nearly equal weights.  `viterbi-mean` is the mean around the bins of the path, weighted by
    the activations themselves, as CREPE's authors do.

    Parameters
    ----------
    activations : (frame, 360) float32
    decoder : one of the above
    fmin, fmax : Hz, bins outside are excluded

    Returns
    -------
    f0 : (frame,) float32, Hz
    periodicity : (frame,) float32, the activation of the chosen bin
    """
    first, stop = bin_range(fmin, fmax)
    if decoder in ("argmax", "weighted"):
        bins = first + activations[:, first:stop].argmax(axis=1)
    elif decoder in ("viterbi", "viterbi-mean"):
        bins = _path(activations, first, stop)
    else:
        raise TtskitError(f"no decoder {decoder!r}: argmax, weighted, viterbi or viterbi-mean")
    periodicity = np.take_along_axis(activations, bins[:, None], axis=1)[:, 0]
    weights = activations.astype(np.float64)
    if decoder == "weighted":
        weights = 1 / (1 + np.exp(-weights))
    averaged = decoder in ("weighted", "viterbi-mean")
    f0 = frequency(_mean(weights, bins, first, stop) if averaged else bins)
    return f0.astype(np.float32), periodicity


def frequency(bins: np.ndarray) -> np.ndarray:
    """Return the frequency in Hz of pitch bins, which may be fractional."""
    return 10 * 2 ** ((CENTS_PER_BIN * bins + LOWEST_CENTS) / 1200)


def bin_range(fmin: float, fmax: float) -> tuple[int, int]:
    """Return the bins from fmin to fmax (Hz): the first, and the one after the last."""
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
    """Return the most likely path through all bins; those outside have probability 0."""
    from ttskit.dsp import viterbi

    likelihood = np.zeros(activations.shape, np.float32)
    allowed = activations[:, first:stop]
    powers = np.exp(allowed - allowed.max(axis=1, keepdims=True, initial=0))
    likelihood[:, first:stop] = powers / powers.sum(axis=1, keepdims=True)
    return viterbi.path(likelihood)


def _mean(weights: np.ndarray, bins: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Return the weighted mean bin around each of `bins`, within first to stop."""
    around = bins[:, None] + np.arange(-REACH, REACH + 1)
    inside = (around >= first) & (around < stop)
    near = np.take_along_axis(weights, np.clip(around, first, stop - 1), axis=1) * inside
    return (near * around).sum(axis=1) / np.maximum(near.sum(axis=1), np.finfo(np.float64).tiny)
