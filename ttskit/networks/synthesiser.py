"""Controls of a synthesiser, and the synthesiser: harmonics of f0 and filtered noise.

B clips, T frames, K harmonics, F bands of noise, N = T · hop_length samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

import torch
from torch import Tensor

from ttskit.dsp.filterednoise import filtered_noise
from ttskit.dsp.harmonic import cycles, harmonics
from ttskit.dsp.reverb import reverberate
from ttskit.errors import AudioError

CHUNK = 512  # frames rendered at once


class SynthesiserControls(NamedTuple):
    """What the synthesiser renders, frame by frame."""

    f0: Tensor  # (B, T) Hz
    voiced: Tensor  # (B, T) 1 where harmonics sound, 0 where not
    amplitude: Tensor  # (B, T) of all harmonics together
    distribution: Tensor  # (B, T, K) share of each harmonic in the amplitude
    noise: Tensor  # (B, T, F) gain of noise, from 0 Hz to half the rate

    @classmethod
    def of(cls, frames: Mapping[str, Tensor]) -> Self:
        """Return the fields (T, ...) of one utterance as a batch of one."""
        for name, least, parts in (("distribution", 1, "harmonics"), ("noise", 2, "bands")):
            if frames[name].shape[1] < least:
                raise AudioError(f"its {name} has fewer than {least} {parts}")
        return cls(*(frames[name][None].float() for name in cls._fields))

    def part(self, frames: slice) -> SynthesiserControls:
        """Cut some frames out of every clip."""
        return SynthesiserControls(*(value[:, frames] for value in self))


def render(
    controls: SynthesiserControls,
    noise: Tensor,
    sample_rate: float,
    hop_length: int,
    phases: Tensor | None = None,
) -> Tensor:
    """Return audio (B, N): harmonics, and white noise (B, N) filtered into its bands.

    `phases` (B, T) are those of the fundamental at the centres of frames; by default it starts
    at phase 0.
    """
    level = controls.amplitude * controls.voiced
    tones = harmonics(controls.f0, level, controls.distribution, sample_rate, hop_length, at=phases)
    return tones + filtered_noise(controls.noise, hop_length, noise)


def pieces(
    controls: SynthesiserControls,
    sample_rate: float,
    hop_length: int,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Yield the audio of one clip, of any length, in pieces (n,).

    Every piece is rendered with the frames around it that it depends on.
    """
    frames, reach = controls.f0.shape[1], 1 + math.ceil(controls.noise.shape[2] / hop_length)
    noise = white(controls.f0.new_empty(1, frames * hop_length), generator)
    phases = cycles(controls.f0, sample_rate, hop_length)
    for start in range(0, frames, CHUNK):
        first, stop = max(0, start - reach), min(start + CHUNK, frames)
        near = slice(first, stop + reach)
        span = slice(first * hop_length, (stop + reach) * hop_length)
        audio = render(
            controls.part(near), noise[:, span], sample_rate, hop_length, phases[:, near]
        )
        yield audio[0, (start - first) * hop_length : (stop - first) * hop_length]


def reverberated(pieces: Iterator[Tensor], impulse: Tensor) -> Iterator[Tensor]:
    """Yield pieces (n,) with the reverberation of a room, which lasts beyond each piece."""
    past = impulse.new_zeros(len(impulse) - 1)
    for piece in pieces:
        dry = torch.cat([past, piece])
        yield reverberate(dry[None], impulse)[0, len(past) :]
        past = dry[len(dry) - len(past) :]


def white(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return uniform noise from −1 to 1 shaped like a tensor, drawn on the generator's device."""
    device = generator.device if generator else like.device
    noise = torch.rand(like.shape, generator=generator, device=device)
    return noise.mul_(2).sub_(1).to(like)


def entropy(distribution: Tensor) -> Tensor:
    """Return the normalised entropy of shares (B, T, K), (B, T): 1 if equal, 0 for one harmonic."""
    shares = distribution.clamp(min=1e-8)
    return -(distribution * shares.log()).sum(-1) / math.log(max(2, distribution.shape[-1]))
