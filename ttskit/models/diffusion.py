"""A decoder that refines a coarse mel by diffusion, after Grad-TTS (Popov et al., 2021) and
Matcha-TTS (Mehta et al., 2024).

The decoder of one pass predicts pitch and a coarse mel.  What the recorded mel has beyond it is
generated from noise in a few steps, by flow matching or by denoising diffusion.  The refinement has
no gradient for the coarse mel, so `train --init` may begin from a trained `feedforward`.

Shapes: B batch, H channels (of the denoiser, of the states of a frame), M mel bands, T frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ttskit.models.family import Family
from ttskit.models.generator import GENERATORS, TINY, RefinedConfig, SourcedConfig, cut
from ttskit.networks.batch import Batch
from ttskit.networks.denoiser import Denoiser, DenoiserConfig
from ttskit.networks.denoising import OBJECTIVES, Network, guided
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import noise_like
from ttskit.settings import key, table

TRIED = (0.125, 0.375, 0.625, 0.875)  # places between data and noise that are validated
TRAINING = {
    "training.batch": 16,
    "training.optimizer": "adamw",
    "training.learning_rate": 1e-3,
    "training.schedule": "cosine",
    "training.warmup": 200,
    "training.clip_norm": 1.0,
    "training.ema": 0.99,
}


@dataclass(frozen=True)
class DiffusionConfig(SourcedConfig, RefinedConfig):
    objective: str = key(
        "flow",
        "how the mel is refined (flow: flow matching; ddpm: denoising with learned variance)",
        choices=tuple(OBJECTIVES),
    )
    unconditioned: float = key(
        0.1,
        "share of utterances trained on without their text, which guidance needs",
        least=0,
        most=1,
    )
    remainder: float = key(
        0.5, "typical deviation of what the coarse mel lacks, of normalised bands", least=1e-3
    )
    denoiser: DenoiserConfig = table(DenoiserConfig, "the network that refines the coarse mel")


class Diffusion(Family):
    """A decoder: from what its source says to a mel and its pitch."""

    role = "decoder"
    Config = DiffusionConfig
    config: DiffusionConfig
    knobs = {"noise_scale": 0.667, "steps": 16.0, "guidance": 0.0}  # noqa: RUF012
    paces = {  # noqa: RUF012
        "ultra_fast": {"steps": 4.0},
        "fast": {"steps": 8.0},
        "standard": {"steps": 16.0},
        "high": {"steps": 32.0},
    }
    presets = {  # noqa: RUF012
        "base": TRAINING,
        "tiny": {**TRAINING, **TINY, "denoiser.hidden": 192},
    }

    def __init__(self, config: DiffusionConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.generator = GENERATORS[config.source](config, facts)
        self.objective = OBJECTIVES[config.objective]()
        mel, own = facts.n_mels, config.denoiser
        self.condition = nn.Conv1d(self.generator.inputs + mel + config.hidden, own.hidden, 1)
        self.denoiser = Denoiser(own, mel, mel * self.objective.outputs)

    @classmethod
    def needs(cls, config: DiffusionConfig) -> tuple[str, ...]:
        return (*cls.takes(config), "mel", "contour", "voiced", "speaker")

    @classmethod
    def takes(cls, config: DiffusionConfig) -> tuple[str, ...]:
        return config.takes

    @classmethod
    def makes(cls, config: DiffusionConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "f0", "voiced")

    @classmethod
    def continues(cls, config: DiffusionConfig) -> bool:
        return config.refine_only

    def prepare(self) -> None:
        if self.config.refine_only:
            self.generator.requires_grad_(False)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return the errors of coarse mel, pitch and voicing, and those of the objective.

        The latter are at random places between data and noise; in validation at fixed ones.  Either
        are alone where only they are trained.
        """
        generator = self.generator
        states = cut(generator.states(batch), batch)
        coarse = self._coarse(generator.voice(states, *generator.recorded(batch)), states.mask)
        true = generator.scale(batch["mel"]).mT
        terms: dict[str, Tensor] = {}
        if not self.config.refine_only:
            away = (true - coarse.mel).mT.abs()
            terms = {"mel": batch.mean(away, "frame"), **generator.errors(batch, states)}
        if not self.config.refines(progress):
            return terms
        data = (true - coarse.mel.detach()) * states.mask / self.config.remainder
        return terms | self._refinement(batch, data, coarse)

    def _refinement(self, batch: Batch, data: Tensor, coarse: Coarse) -> dict[str, Tensor]:
        """Return the errors of the objective, given what the coarse mel lacks (B, M, T)."""
        draws = self._random(data) if self.training else self._fixed(data, batch)
        sums: dict[str, Tensor] = {}
        for where, noise in draws:
            network = self._network(self._dropped(coarse.condition), coarse.mask)
            for name, error in self.objective.errors(network, data, noise, where).items():
                mean = batch.mean(error.mT, "frame") / len(draws)
                sums[name] = sums.get(name, 0) + mean
        return sums

    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return mels (B, T, M), f0 (B, T) in Hz and voicing (B, T), 0 in the padding.

        `noise_scale` multiplies the noise that is refined, `steps` is how often it is; `guidance`
        is how much further than predicted it goes away from a mel without text.
        """
        settings = {**self.knobs, **knobs}
        states = self.generator.states(batch)
        f0, voiced = self.generator.predicted(batch, states)
        coarse = self._coarse(self.generator.voice(states, f0, voiced.float()), states.mask)
        network = guided(
            self._network(coarse.condition, coarse.mask),
            self._network(torch.zeros_like(coarse.condition), coarse.mask),
            settings["guidance"],
        )
        scale, steps = settings["noise_scale"], max(1, round(settings["steps"]))
        noise = noise_like(coarse.mel, generator)
        fine = self.objective.sample(network, noise, steps, scale, generator)
        mel = self.generator.scale.inverse((coarse.mel + self.config.remainder * fine).mT)
        real = states.mask[:, 0] > 0
        return {"mel": mel * real[..., None], "f0": f0 * real, "voiced": voiced}

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return errors of mel and pitch as they are generated, and pictures of an utterance."""
        return self.generator.watched(batch, self.generate(batch))

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        sizes = self.config, self.config.denoiser
        layers = sum(8 * size.hidden * size.layers for size in sizes)
        return 4 * utterances * lengths["frame"] * (layers + 24 * self.facts.n_mels)

    def _coarse(self, inputs: Tensor, mask: Tensor) -> Coarse:
        """Return the coarse mel of frames (B, inputs, T), and the condition that refines it."""
        decoder = self.generator.decoder
        hidden = decoder.states(inputs, mask)
        mel = (decoder.output(hidden) * mask).float()
        known = torch.cat([inputs, mel, hidden], 1).detach()
        return Coarse(mel, self.condition(known), mask)

    def _network(self, condition: Tensor, mask: Tensor) -> Network:
        """Return the denoiser under a condition (B, H, T)."""
        return lambda x, time: self.denoiser(x, time, condition, mask)

    def _dropped(self, condition: Tensor) -> Tensor:
        """Return the condition, in training without that of some utterances."""
        if not self.training:
            return condition
        shape = len(condition), 1, 1
        return condition * (torch.rand(shape, device=condition.device) >= self.config.unconditioned)

    def _random(self, data: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return random places (B,), spread evenly over the utterances, and noise like data."""
        count = len(data)
        spread = torch.randperm(count, device=data.device) / count
        return [((spread + torch.rand((), device=data.device)) % 1, torch.randn_like(data))]

    def _fixed(self, data: Tensor, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """Return places (B,) and noise like data that are always the same for an utterance."""
        noise = torch.zeros_like(data)
        for row, frames in enumerate(batch.lengths["frame"].tolist()):
            shape = data.shape[1], frames
            noise[row, :, :frames] = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        return [(data.new_full((len(data),), where), noise) for where in TRIED]


class Coarse(NamedTuple):
    """A coarse mel (B, M, T), normalised; what refines it (B, H, T); the mask (B, 1, T)."""

    mel: Tensor
    condition: Tensor
    mask: Tensor
