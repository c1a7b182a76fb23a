"""A vocoder that shapes a harmonic source by a network.

The source is that of `dsp.source`: harmonics of f0 and noise, brought to the mel bands.  ConvNeXt
blocks see its spectrum beside the mel, and correct it: the gains of harmonics and of noise in every
bin, and the phases of harmonics.  A network that corrects nothing is the source itself, which is
where training begins.  A few rounds of Griffin-Lim may follow.

B batch, M mel bands, T frames, C channels, F frequency bins, N = T · hop_length samples.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ttskit.dsp import stft
from ttskit.dsp.griffinlim import Bands, refined, size
from ttskit.dsp.mel import filters
from ttskit.dsp.melpitch import line, pitch
from ttskit.dsp.source import Excitation, continued, excitation, explained, pulses
from ttskit.models.istft import TRAINING, Istft, IstftGenerator
from ttskit.models.vocoder import Learnt, mel_settings
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts
from ttskit.settings import key

SILENT = -11.5  # log-mel
MOST_GAIN = math.log(100)  # of what a bin of the source is multiplied by


class Shaped(Learnt):
    """Harmonics at f0 and noise, whose gains and phases a network corrects."""

    @dataclass(frozen=True)
    class Config(Istft.Config):
        channels: int = key(192, "channels of every block", least=1)
        hidden: int = key(576, "channels inside a block, between its two linear layers", least=1)

    chunk: ClassVar[int] = 512  # frames
    knobs: ClassVar = {"rounds": 4.0}
    presets: ClassVar = {
        "tiny": TRAINING,
        "base": TRAINING
        | {
            "training.batch": 32,
            "training.ema": 0.998,
            "adversary.from_progress": 0.15,
            "adversary.channels": 16,
        },
    }
    generator: Shaper

    def __init__(self, config: Config, facts: Facts) -> None:
        super().__init__(config, facts, Shaper(config, facts))
        self.settings = mel_settings(facts)
        self.spread = math.ceil(facts.n_fft / facts.hop_length) - 1  # frames that share samples
        self.reach = (config.layers + 1) * (config.kernel // 2) + 2 * self.spread

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "f0", "voiced", "audio")

    @property
    def wants(self) -> tuple[str, ...]:
        return ("mel", "f0", "voiced")

    def lacks(self, known: Collection[str]) -> tuple[str, ...]:
        return () if "mel" in known else ("mel",)

    def copy(self, batch: Batch) -> Tensor:
        beyond = ~batch.mask("frame")[..., None]
        mel = batch["mel"].masked_fill(beyond, SILENT)  # there is no source in the padding
        wave = pulses(batch["f0"].float(), self.settings)
        spectrum = self(mel, wave, torch.randn_like(wave), batch["voiced"].bool())
        audio = stft.audio(spectrum, self.facts.n_fft, self.facts.hop_length)
        return audio * batch.mask("sample")

    def forward(self, mel: Tensor, wave: Tensor, noise: Tensor, voiced: Tensor) -> Tensor:
        """Return the spectrum (B, T, F) from mel (B, T, M), waves (B, N) and voicing (B, T)."""
        with torch.no_grad(), torch.autocast(mel.device.type, enabled=False):
            source = self.source(mel.float(), wave, noise, voiced)
        spectrum: Tensor = self.generator(self.normal(mel).mT, source)
        return spectrum

    def source(self, mel: Tensor, wave: Tensor, noise: Tensor, voiced: Tensor) -> Excitation:
        """Return both parts of the source as loud as the mel asks for."""
        parts = excitation(wave, noise, voiced, self.settings)
        magnitude = size(parts.whole).add_(1e-6)
        gain = explained(continued(mel, self.generator.bank), magnitude) / magnitude
        return Excitation(parts.harmonic * gain, parts.noisy * gain)

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,
    ) -> Iterator[Tensor]:
        """Yield audio by chunks, each computed with the frames around it that it depends on."""
        mel, hop = frames["mel"], self.facts.hop_length
        rounds = int(knobs.get("rounds", self.knobs["rounds"]))
        f0, voiced = self._pitch(frames)
        wave, device = pulses(f0[None], self.settings), generator.device if generator else "cpu"
        noise = torch.randn(wave.shape, generator=generator, device=device).to(mel.device)
        reach = self.reach + 2 * self.spread * rounds
        for start in range(0, len(mel), self.chunk):
            stop, first = min(start + self.chunk, len(mel)), max(0, start - reach)
            near, heard = slice(first, stop + reach), slice(first * hop, (stop + reach) * hop)
            own = mel[near]
            spectrum = self(own[None], wave[:, heard], noise[:, heard], voiced[None, near])[0]
            audio = self._refined(own, spectrum, rounds)
            yield audio[(start - first) * hop : (stop - first) * hop]

    def _refined(self, mel: Tensor, spectrum: Tensor, rounds: int) -> Tensor:
        """Return audio (N,) of a spectrum (T, F) after rounds of Griffin-Lim.

        They keep to the mel bands; above them, where there is no mel, to what the network made.
        """
        magnitude = size(spectrum).add_(1e-9)
        above = magnitude @ self.generator.bank[:, mel.shape[1] :]
        log_mel = torch.cat([mel, above.clamp(min=1e-5).log()], 1)
        bands = Bands(log_mel, self.generator.bank)
        return refined(bands, magnitude, spectrum / magnitude, self.settings, rounds, 0.99)

    def _pitch(self, frames: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return f0 (T,) Hz, also where unvoiced, and voicing (T,), read off the mel if need be."""
        mel = frames["mel"]
        if "f0" in frames and "voiced" in frames:
            f0, voiced = frames["f0"].cpu().numpy(), frames["voiced"].bool().cpu().numpy()
        else:
            f0, voiced = pitch(mel.cpu().numpy(), self.settings)
        whole = torch.from_numpy(line(f0, voiced))
        return whole.to(mel.device), torch.from_numpy(voiced).to(mel.device)


class Shaper(IstftGenerator):
    """A generator: the spectrum of a source, corrected by what a network sees in mel and source."""

    bank: Tensor
    turn: Tensor

    def __init__(self, config: Shaped.Config, facts: Facts) -> None:
        super().__init__(config, facts, values=3)
        bins = facts.n_fft // 2 + 1
        self.source = nn.Linear(6 * bins, config.channels)
        nn.init.trunc_normal_(self.source.weight, std=0.02)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        bank = torch.from_numpy(filters(mel_settings(facts), continued=True))
        self.register_buffer("bank", bank, persistent=False)
        # what the phase of a bin's own frequency goes on by from frame to frame, taken back
        turns = -2 * torch.pi * torch.arange(bins) * facts.hop_length / facts.n_fft
        turn = torch.stack([turns.cos(), turns.sin()], -1)
        self.register_buffer("turn", turn, persistent=False)

    def forward(self, mel: Tensor, source: Excitation) -> Tensor:  # type: ignore[override]
        """Return the spectrum (B, T, F) of a normalised mel (B, M, T) and a source."""
        values = self.predicted(self.embed(mel).mT + self.source(self.seen(source)))
        harmonic, noisy, phase = values.chunk(3, -1)
        gain = harmonic.clamp(-MOST_GAIN, MOST_GAIN).exp()
        shaped = source.harmonic * torch.complex(gain * phase.cos(), gain * phase.sin())
        return shaped + source.noisy * noisy.clamp(-MOST_GAIN, MOST_GAIN).exp()

    @torch.no_grad()
    def seen(self, source: Excitation) -> Tensor:
        """Return what a layer sees of the source, (B, T, 6 F).

        The logarithms of both magnitudes, and as cosine and sine how the phase differs from the
        frame before, beyond what it would at the frequency of the bin, and from the bin below.
        """
        unit = source.whole / size(source.whole).add_(1e-9)
        before = torch.cat([unit[:, :1], unit[:, :-1]], 1)
        advance = unit * before.conj() * torch.view_as_complex(self.turn)
        below = torch.cat([unit[..., :1], unit[..., :-1]], -1)
        delay = -unit * below.conj()  # from the centre of the window
        logs = [torch.log(size(part) + 1e-4) / 4 for part in source]
        return torch.cat([*logs, advance.real, advance.imag, delay.real, delay.imag], -1)
