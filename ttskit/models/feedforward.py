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

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.dsp.harmonics import patterns
from ttskit.models.adversarial import Adversarial, Pair
from ttskit.models.vocoder import mel_settings
from ttskit.networks.batch import Batch
from ttskit.networks.convnext import Stack
from ttskit.networks.critics import PatchAdversary
from ttskit.networks.encoder import EncoderConfig, TextEncoder
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import PLACES, Scale, Speakers, expand, places, token_of_frame, until
from ttskit.settings import MOST_LAYERS, key, table

LOWEST, HIGHEST, STEP = 50.0, 800.0, 1 / 48  # Hz, Hz, octaves: the pitches of the patterns

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
TINY = {
    "speaker_channels": 32,
    "encoder.hidden": 96,
    "encoder.filter": 384,
    "encoder.layers": 4,
    "encoder.prenet_dropout": 0.2,
}


@dataclass(frozen=True)
class FeedforwardConfig:
    hidden: int = key(256, "channels of the layers over frames", least=1)
    layers: int = key(8, "ConvNeXt layers over frames", least=1, most=MOST_LAYERS)
    dropout: float = key(0.1, "dropout in these layers", least=0, most=1)
    contour_hidden: int = key(128, "channels of the layers that predict the pitch", least=1)
    contour_layers: int = key(3, "number of these layers", least=1, most=MOST_LAYERS)
    contour_weight: float = key(1.0, "weight of the errors of pitch and voicing", least=0)
    speaker_channels: int = key(64, "size of a speaker's embedding, if there are several", least=1)
    encoder: EncoderConfig = table(EncoderConfig, "the text encoder")
    adversary: PatchAdversary = table(PatchAdversary, "critics (discriminators)")


class Feedforward(Adversarial):
    """A decoder: from tokens, durations, pitch and loudness to a mel and its pitch."""

    role = "decoder"
    Config = FeedforwardConfig
    config: FeedforwardConfig
    generator: Generator
    presets = {"base": TRAINING, "tiny": {**TRAINING, **TINY}}  # noqa: RUF012

    def __init__(self, config: FeedforwardConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.generator = Generator(config, facts)

    @classmethod
    def needs(cls, config: FeedforwardConfig) -> tuple[str, ...]:
        return (*cls.takes(config), "mel", "contour", "voiced", "speaker")

    @classmethod
    def takes(cls, config: FeedforwardConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("tokens", "durations", "pitch", "loudness_token")

    @classmethod
    def makes(cls, config: FeedforwardConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "f0", "voiced")

    def heard(self, batch: Batch) -> tuple[Tensor, Tensor]:
        states = self.generator.states(batch)
        f0 = self.generator.hertz(batch, batch["contour"])
        mel = self.generator.mel(states, f0, batch["voiced"].float())
        return self._windows(batch, mel)

    def pair(self, batch: Batch, progress: float) -> Pair:  # noqa: ARG002
        generator, voiced = self.generator, batch["voiced"].float()
        states = generator.states(batch)
        contour, voicing = generator.pitch(states)
        mel = generator.mel(states, generator.hertz(batch, batch["contour"]), voiced)
        weight = self.config.contour_weight
        away = F.smooth_l1_loss(contour, batch["contour"], reduction="none", beta=0.05)
        wrong = F.binary_cross_entropy_with_logits(voicing, voiced, reduction="none")
        terms = {
            "mel": batch.mean((mel - generator.scale(batch["mel"])).abs(), "frame"),
            "contour": weight * 10 * batch.mean(away * voiced, "frame"),
            "voicing": weight * 0.2 * batch.mean(wrong, "frame"),
        }
        return Pair(*self._windows(batch, mel), terms)

    def generate(
        self,
        batch: Batch,
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """Return mels (B, T, M), f0 (B, T) in Hz and voicing (B, T), 0 in the padding."""
        states = self.generator.states(batch)
        contour, voicing = self.generator.pitch(states)
        real = states.mask[:, 0] > 0
        voiced = (voicing > 0) & real
        f0 = self.generator.hertz(batch, contour)
        mel = self.generator.mel(states, f0, voiced.float())
        return {
            "mel": self.generator.scale.inverse(mel) * real[..., None],
            "f0": f0 * real,
            "voiced": voiced,
        }

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return errors of mel and pitch as they are generated, and pictures of an utterance."""
        frames, generated = int(batch.lengths["frame"][0]), self.generate(batch)
        voiced = batch["voiced"] & generated["voiced"]
        true = self.generator.hertz(batch, batch["contour"])
        octaves = (generated["f0"] / true).clamp_min(1e-3).log2().abs()
        numbers = {
            "mel_error": float(batch.mean((generated["mel"] - batch["mel"]).abs(), "frame")),
            "cents_error": float(1200 * octaves[voiced].mean()) if voiced.any() else 0.0,
        }
        mels = {"made": generated["mel"], "true": batch["mel"]}
        pictures = {
            name: Picture(mel[0, :frames].T.cpu().numpy(), "frame", "mel")
            for name, mel in mels.items()
        }
        return numbers, pictures

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        layers = self.config.layers * 8 * self.config.hidden
        return 4 * utterances * lengths["frame"] * (layers + 16 * self.facts.n_mels)

    def _windows(self, batch: Batch, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Cut the same frames of each utterance out of recorded and predicted mels.

        Both are normalised; where nobody plays against the decoder they are left whole.
        """
        true = self.generator.scale(batch["mel"])
        if self.critics is None:
            return true, mel
        frames = self.config.adversary.frames
        spare = (batch.lengths["frame"] - frames).clamp_min(0)
        start = (torch.rand(len(batch), device=mel.device) * (spare + 1)).long()
        at = start[:, None] + torch.arange(frames, device=mel.device)
        real = (at < batch.lengths["frame"][:, None])[..., None]
        index = at.clamp_max(mel.shape[1] - 1)[..., None].expand(-1, -1, mel.shape[2])
        recorded, copy = (x.gather(1, index) * real for x in (true, mel))
        return recorded, copy


@dataclass(frozen=True)
class States:
    """Encoded tokens of the frames (B, H, T), and the mask of the frames (B, 1, T)."""

    hidden: Tensor
    mask: Tensor


class Generator(nn.Module):
    """All that is learned but the critics."""

    middle: Tensor
    patterns: Tensor

    def __init__(self, config: FeedforwardConfig, facts: Facts) -> None:
        super().__init__()
        hidden, speaker = config.encoder.hidden, config.speaker_channels
        several = len(facts.speakers) > 1
        self.speakers = Speakers(facts, speaker) if several else None
        self.encoder = TextEncoder(config.encoder, len(facts.symbols), speaker if several else 0)
        self.given = nn.Conv1d(2, hidden, 3, padding=1)  # pitch and loudness of tokens
        self.contour = Stack(hidden + PLACES, config.contour_hidden, config.contour_layers, 2, 0.1)
        self.decoder = Stack(
            hidden + PLACES + facts.n_mels + 1,
            config.hidden,
            config.layers,
            facts.n_mels,
            config.dropout,
        )
        self.scale = Scale(facts.statistics, "mel", facts.n_mels)
        middles = facts.statistics.get("f0_middle", np.zeros(len(facts.speakers)))
        self.register_buffer("middle", torch.tensor(np.asarray(middles, np.float32)))
        octaves = np.arange(0, np.log2(HIGHEST / LOWEST), STEP)
        harmonics = patterns(LOWEST * 2**octaves, mel_settings(facts)) / 2
        self.register_buffer("patterns", harmonics, persistent=False)

    def states(self, batch: Batch) -> States:
        """Encode the tokens, and repeat each for its frames."""
        mask, durations = batch.mask("token"), batch["durations"]
        speaker = None if self.speakers is None else self.speakers(batch)
        hidden = self.encoder(batch["tokens"], mask, speaker)
        given = torch.stack([batch["pitch"], batch["loudness_token"]], 1)
        hidden = (hidden + self.given(given)) * mask[:, None]
        frames = durations.sum(1)
        longest = int(frames.max())
        token = token_of_frame(durations, batch.lengths["token"], longest)
        real = until(frames, longest)
        x = torch.cat([expand(hidden, token), places(durations, token)], 1)
        return States(x * real[:, None], real[:, None].float())

    def pitch(self, states: States) -> tuple[Tensor, Tensor]:
        """Return pitch (B, T) in octaves from the speaker's median, and logits of voicing."""
        contour, voicing = self.contour(states.hidden, states.mask).float().unbind(1)
        return contour, voicing

    def hertz(self, batch: Batch, contour: Tensor) -> Tensor:
        """Return f0 (B, T) of a pitch (B, T) in octaves from the speaker's median."""
        if "speaker_mix" in batch:
            middle = batch["speaker_mix"] @ self.middle
        else:
            middle = self.middle[batch["speaker"]] if len(self.middle) > 1 else self.middle
        return (contour + middle[:, None]).exp2().clamp(LOWEST, HIGHEST)

    def mel(self, states: States, f0: Tensor, voiced: Tensor) -> Tensor:
        """Return the normalised mel (B, T, M) of frames with f0 (B, T) in Hz where voiced."""
        place = (f0.clamp_min(LOWEST) / LOWEST).log2() / STEP
        index = place.round().long().clamp_max(len(self.patterns) - 1)
        harmonics = self.patterns[index].mT * voiced[:, None]
        x = torch.cat([states.hidden, harmonics, voiced[:, None]], 1)
        mel: Tensor = self.decoder(x, states.mask).float().mT
        return mel
