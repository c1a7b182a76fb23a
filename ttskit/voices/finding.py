"""Where the sentences of a text are in a long recording, by a trained aligner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ttskit.errors import ArtifactError
from ttskit.voices.aligner import read_aligner

if TYPE_CHECKING:
    from ttskit.voices.model import Model

STEP = 2  # frames that are taken together
BLOCK = 10_000 * STEP  # frames that are scored in one go
WORST = -10.0  # log-probability of a symbol at a frame, at least
OTHER = -5.0  # the same of what is not in the text
HUSH = -0.3  # more that silence between sentences costs than within


class Place(NamedTuple):
    """Where a sentence is, in seconds."""

    sentence: int
    start: float
    end: float


def find(model: Model, audio: np.ndarray, sentences: Sequence[np.ndarray]) -> list[Place]:
    """Return where sentences are in a recording, in order; some may be in it nowhere.

    Parameters
    ----------
    audio : (sample,) float
        At the sample rate of the model.
    sentences : (token,) int each
        Symbols, without begin and end.
    """
    from ttskit.dsp import finding

    silent = np.array(model.facts.silent)
    scores = _scores(model, audio)
    hush = scores[:, silent].max(1)
    scores[:, silent] = hush[:, None]
    rest = np.maximum(OTHER, hush + HUSH)
    seconds = STEP * model.facts.hop_length / model.facts.sample_rate
    rows = finding.find(scores, rest, sentences, silent)
    return [Place(int(one), first * seconds, after * seconds) for one, first, after in rows]


def reader(path: Path) -> Model:
    """Read the aligner that finds sentences."""
    from ttskit.models.attention import Attention

    model = read_aligner(path)
    if not issubclass(model.shape[0], Attention):
        raise ArtifactError("cannot find sentences: needs an aligner `attention`", file=path)
    return model


def _scores(model: Model, audio: np.ndarray) -> np.ndarray:
    """Return log-probabilities of symbols, (frame // STEP, symbol), the worst of them limited."""
    import torch

    from ttskit.dsp import mel
    from ttskit.models.attention import Attention
    from ttskit.models.vocoder import mel_settings

    module = model.module("cpu")
    assert isinstance(module, Attention)
    frames = torch.from_numpy(mel.mel(audio, mel_settings(model.facts)))
    blocks = []
    with torch.inference_mode():
        for start in range(0, len(frames), BLOCK):
            scores = module.alone(frames[start : start + BLOCK]).clamp_min(WORST)
            whole = scores[: len(scores) // STEP * STEP]
            blocks.append(whole.reshape(-1, STEP, scores.shape[1]).mean(1).numpy())
    return np.concatenate(blocks)
