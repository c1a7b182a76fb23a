"""A duration model with a style and a confidence for each duration.

The style is a vector of the speaker, to which the statistics of a reference mel may be added; it
modulates the layers of the predictor by FiLM (Perez et al., 2018).  The variance of the logarithm
of each duration is learned as well (Kendall and Gal, 2017); a small one means high confidence.
Its loss has no gradient for the states that it reads, so durations are learned as without it.

Shapes: B batch, C mel channels, H hidden channels, N tokens, S channels of a style, T frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ttskit.models.plain import Plain, PlainConfig
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts
from ttskit.networks.layers import Scale
from ttskit.networks.predictor import Predictor
from ttskit.settings import key

LEAST_VARIANCE = 1e-3


@dataclass(frozen=True)
class FilmConfig(PlainConfig):
    reference: bool = key(
        False, "add the style of a reference mel; in training that of the utterance itself"
    )


class Film(Plain):
    """A duration model: from tokens and a style to durations and confidences."""

    Config = FilmConfig
    config: FilmConfig

    def __init__(self, config: FilmConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.variance = nn.Conv1d(config.predictor.hidden, 1, 1)
        self.reference = Reference(facts, config.speaker_channels) if config.reference else None

    @classmethod
    def needs(cls, config: PlainConfig) -> tuple[str, ...]:
        reads_mel = isinstance(config, FilmConfig) and config.reference
        return (*super().needs(config), *(("mel",) if reads_mel else ()))

    @classmethod
    def styled(cls, config: PlainConfig) -> bool:
        return isinstance(config, FilmConfig) and config.reference

    @classmethod
    def makes(cls, config: PlainConfig) -> tuple[str, ...]:
        return (*super().makes(config), "confidence")

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002
        states = self._states(batch)
        errors = self._errors(states, batch)
        variance = self._variance(states)
        likelihood = -(errors[:, 0].detach() / variance + variance.log()) / 2  # (B, N)
        confidence = -batch.mean(likelihood, "token")
        return {**self._terms(states, errors, batch), "confidence": confidence}

    def generate(
        self,
        batch: Batch,
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        states = self._states(batch)
        confidence = (-self._variance(states)).exp() * batch.mask("token")
        return {**self._predictions(states, batch), "confidence": confidence}

    def _predictor(self) -> Predictor:
        config = self.config
        return Predictor(config.predictor, config.encoder.hidden, config.speaker_channels)

    def _states(self, batch: Batch) -> Tensor:
        mask = batch.mask("token")
        style = self.speakers(batch)  # (B, S)
        if self.reference is not None:
            for name, axis in (("style", "style"), ("mel", "frame")):
                if name in batch:
                    style = style + self.reference(batch[name], batch.mask(axis))
                    break
        return self.predictor(self.encoder(batch["tokens"], mask), mask[:, None], style)

    def _variance(self, states: Tensor) -> Tensor:
        """Return the variance of the logarithm of each duration, (B, N)."""
        return LEAST_VARIANCE + self.variance(states.detach()).float()[:, 0].exp()


class Reference(nn.Module):
    """The style of a mel, from mean and deviation of its channels.

    In training it is left out half of the time, so that the model works without it too.
    """

    def __init__(self, facts: Facts, channels: int) -> None:
        super().__init__()
        self.scale = Scale(facts.statistics, "mel", facts.n_mels)
        self.style = nn.Linear(2 * facts.n_mels, channels)

    def forward(self, mel: Tensor, mask: Tensor) -> Tensor:
        """Return the style (B, S) of mels (B, T, C), with their mask (B, T) bool."""
        real = mask[..., None].float()  # (B, T, 1)
        mel, frames = self.scale(mel), real.sum(1)
        mean = (mel * real).sum(1) / frames  # (B, C)
        variance = ((mel - mean[:, None]).square() * real).sum(1) / frames
        style = self.style(torch.cat([mean, (variance + 1e-5).sqrt()], 1))
        if self.training:
            style = style * torch.randint(2, (len(style), 1), device=style.device)
        return style
