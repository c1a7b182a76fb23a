"""A harmonic source as a vocoder: nothing to learn, and f0 is read off the mel.

Phases begin as those of harmonics and noise instead of at random, so a few rounds of Griffin-Lim
sound better than many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp.melpitch import pitch
from ttskit.dsp.source import source
from ttskit.models.vocoder import Weightless, mel_settings


class Source(Weightless):
    """Harmonics at the pitch of the mel, and noise, shaped by its bands."""

    knobs: ClassVar = {"rounds": 8.0, "momentum": 0.99}

    def part(self, mel: Tensor, rng: np.random.Generator, knobs: Mapping[str, float]) -> Tensor:
        settings, rounds = mel_settings(self.facts), int(knobs["rounds"])
        f0, voiced = pitch(mel.numpy(), settings)
        with torch.inference_mode():
            return source(mel, f0, voiced, settings, rng, rounds, knobs["momentum"])
