"""Timelines: the words and tokens of an Alignment as intervals in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ttskit.errors import ArtifactError

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment
    from ttskit.artifacts.reader import Reader

LINE = 42  # characters of a subtitle
PAUSE = 0.25  # seconds of silence that end a phrase


class Interval(NamedTuple):
    """A labelled interval, in seconds; `number` is its index among the words or tokens."""

    start: float
    stop: float
    label: str
    number: int


@dataclass(frozen=True)
class Timeline:
    """One utterance as intervals; words and tokens without frames are left out."""

    record: Alignment
    symbols: Sequence[str]
    step: float  # seconds a frame
    marks: Sequence[Interval] = ()  # points that a text names

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def seconds(self) -> float:
        return self.edges[-1]

    @cached_property
    def edges(self) -> list[float]:
        """The start of each token, and the end of the last one, in seconds."""
        import numpy as np

        frames = np.concatenate([[0], np.cumsum(self.record.durations)])
        return (frames * self.step).tolist()

    @property
    def phones(self) -> list[Interval]:
        """The tokens, pauses and punctuation among them."""
        labels = [self.symbols[token] for token in self.record.tokens]
        intervals = map(Interval, self.edges, self.edges[1:], labels, range(len(labels)))
        return [one for one in intervals if one.stop > one.start]

    @property
    def words(self) -> list[Interval]:
        places: dict[int, tuple[int, int]] = {}  # of each word: its first token, and its last
        for token, owner in enumerate(self.record.token_word.tolist()):
            places[owner] = (places.get(owner, (token, 0))[0], token)
        words = []
        for number, word in enumerate(self.record.words):
            first, last = places.get(number, (0, -1))
            start, stop = self.edges[first], self.edges[last + 1]
            if stop > start:
                words.append(Interval(start, stop, word, number))
        return words

    @property
    def phrases(self) -> list[Interval]:
        """The text, cut at pauses and where a subtitle line is full."""
        text, spans, words = self.record.text, self.record.spans.tolist(), self.words
        groups: list[list[Interval]] = []
        for word in words:
            begins, ends = spans[word.number]
            last = groups[-1][-1] if groups else None
            apart = last is None or begins >= spans[last.number][1]  # one number is many words
            full = last is None or ends - spans[groups[-1][0].number][0] > LINE
            if apart and (full or last is None or word.start - last.stop >= PAUSE):
                groups.append([])
            groups[-1].append(word)
        cuts = [0, *(spans[group[0].number][0] for group in groups[1:]), len(text)]
        return [
            Interval(group[0].start, group[-1].stop, " ".join(text[begin:end].split()), number)
            for number, (group, begin, end) in enumerate(zip(groups, cuts, cuts[1:], strict=False))
        ]


def step(reader: Reader[Any]) -> float:
    """Return the seconds of a frame."""
    return float(reader.attributes["hop_length"]) / float(reader.attributes["sample_rate"])


def timelines(reader: Reader[Alignment]) -> Iterator[Timeline]:
    """Yield the utterances of an Alignment, in order."""
    symbols = reader.table("symbols")
    for row in range(len(reader)):
        yield Timeline(reader.record(row), symbols, step(reader))


def check(reader: Reader[Alignment]) -> None:
    """Refuse an Alignment whose symbols, words or durations are out of range."""
    import numpy as np

    tokens, counts = reader.column("tokens"), reader.lengths("token")
    words = np.repeat(reader.lengths("word"), counts)
    bad = (tokens < 0) | (tokens >= len(reader.table("symbols")))
    bad |= (reader.column("token_word") >= words) | (reader.column("durations") < 0)
    if bad.any():
        id = reader.ids[int(np.repeat(np.arange(len(counts)), counts)[bad][0])]
        raise ArtifactError(
            "is damaged: `ttskit verify` says in what", file=reader.name, utterance=id
        )
