"""Encode: speech as codes, which a codec turns into a mel again.

Reads Features, Mels or a Corpus, whose mel it computes, and optionally the Alignment that says
what is spoken; writes Codes.  Utterances are encoded one by one, so that codes do not depend on
what else is encoded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from ttskit.artifacts.build import Recipe
    from ttskit.speaking.coding import Encoder

REVISION = 1


def opened(inputs: list[Path] | None, codec: Path, books: int | None, device: str) -> Encoder:
    """Open what is to be encoded, and the codec."""
    from ttskit.artifacts import kinds, streams
    from ttskit.speaking.coding import Encoder, codec_of

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
    return Encoder(source, model, alignment, books, device)


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
    return Recipe(
        stage="encode",
        revision=REVISION,
        kind=kinds.Codes,
        options={"books": make.books or module.books, "limit": limit},
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
        help="Keep the codes of the first N books only: fewer bits, less detail.",
        show_default="all books of the codec",
    ),
]


def command(
    codec: Codec,
    inputs: Inputs = None,
    output: Output = None,
    books: Books = None,
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
        ttskit encode corpus.h5 alignment.h5 --codec codec.h5 --books 2 -o codes.h5
    """
    from ttskit.artifacts import describe
    from ttskit.artifacts.build import Running, build
    from ttskit.training.examples import joined

    tell = describe.summary(output, as_json)
    make = opened(inputs, codec, books, device)
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run, scheduler, shard)
    readers = [make.source, *([make.alignment] if make.alignment else [])]
    items = {id: id for id in joined(readers)[:limit]}
    tell(build(output, recipe(make, limit), items, make, running, source=make.source.name))
