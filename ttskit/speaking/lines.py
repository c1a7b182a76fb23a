"""Lines: texts cut into what is spoken in one go, and lines that were spoken as one record.

N tokens of a line, W words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit import progress
from ttskit.errors import TextError, TtskitError, at
from ttskit.formats.timeline import Interval, Timeline
from ttskit.text.sentences import sentences
from ttskit.text.spelling import Drop, Speller, Spelling, spelt
from ttskit.text.ssml import Cue, Passage, Prosody
from ttskit.text.symbols import BOUNDARY, PAD, PUNCTUATION

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Tokens

MOST = 200  # tokens of a line: some 15 s, as long as the utterances that models are trained on
PARAGRAPH = 3  # times the pause between sentences, between paragraphs


@dataclass(frozen=True)
class Line:
    """What is spoken in one go: a sentence, or a part of one that is too long."""

    number: int  # from 0
    sentence: int  # that it belongs to, from 1
    text: str
    tokens: np.ndarray  # (N,) the pause before it, then symbols by their numbers
    token_word: np.ndarray  # (N,)
    words: tuple[str, ...]
    spans: np.ndarray  # (W, 2) characters of text
    pause: float  # seconds before it
    prosody: np.ndarray  # (N, 4) times as fast, semitones, dB, semitones where they can be
    cue: Cue | None = None  # that it begins
    marks: tuple[tuple[int, str], ...] = ()  # the word before which each stands, and its name
    voice: str = ""  # by the name that the text has for it
    recording: Path | None = None  # what is played; then there are no words

    @property
    def sounds(self) -> bool:
        """Whether there is more to it than a pause."""
        return bool(self.words) or self.recording is not None


@dataclass(frozen=True)
class SentencePart:
    """A sentence, or a part of one: tokens, and the text that they are from."""

    text: str = ""
    start: int = 0  # characters of the sentence before it
    tokens: Sequence[str] = ()
    token_word: Sequence[int] = ()
    words: Sequence[str] = ()
    spans: Sequence[tuple[int, int]] = ()


def to_lines(
    passages: Iterable[Passage],
    speller: Speller,
    others: Mapping[str, Speller] | None = None,
    *,
    phonemes: bool = False,
    pause: float = 0.25,
) -> Iterator[Line]:
    """Yield the lines of each passage before the next one is asked for.

    Parameters
    ----------
    passages : an empty one begins a paragraph
    speller : Speller
    others : mapping, optional
        Spellers of the other voices that passages name.
    phonemes : bool
        Whether the texts are phonemes.
    pause : float
        Seconds between sentences.

    A passage without words is noted; TextError if there is no other.
    """
    spellers = {"": speller, **(others or {})}
    script, wordless = _Script(_numbers(speller.table), pause), ""
    for passage in passages:
        if wordless:  # a passage follows that may have words
            progress.note(wordless)
        before, wordless = script.sentences, ""
        yield from script.lines_of(passage, spellers[passage.voice], phonemes)
        if script.sentences > before or passage.audio is not None:
            continue
        if passage.text.strip():
            wordless = f"{passage.place}: has no word to speak: {passage.text.strip():.60}"
        if wordless and script.sounds:
            progress.note(wordless)
            wordless = ""
        if passage.gap:
            yield script.line(SentencePart())
    if wordless:
        raise TextError(wordless)


def whole_line(record: Tokens, table: Sequence[str]) -> Line:
    """Return an utterance of Tokens as one line."""
    part = SentencePart(
        text=record.text,
        tokens=[table[token] for token in record.tokens],
        token_word=record.token_word.tolist(),
        words=list(record.words),
        spans=[(int(start), int(stop)) for start, stop in record.spans],
    )
    return _Script(_numbers(table), 0.0, sentences=1).line(part)


@dataclass
class _Script:
    """The lines so far: how many, and the pause that is due before the next one."""

    numbers: Mapping[str, int]  # of symbols
    between: float  # seconds between sentences
    lines: int = 0
    sentences: int = 0
    sounds: bool = False  # whether there is a sentence or a recording yet
    paragraph: bool = False  # whether one has begun since the last sentence
    pause: float = 0.0  # seconds before the next line
    cue: Cue | None = None  # that the next line begins
    passage: Passage = field(default_factory=lambda: Passage(""))  # the one at hand
    marks: list[tuple[int, str]] = field(default_factory=list)  # of the passage, still to come

    def begin(self, passage: Passage, table: Sequence[str]) -> None:
        """Set the pause before a passage, whose voice has a table of symbols."""
        self.passage, self.numbers = passage, _numbers(table)
        empty = not passage.text.strip() and passage.audio is None
        self.paragraph = self.paragraph or passage.paragraph or empty
        usual = self.between * (PARAGRAPH if self.paragraph else 1) if self.lines else 0.0
        self.pause = usual if passage.gap is None else passage.gap
        self.cue = passage.cue
        self.marks = [*((0, name) for _, name in self.marks), *passage.marks]

    def lines_of(self, passage: Passage, speller: Speller, phonemes: bool) -> Iterator[Line]:
        """Yield the lines of a passage: its sentences, or its recording."""
        self.begin(passage, speller.table)
        if passage.audio is not None:
            yield self._recording()
            return
        spell = partial(spelt, table=speller.table) if phonemes else speller.spell
        cut = _whole if phonemes else partial(_sentences, language=speller.language)
        for start, text, spelling in _spelt(passage, cut, spell):
            yield from self.sentence(passage, start, text, spelling)

    def _recording(self) -> Line:
        self.sounds, self.paragraph = True, False
        line = self.line(SentencePart(tokens=(PAD,), token_word=(-1,)))
        self.pause = self.between
        return line

    def sentence(
        self, passage: Passage, start: int, text: str, spelling: Spelling
    ) -> Iterator[Line]:
        """Yield the lines of a sentence that begins at `start` of a passage."""
        self.sentences, self.sounds, self.paragraph = self.sentences + 1, True, False
        for part in _parts(text, spelling):
            last = part.start + len(part.text) >= len(text)
            yield self.line(part, passage.runs, start, len(text.rstrip()) if last else -1)
        self.pause = self.between

    def line(
        self,
        part: SentencePart,
        runs: Sequence[tuple[int, Prosody]] = (),
        offset: int = 0,
        length: int = -1,
    ) -> Line:
        """Return a part as the next line; its sentence begins at `offset` of the text of `runs`.

        The last part of a sentence of some `length` has the marks at its end, too.
        """
        token_word = np.array([-1, *part.token_word])
        line = Line(
            number=self.lines,
            sentence=self.sentences,
            text=part.text,
            tokens=np.array([self.numbers[symbol] for symbol in (PAD, *part.tokens)]),
            token_word=token_word,
            words=tuple(part.words),
            spans=np.array(part.spans, int).reshape(-1, 2),
            pause=self.pause,
            prosody=_prosody(part, token_word, runs, offset),
            cue=self.cue,
            marks=self._marked(part, offset, length),
            voice=self.passage.voice,
            recording=self.passage.audio,
        )
        self.lines, self.pause, self.cue = self.lines + 1, 0.0, None
        return line

    def _marked(self, part: SentencePart, offset: int, length: int) -> tuple[tuple[int, str], ...]:
        """Return the marks of a part, each with the word that follows it; they come no more."""
        starts = [offset + part.start + start for start, _ in part.spans]
        end = max([*starts, offset + length])
        own = [(place, name) for place, name in self.marks if starts and place <= end]
        self.marks = self.marks[len(own) :]
        return tuple((bisect_left(starts, place), name) for place, name in own)


def _numbers(table: Sequence[str]) -> dict[str, int]:
    return {symbol: number for number, symbol in enumerate(table)}


def _whole(text: str) -> Iterator[tuple[int, str]]:
    yield 0, text


def _sentences(text: str, language: str) -> Iterator[tuple[int, str]]:
    """Yield each sentence of a text and where it starts."""
    start = 0
    for sentence in sentences(text, language):
        yield start, sentence
        start += len(sentence)


def _spelt(
    passage: Passage,
    cut: Callable[[str], Iterator[tuple[int, str]]],
    spell: Callable[[str], Spelling],
) -> Iterator[tuple[int, str, Spelling]]:
    """Yield the sentences of a passage that have words: start, text, spelling."""
    drops, spoken = list[Drop](), False
    for start, text in cut(passage.text):
        with at(passage.place):
            spelling = spell(text)
        if spelling.words:
            _note(passage.place, spelling.drops)
            yield start, text, spelling
            spoken = True
        else:
            drops += spelling.drops
    if spoken:
        _note(passage.place, drops)


def _note(place: str, drops: Sequence[Drop]) -> None:
    """Note which characters are not spoken."""
    dropped = [f"{drop.character} (U+{ord(drop.character):04X})" for drop in drops]
    more = f" and {len(dropped) - 5} more" if dropped[5:] else ""
    if dropped:
        progress.note(f"{place}: not spoken: {', '.join(dropped[:5])}{more}")


def _parts(text: str, spelling: Spelling) -> Iterator[SentencePart]:
    """Cut a sentence that has more than `MOST` tokens, best at punctuation."""
    (first, *inner, last), owners = spelling.tokens, spelling.token_word[1:-1]
    start = text_start = 0
    while start < len(inner):
        stop = _stop(inner, start)
        tokens, owned = inner[start:stop], owners[start:stop]
        words = list(dict.fromkeys(owner for owner in owned if owner >= 0))
        start = stop + (inner[stop : stop + 1] == [BOUNDARY])
        following = next((owner for owner in owners[start:] if owner >= 0), -1)
        # a word that is longer than a part has its text in the first of its parts
        text_stop = len(text) if following < 0 else spelling.spans[following][following in words]
        if words:
            yield SentencePart(
                text=text[text_start:text_stop],
                start=text_start,
                tokens=(first, *tokens, last),
                token_word=(-1, *(words.index(o) if o >= 0 else -1 for o in owned), -1),
                words=[spelling.words[word] for word in words],
                spans=[_shifted(spelling.spans[word], text_start) for word in words],
            )
            text_start = text_stop


def _shifted(span: tuple[int, int], start: int) -> tuple[int, int]:
    return max(0, span[0] - start), max(0, span[1] - start)


def _stop(tokens: list[str], start: int) -> int:
    """Return the end of the part that begins at `start`."""
    most = start + MOST
    if len(tokens) <= most:
        return len(tokens)
    between = [place for place in range(start + 1, most + 1) if tokens[place] == BOUNDARY]
    marked = [place for place in between if tokens[place - 1] in PUNCTUATION]
    if marked and marked[-1] - start > MOST // 2:
        return marked[-1]
    return between[-1] if between else most


def _prosody(
    part: SentencePart, token_word: np.ndarray, runs: Sequence[tuple[int, Prosody]], offset: int
) -> np.ndarray:
    """Return the prosody of each token, (N, 5); of no word, that of the word before it."""
    settings = np.array([astuple(p) for p in (Prosody(), *(p for _, p in runs))], float)
    if not part.words:
        return settings[[0] * len(token_word)]
    starts = np.array([start for start, _ in part.spans]) + part.start + offset
    of_word = settings[np.searchsorted([place for place, _ in runs], starts, "right")]
    return of_word[np.maximum.accumulate(token_word).clip(0)]


def spoken_record(
    spoken: Sequence[tuple[Line, np.ndarray]], language: str, speaker: str = ""
) -> Alignment:
    """Return lines and the durations (N,) of each as one utterance, a line of text each."""
    from ttskit.artifacts.kinds import Alignment

    lines = [line for line, _ in spoken]
    texts = [line.text.rstrip() for line in lines]
    first_words = np.cumsum([0, *(len(line.words) for line in lines[:-1])])
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    token_word = [
        np.where(line.token_word < 0, -1, line.token_word + first)
        for line, first in zip(lines, first_words, strict=True)
    ]
    spans = [
        np.minimum(line.spans, len(text)) + start
        for line, text, start in zip(lines, texts, starts, strict=True)
    ]
    tokens = np.concatenate([line.tokens for line in lines])
    return Alignment(
        id="say",
        speaker=speaker,
        text="\n".join(texts).replace("\0", " "),
        language=language,
        tokens=tokens,
        token_word=np.concatenate(token_word),
        words=np.array([word for line in lines for word in line.words], dtype=object),
        spans=np.concatenate(spans),
        durations=np.concatenate([durations for _, durations in spoken]),
        token_score=np.full(len(tokens), np.nan),
        score=np.array(np.nan),
    )


def account(timeline: Timeline, spoken: Sequence[tuple[Line, np.ndarray]]) -> list[dict[str, Any]]:
    """Return the times of each word, with the number of its sentence."""
    sentence_of = [line.sentence for line, _ in spoken for _ in line.words]
    timed = {word.number: word for word in timeline.words}
    if missing := [number for number in range(len(sentence_of)) if number not in timed]:
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


def with_marks(timeline: Timeline, spoken: Sequence[tuple[Line, np.ndarray]]) -> Timeline:
    """Return a timeline with the marks of its lines: where the next word of the line begins.

    A mark behind the last word of a line stands at the end of that.
    """
    timed = {word.number: word for word in timeline.words}
    marks, first = list[Interval](), 0
    for line, _ in spoken:
        for place, name in line.marks:
            word = timed[first + min(place, len(line.words) - 1)]
            time = word.start if place < len(line.words) else word.stop
            marks.append(Interval(time, time, name, len(marks)))
        first += len(line.words)
    return replace(timeline, marks=tuple(marks))
