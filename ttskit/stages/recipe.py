"""Recipe: a folder with a Makefile that runs all stages of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ttskit.artifacts import atomic
from ttskit.errors import TtskitError

RECIPES = Path(__file__).parents[1] / "recipes"
HEADS = {
    "voice": "A voice from {dataset}: `make plan` says what is to come, `make` makes it.",
    "ddsp": "A ddsp vocoder from {dataset}: `make` trains it and says what its copies are worth.",
    "compare": "Voices on the texts of {dataset}: `make` compares them, `make blind` is a test.",
}
# what a project sets, besides DATASET and CORPUS
SETS = {
    "voice": "LANGUAGE ?= {language}\nHOURS ?= {hours:g}\nFROM ?= {start}\n",
    "ddsp": "HOURS ?= {hours:g}\n",
    "compare": "VOICES ?= {voices}\n",
}
MAKEFILE = """\
# {head}
# What can be set, here or as `make NAME=value`, is described at the top of {name}.mk.
DATASET ?= {dataset}
{sets}CORPUS ?= --peak -3 # scale each recording to the same peak level
FEATURES ?= --f0 praat-ac

include {name}.mk
"""
CARD = """\
name = {name}
licence = "Not stated: who may use this voice, and for what?"
data = "Recordings in {folder}, language {language}."
training = "`ttskit recipe voice`: {hours:g} hours of training{start}."
measures = "See spoken/voice.scores.h5 beside the voice."
weaknesses = "Not stated."
"""

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME", help="What to make: voice, ddsp or compare.", show_default="list them"
    ),
]
Dataset = Annotated[
    Path | None,
    typer.Argument(
        metavar="DATASET", help="Folder of recordings, in any layout that `ttskit corpus` knows."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the project. Required."),
]
Language = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE",
        help="Language of the texts: en-us, nl, de ...; or characters. A voice requires it.",
    ),
]
Hours = Annotated[
    float,
    typer.Option(min=0.01, metavar="HOURS", help="Time to train, divided among the models."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="VOICE",
        help="Voice to begin from, or to compare, by name or file, such as kathleen: for less than "
        "half an hour of recordings.",
    ),
]


def command(
    name: Name = None,
    dataset: Dataset = None,
    output: Output = None,
    language: Language = None,
    hours: Hours = 1.0,
    start: From = None,
) -> None:
    """Write a Makefile project: a voice from recordings, a vocoder, or a comparison.

    Examples:
        ttskit recipe voice recordings/ --language nl -o mine
        ttskit recipe voice few/ --language en-us --from kathleen --hours 0.5 -o mine
    """
    known = sorted(path.stem for path in RECIPES.glob("*.mk"))
    if name is None:
        for one in known:
            typer.echo(one)
        return
    if name not in known:
        raise typer.BadParameter(f"no recipe {name!r}; there is {', '.join(known)}")
    if dataset is None:
        raise typer.BadParameter("which recordings? name their folder", param_hint="DATASET")
    if output is None:
        raise typer.BadParameter("a recipe needs a folder to write", param_hint="--output")
    if language is None and name == "voice":
        raise typer.BadParameter(
            "in which language are the texts? en-us, nl, de ...; `characters` for one without "
            "phonemes",
            param_hint="--language",
        )
    write(name, dataset, output, language or "", hours, start)


def write(
    name: str, dataset: Path, output: Path, language: str, hours: float, start: str | None
) -> None:
    """Write the project of a recipe, and say how to run it."""
    import json

    from ttskit import progress
    from ttskit.text.languages import resolve
    from ttskit.voices import embedded

    if not dataset.exists():
        raise TtskitError("no such folder of recordings", file=str(dataset))
    if start is not None:
        found = embedded.find(start)
        start = start if start in embedded.voices() else str(found.resolve())
    language = resolve(language) if language else ""
    facts = {"dataset": dataset.resolve(), "language": language, "hours": hours}
    sets = SETS[name].format(**facts, start=start or "", voices=start or "kathleen")
    head = HEADS[name].format(**facts)
    files = {
        "Makefile": MAKEFILE.format(head=head, sets=sets, name=name, dataset=dataset.resolve()),
        f"{name}.mk": (RECIPES / f"{name}.mk").read_text(encoding="utf-8"),
    }
    if name == "voice":
        files["card.toml"] = CARD.format(
            name=json.dumps(output.resolve().name, ensure_ascii=False),
            folder=dataset.resolve().name,
            language=language,
            hours=hours,
            start=f", begun from the voice {start}" if start else "",
        )
    for file, text in files.items():
        there = output / file
        if there.exists() and there.read_text(encoding="utf-8", errors="replace") != text:
            raise TtskitError("is there already, with other contents: choose another folder",
                              file=str(there))  # fmt: skip
    output.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        atomic.write_text(output / file, text)
    first = "describe the voice in card.toml, then " if "card.toml" in files else ""
    progress.note(f"{output}: {first}`make -C {output}`")
