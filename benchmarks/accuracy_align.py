"""Word boundaries of an Alignment against those of another aligner.

    python benchmarks/accuracy_align.py ALIGNMENT.h5 REFERENCE.jsonl

Each line of the reference is {"id": ..., "words": [{"word": ..., "phones": [{"start": seconds,
"duration": seconds, ...}]}]}; "<eps>" is silence.  Utterances with other words are left out, and
counted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

import ttskit


def main() -> None:
    reader = ttskit.read(sys.argv[1])
    hop = float(reader.attributes["hop_length"]) / float(reader.attributes["sample_rate"])
    errors: list[float] = []
    used = other = 0
    for line in Path(sys.argv[2]).read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if told["id"] not in reader:
            continue
        record = reader[told["id"]]
        words = [w for w in told["words"] if w["phones"] and w["word"] != "<eps>"]
        if [w["word"].lower() for w in words] != [word.lower() for word in record.words]:
            other += 1
            continue
        used += 1
        ends = np.cumsum(record.durations)
        starts = ends - record.durations
        for number, word in enumerate(words):
            own = np.flatnonzero(record.token_word == number)
            first, last = word["phones"][0], word["phones"][-1]
            errors.append(starts[own[0]] * hop - first["start"])
            errors.append(ends[own[-1]] * hop - last["start"] - last["duration"])
    off = 1000 * np.abs(errors)
    shares = ", ".join(f"{(off <= limit).mean():.1%} within {limit} ms" for limit in (10, 25, 50))
    print(f"{used} utterances ({other} have other words), {len(off)} word boundaries")
    print(f"median {np.median(off):.1f} ms, mean {off.mean():.1f} ms; {shares}")


if __name__ == "__main__":
    main()
