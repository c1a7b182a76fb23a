"""The duration predictor of Glow-TTS (Kim et al., 2020), with a text encoder of its own.

It predicts log(1 + frames) with a squared error, which unlike log(frames) is defined for silent
tokens of 0 frames.  Durations from mean logarithms are too short, by some 8 % of the tempo; one
learned factor corrects their sum.  Pitch and loudness of the tokens can be predicted too.

Shapes: B batch, H hidden channels, K values to predict, N tokens, S channels of a speaker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ttskit.errors import SettingError
from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.encoder import EncoderConfig, TextEncoder
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import Speakers
from ttskit.networks.predictor import Predictor, PredictorConfig
from ttskit.settings import key, table

FIELDS = {"pitch": "pitch", "loudness": "loudness_token"}  # value of `predict` -> field
TRAINING = {
    "training.batch": 32,
    "training.optimizer": "adamw",
    "training.learning_rate": 1e-3,
    "training.schedule": "cosine",
    "training.warmup": 200,
    "training.clip_norm": 1.0,
}
TINY = {
    "encoder.hidden": 96,
    "encoder.filter": 384,
    "encoder.layers": 2,
    "encoder.ends": True,
    "encoder.prenet_dropout": 0.2,
    "predictor.hidden": 128,
    "predictor.dropout": 0.2,
    "speaker_channels": 32,
    "training.batch": 16,
}


@dataclass(frozen=True)
class PlainConfig:
    predict: tuple[str, ...] = key((), "predict these in addition to durations: pitch, loudness")
    speaker_channels: int = key(256, "size of a speaker's embedding", least=1)
    encoder: EncoderConfig = table(EncoderConfig, "the text encoder")
    predictor: PredictorConfig = table(PredictorConfig, "the predictor after the encoder")

    def __post_init__(self) -> None:
        for name in self.predict:
            if name not in FIELDS:
                raise SettingError(f"predict has {name!r}, needs {' or '.join(FIELDS)}")


class Plain(Family):
    """A duration model: from tokens to the number of frames of each."""

    role = "duration"
    Config = PlainConfig
    presets = {"base": TRAINING, "tiny": {**TRAINING, **TINY}}  # noqa: RUF012
    config: PlainConfig

    def __init__(self, config: PlainConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.fields = tuple(FIELDS[name] for name in config.predict)
        self.encoder = TextEncoder(config.encoder, len(facts.symbols))
        self.speakers = Speakers(facts, config.speaker_channels)
        self.predictor = self._predictor()
        self.values = nn.Conv1d(config.predictor.hidden, 1 + len(self.fields), 1)
        self.stretch = nn.Parameter(torch.zeros(()))  # logarithm of a factor

    @classmethod
    def needs(cls, config: PlainConfig) -> tuple[str, ...]:
        return ("tokens", "durations", "speaker", *(FIELDS[name] for name in config.predict))

    @classmethod
    def takes(cls, config: PlainConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("tokens",)

    @classmethod
    def makes(cls, config: PlainConfig) -> tuple[str, ...]:
        return ("durations", *(FIELDS[name] for name in config.predict))

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002
        states = self._states(batch)
        return self._terms(states, self._errors(states, batch), batch)

    def generate(
        self,
        batch: Batch,
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        return self._predictions(self._states(batch), batch)

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return the error of durations in frames, the tempo, and durations of one utterance."""
        predicted, true = self.generate(batch)["durations"], batch["durations"]
        count = int(batch.lengths["token"][0])
        curves = {"made": predicted, "true": true}
        lines = {name: x[0, :count].cpu().numpy() for name, x in curves.items()}
        numbers = {
            "frames_error": float(batch.mean((predicted - true).abs(), "token")),
            "tempo": float(true.sum() / predicted.sum().clamp_min(1)),
        }
        return numbers, {"durations": Picture(np.zeros((0, count)), "token", "frames", lines)}

    def _predictor(self) -> Predictor:
        channels = self.config.encoder.hidden + self.config.speaker_channels
        return Predictor(self.config.predictor, channels)

    def _states(self, batch: Batch) -> Tensor:
        """Return the states of tokens that all values are predicted from, (B, H, N)."""
        mask = batch.mask("token")
        hidden = self.encoder(batch["tokens"], mask)
        speaker = self.speakers(batch)[..., None].expand(-1, -1, hidden.shape[2])
        return self.predictor(torch.cat([hidden, speaker], 1), mask[:, None])

    def _errors(self, states: Tensor, batch: Batch) -> Tensor:
        """Return the squared error of each value, (B, K, N)."""
        true = [batch["durations"].float().log1p(), *(batch[name] for name in self.fields)]
        return (self.values(states).float() - torch.stack(true, 1)).square()

    def _terms(self, states: Tensor, errors: Tensor, batch: Batch) -> dict[str, Tensor]:
        names = ("durations", *self.config.predict)
        terms = {name: batch.mean(errors[:, i], "token") for i, name in enumerate(names)}
        frames = _frames(self.values(states).float()).detach() * batch.mask("token")
        sums = frames.sum(1).clamp_min(1e-3) * self.stretch.exp(), batch["durations"].sum(1)
        return {**terms, "tempo": _deviance(*sums).sum() / batch.count("token")}

    def _predictions(self, states: Tensor, batch: Batch) -> dict[str, Tensor]:
        values = self.values(states).float() * batch.mask("token")[:, None]
        others = {name: values[:, i] for i, name in enumerate(self.fields, 1)}
        return {"durations": _frames(values) * self.stretch.exp(), **others}


def _frames(values: Tensor) -> Tensor:
    """Return durations (B, N) from values (B, K, N), the first of which is log(1 + frames)."""
    return values[:, 0].expm1().clamp_min(0)


def _deviance(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the Poisson deviance of counts, 0 where they agree; its minimum has equal sums."""
    return predicted - true + true * (true / predicted).log()
