"""A decoder of one pass, after FastPitch (Łańcucki, 2021): from tokens, their durations, pitch and
loudness to a mel.

It predicts the pitch of each frame first.  What harmonics of that pitch look like in a mel is
computed, and is an input of the layers that follow.  Critics of mel patches can sharpen what a
distance alone would smooth.

Shapes: B batch, H hidden channels, M mel bands, N tokens, S channels of a speaker, T frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ttskit.models.adversarial import Adversarial, Pair, windows
from ttskit.models.generator import GENERATORS, TINY, Generator, SourcedConfig, cut
from ttskit.networks.batch import Batch
from ttskit.networks.critics import PatchAdversary
from ttskit.networks.facts import Facts, Picture
from ttskit.settings import table

TRAINING = {
    "training.batch": 16,
    "training.optimizer": "adamw",
    "training.learning_rate": 1e-3,
    "training.schedule": "cosine",
    "training.warmup": 200,
    "training.clip_norm": 1.0,
    "adversary.weight": 0.2,
    "adversary.features": 1.0,
    "adversary.channels": 16,
}


@dataclass(frozen=True)
class FeedforwardConfig(SourcedConfig):
    adversary: PatchAdversary = table(PatchAdversary, "critics (discriminators)")


class Feedforward(Adversarial):
    """A decoder: from what its source says to a mel and its pitch."""

    role = "decoder"
    Config = FeedforwardConfig
    config: FeedforwardConfig
    generator: Generator
    presets = {"base": TRAINING, "tiny": {**TRAINING, **TINY}}  # noqa: RUF012

    def __init__(self, config: FeedforwardConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.generator = GENERATORS[config.source](config, facts)

    @classmethod
    def needs(cls, config: FeedforwardConfig) -> tuple[str, ...]:
        return (*cls.takes(config), "mel", "contour", "voiced", "speaker")

    @classmethod
    def takes(cls, config: FeedforwardConfig) -> tuple[str, ...]:
        return config.takes

    @classmethod
    def makes(cls, config: FeedforwardConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "f0", "voiced")

    def heard(self, batch: Batch) -> tuple[Tensor, Tensor]:
        states = cut(self.generator.states(batch), batch)
        mel = self.generator.mel(states, *self.generator.recorded(batch))
        return self._windows(batch, mel)

    def pair(self, batch: Batch, progress: float) -> Pair:  # noqa: ARG002
        generator = self.generator
        states = cut(generator.states(batch), batch)
        mel = generator.mel(states, *generator.recorded(batch))
        away = (mel - generator.scale(batch["mel"])).abs()
        terms = {"mel": batch.mean(away, "frame"), **generator.errors(batch, states)}
        return Pair(*self._windows(batch, mel), terms)

    def generate(
        self,
        batch: Batch,
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """Return mels (B, T, M), f0 (B, T) in Hz and voicing (B, T), 0 in the padding."""
        states = self.generator.states(batch)
        f0, voiced = self.generator.predicted(batch, states)
        real = states.mask[:, 0] > 0
        mel = self.generator.mel(states, f0, voiced.float())
        return {
            "mel": self.generator.scale.inverse(mel) * real[..., None],
            "f0": f0 * real,
            "voiced": voiced,
        }

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return errors of mel and pitch as they are generated, and pictures of an utterance."""
        return self.generator.watched(batch, self.generate(batch))

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        layers = self.config.layers * 8 * self.config.hidden
        return 4 * utterances * lengths["frame"] * (layers + 16 * self.facts.n_mels)

    def _windows(self, batch: Batch, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Return the normalised mels that critics see, recorded and predicted."""
        true = self.generator.scale(batch["mel"])
        if self.critics is None:
            return true, mel
        return windows(batch, self.config.adversary.frames, true, mel)
