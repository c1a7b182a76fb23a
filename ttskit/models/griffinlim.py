"""Griffin-Lim as a vocoder: nothing to learn, so any mel can be heard at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp.griffinlim import griffinlim
from ttskit.models.vocoder import Weightless, mel_settings


class Griffinlim(Weightless):
    """Audio whose mel is right, with phases that fit themselves."""

    knobs: ClassVar = {"rounds": 32.0, "momentum": 0.99}

    def part(self, mel: Tensor, rng: np.random.Generator, knobs: Mapping[str, float]) -> Tensor:
        settings, rounds = mel_settings(self.facts), int(knobs["rounds"])
        return torch.from_numpy(griffinlim(mel.numpy(), settings, rng, rounds, knobs["momentum"]))
