"""Tokens: the texts of utterances as the symbols that models are trained on and speak.

Reads a Corpus, or lines of text; writes Tokens.  A line is `id<TAB>text`, or a text alone, whose
id is then its number.  The symbol table is that of the language, whatever the texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit import wording
from ttskit.errors import UsageError
from ttskit.options import (
    DryRun,
    Emoji,
    Fold,
    Jobs,
    Json,
    LanguageOrLikely,
    Lexicon,
    Limit,
    Output,
    Restart,
    Scheduler,
    ShardOption,
    SkipBad,
)
from ttskit.speaking.tokens import REVISION, note_dropped, utterance
from ttskit.text.detection import doubts

if TYPE_CHECKING:
    from ttskit.artifacts.build import Recipe
    from ttskit.speaking.texts import Texts
    from ttskit.text.spelling import Speller


def speller_of(
    texts: Texts, language: str, lexicon: Sequence[Path], fold: bool, emoji: bool
) -> Speller:
    """Return the speller of a language; `characters` has those of the texts as its table."""
    from ttskit.text.languages import CHARACTERS
    from ttskit.text.spelling import Speller, character_symbols

    table = None
    if language == CHARACTERS:
        table = character_symbols((item.text for item in texts.items.values()), fold)
    return Speller(language, lexicon, table=table, fold=fold, emoji=emoji)


def recipe(texts: Texts, speller: Speller, lexicon: Sequence[Path]) -> Recipe:
    """Return what the artifact is made of and how."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe

    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in lexicon]
    return Recipe(
        stage="tokens",
        revision=REVISION,
        kind=kinds.Tokens,
        options={"language": speller.language, "fold": speller.fold, "limit": texts.limit}
        | ({"emoji": True} if speller.emoji else {}),
        inputs=[*texts.digests, *digests],
        tables={"symbols": speller.table},
        skipped=texts.skipped,
    )


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Corpus, or a file of lines: ID, tab, text; or text alone. - reads standard input.",
        show_default="standard input",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    language: LanguageOrLikely = None,
    lexicon: Lexicon = None,
    fold: Fold = False,
    emoji: Emoji = False,
    limit: Limit = None,
    jobs: Jobs = 0,
    scheduler: Scheduler = None,
    shard: ShardOption = None,
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
    from ttskit.artifacts.build import Running, build
    from ttskit.speaking.texts import read_texts, texts_of

    tell = describe.summary(output, as_json)
    paths = streams.named(inputs)
    if len(paths) == 1:
        texts = read_texts(*streams.local(paths[0]), kinds.Corpus)
    else:
        texts = texts_of(*streams.inputs(paths, kinds.Corpus))
    lexicon = [streams.local(path)[0] for path in lexicon or ()]
    speller = speller_of(texts, language or language_in(texts), lexicon, fold, emoji)
    how = recipe(texts.first(limit), speller, lexicon)
    spell, running = (
        partial(utterance, speller=speller),
        Running(jobs, skip_bad, restart, dry_run, scheduler, shard),
    )
    path = build(output, how, texts.first(limit).items, spell, running, source=texts.name)
    note(path, texts.first(limit))
    tell(path)


def language_in(texts: Texts) -> str:
    """Return the language of texts for which none is named: English, if they look like it."""
    from ttskit.text.detection import detected

    if likely := detected(item.text for item in texts.items.values()):
        raise UsageError(
            f"{texts.name}: the texts look like {likely.name}: add --language {likely.option} "
            "(or the language that they are in: `ttskit languages`)"
        )
    return "en-us"


def note(path: Path, texts: Texts) -> None:
    """Note how many words were guessed and which characters are not spoken."""
    from ttskit import progress
    from ttskit.artifacts import hdf5, kinds
    from ttskit.artifacts.reader import Reader

    if not hdf5.is_there(path):  # a dry run
        return
    reader = Reader(path, kinds.Tokens)
    guessed, words = int(reader.column("guessed").sum()), len(reader.column("guessed"))
    counts = f"{wording.count(words, 'word')}, {guessed} of them guessed"
    progress.note(f"{counts} (`ttskit text --unknown`)")
    language = str(reader.table("language")[0]) if len(reader) else ""
    if complaint := doubts((item.text for item in texts.items.values()), language, guessed, words):
        progress.complain(f"ttskit: {path.name}: {complaint}")
    note_dropped(path)
