"""Figures of a server, as Prometheus reads them."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds to the first audio
HELP = {
    "ttskit_requests_total": "Answers, by route and status.",
    "ttskit_abandoned_total": "Requests whose client went away before the end.",
    "ttskit_characters_total": "Characters that were spoken, by voice.",
    "ttskit_audio_seconds_total": "Seconds of audio that were spoken, by voice.",
    "ttskit_requests_present": "Requests that are being answered, the waiting ones among them.",
    "ttskit_first_audio_seconds": "Seconds from a request to its first audio.",
    "process_resident_memory_bytes": "Memory of the process.",
}


@dataclass
class Figures:
    """Counters, each by its labels, and how long clients waited for their first audio."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)  # by name and labels
    first: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    first_sum: float = 0.0

    def count(self, name: str, amount: int = 1, **labels: object) -> None:
        """Add to a counter."""
        key = name, _labels(labels)
        self.counts[key] = self.counts.get(key, 0) + amount

    def waited(self, seconds: float) -> None:
        """Note after how long a client had its first audio."""
        self.first[bisect_left(BUCKETS, seconds)] += 1
        self.first_sum += seconds

    def text(self, present: int, seconds: Mapping[str, float]) -> str:
        """Return all figures in Prometheus' text format.

        `present` requests are being answered, each voice has spoken some `seconds`.
        """
        values: list[tuple[str, str, float]] = [
            (*key, self.counts[key]) for key in sorted(self.counts)
        ]
        values += [
            ("ttskit_audio_seconds_total", _labels({"voice": name}), round(value, 6))
            for name, value in seconds.items()
        ]
        values += [("ttskit_requests_present", "", present)]
        values += [("process_resident_memory_bytes", "", memory())]
        lines, before = list[str](), ""
        for name, pairs, value in values:
            if name != before:
                kind = "counter" if name.endswith("_total") else "gauge"
                lines += _head(name, kind)
                before = name
            lines.append(f"{name}{{{pairs}}} {value}" if pairs else f"{name} {value}")
        return "\n".join([*lines, *self._waits()]) + "\n"

    def _waits(self) -> Iterator[str]:
        name, total = "ttskit_first_audio_seconds", 0
        yield from _head(name, "histogram")
        for bound, count in zip((*BUCKETS, "+Inf"), self.first, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self.first_sum:.6f}"
        yield f"{name}_count {total}"


def memory() -> int:
    """Return the bytes of memory that this process occupies, 0 where that cannot be known."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _head(name: str, kind: str) -> list[str]:
    return [f"# HELP {name} {HELP[name]}", f"# TYPE {name} {kind}"]


def _labels(labels: Mapping[str, object]) -> str:
    return ",".join(f'{key}="{_escaped(str(value))}"' for key, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
