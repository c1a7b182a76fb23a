"""From tokens to what a chain of models makes of them: what `decode`, `say` and `compare` share.

Shapes: N tokens, T frames.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.errors import ArtifactError, TtskitError, at
from ttskit.speaking.knobs import settings
from ttskit.voices.join import apart, join
from ttskit.voices.model import generated

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Tokens
    from ttskit.dsp.widening import Widening
    from ttskit.models.family import Family
    from ttskit.networks.batch import Batch
    from ttskit.voices.model import Model

SEMITONE = 1 / 12  # octaves
LONGEST = 10_000  # frames of a token; only an untrained model predicts more


@dataclass(frozen=True)
class Manner:
    """How to speak an utterance; every number may also be an array with one per token."""

    length_scale: float | np.ndarray = 1.0  # above 1 is slower
    pitch: float | np.ndarray = 0.0  # semitones higher
    pitch_range: float | np.ndarray = 1.0  # times as far from the middle of the voice
    loudness: float | np.ndarray = 0.0  # dB louder
    speaker: str = ""  # the first one where it is empty; `a:0.7,b:0.3` mixes
    knobs: Mapping[str, float] = field(
        default_factory=dict
    )  # noise_scale ..., where models have it
    preset: str = ""  # a name for several knobs
    style: np.ndarray | None = None  # mel of a recording in the wanted style
    frames: int | None = None  # in all, to be fitted
    most: int | None = None  # frames in all, at most


class Cascade:
    """A chain of models, loaded; each runs on the fields that are known or that others make.

    Attributes
    ----------
    takes : the fields that any of the models takes
    makes : the fields that they make
    facts : of the last model that reads tokens
    language : of that model
    beside : the models that judge what the others make, or hear clips, by their roles
    """

    def __init__(
        self,
        models: Sequence[Model],
        wanted: str,
        known: Collection[str] = ("tokens",),
        device: str = "cpu",
        widening: Widening | None = None,
    ) -> None:
        self.models = join(models, known, wanted)
        self.steps = [(model, _folded(model, device)) for model in self.models]
        self.outputs = [{*module.makes(module.config)} for _, module in self.steps]
        self.takes = {name for model in self.models for name in model.takes}
        self.makes = {name for model in self.models for name in model.makes}
        self.beside = {model.role: model for model in apart(models)[1]}
        readers = [model for model in self.models if "tokens" in model.takes]
        reader = (readers or self.models)[-1]
        self.facts, self.language = reader.facts, reader.language
        self.known, self.wanted, self.device, self.widening = known, wanted, device, widening

    def run(
        self,
        id: str,
        known: Mapping[str, np.ndarray],
        manner: Manner,
        seed: int,
        wanted: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Return all fields of an utterance, up to the one that is wanted.

        What is known is not predicted; `frames` is how many there are, where codes would make a
        few more.  All randomness follows from the seed alone; of what comes after a take, from its
        choices, so that they give the same sound again.
        """
        fields = dict(known)
        if manner.style is not None:
            fields["style"] = manner.style
        if "durations" in fields and not fields["durations"].any():
            raise TtskitError("lasts no frame", utterance=id)
        _check_length(id, fields, manner.most)
        with self._computing():
            for (model, module), makes in zip(self.steps, self.outputs, strict=True):
                if (wanted or self.wanted) in fields:
                    break
                if fields.keys() >= makes:
                    continue
                chance = seed_of_take(fields["take"]) if {"take", "mel"} <= fields.keys() else seed
                fields = self._with_outputs(id, model, module, fields, manner, chance)
                if not fields.keys() >= makes:  # only durations are made
                    fields = self._with_outputs(id, model, module, fields, manner, seed)
        return fields

    @property
    def families(self) -> list[type[Family]]:
        """The families of the models."""
        return [type(module) for _, module in self.steps]

    def check_style(self) -> None:
        """Refuse a style where none of the models follows one."""
        check_style(self.models)

    def check_rate(self, rate: float | np.ndarray, who: str) -> None:
        """Refuse a rate (or a length scale) other than 1 where none of the models follows one."""
        if "durations" not in self.takes and np.any(np.asarray(rate) != 1):
            raise TtskitError(
                f"{who}: none of its models takes durations, so it has a rate of its own: leave "
                "the rate out"
            )

    def check_speaker(self, speaker: str) -> None:
        """Refuse a speaker that one of the models does not know."""
        for model in filter(_by_speaker, self.models):
            mixture(speaker, numbers(model))

    def _computing(self) -> AbstractContextManager[Any]:
        """Return a context in which models compute, without gradients."""
        import torch

        return torch.inference_mode()

    def _with_outputs(
        self,
        id: str,
        model: Model,
        module: Family,
        fields: Mapping[str, np.ndarray],
        manner: Manner,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Return fields with those that a model makes of them, and that are not known yet."""
        outputs = self._step(id, model, module, fields, manner, seed)
        if "durations" in outputs and "durations" not in fields:
            tokens, durations = fields["tokens"], outputs["durations"]
            outputs["durations"] = self._rounded(id, tokens, durations, manner)
        if "mel" in outputs and self.widening is not None:
            outputs["mel"] = self.widening(outputs["mel"])
        fields = {**outputs, **fields}
        _check_length(id, fields, manner.most)
        return fields

    def _step(
        self,
        id: str,
        model: Model,
        module: Family,
        fields: Mapping[str, np.ndarray],
        manner: Manner,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Return what one model makes, without padding."""
        batch = self.inputs(id, model, fields, manner)
        knobs = settings(type(module), manner.knobs, manner.preset)
        return generated(module, batch, fields, seed, knobs)

    def inputs(
        self, id: str, model: Model, fields: Mapping[str, np.ndarray], manner: Manner
    ) -> Batch:
        """Return the fields of an utterance as a model reads them."""
        from ttskit.networks.batch import collate
        from ttskit.networks.fields import FIELDS

        known = {name: value for name, value in fields.items() if name in FIELDS}
        batch = collate([id], [shifted(known, manner)], stepped=True).to(self.device)
        if _by_speaker(model):
            batch = _with_speaker(batch, manner.speaker, numbers(model))
        return batch

    def _rounded(
        self, id: str, tokens: np.ndarray, predicted: np.ndarray, manner: Manner
    ) -> np.ndarray:
        """Return predicted durations in whole frames, (N,), as slow as the manner says."""
        from ttskit.dsp.rounding import rounded

        silent = np.array(self.facts.silent)[tokens]
        durations = predicted * manner.length_scale
        with at(utterance=id):
            if not (durations < LONGEST).all():
                raise TtskitError(
                    f"the duration model predicts {durations.max():g} frames for a token: it has "
                    "not learnt how long they last; train it for longer"
                )
            return rounded(durations, silent, manner.frames)


def _check_length(id: str, fields: Mapping[str, np.ndarray], most: int | None) -> None:
    """Refuse an utterance that would take more memory than a machine has."""
    if most is not None and "durations" in fields and (total := fields["durations"].sum()) > most:
        raise TtskitError(f"lasts {total} frames, at most {most} can be spoken", utterance=id)


def _folded(model: Model, device: str) -> Family:
    module = model.module(device)
    module.fold()
    return module


def _by_speaker(model: Model) -> bool:
    """Return whether a model was trained with the number of the speaker."""
    family, config = model.shape
    return "speaker" in family.needs(config)


def shifted(fields: Mapping[str, np.ndarray], manner: Manner) -> dict[str, Any]:
    """Return fields with pitch and loudness moved as the manner says."""
    changed: dict[str, Any] = dict(fields)
    if "pitch" in fields:
        changed["pitch"] = fields["pitch"] * manner.pitch_range + manner.pitch * SEMITONE
    if "loudness_token" in fields:
        changed["loudness_token"] = fields["loudness_token"] + manner.loudness / 10
    return changed


def _with_speaker(batch: Batch, speaker: str, known: Mapping[str, int]) -> Batch:
    """Return a batch of one utterance with its speaker's number, or the weights of several."""
    import torch

    if len(known) == 1:  # whoever is asked for of another model
        speaker = ""
    weights = mixture(speaker, known)[None].astype(np.float32)
    device = next(iter(batch.fields.values())).device
    batch = batch.with_fields(speaker=torch.tensor(weights.argmax(axis=1)).to(device))
    if weights.max() == 1:
        return batch
    return batch.with_fields(speaker_mix=torch.tensor(weights).to(device))


def check_style(models: Collection[Model]) -> None:
    """Refuse a style where none of some models follows one."""
    for model in models:
        family, config = model.shape
        if family.styled(config):
            return
    voices = (model.name.rpartition(": ")[0] or model.name for model in models)
    names = ", ".join(dict.fromkeys(voices))
    raise TtskitError(
        f"{names}: no model follows a style; leave --style out, or add a coder of the family "
        "mamba, or a duration model trained with --family film --set reference=true"
    )


def numbers(model: Model) -> dict[str, int]:
    """Return the speakers of a model by name."""
    return {name: number for number, name in enumerate(model.facts.speakers)}


def seed_of(seed: int, id: str) -> int:
    """Return the seed of one utterance, whatever others there are."""
    return int.from_bytes(hashlib.sha256(f"{seed} {id}".encode()).digest()[:7])


def seed_of_take(take: np.ndarray) -> int:
    """Return the seed of what is made of the choices of a decoder."""
    return int.from_bytes(hashlib.sha256(take.astype("<i8").tobytes()).digest()[:7])


def unspoken(token_word: np.ndarray, words: Collection[str], durations: np.ndarray) -> str:
    """Return the first word that no frame is for, if there is one."""
    inner = token_word >= 0
    frames = np.bincount(token_word[inner], durations[inner], minlength=len(words))
    return next((word for word, count in zip(words, frames, strict=True) if not count), "")


def check(spelt: Tokens | Alignment, symbols: int) -> None:
    """Refuse tokens that are damaged: of symbols or words that are not there."""
    if not len(spelt.tokens):
        raise ArtifactError("has no tokens")
    for values, least, most in (
        (spelt.tokens, 0, symbols),
        (spelt.token_word, -1, len(spelt.words)),
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
        name, _, weight = part.partition(":") if part not in known else (part, "", "")
        try:
            weights[known[name]] += float(weight or 1)
        except (KeyError, ValueError):
            shown = ", ".join(name or "(unnamed)" for name in known)
            raise TtskitError(f"no speaker {part!r}; there is {shown}") from None
    if not weights.sum() > 0 or weights.min() < 0:
        raise TtskitError(f"speaker {speaker!r}: the weights must be positive")
    return weights / weights.sum()


def check_symbols(symbols: Sequence[str], reader: Model, complaint: str) -> None:
    """Refuse tokens of another table than the model that reads them was trained on."""
    if tuple(symbols) != reader.facts.symbols:
        from ttskit.text.symbols import language_of

        own, other = (name or "other" for name in (reader.language, language_of(symbols)))
        which = "other characters" if own == other else f"{other}, not {own}"
        raise ArtifactError(
            f"{complaint} than {reader.name} was trained on ({which}): spell in its language "
            f"(`ttskit tokens --language {reader.language or 'LANGUAGE'}`)"
        )
