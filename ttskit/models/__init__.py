"""Model families: one file each, and one line each in `FAMILIES`.

A stage knows a model only by `Family`; a new family is a new file and a new line.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import TYPE_CHECKING

from ttskit.errors import SettingError

if TYPE_CHECKING:
    from ttskit.models.family import Family

# role -> family -> its class, in the file of its name; the first is the default
FAMILIES: dict[str, dict[str, str]] = {
    "aligner": {"attention": "Attention"},
    "duration": {"plain": "Plain", "film": "Film"},
    "decoder": {"glow": "Glow"},
    "vocoder": {
        "istft": "Istft",
        "ddsp": "Ddsp",
        "hifigan": "Hifigan",
        "bigvgan": "Bigvgan",
        "griffinlim": "Griffinlim",
    },
}


def find(name: str, role: str | None = None) -> type[Family]:
    """Return the class of a family by its name, and check that it can play a role."""
    known = {name: role for role, families in FAMILIES.items() for name in families}
    if name not in known or role not in (None, known[name]):
        fits = list(FAMILIES[role] if role else known)
        near = difflib.get_close_matches(name, fits, 1)
        told = f"nearest: {near[0]}" if near else f"there is {', '.join(fits)}"
        raise SettingError(f"no {role or 'model'} family {name!r}; {told}")
    found: type[Family] = getattr(import_module(f"{__name__}.{name}"), FAMILIES[known[name]][name])
    return found
