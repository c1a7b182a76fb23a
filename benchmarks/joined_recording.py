"""One long recording of a corpus, with the times of its words: what `examples/mamba` begins with.

    python benchmarks/joined_recording.py corpus.h5 alignment.h5 OUT [--minutes 60] [--pause 0.6]

Writes OUT/speech.flac and OUT/speech_transcription.json, whose characters have times: those of a
word share its time by their number.  The utterances follow each other with a pause between them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile

import ttskit
from ttskit.formats.timeline import Timeline


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("alignment", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--pause", type=float, default=0.6)
    args = parser.parse_args()
    corpus, alignment = ttskit.read(args.corpus), ttskit.read(args.alignment)
    rate = int(corpus.attributes["sample_rate"])
    step = int(alignment.attributes["hop_length"]) / rate
    symbols = alignment.table("symbols")
    pause = np.zeros(round(args.pause * rate), np.int16)
    audio, characters, at = [], [], 0.0
    for id in alignment.ids:
        if at > 60 * args.minutes:
            break
        samples = corpus[id].audio
        for start, stop, word, _ in Timeline(alignment[id], symbols, step).words:
            edges = np.linspace(at + start, at + stop, len(word) + 1)
            characters += [*zip(word, edges, edges[1:], strict=False), (" ", edges[-1], edges[-1])]
        characters[-1:] = [(".", *characters[-1][1:]), (" ", *characters[-1][1:])]
        audio += [samples, pause]
        at += (len(samples) + len(pause)) / rate
    args.out.mkdir(parents=True, exist_ok=True)
    soundfile.write(args.out / "speech.flac", np.concatenate(audio), rate)
    names = "characters", "character_start_times_seconds", "character_end_times_seconds"
    columns = zip(names, zip(*characters, strict=True), strict=True)
    content = {name: [one if name == names[0] else float(one) for one in v] for name, v in columns}
    (args.out / "speech_transcription.json").write_text(json.dumps(content), encoding="utf-8")
    print(f"{args.out}: {at / 60:.1f} minutes, {len(characters)} characters")


if __name__ == "__main__":
    main()
