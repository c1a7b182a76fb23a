"""Speech as codes and codes as speech: what `encode`, `decode` and `vocode` do with a codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.artifacts.kinds import Codes, Corpus, Mels, Spoken
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import declared
from ttskit.errors import ArtifactError, AudioError, TtskitError
from ttskit.speaking.acoustics import Cascade, Manner, seed_of
from ttskit.speaking.decoding import REVISION, steered
from ttskit.voices.model import Model, read_model
from ttskit.wording import count

if TYPE_CHECKING:
    from ttskit.artifacts.build import Running
    from ttskit.artifacts.kinds import Alignment
    from ttskit.models.coding import Codec
    from ttskit.networks.facts import Facts
    from ttskit.speaking.latents import Latents

CODED = ("codes", "latents")  # what models that need no text may take
SPOKEN = tuple(spec.name for spec in declared(Spoken))  # id, speaker, text, tokens, durations ...


def codec_of(path: Path) -> Model:
    """Open a codec."""
    return read_model(path, role="codec")


def check_codes(codes: Reader[Codes], codec: Model) -> None:
    """Refuse codes of another codec than a model is or was trained with: they would be noise."""
    known = codec.digest if codec.role == "codec" else codec.facts.codec
    if codes.table("codec") != [known]:
        raise ArtifactError(
            f"{codes.name}: was not encoded by {codec.name}: decode it with the model that "
            "`ttskit encode` was given"
        )
    coders = {*codes.table("latents_of")}
    if codec.facts.coder and coders != {codec.facts.coder}:
        what = "has latents of another coder" if coders else "has no latents"
        raise ArtifactError(
            f"{codes.name}: {what}: {codec.name} needs those of the coder that it was trained "
            "with: make them with `ttskit encode --coder`"
        )
    books, wanted = codes.column("codes").shape[1], codec.facts.books
    if codec.role != "codec" and books != wanted:
        raise ArtifactError(
            f"{codes.name}: has {count(books, 'book')}, {codec.name} was trained on {wanted}: "
            f"make them with `ttskit encode --books {wanted}`"
        )


def fields_of(codes: Reader[Codes], row: int) -> dict[str, np.ndarray]:
    """Return what a model of codes reads of an utterance: also how many frames they stand for."""
    values, frames = codes.value(row, "codes"), codes.value(row, "frames")
    size, stride = int(codes.attributes["size"]), int(codes.attributes["stride"])
    if not values.size or values.max() >= size or not 0 < frames <= len(values) * stride:
        raise ArtifactError("its codes are damaged: `ttskit verify` says in what")
    latents = codes.value(row, "latents")
    others = {} if latents is None else {"latents": latents}
    return {"codes": values, "frames": frames, **others}


def mel_of(reader: Reader[Any], row: int, facts: Facts) -> np.ndarray:
    """Return the mel of an utterance of Mels or Features; that of a Corpus is computed."""
    from ttskit.dsp import mel
    from ttskit.models.vocoder import mel_settings

    if reader.kind is Corpus:
        audio = reader.value(row, "audio").astype(np.float32) / 32768
        return mel.mel(audio, mel_settings(facts))
    values: np.ndarray = reader.value(row, "mel")
    if values.shape[1] != facts.n_mels or not np.isfinite(values).all():
        raise AudioError("its mel is damaged: `ttskit verify` says in what")
    return values


def audio_of(reader: Reader[Any], row: int, facts: Facts) -> np.ndarray:  # noqa: ARG001
    """Return the samples of an utterance of a Corpus, -1 to 1."""
    samples: np.ndarray = reader.value(row, "audio").astype(np.float32) / 32768
    return samples


@dataclass(frozen=True)
class Encoder:
    """From the id of an utterance to its codes; every process loads the model for itself."""

    source: Reader[Any]  # Mels, Features or Corpus
    codec: Model
    alignment: Reader[Alignment] | None = None  # what is spoken, if the source does not say it
    books: int | None = None  # the first ones, or all
    device: str = "cpu"
    latents: Latents | None = None  # what gives the latents of the codes

    @cached_property
    def module(self) -> Codec:
        from ttskit.models.coding import Codec

        module = self.codec.module(self.device)
        assert isinstance(module, Codec)
        module.fold()
        return module

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "module"}

    def __call__(self, id: str) -> Codes:
        import torch

        from ttskit.networks.batch import collate

        row, reads = self.source.row(id), self.module.reads
        heard = audio_of if reads == "audio" else mel_of
        values = heard(self.source, row, self.codec.facts)
        if not len(values):
            raise AudioError("has less than one frame")
        with torch.inference_mode():
            batch = collate([id], [{reads: values}]).to(self.device)
            codes = self.module.encode(batch, self.books)[0].cpu().numpy()
        frames, latents = len(values) if reads == "mel" else len(codes), self.latents
        return Codes(
            **self._spoken(row, frames),
            codes=codes.astype(np.uint16),
            frames=np.array(frames),
            latents=latents(id, codes).astype(np.float16) if latents else None,
            latents_of=latents.coder.digest if latents else None,
        )

    def _spoken(self, row: int, frames: int) -> dict[str, Any]:
        """Return what is known of what an utterance says."""
        own = {name: self.source.value(row, name) for name in ("id", "speaker", "text")}
        if self.source.kind is Mels:
            return {name: self.source.value(row, name) for name in SPOKEN}
        if self.alignment is None:
            return own
        at = self.alignment.row(own["id"])
        spoken = {name: self.alignment.value(at, name) for name in SPOKEN}
        if (count := int(spoken["durations"].sum())) != frames:
            raise ArtifactError(f"lasts {count} frames in {self.alignment.name}, its mel {frames}")
        return spoken | own


@dataclass(frozen=True)
class Decoder:
    """From the id of an utterance to the mel of its codes."""

    codes: Reader[Codes]
    codec: Model  # or a decoder that takes codes
    manner: Manner  # its speaker, if any, is another than the utterance's own
    seed: int = 0
    device: str = "cpu"

    @cached_property
    def cascade(self) -> Cascade:
        return Cascade([self.codec], "mel", CODED, self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "cascade"}

    def __call__(self, id: str) -> Mels:
        row = self.codes.row(id)
        spoken = {name: self.codes.value(row, name) for name in SPOKEN}
        speaker = self.manner.speaker
        own = speaker or speaker_of([self.codec], spoken["speaker"])
        known, seed = fields_of(self.codes, row), seed_of(self.seed, id)
        mel = self.cascade.run(id, known, replace(self.manner, speaker=own), seed)["mel"]
        if not np.isfinite(mel).all():
            raise ArtifactError(f"{self.codec.name} produced NaN or infinity: retrain it")
        return Mels(**spoken | ({"speaker": speaker} if speaker else {}), mel=mel)


def speaker_of(models: Sequence[Model], own: str) -> str:
    """Return by what name some models know the speaker of an utterance."""
    several = [model for model in models if len(model.facts.speakers) > 1]
    return several[0].speaker(own) if several else ""


def write_mels(
    inputs: Sequence[Path] | None,
    model: Model,
    output: Path | None,
    manner: Manner,
    seed: int,
    device: str,
    limit: int | None,
    running: Running,
) -> Path:
    """Write the mels of the first `limit` utterances of Codes, perhaps as another speaker's."""
    from ttskit.artifacts import streams
    from ttskit.artifacts.build import Recipe, build

    if "audio" in model.makes:
        raise TtskitError(f"{model.name}: makes audio, not mels: use `ttskit vocode --codec`")
    (codes,) = streams.inputs(inputs, Codes)
    check_codes(codes, model)
    model.check_grid(codes.name, codes.attributes)
    how = Recipe(
        stage="decode",
        revision=REVISION,
        kind=Mels,
        options={"speaker": manner.speaker, "seed": seed, "limit": limit, **steered(manner)},
        inputs=[*codes.digests, model.container.digest],
        attributes={name: codes.attributes[name] for name in Mels.attributes},
        tables={"symbols": codes.table("symbols")},
        skipped=codes.skipped,
    )
    items, make = {id: id for id in codes.ids[:limit]}, Decoder(codes, model, manner, seed, device)
    return build(output, how, items, make, running, source=codes.name)
