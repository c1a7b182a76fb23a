"""Text: lines as they are read aloud, as phonemes, or cut into sentences.

Reads lines, writes lines.  A filter: each line is written, and flushed, before the next one is
read, in the order in which they came.  With several jobs, blocks of lines go to worker processes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit.errors import TextError, UsageError
from ttskit.options import Emoji, Fold, Jobs, Language, Lexicon
from ttskit.text.lines import InputLine, stream_lines

if TYPE_CHECKING:
    from ttskit.text.spelling import Speller

_BLOCK = 128  # lines that a worker takes at once


class Form(StrEnum):
    """What is written for a line."""

    NORMALISED = "normalised"
    PHONEMES = "phonemes"
    SENTENCES = "sentences"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is written for a line, or why it cannot be."""

    lines: tuple[str, ...] = ()
    note: str = ""  # the characters that are not spoken
    error: str = ""  # a message to the user, in place of the lines


def answer(line: InputLine, speller: Speller, form: Form) -> Answer:
    """Return what `form` writes for one line."""
    from ttskit.text.sentences import sentences

    if not line.text.strip():
        return Answer(() if form is Form.UNKNOWN else ("",))
    if form is Form.SENTENCES:
        return Answer(tuple(part.strip() for part in sentences(line.text, speller.language)))
    try:
        spelling = speller.spell(line.text)
    except TextError as error:
        return Answer(error=f"{line.place}: {error}")
    note = "; ".join(f"U+{ord(d.character):04X} (column {d.offset + 1})" for d in spelling.drops)
    note = f"{line.place}: not spoken: {note}" if note else ""
    if form is Form.PHONEMES:
        return Answer((" ".join(spelling.tokens[1:-1]),), note)
    if form is Form.UNKNOWN:
        guesses = (
            f"{word.lower()}\t{' '.join(spelling.phonemes(place))}"
            for place, word in enumerate(spelling.words)
            if spelling.guessed[place]
        )
        return Answer(tuple(dict.fromkeys(guesses)), note)
    return Answer((spelling.text,), note)


def answers(
    lines: Iterable[InputLine], speller: Speller, form: Form, jobs: int = 1
) -> Iterator[Answer]:
    """Yield the answer to each line, in order; with one job before the next line is read."""
    if jobs == 1:
        yield from (answer(line, speller, form) for line in lines)
        return
    from ttskit.artifacts import pool

    work = partial(_answer_block, speller=speller, form=form)
    failures: list[TextError] = []
    for block in pool.in_order(work, _blocks(lines, failures), jobs):
        assert isinstance(block, list)  # errors of the user are in the answers
        yield from block
    if failures:
        raise failures[0]


def _answer_block(block: list[InputLine], speller: Speller, form: Form) -> list[Answer]:
    return [answer(line, speller, form) for line in block]


def _blocks(lines: Iterable[InputLine], failures: list[TextError]) -> Iterator[list[InputLine]]:
    """Yield lines in blocks; an error in reading ends them and is added to `failures`."""
    block = list[InputLine]()
    try:
        for line in lines:
            block.append(line)
            if len(block) == _BLOCK:
                yield block
                block = []
    except TextError as error:
        failures.append(error)
    if block:
        yield block


def _write(stream: Iterable[Answer], once: bool) -> None:
    """Write answers as they come; `once` leaves out lines whose word was written before."""
    from ttskit import progress

    out, written = sys.stdout.buffer, set[str]()
    for item in stream:
        if item.error:
            raise TextError(item.error)
        if item.note:
            progress.note(item.note)
        for line in item.lines:
            word = line.partition("\t")[0]
            if not once or word not in written:
                out.write(line.encode() + b"\n")
            if once:
                written.add(word)
        out.flush()


Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE...",
        help="Text files in UTF-8; - reads standard input.",
        show_default="standard input",
    ),
]
Phonemes = Annotated[
    bool,
    typer.Option(
        "--phonemes", help="Write the phonemes, separated by spaces, with # between words."
    ),
]
Normalise = Annotated[
    bool,
    typer.Option(
        "--normalise", help="Write the words as they are read aloud; this is the default."
    ),
]
Sentences = Annotated[bool, typer.Option("--sentences", help="Write one sentence on each line.")]
Unknown = Annotated[
    bool,
    typer.Option(
        "--unknown",
        help="Write each word that is in no lexicon once, with the guessed phonemes: a "
        "lexicon to correct.",
    ),
]


def command(
    files: Files = None,
    phonemes: Phonemes = False,
    normalise: Normalise = False,
    sentences: Sentences = False,
    unknown: Unknown = False,
    language: Language = "en-us",
    lexicon: Lexicon = None,
    fold: Fold = False,
    emoji: Emoji = False,
    jobs: Jobs = 1,
) -> None:
    """Show how text is read aloud: words, phonemes or sentences.

    Examples:
        echo "Dr. Smith paid $5.20." | ttskit text
        ttskit text --phonemes --lexicon words.tsv book.txt
    """
    if phonemes + normalise + sentences + unknown > 1:
        raise typer.BadParameter("choose one of --phonemes, --normalise, --sentences and --unknown")
    if sys.stdout is None or sys.stdout.closed or (sys.stdin is None and not files):
        raise UsageError("standard input or output is closed: text needs both, or files to read")
    from ttskit.artifacts import pool
    from ttskit.speaking.output import quietly
    from ttskit.text.spelling import Speller

    speller = Speller(language, lexicon or (), fold=fold, emoji=emoji)
    chosen = {Form.PHONEMES: phonemes, Form.SENTENCES: sentences, Form.UNKNOWN: unknown}
    form = next((form for form, wanted in chosen.items() if wanted), Form.NORMALISED)
    stream = answers(stream_lines(files or ()), speller, form, jobs or pool.cores())
    quietly(partial(_write, stream, once=unknown))
