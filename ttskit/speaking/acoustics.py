"""From tokens to mel: what `decode` and `say` have in common.

Shapes: B batch, N tokens, T frames.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import ArtifactError, TtskitError
from ttskit.voices.model import check_fit

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Tokens
    from ttskit.networks.batch import Batch
    from ttskit.voices.model import Model

SEMITONE = 1 / 12  # octaves
LONGEST = 10_000  # frames of a token; only a model that has learnt nothing foretells more


@dataclass(frozen=True)
class Manner:
    """How to speak; every number may also be one per token."""

    length_scale: float | np.ndarray = 1.0  # above 1 is slower
    pitch: float | np.ndarray = 0.0  # semitones higher
    loudness: float | np.ndarray = 0.0  # dB louder
    speaker: str = ""  # the first one where it is empty; `a:0.7,b:0.3` mixes
    knobs: Mapping[str, float] = field(default_factory=dict)  # of the decoder: noise_scale ...
    durations: np.ndarray | None = None  # (N,) frames, where they are given
    known: Mapping[str, np.ndarray] = field(default_factory=dict)  # so pitch, loudness_token
    frames: int | None = None  # in all, to be fitted


@dataclass(frozen=True)
class Spoken:
    """What was made of one utterance: durations (N,), mel (T, bands), and what was foretold."""

    durations: np.ndarray  # frames
    mel: np.ndarray
    foretold: Mapping[str, np.ndarray]  # (N,): durations, pitch, loudness_token, confidence


class Acoustics:
    """A duration model and a decoder that fit each other.

    Without a duration model, every manner must say what the decoder needs.
    """

    def __init__(self, duration: Model | None, decoder: Model, device: str = "cpu") -> None:
        self.facts = decoder.facts
        self.decoder = decoder.module(device)
        needs = type(self.decoder).needs(self.decoder.config)
        self.needs = tuple(name for name in ("pitch", "loudness_token") if name in needs)
        self.decoder.fold()
        self.device = device
        self.speakers = numbers(decoder)
        self.duration = None
        if duration is None:
            return
        check_fit(duration, decoder)
        self.duration, self._of_duration = duration.module(device), numbers(duration)
        self.duration.fold()
        if missing := set(self.needs) - set(getattr(self.duration, "fields", ())):
            raise ArtifactError(
                f"{duration.name}: does not predict {min(missing)}, which {decoder.name} needs: "
                'train the duration model with --set \'predict=["pitch", "loudness"]\''
            )

    def speak(
        self,
        ids: Sequence[str],
        tokens: Sequence[np.ndarray],
        manners: Sequence[Manner],
        seed: int,
    ) -> list[Spoken]:
        """Speak several utterances at once; what is left to chance follows from the seed alone."""
        import torch

        from ttskit.networks.batch import collate

        with torch.inference_mode():
            foretold = self._foretold(ids, tokens, manners)
            durations = [*map(self._durations, ids, tokens, foretold, manners)]
            items = [
                {"tokens": row, "durations": lasting, **self._wanted(told, manner)}
                for row, lasting, told, manner in zip(
                    tokens, durations, foretold, manners, strict=True
                )
            ]
            batch = collate(ids, items).to(self.device)
            batch = self._with_speakers(batch, manners, self.speakers)
            generator = torch.Generator().manual_seed(seed)
            knobs = {n: v for n, v in manners[0].knobs.items() if n in self.decoder.knobs}
            mels = self.decoder.generate(batch, generator, **knobs)["mel"].cpu().numpy()
        return [
            Spoken(lasting, mel[: int(lasting.sum())], told)
            for lasting, mel, told in zip(durations, mels, foretold, strict=True)
        ]

    def check_speaker(self, speaker: str) -> None:
        """Refuse a speaker that one of the models does not know."""
        for known in (self._of_duration, self.speakers):
            mixture(speaker, known)

    def durations(
        self, ids: Sequence[str], tokens: Sequence[np.ndarray], manners: Sequence[Manner]
    ) -> list[np.ndarray]:
        """Return the frames that each token would last if it were spoken."""
        import torch

        with torch.inference_mode():
            foretold = self._foretold(ids, tokens, manners)
        return [*map(self._durations, ids, tokens, foretold, manners)]

    def _foretold(
        self, ids: Sequence[str], tokens: Sequence[np.ndarray], manners: Sequence[Manner]
    ) -> list[dict[str, np.ndarray]]:
        """Ask the duration model, if there is one, for what it knows of each token."""
        from ttskit.networks.batch import collate

        if self.duration is None:
            return [{} for _ in ids]
        batch = collate(ids, [{"tokens": row} for row in tokens]).to(self.device)
        batch = self._with_speakers(batch, manners, self._of_duration)
        made = {name: value.cpu().numpy() for name, value in self.duration.generate(batch).items()}
        return [
            {name: values[i, : len(row)] for name, values in made.items()}
            for i, row in enumerate(tokens)
        ]

    def _durations(
        self, id: str, tokens: np.ndarray, foretold: Mapping[str, np.ndarray], manner: Manner
    ) -> np.ndarray:
        from ttskit.dsp.rounding import rounded

        if manner.durations is not None:
            if not manner.durations.any():
                raise TtskitError(f"{id}: lasts no frame")
            return manner.durations
        silent = np.array(self.facts.silent)[tokens]
        lasting = foretold["durations"] * manner.length_scale
        if not (lasting < LONGEST).all():
            raise TtskitError(
                f"{id}: the duration model foretells {lasting.max():g} frames for a token: it has "
                "not learnt how long they last; train it for longer"
            )
        try:
            return rounded(lasting, silent, manner.frames)
        except TtskitError as error:
            raise type(error)(f"{id}: {error}") from error

    def _wanted(self, foretold: Mapping[str, np.ndarray], manner: Manner) -> dict[str, np.ndarray]:
        """Return what the decoder wants to know of each token, as the manner changes it."""
        shifts = {"pitch": manner.pitch * SEMITONE, "loudness_token": manner.loudness / 10}
        told = {**foretold, **manner.known}
        return {name: told[name] + shifts[name] for name in self.needs}

    def _with_speakers(
        self, batch: Batch, manners: Sequence[Manner], known: Mapping[str, int]
    ) -> Batch:
        import torch

        if len(known) == 1:  # whoever is asked for of the other model
            manners = [replace(manner, speaker="") for manner in manners]
        weights = np.array([mixture(manner.speaker, known) for manner in manners], np.float32)
        if (weights.max(axis=1) == 1).all():
            return batch.with_fields(speaker=torch.tensor(weights.argmax(axis=1)).to(self.device))
        return batch.with_fields(
            speaker=torch.tensor(weights.argmax(axis=1)).to(self.device),
            speaker_mix=torch.tensor(weights).to(self.device),
        )


def numbers(model: Model) -> dict[str, int]:
    """Return the speakers of a model by name."""
    return {name: number for number, name in enumerate(model.facts.speakers)}


def seed_of(seed: int, id: str) -> int:
    """Return the seed of one utterance, whatever others there are."""
    return int.from_bytes(hashlib.sha256(f"{seed} {id}".encode()).digest()[:7])


def unspoken(token_word: np.ndarray, words: Collection[str], durations: np.ndarray) -> str:
    """Return the first word that no frame is for, if there is one."""
    inner = token_word >= 0
    frames = np.bincount(token_word[inner], durations[inner], minlength=len(words))
    return next((word for word, count in zip(words, frames, strict=True) if not count), "")


def check(said: Tokens | Alignment, symbols: int) -> None:
    """Refuse tokens that are damaged: of symbols or words that are not there."""
    if not len(said.tokens):
        raise ArtifactError("has no tokens")
    for values, least, most in (
        (said.tokens, 0, symbols),
        (said.token_word, -1, len(said.words)),
    ):
        if values.min() < least or values.max() >= most:
            raise ArtifactError("is damaged: `ttskit verify` says in what")


def mixture(speaker: str, known: Mapping[str, int]) -> np.ndarray:
    """Return the weight of each speaker, summing to 1, for `name` or `name:0.7,other:0.3`."""
    weights = np.zeros(len(known), np.float32)
    if not speaker:
        weights[0] = 1
        return weights
    for part in [speaker] if speaker in known else speaker.split(","):
        name, _, told = part.partition(":") if part not in known else (part, "", "")
        try:
            weights[known[name]] += float(told or 1)
        except (KeyError, ValueError):
            shown = ", ".join(name or "(unnamed)" for name in known)
            raise TtskitError(f"no speaker {part!r}; there is {shown}") from None
    if not weights.sum() > 0 or weights.min() < 0:
        raise TtskitError(f"speaker {speaker!r}: the weights must be positive")
    return weights / weights.sum()


def check_symbols(symbols: Sequence[str], decoder: Model, complaint: str) -> None:
    """Refuse tokens of another table than the decoder was trained on."""
    if tuple(symbols) != decoder.facts.symbols:
        raise ArtifactError(
            f"{complaint} than {decoder.name} was trained on: spell in its language (--language, "
            "here or in `ttskit tokens`)"
        )
