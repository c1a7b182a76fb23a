"""What messages say of things: counts, durations and rates in words, and addresses.

The address of a remote file, `s3://bucket/mel.h5` and the like, may be a path, which keeps one
slash of the two after the scheme.
"""

from __future__ import annotations

import re
from pathlib import Path

_REMOTE = re.compile(r"([a-z][a-z0-9+.-]+):/+(?=[^/])")


def count(number: int, noun: str) -> str:
    """Return a count with its noun: 1 utterance, 2 utterances."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clock(seconds: float) -> str:
    """Return a duration in words: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def pace(rate: float) -> str:
    """Return a rate per second, or the duration of one item if that is long."""
    return f"{rate:.1f}/s" if rate >= 0.1 else f"{clock(1 / rate)} each" if rate else ""


def url(path: object) -> str:
    """Return the address that a path is, and an empty one for a path of this machine.

    >>> url(Path("s3://bucket/mel.h5")), url(Path("mel.h5"))
    ('s3://bucket/mel.h5', '')
    """
    remote = _REMOTE.match(text := str(path))
    if not remote:
        return ""
    slashes = ":///" if remote[1] == "file" else "://"
    return remote[1] + slashes + text[remote.end() :]


def shown(path: object) -> str:
    """Return a path or an address as messages show it."""
    return url(path) or str(path)


def workplace(path: Path) -> Path:
    """Return the path beside which unfinished work for an output lies.

    Of a remote output it is one of its name in the current folder.
    """
    return Path(path.name) if url(path) else path


def absolute(path: Path) -> Path:
    """Return a path that means the same in every folder."""
    return path if url(path) else path.absolute()
