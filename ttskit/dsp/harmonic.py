"""Sums of harmonics of f0 (Engel et al., 2020, DDSP), differentiable.

Frame t is centred at (t + 1/2)·hop.  From one centre to the next f0 goes along a line, so phase is
a parabola; only its values at the centres are summed up, in float64 and modulo one cycle: nothing
drifts, however long the sound.  Amplitudes cross from frame to frame by a raised cosine, which is
what overlapping Hann windows of two hops do.  Before the first centre and after the last, f0 and
amplitudes stay what they are there.

B clips, T frames, I intervals from centre to centre, K harmonics, N = T·hop samples.
Phases are in cycles.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 2**19  # values of all harmonics that are made at once: what a cache holds


def audible(f0: Tensor, count: int, sample_rate: float) -> Tensor:
    """f0 (B, T) Hz -> which harmonics are below half of the sample rate, (B, T, K) bool.

    None is where f0 is 0.
    """
    harmonic = torch.arange(1, count + 1, device=f0.device)
    below: Tensor = harmonic * f0[..., None] < sample_rate / 2
    return below & (f0[..., None] > 0)


def distribution(weights: Tensor, f0: Tensor, sample_rate: float) -> Tensor:
    """Make weights (B, T, K), none negative, sum to 1 over the audible harmonics of f0 (B, T).

    All are 0 where none is audible.
    """
    heard = weights * audible(f0, weights.shape[-1], sample_rate)
    return heard / heard.sum(-1, keepdim=True).clamp(min=1e-7)


def cycles(f0: Tensor, sample_rate: float, hop_length: int, first: Tensor | None = None) -> Tensor:
    """The phase of the fundamental at the centre of every frame.

    Parameters
    ----------
    f0 : (B, T) float
        Hz.
    sample_rate : float
        Hz.
    hop_length : int
        Samples.
    first : (B,) float64
        The phase at the centre of the first frame; without it, sample 0 is at phase 0.

    Returns
    -------
    (B, T) float64
        From 0 to 1.
    """
    f0, hop = f0.double(), hop_length / sample_rate  # seconds
    begin = f0[:, :1] * (hop / 2) if first is None else first[:, None]
    left, right = _lines(f0)
    total = torch.cat([begin, (left + right) * (hop / 2)], 1).cumsum(1)
    return total[:, : f0.shape[1]].remainder(1)


def harmonics(
    f0: Tensor,
    amplitude: Tensor,
    distribution: Tensor,
    sample_rate: float,
    hop_length: int,
    phase: Tensor | None = None,
    at: Tensor | None = None,
) -> Tensor:
    """Make audio of harmonics.

    A harmonic is silent at every sample at which it is not below half of the sample rate.  Where
    f0 is 0 nothing sounds and the phase stands still; a sound that begins or ends there keeps its
    f0 while it fades.

    A sample depends on its own frame and on the nearer neighbour of that, so a long sound can be
    made in chunks: each with one more frame on either side, `at` cut from the `cycles` of the
    whole (or continued by their `first`), and the audio of those frames cut off.

    Parameters
    ----------
    f0 : (B, T) float
        Hz; 0 where nothing sounds.
    amplitude : (B, T) float
    distribution : (B, T, K) float
        Of the amplitude over the harmonics.
    sample_rate : float
        Hz.
    hop_length : int
        Samples.
    phase : (B, K) float
        Where each harmonic begins, in cycles; without it, as sines.
    at : (B, T) float64
        The phase of the fundamental at the centres of the frames; without it, `cycles` of f0.

    Returns
    -------
    (B, N) float
    """
    frames, count = distribution.shape[1:]
    if at is None:
        at = cycles(f0, sample_rate, hop_length)
    start = torch.cat([at[:, :1] - f0[:, :1].double() * (hop_length / sample_rate), at], 1)
    left, right = _lines(_held(f0))  # (B, I)
    level = _held((amplitude * (f0 > 0))[..., None] * distribution)  # (B, T + 2, K)
    offset = f0.new_zeros(1, count) if phase is None else phase
    size = max(1, BLOCK // (len(f0) * count * hop_length))
    made = [f0[:, :0]]
    for first in range(0, left.shape[1], size):
        part = slice(first, first + size)
        levels = level[:, first : first + size + 1]
        lines = start[:, part], left[:, part], right[:, part]
        made.append(_sum(*lines, levels, offset, sample_rate, hop_length))
    before = hop_length // 2
    return torch.cat(made, 1)[:, before : before + frames * hop_length]


def _sum(
    start: Tensor,
    left: Tensor,
    right: Tensor,
    level: Tensor,
    phase: Tensor,
    sample_rate: float,
    hop_length: int,
) -> Tensor:
    """Phases and f0 at both ends (B, I), levels (B, I + 1, K) of frames -> (B, I·hop)."""
    # Where hop is odd, centres lie between samples.
    samples = torch.arange(hop_length, device=left.device, dtype=torch.double)
    along = (samples + hop_length % 2 / 2) / hop_length
    start, left, right = start[..., None], left.double()[..., None], right.double()[..., None]
    f0 = torch.lerp(left, right, along)  # (B, I, hop)
    turned = start + (left + f0) / 2 * along * (hop_length / sample_rate)
    limit = torch.where(f0 > 0, (sample_rate / 2 / f0).ceil() - 1, 0).detach().to(level)
    count = int(limit.max().clamp(0, level.shape[-1]))
    harmonic = torch.arange(1, count + 1, device=level.device)[:, None]
    angle = harmonic * (turned - turned.round()).to(level)[..., None, :]
    angle = angle + phase[:, None, :count, None].to(level)  # (B, I, K, hop)
    # Small angles have a faster sine; harmonics up to the limit weigh 1, all beyond it 0.
    sines = torch.sin((angle - angle.round()) * (2 * torch.pi))
    sines = sines * (limit[..., None, :] + 1 - harmonic).clamp_(0, 1)
    ends = torch.stack([level[:, :-1, :count], level[:, 1:, :count]], 2)  # (B, I, 2, K)
    with torch.autocast(level.device.type, enabled=False):
        ends = ends @ sines  # (B, I, 2, hop)
    rise = (0.5 - 0.5 * torch.cos(torch.pi * along)).to(level)
    return torch.lerp(ends[:, :, 0], ends[:, :, 1], rise).flatten(1)


def _lines(f0: Tensor) -> tuple[Tensor, Tensor]:
    """f0 (B, T) -> at the beginning and at the end of each interval, (B, T − 1)."""
    left, right = f0[:, :-1], f0[:, 1:]
    return torch.where(left > 0, left, right), torch.where(right > 0, right, left)


def _held(x: Tensor) -> Tensor:
    """(B, T, ...) to (B, T + 2, ...): the first and the last frame once more."""
    return torch.cat([x[:, :1], x, x[:, -1:]], 1)
