"""Two takes of each text by one speaker, as two Corpora with the same ids.

    python benchmarks/takes_split.py CORPUS.h5 FIRST.h5 SECOND.h5 [COUNT]
    ttskit evaluate FIRST.h5 SECOND.h5 -o scores.h5

What measures say of them is how far a person is from herself: no synthesis need come closer.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import ttskit
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.writer import Writer


def main() -> None:
    reader = ttskit.read(sys.argv[1])
    most = int(sys.argv[4]) if len(sys.argv) > 4 else None
    takes: dict[tuple[str, str], list[str]] = {}
    for row, id in enumerate(reader.ids):
        takes.setdefault((reader.value(row, "speaker"), reader.value(row, "text")), []).append(id)
    pairs = [ids[:2] for ids in takes.values() if len(ids) > 1][:most]
    provenance = {"stage": "takes_split", "inputs": [reader.digest]}
    for place, name in enumerate(sys.argv[2:4]):
        attributes = dict(reader.attributes)
        with Writer(Path(name), Corpus, attributes=attributes, provenance=provenance) as writer:
            for pair in pairs:
                writer.append(replace(reader[pair[place]], id=pair[0]))
            writer.seal([pair[0] for pair in pairs])
    print(f"{len(pairs)} texts with two takes")


if __name__ == "__main__":
    main()
