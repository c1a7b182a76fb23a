"""Contrastive matching of text and speech (Betker, 2023, CLVP of Tortoise).

Two transformers, one over tokens and one over codes, each end in one unit vector.  Training makes
the vectors of a text and of its own speech alike, and those of the other utterances of the batch
different: so their product says how well a candidate fits its text.

Shapes: B batch, C places of codes, H hidden channels, K books, N tokens, P channels of the space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.causal import Causal, CausalConfig
from ttskit.networks.facts import Facts, Picture
from ttskit.settings import key, table


@dataclass(frozen=True)
class ClvpConfig:
    space: int = key(128, "channels of the space in which text and speech are compared", least=1)
    masked: float = key(
        0.15, "share of tokens, and of codes, that training leaves out at random", least=0, most=0.9
    )
    transformer: CausalConfig = table(
        partial(CausalConfig, hidden=128, layers=2, filter=384), "each of the two transformers"
    )


class Clvp(Family):
    """A ranker: from tokens and codes to how well they match."""

    role = "ranker"
    Config = ClvpConfig
    config: ClvpConfig
    presets = {  # noqa: RUF012
        "base": {
            "training.batch": 32,
            "training.learning_rate": 5e-4,
            "training.weight_decay": 0.05,
            "training.warmup": 100,
        },
    }

    def __init__(self, config: ClvpConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.words = Side(config, [len(facts.symbols)])
        self.speech = Side(config, [facts.size] * facts.books)
        self.temperature = nn.Parameter(torch.tensor(1.0))  # log of the factor of a product

    @classmethod
    def takes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("tokens", "codes")

    @classmethod
    def makes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("match",)

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:
        return cls.takes(config)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002
        """Return the symmetric cross-entropy of finding the other half among those of the batch."""
        text, speech = self.vectors(batch)
        products = text @ speech.T * self.temperature.exp()  # (B, B)
        own = torch.arange(len(batch), device=products.device)
        found = F.cross_entropy(products, own, reduction="none")
        found = found + F.cross_entropy(products.T, own, reduction="none")
        return {"contrast": batch.mean(found / 2, "utterance")}

    def generate(
        self,
        batch: Batch,
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        text, speech = self.vectors(batch)
        return {"match": (text * speech).sum(1)}

    def vectors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the unit vectors of texts and of speech, (B, P) each."""
        return (
            self.words(batch["tokens"][..., None], batch.mask("token")),
            self.speech(batch["codes"], batch.mask("code")),
        )

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return how often a text finds its own speech in the batch, and all products."""
        text, speech = self.vectors(batch)
        products = text @ speech.T
        right = products.argmax(1) == torch.arange(len(batch), device=products.device)
        picture = Picture(products.float().cpu().numpy(), "speech", "text")
        return {"found": float(right.float().mean())}, {"products": picture}

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        shape, places = self.config.transformer, (lengths["token"], lengths.get("code", 0))
        floats = sum(
            length * (12 * shape.hidden + 4 * shape.filter + 2 * shape.heads * length)
            for length in places
        )
        return 4 * utterances * shape.layers * floats


class Side(nn.Module):
    """One of the two halves: from tokens or codes of several books to unit vectors."""

    def __init__(self, config: ClvpConfig, sizes: list[int]) -> None:
        super().__init__()
        hidden = config.transformer.hidden
        self.masked = config.masked
        self.tables = nn.ModuleList(nn.Embedding(size, hidden) for size in sizes)
        self.transformer = Causal(config.transformer, both_ways=True)
        self.output = nn.Linear(hidden, config.space, bias=False)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """values (B, L, K), mask (B, L) -> (B, P)."""
        if self.training and self.masked:
            chance = torch.rand(mask.shape, device=mask.device)
            kept = mask & (chance >= self.masked)
            mask = kept | (mask & ~kept.any(1, keepdim=True))  # never all
        x = torch.stack([one(values[..., book]) for book, one in enumerate(self.tables)]).sum(0)
        states = self.transformer(x, torch.arange(x.shape[1], device=x.device), mask)
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return F.normalize(self.output(mean).float(), dim=1)
