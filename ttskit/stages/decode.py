"""Decode: the mel of every text, as a duration model and a decoder speak it.

Reads lines of text, or Tokens, or Features with their Alignment; writes Mels.  Of recordings, the
durations are those of the alignment, and pitch and loudness those of the recording, so that frame
by frame the mels stand beside the recorded ones.  What is left to chance follows from the seed
and the id of an utterance alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ttskit.errors import TtskitError
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
from ttskit.speaking.acoustics import check_symbols

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.kinds import Alignment, Features, Mels, Tokens
    from ttskit.artifacts.reader import Reader
    from ttskit.speaking.acoustics import Acoustics, Manner
    from ttskit.speaking.texts import Said
    from ttskit.text.spelling import Speller
    from ttskit.training.examples import Examples
    from ttskit.voices.model import Model

REVISION = 1
HEARD = ("f0", "voiced", "loudness")


class Told(NamedTuple):
    """What is to be spoken; of a recording, what is known of its tokens and of its frames."""

    said: Tokens | Alignment
    known: Mapping[str, np.ndarray] | None = None  # durations, pitch, loudness_token
    heard: Mapping[str, np.ndarray] | None = None


def written(said: Said, speller: Speller) -> Told:
    """Spell a text."""
    from ttskit.speaking import tokens

    return Told(tokens.utterance(said, speller))


def spelt(id: str, tokens: Reader[Tokens]) -> Told:
    """Return an utterance that is spelt already."""
    return Told(tokens[id])


def heard(
    row: int, examples: Examples, features: Reader[Features], alignment: Reader[Alignment]
) -> Told:
    """Return a recording by its row among the examples, which measure it as training does."""
    import numpy as np

    id = examples.ids[row]
    at = features.row(id)
    columns = {name: features.value(at, name) for name in HEARD}
    return Told(alignment[id], examples.item(row, 0, np.random.default_rng(0)), columns)


@dataclass(frozen=True)
class Speak:
    """From an utterance to its mel; every process loads the models for itself."""

    duration: Model | None
    decoder: Model
    tell: Callable[[Any], Told]
    manner: Manner
    seed: int
    device: str

    @cached_property
    def acoustics(self) -> Acoustics:
        from ttskit.speaking.acoustics import Acoustics

        return Acoustics(self.duration, self.decoder, self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "acoustics"}

    def __call__(self, item: Any) -> Mels:
        import numpy as np

        from ttskit.artifacts.kinds import Mels, Tokens
        from ttskit.speaking.acoustics import check, seed_of, unspoken

        said, known, heard = self.tell(item)
        check(said, len(self.decoder.facts.symbols))
        manner = replace(
            self.manner, speaker=self.manner.speaker or self.decoder.speaker(said.speaker)
        )
        if known:
            manner = replace(manner, known=known, durations=known["durations"])
        seed = seed_of(self.seed, said.id)
        (spoken,) = self.acoustics.speak([said.id], [said.tokens], [manner], seed)
        if lost := unspoken(said.token_word, list(said.words), spoken.durations):
            raise TtskitError(f"the word {lost!r} would get no frame, needs one: align it again")
        if not np.isfinite(spoken.mel).all():
            raise TtskitError(f"{self.decoder.name} makes what is no number of it: train it anew")
        return Mels(
            id=said.id,
            speaker=manner.speaker or said.speaker,
            text=said.text,
            mel=spoken.mel,
            language=said.language,
            tokens=said.tokens,
            token_word=said.token_word,
            words=said.words,
            spans=said.spans,
            durations=spoken.durations,
            dropped=said.dropped if isinstance(said, Tokens) else None,
            confidence=spoken.foretold.get("confidence"),
            **(heard or {}),
        )


class Given(NamedTuple):
    """What is to be spoken, by id, and where it comes from."""

    name: str
    digests: Sequence[str]
    skipped: Mapping[str, str]
    items: Mapping[str, Any]
    tell: partial[Told]
    options: Mapping[str, Any]


class Spelling(NamedTuple):
    """How texts are to be spelt."""

    language: str | None
    lexicon: Sequence[Path]
    fold: bool


def texts(path: Path, name: str, spelling: Spelling, decoder: Model) -> Given:
    """Return the lines of a file."""
    from ttskit.artifacts import streams
    from ttskit.speaking import tokens
    from ttskit.speaking.texts import text_table
    from ttskit.text.spelling import Speller
    from ttskit.text.symbols import SPECIAL

    lexicons = [streams.local(one)[0] for one in spelling.lexicon]
    characters = [one for one in decoder.facts.symbols if len(one) == 1 and one not in SPECIAL]
    language, table = spelling.language or "en-us", (*SPECIAL, *characters)
    speller = Speller(language, lexicons, table=table, fold=spelling.fold)
    check_symbols(speller.table, decoder, f"{name}: {speller.language} has other symbols")
    digests = [hashlib.sha256(one.read_bytes()).hexdigest() for one in (path, *lexicons)]
    options = {"language": speller.language, "fold": spelling.fold, "tokens": tokens.REVISION}
    items = text_table(name, path.read_bytes())
    return Given(name, digests, {}, items, partial(written, speller=speller), options)


def recordings(features: Reader[Features], alignment: Reader[Alignment], decoder: Model) -> Given:
    """Return the utterances of recordings."""
    from ttskit.training.examples import Examples

    decoder.check_grid(features.name, features.attributes)
    check_symbols(alignment.table("symbols"), decoder, f"{alignment.name}: has other symbols")
    examples = Examples([features, alignment], ("mel", "durations", "pitch", "loudness_token"))
    for name in ("f0", "loudness"):  # once for all processes
        examples.middle(examples.speaker(0), name)
    tell = partial(heard, examples=examples, features=features, alignment=alignment)
    digests, skipped = [features.digest, alignment.digest], features.skipped | alignment.skipped
    rows = {id: row for row, id in enumerate(examples.ids)}
    return Given(features.name, digests, skipped, rows, tell, {})


def opened(inputs: Sequence[Path] | None, timed: bool, decoder: Model, spelling: Spelling) -> Given:
    """Return what is to be spoken, by what the files are.

    `timed` tells whether options say how long tokens last, as recordings do themselves.
    """
    from ttskit.artifacts import hdf5, kinds, streams

    files = [streams.local(path) for path in streams.named(inputs)]
    lines = [file for file in files if file[0].is_file() and not hdf5.is_hdf5(file[0])]
    if lines and len(files) > 1:
        raise TtskitError(f"{lines[0][1]}: is text, which decode takes alone; one file at a time")
    if lines:
        return texts(*lines[0], spelling, decoder)
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
    check_symbols(reader.table("symbols"), decoder, f"{reader.name}: has other symbols")
    items, tell = {id: id for id in reader.ids}, partial(spelt, tokens=reader)
    return Given(reader.name, [reader.digest], reader.skipped, items, tell, {})


def manner_of(decoder: Model, speaker: str, length: float, noise: float | None) -> Manner:
    """Return how to speak, as the decoder can."""
    from ttskit.models import find
    from ttskit.speaking.acoustics import Manner, mixture, numbers

    if speaker:
        mixture(speaker, numbers(decoder))
    if noise is not None and "noise_scale" not in find(decoder.family).knobs:
        raise TtskitError(f"{decoder.name}: leaves nothing to chance; leave --noise-scale out")
    knobs = {} if noise is None else {"noise_scale": noise}
    return Manner(length_scale=length, speaker=speaker, knobs=knobs)


def command(
    decoder: Annotated[Path, typer.Option(help="Model that makes mel of tokens.")],
    inputs: Inputs = None,
    output: Output = None,
    duration: Annotated[
        Path | None, typer.Option(help="Model that says how long tokens last.")
    ] = None,
    speaker: Annotated[
        str, typer.Option(help="Who speaks; ann:0.7,bob:0.3 mixes.  [default: its own]")
    ] = "",
    length_scale: Annotated[float, typer.Option(min=0.05, max=20, help="Above 1 is slower.")] = 1.0,
    noise_scale: Annotated[
        float | None, typer.Option(min=0, max=100, help="Of chance.  [default: the decoder's]")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Of lines of text.  [default: en-us]")
    ] = None,
    lexicon: Annotated[
        list[Path] | None, typer.Option(help="Words and phonemes, for lines of text; repeatable.")
    ] = None,
    fold: Annotated[bool, typer.Option("--fold", help="With characters: case is one.")] = False,
    seed: Seed = 0,
    device: Device = "cpu",
    limit: Limit = None,
    jobs: Jobs = 0,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make the mel of texts."""
    from ttskit.artifacts import describe, kinds
    from ttskit.artifacts.build import Recipe, Running, build, up_to_date
    from ttskit.speaking import tokens
    from ttskit.voices.model import GRID, read_model

    tell = describe.summary(output, as_json)
    speaks = read_model(decoder, role="decoder")
    lasts = read_model(duration, role="duration") if duration else None
    manner = manner_of(speaks, speaker, length_scale, noise_scale)
    timed = duration is not None or length_scale != 1
    given = opened(inputs, timed, speaks, Spelling(language, lexicon or (), fold))
    if lasts is None and given.tell.func is not heard:
        raise TtskitError(f"{given.name}: needs --duration MODEL.h5: how long do tokens last?")
    options = {"speaker": speaker, "length_scale": length_scale, "noise_scale": noise_scale}
    models = [model.container.digest for model in (lasts, speaks) if model]
    recipe = Recipe(
        stage="decode",
        revision=REVISION,
        kind=kinds.Mels,
        options={**given.options, **options, "seed": seed, "limit": limit},
        inputs=[*given.digests, *models],
        attributes={name: getattr(speaks.facts, name) for name in GRID},
        tables={"symbols": speaks.facts.symbols},
        skipped=given.skipped,
    )
    make = Speak(lasts, speaks, given.tell, manner, seed, device)
    if restart or not up_to_date(output or Path("-"), recipe):
        make.acoustics  # noqa: B018 (refuses models that do not fit, before any work is done)
    items = dict(list(given.items.items())[:limit])
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run)
    path = build(output, recipe, items, make, running, source=given.name)
    tokens.note_dropped(path)
    tell(path)
