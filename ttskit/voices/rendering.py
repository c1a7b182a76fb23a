"""The synthesiser of harmonics and filtered noise, by operators that ONNX has.

What it makes is that of `networks.synthesiser.render`, for one utterance as a whole: all harmonics
are computed, and those that are not audible have weight 0.

T frames, I intervals from centre to centre, K harmonics, F bands of noise, N = T · hop samples.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan
from torch.nn import functional as F

from ttskit.dsp.harmonic import held, lines
from ttskit.dsp.stft import overlap_add
from ttskit.models.ddsp import Ddsp
from ttskit.networks.trunks import Gru

TOGETHER = 8  # harmonics that are computed at once


class Rendering(nn.Module):
    """From the fields of an utterance, (1, T, ...) each, to audio (1, N).

    The noise is what `turns` has in its first columns: (1, T, bins), uniform from 0 to 1.
    """

    period: Tensor

    def __init__(self, module: Ddsp, inputs: tuple[str, ...]) -> None:
        super().__init__()
        self.module, self.inputs = module, inputs
        self.grid = module.facts.sample_rate, module.facts.hop_length
        period = self.grid[1] / self.grid[0]  # as a number, a graph has it in 32 bits: phases drift
        self.register_buffer("period", torch.tensor(period, dtype=torch.double))
        self.noise = Noise(module.config.noise_bands, module.facts.hop_length)
        trunk = module.generator.trunk
        if isinstance(trunk, Gru):
            trunk.core = Scanned(trunk.core)  # type: ignore[assignment, arg-type]

    def forward(self, *values: Tensor) -> Tensor:
        """Fields in the order of the inputs -> audio."""
        frames = dict(zip(self.inputs, values, strict=True))
        turns = frames.pop("turns")
        controls = self.module.play(frames, torch.ones_like(turns[:, :, 0], dtype=torch.bool))
        level = controls.amplitude * controls.voiced
        tones = harmonics(controls.f0, level, controls.distribution, self.period, *self.grid)
        white = turns[..., : self.grid[1]] * 2 - 1
        dry = tones + self.noise(controls.noise, white)
        room = self.module.generator.room
        return dry if room is None else dry + echoes(dry, room)


def refusal(module: Ddsp) -> str:
    """Return why a model cannot be converted; nothing where it can."""
    config, facts = module.config, module.facts
    if config.smoothing.mode != "none" or config.residual:
        return "its controls are smoothed by a recursion that is unrolled by the length"
    if config.trunk in ("micro-rnn", "transformer"):
        return f"its trunk {config.trunk} is converted for one length alone"
    if facts.hop_length > facts.n_fft // 2 + 1:
        return "its frames are longer than half a window"
    return ""


class Scanned(nn.Module):
    """A GRU as a scan, which stays a loop in a graph; called like `nn.GRU` of one layer."""

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self.gru, self.hidden_size = gru, gru.hidden_size

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (1, T, W) -> all states (1, T, S) and the last."""
        gru: Any = self.gru
        entries = x[0] @ gru.weight_ih_l0.T + gru.bias_ih_l0  # (T, 3 S)

        def step(state: Tensor, entry: Tensor) -> tuple[Tensor, Tensor]:
            again = state @ gru.weight_hh_l0.T + gru.bias_hh_l0
            reset, update, new = entry.chunk(3)
            again_reset, again_update, again_new = again.chunk(3)
            share = torch.sigmoid(update + again_update)
            candidate = torch.tanh(new + torch.sigmoid(reset + again_reset) * again_new)
            state = (1 - share) * candidate + share * state
            return state, state.clone()

        first = torch.zeros(self.hidden_size, dtype=x.dtype)
        last, states = scan(step, first, entries)
        return states[None], last[None]


def harmonics(
    f0: Tensor,
    amplitude: Tensor,
    distribution: Tensor,
    period: Tensor,
    sample_rate: int,
    hop_length: int,
) -> Tensor:
    """Return the sum of harmonics (1, N): f0 and amplitude (1, T), distribution (1, T, K).

    `period` is the time of a frame in seconds.
    """
    at = phases(f0.double(), period)
    start = torch.cat([at[:, :1] - f0[:, :1].double() * period, at], 1)
    left, right = (line.double()[..., None] for line in lines(held(f0)))
    levels = held((amplitude * (f0 > 0))[..., None] * distribution)  # (1, T + 2, K)
    samples = torch.arange(hop_length, dtype=torch.double)
    along = (samples + hop_length % 2 / 2) / hop_length
    now = left + (right - left) * along  # (1, I, hop)
    turned = start[..., None] + (left + now) / 2 * along * period
    turned = (turned - turned.round()).float()
    limit = torch.where(now > 0, (sample_rate / 2 / now.clamp(min=1e-9)).ceil() - 1, 0).float()
    rise = (0.5 - 0.5 * torch.cos(torch.pi * along)).float()
    total = torch.zeros_like(turned)
    for first in range(0, distribution.shape[-1], TOGETHER):
        some = levels[..., first : first + TOGETHER]  # (1, T + 2, k)
        number = torch.arange(first + 1, first + 1 + some.shape[-1])
        angle = turned[..., None] * number  # (1, I, hop, k)
        sines = torch.sin((angle - angle.round()) * (2 * torch.pi))
        sines = sines * (limit[..., None] + 1 - number).clamp(0, 1)
        ends = sines @ torch.stack([some[:, :-1], some[:, 1:]], -1)  # (1, I, hop, 2)
        total = total + ends[..., 0] + (ends[..., 1] - ends[..., 0]) * rise
    before = hop_length // 2
    return total.flatten(1)[:, before : before - hop_length]


def phases(f0: Tensor, period: Tensor) -> Tensor:
    """Return what `dsp.harmonic.cycles` does: cycles (1, T) of f0 (1, T) at centres of frames."""
    left, right = lines(f0)
    steps = torch.cat([f0[:, :1], left + right], 1) * (period / 2)
    total = steps.cumsum(1)[:, : f0.shape[1]]
    return total - total.floor()


class Noise(nn.Module):
    """White noise through the filter of each frame; Fourier transforms are matrices."""

    white: Tensor
    response: Tensor
    back: Tensor

    def __init__(self, bands: int, hop_length: int) -> None:
        super().__init__()
        self.taps, self.hop_length = 2 * (bands - 1), hop_length
        size = hop_length + self.taps
        alone = torch.fft.irfft(torch.eye(bands), self.taps).roll(self.taps // 2, -1)
        alone = alone * torch.hann_window(self.taps)  # (F, taps), the response of each band
        count = torch.eye(size // 2 + 1)
        back = [torch.fft.irfft(unit * count, size) for unit in (1 + 0j, 1j)]
        self.register_buffer("white", _parts(torch.fft.rfft(torch.eye(hop_length), size)))
        self.register_buffer("response", _parts(torch.fft.rfft(alone, size)))
        self.register_buffer("back", torch.stack(back))

    def forward(self, magnitudes: Tensor, white: Tensor) -> Tensor:
        """Magnitudes (1, T, F) and noise (1, T, hop) -> (1, N)."""
        a, b = white @ self.white[0], white @ self.white[1]
        c, d = magnitudes @ self.response[0], magnitudes @ self.response[1]
        frames = (a * c - b * d) @ self.back[0] + (a * d + b * c) @ self.back[1]  # (1, T, size)
        audio = overlap_add(frames, self.hop_length)
        begin = self.taps // 2
        return audio[:, begin : begin + white.shape[1] * self.hop_length]


def echoes(audio: Tensor, room: Tensor) -> Tensor:
    """Return audio (1, N) through the impulse response of a room (n,), cut to N samples."""
    padded = F.pad(audio[:, None], (len(room) - 1, 0))
    return F.conv1d(padded, room.flip(0)[None, None])[:, 0]


def _parts(spectrum: Tensor) -> Tensor:
    """Return real and imaginary part of (n, F), (2, n, F)."""
    return torch.stack([spectrum.real, spectrum.imag])
