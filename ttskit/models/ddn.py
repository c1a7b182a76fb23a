"""Discrete distribution networks (Yang, 2025) as a decoder: a mel chosen step by step.

The pitch of each frame and a coarse mel are predicted first, as by the decoder `feedforward`.
A pyramid of time scales adds what the coarse mel misses: at every position of every scale it
chooses one of K candidates, in training the one nearest to the recording, in synthesis a random
one by how likely a prior thinks each.  The numbers of the chosen candidates are the *take*: they
give the same mel again.

Shapes: B batch, D channels of the condition, K candidates, L positions of a scale, M mel bands,
T frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from ttskit.dsp.loudness import mel_weights
from ttskit.models.family import Copied, Family
from ttskit.models.frames import Frames, States
from ttskit.models.generator import TINY, Generator, RefinedConfig
from ttskit.models.vocoder import mel_settings
from ttskit.networks.batch import Batch
from ttskit.networks.candidates import Candidates, Measure, nearness
from ttskit.networks.choices import Choose, Step
from ttskit.networks.choosing import Drawn, Given, Guided, Nearest
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import PLACES, places, token_of_frame
from ttskit.networks.pyramid import Pyramid, PyramidConfig
from ttskit.networks.scales import averaged
from ttskit.settings import key, table

TRAINING = {
    "training.batch": 16,
    "training.optimizer": "adamw",
    "training.learning_rate": 1e-3,
    "training.schedule": "cosine",
    "training.warmup": 200,
    "training.clip_norm": 1.0,
    "training.ema": 0.999,
    "refine_from": 0.5,
}
PUBLISHED = {
    "coarse": False,
    "refine_from": 0.0,
    "pyramid.select": "utterance",
    "pyramid.scales": [16, 8, 4, 2, 1],
    "pyramid.blocks": [1, 2, 4, 8, 16],
    "pyramid.candidates": [64, 16, 16, 16, 64],
    "chain_dropout": 0.0,
}


@dataclass(frozen=True)
class DdnConfig(RefinedConfig):
    coarse: bool = key(True, "predict a coarse mel, which the pyramid adds to")
    chain_dropout: float = key(
        0.1, "how often training draws a choice of an utterance instead", least=0, most=1
    )
    prior_weight: float = key(0.1, "weight of the loss of the prior", least=0)
    split: bool = key(True, "copy candidates that are chosen often over those that are not")
    split_until: float = key(0.9, "share of the training after which none are", least=0, most=1)
    count_decay: float = key(0.99, "decay of how often candidates are chosen", least=0, most=1)
    pyramid: PyramidConfig = table(PyramidConfig, "the pyramid of time scales")


class Ddn(Family):
    """A decoder: from tokens, durations, pitch and loudness to a mel, its pitch and its take."""

    role = "decoder"
    Config = DdnConfig
    config: DdnConfig
    generator: Frames
    loudness: Tensor  # (M,), what the squared magnitude of each band adds to the power
    knobs = {"noise_scale": 0.25, "temperature": 1.0}  # noqa: RUF012
    presets = {  # noqa: RUF012
        "base": TRAINING,
        "tiny": {**TRAINING, **TINY, "hidden": 192, "layers": 6, "pyramid.channels": 96},
        "published": {**TRAINING, **PUBLISHED},
    }

    def __init__(self, config: DdnConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.generator = (Generator if config.coarse else Frames)(config, facts)
        coarse = facts.n_mels + config.hidden if config.coarse else 0
        condition = self.generator.inputs + coarse
        self.pyramid = Pyramid(config.pyramid, condition, facts.n_mels, PLACES)
        weights = torch.tensor(mel_weights(mel_settings(facts)), dtype=torch.float32)
        self.register_buffer("loudness", weights, persistent=False)

    @classmethod
    def needs(cls, config: DdnConfig) -> tuple[str, ...]:
        return (*cls.takes(config), "mel", "contour", "voiced", "speaker")

    @classmethod
    def takes(cls, config: DdnConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("tokens", "durations", "pitch", "loudness_token")

    @classmethod
    def makes(cls, config: DdnConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "f0", "voiced", "take")

    @classmethod
    def continues(cls, config: DdnConfig) -> bool:
        return config.refine_only

    def prepare(self) -> None:
        if self.config.refine_only:
            self.generator.requires_grad_(False)

    def train(self, mode: bool = True) -> Ddn:
        """Train; what is not trained makes what it will make later, without dropout."""
        super().train(mode)
        if self.config.refine_only:
            self.generator.eval()
        return self

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return the errors of pitch and coarse mel, and those of the choices nearest to the mel.

        The latter have no gradient for the coarse mel.  Either are alone where only they are
        trained; without a coarse mel, all are.
        """
        generator, config = self.generator, self.config
        states = generator.states(batch)
        terms = {} if config.refine_only else generator.errors(batch, states)
        condition = self._condition(states, *generator.recorded(batch))
        if config.coarse and not config.refine_only:
            error = (condition.mel.mT - generator.scale(batch["mel"])).abs()
            terms["coarse"] = batch.mean(error, "frame")
        if config.coarse and not config.refines(progress):
            return terms
        learned = self._learned(batch, condition, counting=self.training)
        return terms | self._losses(batch, learned)

    def copies(self, progress: float) -> list[Copied]:
        """Take the counts of the update, and split a candidate of each head that needs it."""
        copied = []
        may_split = self.config.split and progress < self.config.split_until
        for number, head in enumerate(self.pyramid.heads(), 1):
            split = head.candidates.settle(self.config.count_decay, may_split=may_split)
            if split:
                copied += [Copied(f"{number}", weight, *split) for weight in head.rows()]
        return copied

    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return mels (B, T, M), f0 (B, T) in Hz, voicing (B, T) and takes, 0 in the padding.

        Choices are drawn by the prior with a `temperature`; `noise_scale` is the share that is
        taken of their difference from what the prior expects.
        A batch with `take` gives that one again.  In one with `guide`, a mel (B, T, M), and
        `guided` (B, T), the frames that are guided come as near to it as choices can, and the
        others fit them.  With `curve`, loudness in dB from the start to the end, those candidates
        are chosen that come nearest to it.
        """
        settings = {**self.knobs, **knobs}
        share = round(100 * settings["noise_scale"]) / 100
        temperature = settings["temperature"] if share else 0.0
        states = self.generator.states(batch)
        f0, voiced = self.generator.predicted(batch, states)
        condition = self._condition(states, f0, voiced.float())
        choose = self._chooser(batch, condition, Drawn(temperature, share, generator))
        steps = self._steps(batch, condition, choose)
        if isinstance(choose, Given) and "take" in batch.lengths:
            choose.check(batch.lengths["take"])
        mel = self.generator.scale.inverse((condition.mel + steps[-1].output).mT)
        real = condition.mask
        made = {"mel": mel * real[..., None], "f0": f0 * real, "voiced": voiced}
        taken = (
            batch["take"][:, :1]
            if "take" in batch
            else torch.full_like(condition.mask[:, :1], round(100 * share), dtype=torch.long)
        )
        return {**made, "take": packed(taken, steps)}

    @torch.no_grad()
    def levels(self, batch: Batch) -> list[tuple[int, Tensor]]:
        """Return the mel (B, L, M) after each choice of a take, with the frames of a position."""
        states = self.generator.states(batch)
        f0, voiced = self.generator.predicted(batch, states)
        condition = self._condition(states, f0, voiced.float())
        levels = []
        for step in self._steps(batch, condition, Given(batch["take"])):
            coarse = averaged(condition.mel, condition.mask, step.place.scale)
            mel = self.generator.scale.inverse((coarse + step.output).mT)
            levels.append((step.place.scale, mel))
        return levels

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        generator, generated = self.generator, self.generate(batch)
        numbers, pictures = generator.watched(batch, generated)
        pictures["levels"] = self._drawn_levels(batch.with_fields(take=generated["take"]))
        states = generator.states(batch)
        condition = self._condition(states, *generator.recorded(batch))
        nearest = self._learned(batch, condition, counting=False)
        error = (nearest.mel - generator.scale(batch["mel"])).abs()
        numbers["nearest_error"] = float(batch.mean(error, "frame"))
        heads = self.pyramid.heads()
        for number, head in enumerate(heads, 1):
            numbers[f"perplexity/{number}"] = head.candidates.perplexity()
            numbers[f"dead/{number}"] = head.candidates.dead()
        numbers["dead"] = sum(head.candidates.dead() for head in heads) / len(heads)
        seconds = float(batch.lengths["frame"].sum()) * self.facts.hop_length
        seconds /= self.facts.sample_rate
        numbers["bits_per_second"] = _bits(nearest.steps, Candidates.size) / seconds
        numbers["entropy_per_second"] = _bits(nearest.steps, Candidates.perplexity) / seconds
        shares = {
            f"choice {number}": head.candidates.shares().sort(descending=True)[0].cpu().numpy()
            for number, head in enumerate(heads, 1)
        }
        empty = np.zeros((0, max(map(len, shares.values()))), np.float32)
        pictures["use"] = Picture(empty, "candidates, the most frequent first", "share", shares)
        return numbers, pictures

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        pyramid = self.config.pyramid
        sizes = zip(pyramid.scales, pyramid.each("blocks"), strict=True)
        positions = sum(blocks / scale for scale, blocks in sizes) + pyramid.refine
        layer = 8 * pyramid.channels * (pyramid.layers + 2)
        coarse = self.config.layers * 8 * self.config.hidden + 16 * self.facts.n_mels
        floats = int(positions * lengths["frame"]) * layer + lengths["frame"] * coarse
        return 4 * utterances * floats

    def _drawn_levels(self, batch: Batch) -> Picture:
        """Return the mel of the first utterance after each of its choices, the coarsest on top."""
        frames = int(batch.lengths["frame"][0])
        mels = [mel[0].repeat_interleave(scale, 0)[:frames] for scale, mel in self.levels(batch)]
        bands = torch.cat([mel.T for mel in reversed(mels)])
        return Picture(bands.cpu().numpy(), "frame", "mel, choice by choice")

    def _condition(self, states: States, f0: Tensor, voiced: Tensor) -> Condition:
        """Return what the pyramid starts from; without a coarse mel its mel is 0."""
        inputs, mask = self.generator.voice(states, f0, voiced), states.mask
        if not isinstance(self.generator, Generator):
            zeros = inputs.new_zeros(len(inputs), self.facts.n_mels, inputs.shape[2]).float()
            return Condition(inputs, zeros, mask[:, 0] > 0)
        decoder = self.generator.decoder
        hidden = decoder.states(inputs, mask)
        mel = (decoder.output(hidden) * mask).float()
        return Condition(torch.cat([inputs, mel, hidden], 1), mel, mask[:, 0] > 0)

    def _steps(self, batch: Batch, condition: Condition, choose: Choose) -> list[Step]:
        """Return the steps of the pyramid."""
        durations, frames = batch["durations"], condition.mask.shape[1]
        token = token_of_frame(durations, batch.lengths["token"], frames)
        at = places(durations, token)
        steps: list[Step] = self.pyramid(condition.states, at, token, condition.mask, choose)
        return steps

    def _learned(self, batch: Batch, condition: Condition, *, counting: bool) -> Learned:
        """Return the steps nearest to the recordings."""
        fixed = condition.detached() if self.config.coarse else condition
        mask = batch.mask("frame")
        target = (self.generator.scale(batch["mel"]).mT - fixed.mel) * mask[:, None]
        dropout = self.config.chain_dropout if self.training else 0.0
        choose = Nearest(target, mask, dropout, counting=counting)
        steps = self._steps(batch, fixed, choose)
        return Learned(steps, target, (fixed.mel + steps[-1].output).mT)

    def _losses(self, batch: Batch, learned: Learned) -> dict[str, Tensor]:
        """Return the squared distance of the choices by scale, and the loss of the prior."""
        terms: dict[str, Tensor] = {}
        mask, share = batch.mask("frame"), 1 / (len(learned.steps) * batch.count("frame"))
        prior = learned.target.new_zeros(())
        for step in learned.steps:
            scale = step.place.scale
            target = averaged(learned.target, mask, scale)
            error = (step.output - target).square().mean(1) * step.counted
            name = f"scale_{scale}"
            terms[name] = terms.get(name, 0) + error.sum() * scale * share
            wrong = F.cross_entropy(step.place.logits(), step.chosen, reduction="none")
            prior = prior + (wrong * step.counted).sum() * scale * share
        return {**terms, "prior": self.config.prior_weight * prior}

    def _chooser(self, batch: Batch, condition: Condition, drawn: Choose) -> Choose:
        """Return who chooses: the take or the guide of a batch, or else the prior."""
        if "take" in batch:
            return Given(batch["take"])
        if "curve" in batch:
            return Guided(condition.mask, self._loudness(batch, condition), drawn, whole=False)
        if "guide" not in batch:
            return drawn
        known = batch["guided"]
        target = self.generator.scale(batch["guide"]).mT - condition.mel
        return Guided(known, lambda scale: nearness(averaged(target, known, scale)), drawn)

    def _loudness(self, batch: Batch, condition: Condition) -> Callable[[int], Measure]:
        """Return how far candidates of a scale are from the curve of a batch, in dB squared."""
        curve = stretched(batch["curve"], batch.lengths["curve"], condition.mask)

        def measure(scale: int) -> Measure:
            coarse, wanted = (
                averaged(x, condition.mask, scale) for x in (condition.mel, curve[:, None])
            )

            def away(candidates: Tensor, start: int) -> Tensor:
                some = slice(start, start + candidates.shape[3])
                normalised = (coarse[:, None, :, some] + candidates).mT  # (B, K, L, M)
                power = (2 * self.generator.scale.inverse(normalised)).exp() @ self.loudness
                return (10 * power.clamp_min(1e-8).log10() - wanted[..., some]).square()

            return away

        return measure


def stretched(curve: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
    """Return curves (B, any) of some lengths (B,) at the frames of a mask (B, T), (B, T)."""
    share = (torch.arange(mask.shape[1], device=mask.device) + 0.5) / mask.sum(1, keepdim=True)
    last = lengths[:, None] - 1
    at = (share * lengths[:, None] - 0.5).clamp_min(0).minimum(last)
    before = at.floor().long()
    after = (before + 1).minimum(last)
    return curve.gather(1, before).lerp(curve.gather(1, after), at - before)


class Learned(NamedTuple):
    """Steps towards recordings, their target (B, M, T), and the normalised mel (B, T, M)."""

    steps: list[Step]
    target: Tensor
    mel: Tensor


class Condition(NamedTuple):
    """What the pyramid starts from: states (B, D, T) and a normalised mel (B, M, T)."""

    states: Tensor
    mel: Tensor
    mask: Tensor  # (B, T) bool

    def detached(self) -> Condition:
        return Condition(self.states.detach(), self.mel.detach(), self.mask)


def packed(first: Tensor, steps: Sequence[Step]) -> Tensor:
    """Return the numbers of all choices of each utterance, coarse to fine, padded by 0.

    Before them are the numbers `first` (B, 1).
    """
    choices = [step.place.regions.gathered(step.chosen) for step in steps]
    rows = zip(first.unbind(), *choices, strict=True)
    return pad_sequence([torch.cat(row) for row in rows], batch_first=True)


def _bits(steps: Sequence[Step], size: Callable[[Candidates], float]) -> float:
    """Return the bits of all choices, each of which is one among `size` of its candidates."""
    counts = [int(step.place.regions.counts.sum()) for step in steps]
    sizes = [size(step.place.head.candidates) for step in steps]
    return sum(count * math.log2(each) for count, each in zip(counts, sizes, strict=True))
