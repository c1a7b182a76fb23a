"""Whether takes come back byte for byte, and whether corrupted codes are refused in one line.

    python benchmarks/takes_again.py DURATION.h5 DDN.h5 CARD.md [TAKES] [CODES]

A voice is packed; it speaks TAKES takes (100), and another process speaks each again by its code,
with the voice packed anew.  `decode` makes as many takes, and makes them again with two processes.
CODES codes (1,000) are corrupted at random and spoken.
"""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import ttskit

TEXT = "Well, who knows?"
TEXTS = 10  # of `decode`
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/ .="


def command(*words: object) -> str:
    """Run a verb in a process of its own, and return what it prints."""
    line = [sys.executable, "-m", "ttskit", "-q", *map(str, words)]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


def packed(path: Path, duration: str, decoder: str, card: str) -> Path:
    """Pack a voice, and return its file."""
    command("voice", "pack", duration, decoder, "source", "--card", card, "-o", path)
    return path


def spoken_again(voice: Path, rows: list[tuple[str, str]]) -> int:
    """Speak takes (file, code) again, in the process of whoever calls, and count equal files."""
    from typer.testing import CliRunner

    from ttskit.cli import app

    again, same = voice.parent / "again.wav", 0
    for path, code in rows:
        words = ["say", TEXT, "--voice", str(voice), "--take", code, "-o", str(again), "--restart"]
        result = CliRunner().invoke(app, words)
        if result.exception:
            raise result.exception
        same += again.read_bytes() == Path(path).read_bytes()
    return same


def decoded_again(folder: Path, duration: str, decoder: str, takes: int) -> int:
    """Make takes of texts by `decode`, and make them again; count the equal ones."""
    texts = folder / "texts.tsv"
    texts.write_text("".join(f"{n}\tThis is text number {n}.\n" for n in range(TEXTS)))
    words = ["decode", texts, "--duration", duration, "--decoder", decoder]
    command(*words, "--takes", takes // TEXTS, "-j", 1, "-o", folder / "take-{n}.h5")
    same = 0
    for number in range(1, takes // TEXTS + 1):
        path, again = folder / f"take-{number}.h5", folder / f"again-{number}.h5"
        command(*words, "--take", path, "-j", 2, "--seed", 7, "-o", again)
        one, other = ttskit.read(path), ttskit.read(again)
        same += sum(
            one[id].mel.tobytes() == other[id].mel.tobytes()
            and one[id].take.tobytes() == other[id].take.tobytes()
            for id in one.ids
        )
    return same


def corrupted(code: str, rng: random.Random) -> str:
    """Return a code with characters changed, taken out, put in or moved, or cut off."""
    at, length = rng.randrange(len(code)), rng.randint(1, 8)
    noise = "".join(rng.choices(ALPHABET, k=length))
    kinds = [
        code[:at] + noise + code[at + length :],
        code[:at] + code[at + length :],
        code[:at] + noise + code[at:],
        code[at:] + code[:at],
        code[:at],
        code[:at] + code[at:].swapcase(),
    ]
    return rng.choice(kinds)


def refused(voice: Path, codes: list[str], count: int) -> tuple[int, int]:
    """Return how many corrupted codes were spoken, and how many were refused in one line."""
    rng, speaker, tried, lines = random.Random(0), ttskit.Voice(voice), 0, 0
    while tried < count:
        code = rng.choice(codes)
        bad = corrupted(code, rng)
        if bad.strip() in ("", code):
            continue
        tried += 1
        try:
            speaker.say(TEXT, take=bad)
        except ttskit.TtskitError as error:
            lines += "\n" not in str(error) and len(str(error)) < 200
    return tried, lines


def main() -> None:
    duration, decoder, card = sys.argv[1:4]
    takes, count = (int(word) for word in (*sys.argv[4:], "100", "1000")[:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        voice = packed(folder / "voice.h5", duration, decoder, card)
        words = ["say", TEXT, "--voice", voice, "--takes", takes]
        printed = command(*words, "-o", folder / "take-{n}.wav").splitlines()
        rows = [(path, code) for path, code in (line.split("\t") for line in printed)]
        anew = packed(folder / "anew.h5", duration, decoder, card)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            same = pool.apply(spoken_again, (anew, rows))
        print(f"say: {len({code for _, code in rows})} codes, {same} of {takes} takes the same")
        same = decoded_again(folder, duration, decoder, takes)
        print(f"decode --take -j 2: {same} of {takes} takes the same")
        tried, lines = refused(voice, [code for _, code in rows], count)
        print(f"corrupted codes: {lines} of {tried} refused in one line")


if __name__ == "__main__":
    main()
