"""Voice: models that fit each other, a lexicon and a card, packed into one file that speaks.

Reads a duration model, a decoder and a vocoder; writes a Voice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import wording
from ttskit.errors import ArtifactError, TtskitError
from ttskit.options import Json, Output

if TYPE_CHECKING:
    from ttskit.dsp.widening import Widening
    from ttskit.voices.model import Model
    from ttskit.voices.voice import VoiceFile, VoiceSettings


class Action(StrEnum):
    """What is done."""

    PACK = "pack"
    INFO = "info"
    LIST = "list"


def lines(lexicon: Sequence[Path]) -> tuple[str, ...]:
    """Return the words of lexicon files, without their comments."""
    from ttskit.text.lines import read_lines

    return tuple(line.text for path in lexicon for line in read_lines(path) if "\t" in line.text)


def measured(paths: Sequence[Path], share: float, decoder: Model) -> Widening:
    """Return how to widen the decoder's mels, from Features of recordings and its own Mels."""
    from ttskit.artifacts import kinds, streams
    from ttskit.dsp.widening import widening

    readers = streams.inputs(paths, kinds.Features, kinds.Mels)
    for reader in readers:
        decoder.check_grid(reader.name, reader.attributes)
        if not any(len(record.mel) for record in reader.values()):
            raise ArtifactError(f"{reader.name}: has no frames; needs those of the training data")
    recorded, predicted = ((record.mel for record in reader.values()) for reader in readers)
    return widening(recorded, predicted, share)


def pack(
    output: Path | None, models: Mapping[str, Model], settings: VoiceSettings, half: bool
) -> None:
    """Write a voice, once its models have been seen to run."""
    from ttskit import progress
    from ttskit.artifacts import build, hdf5, streams
    from ttskit.speaking.acoustics import Cascade
    from ttskit.voices import voice
    from ttskit.voices.model import VOICE

    texts = settings.card, "\n".join(settings.lexicon)
    widening = asdict(settings.widening).values() if settings.widening else ()
    provenance = {
        "stage": "voice",
        "revision": 1,
        "options": {
            "language": settings.language,
            "fold": settings.fold,
            "half": half,
            "noise_scale": settings.noise_scale,
        }
        | ({"emoji": True} if settings.emoji else {})
        | ({"pitch_range": settings.pitch_range} if settings.pitch_range != 1 else {}),
        "inputs": [
            *(model.container.digest for model in models.values()),
            *(hashlib.sha256(text.encode()).hexdigest() for text in texts),
            *(hashlib.sha256(values.tobytes()).hexdigest() for values in widening),
        ],
    }
    with streams.delivered(output) as (path, name):
        if build.is_made(path, VOICE, provenance):
            progress.note(f"{name}: up to date")
            return
        streams.replaceable(path, VOICE)
        cascade = Cascade(
            [*models.values()], voice.WANTED, voice.KNOWN
        )  # refuses what does not run
        if settings.pitch_range != 1 and "pitch" not in cascade.takes:
            raise TtskitError("--pitch-range: no model here takes a pitch: leave it out")
        voice.write(path, models, provenance, settings, half)
        progress.note(f"{name}: {hdf5.size_of(path) / 1e6:.1f} MB")


def page(facts: Mapping[str, Any]) -> str:
    """Return the same for a person: facts, then the card."""
    models = ", ".join(f"{role} {family}" for role, family in facts["models"].items())
    rows = {
        "language": facts["language"],
        "models": models,
        "speakers": ", ".join(facts["speakers"]) or "one",
        "sample rate": f"{facts['sample_rate']} Hz",
        "megabytes": facts["megabytes"],
        "lexicon": wording.count(facts["lexicon"], "word"),
    }
    if facts["noise_scale"] is not None:
        rows["noise scale"] = facts["noise_scale"]
    if facts["pitch_range"] != 1:
        rows["pitch range"] = f"{facts['pitch_range']:g} times that of its duration model"
    if facts["widening"] is not None:
        rows["widening"] = f"{facts['widening']}, mean over the cepstrum"
    lines = [f"{facts['path']}: {facts['name']}", *(f"  {key:12} {rows[key]}" for key in rows)]
    return "\n".join([*lines, "", facts["card"].strip()])


def shown(voice: VoiceFile, action: Action, as_json: bool) -> str:
    """Format what is known of a voice: as JSON, as a line of the list, or as a page."""
    from ttskit.voices.voice import ROW, describe, entry

    if as_json:
        return json.dumps(describe(voice), ensure_ascii=False)
    return ROW.format(**entry(voice)) if action is Action.LIST else page(describe(voice))


ActionOption = Annotated[
    Action,
    typer.Argument(
        metavar="ACTION",
        help="pack: join models into a voice; info: describe voices; list: name those that "
        "come with ttskit.",
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE...",
        help="pack: duration model, decoder, vocoder (or source or griffinlim); info: voices.",
    ),
]
Card = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="pack: description of the voice (name, licence, data ...), in Markdown or TOML; "
        "needed.",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE",
        help="pack: language that the models were trained on: en-us, de ...; or characters.",
        show_default="that of the models",
    ),
]
Lexicon = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="pack: pronunciations to keep in the voice: lines of a word, a tab, its "
        "phonemes. May be repeated; later files win.",
    ),
]
Fold = Annotated[
    bool,
    typer.Option(
        "--fold",
        help="pack, with --language characters: ignore the difference of upper and lower case.",
    ),
]
Emoji = Annotated[
    bool,
    typer.Option("--emoji", help="pack: speak emoji by their names, as after `tokens --emoji`."),
]
NoiseScale = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=100,
        metavar="SCALE",
        help="pack: randomness of the decoder in `say`: 0 is none and the clearest, 1 the "
        "liveliest.",
        show_default="that of the decoder",
    ),
]
PitchRange = Annotated[
    float,
    typer.Option(
        min=0,
        max=4,
        metavar="FACTOR",
        help="pack: let the pitch move so many times as far as it is predicted, which is about "
        "half as far as speakers move it.",
    ),
]
Widen = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        metavar="FEATURES MELS",
        help="pack: Features of training recordings and the decoder's Mels of their texts: "
        "let mels vary as recordings do.",
    ),
]
Share = Annotated[
    float,
    typer.Option(
        min=0,
        max=4,
        metavar="SHARE",
        help="pack: part of the difference to recordings that --widen makes up for.",
    ),
]
Float32 = Annotated[
    bool,
    typer.Option("--float32", help="pack: keep weights in 32 bits instead of 16; twice the size."),
]


def command(
    action: ActionOption,
    files: Files = None,
    output: Output = None,
    card: Card = None,
    language: Language = None,
    lexicon: Lexicon = None,
    fold: Fold = False,
    emoji: Emoji = False,
    noise_scale: NoiseScale = None,
    pitch_range: PitchRange = 1.0,
    widen: Widen = None,
    share: Share = 1.0,
    float32: Float32 = False,
    as_json: Json = False,
) -> None:
    """Pack models into a voice for `say`, or describe voices.

    Examples:
        ttskit voice list
        ttskit voice pack duration.h5 decoder.h5 vocoder.h5 --card card.toml -o voice.h5
    """
    from ttskit import progress
    from ttskit.voices import cards, embedded, voice

    if action is Action.PACK:
        if card is None:
            raise typer.BadParameter("pack needs --card: name, licence, data, weaknesses ...")
        models, words = voice.chosen(files or ()), lines(lexicon or ())
        reader = voice.last_reader(models.values())
        widening = measured(widen, share, reader) if widen else None
        settings = voice.VoiceSettings(
            reader.spoken_in(language),
            fold,
            words,
            voice.card(card),
            noise_scale,
            widening,
            emoji,
            pitch_range,
        )
        digests = [model.digest for model in models.values()]
        for doubt in cards.doubts(settings.card, digests, settings.language):
            progress.note(f"{card}: {doubt}")
        pack(output, models, settings, not float32)
        return
    if action is Action.LIST:
        if files:
            raise typer.BadParameter("list takes none: `ttskit voice info` tells of a file")
        names = [str(path) for path in embedded.voices().values()]
    else:
        names = [str(embedded.find(name)) for name in files or [None]]  # type: ignore[list-item]
    for name in names:
        typer.echo(shown(voice.read(Path(name)), action, as_json))
