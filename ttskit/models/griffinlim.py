"""Griffin-Lim as a vocoder: nothing to learn, so any mel can be heard at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp.griffinlim import griffinlim
from ttskit.errors import TrainingError
from ttskit.models.vocoder import Vocoder, mel_settings

WHOLE = 4096  # frames, about 48 s, that are made at once


class Griffinlim(Vocoder):
    """Audio whose mel is right, with phases that fit themselves.

    Longer mel is cut where it is quietest in the last quarter of what may be made at once.  The
    parts know nothing of each other: a cut within sound, not within a pause, is heard.
    """

    @dataclass(frozen=True)
    class Config:
        """Nothing shapes it but the grid."""

    knobs: ClassVar = {"iterations": 32.0, "momentum": 0.99}

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ()

    def prepare(self) -> None:
        """Refuse: there is nothing to learn."""
        raise TrainingError("griffinlim has nothing to learn; use it as it is")

    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,
    ) -> Iterator[Tensor]:
        """Yield audio in parts (n,)."""
        told, mel = {**self.knobs, **knobs}, frames["mel"]
        device = generator.device if generator else "cpu"
        seed = int(torch.randint(2**31, (), generator=generator, device=device))
        rng = np.random.default_rng(seed)
        for part in torch.split(mel, cuts(mel)):
            made = griffinlim(
                part.cpu().numpy(),
                mel_settings(self.facts),
                rng,
                int(told["iterations"]),
                told["momentum"],
            )
            yield torch.from_numpy(made).to(mel.device)


def cuts(mel: Tensor) -> list[int]:
    """Return the lengths of the parts of (T, M), none above `WHOLE`."""
    lengths, start = [], 0
    while len(mel) - start > WHOLE:
        late = mel[start + 3 * WHOLE // 4 : start + WHOLE].sum(1)
        lengths.append(3 * WHOLE // 4 + int(late.argmin()))
        start += lengths[-1]
    return [*lengths, len(mel) - start]
