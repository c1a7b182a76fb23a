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

CHUNK = 512  # frames that are rendered at once


class Controls(NamedTuple):
    """What is played; frame 0 of every clip is its first."""

    f0: Tensor  # (B, T) Hz
    voiced: Tensor  # (B, T) 1 where harmonics sound, 0 where not
    amplitude: Tensor  # (B, T) sum over the harmonics
    distribution: Tensor  # (B, T, K) of it
    noise: Tensor  # (B, T, F) gain of noise, from 0 Hz to half the rate

    @classmethod
    def of(cls, frames: Mapping[str, Tensor]) -> Self:
        """Make a batch of one of the fields (T, ...) of an utterance."""
        for name, least, parts in (("distribution", 1, "harmonics"), ("noise", 2, "bands")):
            if frames[name].shape[1] < least:
                raise AudioError(f"its {name} has fewer than {least} {parts}")
        return cls(*(frames[name][None].float() for name in cls._fields))

    def part(self, frames: slice) -> Controls:
        """Cut some frames out of every clip."""
        return Controls(*(value[:, frames] for value in self))


def render(
    controls: Controls,
    noise: Tensor,
    sample_rate: float,
    hop_length: int,
    at: Tensor | None = None,
) -> Tensor:
    """Make audio (B, N) of white noise (B, N) and of harmonics, `at` whose phases (B, T)."""
    level = controls.amplitude * controls.voiced
    tones = harmonics(controls.f0, level, controls.distribution, sample_rate, hop_length, at=at)
    return tones + filtered_noise(controls.noise, hop_length, noise)


def pieces(
    controls: Controls,
    sample_rate: float,
    hop_length: int,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Yield the audio of one clip in pieces (n,), however long it is.

    Every piece is rendered with as many frames around it as it depends on.
    """
    frames, reach = controls.f0.shape[1], 1 + math.ceil(controls.noise.shape[2] / hop_length)
    noise = white(controls.f0.new_empty(1, frames * hop_length), generator)
    at = cycles(controls.f0, sample_rate, hop_length)
    for start in range(0, frames, CHUNK):
        first, stop = max(0, start - reach), min(start + CHUNK, frames)
        near = slice(first, stop + reach)
        heard = slice(first * hop_length, (stop + reach) * hop_length)
        made = render(controls.part(near), noise[:, heard], sample_rate, hop_length, at[:, near])
        yield made[0, (start - first) * hop_length : (stop - first) * hop_length]


def reverberated(pieces: Iterator[Tensor], impulse: Tensor) -> Iterator[Tensor]:
    """Yield pieces (n,) as they sound in a room: each with what lingers of those before it."""
    lingering = impulse.new_zeros(len(impulse) - 1)
    for piece in pieces:
        heard = torch.cat([lingering, piece])
        yield reverberate(heard[None], impulse)[0, len(lingering) :]
        lingering = heard[len(heard) - len(lingering) :]


def white(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return noise from −1 to 1 in the shape of a tensor, drawn where the generator is."""
    device = generator.device if generator else like.device
    drawn = torch.rand(like.shape, generator=generator, device=device)
    return drawn.mul_(2).sub_(1).to(like)


def entropy(distribution: Tensor) -> Tensor:
    """(B, T, K) to (B, T): 1 where all harmonics are alike, 0 where there is but one."""
    shares = distribution.clamp(min=1e-8)
    return -(distribution * shares.log()).sum(-1) / math.log(max(2, distribution.shape[-1]))
