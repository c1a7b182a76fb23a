"""Run every benchmark and rewrite the table in docs/performance.md from their last lines."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
LINE = re.compile(r"^(\w+): ratio ([\d.]+) \((.*)\)$")
MARKS = "<!-- table -->\n", "<!-- end of table -->\n"


def main() -> None:
    rows = []
    for script in sorted(HERE.glob("bench_*.py")):
        print(f"{script.name} ...", flush=True)
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr, sep="", flush=True)
        last = done.stdout.strip().split("\n")[-1]
        if not done.returncode and ": left out: " in last:
            continue
        found = LINE.match(last)
        if done.returncode or not found:
            sys.exit(f"{script.name}: failed, or its last line is not NAME: ratio X (...)")
        name, ratio, details = found.groups()
        rows.append(f"| {name} | {ratio} | {details} |\n")
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    cores = os.cpu_count()
    machine = f"Measured on {platform.machine()}, {cores} cores, Python {platform.python_version()}"
    table = (
        f"\n{machine}.\n\n| benchmark | ratio | in the same run |\n|---|---|---|\n{''.join(rows)}\n"
    )
    PAGE.write_text(before + MARKS[0] + table + MARKS[1] + after, encoding="utf-8")


if __name__ == "__main__":
    main()
