"""Frames of tokens, and their pitch: what decoders begin with.

Tokens are encoded and repeated for their frames; then the pitch of each frame is predicted.  What
harmonics of that pitch look like in a mel is computed, and is an input of the layers that follow.

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
from ttskit.models.vocoder import mel_settings
from ttskit.networks.batch import Batch
from ttskit.networks.convnext import Stack
from ttskit.networks.encoder import EncoderConfig, TextEncoder
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import PLACES, Scale, Speakers, expand, places, token_of_frame, until
from ttskit.settings import MOST_LAYERS, key, table

LOWEST, HIGHEST, STEP = 50.0, 800.0, 1 / 48  # Hz, Hz, octaves: the pitches of the patterns


@dataclass(frozen=True)
class FramesConfig:
    contour_hidden: int = key(128, "channels of the layers that predict the pitch", least=1)
    contour_layers: int = key(3, "number of these layers", least=1, most=MOST_LAYERS)
    contour_weight: float = key(
        0.1, "weight of the errors of pitch and voicing, whose gradient is steep", least=0
    )
    speaker_channels: int = key(64, "size of a speaker's embedding, if there are several", least=1)
    encoder: EncoderConfig = table(EncoderConfig, "the text encoder")


@dataclass(frozen=True)
class States:
    """Encoded tokens of the frames (B, H, T), and the mask of the frames (B, 1, T)."""

    hidden: Tensor
    mask: Tensor


class Frames(nn.Module):
    """From tokens, durations, pitch and loudness to states of frames, and their pitch."""

    middle: Tensor
    patterns: Tensor
    inputs: int  # channels that `voice` returns

    def __init__(self, config: FramesConfig, facts: Facts) -> None:
        super().__init__()
        speaker = config.speaker_channels if len(facts.speakers) > 1 else 0
        self.speakers = Speakers(facts, speaker) if speaker else None
        hidden = self.reader(config, facts, speaker)
        self.contour_weight = config.contour_weight
        self.contour = Stack(hidden, config.contour_hidden, config.contour_layers, 2, 0.1)
        self.inputs = hidden + facts.n_mels + 1
        self.scale = Scale(facts.statistics, "mel", facts.n_mels)
        middles = facts.statistics.get("f0_middle", np.zeros(len(facts.speakers)))
        self.register_buffer("middle", torch.tensor(np.asarray(middles, np.float32)))
        octaves = np.arange(0, np.log2(HIGHEST / LOWEST), STEP)
        harmonics = patterns(LOWEST * 2**octaves, mel_settings(facts)) / 2
        self.register_buffer("patterns", harmonics, persistent=False)

    def reader(self, config: FramesConfig, facts: Facts, speaker: int) -> int:
        """Make the layers of `states`, and return how many channels it has."""
        hidden = config.encoder.hidden
        self.encoder = TextEncoder(config.encoder, len(facts.symbols), speaker)
        self.given = nn.Conv1d(2, hidden, 3, padding=1)  # pitch and loudness of tokens
        return hidden + PLACES

    def states(self, batch: Batch) -> States:
        """Encode the tokens, and repeat each for its frames."""
        mask, durations = batch.mask("token"), batch["durations"]
        speaker = None if self.speakers is None else self.speakers(batch)
        hidden = self.encoder(batch["tokens"], mask, speaker)
        given = torch.stack([batch["pitch"], batch["loudness_token"]], 1)
        hidden = (hidden + self.given(given)) * mask[:, None]
        frames = durations.sum(1)
        longest = batch.longest(frames)
        token = token_of_frame(durations, batch.lengths["token"], longest)
        real = until(frames, longest)
        x = torch.cat([expand(hidden, token), places(durations, token)], 1)
        return States(x * real[:, None], real[:, None].float())

    def pitch(self, states: States) -> tuple[Tensor, Tensor]:
        """Return pitch (B, T) in octaves from the speaker's median, and logits of voicing."""
        contour, voicing = self.contour(states.hidden, states.mask).float().unbind(1)
        return contour, voicing

    def errors(self, batch: Batch, states: States) -> dict[str, Tensor]:
        """Return the terms of the loss that pitch and voicing are learned by."""
        contour, voicing = self.pitch(states)
        voiced = batch["voiced"].float()
        away = F.smooth_l1_loss(contour, batch["contour"], reduction="none", beta=0.05)
        wrong = F.binary_cross_entropy_with_logits(voicing, voiced, reduction="none")
        return {
            "contour": self.contour_weight * 10 * batch.mean(away * voiced, "frame"),
            "voicing": self.contour_weight * 0.2 * batch.mean(wrong, "frame"),
        }

    def hertz(self, batch: Batch, contour: Tensor) -> Tensor:
        """Return f0 (B, T) of a pitch (B, T) in octaves from the speaker's median."""
        if "speaker_mix" in batch:
            middle = batch["speaker_mix"] @ self.middle
        else:
            middle = self.middle[batch["speaker"]] if len(self.middle) > 1 else self.middle
        return (contour + middle[:, None]).exp2().clamp(LOWEST, HIGHEST)

    def recorded(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return f0 (B, T) in Hz and voicing (B, T), 0 or 1, as they were recorded."""
        return self.hertz(batch, batch["contour"]), batch["voiced"].float()

    def predicted(self, batch: Batch, states: States) -> tuple[Tensor, Tensor]:
        """Return f0 (B, T) in Hz and voicing (B, T) bool, as predicted."""
        contour, voicing = self.pitch(states)
        return self.hertz(batch, contour), (voicing > 0) & (states.mask[:, 0] > 0)

    def voice(self, states: States, f0: Tensor, voiced: Tensor) -> Tensor:
        """Return states, harmonics and voicing (B, inputs, T) of frames with f0 (B, T) in Hz."""
        place = (f0.clamp_min(LOWEST) / LOWEST).log2() / STEP
        index = place.round().long().clamp_max(len(self.patterns) - 1)
        harmonics = self.patterns[index].mT * voiced[:, None]
        return torch.cat([states.hidden, harmonics, voiced[:, None]], 1)

    def watched(
        self, batch: Batch, generated: Mapping[str, Tensor]
    ) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return errors of generated mel and pitch, and pictures of an utterance."""
        longest, frames = batch["mel"].shape[1], int(batch.lengths["frame"][0])
        generated = {name: value[:, :longest] for name, value in generated.items()}
        voiced = batch["voiced"] & generated["voiced"]
        true = self.hertz(batch, batch["contour"])
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
