"""How the sessions differ in which the clips of a corpus were recorded: level, noise, ends, tempo.

    python benchmarks/sessions_corpus.py corpus.h5 [minutes]

Ids end with the second of the recording, as in `arctic_a0001_1592748574`; a session is over where
nothing was recorded for so many minutes (30).  Silence lies 30 dB below the loud parts of a clip.
"""

from __future__ import annotations

import sys

import numpy as np

import ttskit

HOP = 0.01  # seconds


def measured(audio: np.ndarray, rate: int, text: str) -> tuple[float, ...]:
    """Return level and noise, dBFS, silence at both ends, s, and letters a second of speech."""
    size = round(HOP * rate)
    frames = audio[: len(audio) // size * size].reshape(-1, size) / 32768
    power = np.square(frames).mean(1) + 1e-12
    levels = 10 * np.log10(power)
    spoken = np.flatnonzero(levels > np.percentile(levels, 95) - 30)
    first, last = spoken[0], spoken[-1] + 1
    letters = sum(map(str.isalnum, text)) / ((last - first) * HOP)
    ends = first * HOP, (len(levels) - last) * HOP
    return 10 * np.log10(power[first:last].mean()), np.percentile(levels, 5), *ends, letters


def main() -> None:
    corpus = ttskit.read(sys.argv[1])
    gap = 60 * float(sys.argv[2]) if len(sys.argv) > 2 else 1800
    times = np.array([int(id.rsplit("_", 1)[1]) for id in corpus.ids])
    order = np.argsort(times)
    rate = int(corpus.attributes["sample_rate"])
    records = [corpus.record(int(row)) for row in order]
    table = np.array([measured(one.audio, rate, one.text) for one in records])
    sessions = np.cumsum(np.diff(times[order], prepend=times[order[0]]) > gap)
    print("clips  level (deviation)  noise  start  end (95th)  letters/s")
    for session in np.unique(sessions):
        of = table[sessions == session]
        level, noise, start, end, letters = np.median(of, axis=0)
        print(
            f"{len(of):5d}  {level:6.1f} ({of[:, 0].std():.2f}) dBFS  {noise:6.1f}  {start:.2f} s"
            f"  {end:.2f} ({np.percentile(of[:, 3], 95):.2f}) s  {letters:.1f}"
        )


if __name__ == "__main__":
    main()
