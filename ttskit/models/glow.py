"""Glow-TTS (Kim et al., 2020): a mel is an invertible image of noise around what the text says.

The encoder gives each token the mean of a Gaussian; the flow takes the frames of a mel to where
those Gaussians are, and back.  Which token a frame belongs to is given by durations, or found by
the model itself while it trains: of all monotonic ways the likeliest.

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
from ttskit.networks.encoder import EncoderConfig, TextEncoder
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.invertible import Flow, FlowConfig, squeezed
from ttskit.networks.layers import (
    LayerNorm,
    Scale,
    Speakers,
    expand,
    likeliest,
    noise_like,
    token_of_frame,
)
from ttskit.settings import key, table

HALF_LOG = math.log(2 * math.pi) / 2
READ_DURATIONS = ("coarse_layers", "pitch")  # what needs them before they are found


@dataclass(frozen=True)
class GlowConfig:
    durations: str = key("alignment", "where they come from", choices=("alignment", "joint"))
    mean_only: bool = key(True, "the Gaussians of the tokens all have deviation 1")
    speaker_channels: int = key(
        256, "size of the vector of a speaker, if there are several", least=1
    )
    speaker_in_encoder: bool = key(False, "tell the encoder who speaks too, not the flow alone")
    pitch: bool = key(False, "tell the encoder the pitch of each token")
    coarse_layers: int = key(0, "layers that foretell a mel, which the flow refines", least=0)
    coarse_hidden: int = key(192, "their channels", least=1)
    encoder: EncoderConfig = table(EncoderConfig, "the text encoder")
    flow: FlowConfig = table(FlowConfig, "the invertible network")

    def __post_init__(self) -> None:
        for name in READ_DURATIONS:
            if self.durations == "joint" and (value := getattr(self, name)):
                raise SettingError(f"{name} is {value}, needs 0 where durations is joint")


class Glow(Family):
    """Tokens and their durations in, a mel out."""

    config: GlowConfig
    silent: Tensor
    role = "decoder"
    Config = GlowConfig
    knobs = {"noise_scale": 0.667}  # noqa: RUF012
    presets = {  # noqa: RUF012
        "base": {
            "training.batch": 32,
            "training.optimizer": "adam",
            "training.learning_rate": 1.14e-3,  # 192 ** -0.5 * 4000 ** -0.5
            "training.beta1": 0.9,
            "training.beta2": 0.98,
            "training.epsilon": 1e-9,
            "training.schedule": "noam",
            "training.warmup": 4000,
            "training.clip_value": 5.0,
        },
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
    }

    def __init__(self, config: GlowConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        hidden, channels = config.encoder.hidden, facts.n_mels
        speaker = config.speaker_channels if len(facts.speakers) > 1 else 0
        self.speakers = Speakers(facts, speaker) if speaker else None
        self.encoder = TextEncoder(
            config.encoder, len(facts.symbols), speaker if config.speaker_in_encoder else 0
        )
        self.pitch = nn.Conv1d(1, hidden, 3, padding=1) if config.pitch else None
        self.coarse = Coarse(config, channels) if config.coarse_layers else None
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
        told = ("durations",) if config.durations == "alignment" else ()
        return ("tokens", "mel", "speaker", *told, *(("pitch",) if config.pitch else ()))

    @classmethod
    def takes(cls, config: GlowConfig) -> tuple[str, ...]:
        return ("tokens", "durations", *(("pitch",) if config.pitch else ()))

    @classmethod
    def makes(cls, config: GlowConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel",)

    @classmethod
    def aligns(cls, config: GlowConfig) -> bool:
        return not any(getattr(config, name) for name in READ_DURATIONS)

    def initialise(self, batch: Batch) -> None:
        mel, real = self._whole_steps(batch)
        speaker = self._speaker(batch)
        coarse = self._foretold(self._hidden(batch, speaker), batch, real)
        self.flow.initialise(mel - coarse.mel, real, self._told(speaker, coarse))

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002
        """Return the negative log-likelihood of a mel, by frame and channel (equation 2).

        Of a coarse mel also how far it is off; the flow learns what it misses, and leaves it alone.
        """
        mel, real = self._whole_steps(batch)
        speaker = self._speaker(batch)
        hidden = self._hidden(batch, speaker)
        coarse = self._foretold(hidden, batch, real)
        kept = coarse.detached()
        noise, log_determinant = self.flow(mel - kept.mel, real, self._told(speaker, kept))
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
        off = {"coarse": ((coarse.mel - mel) * real[:, None]).abs().sum() / size}
        return {"likelihood": total / size, **(off if self.coarse else {})}

    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return mels (B, T, C) of as many frames as the durations say, zero after."""
        noise_scale = {**self.knobs, **knobs}["noise_scale"]
        durations, speaker = batch["durations"], self._speaker(batch)
        frames = durations.sum(1)
        steps = _steps(frames, self.config.flow.squeeze, up=True)
        real = _until(steps, int(steps.max()))
        hidden = self._hidden(batch, speaker)
        coarse = self._foretold(hidden, batch, real)
        mean, log_deviation = self._expected(hidden, durations, batch, real)
        noise = mean + log_deviation.exp() * noise_like(mean, generator) * noise_scale
        fine = self.flow.inverse(noise * real[:, None], real, self._told(speaker, coarse))
        mel = self.scale.inverse((coarse.mel + fine).mT)[:, : int(frames.max())]  # (B, T, C)
        return {"mel": mel * _until(frames, mel.shape[1])[..., None]}

    @torch.no_grad()
    def scores(self, batch: Batch) -> Tensor:
        """Return how likely each token makes each frame, (B, T, N): what MAS searches."""
        speaker = self._speaker(batch)
        mel, real = self._whole_steps(batch, up=True)
        noise, _ = self.flow(mel, real, self._told(speaker, None))
        return self._likelihood(noise, self._hidden(batch, speaker))[:, : batch["mel"].shape[1]]

    def align(self, batch: Batch) -> Tensor:
        """Return the likeliest durations, (B, N)."""
        return likeliest(self.scores(batch), batch, batch.lengths["frame"], self.silent)

    def fold(self) -> None:
        self.flow.fold()
        super().fold()

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return how far mels without noise are from true ones, and both of the first utterance."""
        from ttskit.dsp import mas

        frames, pictures = int(batch.lengths["frame"][0]), {}
        if self.config.durations == "joint":
            batch = batch.with_fields(durations=self.align(batch))
            path = mas.path(batch["durations"][0].cpu().numpy(), frames).T
            pictures["alignment"] = Picture(path.astype(np.float32), "frame", "token")
        made, true = self.generate(batch, noise_scale=0.0)["mel"], batch["mel"]
        for name, mel in (("made", made), ("true", true)):
            pictures[name] = Picture(mel[0, :frames].T.cpu().numpy(), "frame", "mel")
        return {"mel_error": float(batch.mean((made - true).abs(), "frame"))}, pictures

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
        """Return what is known of each token, (B, H, N)."""
        mask = batch.mask("token")
        speaker = speaker if self.config.speaker_in_encoder else None
        hidden = self.encoder(batch["tokens"], mask, speaker)
        if self.pitch is not None:
            hidden = hidden + self.pitch(batch["pitch"][:, None])
        return hidden * mask[:, None]

    def _gaussians(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the deviation for each place of (B, H, L), both float32.

        Where a coarse mel says all that there is to expect, they are 0.
        """
        if self.prior is None:
            nothing = hidden.new_zeros(len(hidden), self.facts.n_mels, hidden.shape[2]).float()
            return nothing, nothing
        found = self.prior(hidden).float()
        if self.config.mean_only:
            return found, torch.zeros_like(found)
        return found.chunk(2, 1)

    def _expected(
        self, hidden: Tensor, durations: Tensor, batch: Batch, real: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the deviation of each frame of `real` (B, T), (B, C, T)."""
        token = token_of_frame(durations, batch.lengths["token"], real.shape[1])
        mean, log_deviation = (expand(x, token) for x in self._gaussians(hidden))
        return mean, log_deviation

    def _foretold(self, hidden: Tensor, batch: Batch, real: Tensor) -> Foretold:
        """Return the coarse mel of each frame of `real` (B, T); nothing without layers for it."""
        if self.coarse is None:
            return Foretold(torch.zeros((), device=hidden.device), None)
        durations = batch["durations"]
        token = token_of_frame(durations, batch.lengths["token"], real.shape[1])
        return self.coarse(expand(hidden, token), within(durations, token), real[:, None])

    def _told(self, speaker: Tensor | None, coarse: Foretold | None) -> Tensor | None:
        """Return what the flow is told, (B, channels, steps), or 1 where it is the same for all."""
        told = [] if speaker is None else [speaker[..., None]]
        if coarse is not None and coarse.states is not None:
            states = squeezed(coarse.states, self.config.flow.squeeze)
            told = [*(one.expand(-1, -1, states.shape[2]) for one in told), states]
        return torch.cat(told, 1) if told else None

    def _whole_steps(self, batch: Batch, up: bool = False) -> tuple[Tensor, Tensor]:
        """Return the normalised mel (B, C, T) in whole steps of the flow, and what is real (B, T).

        The frames that are too few for a step are left out, or filled `up` by repeating the last.
        """
        frames = batch.lengths["frame"]
        steps = _steps(frames, self.config.flow.squeeze, up)
        longest = int(steps.max())
        index = torch.arange(longest, device=frames.device).minimum(frames[:, None] - 1)  # (B, T)
        mel = expand(self.scale(batch["mel"]).mT, index)
        real = _until(steps, longest)
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


class Foretold(NamedTuple):
    """A coarse mel (B, C, T), and the states (B, H, T) that it was read from."""

    mel: Tensor
    states: Tensor | None

    def detached(self) -> Foretold:
        return Foretold(self.mel.detach(), None if self.states is None else self.states.detach())


class Coarse(nn.Module):
    """A mel by convolutions over frames, by least absolute error: what is typical of the text."""

    def __init__(self, config: GlowConfig, channels: int) -> None:
        super().__init__()
        hidden = config.coarse_hidden
        self.entry = nn.Conv1d(config.encoder.hidden + 3, hidden, 1)
        self.layers = nn.ModuleList(Residual(hidden, 7) for _ in range(config.coarse_layers))
        self.last = LayerNorm(hidden)
        self.output = nn.Conv1d(hidden, channels, 1)

    def forward(self, x: Tensor, place: Tensor, mask: Tensor) -> Foretold:
        """x (B, H, T) and where in its token each frame is (B, 3, T), mask (B, 1, T)."""
        x = self.entry(torch.cat([x, place], 1)) * mask
        for layer in self.layers:
            x = layer(x, mask)
        states = self.last(x) * mask
        return Foretold(self.output(states).float() * mask, states)


class Residual(nn.Module):
    """Each channel over frames, then all channels of a frame (Liu et al., 2022, ConvNeXt)."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = LayerNorm(channels)
        self.up, self.down = (
            nn.Conv1d(channels, 2 * channels, 1),
            nn.Conv1d(2 * channels, channels, 1),
        )
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        change = self.down(nn.functional.gelu(self.up(self.norm(self.along(x)))))
        return (x + self.dropout(change)) * mask


def within(durations: Tensor, token: Tensor) -> Tensor:
    """Return where each frame is in its token, from its start and to its end, and how long it is.

    Durations (B, N) and the token of each frame (B, T) -> (B, 3, T).
    """
    lasting = durations.gather(1, token).clamp_min(1).float()
    starts = (durations.cumsum(1) - durations).gather(1, token)
    at = torch.arange(token.shape[1], device=token.device) - starts + 0.5
    return torch.stack([at / lasting, 1 - at / lasting, lasting.log1p() / 3], 1).clamp(-1, 2)


def _steps(frames: Tensor, squeeze: int, up: bool) -> Tensor:
    """Return the frames (B,) that whole steps have."""
    return (frames + (squeeze - 1 if up else 0)) // squeeze * squeeze


def _until(lengths: Tensor, longest: int) -> Tensor:
    """Return what is real of (B, longest)."""
    return torch.arange(longest, device=lengths.device) < lengths[:, None]
