"""Differences: in what an artifact was made otherwise than it would be made now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ttskit.settings import parsed

SHOWN = 5
DIGEST = 32  # characters of text from which on a value stands for a file or a program


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words what differs between two provenances: options by name, inputs; "" if nothing.

    >>> differences({"options": {"n_mels": 80}}, {"options": {"n_mels": 100}})
    'n_mels 80 -> 100'
    """
    old, new = (one.get("options", {}) for one in (before, now))
    if any(old.get(name) != new.get(name) for name in ("role", "family")):
        old, new = ({n: v for n, v in one.items() if n != "config"} for one in (old, new))
    leaves, others = dict(_leaves(old)), dict(_leaves(new))
    changes = []
    for name in dict.fromkeys([*others, *leaves]):
        was, is_now = leaves.get(name), others.get(name)
        if was != is_now:
            told = _telling(was) and _telling(is_now)
            changes.append(f"{name} {_shown(was)} -> {_shown(is_now)}" if told else f"other {name}")
    if before.get("inputs", []) != now.get("inputs", []):
        changes.append("other inputs")
    if before.get("stage") != now.get("stage"):
        changes.append(f"made by {before.get('stage')}")
    elif before.get("revision") != now.get("revision"):
        changes.append("by another ttskit")
    return ", ".join(changes[:SHOWN]) + (" ..." if len(changes) > SHOWN else "")


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _telling(value: Any) -> bool:
    """Whether a value says what it is; a digest, a list and a text do not."""
    return not isinstance(value, list) and len(str(value)) < DIGEST


def _leaves(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every option of nested tables by its dotted name, and every setting of a config."""
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        elif name == "config" and isinstance(value, str):
            yield from _of_config(value)
        else:
            yield prefix + name, value


def _of_config(text: str) -> Iterator[tuple[str, Any]]:
    try:
        yield from _leaves(parsed(text))
    except ValueError:
        yield "config", text
