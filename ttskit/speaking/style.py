"""Reference recordings, whose style a text is to be spoken in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import AudioError, at

if TYPE_CHECKING:
    from ttskit.networks.facts import Facts

LEAST = 0.5  # seconds


def mel_of_file(path: Path, facts: Facts) -> np.ndarray:
    """Return the mel (frame, mel) of an audio file, at the settings of a model."""
    from ttskit.dsp import mel
    from ttskit.dsp.samples import resample
    from ttskit.formats import audio
    from ttskit.models.vocoder import mel_settings

    samples, rate = audio.read(path)
    with at(path):
        if len(samples) < LEAST * rate:
            raise AudioError(f"lasts {len(samples) / rate:.2f} s, a style needs {LEAST} s")
        resampled = resample(samples, rate, facts.sample_rate)
        return mel.mel(resampled.astype(np.float32), mel_settings(facts))
