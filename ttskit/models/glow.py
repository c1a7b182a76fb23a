"""Glow-TTS (Kim et al., 2020): an invertible flow between a mel and noise that depends on the text.

The encoder predicts the mean of a Gaussian for each token; the flow maps the frames of a mel into
the space of these Gaussians, and back.  Which token a frame belongs to is given by durations, or
by the likeliest monotonic alignment under the model, searched anew in each update.

Shapes: B batch, C mel channels, H hidden channels, N tokens, S channels of a speaker, T frames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ttskit.errors import SettingError
from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.convnext import Stack
from ttskit.networks.encoder import EncoderConfig, TextEncoder
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.invertible import Flow, FlowConfig, squeezed
from ttskit.networks.layers import (
    PLACES,
    Scale,
    Speakers,
    expand,
    likeliest,
    noise_like,
    places,
    token_of_frame,
    until,
)
from ttskit.networks.predictor import Predictor, PredictorConfig
from ttskit.settings import MOST_LAYERS, key, table

HALF_LOG = math.log(2 * math.pi) / 2
READ_DURATIONS = ("coarse_layers", "pitch")  # settings that need durations as an input
LEAST = 0.5  # frames that silent tokens without any count as where a logarithm is taken
TRAINING = {
    "training.batch": 32,
    "training.optimizer": "adam",
    "training.learning_rate": 1.14e-3,  # 192 ** -0.5 * 4000 ** -0.5
    "training.beta1": 0.9,
    "training.beta2": 0.98,
    "training.epsilon": 1e-9,
    "training.weight_decay": 0.0,
    "training.schedule": "noam",
    "training.warmup": 4000,
    "training.clip_norm": 0.0,
    "training.clip_value": 5.0,
}
# As published, all sizes too.  What differs: the mel is normalised by its statistics; no blank
# lies between phonemes, but one between words, which may last no frame; predicted durations are
# rounded so that their sum is kept, not each of them up.
PAPER = TRAINING | {"durations": "joint", "predict_durations": True}


@dataclass(frozen=True)
class GlowConfig:
    durations: str = key(
        "alignment",
        "where durations come from (joint: found in training)",
        choices=("alignment", "joint"),
    )
    predict_durations: bool = key(
        False,
        "joint: predict durations too, from the states of the encoder",
    )
    mean_only: bool = key(True, "the Gaussians of the tokens all have standard deviation 1")
    speaker_channels: int = key(256, "size of a speaker's embedding, if there are several", least=1)
    speaker_in_encoder: bool = key(
        False, "condition the encoder on the speaker as well as the flow"
    )
    pitch: bool = key(False, "add the pitch of each token to the encoder's output")
    coarse_layers: int = key(
        0,
        "layers that predict a coarse mel for the flow to refine; 0 for none",
        least=0,
        most=MOST_LAYERS,
    )
    coarse_hidden: int = key(192, "channels of these layers", least=1)
    encoder: EncoderConfig = table(EncoderConfig, "the text encoder")
    predictor: PredictorConfig = table(PredictorConfig, "the predictor of durations, if any")
    flow: FlowConfig = table(FlowConfig, "the invertible network")

    def __post_init__(self) -> None:
        for name in READ_DURATIONS:
            if self.durations == "joint" and (value := getattr(self, name)):
                raise SettingError(f"{name} is {value}, needs 0 where durations is joint")
        if self.predict_durations and self.durations != "joint":
            raise SettingError("predict_durations needs durations to be joint")


class Glow(Family):
    """A decoder: from tokens and durations to a mel."""

    config: GlowConfig
    silent: Tensor
    role = "decoder"
    Config = GlowConfig
    knobs = {"noise_scale": 0.667}  # noqa: RUF012
    presets = {  # noqa: RUF012
        "base": TRAINING,
        "tiny": {
            "speaker_channels": 32,
            "speaker_in_encoder": True,
            "encoder.hidden": 96,
            "encoder.filter": 384,
            "encoder.layers": 4,
            "encoder.prenet_dropout": 0.2,
            "coarse_layers": 6,
            "coarse_hidden": 192,
            "flow.hidden": 48,
            "flow.blocks": 4,
            "flow.layers": 3,
            "flow.dropout": 0.0,
            "training.batch": 16,
            "training.optimizer": "adamw",
            "training.learning_rate": 1e-3,
            "training.schedule": "cosine",
            "training.warmup": 200,
            "training.clip_norm": 1.0,
        },
        "paper": PAPER,
    }

    def __init__(self, config: GlowConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        hidden, channels = config.encoder.hidden, facts.n_mels
        speaker = config.speaker_channels if len(facts.speakers) > 1 else 0
        self.speakers = Speakers(facts, speaker) if speaker else None
        self.encoder = TextEncoder(
            config.encoder, len(facts.symbols), speaker if config.speaker_in_encoder else 0
        )
        self.durations = (
            DurationPredictor(config.predictor, hidden + speaker)
            if config.predict_durations
            else None
        )
        self.pitch = nn.Conv1d(1, hidden, 3, padding=1) if config.pitch else None
        entry = hidden + PLACES, config.coarse_hidden, config.coarse_layers, channels
        self.coarse = Stack(*entry, dropout=0.1) if config.coarse_layers else None
        values = channels if config.mean_only else 2 * channels
        self.prior = None if self.coarse else nn.Conv1d(hidden, values, 1)
        coarse = config.coarse_hidden * config.flow.squeeze if self.coarse else 0
        self.flow = Flow(config.flow, channels, speaker + coarse)
        self.scale = Scale(facts.statistics, "mel", channels)
        self.register_buffer(
            "silent", torch.tensor(facts.silent, dtype=torch.bool), persistent=False
        )

    @classmethod
    def needs(cls, config: GlowConfig) -> tuple[str, ...]:
        durations = ("durations",) if config.durations == "alignment" else ()
        return ("tokens", "mel", "speaker", *durations, *(("pitch",) if config.pitch else ()))

    @classmethod
    def takes(cls, config: GlowConfig) -> tuple[str, ...]:
        durations = () if config.predict_durations else ("durations",)
        return ("tokens", *durations, *(("pitch",) if config.pitch else ()))

    @classmethod
    def makes(cls, config: GlowConfig) -> tuple[str, ...]:
        return ("durations", "mel") if config.predict_durations else ("mel",)

    @classmethod
    def aligns(cls, config: GlowConfig) -> bool:
        return not any(getattr(config, name) for name in READ_DURATIONS)

    @classmethod
    def step(cls, config: GlowConfig) -> int:
        return config.flow.squeeze

    def initialise(self, batch: Batch) -> None:
        mel, real = self._whole_steps(batch)
        speaker = self._speaker(batch)
        coarse = self._coarse_mel(self._hidden(batch, speaker), batch, real)
        self.flow.initialise(mel - coarse.mel, real, self._condition(speaker, coarse))

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002
        """Return the mean negative log-likelihood of the mel per frame and channel (equation 2).

        With a coarse mel, also its mean absolute error.  The flow is trained on the remaining
        error; its loss has no gradient for the coarse mel.  With predicted durations, also their
        error (equation 7), which has no gradient for the encoder.
        """
        mel, real = self._whole_steps(batch)
        speaker = self._speaker(batch)
        hidden = self._hidden(batch, speaker)
        coarse = self._coarse_mel(hidden, batch, real)
        fixed = coarse.detached()
        noise, log_determinant = self.flow(mel - fixed.mel, real, self._condition(speaker, fixed))
        if self.config.durations == "joint":
            scores = self._likelihood(noise, hidden)
            durations = likeliest(scores, batch, real.sum(1), self.silent)
        else:
            durations = batch["durations"]
        mean, log_deviation = self._expected(hidden, durations, batch, real)
        away = (noise - mean) * (-log_deviation).exp()
        each = log_deviation + away.square() / 2 + HALF_LOG  # (B, C, T)
        total = (each * real[:, None]).sum() - log_determinant.sum()
        size = batch.count("frame") * mel.shape[1]
        terms = {"likelihood": total / size}
        if self.coarse:
            terms["coarse"] = ((coarse.mel - mel) * real[:, None]).abs().sum() / size
        if self.durations is not None:
            predicted = self.durations(hidden, batch.mask("token"), speaker)
            error = predicted - durations.clamp(min=LEAST).log()
            terms["durations"] = batch.mean(error.square(), "token")
        return terms

    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return mels (B, T, C) whose frames are those of the durations, 0 in the padding.

        Where the batch has no durations, they are returned instead, if they are predicted.
        """
        noise_scale = {**self.knobs, **knobs}["noise_scale"]
        speaker = self._speaker(batch)
        hidden = self._hidden(batch, speaker)
        if self.durations is not None and "durations" not in batch:
            mask = batch.mask("token")
            return {"durations": self.durations(hidden, mask, speaker).exp() * mask}
        durations = batch["durations"]
        frames = durations.sum(1)
        squeeze = self.config.flow.squeeze
        steps = _steps(frames, squeeze, up=True)
        longest = batch.longest(steps)
        real = until(steps, longest + -longest % squeeze)
        coarse = self._coarse_mel(hidden, batch, real)
        mean, log_deviation = self._expected(hidden, durations, batch, real)
        random = batch["noise"] if "noise" in batch else noise_like(mean, generator) * noise_scale
        noise = mean + log_deviation.exp() * random
        fine = self.flow.inverse(noise * real[:, None], real, self._condition(speaker, coarse))
        mel = self.scale.inverse((coarse.mel + fine).mT)[:, : batch.longest(frames)]  # (B, T, C)
        return {"mel": mel * until(frames, mel.shape[1])[..., None]}

    @torch.no_grad()
    def scores(self, batch: Batch) -> Tensor:
        """Return the log-density of each frame under each token, (B, T, N)."""
        speaker = self._speaker(batch)
        mel, real = self._whole_steps(batch, up=True)
        noise, _ = self.flow(mel, real, self._condition(speaker, None))
        return self._likelihood(noise, self._hidden(batch, speaker))[:, : batch["mel"].shape[1]]

    def align(self, batch: Batch) -> Tensor:
        """Return the durations of the likeliest monotonic alignment, (B, N)."""
        return likeliest(self.scores(batch), batch, batch.lengths["frame"], self.silent)

    def fold(self) -> None:
        self.flow.fold()
        super().fold()

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return the error of mels generated without noise, and pictures of the first utterance."""
        from ttskit.dsp import mas

        frames, pictures = int(batch.lengths["frame"][0]), {}
        if self.config.durations == "joint":
            batch = batch.with_fields(durations=self.align(batch))
            path = mas.path(batch["durations"][0].cpu().numpy(), frames).T
            pictures["alignment"] = Picture(path.astype(np.float32), "frame", "token")
        generated, true = self.generate(batch, noise_scale=0.0)["mel"], batch["mel"]
        for name, mel in (("made", generated), ("true", true)):
            pictures[name] = Picture(mel[0, :frames].T.cpu().numpy(), "frame", "mel")
        return {"mel_error": float(batch.mean((generated - true).abs(), "frame"))}, pictures

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        encoder, flow = self.config.encoder, self.config.flow
        tokens, frames = lengths["token"], lengths["frame"]
        coupling = 8 * flow.hidden * flow.layers // flow.squeeze + 6 * self.facts.n_mels
        layer = 12 * encoder.hidden + 3 * encoder.filter + 4 * encoder.heads * tokens
        floats = frames * flow.blocks * coupling + tokens * (encoder.layers + 1) * layer
        return 4 * utterances * floats

    def _speaker(self, batch: Batch) -> Tensor | None:
        return None if self.speakers is None else self.speakers(batch)

    def _hidden(self, batch: Batch, speaker: Tensor | None) -> Tensor:
        """Return the encoded tokens, (B, H, N), with their pitch if configured."""
        mask = batch.mask("token")
        speaker = speaker if self.config.speaker_in_encoder else None
        hidden = self.encoder(batch["tokens"], mask, speaker)
        if self.pitch is not None:
            hidden = hidden + self.pitch(batch["pitch"][:, None])
        return hidden * mask[:, None]

    def _gaussians(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-deviation of the Gaussian at each place of (B, H, L), in float32.

        With a coarse mel both are 0.
        """
        if self.prior is None:
            zeros = hidden.new_zeros(len(hidden), self.facts.n_mels, hidden.shape[2]).float()
            return zeros, zeros
        values = self.prior(hidden).float()
        if self.config.mean_only:
            return values, torch.zeros_like(values)
        return values.chunk(2, 1)

    def _expected(
        self, hidden: Tensor, durations: Tensor, batch: Batch, real: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return mean and log-deviation of the Gaussian of each frame, (B, C, T).

        `real` (B, T) is the mask of the frames.
        """
        token = token_of_frame(durations, batch.lengths["token"], real.shape[1])
        mean, log_deviation = (expand(x, token) for x in self._gaussians(hidden))
        return mean, log_deviation

    def _coarse_mel(self, hidden: Tensor, batch: Batch, real: Tensor) -> CoarseMel:
        """Return the coarse mel of frames with the mask `real` (B, T), or 0 if there is none."""
        if self.coarse is None:
            return CoarseMel(torch.zeros((), device=hidden.device), None)
        durations = batch["durations"]
        token = token_of_frame(durations, batch.lengths["token"], real.shape[1])
        frames = torch.cat([expand(hidden, token), places(durations, token)], 1)
        states = self.coarse.states(frames, real[:, None])
        return CoarseMel(self.coarse.output(states).float() * real[:, None], states)

    def _condition(self, speaker: Tensor | None, coarse: CoarseMel | None) -> Tensor | None:
        """Return the condition of the flow, (B, channels, steps or 1): speaker and coarse mel."""
        parts = [] if speaker is None else [speaker[..., None]]
        if coarse is not None and coarse.states is not None:
            states = squeezed(coarse.states, self.config.flow.squeeze)
            parts = [*(one.expand(-1, -1, states.shape[2]) for one in parts), states]
        return torch.cat(parts, 1) if parts else None

    def _whole_steps(self, batch: Batch, up: bool = False) -> tuple[Tensor, Tensor]:
        """Return the normalised mel (B, C, T) in whole steps of the flow, and its mask (B, T).

        Frames that do not fill a step are dropped, or if `up` the last one is repeated.
        """
        frames = batch.lengths["frame"]
        steps = _steps(frames, self.config.flow.squeeze, up)
        longest = int(steps.max())
        index = torch.arange(longest, device=frames.device).minimum(frames[:, None] - 1)  # (B, T)
        mel = expand(self.scale(batch["mel"]).mT, index)
        real = until(steps, longest)
        return mel * real[:, None], real

    @torch.no_grad()
    def _likelihood(self, noise: Tensor, hidden: Tensor) -> Tensor:
        """Return the log-density of each frame under each token, (B, T, N)."""
        with torch.autocast(noise.device.type, enabled=False):
            mean, log_deviation = self._gaussians(hidden.float())
            precision = (-2 * log_deviation).exp()
            alone = (log_deviation + mean.square() * precision / 2).sum(1) + HALF_LOG * len(mean[0])
            together = noise.mT @ (mean * precision) - noise.square().mT @ precision / 2
            return together - alone[:, None]


class CoarseMel(NamedTuple):
    """A coarse mel (B, C, T), and the states (B, H, T) of the layer before it."""

    mel: Tensor
    states: Tensor | None

    def detached(self) -> CoarseMel:
        return CoarseMel(self.mel.detach(), None if self.states is None else self.states.detach())


class DurationPredictor(nn.Module):
    """The logarithm of the frames of each token, from the states of an encoder, held constant."""

    def __init__(self, config: PredictorConfig, channels: int) -> None:
        super().__init__()
        self.layers = Predictor(config, channels)
        self.value = nn.Conv1d(config.hidden, 1, 1)

    def forward(self, hidden: Tensor, mask: Tensor, speaker: Tensor | None) -> Tensor:
        """hidden (B, H, N), mask (B, N), speaker (B, S) -> (B, N)."""
        known = [] if speaker is None else [speaker[..., None].expand(-1, -1, hidden.shape[2])]
        states = self.layers(torch.cat([hidden.detach(), *known], 1), mask[:, None])
        return self.value(states).float()[:, 0]


def _steps(frames: Tensor, squeeze: int, up: bool) -> Tensor:
    """Return the number of frames (B,) in whole steps."""
    return (frames + (squeeze - 1 if up else 0)) // squeeze * squeeze
