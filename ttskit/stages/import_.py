"""Import: an artifact made of files that other programs wrote or edited.

TextGrids, edited in Praat or elsewhere, and the Alignment that they were exported from become an
Alignment of the same tokens with the durations of their tier `phones`.  A checkpoint of HiFi-GAN or
SNAC with its config.json, or one of the Descript Audio Codec or of EnCodec, becomes a Model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import TtskitError, UsageError, at
from ttskit.formats.timeline import Timeline, check, step
from ttskit.options import DryRun, Json, Output, SkipBad

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Running
    from ttskit.artifacts.kinds import Alignment
    from ttskit.artifacts.reader import Reader
    from ttskit.models.family import Family

SUFFIX = ".textgrid"  # however it is capitalised


def edited(record: Alignment, durations: np.ndarray) -> Alignment:
    """Return an utterance with other durations; the scores of tokens that moved become unknown.

    A token keeps its score where it has the same frames as before.
    """
    import numpy as np

    stops = [np.cumsum(lengths) for lengths in (record.durations, durations)]
    moved = (stops[0] != stops[1]) | (stops[0] - record.durations != stops[1] - durations)
    if not moved.any():
        return record
    scores = np.where(durations == 0, 0, np.where(moved, np.nan, record.token_score))
    return replace(record, durations=durations, token_score=scores, score=np.array(np.nan))


@dataclass(frozen=True)
class TextGrids:
    """An Alignment and the TextGrids that change some of its utterances."""

    like: Reader[Alignment]
    files: Mapping[str, Path]

    def __call__(self, id: str) -> Alignment:
        """Return one utterance, with the durations of its TextGrid if it has one."""
        from ttskit.formats import textgrid

        record = self.like[id]
        if id not in self.files:
            return record
        spoken = Timeline(record, self.like.table("symbols"), step(self.like))
        return edited(record, textgrid.fitted(spoken, textgrid.phones(self.files[id])))


def is_textgrid(path: Path) -> bool:
    """Return whether a file is a TextGrid, by its header in any encoding or by its name."""
    with path.open("rb") as file:
        return path.suffix.lower() == SUFFIX or b"TextGrid" in file.read(200).replace(b"\0", b"")


def textgrids(paths: Sequence[Path], like: Reader[Alignment]) -> TextGrids:
    """Return the TextGrids by utterance; each must be named after one of the Alignment."""
    files: dict[str, Path] = {}
    for path in paths:
        if path.stem not in like:
            raise TtskitError(f"there is no utterance {path.stem} in {like.name}", file=path)
        if path.stem in files:
            raise TtskitError(f"is a second TextGrid of {path.stem}: {files[path.stem]}", file=path)
        files[path.stem] = path
    return TextGrids(like, files)


def is_checkpoint(path: Path) -> bool:
    """Return whether a file begins like those that torch saves: as a zip or a pickle."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", b"\x80\2\x8a\n")


def loaded(checkpoint: Path) -> Any:
    """Return the content of a checkpoint; nothing in the file is run."""
    import torch

    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # torch tells of damage by all kinds of them
        raise TtskitError(
            f"is damaged, or holds more than tensors: {str(error)[:80]!r}", file=checkpoint
        ) from error


def settings_of(config: Path) -> Mapping[str, Any]:
    """Return the content of a config.json."""
    try:
        settings = json.loads(config.read_bytes())
    except ValueError as error:
        raise TtskitError(f"is not JSON: {error}", file=config) from error
    if not isinstance(settings, dict):
        raise TtskitError("holds no settings; needs an object", file=config)
    return settings


def configured(content: Any, config: Path, checkpoint: Path) -> Family:
    """Return the model in a checkpoint that has a config beside it: of SNAC or of HiFi-GAN."""
    from ttskit.voices import audiocodec, hifigan

    settings = settings_of(config)
    content = content if isinstance(content, dict) else {}
    with at(checkpoint):
        if "vq_strides" in settings:
            return audiocodec.snac(content, settings)
        weights = content.get("generator")
        if not isinstance(weights, dict):
            raise TtskitError("has no `generator`, as checkpoints of HiFi-GAN have")
        return hifigan.from_checkpoint(weights, settings)


def model_of(checkpoint: Path, config: Path | None) -> Family:
    """Return the model in a public checkpoint: with a config of SNAC or HiFi-GAN."""
    from ttskit.voices.audiocodec import from_checkpoint

    content = loaded(checkpoint)
    if config is not None:
        return configured(content, config, checkpoint)
    with at(checkpoint):
        codec = from_checkpoint(content)
    if codec is None:
        raise TtskitError(
            "is no checkpoint of DAC or EnCodec; SNAC and HiFi-GAN need --config config.json",
            file=checkpoint,
        )
    return codec


def import_checkpoint(
    checkpoint: Path, config: Path | None, output: Path | None, dry: bool
) -> Path:
    """Write the model of a public checkpoint."""
    from ttskit import progress
    from ttskit.artifacts import build, streams
    from ttskit.settings import to_toml
    from ttskit.voices.model import MODEL, write_model

    read = [checkpoint, *([config] if config else [])]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in read]
    provenance: dict[str, Any] = {"stage": "import", "revision": 1, "inputs": digests}
    provenance["options"] = {"source": "hifigan" if config else "codec"}
    with streams.delivered(output) as (path, name):
        streams.replaceable(path, MODEL)
        if build.is_made(path, MODEL, provenance):
            progress.note(f"{name}: up to date")
        elif dry:
            progress.note(f"{name}: would be made of {checkpoint}")
        else:
            model = model_of(checkpoint, config)
            written = to_toml(model.config, comments=False)
            write_model(path, model, model.kept(), written, provenance)
            progress.note(f"{name}: {sum(w.numel() for w in model.kept().values()):,} weights")
    return path


def files_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are named, and the TextGrids in the folders that are named."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise TtskitError("no such file or folder", file=path)
        inside = [path]
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() == SUFFIX)
        if not inside:
            raise TtskitError("has no file that can be imported; needs ID.TextGrid", file=path)
        files += inside
    if strange := [path for path in files if not is_textgrid(path)]:
        raise TtskitError(
            "is nothing that can be imported; needs a TextGrid, or one checkpoint", file=strange[0]
        )
    return files


def digest_of(files: Mapping[str, Path]) -> str:
    """Return the sha256 over ids and contents."""
    contents = {id: hashlib.sha256(path.read_bytes()).hexdigest() for id, path in files.items()}
    return hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()


def import_textgrids(
    files: Sequence[Path], like: Path, output: Path | None, running: Running
) -> Path:
    """Write an Alignment with the durations of TextGrids."""
    from ttskit.artifacts import kinds, streams
    from ttskit.artifacts.build import Recipe, build, up_to_date

    (reader,) = streams.inputs([like], kinds.Alignment)
    check(reader)
    make = textgrids(files, reader)
    recipe = Recipe(
        stage="import",
        revision=1,
        kind=kinds.Alignment,
        options={"source": "textgrid"},
        inputs=[*reader.digests, digest_of(make.files)],
        attributes=reader.attributes,
        tables={name: reader.table(name) for name in kinds.Alignment.tables},
        skipped=reader.skipped,
    )
    folders = {str(path.parent) for path in files}
    source = folders.pop() if len(folders) == 1 else ""
    # a mended TextGrid is another input: begin anew, which takes seconds, instead of going on
    anew = replace(running, restart=not up_to_date(output or Path("-"), recipe))
    return build(output, recipe, {id: id for id in reader.ids}, make, anew, source=source)


Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="TextGrids, or folders of them; or one checkpoint of HiFi-GAN, DAC, EnCodec or SNAC.",
    ),
]
Like = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="For TextGrids, the Alignment that was exported."),
]
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="For a checkpoint of HiFi-GAN or SNAC, the config.json published beside it.",
    ),
]


def command(
    paths: Paths,
    output: Output = None,
    like: Like = None,
    config: Config = None,
    skip_bad: SkipBad = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read edited TextGrids, or a checkpoint of another toolkit.

    Examples:
        ttskit import grids --like alignment.h5 -o edited.h5
        ttskit import generator.pth.tar --config config.json -o vocoder.h5
    """
    from ttskit.artifacts import describe
    from ttskit.artifacts.build import Running

    tell = describe.summary(output, as_json)
    if is_checkpoint(paths[0]) and len(paths) == 1 and like is None:
        tell(import_checkpoint(paths[0], config, output, dry_run))
        return
    files = files_in(paths)
    if like is None or config:
        raise UsageError("a TextGrid needs --like alignment.h5, and no --config", file=files[0])
    running = Running(jobs=1, skip_bad=skip_bad, dry_run=dry_run)
    tell(import_textgrids(files, like, output, running))
