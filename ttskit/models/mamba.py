"""A coder that fills in the codes of an utterance iteratively, from tokens and their durations.

The text is encoded forwards by Mamba and backwards by dilated convolutions.  A variance adaptor
predicts pitch and loudness of the tokens, a length regulator repeats their states for the codes
that they last.  The audio model, of the same kind of layers, sees codes of which some are hidden,
beside the text of each code, and predicts the hidden ones; `networks/refinement.py` has the order
in which they are filled in.  A controller learns how likely a code is right and when to stop.  A
style, of a reference recording or the mean one, modulates all of it.

Shapes: B batch, C codes of an utterance, H hidden channels, K books, N tokens, S channels of a
style, V codes of a book.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.coder import Coder
from ttskit.networks.adaptor import Adaptor
from ttskit.networks.batch import Batch
from ttskit.networks.confidence import Controller
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import PLACES, Speakers
from ttskit.networks.mamba import Layers, MambaConfig
from ttskit.networks.predictor import PredictorConfig
from ttskit.networks.refinement import REFINEMENTS, Guess, drawn, staged
from ttskit.networks.regulator import regulated
from ttskit.networks.style import Style
from ttskit.settings import key, table

TRAINING = {
    "training.batch": 16,
    "training.learning_rate": 1e-3,
    "training.warmup": 200,
    "training.beta2": 0.98,
    "training.weight_decay": 0.05,
    "audio.dilations": (1, 3, 9, 27),
    "text.dropout": 0.35,
    "audio.dropout": 0.35,
}
BASE = {"text.hidden": 128, "text.layers": 3}
TINY = {
    "text.hidden": 96,
    "text.layers": 2,
    "text.state": 8,
    "audio.hidden": 128,
    "audio.layers": 3,
    "audio.state": 8,
}


@dataclass(frozen=True)
class MambaCoderConfig:
    start: str = key(
        "masks",
        "start from masks alone, or from a first guess of all codes",
        choices=("masks", "guess"),
    )
    context: str = key(
        "codes",
        "the text that the audio model sees: that of each code, or its mean over all codes",
        choices=("codes", "mean"),
    )
    style_channels: int = key(16, "channels of a style", least=1)
    style_hidden: int = key(64, "channels of the layers that extract a style", least=1)
    style_layers: int = key(3, "number of these layers", least=1, most=100)
    speaker_channels: int = key(64, "size of a speaker's embedding, if there are several", least=1)
    word_dropout: float = key(0.2, "share of the known codes that training hides", least=0, most=1)
    text: MambaConfig = table(MambaConfig, "the text encoder")
    audio: MambaConfig = table(MambaConfig, "the audio model, over codes")
    adaptor: PredictorConfig = table(PredictorConfig, "the predictor of pitch and loudness")


class Mamba(Coder):
    """A coder: from tokens and durations to codes."""

    Config = MambaCoderConfig
    config: MambaCoderConfig
    knobs: ClassVar = {"iterations": 8.0, "noise_scale": 0.0}
    presets: ClassVar = {"base": {**TRAINING, **BASE}, "tiny": {**TRAINING, **TINY}}

    def __init__(self, config: MambaCoderConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        style, hidden = config.style_channels, config.audio.hidden
        self.style = Style(facts, style, config.style_hidden, config.style_layers)
        several = len(facts.speakers) > 1
        self.speakers = Speakers(facts, config.speaker_channels) if several else None
        self.voice = nn.Linear(config.speaker_channels, config.text.hidden) if several else None
        self.embedding = nn.Embedding(len(facts.symbols), config.text.hidden)
        nn.init.normal_(self.embedding.weight, 0, 0.5)
        self.text = Layers(config.text, style)
        self.adaptor = Adaptor(config.adaptor, config.text.hidden, style)
        self.context = nn.Linear(config.text.hidden + PLACES, hidden)
        self.codes = nn.ModuleList(nn.Embedding(facts.size + 1, hidden) for _ in range(facts.books))
        self.audio = Layers(config.audio, style)
        self.heads = nn.ModuleList(nn.Linear(hidden, facts.size) for _ in range(facts.books))
        self.controller = Controller(hidden, facts.books)

    @classmethod
    def takes(cls, config: MambaCoderConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("tokens", "durations")

    @classmethod
    def needs(cls, config: MambaCoderConfig) -> tuple[str, ...]:
        return (*super().needs(config), "pitch", "loudness_token", "mel")

    @classmethod
    def styled(cls, config: MambaCoderConfig) -> bool:  # noqa: ARG003
        return True

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002
        style, away = self.style.trained(batch["mel"], batch.mask("frame"))
        context, mask, errors = self._context(batch, style)
        passes = [
            self._losses(batch, context, mask, style, hidden)
            for hidden in self._hidden(batch["codes"], mask)
        ]
        terms = {name: torch.stack([one[name] for one in passes]).mean() for name in passes[0]}
        return {
            **terms,
            "pitch": 0.5 * batch.mean(errors[..., 0], "token"),
            "loudness": 0.5 * batch.mean(errors[..., 1], "token"),
            "style": batch.mean(away),
        }

    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return codes (B, C, K) and latents (B, C, H), the states beside all of these codes.

        Both are 0 in the padding.  Pitch and loudness are used where they are known.
        """
        context, mask, _ = self._context(batch, style := self._style(batch))
        codes = self._filled(context, mask, style, {**self.knobs, **knobs}, generator)
        return {"codes": codes, "latents": self._states(context, mask, style, codes)}

    def latents(
        self, batch: Batch, drawn: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        context, mask, _ = self._context(batch, style := self._style(batch))
        codes = batch["codes"][:, : mask.shape[1]]  # without what pads a batch to a whole step
        if drawn:
            made = self._filled(context, mask, style, self.knobs, generator)
            device = generator.device if generator else codes.device
            chance = torch.rand(codes.shape, generator=generator, device=device)
            codes = torch.where(chance.to(codes.device) < drawn, made, codes)
        return self._states(context, mask, style, codes)

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return how many codes of each book are right, beside recorded codes of those before it.

        The picture is of the first utterance and the first book.
        """
        style = self.style(batch["mel"], batch.mask("frame"))
        context, mask, _ = self._context(batch, style)
        numbers, confidence, right = dict[str, float](), [], []
        for book, hidden in enumerate(staged(batch["codes"], mask), 1):
            guess = self._guess(context, mask, style, self._masked(batch["codes"], hidden))
            correct = guess.logits.argmax(-1) == batch["codes"]
            own = correct[..., book - 1]
            numbers[f"accuracy/{book}"] = float(own[mask].float().mean())
            confidence.append(guess.confidence[..., book - 1])
            right.append(own)
        codes = self.generate(batch)["codes"]
        numbers["accuracy/generated"] = float((codes == batch["codes"])[mask].float().mean())
        count = int(mask[0].sum())
        lines = {
            "confidence": confidence[0][0, :count].float().cpu().numpy(),
            "right": right[0][0, :count].float().cpu().numpy(),
        }
        return numbers, {"confidence": Picture(np.zeros((0, count)), "code", "share", lines)}

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        codes = lengths.get("code") or -(-lengths["frame"] // max(1, self.facts.stride))
        sizes = zip((self.config.text, self.config.audio), (lengths["token"], codes), strict=True)
        steps = sum(
            length * one.layers * one.hidden * (3 * one.expand * one.state + 20)
            for one, length in sizes
        )
        return 4 * utterances * (steps + 3 * codes * self.facts.books * self.facts.size)

    def _style(self, batch: Batch) -> Tensor:
        """Return the style of the reference recordings, or the usual one."""
        if "style" in batch:
            return self.style(batch["style"], batch.mask("style"))
        return self.style.usual(len(batch))

    def _context(self, batch: Batch, style: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the text of each code (B, C, H), their mask, and squared errors (B, N, 2).

        The errors are those of pitch and loudness, where these are known.
        """
        mask = batch.mask("token")
        x = self.embedding(batch["tokens"])
        if self.voice is not None and self.speakers is not None:
            x = x + self.voice(self.speakers(batch))[:, None]
        states = self.text(x, mask, style)
        known = [batch.fields.get(name) for name in ("pitch", "loudness_token")]
        states, errors = self.adaptor(states, mask, style, known)
        states, real = regulated(
            states, batch["durations"], batch.lengths["token"], self.facts.stride
        )
        if self.config.context == "mean":
            mean = (states * real[..., None]).sum(1) / real.sum(1)[:, None]
            states = mean[:, None].expand_as(states)
        return self.context(states) * real[..., None], real, errors

    def _filled(
        self,
        context: Tensor,
        mask: Tensor,
        style: Tensor,
        knobs: Mapping[str, float],
        generator: torch.Generator | None,
    ) -> Tensor:
        """Return codes (B, C, K) that are all filled in, 0 in the padding."""
        codes, _ = REFINEMENTS[self.config.start](
            partial(self._guess, context, mask, style),
            mask,
            self.facts.books,
            self.facts.size,
            max(1, int(knobs["iterations"])),
            knobs["noise_scale"],
            generator,
        )
        return codes

    def _states(self, context: Tensor, mask: Tensor, style: Tensor, codes: Tensor) -> Tensor:
        """Return the states (B, C, H) of the audio model, which sees codes, 0 in the padding."""
        known = [book(one) for book, one in zip(self.codes, codes.unbind(-1), strict=True)]
        states: Tensor = self.audio(context + torch.stack(known).sum(0), mask, style)
        return states

    def _guess(self, context: Tensor, mask: Tensor, style: Tensor, codes: Tensor) -> Guess:
        """Return what is predicted beside codes (B, C, K), of which hidden ones are V."""
        states = self._states(context, mask, style, codes)
        logits = torch.stack([head(states) for head in self.heads], 2).float()
        controller = self.controller
        likelihood = logits.detach().softmax(-1).amax(-1)
        confidence, quality = controller(
            context, states, likelihood, codes == self.facts.size, mask
        )
        return Guess(
            logits, confidence, quality, controller.threshold.sigmoid(), controller.enough.sigmoid()
        )

    def _hidden(self, codes: Tensor, mask: Tensor) -> Iterator[Tensor]:
        """Yield which codes to hide: at random in training, all stages in turn otherwise."""
        if self.training:
            extra = torch.rand(codes.shape, device=codes.device) < self.config.word_dropout
            hidden = drawn(codes, mask)
            own = torch.rand(len(codes), 1, 1, device=codes.device) < 0.5
            yield hidden | (extra & own & mask[..., None])
        else:
            yield from staged(codes, mask)

    def _masked(self, codes: Tensor, hidden: Tensor) -> Tensor:
        return torch.where(hidden, self.facts.size, codes)

    def _losses(
        self, batch: Batch, context: Tensor, mask: Tensor, style: Tensor, hidden: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of the loss of one pass."""
        codes = batch["codes"]
        guess = self._guess(context, mask, style, self._masked(codes, hidden))
        wrong = F.cross_entropy(guess.logits.flatten(0, 2), codes.flatten(), reduction="none")
        there = hidden.float()
        share = (there.sum((1, 2)) / mask.sum(1) / codes.shape[2]).clamp_min(0.05)  # (B,)
        per_code = (wrong.view(codes.shape) * there).mean(2) / share[:, None]
        right = (guess.logits.argmax(-1) == codes).float()
        return {
            "codes": batch.mean(per_code, "code"),
            **self.controller.losses(batch, guess, right, there, mask),
        }
