"""The latents of recordings: the states from which a coder would predict their codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.networks.fields import LONGEST_CLIP
from ttskit.speaking.acoustics import Cascade, Manner, seed_of

if TYPE_CHECKING:
    from ttskit.models.coder import Coder
    from ttskit.voices.model import Model


@dataclass(frozen=True)
class Latents:
    """From the codes of a recording to its latents; every process loads the coder for itself."""

    coder: Model
    tell: Callable[[str], tuple[str, Mapping[str, np.ndarray]]]  # speaker and fields, by id
    drawn: float  # share of the codes that the coder draws itself
    device: str = "cpu"

    @cached_property
    def cascade(self) -> Cascade:
        return Cascade([self.coder], "latents", self.coder.takes, self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "cascade"}

    def __call__(self, id: str, codes: np.ndarray) -> np.ndarray:
        """Return the latents (code, channel) of codes (code, book).

        A coder that hears a clip hears the beginning of the recording itself.
        """
        import torch

        speaker, told = self.tell(id)
        fields = {**told, "codes": codes, "clip": codes[:LONGEST_CLIP]}
        batch = self.cascade.inputs(id, self.coder, fields, Manner(speaker=speaker))
        module: Coder = self.cascade.steps[0][1]  # type: ignore[assignment]
        generator = torch.Generator().manual_seed(seed_of(0, id))
        with torch.inference_mode():
            latents = module.latents(batch, self.drawn, generator)
        made: np.ndarray = latents[0, : len(codes)].cpu().numpy()
        return made
