"""Voice: models that fit each other, a lexicon and a card, packed into one file that speaks.

Reads a duration model, a decoder and a vocoder; writes a Voice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import ArtifactError, TtskitError
from ttskit.options import Json, Output

if TYPE_CHECKING:
    from ttskit.trained import Trained
    from ttskit.voice import Voice


class Action(StrEnum):
    """What is done."""

    PACK = "pack"
    INFO = "info"
    LIST = "list"


def chosen(names: Sequence[str]) -> dict[str, Trained]:
    """Return models by the roles that they play; a vocoder may be the name of a family."""
    from ttskit import streams, trained, voice
    from ttskit.models import FAMILIES

    models: dict[str, Trained] = {}
    families = [name for name in names if name in FAMILIES["vocoder"] and not Path(name).exists()]
    for name in names:
        if name in families:
            continue
        model = trained.read(*streams.local(Path(name)))
        if model.role not in voice.ROLES or model.role in models:
            needs = f"a voice has {', '.join(voice.ROLES)}"
            raise ArtifactError(f"{model.name}: is one {model.role} too many; {needs}")
        models[model.role] = model
    if families and "decoder" in models:
        models.setdefault("vocoder", voice.weightless(families[0], models["decoder"].facts))
    if missing := [role for role in voice.ROLES if role not in models] or families[1:]:
        raise TtskitError(f"pack needs DURATION DECODER VOCODER; there is no {missing[0]}")
    return models


def pack(
    output: Path | None,
    models: Mapping[str, Trained],
    card: str,
    language: str,
    lexicon: Sequence[Path],
    *,
    fold: bool,
    half: bool,
) -> None:
    """Write a voice, once its models have been seen to run."""
    from ttskit import progress, streams, synthesis, voice
    from ttskit.text.lexicon import lines_of

    lines = [line for path in lexicon for line in lines_of(path) if "\t" in line]
    told = {"language": language, "fold": fold, "half": half}
    contents = [hashlib.sha256(text.encode()).hexdigest() for text in (card, "\n".join(lines))]
    made = {
        "stage": "voice",
        "revision": 1,
        "options": told,
        "inputs": [*(model.container.digest for model in models.values()), *contents],
    }
    with streams.delivered(output) as (path, name):
        streams.replaceable(path, voice.KIND)
        synthesis.Acoustics(models["duration"], models["decoder"])
        models["vocoder"].module()
        settings = voice.Settings(language, fold, tuple(lines), card)
        voice.write(path, models, made, settings, half)
        progress.note(f"{name}: {path.stat().st_size / 1e6:.1f} MB")


def describe(found: Voice) -> dict[str, Any]:
    """Return what a voice is, as JSON can say it."""
    return {
        "path": str(found.container.path),
        "name": found.container.attributes["name"],
        "language": found.language,
        "megabytes": round(found.container.size / 1e6, 1),
        "sample_rate": found.models["decoder"].facts.sample_rate,
        "speakers": found.models["decoder"].facts.speakers,
        "models": {role: model.family for role, model in found.models.items()},
        "lexicon": len(found.settings.lexicon),
        "card": found.settings.card,
    }


def page(told: Mapping[str, Any]) -> str:
    """Return the same for a person: facts, then the card."""
    models = ", ".join(f"{role} {family}" for role, family in told["models"].items())
    rows = {
        "language": told["language"],
        "models": models,
        "speakers": ", ".join(told["speakers"]) or "one",
        "sample rate": f"{told['sample_rate']} Hz",
        "megabytes": told["megabytes"],
        "lexicon": f"{told['lexicon']} words",
    }
    lines = [f"{told['path']}: {told['name']}", *(f"  {key:12} {rows[key]}" for key in rows)]
    return "\n".join([*lines, "", told["card"].strip()])


def command(
    action: Annotated[Action, typer.Argument(help="pack, info or list.")],
    files: Annotated[
        list[str] | None, typer.Argument(help="pack: DURATION DECODER VOCODER; info: voices.")
    ] = None,
    output: Output = None,
    card: Annotated[
        Path | None, typer.Option(help="pack: what the voice is, as markdown or TOML.")
    ] = None,
    language: Annotated[str, typer.Option(help="pack: what it speaks.")] = "en-us",
    lexicon: Annotated[
        list[Path] | None, typer.Option(help="pack: words and phonemes; repeatable.")
    ] = None,
    fold: Annotated[bool, typer.Option("--fold", help="pack: with characters: case is one.")] = (
        False
    ),
    float32: Annotated[
        bool, typer.Option("--float32", help="pack: keep weights in 32 bits.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Pack a voice for `say`, or say what one is, or which come with ttskit."""
    from ttskit import voice

    if action is Action.PACK:
        if card is None:
            raise typer.BadParameter("pack needs --card: name, licence, data, weaknesses ...")
        models = chosen(files or ())
        pack(output, models, voice.card(card), language, lexicon or (), fold=fold, half=not float32)
        return
    if action is Action.LIST:
        names = [str(path) for path in voice.embedded().values()]
    else:
        names = [str(voice.find(name)) for name in files or [None]]  # type: ignore[list-item]
    for told in (describe(voice.read(Path(name))) for name in names):
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False))
        elif action is Action.LIST:
            typer.echo(f"{Path(told['path']).stem}\t{told['language']}\t{told['megabytes']} MB")
        else:
            typer.echo(page(told))
