"""Model families: one file each, and one line each in `FAMILIES`.

A stage knows a model only by `Family`; a new family is a new file and a new line.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

from ttskit.errors import SettingError

if TYPE_CHECKING:
    from ttskit.models.family import Family

# role -> family -> its class, in the file of its name; the first is the default
FAMILIES: dict[str, dict[str, str]] = {
    "aligner": {"attention": "Attention"},
    "duration": {"plain": "Plain", "film": "Film"},
    "decoder": {
        "feedforward": "Feedforward",
        "glow": "Glow",
        "diffusion": "Diffusion",
        "ddn": "Ddn",
    },
    "ranker": {"clvp": "Clvp"},
    "coder": {"autoregressive": "Autoregressive", "mamba": "Mamba"},
    "codec": {
        "rvq": "Rvq",
        "fsq": "Fsq",
        "vq": "Vq",
        "dac": "Dac",
        "encodec": "Encodec",
        "snac": "Snac",
    },
    "vocoder": {
        "istft": "Istft",
        "ddsp": "Ddsp",
        "shaped": "Shaped",
        "hifigan": "Hifigan",
        "bigvgan": "Bigvgan",
        "griffinlim": "Griffinlim",
        "source": "Source",
    },
}


def role_of(name: str) -> str:
    """Return the role of a family, or nothing where there is no such family."""
    return next((role for role, families in FAMILIES.items() if name in families), "")


def find(name: str, role: str | None = None) -> type[Family]:
    """Return the class of a family by its name, and check that it can play a role."""
    if role is not None and role not in FAMILIES:
        raise SettingError(f"no role {role!r}; there is {', '.join(FAMILIES)}")
    known = role_of(name)
    if not known or role not in (None, known):
        fits = list(FAMILIES[role]) if role else [*chain.from_iterable(FAMILIES.values())]
        near = difflib.get_close_matches(name, fits, 1)
        hint = f"nearest: {near[0]}" if near else f"there is {', '.join(fits)}"
        raise SettingError(f"no {role or 'model'} family {name!r}; {hint}")
    family: type[Family] = getattr(import_module(f"{__name__}.{name}"), FAMILIES[known][name])
    return family
