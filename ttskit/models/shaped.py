"""A vocoder that shapes a harmonic source by a network.

The source has harmonics of f0 and noise, brought to the mel bands; a network of ConvNeXt blocks
sees its spectrum beside the mel, and corrects it: the gains of harmonics and of noise by bin, and
the phases of harmonics.  A network that corrects nothing is the source itself.

B batch, M mel bands, T frames, C channels, F frequency bins, N = T · hop_length samples.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.dsp import stft
from ttskit.dsp.griffinlim import Bands, size
from ttskit.dsp.mel import filters
from ttskit.dsp.melpitch import pitch
from ttskit.dsp.source import HARMONIC, NOISY, OVER, STEPS, TOP, UNDER, harmonics
from ttskit.models.istft import TRAINING
from ttskit.models.vocoder import Learnt, mel_settings
from ttskit.networks.batch import Batch
from ttskit.networks.convnext import ConvNeXt
from ttskit.networks.critics import AudioAdversary
from ttskit.networks.facts import Facts
from ttskit.networks.spectral import Spectral
from ttskit.settings import MOST_LAYERS, key, table


@dataclass(frozen=True)
class Disturbance:
    """What is done to mels in training, so that the vocoder forgives a decoder."""

    smooth: float = key(
        0.0, "greatest share of a mel that is its mean over neighbours", least=0, most=1
    )
    noise: float = key(0.0, "greatest deviation of noise added to log-mel", least=0)

    def __call__(self, mel: Tensor) -> Tensor:
        """Return mels (B, T, M), each smoothed and noisy by its own random amounts."""
        if not self.smooth and not self.noise:
            return mel
        share, deviation = torch.rand(2, len(mel), 1, 1, device=mel.device)
        around = F.avg_pool2d(mel[:, None], (5, 3), 1, (2, 1), count_include_pad=False)[:, 0]
        smoothed = torch.lerp(mel, around, self.smooth * share)
        return smoothed + self.noise * deviation * torch.randn_like(mel)


class Parts(NamedTuple):
    """Spectra (B, T, F) of harmonics and of noise, as loud as the mel bands ask for."""

    harmonic: Tensor
    noisy: Tensor


class Shaped(Learnt):
    """Harmonics at f0 and noise, whose gains and phases a network corrects."""

    @dataclass(frozen=True)
    class Config:
        channels: int = key(256, "channels of every block", least=1)
        hidden: int = key(768, "channels inside a block, between its two linear layers", least=1)
        layers: int = key(7, "number of ConvNeXt blocks", least=1, most=MOST_LAYERS)
        kernel: int = key(
            7, "width of the convolution of a block in frames, odd", least=1, odd=True
        )
        disturb: Disturbance = table(Disturbance, "disturbance of mels in training")
        spectral: Spectral = table(Spectral, "spectral distances from the recording")
        adversary: AudioAdversary = table(AudioAdversary, "critics (discriminators)")

    chunk: ClassVar[int] = 512
    presets: ClassVar = {"tiny": TRAINING}
    generator: Shaper

    def __init__(self, config: Config, facts: Facts) -> None:
        super().__init__(config, facts, Shaper(config, facts))
        windows = math.ceil((facts.n_fft / facts.hop_length - 1) / 2)
        self.reach = (config.layers + 1) * (config.kernel // 2) + 2 * windows + 1

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "f0", "voiced", "audio")

    @property
    def wants(self) -> tuple[str, ...]:
        return ("mel", "f0", "voiced")

    def lacks(self, known: Collection[str]) -> tuple[str, ...]:
        return () if "mel" in known else ("mel",)

    def copy(self, batch: Batch) -> Tensor:
        mel = self.config.disturb(batch["mel"]) if self.training else batch["mel"]
        f0, voiced = batch["f0"].float(), batch["voiced"].bool()
        pulses = harmonics(f0, self.facts.sample_rate, self.facts.hop_length)
        audio = self(mel, pulses, torch.randn_like(pulses), voiced)
        return audio * batch.mask("sample")

    def forward(self, mel: Tensor, pulses: Tensor, noise: Tensor, voiced: Tensor) -> Tensor:
        """Return audio (B, N) of a mel (B, T, M), of both waves (B, N), and of voicing (B, T)."""
        with torch.no_grad(), torch.autocast(mel.device.type, enabled=False):
            parts = self.generator.parts(mel.float(), pulses, noise, voiced)
        audio: Tensor = self.generator(self.normal(mel).mT, parts)
        return audio

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield audio by chunks, each computed with `reach` frames around it."""
        mel, hop = frames["mel"], self.facts.hop_length
        f0, voiced = self._pitch(frames)
        pulses = harmonics(f0[None], self.facts.sample_rate, hop)
        noise = torch.randn(
            pulses.shape, generator=generator, device=generator.device if generator else mel.device
        ).to(mel.device)
        for start in range(0, len(mel), self.chunk):
            stop, first = min(start + self.chunk, len(mel)), max(0, start - self.reach)
            near, heard = slice(first, stop + self.reach), slice(first * hop, (stop + self.reach) * hop)
            audio = self(mel[None, near], pulses[:, heard], noise[:, heard], voiced[None, near])[0]
            yield audio[(start - first) * hop : (stop - first) * hop]

    def _pitch(self, frames: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return f0 (T,) Hz, known everywhere, and voicing (T,), read off the mel if need be."""
        mel = frames["mel"]
        if "f0" in frames and "voiced" in frames:
            f0, voiced = frames["f0"].cpu().numpy(), frames["voiced"].cpu().numpy().astype(bool)
        else:
            f0, voiced = pitch(mel.cpu().numpy(), mel_settings(self.facts))
        known = np.flatnonzero(voiced)
        line = np.interp(np.arange(len(f0)), known, f0[known]) if len(known) else 100.0 + 0 * f0
        return (
            torch.from_numpy(line.astype(np.float32)).to(mel.device),
            torch.from_numpy(voiced).to(mel.device),
        )


class Shaper(nn.Module):
    """A generator: the spectrum of a source, corrected by what a network sees in mel and source."""

    shares: Tensor
    bank: Tensor
    turn: Tensor

    def __init__(self, config: Shaped.Config, facts: Facts) -> None:
        super().__init__()
        self.n_fft, self.hop_length = facts.n_fft, facts.hop_length
        channels, kernel, bins = config.channels, config.kernel, facts.n_fft // 2 + 1
        self.embed = nn.Conv1d(facts.n_mels, channels, kernel, padding=kernel // 2)
        self.source = nn.Linear(6 * bins, channels)
        self.first = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.Sequential(
            *(
                ConvNeXt(channels, config.hidden, kernel, 1 / config.layers)
                for _ in range(config.layers)
            )
        )
        self.last = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, 3 * bins)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        hertz = np.arange(bins) * facts.sample_rate / facts.n_fft
        shares = np.stack([np.interp(hertz, HARMONIC, (1, 0)), np.interp(hertz, NOISY, (UNDER, OVER))])
        turns = np.arange(bins) * facts.hop_length / facts.n_fft
        self.register_buffer("shares", torch.from_numpy(shares).float(), persistent=False)
        bank = torch.from_numpy(filters(mel_settings(facts), continued=True))
        self.register_buffer("bank", bank, persistent=False)
        turn = torch.polar(torch.ones(bins), torch.from_numpy(-2 * np.pi * turns).float())
        self.register_buffer("turn", torch.view_as_real(turn), persistent=False)

    def parts(self, mel: Tensor, pulses: Tensor, noise: Tensor, voiced: Tensor) -> Parts:
        """Return both parts of the source, from mel (B, T, M) and waves (B, N)."""
        on = voiced[..., None]
        harmonic = stft.spectrum(pulses, self.n_fft, self.hop_length) * self.shares[0] * on
        noisy = stft.spectrum(noise, self.n_fft, self.hop_length)
        noisy = torch.where(on, noisy * self.shares[1], noisy)
        top = mel[..., -TOP:].mean(-1, keepdim=True)
        above = top.expand(*mel.shape[:2], self.bank.shape[1] - mel.shape[2])
        bands = Bands(torch.cat([mel, above], -1), self.bank)
        mixed = size(harmonic + noisy).add_(1e-6)
        magnitude = mixed
        for _ in range(STEPS):
            magnitude = bands.fit(magnitude)
        gain = magnitude / mixed
        return Parts(harmonic * gain, noisy * gain)

    def forward(self, mel: Tensor, parts: Parts) -> Tensor:
        """Return audio (B, N) of a normalised mel (B, M, T) and the parts of the source."""
        x = self.first(self.embed(mel).mT + self.source(self.seen(parts)))  # (B, T, C)
        x = self.head(self.last(self.blocks(x))).float()
        louder, noisier, phase = x.chunk(3, -1)
        most = math.log(100)
        gain = louder.clamp(-most, most).exp()
        harmonic = parts.harmonic * torch.complex(gain * phase.cos(), gain * phase.sin())
        noisy = parts.noisy * noisier.clamp(-most, most).exp()
        return stft.audio(harmonic + noisy, self.n_fft, self.hop_length)

    @torch.no_grad()
    def seen(self, parts: Parts) -> Tensor:
        """Return what a layer sees of the source, (B, T, 6 F).

        The logarithms of both magnitudes, and the phases relative to the frame before and to the
        bin below, as cosine and sine.
        """
        both = parts.harmonic + parts.noisy
        unit = both / size(both).add_(1e-9)
        before = torch.cat([unit[:, :1], unit[:, :-1]], 1)
        advance = unit * before.conj() * torch.view_as_complex(self.turn)
        below = torch.cat([unit[..., :1], unit[..., :-1]], -1)
        delay = -unit * below.conj()  # relative to the centre of the window
        logs = [torch.log(size(part) + 1e-4) / 4 for part in parts]
        return torch.cat([*logs, advance.real, advance.imag, delay.real, delay.imag], -1)
