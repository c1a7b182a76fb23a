"""Sums of harmonics of f0 (Engel et al., 2020, DDSP), differentiable.

Frame t is centred at (t + 1/2)·hop.  Between centres f0 is linear, so phase is quadratic; only its
values at the centres are accumulated, in float64 and modulo one cycle, so it does not drift even
in long audio.  Amplitudes are interpolated by a raised cosine, as overlapping Hann windows of two
hops do.  Before the first centre and after the last, f0 and amplitudes are constant.

B clips, T frames, I intervals from centre to centre, K harmonics, N = T·hop samples.
Phases are in cycles.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 2**19  # values of all harmonics computed at once, to fit into a cache


def audible(f0: Tensor, count: int, sample_rate: float) -> Tensor:
    """Return which harmonics of f0 (B, T) Hz are below half the sample rate, (B, T, K) bool.

    Where f0 is 0, none are.
    """
    harmonic = torch.arange(1, count + 1, device=f0.device)
    below: Tensor = harmonic * f0[..., None] < sample_rate / 2
    return below & (f0[..., None] > 0)


def distribution(weights: Tensor, f0: Tensor, sample_rate: float) -> Tensor:
    """Normalise weights (B, T, K) >= 0 to sum to 1 over the audible harmonics of f0 (B, T).

    Where no harmonic is audible, all are 0.
    """
    shares = weights * audible(f0, weights.shape[-1], sample_rate)
    return shares / shares.sum(-1, keepdim=True).clamp(min=1e-7)


def cycles(f0: Tensor, sample_rate: float, hop_length: int, first: Tensor | None = None) -> Tensor:
    """Return the phase of the fundamental at the centre of every frame.

    Parameters
    ----------
    f0 : (B, T) float
        Hz.
    sample_rate : float
        Hz.
    hop_length : int
        Samples.
    first : (B,) float64
        The phase at the centre of the first frame; by default sample 0 has phase 0.

    Returns
    -------
    (B, T) float64
        From 0 to 1.
    """
    f0, hop = f0.double(), hop_length / sample_rate  # seconds
    begin = f0[:, :1] * (hop / 2) if first is None else first[:, None]
    left, right = lines(f0)
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
    """Return the sum of harmonics.

    Harmonics are silent where they are not below half the sample rate.  Where f0 is 0, audio is
    silent; a sound that begins or ends there keeps its f0 while it fades.

    A sample depends on its own frame and on the nearer neighbour, so long audio can be computed
    in chunks: with one more frame on either side, whose audio is cut off, and with `at` cut from
    the `cycles` of the whole (or continued by their `first`).

    Parameters
    ----------
    f0 : (B, T) float, Hz; 0 where it is silent
    amplitude : (B, T) float
    distribution : (B, T, K) float, share of each harmonic in the amplitude
    sample_rate, hop_length : Hz, samples
    phase : (B, K) float, initial phase of each harmonic in cycles; by default 0, a sine
    at : (B, T) float64, phase of the fundamental at frame centres; by default `cycles` of f0

    Returns
    -------
    (B, N) float
    """
    if at is None:
        at = cycles(f0, sample_rate, hop_length)
    start = torch.cat([at[:, :1] - f0[:, :1].double() * (hop_length / sample_rate), at], 1)
    intervals = start, *lines(held(f0))  # (B, I) each
    levels = held((amplitude * (f0 > 0))[..., None] * distribution)  # (B, T + 2, K)
    offset = f0.new_zeros(1, distribution.shape[2]) if phase is None else phase
    audio = _in_blocks(intervals, levels, offset, sample_rate, hop_length)
    before = hop_length // 2
    return audio[:, before : before + f0.shape[1] * hop_length]


def _in_blocks(
    intervals: tuple[Tensor, Tensor, Tensor],
    levels: Tensor,
    phase: Tensor,
    sample_rate: float,
    hop_length: int,
) -> Tensor:
    """Return `_sum` over all intervals, computed in blocks that fit into a cache."""
    batch, count = intervals[0].shape
    size = max(1, BLOCK // (batch * levels.shape[2] * hop_length))
    audio = [levels[:, :0, 0]]
    for first in range(0, count, size):
        start, left, right = (one[:, first : first + size] for one in intervals)
        level = levels[:, first : first + size + 1]
        audio.append(_sum(start, left, right, level, phase, sample_rate, hop_length))
    return torch.cat(audio, 1)


def _sum(
    start: Tensor,
    left: Tensor,
    right: Tensor,
    level: Tensor,
    phase: Tensor,
    sample_rate: float,
    hop_length: int,
) -> Tensor:
    """Return audio (B, I·hop) from phases and f0 at both ends (B, I) and levels (B, I + 1, K)."""
    # if hop is odd, centres lie between samples
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
    # sines of small angles are faster; harmonics above the limit get weight 0
    sines = torch.sin((angle - angle.round()) * (2 * torch.pi))
    sines = sines * (limit[..., None, :] + 1 - harmonic).clamp_(0, 1)
    ends = torch.stack([level[:, :-1, :count], level[:, 1:, :count]], 2)  # (B, I, 2, K)
    with torch.autocast(level.device.type, enabled=False):
        ends = ends @ sines  # (B, I, 2, hop)
    rise = (0.5 - 0.5 * torch.cos(torch.pi * along)).to(level)
    return torch.lerp(ends[:, :, 0], ends[:, :, 1], rise).flatten(1)


def lines(f0: Tensor) -> tuple[Tensor, Tensor]:
    """Return f0 (B, T) at the start and at the end of each interval, (B, T − 1) each."""
    left, right = f0[:, :-1], f0[:, 1:]
    return torch.where(left > 0, left, right), torch.where(right > 0, right, left)


def held(x: Tensor) -> Tensor:
    """Return frames (B, T, ...) with the first and the last one repeated, (B, T + 2, ...)."""
    return torch.cat([x[:, :1], x, x[:, -1:]], 1)
