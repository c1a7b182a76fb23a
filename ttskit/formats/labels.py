"""Label formats: the times of words and phones, as other programs read them."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ttskit.errors import TtskitError
from ttskit.formats.timeline import Interval, Timeline

TIERS = ("phrases", "words", "phones")


def textgrid(spoken: Timeline, _: Sequence[Interval]) -> str:
    """Return a Praat TextGrid with the tiers `words` and `phones`."""
    from ttskit.formats import textgrid

    return textgrid.text({"words": spoken.words, "phones": spoken.phones}, spoken.seconds)


def ctm(spoken: Timeline, intervals: Sequence[Interval]) -> str:
    """Return a line for each interval: id, channel, start, duration, label."""
    for field in (spoken.id, *(interval.label for interval in intervals)):
        if len(field.split()) != 1:
            raise TtskitError(f"{field!r} has a space, which CTM cannot hold")
    return "".join(
        f"{spoken.id} 1 {start:.3f} {stop - start:.3f} {label}\n"
        for start, stop, label, _ in intervals
    )


def as_json(spoken: Timeline, _: Sequence[Interval]) -> str:
    """Return an utterance with its words and phones as a JSON object."""
    record, places = spoken.record, {word.number: n for n, word in enumerate(spoken.words)}
    words = [
        {**_times(word), "word": word.label, "span": record.spans[word.number].tolist()}
        for word in spoken.words
    ]
    phones = [
        {
            **_times(phone),
            "phone": phone.label,
            "word": places.get(int(record.token_word[phone.number])),
            "score": _known(record.token_score[phone.number]),
        }
        for phone in spoken.phones
    ]
    facts: dict[str, Any] = {"id": record.id, "speaker": record.speaker, "text": record.text}
    facts |= {"seconds": round(spoken.seconds, 6), "score": _known(record.score)}
    facts |= {"words": words, "phones": phones}
    if spoken.marks:
        marks = [{"mark": mark.label, "time": round(mark.start, 6)} for mark in spoken.marks]
        facts["marks"] = marks
    return json.dumps(facts, ensure_ascii=False) + "\n"


def srt(_: Timeline, intervals: Sequence[Interval]) -> str:
    """Return subtitles as SubRip has them."""
    cues = enumerate(intervals, 1)
    return "\n".join(f"{number}\n{_cue(cue, ',')}\n{cue.label}\n" for number, cue in cues)


def vtt(_: Timeline, intervals: Sequence[Interval]) -> str:
    """Return subtitles as WebVTT has them, where < and & are markup."""
    cues = [f"{_cue(cue, '.')}\n{html.escape(cue.label, quote=False)}\n" for cue in intervals]
    return "\n".join(["WEBVTT\n", *cues])


def audacity(_: Timeline, intervals: Sequence[Interval]) -> str:
    """Return Audacity's labels: start, stop, label, by tabs."""
    return "".join(f"{start:.6f}\t{stop:.6f}\t{label}\n" for start, stop, label, _ in intervals)


def _times(interval: Interval) -> dict[str, float]:
    return {"start": round(interval.start, 6), "stop": round(interval.stop, 6)}


def _known(score: Any) -> float | None:
    return round(float(score), 4) if math.isfinite(score) else None


def _cue(cue: Interval, point: str) -> str:
    return f"{_clock(cue.start, point)} --> {_clock(cue.stop, point)}"


def _clock(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"


@dataclass(frozen=True)
class LabelFormat:
    """A format in which the times of an utterance are written."""

    suffix: str
    write: Callable[[Timeline, Sequence[Interval]], str]
    tier: str = ""  # the default one; empty if all are written

    def text(self, spoken: Timeline, tier: str = "") -> str:
        """Return the times of an utterance: of its phrases, words or phones."""
        tier = tier or self.tier
        return self.write(spoken, getattr(spoken, tier) if tier else ())


TIMES: MappingProxyType[str, LabelFormat] = MappingProxyType(
    {
        "textgrid": LabelFormat(".TextGrid", textgrid),
        "ctm": LabelFormat(".ctm", ctm, "words"),
        "json": LabelFormat(".json", as_json),
        "srt": LabelFormat(".srt", srt, "phrases"),
        "vtt": LabelFormat(".vtt", vtt, "phrases"),
        "audacity": LabelFormat(".txt", audacity, "words"),
    }
)


def named(path: Path) -> str:
    """Return the format that the suffix of a file stands for, or ""."""
    suffix = path.suffix.lower()
    return next((name for name, one in TIMES.items() if one.suffix.lower() == suffix), "")
