"""Every vocoder against HiFi-GAN V1 on the same mel, in turns.

    python benchmarks/bench_vocode.py [--threads 2] [--seconds 8]

Weights are random: what they make is noise, what they cost is what trained ones cost.  The ratio
is that of `istft`, preset tiny.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from ttskit.models import find
from ttskit.models.vocoder import Vocoder
from ttskit.networks.facts import Facts
from ttskit.training.configuration import resolved

SYSTEMS = (  # ours, then the peer
    ("istft", "tiny"),
    ("istft", "base"),
    ("ddsp", "tiny"),
    ("griffinlim", None),
    ("hifigan", "v3"),
    ("hifigan", "v2"),
    ("hifigan", "v1"),
)


def made(family: str, preset: str | None) -> tuple[Vocoder, int]:
    """Return a vocoder with random weights as `vocode` would use it, and how many they are."""
    torch.manual_seed(0)
    found = find(family, "vocoder")(resolved(family, preset), Facts())
    assert isinstance(found, Vocoder)
    weights = sum(value.numel() for value in found.parameters())
    found.eval().requires_grad_(False).fold()
    return found, weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    facts = Facts()
    frames = round(options.seconds * facts.sample_rate / facts.hop_length)
    noise = np.random.default_rng(0).normal(-5, 2, (frames, facts.n_mels))
    mel = torch.from_numpy(noise.astype(np.float32))
    sounds = frames * facts.hop_length / facts.sample_rate
    vocoders = {" ".join(filter(None, name)): made(*name) for name in SYSTEMS}
    took: dict[str, list[float]] = {name: [] for name in vocoders}
    for turn in range(options.rounds + 1):  # the first warms up
        for name, (vocoder, _) in vocoders.items():
            start = time.perf_counter()
            with torch.inference_mode():
                for _ in vocoder.stream({"mel": mel}, torch.Generator().manual_seed(0)):
                    pass
            if turn:
                took[name].append((time.perf_counter() - start) / sounds)
    best = {name: min(values) for name, values in took.items()}
    for name, (_, weights) in vocoders.items():
        print(f"{name:13} {best[name]:.5f} of real time, {weights / 1e6:.1f} M weights")
    ours, peer = best["istft tiny"], best["hifigan v1"]
    print(f"vocode: ratio {peer / ours:.1f} (ours {ours:.4f}, HiFi-GAN V1 {peer:.4f} of real time)")


if __name__ == "__main__":
    main()
