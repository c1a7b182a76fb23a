"""From tokens to mel: what `decode` and `say` have in common.

Shapes: B batch, N tokens, T frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import ArtifactError, TtskitError

if TYPE_CHECKING:
    from ttskit.models.batch import Batch
    from ttskit.trained import Trained

SEMITONE = 1 / 12  # octaves


@dataclass(frozen=True)
class Manner:
    """How to speak; every number may also be one per token."""

    length_scale: float | np.ndarray = 1.0  # above 1 is slower
    pitch: float | np.ndarray = 0.0  # semitones higher
    loudness: float | np.ndarray = 0.0  # dB louder
    speaker: str = ""  # the first one where it is empty; `a:0.7,b:0.3` mixes
    knobs: Mapping[str, float] = field(default_factory=dict)  # of the decoder: noise_scale ...
    durations: np.ndarray | None = None  # (N,) frames, where they are given
    frames: int | None = None  # in all, to be fitted


@dataclass(frozen=True)
class Spoken:
    """What was made of one utterance: durations (N,), mel (T, bands), and what was foretold."""

    durations: np.ndarray  # frames
    mel: np.ndarray
    foretold: Mapping[str, np.ndarray]  # pitch (N,) octaves, loudness_token (N,) 10 dB, confidence


class Acoustics:
    """A duration model and a decoder that fit each other."""

    def __init__(self, duration: Trained, decoder: Trained, device: str = "cpu") -> None:
        agree(duration, decoder)
        self.facts = decoder.facts
        self.duration, self.decoder = duration.module(device), decoder.module(device)
        needs = set(type(self.decoder).needs(self.decoder.config)) & {"pitch", "loudness_token"}
        if missing := needs - set(getattr(self.duration, "fields", ())):
            raise ArtifactError(
                f"{duration.name}: does not predict {min(missing)}, which {decoder.name} needs: "
                'train the duration model with --set \'predict=["pitch", "loudness"]\''
            )
        self.decoder.fold()
        self.device = device
        self.speakers = {name: number for number, name in enumerate(decoder.facts.speakers)}
        self._of_duration = {name: number for number, name in enumerate(duration.facts.speakers)}

    def speak(
        self,
        ids: Sequence[str],
        tokens: Sequence[np.ndarray],
        manners: Sequence[Manner],
        seed: int,
    ) -> list[Spoken]:
        """Speak several utterances at once; what is left to chance follows from the seed alone."""
        import torch

        from ttskit.models.batch import collate

        with torch.inference_mode():
            foretold = self._foretold(ids, tokens, manners)
            durations = self._rounded(ids, tokens, manners, foretold["durations"])
            batch = collate(
                ids,
                [
                    {"tokens": row, "durations": lasting, **self._wanted(foretold, i, manner)}
                    for i, (row, lasting, manner) in enumerate(
                        zip(tokens, durations, manners, strict=True)
                    )
                ],
            ).to(self.device)
            batch = self._with_speakers(batch, manners, self.speakers)
            generator = torch.Generator().manual_seed(seed)
            knobs = {n: v for n, v in manners[0].knobs.items() if n in self.decoder.knobs}
            mels = self.decoder.generate(batch, generator, **knobs)["mel"].cpu().numpy()
        return [
            Spoken(
                lasting,
                mels[i, : int(lasting.sum())],
                {name: values[i, : len(row)] for name, values in foretold.items()
                 if name != "durations"},
            )
            for i, (row, lasting) in enumerate(zip(tokens, durations, strict=True))
        ]  # fmt: skip

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
        return self._rounded(ids, tokens, manners, foretold["durations"])

    def _foretold(
        self, ids: Sequence[str], tokens: Sequence[np.ndarray], manners: Sequence[Manner]
    ) -> dict[str, np.ndarray]:
        """Ask the duration model: (B, N) each."""
        from ttskit.models.batch import collate

        batch = collate(ids, [{"tokens": row} for row in tokens]).to(self.device)
        made = self.duration.generate(self._with_speakers(batch, manners, self._of_duration))
        return {name: value.cpu().numpy() for name, value in made.items()}

    def _rounded(
        self,
        ids: Sequence[str],
        tokens: Sequence[np.ndarray],
        manners: Sequence[Manner],
        foretold: np.ndarray,
    ) -> list[np.ndarray]:
        return [
            self._durations(id, row, lasting, manner)
            for id, row, lasting, manner in zip(ids, tokens, foretold, manners, strict=True)
        ]

    def _durations(
        self, id: str, tokens: np.ndarray, foretold: np.ndarray, manner: Manner
    ) -> np.ndarray:
        from ttskit.dsp.rounding import rounded

        if manner.durations is not None:
            return np.asarray(manner.durations)
        silent = np.array(self.facts.silent)[tokens]
        lasting = foretold[: len(tokens)] * manner.length_scale
        try:
            return rounded(lasting, silent, manner.frames)
        except TtskitError as error:
            raise type(error)(f"{id}: {error}") from error

    def _wanted(
        self, foretold: Mapping[str, np.ndarray], row: int, manner: Manner
    ) -> dict[str, np.ndarray]:
        """Return what the decoder wants to know of each token, as the manner changes it."""
        wanted = {}
        needs = type(self.decoder).needs(self.decoder.config)
        for name, shift in (
            ("pitch", np.asarray(manner.pitch) * SEMITONE),
            ("loudness_token", np.asarray(manner.loudness) / 10),
        ):
            if name in needs:
                values = foretold[name][row]
                moved = np.zeros_like(values)
                moved[:] = values
                count = np.broadcast_to(shift, shift.shape or (len(values),)).shape[0]
                moved[:count] = values[:count] + shift
                wanted[name] = moved
        return wanted

    def _with_speakers(
        self, batch: Batch, manners: Sequence[Manner], known: Mapping[str, int]
    ) -> Batch:
        import torch

        weights = np.array([mixture(manner.speaker, known) for manner in manners], np.float32)
        if (weights.max(axis=1) == 1).all():
            return batch.with_fields(speaker=torch.tensor(weights.argmax(axis=1)).to(self.device))
        return batch.with_fields(
            speaker=torch.tensor(weights.argmax(axis=1)).to(self.device),
            speaker_mix=torch.tensor(weights).to(self.device),
        )


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


def agree(one: Trained, other: Trained) -> None:
    """Refuse models that do not fit each other: other symbols, another grid."""
    from ttskit.trained import GRID

    names = ("sample_rate", "hop_length") if one.role == "duration" else GRID
    for name in names:
        found, wanted = getattr(other.facts, name), getattr(one.facts, name)
        if found != wanted:
            raise ArtifactError(
                f"{other.name}: has {name} {found}, {one.name} has {wanted}: "
                "train both on features of one grid"
            )
    if one.facts.symbols and other.facts.symbols and one.facts.symbols != other.facts.symbols:
        raise ArtifactError(
            f"{other.name}: knows other symbols than {one.name}: train both on one alignment"
        )
