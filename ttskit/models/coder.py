"""What all coders are: models that make the codes of a codec from a text."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ttskit.errors import SettingError
from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts


class Coder(Family):
    """From tokens, perhaps with their durations, to codes (B, C, K): `facts` says of which codec.

    A code lasts `facts.stride` frames; each of its `facts.books` numbers is below `facts.size`.
    Beside each code it gives its latent: what the model knows where it predicts the code.
    """

    role = "coder"

    def __init__(self, config: Any, facts: Facts) -> None:
        super().__init__(config, facts)
        if facts.codec and not (facts.stride and facts.books and facts.size):
            raise SettingError("codes need a stride, books and a size")

    def hear(self, batch: Batch) -> Tensor:
        """Return what a model that takes a `clip` hears in it, (B, H): its `latent`."""
        raise NotImplementedError

    def latents(
        self, batch: Batch, drawn: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return the latents (B, C, L) of recorded codes, 0 in the padding.

        A share `drawn` of the codes is replaced by codes that the model draws, as it goes along.
        """
        raise NotImplementedError

    @classmethod
    def makes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("codes", "latents")

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:
        return (*cls.takes(config), "codes", "speaker")
