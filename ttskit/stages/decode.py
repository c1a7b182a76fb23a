"""Decode: the mel of every text, as a duration model and a decoder speak it.

Reads lines of text, or Tokens, or Features with their Alignment, or Codes; writes Mels.  Of
recordings, the durations are those of the alignment, and pitch and loudness those of the recording,
so that frame by frame the mels stand beside the recorded ones.  All randomness follows from the
seed and the id of an utterance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit.errors import TtskitError
from ttskit.options import (
    TAKES,
    TEXT,
    VOICE,
    Candidates,
    Clips,
    Device,
    DryRun,
    Fold,
    Guidance,
    Jobs,
    Json,
    JudgeOption,
    Knobs,
    Lexicon,
    Limit,
    NoiseScale,
    Output,
    Rank,
    RefineSteps,
    Restart,
    Scheduler,
    Seed,
    ShardOption,
    SkipBad,
    SpeakingPreset,
    StyleFile,
    numbered,
    numbers,
    weights,
)

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Features
    from ttskit.artifacts.reader import Reader
    from ttskit.speaking.decoding import Utterance
    from ttskit.speaking.sources import Source, SpellingOptions
    from ttskit.training.examples import Examples
    from ttskit.voices.model import Model

HEARD = ("f0", "voiced", "loudness")


def recording(
    row: int, examples: Examples, features: Reader[Features], alignment: Reader[Alignment]
) -> Utterance:
    """Return a recording by its row among the examples, which measure it as training does."""
    import numpy as np

    from ttskit.speaking.decoding import Utterance
    from ttskit.training.examples import MEASURED

    id = examples.ids[row]
    at = features.row(id)
    columns = {name: features.value(at, name) for name in HEARD}
    fields = examples.item(row, 0, np.random.default_rng(0))
    known = {name: fields[name] for name in MEASURED}
    return Utterance(alignment[id], known, columns, fields["mel"])


def recordings(features: Reader[Features], alignment: Reader[Alignment], decoder: Model) -> Source:
    """Return the utterances of recordings."""
    from ttskit.speaking.acoustics import check_symbols
    from ttskit.speaking.sources import Source
    from ttskit.training.examples import MEASURED, Examples

    decoder.check_grid(features.name, features.attributes)
    check_symbols(alignment.table("symbols"), decoder, f"{alignment.name}: has other symbols")
    examples = Examples([features, alignment], ("mel", *MEASURED))
    for speaker in examples.speakers:  # once for all processes
        for name in ("f0", "loudness"):
            examples.middle(speaker, name)
    tell = partial(recording, examples=examples, features=features, alignment=alignment)
    digests, skipped = [*features.digests, *alignment.digests], features.skipped | alignment.skipped
    rows = {id: row for row, id in enumerate(examples.ids)}
    return Source(features.name, digests, skipped, rows, tell, {}, MEASURED)


def opened(
    inputs: Sequence[Path] | None, timed: bool, decoder: Model, spelling: SpellingOptions
) -> Source:
    """Return what is to be spoken, by what the files are.

    `timed` tells whether options say how long tokens last, as recordings do themselves.
    """
    from ttskit.artifacts import joined, kinds, streams
    from ttskit.speaking.sources import from_lines, from_tokens

    files = [streams.local(path) for path in streams.named(inputs)]
    lines = [file for file in files if joined.is_text(file[0])]
    if lines and len(files) > 1:
        raise TtskitError(f"{lines[0][1]}: is text, which decode takes alone; one file at a time")
    if lines:
        return from_lines(*lines[0], spelling, decoder)
    readers = [kinds.read(*file) for file in files]
    if any(spelling):
        name = readers[0].name
        raise TtskitError(f"{name}: is spelt already; leave --language, --lexicon, --fold out")
    if any(reader.kind in (kinds.Features, kinds.Alignment) for reader in readers):
        features, alignment = streams.by_kind(readers, kinds.Features, kinds.Alignment)
        if timed:
            options = "--duration and --length-scale"
            raise TtskitError(f"{alignment.name}: says how long tokens last; leave {options} out")
        return recordings(features, alignment, decoder)
    (reader,) = streams.by_kind(readers, kinds.Tokens)
    return from_tokens(reader, decoder)


def counts_of(text: str | None) -> list[int]:
    """Return the numbers of iterations that an option names, such as 1,2,4,8."""
    from ttskit.speaking.knobs import KNOBS

    counts, most = [], int(KNOBS["iterations"].most)
    for one in text.split(",") if text else ():
        if not one.strip().isdecimal() or not 1 <= int(one) <= most:
            raise typer.BadParameter(
                f"{one.strip()!r}: needs whole numbers from 1 to {most}, such as 8 or 1,2,4,8",
                param_hint="--iterations",
            )
        counts.append(int(one))
    return [*dict.fromkeys(counts)]


def chain_of(
    duration: Path | None, decoder: Path | None, codec: Path | None, others: Sequence[Path]
) -> list[Model]:
    """Open the models that lead from tokens to mel."""
    from ttskit.voices.model import read_model

    models = [read_model(duration, role="duration")] if duration else []
    models += [read_model(path) for path in others]
    models += [read_model(decoder, role="decoder")] if decoder else []
    models += [read_model(codec, role="codec")] if codec else []
    if not models or (duration and len(models) == 1):
        raise typer.BadParameter("which model makes the mel?", param_hint="--decoder")
    return models


def check_sampler(sampler: str | None, noise: float | None) -> None:
    """Refuse a sampler that there is not, or one that has no noise to scale."""
    from ttskit.speaking.choices import SAMPLERS

    if sampler is not None and sampler not in SAMPLERS:
        raise typer.BadParameter(f"{sampler}: there is {', '.join(SAMPLERS)}")
    if noise is not None and sampler not in (None, "prior"):
        raise typer.BadParameter(f"--sampler {sampler} has no noise to scale: leave one out")


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Lines of text (ID, tab, text; or text alone), or Tokens, or Features and their "
        "Alignment, or Codes; - reads standard input.",
        show_default="standard input",
    ),
]
Decoder = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Model that predicts mel spectrograms from tokens and durations."
    ),
]
Duration = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Model that predicts how long tokens last; needed for lines and Tokens. With an "
        "Alignment its durations are used.",
    ),
]
CodecOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Codec that turns codes into mel: alone for Codes, or after a coder (--model).",
    ),
]
ModelOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Further model between tokens and mel. May be repeated.",
    ),
]
Speaker = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        rich_help_panel=VOICE,
        help="Speaker to use, of those that the models know; ann:0.7,bob:0.3 mixes two.",
        show_default="that of the utterance, or the first one",
    ),
]
LengthScale = Annotated[
    float,
    typer.Option(
        min=0.05,
        max=20,
        metavar="FACTOR",
        rich_help_panel=VOICE,
        help="Multiply predicted durations by this: above 1 is slower.",
    ),
]
Iterations = Annotated[
    str | None,
    typer.Option(
        metavar="N,...",
        rich_help_panel=VOICE,
        help="Passes in which a coder mamba fills in its codes, at most; several numbers, such as "
        "1,2,4,8, decode every utterance with each of them, as ID@1, ID@2 and so on.",
        show_default="8",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE",
        rich_help_panel=TEXT,
        help="Language of lines of text: en-us, de, nl ...; or characters, for any language "
        "without phonemes.",
        show_default="that of the decoder",
    ),
]


Sampler = Annotated[
    str | None,
    typer.Option(
        metavar="SAMPLER",
        rich_help_panel=TAKES,
        help="How a ddn decoder chooses: prior (random, by how likely it thinks each candidate), "
        "greedy (the likeliest), uniform (any, as published), or guided (the one nearest to the "
        "recording).",
        show_default="prior",
    ),
]
TakeOption = Annotated[
    Path | None,
    typer.Option(
        "--take",
        metavar="FILE",
        rich_help_panel=TAKES,
        help="Mels whose takes are rendered again, by utterance.",
    ),
]
Takes = Annotated[
    int,
    typer.Option(
        "--takes",
        min=1,
        max=1000,
        metavar="N",
        rich_help_panel=TAKES,
        help="Write N takes, each with a seed of its own, to N files: the output has {n} in its "
        "name.",
    ),
]
Inpaint = Annotated[
    str,
    typer.Option(
        "--inpaint",
        metavar="WORD",
        rich_help_panel=TAKES,
        help="Speak only this word of each recording anew, by itself or by its number from 1; all "
        "frames beside it are kept.",
        show_default="none",
    ),
]
Guide = Annotated[
    Path | None,
    typer.Option(
        "--guide",
        metavar="FILE",
        rich_help_panel=TAKES,
        help="Features whose loudness a ddn decoder comes near to, by utterance, from start to "
        "end; how near, --noise-scale decides.",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    decoder: Decoder = None,
    duration: Duration = None,
    codec: CodecOption = None,
    model: ModelOption = None,
    speaker: Speaker = "",
    length_scale: LengthScale = 1.0,
    noise_scale: NoiseScale = None,
    steps: RefineSteps = None,
    guidance: Guidance = None,
    preset: SpeakingPreset = "",
    knob: Knobs = None,
    candidates: Candidates = 1,
    rank: Rank = None,
    judge: JudgeOption = None,
    iterations: Iterations = None,
    style: StyleFile = None,
    reference: Clips = None,
    sampler: Sampler = None,
    take: TakeOption = None,
    takes: Takes = 1,
    inpaint: Inpaint = "",
    guide: Guide = None,
    language: Language = None,
    lexicon: Lexicon = None,
    fold: Fold = False,
    seed: Seed = 0,
    device: Device = "cpu",
    limit: Limit = None,
    jobs: Jobs = 0,
    scheduler: Scheduler = None,
    shard: ShardOption = None,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Predict the mel spectrograms of texts, or decode those of Codes.

    Examples:
        ttskit decode texts.tsv --duration duration.h5 --decoder decoder.h5 -o mels.h5
        ttskit decode features.h5 alignment.h5 --decoder decoder.h5 -o copied.h5
    """
    from ttskit.artifacts import describe
    from ttskit.artifacts.build import Running
    from ttskit.metrics.intelligibility import listener
    from ttskit.speaking.candidates import choice_of
    from ttskit.speaking.choices import ChoiceOptions, choices_of
    from ttskit.speaking.coding import write_mels
    from ttskit.speaking.decoding import Decode, write
    from ttskit.speaking.sources import SpellingOptions
    from ttskit.speaking.steering import Steering, manner_of, reads_codes
    from ttskit.voices.voice import last_reader

    check_sampler(sampler, noise_scale)
    outputs = numbered(output, takes)
    tell = describe.summary(output, as_json)
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run, scheduler, shard)
    spelling, counts = SpellingOptions(language, lexicon or (), fold), counts_of(iterations)
    others = numbers("--knob", knob or (), "=", None)
    if counts:
        others = {**others, "iterations": counts[0]}
    steering = Steering(noise_scale, steps, guidance, preset, others)
    models = chain_of(duration, decoder, codec, model or ())
    manner = manner_of(models, speaker, length_scale, steering, style, sampler)
    choice = choice_of(candidates, weights(rank), judge or (), listener)
    options = ChoiceOptions(sampler, take, takes, inpaint, guide, noise_scale)
    if reads_codes(models):
        chosen = candidates > 1 or rank or judge or options.any()
        of_texts = (length_scale != 1, *spelling, style, reference, chosen)
        if any(of_texts):
            raise TtskitError("codes are decoded as they are: leave options of texts out")
        tell(write_mels(inputs, models[0], output, manner, seed, device, limit, running))
        return
    timed = duration is not None or length_scale != 1
    source = opened(inputs, timed, last_reader(models), spelling)
    choices = choices_of(models, options, source)
    make = Decode(
        models, source.tell, manner, seed, device, source.known, choices, choice, reference or ()
    )
    for number, path in enumerate(outputs, 1):
        tell(write(path, source, replace(make, seed=seed + number - 1), limit, running, counts))
