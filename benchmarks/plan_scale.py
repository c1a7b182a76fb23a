"""What a corpus of many hours costs on many machines: storage, network, time, machine-hours.

    python benchmarks/plan_scale.py --hours 100000 --machines 50 [--cores 16] [--gigabits 10]

A stage takes as long as the slowest of its processors, the network of its machines and the storage
that they share.  Utterances go to machines as shards do, so nothing else is waited for.  The
constants were measured on one core, as time of the processor: docs/scale.md says how.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

UTTERANCES = 1_190  # an hour, of 3 s each
OPEN = 121e-6  # MB that an utterance of an open artifact takes in memory
START = 570e-6  # MB that an utterance of a training takes in memory
EASY = 10_000_000  # utterances of one artifact: 1.2 GB to open, a minute
COPY = 270.0  # MB a second that a core merges


@dataclass(frozen=True)
class Stage:
    """What a stage costs for an hour of audio."""

    name: str
    seconds: float  # of one core
    reads: float  # MB
    writes: float  # MB, which are kept


STAGES = (
    Stage("corpus", 0.3, 159, 159),
    Stage("features, crepe tiny", 80, 159, 105),
    Stage("features, crepe full", 719, 159, 105),
    Stage("tokens", 12.5, 1, 0.8),
    Stage("align, trained", 4.5, 106, 1.2),
    Stage("decode", 47, 1, 84),
    Stage("vocode, source", 58, 105, 159),
    Stage("evaluate, mcd and f0", 535, 318, 0.2),
)


@dataclass(frozen=True)
class Cluster:
    """Machines, and the storage that they share."""

    machines: int
    cores: int  # of each
    gigabits: float  # a second, of each
    storage: float  # GB a second, of all together

    def hours(self, seconds: float, megabytes: float) -> tuple[float, str]:
        """Return how long work takes, and what it waits for."""
        waits = {
            "processors": seconds / (self.machines * self.cores),
            "network": megabytes * 8 / (1e3 * self.gigabits * self.machines),
            "storage": megabytes / (1e3 * self.storage),
        }
        slowest = max(waits, key=lambda name: waits[name])
        return waits[slowest] / 3600, slowest


def rows(hours: float, cluster: Cluster) -> Iterator[tuple[str, ...]]:
    """Yield what each stage costs: core-hours, TB read and written, time, machine-hours, limit."""
    for stage in STAGES:
        moved = hours * (stage.reads + stage.writes)
        wall, limit = cluster.hours(hours * stage.seconds, moved)
        yield (
            stage.name,
            f"{hours * stage.seconds / 3600:,.0f}",
            f"{hours * stage.reads / 1e6:,.2f}",
            f"{hours * stage.writes / 1e6:,.2f}",
            f"{wall:,.2f}",
            f"{wall * cluster.machines:,.0f}",
            limit,
        )


def notes(hours: float, cluster: Cluster) -> Iterator[str]:
    """Yield what else there is to know."""
    count = hours * UTTERANCES
    kept = hours * (159 + 105 + 0.8 + 1.2) / 1e6
    yield f"{count:,.0f} utterances; corpus, features, tokens and alignment keep {kept:,.2f} TB"
    merge = kept * 1e6 / COPY / 3600
    yield f"a merge of all of them into one file each would take {merge:,.1f} h of one core"
    files = max(1, math.ceil(count / EASY))
    yield (
        f"an artifact of all is open in {count * OPEN / 1e3:,.1f} GB a process, a training in "
        f"{count * START / 1e3:,.1f} GB: {'one will do' if files == 1 else f'keep {files} apart'}"
    )
    longest, limit = cluster.hours(hours / 3600, hours * 106)
    yield f"to read all once for a training takes {longest:,.2f} h at least ({limit})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, required=True, help="of audio")
    parser.add_argument("--machines", type=int, required=True)
    parser.add_argument("--cores", type=int, default=16, help="of each machine")
    parser.add_argument("--gigabits", type=float, default=10, help="a second, of each machine")
    parser.add_argument("--storage", type=float, default=5, help="GB a second, of all together")
    options = parser.parse_args()
    cluster = Cluster(options.machines, options.cores, options.gigabits, options.storage)
    print("| stage | core-hours | TB read | TB written | hours | machine-hours | waits for |")
    print("|---|---|---|---|---|---|---|")
    for row in rows(options.hours, cluster):
        print(f"| {' | '.join(row)} |")
    print()
    for note in notes(options.hours, cluster):
        print(f"- {note}")


if __name__ == "__main__":
    main()
