"""Compare: voices, or every chain that some models make, side by side on the same texts.

Reads Voices, Models and texts; writes a Corpus and the Scores of each system, and prints one
table: quality, speed and memory, and whether the difference from the best system is real.
Systems speak one after another, each in a process of its own that has one thread and nothing
else to do: so its time and its memory are known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ttskit.errors import ArtifactError, TtskitError
from ttskit.options import (
    TEXT,
    Candidates,
    Ceiling,
    Clip,
    Jobs,
    JudgeOption,
    Knobs,
    Limit,
    NoiseScale,
    Rank,
    Restart,
    Seed,
    SkipBad,
    Speaker,
    TableCsv,
    TableJson,
    TableMarkdown,
    numbers,
    weights,
)

if TYPE_CHECKING:
    from ttskit.artifacts.build import Running
    from ttskit.artifacts.kinds import Corpus
    from ttskit.artifacts.reader import Reader
    from ttskit.metrics.comparison import Entry
    from ttskit.metrics.judge import Compared
    from ttskit.speaking.stopwatch import SharedStyle
    from ttskit.speaking.texts import Texts
    from ttskit.voices.voice import VoiceFile

REVISION = 1
TEXTS, VOICE = "texts", "voice"
COSTS = {"load_seconds": "s", "peak_megabytes": "MB", "parameters": "million"}


class System(NamedTuple):
    """What speaks: its files, or names of what comes with ttskit, and what they make."""

    parts: tuple[str, ...]
    voice: VoiceFile


def role_of(path: Path) -> str:
    """Return what a file is here: texts, a voice, or a model by its role."""
    from ttskit import models
    from ttskit.artifacts import hdf5
    from ttskit.voices import embedded, voice
    from ttskit.voices.model import MODEL

    if not path.exists() and models.role_of(str(path)):
        return models.role_of(str(path))
    if not path.exists() and str(path) in embedded.voices():
        return VOICE
    names = [name for families in models.FAMILIES.values() for name in families]
    voice.check_name(str(path), [*embedded.voices(), *names])
    if path.is_file() and not hdf5.is_hdf5(path):
        return TEXTS
    container = hdf5.open_container(path)
    if container.kind == MODEL:
        return str(container.attributes.get("role"))
    if container.kind in ("tokens", "corpus"):
        return TEXTS
    if container.kind != VOICE:
        raise ArtifactError(f"{path}: is {container.kind}, needs texts, a voice or a model")
    return VOICE


def grid(roles: Mapping[str, str], order: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return by name the files of each system: a Voice alone, or a chain of models.

    There is a chain for every way to take one model of each role, in the order of a chain.
    """
    voices = [(name,) for name, role in roles.items() if role == VOICE]
    models = [name for name, role in roles.items() if role not in (VOICE, TEXTS)]
    if not voices and not models:
        raise TtskitError("compare takes Voices, or models that make chains: there is none")
    rivals = [[one for one in models if roles[one] == role] for role in order]
    shared = 1 if rivals and len(rivals[0]) == 1 else 0  # the first of all chains names none
    systems: dict[str, tuple[str, ...]] = {}
    chains = [(parts, parts[shared:] or parts) for parts in product(*rivals) if parts]
    for parts, names in [*((one, one) for one in voices), *chains]:
        name = "+".join(Path(one).stem for one in names)
        if name in systems:
            raise TtskitError(f"{' and '.join(names)}: another system is called {name} too")
        systems[name] = parts
    return systems


def in_order(roles: Mapping[str, str]) -> list[str]:
    """Return the roles of the models in the order of a chain."""
    from ttskit.voices.voice import chosen

    firsts = {role: one for one, role in reversed([*roles.items()]) if role not in (VOICE, TEXTS)}
    return list(chosen([*firsts.values()])) if firsts else []


def sort_out(
    paths: Sequence[Path] | None, limit: int | None
) -> tuple[Texts, dict[str, tuple[str, ...]]]:
    """Return the texts among the inputs, and the systems that the others make."""
    from ttskit.artifacts import streams
    from ttskit.speaking.texts import read_texts

    files = [streams.local(path) for path in streams.named(paths)]
    roles = {str(path): role_of(path) for path, _ in files}
    listed = [file for file in files if roles[str(file[0])] == TEXTS]
    if len(listed) != 1:
        there = ", ".join(name for _, name in listed) or "none"
        raise TtskitError(f"compare takes one list of texts, or Tokens; there is {there}")
    return read_texts(*listed[0]).first(limit), grid(roles, in_order(roles))


def check(reference: Reader[Corpus], texts: Texts) -> None:
    """Refuse a reference that has not the same texts, before any is spoken."""
    for id, text in texts.items.items():
        if id not in reference and id not in reference.skipped:
            raise ArtifactError(f"{reference.name}: has no utterance {id}, which {texts.name} has")
        if id in reference and (other := reference[id].text) != text.text:
            raise ArtifactError(
                f"{reference.name}: {id}: says {other!r:.60}, {texts.name} {text.text!r:.60}: "
                "needs the same text"
            )


def recordings(path: Path | None, texts: Texts) -> Reader[Corpus] | None:
    """Open the reference, if there is one; refuse it where it has not the same texts."""
    from ttskit.artifacts import kinds, streams

    if path is None:
        return None
    (reference,) = streams.inputs([path], kinds.Corpus)
    check(reference, texts)
    return reference


def measures_of(names: Sequence[str], reference: bool) -> list[str]:
    """Return the measures to take; without names, those that can be taken as it is."""
    from ttskit import progress
    from ttskit.metrics import judge
    from ttskit.metrics.registry import MEASURES

    free = judge.WITHOUT_REFERENCE  # worth an extra package
    allowed = free | judge.WITH_REFERENCE if reference else free
    if names:
        return list(judge.chosen(names, allowed, "crepe-tiny"))
    fit = {name: one for name, one in MEASURES.items() if one.needs in allowed}
    if missing := [name for name, one in fit.items() if one.needs in free and not one.installed]:
        progress.note(f"without {', '.join(missing)}: they need pip install 'ttskit[eval]'")
    return [
        name
        for name, one in fit.items()
        if one.installed and (one.needs in free or not one.packages)
    ]


def synthesise(
    folder: Path,
    systems: Mapping[str, System],
    texts: Texts,
    manner: SharedStyle,
    running: Running,
) -> dict[str, Path]:
    """Write the Corpus of each system, once all are known to be able to speak the texts."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe, build, up_to_date
    from ttskit.speaking import tokens
    from ttskit.speaking.stopwatch import TimedSpeech

    recipes = {}
    for name, (_, voice) in systems.items():
        spelling = {"language": voice.language, "tokens": tokens.REVISION}
        recipe = recipes[folder / f"{name}.h5"] = Recipe(
            stage="compare",
            revision=REVISION,
            kind=kinds.Corpus,
            options={**manner.options(), **spelling, "limit": texts.limit},
            inputs=[*texts.digests, *(model.container.digest for model in voice.models.values())],
            attributes={"sample_rate": voice.sample_rate},
            skipped=texts.skipped,
        )
        if running.restart or not up_to_date(folder / f"{name}.h5", recipe):
            able(voice, texts, manner)
    apart = replace(running, jobs=1, apart=True)
    for (path, recipe), (parts, _) in zip(recipes.items(), systems.values(), strict=True):
        make = TimedSpeech(parts, manner, texts.tokens)
        build(path, recipe, texts.items, make, apart, source=texts.name)
    return dict(zip(systems, recipes, strict=True))


def able(voice: VoiceFile, texts: Texts, manner: SharedStyle) -> None:
    """Refuse a system that cannot speak the texts in this manner."""
    from ttskit.speaking.acoustics import check_symbols
    from ttskit.speaking.chain import Chain

    if texts.tokens is None:
        voice.speller()
    else:
        symbols = texts.tokens.table("symbols")
        check_symbols(symbols, voice.reader, f"{texts.name}: has other symbols")
    Chain(voice, choice=manner.choice).check(manner.style(manner.seed))


def costs(corpus: Reader[Corpus], voice: VoiceFile) -> dict[str, float]:
    """Return what a system needs whatever it says."""
    own = [model.container.attributes.get("parameters", 0) for model in voice.models.values()]
    spent = {name: float(corpus.column(name).max()) for name in ("load_seconds", "peak_megabytes")}
    return {**spent, "parameters": sum(map(float, own)) / 1e6}


def page(table: Sequence[Entry], spent: Mapping[str, Mapping[str, float]], form: str) -> str:
    """Return the one table of what systems are worth and what they cost."""
    from ttskit import tables

    cells = [entry.cells() for entry in table]
    for cost, unit in COSTS.items():
        least = min(own[cost] for own in spent.values())
        for name, own in sorted(spent.items(), key=lambda item: item[1][cost]):
            verdict = "best" if own[cost] == least and len(spent) > 1 else ""
            cell = {"measure": cost, "system": name, "verdict": verdict, "unit": unit}
            cells.append(cell | {"mean": f"{own[cost]:.4g}"})
    return tables.text(cells, form)


def summary(
    table: Sequence[Entry], spent: Mapping[str, Mapping[str, float]], texts: Texts
) -> dict[str, Any]:
    """Return the same by system, as JSON can say it."""
    systems: dict[str, dict[str, Any]] = {name: {} for name in spent}
    for entry in table:
        systems[entry.system][entry.row.name] = entry.row.facts() | {"best": entry.best}
    merged = {name: {**systems[name], **spent[name]} for name in spent}
    return {"texts": len(texts.items), "threads": 1, "systems": merged}


def compare(
    output: Path | None,
    systems: Mapping[str, System],
    texts: Texts,
    manner: SharedStyle,
    measured: Compared,
    measures: Sequence[str],
    running: Running,
) -> tuple[list[Entry], dict[str, dict[str, float]]]:
    """Write Corpus and Scores of each system into a folder, and return what they come to.

    `measured` has the reference and the ceiling, where they are known.
    """
    from ttskit.artifacts import kinds, streams
    from ttskit.artifacts.reader import Reader
    from ttskit.metrics import scoring
    from ttskit.metrics.comparison import entries
    from ttskit.metrics.judge import Judge
    from ttskit.text.languages import CHARACTERS

    folder = output or streams.scratch()
    if folder.exists() and not folder.is_dir():
        raise TtskitError(f"{folder}: is no folder; needs one to write to")
    folder.mkdir(parents=True, exist_ok=True)
    paths = synthesise(folder, systems, texts, manner, running)
    voiced = next(iter(systems.values())).voice.language
    language = None if voiced == CHARACTERS else voiced
    spoken = {name: Reader(path, kinds.Corpus) for name, path in paths.items()}
    scores = {}
    for name, corpus in spoken.items():
        path = folder / f"{name}.scores.h5"
        judge = Judge(replace(measured, synthesised=corpus), measures, language=language)
        scoring.score(judge, path, running, among=texts.items)
        scores[name] = Reader(path, kinds.Scores)
    return list(entries(scores)), {
        name: costs(spoken[name], systems[name].voice) for name in spoken
    }


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Texts (lines, a Corpus or Tokens), and Voices or Models to compare, in any "
        "order; kathleen, source and griffinlim need no file.",
        show_default="standard input",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Folder for the Corpus and the Scores of each system.",
        show_default="print the table only",
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Corpus of recordings of the same texts, to measure against.",
    ),
]
Measures = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Measures to compute, separated by commas, such as rtf,wer,plcmos; see "
        "docs/evaluate.md for all of them.",
        show_default="those that are installed",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE",
        rich_help_panel=TEXT,
        help="Language of texts that Models speak: en-us, de ...; or characters. A Voice has "
        "its own.",
        show_default="that of the Models",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    reference: Reference = None,
    ceiling: Ceiling = None,
    measures: Measures = None,
    language: Language = None,
    noise_scale: NoiseScale = None,
    knob: Knobs = None,
    candidates: Candidates = 1,
    rank: Rank = None,
    judge: JudgeOption = None,
    clip: Clip = None,
    speaker: Speaker = "",
    seed: Seed = 0,
    as_json: TableJson = False,
    as_csv: TableCsv = False,
    as_markdown: TableMarkdown = False,
    limit: Limit = None,
    jobs: Jobs = 0,
    skip_bad: SkipBad = False,
    restart: Restart = False,
) -> None:
    """Compare voices, or all chains of some models, on the same texts.

    Examples:
        ttskit compare texts.tsv kathleen voice.h5
        ttskit compare texts.tsv duration.h5 decoder.h5 vocoder.h5 griffinlim -o compared
    """
    from ttskit import tables
    from ttskit.artifacts.build import Running
    from ttskit.metrics import scoring
    from ttskit.metrics.intelligibility import listener
    from ttskit.metrics.judge import Compared
    from ttskit.speaking.candidates import choice_of
    from ttskit.speaking.stopwatch import SharedStyle
    from ttskit.voices import voice

    form = tables.form_of(as_json, as_csv, as_markdown)
    texts, chains = sort_out(inputs, limit)
    recorded, copies = recordings(reference, texts), recordings(ceiling, texts)
    names = measures_of(scoring.names_in(measures), recorded is not None)
    systems = {name: System(parts, voice.opened(parts, language)) for name, parts in chains.items()}
    running = Running(jobs, skip_bad, restart)
    choice = choice_of(candidates, weights(rank), judge or (), listener)
    knobs = numbers("--knob", knob or (), "=", None)
    manner = SharedStyle(language, noise_scale, speaker, seed, knobs, choice, tuple(clip or ()))
    measured = Compared(recorded, ceiling=copies)
    results = compare(output, systems, texts, manner, measured, names, running)
    typer.echo(json.dumps(summary(*results, texts)) if form == "json" else page(*results, form))
