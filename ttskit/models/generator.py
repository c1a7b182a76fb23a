"""Decoders of one pass: from the states of frames to a mel; and what these states are made from.

They come from tokens and their durations or, as in Tortoise (Betker, 2023), from what a coder has
made of these: from its codes, or from its latents, the state from which it predicted each code.

Shapes: B batch, C codes of an utterance, H hidden channels, K books, L channels of a latent, M mel
bands, T frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ttskit.errors import SettingError, TrainingError
from ttskit.models.frames import Frames, FramesConfig, States
from ttskit.networks.batch import Batch
from ttskit.networks.convnext import Stack
from ttskit.networks.facts import Facts
from ttskit.settings import MOST_LAYERS, key

TINY = {
    "speaker_channels": 32,
    "encoder.hidden": 96,
    "encoder.filter": 384,
    "encoder.layers": 4,
    "encoder.prenet_dropout": 0.2,
}


@dataclass(frozen=True)
class GeneratorConfig(FramesConfig):
    hidden: int = key(256, "channels of the layers over frames", least=1)
    layers: int = key(8, "ConvNeXt layers over frames", least=1, most=MOST_LAYERS)
    dropout: float = key(0.1, "dropout in these layers", least=0, most=1)


@dataclass(frozen=True)
class RefinedConfig(GeneratorConfig):
    """Of a decoder that refines the mel of such a generator, and teaches it nothing by that."""

    refine_only: bool = key(
        False, "train the refinement alone; coarse mel and pitch stay as they begin (train --init)"
    )
    refine_from: float = key(
        0.0, "share of the training that goes to coarse mel and pitch alone", least=0, most=1
    )

    def refines(self, progress: float) -> bool:
        """Whether the refinement is trained, after a share of the training."""
        return self.refine_only or progress >= self.refine_from


@dataclass(frozen=True)
class SourcedConfig(GeneratorConfig):
    source: str = key(
        "text",
        "what the mel is made from: text (tokens, durations, pitch and loudness), codes, or the "
        "latents of the coder that predicts them",
        choices=("text", "codes", "latents"),
    )

    @property
    def takes(self) -> tuple[str, ...]:
        """The fields that a decoder of this source takes."""
        of_text = ("tokens", "durations", "pitch", "loudness_token")
        return of_text if self.source == "text" else (self.source,)


class Generator(Frames):
    """All that is learned but the critics."""

    def __init__(self, config: GeneratorConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        sizes = self.inputs, config.hidden, config.layers, facts.n_mels
        self.decoder = Stack(*sizes, config.dropout)

    def mel(self, states: States, f0: Tensor, voiced: Tensor) -> Tensor:
        """Return the normalised mel (B, T, M) of frames with f0 (B, T) in Hz where voiced."""
        mel: Tensor = self.decoder(self.voice(states, f0, voiced), states.mask).float().mT
        return mel


class CodeGenerator(Generator):
    """The same from the codes of a codec: every frame has those of its place, and its place."""

    def reader(self, config: FramesConfig, facts: Facts, speaker: int) -> int:
        hidden = config.encoder.hidden
        if not facts.books:
            raise SettingError("source is codes, needs Codes to train on")
        self.codes = nn.ModuleList(nn.Embedding(facts.size, hidden) for _ in range(facts.books))
        self.places = nn.Embedding(facts.stride, hidden)  # of a frame in its code
        self.owner = nn.Linear(speaker, hidden, bias=False) if speaker else None
        for embedding in (*self.codes, self.places):
            nn.init.normal_(embedding.weight, 0, facts.books**-0.5)
        return hidden

    def states(self, batch: Batch) -> States:
        """Embed the codes, and repeat each for its frames."""
        codes, stride = batch["codes"], self.places.num_embeddings
        by_book = zip(self.codes, codes.unbind(2), strict=True)
        hidden = torch.stack([embedding(book) for embedding, book in by_book]).sum(0)
        if self.owner is not None and self.speakers is not None:
            hidden = hidden + self.owner(self.speakers(batch))[:, None]
        frames = hidden[:, :, None] + self.places.weight  # (B, C, stride, H)
        mask = batch.mask("code").repeat_interleave(stride, 1)[:, None].float()
        return States(frames.flatten(1, 2).mT * mask, mask)


class LatentGenerator(Generator):
    """The same from the latents of a coder: each says what its frames are."""

    def reader(self, config: FramesConfig, facts: Facts, speaker: int) -> int:
        hidden = config.encoder.hidden
        if not facts.latents:
            raise SettingError("source is latents, needs Codes that have latents to train on")
        self.stride = facts.stride
        self.dropout = nn.Dropout(config.encoder.dropout)
        self.unfold = nn.Linear(facts.latents, facts.stride * hidden)
        self.owner = nn.Linear(speaker, hidden, bias=False) if speaker else None
        return hidden

    def states(self, batch: Batch) -> States:
        """Return the states that the latents (B, C, L) unfold into, `stride` frames each."""
        hidden = self.unfold(self.dropout(batch["latents"]))
        frames = hidden.unflatten(2, (self.stride, -1)).flatten(1, 2)  # (B, T, H)
        if self.owner is not None and self.speakers is not None:
            frames = frames + self.owner(self.speakers(batch))[:, None]
        mask = batch.mask("code").repeat_interleave(self.stride, 1)[:, None].float()
        return States(frames.mT * mask, mask)


GENERATORS = {"text": Generator, "codes": CodeGenerator, "latents": LatentGenerator}


def cut(states: States, batch: Batch) -> States:
    """Return the states of the frames that a recorded mel has; the last code may stand for more."""
    frames = batch.mask("frame")
    if states.hidden.shape[2] < frames.shape[1]:
        raise TrainingError(
            f"the codes stand for {states.hidden.shape[2]} frames, the mel has {frames.shape[1]}: "
            "encode these Features"
        )
    mask = frames[:, None].to(states.mask)
    return States(states.hidden[..., : frames.shape[1]] * mask, mask)
