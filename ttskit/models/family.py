"""What a model family is: the one contract between models and everything that uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.packed import pack


class Copied(NamedTuple):
    """A row of a weight that becomes a copy of another one."""

    name: str  # what the log calls it
    weight: nn.Parameter
    source: int
    target: int


class Family(nn.Module):
    """A model of some role.  Subclasses say what they are in class variables.

    `takes` and `makes` name the fields (`networks/fields.py`) that `generate` reads from a batch
    and returns: a chain is any set of models that these join, from tokens to audio.  A role is a
    name for models that can stand in each other's place.
    """

    role: ClassVar[str]
    Config: ClassVar[type[Any]]  # frozen dataclass of `settings.key`: what shapes the weights
    knobs: ClassVar[Mapping[str, float]] = {}  # keyword arguments of `generate` -> defaults
    # preset -> knobs that it sets: how much time `generate` takes for what
    paces: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    # preset of a training -> dotted key -> value; keys of the trainer begin with "training."
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"base": {}}
    beginning: ClassVar[int] = 0  # frames that `initialise` gets at least, where there are so many

    def __init__(self, config: Any, facts: Facts) -> None:
        super().__init__()
        self.config = config
        self.facts = facts

    @classmethod
    def takes(cls, config: Any) -> tuple[str, ...]:
        """Return the fields of a batch that `generate` cannot do without."""
        raise NotImplementedError

    @classmethod
    def makes(cls, config: Any) -> tuple[str, ...]:
        """Return the fields that `generate` returns."""
        raise NotImplementedError

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:
        """Return the fields of a batch that `loss` reads."""
        raise NotImplementedError

    @classmethod
    def aligns(cls, config: Any) -> bool:  # noqa: ARG003
        """Tell whether `scores` works: whether `ttskit align` can use such a model."""
        return cls.role == "aligner"

    @classmethod
    def continues(cls, config: Any) -> bool:  # noqa: ARG003
        """Tell whether a part stays as it begins, so that it begins from a trained model."""
        return False

    @classmethod
    def styled(cls, config: Any) -> bool:  # noqa: ARG003
        """Tell whether `generate` follows the `style` in the batch."""
        return False

    @classmethod
    def step(cls, config: Any) -> int:  # noqa: ARG003
        """Return how many frames are one step; `loss` drops the last ones if they fill none."""
        return 1

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return the terms to minimise, by name; training descends on their sum.

        `progress` goes from 0 to 1 over the training.  Means over frames or tokens are taken by
        `batch.mean`.  The validation loss is this at progress 1.
        """
        raise NotImplementedError

    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return the fields that `makes` names; all randomness comes from `generator`.

        A model that makes durations and also what lasts as long as they do returns them alone if
        the batch has none: they are rounded, and it is called again.
        """
        raise NotImplementedError

    def scores(self, batch: Batch) -> Tensor:
        """Return how likely each token makes each frame, (B, T, N): what alignment searches."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Add what only training needs, such as critics; called before optimisers are made."""

    def initialise(self, batch: Batch) -> None:
        """Set weights from data, once, by the first batch or batches of a new training."""

    def players(self) -> dict[str, nn.Module]:
        """Return who takes turns in an update, each with an optimiser of its own."""
        return {"model": self}

    def terms(self, batch: Batch, progress: float, player: str) -> dict[str, Tensor]:  # noqa: ARG002
        """Return the loss of one player; an empty one means that it sits this update out.

        The weights of the others are frozen meanwhile.
        """
        return self.loss(batch, progress)

    def copies(self, progress: float) -> Sequence[Copied]:  # noqa: ARG002
        """Return the rows of weights that are to become copies of others, after each update.

        The trainer copies what belongs to them too: moments of the optimizer, averaged weights.
        """
        return ()

    def judged(self, progress: float) -> bool:  # noqa: ARG002
        """Return whether validation loss selects the checkpoint; otherwise the last one is kept."""
        return True

    def kept(self) -> dict[str, Tensor]:
        """Return the weights that a finished model needs."""
        return self.state_dict()

    def fold(self) -> None:
        """Make `generate` faster; the weights can then no longer be trained, saved or loaded."""
        for module in [*self.modules()]:
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight")
        pack(self)

    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:  # noqa: ARG002
        """Return numbers and pictures to log at every validation, from one batch of it."""
        return {}, {}

    def sample(self, batch: Batch) -> Mapping[str, Mapping[str, Tensor]]:
        """Return what to keep of one utterance as a snapshot: by kind of artifact and column."""
        raise NotImplementedError

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:  # noqa: ARG002
        """Return the bytes that a step is likely to hold beside the weights, if that is much."""
        return 0
