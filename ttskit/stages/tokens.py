"""Tokens: the text side of every utterance, as models are trained on it and as it is spoken.

Reads a Corpus, or lines of text; writes Tokens.  A line is `id<TAB>text`, or text alone, which
then goes by its number.  The symbols are those of the language, whatever the texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ttskit.errors import TextError
from ttskit.options import DryRun, Jobs, Json, Limit, Output, Restart, SkipBad

if TYPE_CHECKING:
    from ttskit.kinds import Tokens
    from ttskit.text.spelling import Speller

REVISION = 1


class Said(NamedTuple):
    """One text to be spelt."""

    id: str
    speaker: str
    text: str


def utterance(said: Said, speller: Speller) -> Tokens:
    """Spell one text."""
    import numpy as np

    from ttskit.kinds import Tokens

    spelling = speller.spell(said.text)
    if not spelling.words:
        raise TextError(f"has no word that could be spoken: {said.text!r:.60}")
    numbers = {symbol: number for number, symbol in enumerate(speller.table)}
    return Tokens(
        id=said.id,
        speaker=said.speaker,
        text=said.text,
        language=speller.language,
        tokens=np.array([numbers[symbol] for symbol in spelling.tokens]),
        token_word=np.array(spelling.token_word),
        words=np.array(spelling.words, dtype=object),
        spans=np.array(spelling.spans),
        guessed=np.array(spelling.guessed),
        dropped=", ".join(str(drop) for drop in spelling.drops),
    )


def lines(name: str, raw: bytes) -> dict[str, Said]:
    """Return the texts in a file of lines, by id."""
    found: dict[str, Said] = {}
    rows = raw.decode("utf-8-sig", "surrogateescape").split("\n")
    rows = [row.removesuffix("\r") for row in (rows[:-1] if rows[-1] == "" else rows)]
    tabbed = bool(rows) and "\t" in rows[0]
    for number, row in enumerate(rows, 1):
        if not row.isprintable() and any("\udc80" <= c <= "\udcff" for c in row):
            raise TextError(f"{name}: line {number} is not UTF-8")
        if ("\t" in row) is not tabbed:
            wanted = "id, tab, text like the first" if tabbed else "a text alone like the first"
            raise TextError(f"{name}: line {number} needs {wanted}")
        id, _, text = row.partition("\t") if tabbed else (f"line{number:06}", "", row)
        if id in found:
            raise TextError(f"{name}: line {number}: id {id} is there twice")
        found[id] = Said(id, "", text)
    if not found:
        raise TextError(f"{name}: is empty; needs lines of text or an artifact")
    return found


def read(paths: Sequence[Path] | None) -> tuple[str, dict[str, Said], str, dict[str, str]]:
    """Return the name of the one input, its texts by id, its digest and what it skipped."""
    from ttskit import hdf5, kinds, streams
    from ttskit.artifact import Reader

    given = streams.named(paths)
    if len(given) != 1:
        raise TextError(f"tokens takes one input, not {len(given)}; merge them first")
    path, name = streams.local(given[0])
    if path.is_file() and not hdf5.is_hdf5(path):
        raw = path.read_bytes()
        return name, lines(name, raw), hashlib.sha256(raw).hexdigest(), {}
    reader = Reader(path, kinds.Corpus, name)
    rows = zip(reader.ids, reader.table("speaker"), reader.table("text"), strict=True)
    return name, {row[0]: Said(*row) for row in rows}, reader.digest, reader.skipped


def characters(texts: Mapping[str, Said], fold: bool) -> tuple[str, ...]:
    """Return the symbols for texts without phonemes: every character that is in them."""
    from ttskit.text import symbols
    from ttskit.text.spelling import Speller

    speller = Speller("characters", fold=fold)
    seen = {token for said in texts.values() for token in speller.spell(said.text).tokens}
    return (*symbols.SPECIAL, *sorted(seen - set(symbols.SPECIAL)))


def command(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[INPUT]", help="Corpus, or lines; - or none: standard input."),
    ] = None,
    output: Output = None,
    language: Annotated[str, typer.Option(help="As de, or characters for any other.")] = "en-us",
    lexicon: Annotated[
        list[Path] | None, typer.Option(help="Words and phonemes; repeatable, later ones win.")
    ] = None,
    fold: Annotated[bool, typer.Option("--fold", help="With characters: case is one.")] = False,
    limit: Limit = None,
    jobs: Jobs = 0,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Spell texts as the tokens that models are trained on."""
    from ttskit import kinds, streams
    from ttskit.stages import info
    from ttskit.text.spelling import Speller
    from ttskit.work import Recipe, Running, build

    tell = info.summary(output, as_json)
    name, texts, digest, skipped = read(inputs)
    lexicon = [streams.local(path)[0] for path in lexicon or ()]
    table = characters(texts, fold) if language == "characters" else None
    speller = Speller(language, lexicon, table=table, fold=fold)
    texts = dict(list(texts.items())[:limit])
    given = [hashlib.sha256(path.read_bytes()).hexdigest() for path in lexicon]
    recipe = Recipe(
        stage="tokens",
        revision=REVISION,
        kind=kinds.Tokens,
        options={"language": speller.language, "fold": fold, "limit": limit},
        inputs=[digest, *given],
        tables={"symbols": speller.table},
        skipped=skipped,
    )
    make, running = partial(utterance, speller=speller), Running(jobs, skip_bad, restart, dry_run)
    path = build(output, recipe, texts, make, running, source=name)
    note(path)
    tell(path)


def note(path: Path) -> None:
    """Say how many words were guessed and how many characters are not spoken."""
    from ttskit import kinds, progress
    from ttskit.artifact import Reader

    if not path.exists():  # a dry run
        return
    reader = Reader(path, kinds.Tokens)
    guessed, words = int(reader.column("guessed").sum()), len(reader.column("guessed"))
    progress.note(f"{words} words, of which {guessed} are guessed (`ttskit text --unknown`)")
    note_dropped(path)


def note_dropped(path: Path) -> None:
    """Say which characters are not spoken, of Tokens or what was made of them."""
    from ttskit import kinds, progress

    if not path.exists():
        return
    reader = kinds.read(path)
    dropped = zip(reader.ids, reader.table("dropped"), strict=False)  # where the column is
    silent = [(id, told) for id, told in dropped if told]
    for id, told in silent[:5]:
        progress.note(f"{id}: not spoken: {told}")
    if silent[5:]:
        progress.note(f"and in {len(silent) - 5} more; see the column `dropped`")
