"""The encoder of a recording: what f0 and loudness do not tell, as a few numbers a frame.

Mel-frequency cepstra, normalised over the utterance, a GRU and a linear layer: the encoder of z in
the DDSP autoencoder (Engel et al., 2020).

B batch, T frames, M mel bands, C cepstra, Z numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ttskit.errors import SettingError
from ttskit.settings import key

FAINT = 1e-5  # added to a variance


@dataclass(frozen=True)
class TimbreConfig:
    """The encoder of z, an input of a trunk."""

    cepstra: int = key(30, "cepstra of the mel that it reads", least=1)
    norm: str = key(
        "instance",
        "instance: cepstra of each utterance have mean 0 and deviation 1, so a timbre that never "
        "changes is lost; none: as they are",
        choices=("instance", "none"),
    )
    channels: int = key(512, "channels of its GRU", least=1)
    size: int = key(16, "numbers of z in each frame", least=1)


class Timbre(nn.Module):
    """Encodes the mel of a recording, frame by frame."""

    def __init__(self, config: TimbreConfig, bands: int) -> None:
        super().__init__()
        if config.cepstra > bands:
            raise SettingError(
                f"timbre.cepstra is {config.cepstra}, needs at most {bands}, the bands of the mel"
            )
        self.config = config
        self.core = nn.GRU(config.cepstra, config.channels, batch_first=True)
        self.exit = nn.Linear(config.channels, config.size)

    def forward(self, mel: Tensor, mask: Tensor) -> Tensor:
        """Return z (B, T, Z) of a normalised mel (B, T, M) with mask (B, T)."""
        x = cepstra(mel.float(), self.config.cepstra)
        if self.config.norm == "instance":
            x = _normalised(x, mask[..., None].to(x))
        z: Tensor = self.exit(self.core(x)[0])
        return z


def cepstra(mel: Tensor, count: int) -> Tensor:
    """Return the first coefficients (B, T, C) of the orthonormal DCT-II of mel (B, T, M)."""
    bands = mel.shape[-1]
    centres = torch.arange(bands, device=mel.device) + 0.5
    order = torch.arange(count, device=mel.device)
    cosines = torch.cos(torch.pi / bands * centres[:, None] * order) * (2 / bands) ** 0.5
    cosines[:, 0] *= 0.5**0.5
    return mel @ cosines.to(mel)


def _normalised(x: Tensor, mask: Tensor) -> Tensor:
    """Return x (B, T, C) with mean 0 and deviation 1 over the frames of mask (B, T, 1)."""
    count = mask.sum(1, keepdim=True).clamp(min=1)
    centred = (x - (x * mask).sum(1, keepdim=True) / count) * mask
    return centred * (centred.square().sum(1, keepdim=True) / count + FAINT).rsqrt()
