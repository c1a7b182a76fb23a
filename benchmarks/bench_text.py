"""Time the text side against plain gruut on the same lines, in turns; count what was guessed.

    python benchmarks/bench_text.py

Reads the corpora in the folder that TTSKIT_CORPORA names (the texts of `kathleen/` are timed), and
otherwise times the sentences below.  Installs nothing and leaves out what is not installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from ttskit.text.spelling import Speller

ROUNDS = 5
SENTENCES = """\
Author of the danger trail, Philip Steels, etc.
For the twentieth time that evening the two men shook hands.
It cost $5.20 on March 14, 2015, at 4:05pm.
Dr. Smith lives at 12 King Dr. in St. Louis.
God bless them, I hope I shall go on seeing them forever.
""".splitlines()
FIRST = {
    "ours": "from ttskit.text.spelling import Speller\nSpeller('en-us').spell({line!r})",
    "peer": "import gruut\nlist(gruut.sentences({line!r}, lang='en-us'))",
}


def corpus(name: str) -> tuple[str, list[str]]:
    """Return the language and texts of one corpus; no texts where it is not there."""
    folder = Path(os.environ.get("TTSKIT_CORPORA", "/nonexistent")) / name
    language = {"nathalie": "nl", "kerstin": "de"}.get(name, "en")
    if not folder.is_dir() or find_spec(f"gruut_lang_{language}") is None:
        return language, []
    if name == "kathleen":
        return language, [path.read_text().strip() for path in sorted(folder.glob("*.txt"))]
    lines = (folder / "metadata.csv").read_text().splitlines()
    return language, [line.split("|")[1] for line in lines]


def first_line(which: str, line: str) -> float:
    """Return the seconds of a fresh interpreter that spells one line, the best of several."""
    command = [sys.executable, "-c", FIRST[which].format(line=line)]
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        subprocess.run(command, check=True)
        best = min(best, time.perf_counter() - begun)
    return best


def throughput(lines: list[str]) -> tuple[float, float]:
    """Return lines per second, ours and gruut's, warm, measured block by block in turns."""
    import gruut

    speller = Speller("en-us")
    for line in lines:  # both have their lexicon and words in memory
        speller.spell(line)
        list(gruut.sentences(line, lang="en-us"))
    spent = {"ours": 0.0, "peer": 0.0}
    for start in range(0, len(lines), 50):
        block = lines[start : start + 50]
        begun = time.perf_counter()
        for line in block:
            speller.spell(line)
        between = time.perf_counter()
        for line in block:
            list(gruut.sentences(line, lang="en-us"))
        spent["ours"] += between - begun
        spent["peer"] += time.perf_counter() - between
    return len(lines) / spent["ours"], len(lines) / spent["peer"]


def cold(lines: list[str]) -> tuple[float, float]:
    """Return lines per second from a fresh start, ours and gruut's, imports not counted."""
    import gruut
    from gruut.lang import get_settings  # noqa: F401  (loaded before the clock starts)

    begun = time.perf_counter()
    speller = Speller("en-us")
    for line in lines:
        speller.spell(line)
    between = time.perf_counter()
    for line in lines:
        list(gruut.sentences(line, lang="en-us"))
    return len(lines) / (between - begun), len(lines) / (time.perf_counter() - between)


def main() -> None:
    """Print the figures; the last line is the ratio."""
    for name in ("kathleen", "LJSpeech-1.1", "nathalie", "kerstin"):
        language, texts = corpus(name)
        if not texts:
            continue
        speller = Speller(language)
        spellings = [speller.spell(text) for text in texts]
        guessed = [w for s in spellings for w, g in zip(s.words, s.guessed, strict=True) if g]
        words, drops = sum(len(s.words) for s in spellings), sum(len(s.drops) for s in spellings)
        print(
            f"{name} ({language}): {len(texts)} texts, {words} words, "
            f"{words - len(guessed)} in the lexicon, {len(guessed)} guessed "
            f"({len(set(guessed))} different), {drops} dropped"
        )
    lines = corpus("kathleen")[1] or SENTENCES * 100
    ours, peer = first_line("ours", lines[0]), first_line("peer", lines[0])
    print(f"time to the first line: ours {ours:.3f} s, gruut {peer:.3f} s")
    ours, peer = cold(lines)
    print(
        f"from a cold start, {len(lines)} lines: ours {ours:.0f} lines/s, gruut {peer:.0f} lines/s"
    )
    ours, peer = throughput(lines)
    print(f"text: ratio {ours / peer:.1f} (ours {ours:.0f} lines/s, peer {peer:.0f} lines/s)")


if __name__ == "__main__":
    main()
