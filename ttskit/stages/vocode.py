"""Vocode: the audio of mels, by any vocoder.

Reads Mels or Features, or a Corpus, whose mel it computes itself (copy-synthesis), or Codes, with
their codec, or Controls, which need no model; writes a Corpus, and the Controls that were played
if they are asked for.  Audio is made chunk by chunk, and utterance by utterance is rounded to 16
bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import wording
from ttskit.errors import ArtifactError, AudioError, TtskitError, UsageError
from ttskit.options import (
    Device,
    DryRun,
    Jobs,
    Json,
    Limit,
    Output,
    Restart,
    Rounds,
    Scheduler,
    Seed,
    ShardOption,
    SkipBad,
    check_outputs,
)

if TYPE_CHECKING:
    import torch

    from ttskit.artifacts.build import Recipe, Running
    from ttskit.artifacts.kinds import Codes, Controls, Corpus
    from ttskit.artifacts.reader import Reader
    from ttskit.artifacts.record import Record
    from ttskit.models.vocoder import Vocoder
    from ttskit.speaking.acoustics import Cascade
    from ttskit.voices.model import Model

REVISION = 2


@dataclass(frozen=True)
class Vocode:
    """From the id of an utterance to its audio; every process loads the model for itself."""

    mels: Reader[Any]  # Mels, Features, Controls or Corpus
    model: Model | None  # None: the synthesiser of Controls
    seed: int
    device: str
    before: Sequence[Model] = ()  # models between the input and the vocoder, such as a codec
    knobs: Mapping[str, float] = field(default_factory=dict)  # of the vocoder, where not its own

    @cached_property
    def front(self) -> Cascade | None:
        """What makes the field that the vocoder takes, where the input lacks it."""
        from ttskit.speaking.acoustics import Cascade

        if not self.before:
            return None
        wanted = type(self.vocoder).takes(self.vocoder.config)[0]
        return Cascade(self.before, wanted, self.columns, self.device)

    @cached_property
    def vocoder(self) -> Vocoder:
        from ttskit.models.vocoder import Vocoder

        module = self.model.module(self.device) if self.model else player(self.mels)
        assert isinstance(module, Vocoder)
        module.fold()
        return module

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in vars(self).items() if name not in ("vocoder", "front")
        }

    def __call__(self, id: str) -> Corpus:
        import numpy as np
        import torch

        from ttskit.artifacts.kinds import Corpus
        from ttskit.dsp import samples
        from ttskit.speaking.acoustics import seed_of

        row = self.mels.row(id)
        generator = torch.Generator(self.device).manual_seed(seed_of(self.seed, id))
        with torch.inference_mode():
            frames = self.frames(row)
            count = len(next(iter(frames.values())))
            audio, end = np.empty(count * self.vocoder.facts.hop_length, np.int16), 0
            for piece in self.vocoder.stream(frames, generator, **self.knobs):
                start, end = end, end + len(piece)
                audio[start:end], _ = samples.to_int16(samples.bent(piece.cpu().numpy()))
        return Corpus(**self.names(row), audio=audio)

    def controls(self, id: str) -> Controls:
        """Return what is played of an utterance."""
        import torch

        from ttskit.artifacts.kinds import Controls

        row = self.mels.row(id)
        with torch.inference_mode():
            values = self.vocoder.controls(self.frames(row)).items()
        return Controls(**self.names(row) | {name: value.cpu().numpy() for name, value in values})

    def names(self, row: int) -> dict[str, Any]:
        return {name: self.mels.value(row, name) for name in ("id", "speaker", "text")}

    def frames(self, row: int) -> dict[str, torch.Tensor]:
        """Return what the vocoder wants to know of an utterance, as far as it is known."""
        import numpy as np
        import torch

        from ttskit.speaking import coding
        from ttskit.speaking.acoustics import Manner, seed_of

        bands = self.vocoder.facts.n_mels
        fields = {name: self._value(row, name) for name in self.known() if name in self.columns}
        if "codes" in fields:
            fields["codes"] = coding.fields_of(self.mels, row)["codes"]
        if self.front:
            known = {name: self._value(row, name) for name in self.front.takes & {*self.columns}}
            known |= coding.fields_of(self.mels, row) if "codes" in known else {}
            own = self.mels.value(row, "speaker")
            manner = Manner(speaker=coding.speaker_of(self.before, own))
            id = self.mels.ids[row]
            outputs = self.front.run(id, known, manner, seed_of(self.seed, id))
            fields[self.front.wanted] = outputs[self.front.wanted]
        if not all(map(len, fields.values())):
            raise AudioError("has less than one frame")
        for name, values in fields.items():
            if not np.isfinite(values).all() or (name == "mel" and values.shape[1] != bands):
                raise AudioError(f"its {name} is damaged: `ttskit verify` says in what")
        return {name: torch.tensor(values, device=self.device) for name, values in fields.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields that the input holds."""
        from ttskit.artifacts import kinds

        if self.mels.kind is kinds.Corpus:
            return ("mel",)
        return tuple(spec.name for spec in self.mels.columns)

    def known(self) -> tuple[str, ...]:
        """Return what the vocoder wants and the input has, or the models before it make."""
        there = {*self.columns, *([self.front.wanted] if self.front else [])}
        return tuple(name for name in self.vocoder.wants if name in there)

    def _value(self, row: int, name: str) -> Any:
        from ttskit.artifacts import kinds
        from ttskit.speaking.coding import mel_of

        if self.mels.kind is not kinds.Corpus:
            return self.mels.value(row, name)
        return mel_of(self.mels, row, self.vocoder.facts)

    def check(self, controls: bool) -> None:
        """Refuse a model that is damaged, or cannot do what is asked for with what there is."""
        from ttskit.artifacts import kinds
        from ttskit.voices.model import check_device

        check_device(self.device)
        who = self.model.name if self.model else "the synthesiser"
        if lacking := self.vocoder.lacks(self.known()):
            raise ArtifactError(
                f"{self.mels.name}: is {self.mels.kind.kind()} without {', '.join(lacking)}, which "
                f"{who} needs"
            )
        if "rounds" in self.knobs and "rounds" not in self.vocoder.knobs:
            raise TtskitError(f"{who}: has no rounds of Griffin-Lim; leave --rounds out")
        if controls and self.mels.kind is kinds.Controls:
            raise ArtifactError(f"{self.mels.name}: is controls already: leave out --controls")
        if controls and not self.vocoder.controllable:
            raise TtskitError(f"{who}: plays by no controls; needs a model of the family ddsp")


def player(controls: Reader[Any]) -> Vocoder:
    """Return the synthesiser of Controls."""
    from ttskit.models.player import Player
    from ttskit.networks.facts import Facts
    from ttskit.voices.model import grid

    return Player(Player.Config(), Facts(**grid(controls.attributes)))


def model_for(reader: Reader[Any], vocoder: str) -> Model:
    """Return a Model that fits the input, or a family without weights on the input's grid."""
    from ttskit.artifacts import kinds
    from ttskit.dsp.mel import MelSettings
    from ttskit.models import FAMILIES
    from ttskit.networks.facts import Facts
    from ttskit.voices.model import grid, read_model
    from ttskit.voices.voice import check_name, is_family, weightless

    check_name(vocoder, FAMILIES["vocoder"])
    if not is_family(vocoder):
        model = read_model(Path(vocoder), role="vocoder")
        model.check_grid(reader.name, reader.attributes)
        return model
    if reader.kind is kinds.Controls:
        raise ArtifactError(f"{reader.name}: is controls without mel, which {vocoder} needs")
    return weightless(vocoder, Facts(**asdict(MelSettings(**grid(reader.attributes)))))


def opened(
    inputs: Sequence[Path] | None,
    vocoder: str | None,
    codec: Path | None,
    others: Sequence[Path],
    seed: int,
    device: str,
) -> Vocode:
    """Open what is to be heard, and the models that it is to be heard with."""
    from ttskit.artifacts import kinds, streams
    from ttskit.speaking.coding import codec_of
    from ttskit.voices.join import check_clock
    from ttskit.voices.model import read_model

    readers = streams.opened(inputs)
    wanted = (kinds.Mels, kinds.Features, kinds.Corpus, kinds.Codes, kinds.Controls)
    given = [reader for reader in streams.by_kind(readers, optional=wanted) if reader]
    if len(given) != 1:
        raise UsageError(f"vocode takes one input, not {len(given)}")
    reader = given[0]
    before = [*([codec_of(codec)] if codec else []), *(read_model(path) for path in others)]
    if reader.kind is kinds.Codes:
        check_coded(reader, before)
    complete = [one for one in before if "audio" in one.makes]  # an imported codec
    if complete:
        if vocoder or len(before) > 1:
            name = complete[0].name
            raise TtskitError(f"{name}: makes audio itself; leave --vocoder and --model out")
        return Vocode(reader, complete[0], seed, device)
    if vocoder is None and reader.kind is not kinds.Controls:
        raise typer.BadParameter(
            "a model, or source or griffinlim, which need none; only controls go without",
            param_hint="--vocoder",
        )
    model = model_for(reader, vocoder) if vocoder is not None else None
    if model:
        check_clock([*before, model])
    return Vocode(reader, model, seed, device, before)


def check_coded(codes: Reader[Codes], models: Sequence[Model]) -> None:
    """Refuse models without the codec that made the codes."""
    from ttskit.speaking.coding import check_codes

    coders = [one for one in models if one.role == "codec"]
    if not coders:
        raise TtskitError("is codes: add --codec, the model that made them", file=codes.name)
    check_codes(codes, coders[0])


def recipe(make: Vocode, kind: type[Record], vocoder: str | None, limit: int | None) -> Recipe:
    """Return what the audio, or the controls, are made of."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe
    from ttskit.dsp.mel import MelSettings
    from ttskit.voices.voice import is_family

    model, reader = make.model, make.mels
    grid = {**(vars(model.facts) if model else asdict(MelSettings())), **reader.attributes}
    named = vocoder if vocoder and is_family(vocoder) else None
    options = {"vocoder": named, "limit": limit, "rounds": make.knobs.get("rounds")}
    trained = [None if named else model, *make.before]
    return Recipe(
        stage="vocode",
        revision=REVISION,
        kind=kind,
        options=options | ({"seed": make.seed} if kind is kinds.Corpus else {}),
        inputs=[*reader.digests, *(one.container.digest for one in trained if one)],
        attributes={name: grid[name] for name in kind.attributes},
        skipped=reader.skipped,
    )


def note(path: Path) -> None:
    """Say which utterances were beyond full scale, before their peaks were bent."""
    from ttskit import progress
    from ttskit.artifacts import kinds
    from ttskit.artifacts.reader import Reader
    from ttskit.dsp.samples import BENT

    reader = Reader(path, kinds.Corpus)
    peaks = ((id, reader.value(row, "audio")) for row, id in enumerate(reader.ids))
    most = round(BENT * 32768)
    loud = [id for id, audio in peaks if audio.max() > most or audio.min() < -most]
    if loud:
        shown = ", ".join(loud[:3]) + (" ..." if loud[3:] else "")
        count = wording.count(len(loud), "utterance")
        progress.note(f"{count} beyond full scale, whose peaks were compressed: {shown}")


def wavs(path: Path, folder: Path) -> None:
    """Write each utterance as ID.wav."""
    from ttskit import progress
    from ttskit.artifacts import kinds
    from ttskit.artifacts.reader import Reader
    from ttskit.formats import audio

    reader = Reader(path, kinds.Corpus)
    folder.mkdir(parents=True, exist_ok=True)
    with progress.track("wav", len(reader)) as advance:
        for id, record in reader.items():
            audio.write(folder / f"{id}.wav", record.audio, int(reader.attributes["sample_rate"]))
            advance()


def write(
    make: Vocode, recipes: Mapping[Path | None, Recipe], limit: int | None, running: Running
) -> Path:
    """Write an artifact by each recipe; return the path of the last one."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import build, needed

    if any(needed(path, one, running) for path, one in recipes.items()):
        make.check(any(one.kind is kinds.Controls for one in recipes.values()))  # before any work
    ids = {id: id for id in make.mels.ids[:limit]}
    for path, one in recipes.items():
        each = make.controls if one.kind is kinds.Controls else make
        written = build(path, one, ids, each, running, source=make.mels.name)
    return written


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Mels, Features, Codes, Controls, or a Corpus, whose mel is computed; - reads "
        "standard input.",
        show_default="standard input",
    ),
]
VocoderOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Vocoder: a Model, or source or griffinlim, which need no training. Only Controls "
        "can do without.",
    ),
]
CodecOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Codec that turns Codes into mel.")
]
ModelOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Further model before the vocoder. May be repeated.",
    ),
]
WavDir = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        metavar="FOLDER",
        help="Folder to write each utterance to, too, as ID.wav.",
    ),
]
ControlsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Artifact to write to, too: the amplitudes, f0 and noise gains that a ddsp "
        "vocoder predicts.",
    ),
]


def command(
    inputs: Inputs = None,
    vocoder: VocoderOption = None,
    output: Output = None,
    codec: CodecOption = None,
    model: ModelOption = None,
    wav_dir: WavDir = None,
    rounds: Rounds = None,
    controls: ControlsOption = None,
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
    """Turn mel spectrograms into audio.

    Examples:
        ttskit vocode mels.h5 --vocoder vocoder.h5 -o spoken.h5
        ttskit vocode mels.h5 --vocoder griffinlim --wav-dir wavs -o spoken.h5
    """
    from ttskit.artifacts import describe, hdf5, kinds
    from ttskit.artifacts.build import Running

    tell = describe.summary(output, as_json)
    check_outputs({"--output": output or Path("-"), "--controls": controls})
    make = opened(inputs, vocoder, codec, model or (), seed, device)
    if rounds is not None:
        make = replace(make, knobs={"rounds": rounds})
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run, scheduler, shard)
    asked = {controls: kinds.Controls, output: kinds.Corpus} if controls else {output: kinds.Corpus}
    recipes = {place: recipe(make, kind, vocoder, limit) for place, kind in asked.items()}
    path = write(make, recipes, limit, running)
    if hdf5.is_there(path) and not dry_run:
        note(path)
        if wav_dir:
            wavs(path, wav_dir)
    tell(path)
