"""Texts and what a good reader would say: one file a language, `class TAB written TAB read`.

Where several readings are good they stand side by side: `two point five | two and a half`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    """A text and its good readings."""

    kind: str
    written: str
    read: tuple[str, ...]


def cases(language: str) -> list[Case]:
    """Return the cases of one language."""
    lines = (Path(__file__).parent / f"{language}.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [Case(kind, written, tuple(read.split(" | "))) for kind, written, read in rows]


def right(said: str, case: Case) -> bool:
    """Whether a reading has the words of one that is good; case, marks and spaces do not matter."""
    return bare(said) in {bare(read) for read in case.read}


def bare(text: str) -> str:
    """Return the letters of a reading alone."""
    return "".join(re.findall(r"[\w']+", text.casefold().replace("’", "'")))


def shares(language: str, read: Callable[[str], str]) -> dict[str, tuple[int, int]]:
    """Return how many cases are right, of how many, by class."""
    known = cases(language)
    counts = Counter(case.kind for case in known)
    good = Counter(case.kind for case in known if right(read(case.written), case))
    return {kind: (good[kind], count) for kind, count in counts.items()}


def table(by_language: dict[str, dict[str, tuple[int, int]]]) -> str:
    """Return the shares of languages as a Markdown table: a row for each class, and the sum."""
    kinds = dict.fromkeys(kind for shares in by_language.values() for kind in shares)
    lines = [["class", *by_language], ["---"] * (len(by_language) + 1)]
    for kind in kinds:
        cells = (shares.get(kind) for shares in by_language.values())
        lines.append([kind, *(f"{cell[0]} of {cell[1]}" if cell else "" for cell in cells)])
    sums = [[sum(n) for n in zip(*shares.values(), strict=True)] for shares in by_language.values()]
    lines.append(["all", *(f"{good} of {count}, {good / count:.1%}" for good, count in sums)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
