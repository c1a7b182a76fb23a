"""Texts and what a good reader would say: one file a language, `class TAB written TAB read`.

Where several readings are good they stand side by side: `two point five | two and a half`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

LANGUAGES = ("en-us", "nl", "de-de")


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
    cases_ = cases(language)
    counts = Counter(case.kind for case in cases_)
    good = Counter(case.kind for case in cases_ if right(read(case.written), case))
    return {kind: (good[kind], count) for kind, count in counts.items()}
