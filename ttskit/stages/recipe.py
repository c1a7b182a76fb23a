"""Recipe: a folder with a Makefile that runs all stages of an experiment."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ttskit.artifacts import atomic
from ttskit.errors import TtskitError

FEW, SOME = 6, 24  # utterances by which stages are measured
RECIPES = Path(__file__).parents[1] / "recipes"
HEADS = {
    "voice": "A voice from {dataset}: `make plan` says what is to come, `make` makes it.",
    "ddsp": "A ddsp vocoder from {dataset}: `make` trains it and says what its copies are worth.",
    "compare": "Voices on the texts of {dataset}: `make` compares them, `make blind` is a test.",
    "ddn": "Takes of {dataset} by a ddn decoder: `make` trains it and two rivals, and compares.",
    "mamba": "A voice by codes from {dataset}: `make` trains it and speaks the test set.",
    "tortoise": "The Tortoise chain from {dataset}: `make` says what candidates are worth.",
}
# the files of rules, the first one of its own name
RULES = {
    "voice": ("speech",),
    "ddsp": ("speech",),
    "compare": (),
    "ddn": ("voice", "speech"),
    "mamba": ("codes", "speech"),
    "tortoise": ("codes", "speech"),
}
# what a project sets, besides DATASET and CORPUS
SPOKEN = "LANGUAGE ?= {language}\nHOURS ?= {hours:g}\n"
SETS = {
    "voice": SPOKEN + "FROM ?= {start}\n",
    "ddsp": "HOURS ?= {hours:g}\n",
    "compare": "VOICES ?= {voices}\n",
} | dict.fromkeys(("ddn", "mamba", "tortoise"), SPOKEN)
MAKEFILE = """\
# {head}
# What can be set, here or as `make NAME=value`, is described at the top of {rules}.
DATASET ?= {dataset}
{sets}CORPUS ?= --peak -3 # scale each recording to the same peak level
FEATURES ?= --f0 praat-ac

include {name}.mk
"""
CARD = """\
name = {name}
licence = "Not stated: who may use this voice, and for what?"
data = "Recordings in {folder}, language {language}."
training = "`ttskit recipe {recipe}`: {hours:g} hours of training{start}."
measures = "See spoken/voice.scores.h5 beside the voice."
weaknesses = "Not stated."
"""

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="What to make: voice, ddsp, compare, ddn, mamba or tortoise.",
        show_default="list them",
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
Plan = Annotated[
    bool,
    typer.Option(
        "--plan",
        help="Write nothing: say what the stages of a voice will take on this machine, by a few "
        "seconds of each.",
    ),
]


def command(
    name: Name = None,
    dataset: Dataset = None,
    output: Output = None,
    language: Language = None,
    hours: Hours = 1.0,
    start: From = None,
    only_plan: Plan = False,
) -> None:
    """Write a Makefile project for a whole experiment, such as a voice.

    Examples:
        ttskit recipe voice recordings/ --language nl -o mine
        ttskit recipe voice few/ --language en-us --from kathleen --hours 0.5 -o mine
    """
    known = sorted(HEADS)
    if name is None:
        for one in known:
            typer.echo(one)
        return
    if name not in known:
        raise typer.BadParameter(f"no recipe {name!r}; there is {', '.join(known)}")
    if dataset is None:
        raise typer.BadParameter("which recordings? name their folder", param_hint="DATASET")
    if output is None and not only_plan:
        raise typer.BadParameter("a recipe needs a folder to write", param_hint="--output")
    if language is None and "{language}" in SETS[name]:
        raise typer.BadParameter(
            "in which language are the texts? en-us, nl, de ...; `characters` for one without "
            "phonemes",
            param_hint="--language",
        )
    if start is not None and name not in ("voice", "compare"):
        raise typer.BadParameter("only voice and compare begin from one", param_hint="--from")
    if only_plan:
        if name != "voice":
            raise typer.BadParameter("only a voice has a plan", param_hint="--plan")
        plan(dataset, language or "", hours)
    elif output is not None:
        write(name, dataset, output, language or "", hours, start)


class Measured(NamedTuple):
    """What one stage takes for a number of utterances: of processor time, and on the disk."""

    utterances: int
    seconds: float
    megabytes: float


def expected(few: Measured, more: Measured, utterances: int, cores: int = 1) -> tuple[float, float]:
    """Return seconds and megabytes for many utterances, by what few and some more of them take.

    What every run takes, such as to start, counts once, and is no faster with more cores.

    >>> expected(Measured(4, 3.0, 1.0), Measured(16, 4.2, 4.0), 1004)
    (103.0, 251.0)
    """
    share = (utterances - few.utterances) / (more.utterances - few.utterances)
    seconds, megabytes = (max(0.0, b - a) * share for a, b in zip(few[1:], more[1:], strict=True))
    return round(few.seconds + seconds / cores, 3), round(few.megabytes + megabytes, 3)


def plan(dataset: Path, language: str, hours: float) -> None:
    """Print what the stages of a voice will take here if nothing else does, by a few of each."""
    import tempfile

    from ttskit import tables, wording
    from ttskit.artifacts import pool
    from ttskit.datasets import understand

    total = len(understand(dataset).clips)
    if total < 2:
        raise TtskitError("has too few utterances to plan a training", file=str(dataset))
    counts = (min(FEW, total - 1), min(SOME, total))
    with tempfile.TemporaryDirectory(prefix="ttskit-") as folder:
        runs = [_sample(dataset, language, count, Path(folder)) for count in counts]
    rows, spent, stored = [], 3600 * hours, 0.0
    for stage in runs[0]:
        seconds, megabytes = expected(runs[0][stage], runs[1][stage], total, pool.cores())
        rows.append({"stage": stage, "time": wording.clock(seconds), "MB": f"{megabytes:.1f}"})
        spent, stored = spent + seconds, stored + megabytes
    rows.append({"stage": "trainings", "time": wording.clock(3600 * hours), "MB": ""})
    rows.append({"stage": "all", "time": wording.clock(spent), "MB": f"{stored:.1f}"})
    typer.echo(tables.text(rows))


def _sample(dataset: Path, language: str, count: int, folder: Path) -> dict[str, Measured]:
    """Run each stage on some utterances, and return what it took."""
    import os
    import subprocess
    import sys

    measured = {}
    names = ("corpus", "features", "tokens", "align")
    corpus, features, tokens, aligned = (folder / f"{name}-{count}.h5" for name in names)
    stages: dict[Path, list[str | Path]] = {
        corpus: ["corpus", dataset, "--limit", str(count), "--skip-bad"],
        features: ["features", corpus, "--f0", "praat-ac"],
        tokens: ["tokens", corpus, "--language", language],
        aligned: ["align", features, tokens, "--aligner", "flat", "--skip-bad"],
    }
    for output, words in stages.items():
        before = os.times()
        command = [sys.executable, "-m", "ttskit", "-q", *words, "-j", "1", "-o", output]
        done = subprocess.run([str(one) for one in command], capture_output=True, check=False)
        if done.returncode:
            message = done.stderr.decode(errors="replace").strip().removeprefix("ttskit: ")
            raise TtskitError(message.splitlines()[-1] if message else f"{words[0]} failed")
        after = os.times()  # however busy the machine is
        seconds = after.children_user + after.children_system
        seconds -= before.children_user + before.children_system
        measured[str(words[0])] = Measured(count, seconds, output.stat().st_size / 1e6)
    return measured


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
    rules = [f"{rule}.mk" for rule in (name, *RULES[name])]
    files = {rule: (RECIPES / rule).read_text(encoding="utf-8") for rule in rules}
    files["Makefile"] = MAKEFILE.format(
        head=head, sets=sets, name=name, dataset=dataset.resolve(), rules=" and ".join(rules)
    )
    if "{language}" in SETS[name]:
        files["card.toml"] = CARD.format(
            name=json.dumps(output.resolve().name, ensure_ascii=False),
            recipe=name,
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
    progress.note(f"{output}: {first}`make -C {shlex.quote(str(output))}`")
