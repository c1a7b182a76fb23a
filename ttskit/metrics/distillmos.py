"""Distill-MOS: what listeners would say of the naturalness, from 1 to 5, as a network guesses.

Stahl and Gamper, 2025: a small network distilled from one on XLS-R, from the package distillmos,
without a reference.  It hears 16 kHz, nothing above 8 kHz, in pieces of 7.68 seconds.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score

SAMPLE_RATE = 16_000  # Hz
SCORES = {"distillmos": Score("MOS", "higher", least=None, worst=1.0)}


@dataclass(frozen=True)
class Settings:
    """Which weights."""

    model: str = "distill_mos_v7"


class Listener:
    """The network."""

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002
        from ttskit.dsp.engines import torchaudio

        torchaudio()  # which distillmos imports
        from distillmos import ConvTransformerSQAModel

        with contextlib.redirect_stdout(io.StringIO()):  # it says where its weights are
            self._network = ConvTransformerSQAModel().eval()

    def opinion(self, audio: np.ndarray) -> float:
        """(sample,) float at 16 kHz to the mean opinion score."""
        import torch

        with torch.inference_mode():
            heard = torch.from_numpy(np.ascontiguousarray(audio, np.float32))
            return float(self._network(heard[None]))


def evaluate(audio: np.ndarray, listener: Listener) -> dict[str, float]:
    """Return the opinion of a recording: (sample,) float at 16 kHz."""
    return {"distillmos": listener.opinion(audio)}


MEASURE = Measure(
    "distillmos",
    "speech",
    SCORES,
    evaluate,
    Settings(),
    engine=Listener,
    packages={"distillmos": "distillmos"},
    extra="eval",
)
