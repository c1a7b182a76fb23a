"""Chains of models: any set whose fields join what is known to what is wanted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ttskit.errors import ArtifactError
from ttskit.voices.model import GRID
from ttskit.wording import count

if TYPE_CHECKING:
    from ttskit.voices.model import Model

CLOCK = ("sample_rate", "hop_length")
JUDGES = ("aligner", "ranker")  # roles of models that judge what a chain makes


def join(models: Sequence[Model], known: Collection[str], wanted: str) -> tuple[Model, ...]:
    """Return the models in the order in which each finds the fields that it takes.

    Models that stand beside it (`apart`) are left out.

    Parameters
    ----------
    models : each makes fields that no other one makes
    known : names of the fields that there are without a model
    wanted : name of the field that the chain must make
    """
    rest, beside = apart(models)
    _refuse_rivals(rest)
    fields = set(known)
    chain: list[Model] = []
    while ready := next((model for model in rest if fields.issuperset(model.takes)), None):
        rest.remove(ready)
        chain.append(ready)
        fields.update(ready.makes)
    if rest:
        missing = next(name for name in rest[0].takes if name not in fields)
        raise _lacking(missing, f"which {rest[0].name} takes", models)
    if wanted not in fields:
        raise _lacking(wanted, "which is wanted in the end", models)
    check_fit([*chain, *beside])
    return tuple(chain)


def apart(models: Sequence[Model]) -> tuple[list[Model], list[Model]]:
    """Return the models of a chain, and those that stand beside it.

    The latter judge what the chain makes; so does a duration model where others do without: one
    reads tokens, none has durations.  Or they hear clips: a codec where another makes the sound.
    """
    chain = [model for model in models if model.role not in JUDGES]
    beside = [model for model in models if model.role in JUDGES]
    durations = [model for model in chain if model.role == "duration"]
    others = [model for model in chain if model not in durations]
    taken = {name for model in others for name in model.takes}
    made = {name for model in others for name in model.makes}
    if "tokens" in taken:
        beside += [model for model in durations if (taken | made).isdisjoint(model.makes)]
    codecs = [model for model in chain if model.role == "codec"]
    sounds = {name for model in chain if model not in codecs for name in model.makes}
    if "clip" in taken:
        beside += [model for model in codecs if not sounds.isdisjoint(model.makes)]
    return [model for model in chain if model not in beside], beside


def check_fit(models: Sequence[Model]) -> None:
    """Refuse models of different frame grids, mel settings or symbols."""
    mel = [model for model in models if "mel" in (*model.takes, *model.makes)]
    for group, names in ((models, CLOCK), (mel, GRID)):
        for model in group[1:]:
            _agree(group[0], model, names)
    check_symbols(models)
    check_codec(models)
    check_coder(models)


def check_codec(models: Sequence[Model]) -> None:
    """Refuse models that were trained on codes of different codecs, and another codec than that.

    Also those that were trained on more or fewer of its books than the first one.
    """
    codecs = {
        model.name: model.digest if model.role == "codec" else model.facts.codec
        for model in models
        if model.role == "codec" or model.facts.codec
    }
    first, *others = codecs or [""]
    for name in others:
        if codecs[name] != codecs[first]:
            raise ArtifactError(
                f"{name}: knows codes of another codec than {first}: take the codec that "
                "`ttskit encode` made the training data with"
            )
    trained = [model for model in models if model.role != "codec" and model.facts.codec]
    for model in trained[1:]:
        if model.facts.books != trained[0].facts.books:
            raise ArtifactError(
                f"{model.name}: knows {count(model.facts.books, 'book')} of codes, "
                f"{trained[0].name} {trained[0].facts.books}: train both on the same codes"
            )


def check_coder(models: Sequence[Model]) -> None:
    """Refuse a decoder of the latents of another coder than the one that is there."""
    coders = [model for model in models if model.role == "coder"]
    for model in models:
        for coder in coders:
            if model.facts.coder not in ("", coder.digest):
                raise ArtifactError(
                    f"{model.name}: knows latents of another coder than {coder.name}: take the "
                    "coder that `ttskit encode --coder` made the training data with"
                )


def check_clock(models: Sequence[Model]) -> None:
    """Refuse models of different frame rates or symbols, without loading their families."""
    for model in models[1:]:
        _agree(models[0], model, CLOCK)
    check_symbols(models)


def check_symbols(models: Sequence[Model]) -> None:
    """Refuse models that were trained on tokens of different tables of symbols."""
    reading = [model for model in models if model.facts.symbols]
    for model in reading[1:]:
        if model.facts.symbols != reading[0].facts.symbols:
            both = ", ".join(f"{one.name} {one.language or 'other'}" for one in (model, reading[0]))
            raise ArtifactError(
                f"{model.name}: knows other symbols than {reading[0].name} ({both}): "
                "train both on one alignment"
            )


def _agree(first: Model, model: Model, names: Sequence[str]) -> None:
    for name in names:
        value, expected = getattr(model.facts, name), getattr(first.facts, name)
        if value != expected:
            raise ArtifactError(
                f"{model.name}: has {name} {value}, {first.name} has {expected}: "
                "train both on features of one grid"
            )


def _refuse_rivals(models: Sequence[Model]) -> None:
    makers: dict[str, Model] = {}
    for model in models:
        for name in model.makes:
            rival = makers.setdefault(name, model)
            if rival is not model:
                raise ArtifactError(
                    f"{model.name}: makes {name}, which {rival.name} makes too: a chain needs one "
                    "of them"
                )


def _lacking(name: str, why: str, models: Sequence[Model]) -> ArtifactError:
    from ttskit.networks.fields import FIELDS

    names = ", ".join(f"{model.name} ({model.role})" for model in models) or "no model"
    return ArtifactError(
        f"nothing here makes {name}, {why}: add {FIELDS[name].source}; there is {names}"
    )
