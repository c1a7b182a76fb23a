"""Viterbi over pitch bins: ttskit and librosa (torchcrepe's decoder) in turns, in frames a second.

python benchmarks/bench_viterbi.py [--frames T] [--repeat N]
"""

from __future__ import annotations

import argparse
import time

import librosa
import numpy as np

from ttskit.dsp import viterbi

STATES = 360


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    here = np.arange(STATES)
    weights = np.maximum(viterbi.REACH - np.abs(here[:, None] - here), 0)
    transition = weights / weights.sum(axis=1, keepdims=True)
    rng = np.random.default_rng(0)
    powers = np.exp(8 * rng.random((options.frames, STATES)))
    likelihood = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    columns = np.ascontiguousarray(likelihood.T)
    best = {"ours": float("inf"), "peer": float("inf")}
    for turn in range(options.repeat + 1):  # the first compiles
        start = time.perf_counter()
        ours = viterbi.path(likelihood)
        between = time.perf_counter()
        peer = librosa.sequence.viterbi(columns, transition)
        end = time.perf_counter()
        if turn:
            best["ours"] = min(best["ours"], between - start)
            best["peer"] = min(best["peer"], end - between)
    if not (ours == peer).all():
        raise SystemExit("the paths differ")
    a, b = (options.frames / best[name] for name in ("ours", "peer"))
    print(f"viterbi: ratio {a / b:.1f} (ours {a:.0f} frames/s, peer {b:.0f} frames/s)")


if __name__ == "__main__":
    main()
