"""What harmonics look like in a log-mel spectrogram.

K pitches, M mel bands.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp.mel import MelSettings, MelSpectrogram
from ttskit.dsp.source import pulses

FRAMES = 12  # of a tone that is looked at


def patterns(f0: np.ndarray, settings: MelSettings) -> Tensor:
    """Return the log-mel (K, M) of steady harmonics of each f0 (K,) in Hz, of mean 0."""
    tones = pulses(torch.from_numpy(f0)[:, None].expand(-1, FRAMES), settings)
    log_mel = MelSpectrogram(settings)(tones)[:, 3:-3].mean(1)
    return log_mel - log_mel.mean(1, keepdim=True)
