"""PLCMOS: the mean opinion score of listeners, 1 to 5, as predicted by a network.

Diener et al., 2023: PLCMOS v2 from the package speechmos, without a reference.  It was trained on
packet loss; of synthesisers it ranks those that sound broken.  The network takes a random vector
that stands for a listener; the score is the mean over the same listeners for every recording.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.dsp import engines
from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score

SAMPLE_RATE = 16_000  # Hz
SCORES = {"plcmos": Score("MOS", "higher", least=None, worst=1.0)}


@dataclass(frozen=True)
class Settings:
    """The network, and the number and the seed of its listeners."""

    model: str = "plcmos_v2"
    listeners: int = 15
    seed: int = 0


class Listeners:
    """The network and the vectors of its listeners."""

    def __init__(self, settings: Settings) -> None:
        onnxruntime = engines.onnxruntime()
        from speechmos.plcmos import PLCMOS

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._network = PLCMOS(settings.model)
        self._network.session = onnxruntime.InferenceSession(self._network.model_path, options)
        draw = np.random.default_rng(settings.seed)
        self._moods = draw.normal(size=(settings.listeners, 1, 64)).astype(np.float32)

    def opinion(self, audio: np.ndarray) -> float:
        """Return the mean opinion score of a recording: (sample,) float at 16 kHz, within ±1."""
        spectrum = self._network.stft_transform(np.clip(audio, -1, 1)).astype(np.float32)
        run = self._network.session.run
        opinions = [
            run(None, {"degraded_audio": spectrum[None, None], "rater_embed": mood})[0]
            for mood in self._moods
        ]
        return float(np.mean(opinions))


def evaluate(audio: np.ndarray, listeners: Listeners) -> dict[str, float]:
    """Return the opinion of a recording: (sample,) float at 16 kHz."""
    return {"plcmos": listeners.opinion(audio)}


PLCMOS = Measure(
    "plcmos",
    "speech",
    SCORES,
    evaluate,
    Settings(),
    engine=Listeners,
    packages={"speechmos": "speechmos"},
    extra="eval",
)
