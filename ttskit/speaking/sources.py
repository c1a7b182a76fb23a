"""What `decode` speaks: lines of text, Tokens, or recordings, as utterances by their ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ttskit.artifacts import streams
from ttskit.speaking import tokens
from ttskit.speaking.acoustics import check_symbols
from ttskit.speaking.decoding import Utterance
from ttskit.speaking.texts import UtteranceText, text_table
from ttskit.text.spelling import Speller
from ttskit.text.symbols import SPECIAL

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Tokens
    from ttskit.artifacts.reader import Reader
    from ttskit.voices.model import Model


class Source(NamedTuple):
    """What is to be spoken, by id, and where it comes from."""

    name: str
    digests: Sequence[str]
    skipped: Mapping[str, str]
    items: Mapping[str, Any]
    tell: Callable[[Any], Utterance]
    options: Mapping[str, Any]
    measured: Sequence[str] = ()  # fields of the tokens of recordings

    @property
    def known(self) -> Sequence[str]:
        """The fields that every utterance comes with."""
        return ("tokens", *self.measured)


class SpellingOptions(NamedTuple):
    """How texts are to be spelt."""

    language: str | None
    lexicon: Sequence[Path]
    fold: bool


def from_lines(path: Path, name: str, spelling: SpellingOptions, reader: Model) -> Source:
    """Return the lines of a file."""
    lexicons = [streams.local(one)[0] for one in spelling.lexicon]
    characters = [one for one in reader.facts.symbols if len(one) == 1 and one not in SPECIAL]
    language, table = reader.spoken_in(spelling.language), (*SPECIAL, *characters)
    speller = Speller(language, lexicons, table=table, fold=spelling.fold)
    check_symbols(speller.table, reader, f"{name}: {speller.language} has other symbols")
    digests = [hashlib.sha256(one.read_bytes()).hexdigest() for one in (path, *lexicons)]
    options = {"language": speller.language, "fold": spelling.fold, "tokens": tokens.REVISION}
    items = text_table(name, path.read_bytes())
    return Source(name, digests, {}, items, partial(written, speller=speller), options)


def from_tokens(reader: Reader[Tokens], model: Model) -> Source:
    """Return the utterances of Tokens, which a model is to read."""
    check_symbols(reader.table("symbols"), model, f"{reader.name}: has other symbols")
    items, tell = {id: id for id in reader.ids}, partial(spelt, tokens=reader)
    return Source(reader.name, reader.digests, reader.skipped, items, tell, {})


def written(text: UtteranceText, speller: Speller) -> Utterance:
    """Spell a text."""
    return Utterance(tokens.utterance(text, speller))


def spelt(id: str, tokens: Reader[Tokens]) -> Utterance:
    """Return an utterance that is spelt already."""
    return Utterance(tokens[id])
