"""Encode: speech as codes, which a codec turns into a mel again.

Reads Features, Mels or a Corpus, whose mel it computes, and optionally the Alignment that says
what is spoken; writes Codes, perhaps with the latents of a coder.  Utterances are encoded one by
one, so that codes do not depend on what else is encoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import SettingError, TtskitError
from ttskit.options import (
    Device,
    DryRun,
    Jobs,
    Json,
    Limit,
    Output,
    Restart,
    Scheduler,
    ShardOption,
    SkipBad,
)

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Recipe
    from ttskit.artifacts.kinds import Alignment, Features
    from ttskit.artifacts.reader import Reader
    from ttskit.speaking.coding import Encoder
    from ttskit.speaking.latents import Latents
    from ttskit.training.examples import Examples
    from ttskit.voices.model import Model

REVISION = 2


def opened(
    inputs: list[Path] | None,
    codec: Path,
    books: int | None,
    device: str,
    coder: Path | None,
    drawn: float,
) -> Encoder:
    """Open what is to be encoded, the codec, and perhaps a coder."""
    from ttskit.artifacts import kinds, streams
    from ttskit.speaking.coding import Encoder, codec_of
    from ttskit.voices.model import read_model

    model, readers = codec_of(codec), streams.opened(inputs)
    wanted = (kinds.Features, kinds.Mels, kinds.Corpus, kinds.Alignment)
    *sources, alignment = streams.by_kind(readers, optional=wanted)
    given = [reader for reader in sources if reader is not None]
    if len(given) != 1:
        names = ", ".join(reader.name for reader in given) or "none"
        raise TtskitError(f"encode takes one of Features, Mels and Corpus; there is {names}")
    (source,) = given
    model.check_grid(source.name, source.attributes)
    if alignment is not None:
        if source.kind is kinds.Mels:
            raise TtskitError(f"{source.name}: says what is spoken; leave {alignment.name} out")
        model.check_grid(alignment.name, alignment.attributes)
    if coder is None:
        return Encoder(source, model, alignment, books, device)
    if source.kind is not kinds.Features or alignment is None:
        raise TtskitError("--coder needs Features and their Alignment: what a coder is told")
    latents = latents_of(read_model(coder, role="coder"), model, source, alignment, drawn, device)
    own = latents.coder.facts.books
    if books not in (None, own):
        raise SettingError(f"--books {books}: {latents.coder.name} predicts {own}")
    return Encoder(source, model, alignment, own, device, latents)


def latents_of(
    coder: Model,
    codec: Model,
    features: Reader[Features],
    alignment: Reader[Alignment],
    drawn: float,
    device: str,
) -> Latents:
    """Return what gives the latents of recordings; refuse what the coder was not trained on."""
    from ttskit.speaking.acoustics import check_symbols
    from ttskit.speaking.latents import Latents
    from ttskit.training.examples import Examples
    from ttskit.voices.join import check_codec

    check_codec([coder, codec])
    check_symbols(alignment.table("symbols"), coder, f"{alignment.name}: has other symbols")
    taken = [name for name in coder.takes if name != "clip"]
    examples = Examples([features, alignment], taken)
    for name in ("f0", "loudness") if "pitch" in taken else ():
        for speaker in examples.speakers:  # once for all processes
            examples.middle(speaker, name)
    rows = {id: row for row, id in enumerate(examples.ids)}
    tell = partial(told, rows=rows, examples=examples, coder=coder)
    return Latents(coder, tell, drawn, device)


def told(
    id: str, rows: Mapping[str, int], examples: Examples, coder: Model
) -> tuple[str, dict[str, np.ndarray]]:
    """Return the speaker of a recording, as the coder names it, and what the coder is told."""
    row = rows[id]
    fields = {name: examples.field(name, row) for name in examples.needs}
    return coder.speaker(examples.speaker(row)), fields


def recipe(make: Encoder, limit: int | None) -> Recipe:
    """Return what the codes are made of and how; refuse more books than the codec has."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe
    from ttskit.voices.model import GRID

    module = make.module
    if make.books and make.books > module.books:
        raise SettingError(f"--books {make.books}: {make.codec.name} has {module.books}")
    if module.reads == "audio" and make.source.kind is not kinds.Corpus:
        raise TtskitError(f"{make.source.name}: has no audio, which {make.codec.name} encodes")
    texts = make.alignment or make.source
    grid = {name: getattr(make.codec.facts, name) for name in GRID}
    others = [make.codec.container.digest, *(make.alignment.digests if make.alignment else [])]
    options: dict[str, Any] = {"books": make.books or module.books, "limit": limit}
    if make.latents is not None:
        others.append(make.latents.coder.container.digest)
        options["drawn"] = make.latents.drawn
    return Recipe(
        stage="encode",
        revision=REVISION,
        kind=kinds.Codes,
        options=options,
        inputs=[*make.source.digests, *others],
        attributes={**grid, "stride": module.stride, "size": module.size},
        tables={"symbols": texts.table("symbols"), "codec": [make.codec.digest]},
        skipped=make.source.skipped | (make.alignment.skipped if make.alignment else {}),
    )


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Features, Mels, or a Corpus, whose mel is computed; perhaps with the Alignment, "
        "to keep what is spoken; - reads standard input.",
        show_default="standard input",
    ),
]
Codec = Annotated[
    Path, typer.Option(metavar="FILE", help="Trained codec; `ttskit train codec` makes one.")
]
Books = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Encode with the first N books only: fewer bits, less detail.",
        show_default="all books of the codec",
    ),
]

Coder = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Coder whose latents of the codes are kept beside them, for decoders that are made "
        "of latents; needs Features and their Alignment.",
    ),
]
Drawn = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="With --coder: share of the codes that it draws itself in place of the recorded "
        "ones, so that a decoder learns to live with what it draws.",
    ),
]


def command(
    codec: Codec,
    inputs: Inputs = None,
    output: Output = None,
    books: Books = None,
    coder: Coder = None,
    drawn: Drawn = 0.0,
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
    """Turn speech into codes.

    Examples:
        ttskit encode features.h5 --codec codec.h5 -o codes.h5
        ttskit encode features.h5 alignment.h5 --codec c.h5 --coder coder.h5 -o l.h5
    """
    from ttskit.artifacts import describe
    from ttskit.artifacts.build import Running, build
    from ttskit.training.examples import joined

    if drawn and coder is None:
        raise typer.BadParameter("needs the coder that draws: add --coder", param_hint="--drawn")
    tell = describe.summary(output, as_json)
    make = opened(inputs, codec, books, device, coder, drawn)
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run, scheduler, shard)
    readers = [make.source, *([make.alignment] if make.alignment else [])]
    items = {id: id for id in joined(readers)[:limit]}
    tell(build(output, recipe(make, limit), items, make, running, source=make.source.name))
