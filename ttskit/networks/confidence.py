"""Confidence: how likely predicted codes are right, and when no further pass improves them.

Shapes: B batch, C codes of an utterance, H hidden channels, K books.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.networks.batch import Batch
from ttskit.networks.refinement import Guess

CERTAIN = 0.5  # share of the right codes whose confidence the threshold lies above
CHANNELS = 64


class Controller(nn.Module):
    """Learns from text and audio how likely codes are right, and at what quality to stop."""

    def __init__(self, channels: int, books: int) -> None:
        super().__init__()
        self.text = nn.Linear(channels, CHANNELS)
        self.audio = nn.Linear(channels, CHANNELS)
        self.confidence = nn.Linear(CHANNELS + books, books)
        self.quality = nn.Linear(CHANNELS + 2 * books, books)
        self.threshold = nn.Parameter(torch.zeros(books))  # logits
        self.enough = nn.Parameter(torch.zeros(books))

    def forward(
        self, text: Tensor, audio: Tensor, likelihood: Tensor, hidden: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return confidences (B, C, K) and qualities (B, K); no gradient reaches what is read.

        `likelihood` (B, C, K) is that of the most likely code, `hidden` (B, C, K) what is hidden.
        """
        both = F.gelu(self.text(text.detach()) + self.audio(audio.detach()))
        logit = likelihood.logit(eps=1e-4)
        confidence = self.confidence(torch.cat([both, logit.to(both)], -1)).float().sigmoid()
        real = mask[..., None].float()
        means = [
            (value * real).sum(1) / real.sum(1) for value in (both.float(), logit, hidden.float())
        ]
        return confidence, self.quality(torch.cat(means, -1)).float().sigmoid()

    def losses(
        self, batch: Batch, guess: Guess, right: Tensor, hidden: Tensor, mask: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms that confidence, quality and both thresholds are learned from.

        `right` and `hidden` are (B, C, K), 0 or 1.
        """
        wrong = _cross_entropy(guess.confidence, right)
        away = guess.confidence.detach() - guess.threshold
        pinball = torch.maximum(CERTAIN * away, (CERTAIN - 1) * away)
        count = hidden.sum(1)  # (B, K)
        accuracy = (right * hidden).sum(1) / count.clamp_min(1)
        known = 1 - count / mask.sum(1)[:, None]
        there = (count > 0).float()
        quality = _cross_entropy(guess.quality, accuracy)
        enough = (guess.enough - accuracy).square() * known.square()
        return {
            "confidence": batch.mean((wrong * hidden).mean(2), "code"),
            "threshold": batch.mean((pinball * right * hidden).mean(2), "code"),
            "stop": batch.mean(((quality + enough) * there).mean(1)),
        }


def _cross_entropy(probability: Tensor, true: Tensor) -> Tensor:
    with torch.autocast(probability.device.type, enabled=False):
        return F.binary_cross_entropy(probability, true, reduction="none")
