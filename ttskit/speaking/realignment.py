"""Realignment: whether all that was to be said is in the speech, and nothing else.

Shapes: N tokens, T frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import AlignmentError

if TYPE_CHECKING:
    from ttskit.voices.aligner import Neural

FLOOR = -30.0  # of the log-probability of a frame: one bad frame must not outweigh the others
DOUBTFUL = -1.0  # mean log-probability of a word's frames, above which it is there
SPAN = 20  # frames
FOREIGN = -7.0  # mean log-probability of a span, below which it is not of the text


@dataclass(frozen=True)
class Script:
    """What is to be said."""

    id: str
    speaker: str
    text: str
    tokens: np.ndarray  # (N,)
    token_word: np.ndarray  # (N,) the word of each token, -1 for none
    words: tuple[str, ...]
    length_scale: float | np.ndarray = 1.0  # above 1 is slower, perhaps token by token


@dataclass(frozen=True)
class Realigned:
    """What an aligner finds in speech."""

    durations: np.ndarray  # (N,) frames
    score: float  # mean log-probability of a frame on the best path
    fault: str = ""  # what is lost, or is not of the text


def realigned(aligner: Neural, mel: np.ndarray, script: Script) -> Realigned:
    """Align speech with its text, and look for what is lost or added.

    A word is lost if the speech is as likely without it: the best path that passes over its tokens
    has no lower sum.  Where a quarter of a second is like none of the text, there is something
    else: a loop, or babble.
    """
    from ttskit.dsp import mas

    scores = aligner.scores(mel, script).log_softmax(1).clamp_min(FLOOR).numpy()
    silent = np.array(aligner.model.facts.silent)[script.tokens]
    try:
        durations = mas.durations(scores, silent, script.id)
    except AlignmentError as error:
        return Realigned(np.zeros(len(script.tokens), int), FLOOR, str(error.message))
    frames = on_path(scores, durations)
    lost = partial(without, scores, silent, script, frames.sum())
    fault = next(filter(None, map(lost, doubtful(frames, durations, script))), "")
    return Realigned(durations, float(frames.mean()), fault or foreign(frames, durations, script))


def on_path(scores: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """Return the score of each frame (T,) under the token that it belongs to."""
    token = np.repeat(np.arange(len(durations)), durations)
    path: np.ndarray = scores[np.arange(len(token)), token]
    return path


def doubtful(frames: np.ndarray, durations: np.ndarray, script: Script) -> list[int]:
    """Return the words whose frames are not clearly theirs."""
    word = np.repeat(script.token_word, durations)
    means = [frames[word == number].mean() for number in range(len(script.words))]
    return [number for number, mean in enumerate(means) if mean < DOUBTFUL]


def without(scores: np.ndarray, silent: np.ndarray, script: Script, total: float, word: int) -> str:
    """Return that a word is lost, if a path that passes over it has at least this total."""
    from ttskit.dsp import mas

    kept = script.token_word != word
    if silent[kept].all():
        return ""
    fewer = np.ascontiguousarray(scores[:, kept])
    other = on_path(fewer, mas.durations(fewer, silent[kept], script.id)).sum()
    return f"the word {script.words[word]!r} is lost" if other >= total else ""


def foreign(frames: np.ndarray, durations: np.ndarray, script: Script) -> str:
    """Return where something else is said, near which word, if there is such a place."""
    if len(frames) < SPAN:
        return ""
    means = np.convolve(frames, np.full(SPAN, 1 / SPAN), "valid")
    if means.min() >= FOREIGN:
        return ""
    words = np.repeat(script.token_word, durations)[: int(means.argmin()) + SPAN]
    before = words[words >= 0]
    near = script.words[before[-1] if len(before) else 0]
    return f"near the word {near!r} something else is said"
