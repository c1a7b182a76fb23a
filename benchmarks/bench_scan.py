"""The selective scan: ours, a loop over steps, and that of the package `mambapy` where it is there.

    python benchmarks/bench_scan.py [--rounds 5]

Forward and backward pass of states of 4 utterances, 128 channels, 8 numbers, one thread, in turns;
seconds of the processor, the best of the rounds.  Before that inference: a layer of 192 channels
over a text of 30 minutes (21,600 tokens) and shorter ones, in blocks, with the growth of memory.
The last line compares with mambapy, or without it with the loop.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ttskit.networks.mamba import Layers, MambaConfig
from ttskit.networks.scan import scan

try:
    from mambapy.pscan import pscan
except ImportError:
    pscan = None

LENGTHS, HEAD = (64, 256, 1024), 256
SHAPE = 4, 128, 8  # utterances, channels, numbers of a state
TOKENS, BLOCK = 21_600, 256  # of 30 minutes at 12 phonemes a second; of a block


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    stream()  # first, because the most memory of a process never falls
    ways = {"ours": scan, "loop": loop, **({"mambapy": pscan} if pscan else {})}
    print("steps", *(f"{name:>12}" for name in ways))
    best = {}
    for steps in LENGTHS:
        best[steps] = measured(ways, steps, rounds)
        print(f"{steps:5}", *(f"{1000 * best[steps][name]:9.1f} ms" for name in ways))
    peer = "mambapy" if pscan else "loop"
    ours, theirs = best[HEAD]["ours"], best[HEAD][peer]
    print(
        f"scan: ratio {theirs / ours:.1f} (ours {1000 * ours:.1f} ms, {peer} "
        f"{1000 * theirs:.1f} ms)"
    )


def loop(factors: Tensor, inputs: Tensor) -> Tensor:
    state, states = torch.zeros_like(inputs[:, 0]), []
    for t in range(inputs.shape[1]):
        state = factors[:, t] * state + inputs[:, t]
        states.append(state)
    return torch.stack(states, 1)


def measured(
    ways: dict[str, Callable[[Tensor, Tensor], Tensor]], steps: int, rounds: int
) -> dict[str, float]:
    """Return the processor's seconds of a forward and a backward pass, by the best round."""
    batch, channels, size = SHAPE
    g = torch.Generator().manual_seed(0)
    values = torch.rand(2, batch, steps, channels, size, generator=g)
    best = dict.fromkeys(ways, float("inf"))
    results = {}
    for _ in range(rounds):
        for name, way in ways.items():
            factors, inputs = (one.clone().requires_grad_() for one in values)
            start = time.process_time()
            states = way(factors, inputs)
            torch.autograd.backward(states.square().mean())
            best[name] = min(best[name], time.process_time() - start)
            results[name] = states.detach(), factors.grad, inputs.grad
    for name in ways:
        for own, other in zip(results["ours"], results[name], strict=True):
            torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-5)
    return best


def stream() -> None:
    """Print time and memory of a layer over texts of some lengths, in blocks."""
    layers = Layers(MambaConfig(layers=1)).eval()
    first = [torch.randn(1, BLOCK, 192) for _ in range(4)]
    for block in layers.stream(iter(first)):
        assert block.shape[2] == 192  # compiled by now
    for tokens in (TOKENS // 16, TOKENS // 4, TOKENS):
        blocks = (torch.randn(1, BLOCK, 192) for _ in range(tokens // BLOCK))
        start, before = time.process_time(), peak()
        held = sum(block.shape[1] for block in layers.stream(blocks))
        seconds, grown = time.process_time() - start, peak() - before
        print(f"{held:6} tokens in blocks: {seconds:6.2f} s, {grown / 1024:6.1f} MB more at most")
    before = peak()
    start = time.process_time()
    with torch.no_grad():
        layers(torch.randn(1, TOKENS, 192), torch.ones(1, TOKENS, dtype=torch.bool))
    seconds = time.process_time() - start
    print(f"{TOKENS:6} tokens at once: {seconds:8.2f} s, {(peak() - before) / 1024:6.1f} MB more")


def peak() -> int:
    """Return the most kilobytes that this process has held."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
