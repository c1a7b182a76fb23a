"""Ids: what may name an utterance.  Apart from `record`, so that datasets need no numpy."""

from __future__ import annotations

from collections.abc import Collection

LONGEST_ID = 200  # bytes of UTF-8


def unfit_id(id: str) -> str:
    """Return why a text can't be an id, or "" if it can."""
    if not isinstance(id, str) or not id:
        return "an utterance has an empty id; needs a name"
    if not id.isprintable() or "/" in id or id in {".", ".."}:
        return f"id {id[:40]!r} has a slash or an unprintable character, or is . or .., as none may"
    if len(id.encode(errors="replace")) > LONGEST_ID:
        return f"id {id[:40]!r}... is longer than {LONGEST_ID} bytes"
    return ""


def unfit_among(ids: Collection[str]) -> str:
    """Return why one of many texts can't be an id, or "" if all can."""
    together = "".join(ids)
    plain = (
        together.isprintable()
        and "/" not in together
        and not any(one in ids for one in ("", ".", ".."))
    )
    if plain and 4 * max(map(len, ids), default=0) <= LONGEST_ID:  # bytes of a character, at most
        return ""
    return next(filter(None, map(unfit_id, ids)), "")
