"""Tokens: the text side of every utterance, as models are trained on it and as it is spoken.

Reads a Corpus, or lines of text; writes Tokens.  A line is `id<TAB>text`, or text alone, which
then goes by its number.  The symbols are those of the language, whatever the texts.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit import wording
from ttskit.errors import TextError
from ttskit.options import (
    DryRun,
    Fold,
    Jobs,
    Json,
    Language,
    Lexicon,
    Limit,
    Output,
    Restart,
    SkipBad,
)
from ttskit.speaking.tokens import REVISION, note_dropped, utterance

if TYPE_CHECKING:
    pass


def command(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT",
            help="Corpus, or a file of lines: ID, tab, text; or text alone. - reads standard "
            "input.",
            show_default="standard input",
        ),
    ] = None,
    output: Output = None,
    language: Language = "en-us",
    lexicon: Lexicon = None,
    fold: Fold = False,
    limit: Limit = None,
    jobs: Jobs = 0,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Convert texts to the tokens (phonemes) models are trained on.

    Examples:
        ttskit tokens corpus.h5 -o tokens.h5
        ttskit tokens corpus.h5 --language de --lexicon names.tsv -o tokens.h5
    """
    from ttskit.artifacts import describe, kinds, streams
    from ttskit.artifacts.build import Recipe, Running, build
    from ttskit.speaking.texts import read_texts
    from ttskit.text.languages import CHARACTERS
    from ttskit.text.spelling import Speller, character_symbols

    tell = describe.summary(output, as_json)
    paths = streams.named(inputs)
    if len(paths) != 1:
        raise TextError(f"tokens takes one input, not {len(paths)}; merge them first")
    texts = read_texts(*streams.local(paths[0]), kinds.Corpus)
    lexicon = [streams.local(path)[0] for path in lexicon or ()]
    table = None
    if language == CHARACTERS:
        table = character_symbols((one.text for one in texts.items.values()), fold)
    speller = Speller(language, lexicon, table=table, fold=fold)
    given = [hashlib.sha256(path.read_bytes()).hexdigest() for path in lexicon]
    recipe = Recipe(
        stage="tokens",
        revision=REVISION,
        kind=kinds.Tokens,
        options={"language": speller.language, "fold": fold, "limit": limit},
        inputs=[texts.digest, *given],
        tables={"symbols": speller.table},
        skipped=texts.skipped,
    )
    make, running = partial(utterance, speller=speller), Running(jobs, skip_bad, restart, dry_run)
    items = texts.first(limit).items
    path = build(output, recipe, items, make, running, source=texts.name)
    note(path)
    tell(path)


def note(path: Path) -> None:
    """Say how many words were guessed and how many characters are not spoken."""
    from ttskit import progress
    from ttskit.artifacts import kinds
    from ttskit.artifacts.reader import Reader

    if not path.exists():  # a dry run
        return
    reader = Reader(path, kinds.Tokens)
    guessed, words = int(reader.column("guessed").sum()), len(reader.column("guessed"))
    told = f"{wording.count(words, 'word')}, {guessed} of them guessed"
    progress.note(f"{told} (`ttskit text --unknown`)")
    note_dropped(path)
