"""Vocode: the audio of mels, by any vocoder.

Reads Mels or Features, or a Corpus, whose mel it computes itself (copy-synthesis); writes a
Corpus.  Audio is made chunk by chunk, and utterance by utterance is rounded to 16 bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import AudioError, TtskitError
from ttskit.options import (
    Device,
    DryRun,
    Inputs,
    Jobs,
    Json,
    Limit,
    Output,
    Restart,
    Seed,
    SkipBad,
)

if TYPE_CHECKING:
    import torch

    from ttskit.artifact import Reader
    from ttskit.kinds import Corpus
    from ttskit.models.vocoder import Vocoder
    from ttskit.trained import Trained

REVISION = 1
GRIFFINLIM = "griffinlim"


@dataclass(frozen=True)
class Vocode:
    """From the id of an utterance to its audio; every process loads the model for itself."""

    mels: Reader[Any]  # Mels, Features or Corpus
    model: Trained | None  # None: Griffin-Lim
    seed: int
    device: str

    @cached_property
    def vocoder(self) -> Vocoder:
        from ttskit.models.vocoder import Vocoder

        made = self.model.module(self.device) if self.model else griffinlim(self.mels.attributes)
        assert isinstance(made, Vocoder)
        made.fold()
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "vocoder"}

    def __call__(self, id: str) -> Corpus:
        import numpy as np
        import torch

        from ttskit import audio
        from ttskit.kinds import Corpus
        from ttskit.synthesis import seed_of

        row = self.mels.row(id)
        generator = torch.Generator(self.device).manual_seed(seed_of(self.seed, id))
        with torch.inference_mode():
            pieces = self.vocoder.stream(self._mel(row), generator)
            made = [audio.to_int16(piece.cpu().numpy())[0] for piece in pieces]
        told = {name: self.mels.value(row, name) for name in ("id", "speaker", "text")}
        return Corpus(**told, audio=np.concatenate(made))

    def _mel(self, row: int) -> torch.Tensor:
        """Return the mel of an utterance, (T, M)."""
        import numpy as np
        import torch

        from ttskit import kinds
        from ttskit.dsp import mel
        from ttskit.models.vocoder import mel_settings

        if self.mels.kind is kinds.Corpus:
            recorded = self.mels.value(row, "audio").astype(np.float32) / 32768
            bands = mel.mel(recorded, mel_settings(self.vocoder.facts))
        else:
            bands = self.mels.value(row, "mel")
        if not len(bands):
            raise AudioError("has less than one frame")
        if bands.shape[1] != self.vocoder.facts.n_mels or not np.isfinite(bands).all():
            raise AudioError("its mel is damaged: `ttskit verify` says in what")
        return torch.tensor(bands, device=self.device)


def griffinlim(attributes: Mapping[str, Any]) -> Vocoder:
    """Return Griffin-Lim for a grid; of a Corpus, for that of `features`."""
    from ttskit.dsp.mel import MelSettings
    from ttskit.models.family import Facts
    from ttskit.models.griffinlim import Griffinlim
    from ttskit.trained import grid

    return Griffinlim(Griffinlim.Config(), Facts(**asdict(MelSettings(**grid(attributes)))))


def note(path: Path) -> None:
    """Say which utterances reach full scale: their audio was clipped."""
    from ttskit import kinds, progress
    from ttskit.artifact import Reader

    reader = Reader(path, kinds.Corpus)
    peaks = ((id, reader.value(row, "audio")) for row, id in enumerate(reader.ids))
    loud = [id for id, audio in peaks if audio.max() == 32767 or audio.min() == -32768]
    if loud:
        shown = ", ".join(loud[:3]) + (" ..." if loud[3:] else "")
        progress.note(f"{len(loud)} utterances reach full scale, and may be clipped: {shown}")


def wavs(path: Path, folder: Path) -> None:
    """Write each utterance as ID.wav."""
    from ttskit import audio, kinds, progress
    from ttskit.artifact import Reader

    reader = Reader(path, kinds.Corpus)
    folder.mkdir(parents=True, exist_ok=True)
    with progress.track("wav", len(reader)) as advance:
        for id, record in reader.items():
            audio.write(folder / f"{id}.wav", record.audio, int(reader.attributes["sample_rate"]))
            advance()


def command(
    vocoder: Annotated[str, typer.Option(help="Model, or griffinlim, which needs none.")],
    inputs: Inputs = None,
    output: Output = None,
    wav_dir: Annotated[
        Path | None, typer.Option(help="Folder to write each utterance to as ID.wav, too.")
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    limit: Limit = None,
    jobs: Jobs = 0,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make audio of mels."""
    from ttskit import kinds, streams, trained
    from ttskit.stages import info
    from ttskit.work import Recipe, Running, build, up_to_date

    tell = info.summary(output, as_json)
    readers = streams.opened(inputs)
    wanted = (kinds.Mels, kinds.Features, kinds.Corpus)
    given = [reader for reader in streams.by_kind(readers, optional=wanted) if reader]
    if len(given) != 1:
        raise TtskitError(f"vocode takes one input, not {len(given)}")
    model = None if vocoder == GRIFFINLIM else trained.read(Path(vocoder), role="vocoder")
    reader = given[0]
    if model:
        model.check_grid(reader.name, reader.attributes)
    make = Vocode(reader, model, seed, device)
    recipe = Recipe(
        stage="vocode",
        revision=REVISION,
        kind=kinds.Corpus,
        options={"vocoder": None if model else vocoder, "seed": seed, "limit": limit},
        inputs=[reader.digest, *([model.container.digest] if model else [])],
        attributes={"sample_rate": reader.attributes["sample_rate"]},
        skipped=reader.skipped,
    )
    if restart or not up_to_date(output or Path("-"), recipe):
        make.vocoder  # noqa: B018 (refuses a model that is damaged, before any work is done)
    ids = {id: id for id in reader.ids[:limit]}
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run)
    path = build(output, recipe, ids, make, running, source=reader.name)
    if path.exists() and not dry_run:
        note(path)
        if wav_dir:
            wavs(path, wav_dir)
    tell(path)
