"""The command-line options that mean the same in every verb that has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from ttskit.artifacts.shards import Shard
from ttskit.manual import RUNNING

TEXT, VOICE, TAKES = "Text", "Voice", "Takes"  # groups of options on a help page


def numbers(
    option: str, entries: Iterable[str], mark: str, usual: float | None
) -> dict[str, float]:
    """Return numbers by name, of entries such as `name=0.5`; `usual` is that of a name alone.

    >>> numbers("--rank", ["align:2", "clvp"], ":", 1.0)
    {'align': 2.0, 'clvp': 1.0}
    """
    found = {}
    for entry in entries:
        name, given, value = entry.partition(mark)
        try:
            number = usual if usual is not None and not given else float(value)
            if not math.isfinite(number):
                raise ValueError
        except ValueError:
            raise typer.BadParameter(f"{option} {entry}: needs NAME{mark}NUMBER") from None
        found[name.strip()] = number
    return found


def weights(rank: str | None) -> dict[str, float]:
    """Return the weights of the rankers that --rank names."""
    return numbers("--rank", rank.split(",") if rank else (), ":", 1.0)


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path | None] = ()) -> None:
    """Refuse outputs, by their options, that are one file, or that replace an input."""
    read = {path.resolve() for path in inputs if path is not None and str(path) != "-"}
    written: dict[Path, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        place = path if str(path) == "-" else path.resolve()
        if place in written:
            raise typer.BadParameter(
                f"{path} is the file of {written[place]} too: give each its own",
                param_hint=option,
            )
        if place in read:
            raise typer.BadParameter(
                f"{path} is an input, which it would replace: choose another name",
                param_hint=option,
            )
        written[place] = option


def numbered(output: Path | None, count: int) -> list[Path | None]:
    """Return the files of `count` takes: {n} in the name of the output stands for their number."""
    if count == 1:
        return [output]
    if output is None or "{n}" not in output.name:
        raise typer.BadParameter(
            f"--takes {count} writes {count} files: name them with {{n}}, as in -o 'take-{{n}}.h5'",
            param_hint="--output",
        )
    return [output.with_name(output.name.replace("{n}", str(n))) for n in range(1, count + 1)]


def families(incomplete: str) -> list[str]:
    """Return the model families that begin with some letters, for completion in a shell."""
    from ttskit.models import FAMILIES

    names = [name for known in FAMILIES.values() for name in known]
    return [name for name in names if name.startswith(incomplete)]


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Artifacts to read; - reads standard input.",
        show_default="standard input",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Artifact to write; - writes to standard output.",
        show_default="standard output",
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=0,
        metavar="N",
        rich_help_panel=RUNNING,
        help="Worker processes to run; 0 runs one for each core.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        rich_help_panel=RUNNING,
        help="Threads that compute, on a CPU; more than one gain little where others use the "
        "machine.",
        show_default="OMP_NUM_THREADS; without it 1 to speak, one for each core to train",
    ),
]
ShardOption = Annotated[
    Shard | None,
    typer.Option(
        "--shard",
        parser=Shard.read,
        metavar="I/N",
        rich_help_panel=RUNNING,
        help="Make only the I-th of N shards of the result; `ttskit merge` of all N puts them "
        "together.",
        show_default="the whole",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=RUNNING,
        help="Run on the workers of this Dask scheduler, as tcp://host:8786, instead of on "
        "processes of this machine.",
    ),
]
SkipBad = Annotated[
    bool,
    typer.Option(
        "--skip-bad",
        rich_help_panel=RUNNING,
        help="Leave bad utterances out and record why, instead of stopping with an error.",
    ),
]
SkipShort = Annotated[
    bool,
    typer.Option(
        "--skip-bad",
        rich_help_panel=RUNNING,
        help="Leave out utterances with too few frames to be aligned, instead of stopping with "
        "an error.",
    ),
]
Restart = Annotated[
    bool,
    typer.Option(
        "--restart",
        rich_help_panel=RUNNING,
        help="Discard what an interrupted run has finished, and start from the beginning.",
    ),
]
Renew = Annotated[
    bool,
    typer.Option(
        "--renew",
        rich_help_panel=RUNNING,
        help="Start from the beginning if the training so far was of other inputs or settings, "
        "and go on otherwise.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", rich_help_panel=RUNNING, help="Say what would be done, without doing it."
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", rich_help_panel=RUNNING, help="Use only the first N utterances."
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        rich_help_panel=RUNNING,
        help="Random seed: the same seed gives the same result.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="DEVICE",
        rich_help_panel=RUNNING,
        help="Where to run the model: cpu, cuda, or one GPU as cuda:1.",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        rich_help_panel=RUNNING,
        help="Print a summary as one JSON object on standard output.",
    ),
]
TableJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
TableCsv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")]
TableMarkdown = Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")]
Measures = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Measures to compute, separated by commas, such as mcd,f0,wer; see docs/evaluate.md "
        "for all of them.",
        show_default="those that need no extra package",
    ),
]
Assign = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one setting, such as training.batch=8. May be repeated.",
    ),
]
Ceiling = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Corpus of the same recordings through the vocoder (`vocode`): each score is said in "
        "words beside it.",
    ),
]
Language = Annotated[
    str,
    typer.Option(
        metavar="LANGUAGE",
        rich_help_panel=TEXT,
        help="Language of the texts: en-us, de, nl ...; or characters, for any language without "
        "phonemes.",
    ),
]
LanguageOrLikely = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="LANGUAGE",
        rich_help_panel=TEXT,
        help="Language of the texts: en-us, de, nl ...; or characters, for any language without "
        "phonemes. See `ttskit languages`.",
        show_default="en-us, if the texts look so",
    ),
]
Lexicon = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=TEXT,
        help="Your own pronunciations: lines of a word, a tab, its phonemes. May be repeated; "
        "later files win.",
    ),
]
Fold = Annotated[
    bool,
    typer.Option(
        "--fold",
        rich_help_panel=TEXT,
        help="With --language characters: ignore the difference of upper and lower case.",
    ),
]
Emoji = Annotated[
    bool,
    typer.Option(
        "--emoji",
        rich_help_panel=TEXT,
        help="Speak emoji by their names, which needs the extra emoji; else they are left out.",
    ),
]
NoiseScale = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=100,
        metavar="SCALE",
        rich_help_panel=VOICE,
        help="Randomness of the decoder: 0 is none and the clearest, 1 is that of training and "
        "the liveliest.",
        show_default="that of the voice or decoder",
    ),
]
RefineSteps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        max=1000,
        metavar="N",
        rich_help_panel=VOICE,
        help="Steps in which the decoder diffusion refines a mel: each costs time.",
        show_default="16",
    ),
]
Guidance = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=100,
        metavar="FACTOR",
        rich_help_panel=VOICE,
        help="How much further than predicted the decoder diffusion goes away from a mel without "
        "text; above 0 every step takes twice as long.",
        show_default="0",
    ),
]
SpeakingPreset = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="PRESET",
        rich_help_panel=VOICE,
        help="Steps and the like of the models at once: ultra_fast, fast, standard or high of the "
        "decoder diffusion. Options given beside it win.",
    ),
]
Knobs = Annotated[
    list[str] | None,
    typer.Option(
        "--knob",
        metavar="NAME=NUMBER",
        rich_help_panel=VOICE,
        help="Turn a knob of a model, such as temperature=0.7 of a coder. May be repeated.",
    ),
]
Candidates = Annotated[
    int,
    typer.Option(
        min=1,
        max=1000,
        metavar="N",
        rich_help_panel=VOICE,
        help="Takes of each utterance to choose from; without --rank the first one in which the "
        "aligner finds every word.",
    ),
]
Rank = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        rich_help_panel=VOICE,
        help="What ranks candidates: clvp, align, duration, heard; or several with weights, as "
        "align:1,clvp:0.5.",
        show_default="nothing",
    ),
]
JudgeOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--judge",
        metavar="FILE",
        rich_help_panel=VOICE,
        help="Aligner, ranker or duration model that judges candidates, in place of the voice's "
        "own. May be repeated.",
    ),
]
Rounds = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=1000,
        metavar="N",
        rich_help_panel=VOICE,
        help="Rounds of Griffin-Lim by the vocoder source, shaped or griffinlim: each costs time, "
        "and brings the phases of neighbouring frames closer to each other.",
        show_default="8 of source, 4 of shaped, 32 of griffinlim",
    ),
]
StyleFile = Annotated[
    Path | None,
    typer.Option(
        "--style",
        metavar="FILE",
        rich_help_panel=VOICE,
        help="Recording in whose style to speak, by models that follow one: a coder mamba, a "
        "duration model film.",
        show_default="the mean style",
    ),
]
_CLIPS = (
    "Recording to sound like, of a voice whose coder was trained with references; "
    "a.wav:0.7,b.wav:0.3 mixes two. May be repeated."
)
Clips = Annotated[
    list[str] | None,
    typer.Option("--reference", metavar="CLIP", rich_help_panel=VOICE, help=_CLIPS),
]
Clip = Annotated[  # where --reference is something else
    list[str] | None,
    typer.Option("--clip", metavar="CLIP", rich_help_panel=VOICE, help=_CLIPS),
]
Speaker = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        rich_help_panel=VOICE,
        help="Speaker to use, of those that the models know; ann:0.7,bob:0.3 mixes two.",
        show_default="the first one",
    ),
]
