"""Log-mel spectrogram on the grid of public HiFi-GAN checkpoints.

Periodic Hann window; reflection of (n_fft − hop)/2 samples at each end and no centring, so that
frame j is centred at (j + 1/2)·hop; magnitude sqrt(re² + im² + 1e-9); Slaney's mel scale and
normalisation; natural logarithm, clamped at 1e-5 below.

B clips, N samples, T frames, M mel bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ttskit.dsp import grid
from ttskit.errors import AudioError, TtskitError

if TYPE_CHECKING:
    import torch

FLOOR = 1e-5  # of the mel magnitude, before the logarithm
_BLOCK = 1024  # frames at a time, so that an hour needs no more memory than ten seconds


@dataclass(frozen=True)
class MelSettings:
    """What fixes a log-mel spectrogram; two that compare equal give the same numbers."""

    sample_rate: int = 22050  # Hz
    n_fft: int = 1024  # samples, also the length of the window
    hop_length: int = 256  # samples
    n_mels: int = 80
    fmin: float = 0.0  # Hz
    fmax: float | None = None  # Hz; None becomes 8000 or half the rate, whichever is less

    def __post_init__(self) -> None:
        for name in ("sample_rate", "n_fft", "hop_length", "n_mels"):
            if getattr(self, name) < 1:
                raise TtskitError(f"{name} is {getattr(self, name)}; it must be at least 1")
        half = self.sample_rate / 2
        fmax = min(8000.0, half) if self.fmax is None else float(self.fmax)
        object.__setattr__(self, "fmax", fmax)
        if self.n_fft < self.hop_length:
            raise TtskitError(
                f"n_fft {self.n_fft} is less than hop_length {self.hop_length}: "
                "samples between the windows would be lost; raise n_fft or lower hop_length"
            )
        if not 0 <= self.fmin < fmax <= half:
            raise TtskitError(
                f"mel bands from fmin {self.fmin:g} to fmax {fmax:g} Hz; right would be "
                f"0 <= fmin < fmax <= {half:g}, half of sample_rate"
            )


def mel(audio: np.ndarray, settings: MelSettings) -> np.ndarray:
    """Log-mel spectrogram of a clip.

    A clip shorter than a hop has no frames; one shorter than the padding is reflected to and fro.

    Parameters
    ----------
    audio : (sample,) float
        Full scale is ±1.
    settings : MelSettings

    Returns
    -------
    (frame, mel) float32
        samples // hop_length frames.
    """
    import torch

    if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
        raise AudioError(
            f"audio is {audio.dtype} with {audio.ndim} axes; needs one axis of floats within ±1"
        )
    frames = grid.count(len(audio), settings.hop_length)
    log_mel = np.empty((frames, settings.n_mels), np.float32)
    if not frames:
        return log_mel
    spectrogram = MelSpectrogram(settings)
    reach = grid.context(settings.n_fft, settings.hop_length)
    padded = torch.from_numpy(np.asarray(audio, np.float32)[grid.reflected(len(audio), *reach)])
    with torch.inference_mode():
        for start in range(0, frames, _BLOCK):
            stop = min(start + _BLOCK, frames)
            span = slice(
                start * settings.hop_length, (stop - 1) * settings.hop_length + settings.n_fft
            )
            log_mel[start:stop] = spectrogram.of_padded(padded[None, span])[0].numpy()
    return log_mel


class MelSpectrogram:
    """The same for batches of tensors, differentiable: `MelSpectrogram(settings)(audio)`.

    Holds window and filters, so make one and keep it.
    """

    def __init__(self, settings: MelSettings, device: torch.device | str = "cpu") -> None:
        import torch

        self.settings = settings
        self.window = torch.hann_window(settings.n_fft, device=device)
        self.filters = torch.from_numpy(filters(settings)).to(device)

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """(B, N) float to (B, T, M) float; T = N // hop_length."""
        samples, hop_length = audio.shape[-1], self.settings.hop_length
        if samples < hop_length:
            return audio.new_zeros(len(audio), 0, self.settings.n_mels)
        return self.of_padded(self.pad(audio))

    def pad(self, audio: torch.Tensor) -> torch.Tensor:
        """(B, N) to (B, N + n_fft − hop_length), by reflection."""
        import torch

        before, after = grid.context(self.settings.n_fft, self.settings.hop_length)
        samples = audio.shape[-1]
        if samples > after:
            return torch.nn.functional.pad(audio, (before, after), mode="reflect")
        at = torch.from_numpy(grid.reflected(samples, before, after))
        return audio[:, at.to(audio.device)]

    def of_padded(self, padded: torch.Tensor) -> torch.Tensor:
        """(B, (T − 1)·hop_length + n_fft and a tail) to (B, T, M)."""
        import torch

        spectrum = torch.stft(
            padded,
            self.settings.n_fft,
            self.settings.hop_length,
            window=self.window,
            center=False,
            return_complex=True,
        )
        power = torch.view_as_real(spectrum).square().sum(-1)  # (B, bin, T)
        magnitude = (power + 1e-9).sqrt().transpose(1, 2)  # (B, T, bin)
        return (magnitude @ self.filters).clamp(min=FLOOR).log()


def filters(settings: MelSettings, continued: bool = False) -> np.ndarray:
    """Slaney's triangular mel filters, each of unit area in Hz: (bin, mel) float32.

    `continued` adds bands of about the same width on the mel scale from fmax to half the rate.
    """
    edges = _edges(settings)
    if continued:
        edges = np.concatenate([edges, _edges_above(settings)])
    hertz = np.arange(settings.n_fft // 2 + 1)[:, None] * settings.sample_rate / settings.n_fft
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    slopes = (hertz - left) / (centre - left), (right - hertz) / (right - centre)
    bank = np.maximum(0, np.minimum(*slopes)) * 2 / (right - left)
    empty = np.flatnonzero(~bank[:, : settings.n_mels].any(axis=0))
    if len(empty):
        raise TtskitError(
            f"{len(empty)} of {settings.n_mels} mel bands hold no frequency of an n_fft of "
            f"{settings.n_fft}; lower n_mels or raise n_fft"
        )
    return bank.astype(np.float32)


def _edges(settings: MelSettings) -> np.ndarray:
    """(M + 2,) Hz: where triangles begin, peak and end."""
    ends = _mels(np.array([settings.fmin, settings.fmax]))
    return _hertz(np.linspace(ends[0], ends[1], settings.n_mels + 2))


def _edges_above(settings: MelSettings) -> np.ndarray:
    """Hz: equal steps on the mel scale from fmax to half the rate, about as wide as below."""
    low, fmax, half = _mels(np.array([settings.fmin, settings.fmax, settings.sample_rate / 2]))
    count = round((half - fmax) / (fmax - low) * (settings.n_mels + 1))
    return _hertz(np.linspace(fmax, half, count + 1))[1:]


def _mels(hertz: np.ndarray) -> np.ndarray:
    """Slaney's scale: linear to 1000 Hz, 27 steps to each factor of 6.4 above."""
    above = 15 + 27 * np.log(np.maximum(hertz, 1000) / 1000) / np.log(6.4)
    return np.where(hertz < 1000, hertz * 3 / 200, above)


def _hertz(mels: np.ndarray) -> np.ndarray:
    """Inverse of `_mels`."""
    return np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
