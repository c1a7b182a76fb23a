"""Codes predicted one after another (Betker, 2023, Tortoise): a decoder-only transformer over the
tokens of a text and then the codes of its speech.

It predicts the next token and, of every book, the next code; books are delayed (`delay.py`).  In
the order `guided`, each step also knows which phonemes its frames belong to, and how far they are
in them, from durations: so it need not find its place in the text.  In the order `concatenated` it
must, as in Tortoise, and decides itself when to stop.

Shapes: B batch, C places of codes, H hidden channels, K books, N tokens, S steps (C + K - 1),
T frames, V codes of a book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.coder import Coder
from ttskit.networks.batch import Batch
from ttskit.networks.causal import Cache, Causal, CausalConfig
from ttskit.networks.delay import delayed, undelayed
from ttskit.networks.encoder import EncoderConfig, TextEncoder
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import PLACES, Speakers, expand, places, token_of_frame, until
from ttskit.networks.packed import pack
from ttskit.networks.sampling import draw, penalised
from ttskit.settings import key, table

DRAWN = -1  # in place of a code: it is to be drawn
RECENT = 8  # codes of a book that the repetition penalty is for
HEARING = 2  # layers that hear a clip
SPREAD = 0.1  # deviation of new embeddings
GUIDE = 64  # channels of a frame of the guide

TRAINING: Mapping[str, object] = {
    "training.batch": 16,
    "training.learning_rate": 1e-3,
    "training.beta2": 0.98,
    "training.weight_decay": 0.05,
    "training.warmup": 200,
}


@dataclass(frozen=True)
class AutoregressiveConfig:
    order: str = key(
        "guided",
        "what a step knows of its place in the text: guided (from durations) or nothing but the "
        "text (concatenated)",
        choices=("guided", "concatenated"),
    )
    prosody: bool = key(False, "guided: the tokens come with their pitch and loudness")
    text_weight: float = key(0.01, "weight of the loss of the text's own tokens", least=0)
    corrupt: float = key(
        0.1, "share of the codes that are replaced by random ones as inputs in training",
        least=0, most=1,
    )  # fmt: skip
    reference: bool = key(False, "condition on what is heard in a clip of the speaker")
    speaker_channels: int = key(64, "size of a speaker's embedding, if there are several", least=1)
    causal: CausalConfig = table(CausalConfig, "the transformer")
    encoder: EncoderConfig = table(EncoderConfig, "guided: the encoder of the tokens of a step")


class Autoregressive(Coder):
    """From tokens and, in the order guided, their durations to codes."""

    Config = AutoregressiveConfig
    config: AutoregressiveConfig
    knobs = {  # noqa: RUF012
        "temperature": 0.3,  # measured on one hour: docs/tortoise.md
        "top_p": 0.9,
        "repetition_penalty": 1.0,
        "shortest": 0.02,  # seconds a token; concatenated
        "longest": 0.4,
    }
    presets = {  # noqa: RUF012
        "base": TRAINING,
        "tiny": {
            **TRAINING,
            "causal.hidden": 128,
            "causal.layers": 4,
            "causal.heads": 2,
            "causal.filter": 384,
            "encoder.hidden": 96,
            "encoder.filter": 384,
            "encoder.layers": 3,
        },
    }

    def __init__(self, config: AutoregressiveConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        hidden, books, size = config.causal.hidden, facts.books, facts.size
        self.start = nn.Parameter(torch.randn(hidden) * SPREAD)
        self.words = nn.Embedding(len(facts.symbols), hidden)
        # of each book its codes, then the padding
        self.codes = nn.ModuleList(nn.Embedding(size + 1, hidden) for _ in range(books))
        for embedding in (self.words, *self.codes):
            nn.init.normal_(embedding.weight, 0, SPREAD)
        self.dropout = nn.Dropout(config.causal.dropout)
        self.causal = Causal(config.causal)
        self.next_word = nn.Linear(hidden, len(facts.symbols))
        self.next_codes = nn.Linear(hidden, books * size)
        several = "speaker" in self.needs(config) and len(facts.speakers) > 1
        self.speakers = Speakers(facts, config.speaker_channels) if several else None
        self.latent = nn.Linear(config.speaker_channels, hidden) if several else None
        self.ear = Ear(config, facts) if config.reference else None
        self.guide = Guide(config, facts) if config.order == "guided" else None
        self.stop = None if self.guide else nn.Linear(hidden, 1)

    @classmethod
    def takes(cls, config: AutoregressiveConfig) -> tuple[str, ...]:
        clip = ("clip",) if config.reference else ()
        if config.order != "guided":
            return ("tokens", *clip)
        prosody = ("pitch", "loudness_token") if config.prosody else ()
        return ("tokens", "durations", *prosody, *clip)

    @classmethod
    def needs(cls, config: AutoregressiveConfig) -> tuple[str, ...]:
        """Return the fields of training; who speaks is said by a clip, or by the speaker's number.

        With both, nothing would be heard in the clip.
        """
        return tuple(
            name for name in super().needs(config) if name != "speaker" or not config.reference
        )

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002
        text, speech = self.states(batch)
        codes = batch["codes"]
        words = self.next_word(text[:, :-1])
        surprises = surprise(self.predicted(speech, codes.shape[1]), codes.permute(2, 0, 1))
        terms = {
            "codes": batch.mean(surprises.permute(1, 2, 0), "code"),
            "text": self.config.text_weight * batch.mean(surprise(words, batch["tokens"]), "token"),
        }
        if self.stop is None:
            return terms
        count = batch.lengths["code"][:, None]
        place = torch.arange(speech.shape[1], device=speech.device)
        wrong = F.binary_cross_entropy_with_logits(
            self.stop(speech)[..., 0].float(), (place == count).float(), reduction="none"
        )
        return {**terms, "stop": batch.mean((wrong * (place <= count)).sum(1), "utterance")}

    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return codes (B, C, K) and latents (B, C, H), the states that predict the first book.

        Both are 0 in the padding.
        """
        manner = {**self.knobs, **knobs}
        least, ends = self._bounds(batch, manner)
        steps = int(ends.max()) + self.facts.books - 1
        undecided = ends.new_full((len(batch), steps, self.facts.books), DRAWN)
        return self._spoken(batch, undecided, (least, ends), generator, manner)

    def latents(
        self, batch: Batch, drawn: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        if not drawn:
            codes, (_, speech) = batch["codes"], self.states(batch)
            return speech[:, : codes.shape[1]] * batch.mask("code")[..., None]
        recorded, count = self._steps(batch), batch.lengths["code"]
        device = generator.device if generator else recorded.device
        chance = torch.rand(recorded.shape, generator=generator, device=device).to(recorded.device)
        known = recorded.masked_fill(chance < drawn, DRAWN)
        return self._spoken(batch, known, (count, count), generator, self.knobs)["latents"]

    def _spoken(
        self,
        batch: Batch,
        known: Tensor,
        bounds: tuple[Tensor, Tensor],
        generator: torch.Generator | None,
        manner: Mapping[str, float],
    ) -> dict[str, Tensor]:
        """Return codes and latents; of the steps (B, S, K) `known`, some are to be drawn."""
        books, (least, ends) = self.facts.books, bounds
        guide = self._guided(batch, int(ends.max()))
        prefix, real = self._prefix(batch)
        steps = prefix.new_full((len(batch), int(ends.max()) + books - 1, books), self.facts.size)
        steps, cache = steps.long(), Cache(prefix.shape[1] + steps.shape[1])
        self.causal(prefix, torch.arange(prefix.shape[1], device=prefix.device), real, cache)
        book, kept = torch.arange(books, device=prefix.device), list[Tensor]()
        for step in range(steps.shape[1]):
            inputs = self._inputs(steps, guide, slice(step, step + 1))
            at = torch.full((1,), step, device=prefix.device)
            states = self.causal(inputs, at, inputs.new_ones(len(batch), 1).bool(), cache)
            kept.append(states)
            if self.stop is not None:
                halt = (self.stop(states)[:, 0, 0] > 0) & (least <= step) & (step < ends)
                ends = ends.masked_fill(halt, step)
            recent = steps[:, max(0, step - RECENT) : step]
            drawn = self._drawn(self.logits(states)[:, 0], recent, generator, manner)
            drawn = drawn.where(known[:, step] == DRAWN, known[:, step])
            spoken = (book <= step) & (step - book < ends[:, None])
            steps[:, step] = drawn.where(spoken, steps[:, step])
            if step >= int(ends.max()) + books - 2:
                break
        codes = undelayed(steps)[:, : int(ends.max())]
        real = until(ends, codes.shape[1])[..., None]
        latents = torch.cat(kept, 1)[:, : codes.shape[1]]
        return {"codes": codes * real, "latents": latents * real}

    def fold(self) -> None:
        """Pack what reads whole utterances: of one place, packed layers take longer."""
        for part in (self.guide, self.ear):
            if part is not None:
                pack(part)

    def hear(self, batch: Batch) -> Tensor:
        assert self.ear is not None
        latent: Tensor = self.ear(batch)
        return latent

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        """Return how often the likeliest code of each book is the true one, and a picture."""
        codes = batch["codes"]
        likeliest = self.predicted(self.states(batch)[1], codes.shape[1]).argmax(3)
        right = (likeliest.permute(1, 2, 0) == codes) & batch.mask("code")[..., None]
        shares = right.sum((0, 1)) / batch.lengths["code"].sum()
        numbers = {f"accuracy/{book}": float(share) for book, share in enumerate(shares, 1)}
        made = self.generate(batch.only(0), torch.Generator().manual_seed(0))["codes"][0]
        picture = Picture(made.T.float().cpu().numpy(), "code", "book")
        return numbers, {"made": picture}

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        causal = self.config.causal
        length = lengths["token"] + lengths.get("code", 0)
        layer = 12 * causal.hidden + 4 * causal.filter + 2 * causal.heads * length
        logits = 3 * self.facts.books * self.facts.size * lengths.get("code", 0)
        return 4 * utterances * (causal.layers * layer * length + logits)

    def states(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the states of start and text (B, 1 + N, H), and of steps (B, S + 1, H)."""
        steps = self._corrupted(self._steps(batch))
        prefix, real = self._prefix(batch)
        guide = self._guided(batch, batch["codes"].shape[1])
        inputs = self._inputs(steps, guide, slice(None))
        sizes = prefix.shape[1], inputs.shape[1]
        at = torch.cat([torch.arange(size, device=prefix.device) for size in sizes])
        x = self.dropout(torch.cat([prefix, inputs], 1))
        states = self.causal(x, at, F.pad(real, (0, sizes[1]), value=True))
        text, speech = states.split(sizes, 1)
        return text, speech

    def _steps(self, batch: Batch) -> Tensor:
        """Return the recorded codes by step, (B, S, K)."""
        codes = batch["codes"].masked_fill(~batch.mask("code")[..., None], self.facts.size)
        return delayed(codes, self.facts.size)

    def _prefix(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what comes before codes, (B, 1 + N, H), and which of it is real: start, text."""
        start = self.start.expand(len(batch), 1, -1)
        if self.speakers is not None and self.latent is not None:
            start = start + self.latent(self.speakers(batch))[:, None]
        if self.ear is not None:
            start = start + (batch["latent"] if "latent" in batch else self.hear(batch))[:, None]
        prefix = torch.cat([start, self.words(batch["tokens"])], 1)
        return prefix, F.pad(batch.mask("token"), (1, 0), value=True)

    def _inputs(self, steps: Tensor, guide: Tensor | None, rows: slice) -> Tensor:
        """Return the inputs (B, rows, H) of some steps: the codes before each, and its guide.

        `steps` are (B, S, K), `guide` is (B, C, H).
        """
        before = F.pad(steps, (0, 0, 1, 0), value=self.facts.size)[:, rows]
        total = sum(table(before[..., book]) for book, table in enumerate(self.codes))
        assert isinstance(total, Tensor)
        if guide is None:
            return total
        return total + F.pad(guide, (0, 0, 0, steps.shape[1] + 1 - guide.shape[1]))[:, rows]

    def _guided(self, batch: Batch, count: int) -> Tensor | None:
        return None if self.guide is None else self.guide(batch, count)

    def _corrupted(self, steps: Tensor) -> Tensor:
        """Return steps (B, S, K) with some codes replaced by random ones, in training."""
        if not self.training or not self.config.corrupt:
            return steps
        chosen = torch.rand(steps.shape, device=steps.device) < self.config.corrupt
        other = torch.randint_like(steps, self.facts.size)
        return torch.where(chosen & (steps < self.facts.size), other, steps)

    def logits(self, states: Tensor) -> Tensor:
        """Return the logits (B, S, K, V) of the codes of steps."""
        logits: Tensor = self.next_codes(states).unflatten(2, (self.facts.books, -1))
        return logits

    def predicted(self, speech: Tensor, count: int) -> Tensor:
        """Return the logits (K, B, C, V) of `count` places, of the states (B, S + 1, H) of steps.

        Each book's are computed of its own steps: to undelay the logits would copy them.
        """
        books = self.facts.books
        own = torch.stack([speech[:, book : book + count] for book in range(books)])
        weight = self.next_codes.weight.view(books, self.facts.size, -1)
        bias = self.next_codes.bias.view(books, 1, -1)
        logits = torch.baddbmm(bias, own.flatten(1, 2), weight.mT)
        return logits.view(*own.shape[:3], -1)

    def _drawn(
        self,
        logits: Tensor,
        recent: Tensor,
        generator: torch.Generator | None,
        manner: Mapping[str, float],
    ) -> Tensor:
        """Return the next codes (B, K), of logits (B, K, V) and recent codes (B, L, K)."""
        rows = logits.flatten(0, 1).float()
        if manner["repetition_penalty"] != 1 and recent.shape[1]:
            rows = penalised(rows, recent.mT.flatten(0, 1), manner["repetition_penalty"])
        drawn = draw(rows, generator, manner["temperature"], manner["top_p"])
        return drawn.view(logits.shape[:2])

    def _bounds(self, batch: Batch, manner: Mapping[str, float]) -> tuple[Tensor, Tensor]:
        """Return how many codes there are at least and at most, (B,) each."""
        if self.guide is not None:
            count = -(-batch["durations"].long().sum(1) // self.facts.stride)
            return count, count
        rate = self.facts.sample_rate / (self.facts.stride * self.facts.hop_length)
        least, most = (
            (batch.lengths["token"] * manner[name] * rate).ceil().long().clamp_min(1)
            for name in ("shortest", "longest")
        )
        return least, most.maximum(least)


class Ear(nn.Module):
    """What is heard in a clip, as one vector: a small transformer over its codes, and the mean."""

    def __init__(self, config: AutoregressiveConfig, facts: Facts) -> None:
        super().__init__()
        hidden = config.causal.hidden
        self.codes = nn.ModuleList(nn.Embedding(facts.size, hidden) for _ in range(facts.books))
        layers = min(HEARING, config.causal.layers)
        self.transformer = Causal(replace(config.causal, layers=layers), both_ways=True)
        self.output = nn.Linear(hidden, hidden)

    def forward(self, batch: Batch) -> Tensor:
        """Return (B, H) for a `clip` (B, clip, K)."""
        clips, mask = batch["clip"], batch.mask("clip")
        x = torch.stack([table(clips[..., book]) for book, table in enumerate(self.codes)]).sum(0)
        states = self.transformer(x, torch.arange(x.shape[1], device=x.device), mask)
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        latent: Tensor = self.output(mean)
        return latent


class Guide(nn.Module):
    """What is known of the frames of each code: their phonemes, and how far they are in them."""

    def __init__(self, config: AutoregressiveConfig, facts: Facts) -> None:
        super().__init__()
        self.stride = facts.stride
        self.encoder = TextEncoder(config.encoder, len(facts.symbols))
        hidden = config.encoder.hidden
        self.given = nn.Conv1d(2, hidden, 3, padding=1) if config.prosody else None
        self.narrow = nn.Conv1d(hidden, GUIDE, 1)
        self.output = nn.Linear(self.stride * (GUIDE + PLACES), config.causal.hidden)

    def forward(self, batch: Batch, count: int) -> Tensor:
        """Return (B, count, H), 0 beyond the last code of an utterance."""
        mask, durations = batch.mask("token"), batch["durations"].long()
        hidden = self.encoder(batch["tokens"], mask)
        if self.given is not None:
            given = torch.stack([batch["pitch"], batch["loudness_token"]], 1)
            hidden = hidden + self.given(given)
        hidden = self.narrow(hidden * mask[:, None])
        frames, longest = durations.sum(1), count * self.stride
        token = token_of_frame(durations, batch.lengths["token"], longest)
        x = torch.cat([expand(hidden, token), places(durations, token)], 1)
        x = (x * until(frames, longest)[:, None]).mT  # (B, T, GUIDE + PLACES)
        stacked = x.reshape(len(batch), count, -1)
        real = until(-(-frames // self.stride), count)[..., None]
        guide: Tensor = self.output(stacked) * real
        return guide


def surprise(logits: Tensor, chosen: Tensor) -> Tensor:
    """Return minus the log-probability (...) that logits (..., V) give to what was chosen (...)."""
    each = F.cross_entropy(logits.flatten(0, -2).float(), chosen.flatten(), reduction="none")
    return each.view(chosen.shape)
