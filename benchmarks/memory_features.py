"""Speed and memory of `ttskit features` on a quarter, a half and all of a corpus.

    python benchmarks/memory_features.py CORPUS.h5 [OPTION]...

Runs the command itself and watches what it and its workers hold in memory.  Pages of mapped files
do not count: the system drops them when it needs room.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader

PAGE = 4096


def main() -> None:
    corpus, options = Path(sys.argv[1]), sys.argv[2:]
    reader = Reader(corpus, Corpus)
    count, rate = len(reader), float(reader.attributes["sample_rate"])
    print("| utterances | hours | seconds | audio seconds per second | peak of all processes |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for share in (4, 2, 1):
            output = Path(folder) / f"{share}.h5"
            limit = ["--limit", str(count // share)]
            words = [sys.executable, "-m", "ttskit", "-q", "features", str(corpus), *options]
            took, peak = watch([*words, *limit, "-o", str(output)])
            audio = reader.offsets("sample")[count // share] / rate
            print(
                f"| {count // share} | {audio / 3600:.3f} | {took:.0f} | {audio / took:.1f} "
                f"| {peak / 1e6:.0f} MB |",
                flush=True,
            )


def watch(words: list[str]) -> tuple[float, int]:
    """Return how long a command took and the most bytes that it and its children had."""
    started, peak = time.monotonic(), 0
    run = subprocess.Popen(words)
    while run.poll() is None:
        peak = max(peak, sum(map(held, family(run.pid))))
        time.sleep(0.1)
    if run.returncode:
        sys.exit(f"{' '.join(words)}: exit status {run.returncode}")
    return time.monotonic() - started, peak


def family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def held(pid: int) -> int:
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(resident) - int(shared)) * PAGE
    except (OSError, ValueError):
        return 0


if __name__ == "__main__":
    main()
