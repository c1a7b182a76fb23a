"""The attention aligner (Badlani et al., 2021, One TTS Alignment To Rule Them All).

Tokens and frames are encoded into one space; the smaller their distance, the higher the
probability that they are aligned.  The loss is the summed likelihood of all monotonic alignments,
and later also the cross-entropy of the soft alignment with the best of them.  A prior keeps near an
alignment by one Gaussian per symbol, or near the diagonal.

Shapes: B batch, T frames, N tokens, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ttskit.dsp import mas
from ttskit.dsp.forwardsum import forward_sum
from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.flat import FlatPrior
from ttskit.networks.layers import Scale, likeliest
from ttskit.settings import key

NEVER = -1e4  # log-probability of a token that is padding


class Attention(Family):
    """From tokens and mel to log-probabilities of tokens at every frame."""

    role = "aligner"
    silent: Tensor

    @dataclass(frozen=True)
    class Config:
        """Sizes of the encoders, and the loss."""

        embedding: int = key(128, "channels of a token's embedding", least=1)
        hidden: int = key(128, "channels inside the encoders of tokens and frames", least=1)
        space: int = key(
            80, "channels of the space in which tokens and frames are compared", least=1
        )
        context: int = key(
            5, "tokens that the encoding of a token depends on, odd", least=1, odd=True
        )
        context_from: float = key(0.3, "share of the training after which context is used", least=0)
        frame_kernel: int = key(
            5, "width of the first convolution over frames, odd", least=1, odd=True
        )
        temperature: float = key(0.1, "factor from squared distance to log-probability", least=0)
        band: float = key(
            0.0,
            "frames from a token of the flat alignment over which the prior falls by e; 0 for a "
            "prior around the diagonal",
            least=0,
        )
        prior: float = key(
            1.0, "narrowness of the beta-binomial prior around the diagonal; 0 for none", least=0
        )
        sharpen: float = key(
            0.5, "share of the training after which the sharpness loss is added", least=0
        )
        sharpness: float = key(1.0, "weight of the sharpness loss", least=0)

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "base": {"band": 8.0, "training.learning_rate": 1e-3},
        "tiny": {"band": 8.0, "embedding": 64, "hidden": 96, "training.learning_rate": 1e-3},
    }
    beginning = 100_000

    def __init__(self, config: Config, facts: Facts) -> None:
        super().__init__(config, facts)
        self.scale = Scale(facts.statistics, "mel", facts.n_mels)
        self.register_buffer("silent", torch.tensor(facts.silent, dtype=torch.bool), False)
        self.flat = FlatPrior(facts) if config.band else None
        self.embed = nn.Embedding(max(1, len(facts.symbols)), config.embedding)
        self.of_tokens = encoder(config.embedding, config.hidden, config.space, 1)
        self.of_context = encoder(config.embedding, config.hidden, config.space, config.context)
        for parameter in self.of_context[-1].parameters():
            nn.init.zeros_(parameter)
        self.of_frames = nn.Sequential(
            nn.Conv1d(
                facts.n_mels,
                2 * config.hidden,
                config.frame_kernel,
                padding=config.frame_kernel // 2,
            ),
            nn.ReLU(),
            nn.Conv1d(2 * config.hidden, config.hidden, 1),
            nn.ReLU(),
            nn.Conv1d(config.hidden, config.space, 1),
        )

    @classmethod
    def takes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("tokens", "mel")

    @classmethod
    def makes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("durations",)

    @classmethod
    def needs(cls, config: Config) -> tuple[str, ...]:  # noqa: ARG003
        return ("tokens", "mel")

    def forward(self, batch: Batch, context: bool = True) -> Tensor:
        """Return log-probabilities of tokens at every frame, (B, T, N)."""
        mel = self.scale(batch["mel"]) * batch.mask("frame")[..., None]
        tokens = self.embed(batch["tokens"]) * batch.mask("token")[..., None]
        frames = self.of_frames(mel.mT).mT  # (B, T, C)
        keys = self.of_tokens(tokens.mT)  # (B, C, N)
        if context:
            keys = keys + self.of_context(tokens.mT)
        with torch.autocast(frames.device.type, enabled=False):  # distances need float32
            nearness = self.nearness(frames.float(), keys.float())
            nearness = nearness.masked_fill(~batch.mask("token")[:, None], NEVER)
            scores = nearness.log_softmax(2)
            if self.flat or self.config.prior:
                scores = scores + self.prior(batch)
            return scores

    def nearness(self, frames: Tensor, keys: Tensor) -> Tensor:
        """frames (B, T, C) and keys (B, C, N) -> how near they are, (B, T, N), at most 0."""
        across = frames.square().sum(2, keepdim=True) + keys.square().sum(1, keepdim=True)
        return -self.config.temperature * (across - 2 * frames @ keys)

    def alone(self, mel: Tensor) -> Tensor:
        """mel (T, M) -> log-probabilities of symbols at every frame, without neighbours, (T, K)."""
        frames = self.of_frames(self.scale(mel).mT[None]).mT
        keys = self.of_tokens(self.embed.weight.mT[None])
        nearness = self.nearness(frames, keys)[0]
        if self.facts.heard:
            never = torch.tensor(self.facts.heard, device=mel.device) == 0
            nearness = nearness.masked_fill(never, NEVER)
        return nearness.log_softmax(1)

    def prior(self, batch: Batch) -> Tensor:
        """Return the log-probability of tokens at every frame by position alone, (B, T, N)."""
        if self.flat:
            prior: Tensor = self.flat(batch, self.config.band)
        else:
            tokens, frames = batch.lengths["token"], batch.lengths["frame"]
            prior = beta_binomial(tokens, frames, self.config.prior)
        return prior.masked_fill(~batch.mask("token")[:, None], NEVER)

    def initialise(self, batch: Batch) -> None:
        if self.flat:
            self.flat.fit(batch)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        scores = self(batch, progress >= self.config.context_from)
        skippable = self.skippable(batch)
        lengths = batch.lengths["token"], batch.lengths["frame"]
        log_likelihood: Tensor = _ForwardSum.apply(scores, *lengths, skippable)  # type: ignore[no-untyped-call]
        terms = {"forward_sum": -log_likelihood.sum() / batch.count("frame")}
        if progress >= self.config.sharpen and self.config.sharpness:
            best = self.path(batch, scores)
            soft = scores.log_softmax(2)
            chosen = soft.masked_fill(~best, 0).sum(2)  # (B, T)
            terms["sharpness"] = -self.config.sharpness * batch.mean(chosen, "frame")
        return terms

    def generate(
        self,
        batch: Batch,
        generator: torch.Generator | None = None,  # noqa: ARG002 (nothing is random)
        **knobs: float,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        return {"scores": self(batch)}

    def scores(self, batch: Batch) -> Tensor:
        return self(batch)

    def skippable(self, batch: Batch) -> Tensor:
        """Return which tokens may have 0 frames, (B, N) bool."""
        return self.silent[batch["tokens"]] & batch.mask("token")

    def path(self, batch: Batch, scores: Tensor) -> Tensor:
        """Return the best monotonic alignment, (B, T, N) bool."""
        frames = batch.lengths["frame"]
        durations = likeliest(scores.detach(), batch, frames, self.silent)
        path = mas.path(durations.cpu().numpy(), scores.shape[1])
        return torch.from_numpy(path).to(scores.device)

    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        one = batch.only(0)
        soft = self(one)[0].softmax(1)  # (T, N)
        picture = Picture(soft.T.cpu().numpy(), f"frame of {batch.ids[0]}", "token")
        return {"certainty": float(soft.max(1).values.mean())}, {"alignment": picture}

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        return 9 * 4 * utterances * lengths["frame"] * lengths["token"]


class _ForwardSum(torch.autograd.Function):
    """`dsp.forwardsum` with its gradient."""

    @staticmethod
    def forward(
        context: Any, scores: Tensor, tokens: Tensor, frames: Tensor, skippable: Tensor
    ) -> Tensor:
        arrays = [value.detach().cpu().numpy() for value in (scores, tokens, frames, skippable)]
        total, visits = forward_sum(*arrays)
        context.save_for_backward(torch.tensor(visits, device=scores.device))
        sums = torch.tensor(total, device=scores.device, dtype=torch.float32)
        sums = sums.masked_fill(sums == -torch.inf, 0)  # more tokens than frames
        return sums.masked_fill(scores.isnan().flatten(1).any(1), torch.nan)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (visits,) = context.saved_tensors
        return gradients[0][:, None, None] * visits, None, None, None


def encoder(inputs: int, hidden: int, outputs: int, kernel: int) -> nn.Sequential:
    """Return two convolutions that keep the length, of widths `kernel` and 1."""
    return nn.Sequential(
        nn.Conv1d(inputs, 2 * hidden, kernel, padding=kernel // 2),
        nn.ReLU(),
        nn.Conv1d(2 * hidden, outputs, 1),
    )


def beta_binomial(tokens: Tensor, frames: Tensor, width: float) -> Tensor:
    """Return the log of a beta-binomial distribution over tokens at every frame, (B, T, N).

    At frame j of T, from 1: n = N - 1, alpha = width * j, beta = width * (T + 1 - j).
    """
    device = tokens.device
    j = torch.arange(1, int(frames.max()) + 1, device=device, dtype=torch.float32)[:, None]
    k = torch.arange(int(tokens.max()), device=device, dtype=torch.float32)
    last, back = (tokens - 1.0)[:, None, None], (frames + 1.0)[:, None, None] - j  # (B, T, 1)
    alpha, beta = width * j, width * back.clamp_min(1)
    rest = (last - k).clamp_min(0)
    choose = torch.lgamma(last + 1) - torch.lgamma(k + 1) - torch.lgamma(rest + 1)  # (B, 1, N)
    # one table of lgamma(k + alpha) serves all utterances, and mirrored the other end
    table = torch.lgamma(k + alpha)  # (T, N)
    at = (back.clamp_min(1).long() - 1, rest.long())
    both = torch.lgamma(alpha + beta) - torch.lgamma(alpha) - torch.lgamma(beta)  # (B, T, 1)
    return choose + table + table[at] + both - torch.lgamma(last + alpha + beta)
