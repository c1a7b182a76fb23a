"""A trained model that aligns: which frames belong to which token."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ttskit.errors import ArtifactError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ttskit.artifacts.kinds import Alignment, Tokens
    from ttskit.models.family import Family
    from ttskit.voices.model import Model


Spelt: TypeAlias = "Tokens | Alignment"


@dataclass(frozen=True)
class Neural:
    """A trained model that can tell tokens from mel; every process loads it for itself."""

    model: Model

    device: str = "cpu"

    @cached_property
    def module(self) -> Family:
        return self.model.module(self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "device": self.device}

    def scores(self, mel: np.ndarray, spelt: Spelt) -> Tensor:
        """Return how likely each token makes each frame, (frame, token)."""
        import numpy as np
        import torch

        from ttskit.networks.batch import collate

        told = {"mel": mel, "tokens": spelt.tokens}
        if "speaker" in self.module.needs(self.module.config):
            known = self.model.facts.speakers
            told["speaker"] = np.array(known.index(self.model.speaker(spelt.speaker)))
        with torch.inference_mode():
            return self.module.scores(collate([spelt.id], [told]).to(self.device))[0].cpu()

    def __call__(self, mel: np.ndarray, spelt: Spelt) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        from ttskit.dsp import mas

        found = self.scores(mel, spelt)
        sure, score = found.log_softmax(1).numpy(), found.numpy()
        silent = np.array(self.model.facts.silent)[spelt.tokens]
        durations = mas.durations(score, silent, spelt.id)
        on_path = np.where(mas.path(durations, len(score)), sure, 0).sum(axis=0)
        return durations, (on_path / np.maximum(durations, 1)).astype(np.float32)


def able(path: Path) -> Model:
    """Open a model that can align."""
    from ttskit.voices.model import read_model

    found = read_model(path)
    family, config = found.shape()
    if not family.aligns(config):
        raise ArtifactError(
            f"{path}: is a {found.role} that cannot align; needs an aligner, or a decoder whose "
            "config says neither coarse_layers nor pitch"
        )
    return found
