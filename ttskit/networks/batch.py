"""Batches: utterances padded to one length, with masks and means that ignore the padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp.rounding import room
from ttskit.networks.fields import FIELDS


@dataclass(frozen=True)
class Batch:
    """Utterances padded together.

    `batch["mel"]` is (B, T, 80), `batch["tokens"]` (B, N), `batch["speaker"]` (B,);
    `lengths["frame"]` is (B,).  Sums over an axis are divided by `counts`, which the trainer sets
    to the count of the whole update, over all its batches and processes: so gradients do not
    depend on how an update is cut into batches.
    """

    ids: tuple[str, ...]
    fields: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor]
    counts: Mapping[str, float] = field(default_factory=dict)
    stepped: bool = False  # whether padded lengths are steps, of which there are few (`room`)

    def __getitem__(self, name: str) -> Tensor:
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def __len__(self) -> int:
        return len(self.ids)

    def mask(self, axis: str) -> Tensor:
        """Return the mask of an axis, (B, longest) bool: False in the padding."""
        lengths = self.lengths[axis]
        longest = max(
            (v.shape[1] for name, v in self.fields.items() if axis_of(name) == axis),
            default=int(lengths.max()),
        )
        return torch.arange(longest, device=lengths.device) < lengths[:, None]

    def longest(self, lengths: Tensor) -> int:
        """Return to how many places sequences of these lengths (B,) are to be padded."""
        longest = int(lengths.max())
        return room(longest) if self.stepped else longest

    def mean(self, values: Tensor, axis: str = "utterance") -> Tensor:
        """Return the mean of values (B, L, ...) along an axis, without the padding.

        By default it is the mean of values (B, ...) over utterances.
        """
        if axis == "utterance":
            per = values.flatten(1).mean(1) if values.dim() > 1 else values
            return per.sum() / self.count(axis)
        per = values.flatten(2).mean(2) if values.dim() > 2 else values
        return torch.where(self.mask(axis), per, 0).sum() / self.count(axis)

    def filled(self, axis: str) -> Tensor:
        """Return the share of each utterance that is not padding, (B,)."""
        return self.mask(axis).float().mean(1)

    def count(self, axis: str) -> float:
        """Return the count by which sums over an axis are divided."""
        if axis in self.counts:
            return self.counts[axis]
        return float(len(self)) if axis == "utterance" else float(self.lengths[axis].sum())

    def own_counts(self) -> dict[str, float]:
        """Return the counts of this batch alone."""
        lengths = {axis: float(value.sum()) for axis, value in self.lengths.items()}
        return {"utterance": float(len(self)), **lengths}

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        return replace(
            self,
            fields={name: value.to(device) for name, value in self.fields.items()},
            lengths={name: value.to(device) for name, value in self.lengths.items()},
        )

    def with_fields(self, **fields: Tensor) -> Batch:
        """Return the batch with fields added or replaced; their axes are those of `FIELDS`."""
        return replace(self, fields={**self.fields, **fields})

    def only(self, row: int) -> Batch:
        """Return one utterance as a batch without padding."""
        lengths = {axis: value[row : row + 1] for axis, value in self.lengths.items()}
        fields = {}
        for name, value in self.fields.items():
            one, axis = value[row : row + 1], axis_of(name)
            fields[name] = one[:, : int(lengths[axis])] if axis else one
        return Batch(self.ids[row : row + 1], fields, lengths)


def collate(
    ids: Sequence[str], items: Sequence[Mapping[str, np.ndarray]], stepped: bool = False
) -> Batch:
    """Pad utterances, each as arrays by field name, with zeros to the longest, or its `room`."""
    fields, lengths = {}, {}
    for name in items[0]:
        values = [np.asarray(item[name]) for item in items]
        axis = axis_of(name)
        if not axis:
            fields[name] = _tensor(np.stack(values))
            continue
        sizes = np.array([len(value) for value in values])
        longest = room(int(sizes.max())) if stepped else sizes.max()
        padded = _tensor(np.zeros((len(values), longest, *values[0].shape[1:]), values[0].dtype))
        for row, value in zip(padded.numpy(), values, strict=True):
            row[: len(value)] = value
        fields[name] = padded
        lengths[axis] = torch.from_numpy(sizes)
    return Batch(tuple(ids), fields, lengths, stepped=stepped)


def _tensor(values: np.ndarray) -> Tensor:
    """Numbers as torch wants them: indices long, all else float32.

    In memory of torch's own: the kernels of some libraries round by how their input is aligned.
    """
    kind = torch.long if values.dtype.kind in "iu" else torch.float32
    return torch.tensor(values, dtype=torch.bool if values.dtype.kind == "b" else kind)


def axis_of(name: str) -> str:
    """Return the ragged axis that comes first in a field; none: one value an utterance."""
    return FIELDS[name].axis if name in FIELDS else ""
