"""`ttskit --help` against a Python that only imports typer, in turns."""

from __future__ import annotations

import compileall
import subprocess
import sys
import time
from pathlib import Path

import ttskit

ROUNDS = 15


def main() -> None:
    compileall.compile_dir(Path(ttskit.__file__).parent, quiet=2)  # as what pip installs is
    calls = {
        "ours": [sys.executable, "-m", "ttskit", "--help"],
        "typer": [sys.executable, "-c", "import typer"],
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = time.perf_counter()
            subprocess.run(call, stdout=subprocess.DEVNULL, check=True)
            best[name] = min(best[name], (time.perf_counter() - started) * 1000)
    ratio = best["ours"] / best["typer"]
    print(f"help: ratio {ratio:.2f} (ours {best['ours']:.0f} ms, typer {best['typer']:.0f} ms)")


if __name__ == "__main__":
    main()
