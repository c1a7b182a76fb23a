"""A flat alignment as the prior of another one: which token a frame is near to.

It is by one Gaussian per symbol (`dsp.flatstart`), so it needs no training and stays on its way
through long utterances and pauses, where an even tempo does not.

Shapes: B batch, T frames, N tokens, K symbols, M mel bands.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ttskit.dsp import flatstart
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts
from ttskit.networks.layers import likeliest

ROUNDS = 12  # of search and fit


class FlatPrior(nn.Module):
    """One Gaussian per symbol, stored with the weights, and a prior around the alignment by it."""

    mean: Tensor  # (K, M)
    variance: Tensor
    silent: Tensor

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        size = len(facts.symbols), facts.n_mels
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))
        self.register_buffer("silent", torch.tensor(facts.silent, dtype=torch.bool), False)

    def fit(self, batch: Batch) -> None:
        """Fit the Gaussians to utterances."""
        for found, _ in flatstart.fit(utterances(batch), self.silent.cpu().numpy(), ROUNDS):
            gaussians = found
        self.mean.copy_(torch.from_numpy(gaussians.mean))
        self.variance.copy_(torch.from_numpy(gaussians.variance))

    def durations(self, batch: Batch) -> Tensor:
        """Return the frames of each token in the likeliest alignment, (B, N)."""
        gaussians = flatstart.Gaussians(
            *(value.cpu().double().numpy() for value in (self.mean, self.variance))
        )
        scores = torch.zeros(len(batch), batch["mel"].shape[1], batch["tokens"].shape[1])
        for row, (_, mel, tokens) in zip(scores, utterances(batch), strict=True):
            row[: len(mel), : len(tokens)] = torch.from_numpy(gaussians.scores(mel, tokens))
        return likeliest(scores, batch, batch.lengths["frame"], self.silent)

    def forward(self, batch: Batch, width: float) -> Tensor:
        """Return minus the frames between a frame and a token, in units of `width`, (B, T, N)."""
        durations = self.durations(batch)
        ends = durations.cumsum(1)[:, None]
        starts = ends - durations[:, None]
        at = torch.arange(batch["mel"].shape[1], device=ends.device)[:, None]
        return -torch.maximum(starts - at, at - ends + 1).clamp_min(0) / width


def utterances(batch: Batch) -> list[flatstart.Utterance]:
    """Return id, mel (T, M) and tokens (N,) of each utterance; 0 stands for what is not finite."""
    mels = batch["mel"].nan_to_num(0, 0, 0).cpu().numpy()
    tokens = batch["tokens"].cpu().numpy()
    frames, counts = batch.lengths["frame"].tolist(), batch.lengths["token"].tolist()
    each = enumerate(zip(batch.ids, frames, counts, strict=True))
    return [(id, mels[b, :length], tokens[b, :count]) for b, (id, length, count) in each]
