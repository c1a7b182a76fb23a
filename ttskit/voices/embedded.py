"""The voices that come with ttskit."""

from __future__ import annotations

from pathlib import Path

from ttskit import wording
from ttskit.errors import TtskitError

FOLDER = Path(__file__).parent


def voices() -> dict[str, Path]:
    """Return the embedded voices by name; the first is the usual one."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.h5"))}


def find(name: str | None) -> Path:
    """Return the file of a voice: it may be an embedded one, and is the usual one without name."""
    known = voices()
    if name is None and known:
        return next(iter(known.values()))
    if name is None:
        raise TtskitError("no voice comes with this ttskit: name a file with --voice")
    if wording.url(name):
        return Path(name)
    if name not in known and not Path(name).exists():
        there = ", ".join(known) or "none"
        raise TtskitError(f"{name}: no such file, nor an embedded voice; there is {there}")
    return Path(name) if Path(name).exists() else known[name]
