"""Speaker similarity: the cosine of two voice embeddings, by the package resemblyzer.

Wan et al., 2018.  Recordings of one speaker have about 0.8 to 0.95, of two at most about 0.63.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score

SAMPLE_RATE = 16_000  # Hz
SCORES = {"speaker_similarity": Score("cosine", "higher", least=None)}


@dataclass(frozen=True)
class Settings:
    """The package of the embedding."""

    model: str = "resemblyzer"


class Encoder:
    """The network that computes voice embeddings."""

    def __init__(self, _: Settings) -> None:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of webrtcvad, about pkg_resources
            from resemblyzer import VoiceEncoder, preprocess_wav

            self._prepare: Any = preprocess_wav
            self._encoder: Any = VoiceEncoder("cpu", verbose=False)

    def embedding(self, audio: np.ndarray) -> np.ndarray:
        """Return the embedding, (256,) of length 1, of a recording, (sample,) float at 16 kHz."""
        return np.asarray(self._encoder.embed_utterance(self._prepare(audio, SAMPLE_RATE)))


def evaluate(reference: np.ndarray, synthesised: np.ndarray, encoder: Encoder) -> dict[str, float]:
    """Return the cosine of the embeddings of two recordings, (sample,) float at 16 kHz."""
    cosine = encoder.embedding(reference) @ encoder.embedding(synthesised)
    return {"speaker_similarity": min(1.0, float(cosine))}


MEASURE = Measure(
    "speaker",
    "voices",
    SCORES,
    evaluate,
    Settings(),
    engine=Encoder,
    packages={"resemblyzer": "resemblyzer"},
    extra="speaker",
)
