"""How a training begins from a model that is trained already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ttskit import progress, wording
from ttskit.errors import ArtifactError
from ttskit.text.likeness import alike

if TYPE_CHECKING:
    from ttskit.models.family import Family
    from ttskit.networks.facts import Facts
    from ttskit.voices.model import Model

MIDDLE = "middle"  # the buffer of the median pitch of each speaker: of the data, nothing learnt


def begin_from(start: Model, module: Family) -> None:
    """Copy the weights of a trained model that fit, and report those that do not.

    Rows of weights that stand for symbols go by symbol: one that the model did not know begins as
    the symbol that sounds most like it.  The pitch of the speakers is that of the data.
    """
    if start.facts.n_mels != module.facts.n_mels:
        raise ArtifactError(
            f"{start.name}: has {start.facts.n_mels} mel bands, the data {module.facts.n_mels}"
        )
    rows, spelt = _rows(start.facts, module.facts), _embeddings(module)
    own, fits = module.state_dict(), dict[str, Tensor]()
    for name, weight in start.weights().items():
        if name.rpartition(".")[2] == MIDDLE:
            continue
        taken = _moved(weight, own[name], rows) if rows and name in spelt else weight
        if name in own and own[name].shape == taken.shape:
            fits[name] = taken
    with torch.no_grad():
        module.load_state_dict(fits, strict=False)
    new = sorted(own.keys() - fits.keys())
    shown = f"; new are {', '.join(new[:4])}{' ...' if len(new) > 4 else ''}" if new else ""
    progress.note(f"{start.name}: {len(fits)} of {len(own)} tensors taken over{shown}")


def _rows(start: Facts, wanted: Facts) -> dict[int, int]:
    """Return which row each wanted symbol begins from, if the tables of symbols differ."""
    if start.symbols == wanted.symbols or not start.symbols:
        return {}
    near = alike(wanted.symbols, start.symbols)
    new = [symbol for symbol, other in near.items() if symbol != other]
    if new:
        shown = ", ".join(f"{symbol} as {near[symbol]}" for symbol in new[:6])
        progress.note(
            f"{wording.count(len(new), 'symbol')} of {len(wanted.symbols)} are new to it and begin "
            f"as the nearest: {shown}{' ...' if len(new) > 6 else ''}"
        )
    return {wanted.symbols.index(one): start.symbols.index(other) for one, other in near.items()}


def _embeddings(module: Family) -> set[str]:
    """Return the names of the weights that have a row for each symbol."""
    count = len(module.facts.symbols)
    return {
        f"{name}.weight"
        for name, part in module.named_modules()
        if isinstance(part, nn.Embedding) and part.num_embeddings == count
    }


def _moved(weight: Tensor, own: Tensor, rows: dict[int, int]) -> Tensor:
    """Return initial weights `own` with the rows that trained ones have for them."""
    if weight.shape[1:] != own.shape[1:]:
        return weight
    moved = own.clone()
    moved[list(rows)] = weight[list(rows.values())]
    return moved
