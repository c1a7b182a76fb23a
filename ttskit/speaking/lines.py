"""Scripts: texts as lines, each of which is spoken in one go, and what was spoken as a record.

N tokens of a line, W words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit import progress
from ttskit.errors import TextError, TtskitError
from ttskit.formats.timeline import Timeline
from ttskit.text.languages import CHARACTERS
from ttskit.text.sentences import sentences
from ttskit.text.spelling import Drop, Speller, Spelling, spelt
from ttskit.text.ssml import Passage, Prosody
from ttskit.text.symbols import BOUNDARY, PAD, PUNCTUATION

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Tokens

MOST = 200  # tokens that are spoken in one go: some 15 s, which no model has heard more of
PARAGRAPH = 3  # pauses between sentences that make one between paragraphs


@dataclass(frozen=True)
class Line:
    """What is spoken in one go: a sentence, or a part of one that is too long."""

    number: int  # of the line, from 0
    sentence: int  # from 1
    text: str
    tokens: np.ndarray  # (N,) the pause before it, then symbols by their numbers
    token_word: np.ndarray  # (N,)
    words: tuple[str, ...]
    spans: np.ndarray  # (W, 2) characters of text
    pause: float  # seconds before it
    prosody: np.ndarray  # (N, 3) times as fast, semitones, dB


def to_lines(
    passages: Iterable[Passage], speller: Speller, *, phonemes: bool = False, pause: float = 0.25
) -> Iterator[Line]:
    """Yield the lines of each passage before the next one is asked for.

    Parameters
    ----------
    passages : an empty one begins a paragraph
    speller : Speller
    phonemes : bool
        The texts are written in phonemes.
    pause : float
        Seconds between sentences.
    """
    spell = partial(spelt, table=speller.table) if phonemes else speller.spell
    cut, table = _whole if phonemes else _cutter(speller.language), speller.table
    number = sentence = 0
    paragraph, silent = False, ""  # what may be the error, and else is a note
    for passage in passages:
        if silent:
            progress.note(silent)
        paragraph = paragraph or passage.paragraph or not passage.text.strip()
        usual = pause * (PARAGRAPH if paragraph else 1) if number else 0.0
        wait, spoken = usual if passage.gap is None else passage.gap, False
        silent, drops = "", list[Drop]()
        for start, text in cut(passage.text):
            spelling = _spelt(text, spell, passage.place)
            if not spelling.words:
                drops += spelling.drops
                continue
            _note(passage.place, spelling.drops)
            sentence, spoken, paragraph = sentence + 1, True, False
            for told in _parts(spelling):
                yield _line(text, told, (number, sentence, wait), table, passage.runs, start)
                number, wait = number + 1, 0.0
            wait = pause
        if spoken:
            _note(passage.place, drops)
        elif passage.text.strip():
            silent = f"{passage.place}: has no word to speak: {passage.text.strip():.60}"
        if silent and sentence:
            progress.note(silent)
            silent = ""
        if not spoken and passage.gap:
            nothing = Part(0, 0, (), (), (), ())
            yield _line("", nothing, (number, sentence, wait), table, (), 0)
            number += 1
    if silent:
        raise TextError(silent)


@dataclass(frozen=True)
class Part:
    """Tokens of a sentence, and the characters of its text that they are from."""

    begin: int
    end: int  # -1 is its last one
    tokens: Sequence[str]
    token_word: Sequence[int]
    words: Sequence[str]
    spans: Sequence[tuple[int, int]]


def _whole(text: str) -> Iterator[tuple[int, str]]:
    yield 0, text


def _cutter(language: str) -> Callable[[str], Iterator[tuple[int, str]]]:
    """Return what yields each sentence of a text and where it starts."""

    def cut(text: str) -> Iterator[tuple[int, str]]:
        start = 0
        for sentence in sentences(text, "en-us" if language == CHARACTERS else language):
            yield start, sentence
            start += len(sentence)

    return cut


def _spelt(text: str, spell: Callable[[str], Spelling], place: str) -> Spelling:
    try:
        return spell(text)
    except TextError as error:
        raise TextError(f"{place}: {error}") from error


def _note(place: str, drops: Sequence[Drop]) -> None:
    """Say which characters are not spoken."""
    dropped = [f"{drop.character} (U+{ord(drop.character):04X})" for drop in drops]
    more = f" and {len(dropped) - 5} more" if dropped[5:] else ""
    if dropped:
        progress.note(f"{place}: not spoken: {', '.join(dropped[:5])}{more}")


def _parts(spelling: Spelling) -> Iterator[Part]:
    """Cut the tokens of a sentence where it has more than `MOST`, best at punctuation."""
    (first, *inner, last), owners = spelling.tokens, spelling.token_word[1:-1]
    start = text_start = 0
    while start < len(inner):
        stop = _stop(inner, start)
        told = owners[start:stop]
        mine = list(dict.fromkeys(owner for owner in told if owner >= 0))
        start = stop + (inner[stop : stop + 1] == [BOUNDARY])
        following = next((owner for owner in owners[start:] if owner >= 0), -1)
        # a word that is too long itself leaves no text to the rest of it
        text_stop = -1 if following < 0 else spelling.spans[following][following in mine]
        tokens = inner[stop - len(told) : stop]
        if mine:
            spans = [[max(0, x - text_start) for x in spelling.spans[one]] for one in mine]
            yield Part(
                text_start,
                text_stop,
                (first, *tokens, last),
                (-1, *(mine.index(owner) if owner >= 0 else -1 for owner in told), -1),
                [spelling.words[one] for one in mine],
                [(begin, end) for begin, end in spans],
            )
            text_start = text_stop


def _stop(tokens: list[str], start: int) -> int:
    """Return where the part that begins at `start` is to end."""
    most = start + MOST
    if len(tokens) <= most:
        return len(tokens)
    between = [place for place in range(start + 1, most + 1) if tokens[place] == BOUNDARY]
    marked = [place for place in between if tokens[place - 1] in PUNCTUATION]
    if marked and marked[-1] - start > MOST // 2:
        return marked[-1]
    return between[-1] if between else most


def whole_line(said: Tokens, table: Sequence[str]) -> Line:
    """Return an utterance that is spelt already as one line."""
    tokens = [table[token] for token in said.tokens]
    spans = [(int(start), int(stop)) for start, stop in said.spans]
    told = Part(0, -1, tokens, said.token_word.tolist(), list(said.words), spans)
    return _line(said.text, told, (0, 1, 0.0), table, (), 0)


def _line(
    text: str,
    told: Part,
    count: tuple[int, int, float],
    table: Sequence[str],
    runs: Sequence[tuple[int, Prosody]],
    offset: int,
) -> Line:
    """Return a part as a line; `runs` are the prosody of a text that it starts in at `offset`."""
    numbers = {symbol: place for place, symbol in enumerate(table)}
    owners = np.array([-1, *told.token_word])
    starts = np.array([span[0] for span in told.spans], int) + offset + told.begin
    places = np.array([place for place, _ in runs])
    kinds = np.array(
        [(p.rate, p.pitch, p.volume) for p in (Prosody(), *(p for _, p in runs))], float
    )
    of_word = kinds[np.searchsorted(places, starts, "right")]
    near = np.maximum.accumulate(owners).clip(0)  # what is no word is said like the one before it
    number, sentence, pause = count
    return Line(
        number=number,
        sentence=sentence,
        text=text[told.begin : None if told.end < 0 else told.end],
        tokens=np.array([numbers[symbol] for symbol in (PAD, *told.tokens)]),
        token_word=owners,
        words=tuple(told.words),
        spans=np.array(told.spans, int).reshape(-1, 2),
        pause=pause,
        prosody=of_word[near] if told.words else kinds[[0] * len(owners)],
    )


def spoken_record(
    spoken: Sequence[tuple[Line, np.ndarray]], language: str, speaker: str = ""
) -> Alignment:
    """Return lines and the durations (N,) of each as one utterance; texts are a line each."""
    from ttskit.artifacts.kinds import Alignment

    texts = [line.text.rstrip() for line, _ in spoken]
    counts = [len(line.words) for line, _ in spoken]
    words = np.cumsum([0, *counts[:-1]])
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    owners = [
        np.where(line.token_word < 0, -1, line.token_word + first)
        for (line, _), first in zip(spoken, words, strict=True)
    ]
    spans = [
        np.minimum(line.spans, len(text)) + start
        for (line, _), text, start in zip(spoken, texts, starts, strict=True)
    ]
    tokens = np.concatenate([line.tokens for line, _ in spoken])
    return Alignment(
        id="say",
        speaker=speaker,
        text="\n".join(texts).replace("\0", " "),
        language=language,
        tokens=tokens,
        token_word=np.concatenate(owners),
        words=np.array([word for line, _ in spoken for word in line.words], dtype=object),
        spans=np.concatenate(spans),
        durations=np.concatenate([lasting for _, lasting in spoken]),
        token_score=np.full(len(tokens), np.nan),
        score=np.array(np.nan),
    )


def account(timeline: Timeline, spoken: Sequence[tuple[Line, np.ndarray]]) -> list[dict[str, Any]]:
    """Return when each word of each sentence is said."""
    sentence_of = [line.sentence for line, _ in spoken for _ in line.words]
    timed = {word.number: word for word in timeline.words}
    if missing := [n for n in range(len(sentence_of)) if n not in timed]:
        raise TtskitError(f"the word {timeline.record.words[missing[0]]!r} has no frames")
    return [
        {
            "sentence": sentence_of[number],
            "word": word.label,
            "start": round(word.start, 6),
            "stop": round(word.stop, 6),
        }
        for number, word in timed.items()
    ]
