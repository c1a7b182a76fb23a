"""A trained model that aligns: which frames belong to which token."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ttskit.errors import ArtifactError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ttskit.models.family import Family
    from ttskit.voices.model import Model


class Spelt(Protocol):
    """What an aligner must know of an utterance beside its mel."""

    @property
    def id(self) -> str: ...

    @property
    def speaker(self) -> str: ...

    @property
    def tokens(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Neural:
    """A trained model as an aligner; every process loads the weights for itself."""

    model: Model
    device: str = "cpu"

    @cached_property
    def module(self) -> Family:
        return self.model.module(self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "device": self.device}

    def scores(self, mel: np.ndarray, spelt: Spelt) -> Tensor:
        """Return how well each token explains each frame, (frame, token)."""
        import numpy as np
        import torch

        from ttskit.networks.batch import collate

        fields = {"mel": mel, "tokens": spelt.tokens}
        if "speaker" in self.module.needs(self.module.config):
            speakers = self.model.facts.speakers
            fields["speaker"] = np.array(speakers.index(self.model.speaker(spelt.speaker)))
        with torch.inference_mode():
            return self.module.scores(collate([spelt.id], [fields]).to(self.device))[0].cpu()

    def __call__(self, mel: np.ndarray, spelt: Spelt) -> tuple[np.ndarray, np.ndarray]:
        """Return durations (token,) and the mean log probability of each token on its frames."""
        import numpy as np

        from ttskit.dsp import mas

        scores = self.scores(mel, spelt)
        log_probability, score = scores.log_softmax(1).numpy(), scores.numpy()
        silent = np.array(self.model.facts.silent)[spelt.tokens]
        durations = mas.durations(score, silent, spelt.id)
        path = mas.path(durations, len(score))
        on_path = np.where(path, log_probability, 0).sum(axis=0)
        return durations, (on_path / np.maximum(durations, 1)).astype(np.float32)


def read_aligner(path: Path) -> Model:
    """Read a model that can align."""
    from ttskit.voices.model import read_model

    model = read_model(path)
    family, config = model.shape
    if not family.aligns(config):
        raise ArtifactError(
            f"is a {model.role} that cannot align; needs an aligner, or a decoder whose config "
            "says neither coarse_layers nor pitch",
            file=path,
        )
    return model
