"""Monotonic alignment search (Kim et al., 2020, Glow-TTS, algorithm 1).

A path assigns one token to each frame, in order; the search finds the path with the highest
summed score.  From frame to frame a path stays on its token or advances to the next one; it may
jump over a run of *skippable* tokens (word boundaries, punctuation, pauses).  Every other token
gets at least one frame.  Of paths with equal scores, the one that stays longer wins.

Scores are laid out frame by frame (the token axis is contiguous).  Sums are float64, and -inf
marks tokens that cannot be reached, so scores may have any magnitude.

B utterances, T frames, N tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from ttskit.dsp import threads
from ttskit.errors import AlignmentError

_OK, _NOT_A_NUMBER, _NO_PATH = 0, 1, 2
_WORTH_THREADS = 100_000  # scores; with fewer, starting threads takes longer than the search


def search(
    scores: np.ndarray,
    tokens: np.ndarray | None = None,
    frames: np.ndarray | None = None,
    skippable: np.ndarray | None = None,
    ids: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the durations of the alignment with the highest summed score, for each utterance.

    Utterances are searched in parallel by numba's threads (`numba.set_num_threads`), but by no
    more than torch has, if it is loaded; the result does not depend on their number.

    Parameters
    ----------
    scores : (B, T, N) float
        Log-likelihood of each frame under each token; -inf forbids.  float32 and float64 keep
        their precision; C-contiguous arrays are not copied.
    tokens, frames : (B,) int, optional
        The lengths without padding; scores beyond them are not read.
    skippable : (B, N) bool, optional, tokens that may have 0 frames
    ids : B strings, optional, names in errors; by default positions in the batch

    Returns
    -------
    (B, N) int32, frames per token, summing to `frames`; 0 in the padding
    """
    double = np.asarray(scores).dtype == np.float64
    scores = np.ascontiguousarray(scores, np.float64 if double else np.float32)
    batch, most_frames, most_tokens = scores.shape
    tokens = _lengths(tokens, batch, most_tokens, "tokens")
    frames = _lengths(frames, batch, most_frames, "frames")
    skippable = _mask(skippable, batch, most_tokens)
    names = [f"utterance {b}" for b in range(batch)] if ids is None else list(ids)
    _refuse_too_short(tokens, frames, skippable, names)
    durations = np.zeros((batch, most_tokens), np.int32)
    search_all = _search if batch > 1 and scores.size > _WORTH_THREADS else _search_alone
    status: np.ndarray = search_all(scores, tokens, frames, skippable, durations)  # type: ignore[no-untyped-call]
    _explain(status, names)
    return durations


def durations(
    score: np.ndarray, skippable: np.ndarray | None = None, name: str = "utterance"
) -> np.ndarray:
    """`search` for one utterance.

    Parameters
    ----------
    score : (frame, token) float
    skippable : (token,) bool, optional
    name : str
        Name of the utterance in errors.

    Returns
    -------
    (token,) int32
    """
    mask = None if skippable is None else np.asarray(skippable)[None]
    return search(np.asarray(score)[None], skippable=mask, ids=[name])[0]


def too_short(skippable: np.ndarray, frames: int) -> str:
    """Return why tokens have no alignment to that many frames, empty if they have one.

    Parameters
    ----------
    skippable : (token,) bool
    """
    tokens, needed = len(skippable), int((~skippable).sum())
    if tokens and max(needed, 1) <= frames:
        return ""
    has = f"{tokens} tokens" if tokens else "no tokens"
    if 0 < needed < tokens:
        has += f", {needed} of which need a frame,"
    return (
        f"{has} for {frames} frames; "
        "every token needs a frame: does the text belong to the audio? (or lower hop_length)"
    )


def path(durations: np.ndarray, frames: int) -> np.ndarray:
    """Return durations (..., token) as a path (..., frame, token) bool, False after the end."""
    ends = np.cumsum(durations, axis=-1)[..., None, :]
    at = np.arange(frames)[:, None]
    return (at < ends) & (at >= ends - np.asarray(durations)[..., None, :])


def _lengths(given: np.ndarray | None, batch: int, most: int, axis: str) -> np.ndarray:
    lengths = np.full(batch, most) if given is None else np.asarray(given)
    if lengths.shape != (batch,) or (batch and not 0 <= lengths.min() <= lengths.max() <= most):
        raise ValueError(f"{axis} must be {batch} lengths of at most {most}, not {given}")
    return np.ascontiguousarray(lengths, np.int64)


def _mask(skippable: np.ndarray | None, batch: int, tokens: int) -> np.ndarray:
    mask = np.zeros((batch, tokens)) if skippable is None else np.asarray(skippable)
    if mask.shape != (batch, tokens):
        raise ValueError(f"skippable is {mask.shape}, not {(batch, tokens)}")
    return np.ascontiguousarray(mask, np.bool_)


def _refuse_too_short(
    tokens: np.ndarray, frames: np.ndarray, skippable: np.ndarray, names: list[str]
) -> None:
    real = np.arange(skippable.shape[1]) < tokens[:, None]
    needed = np.maximum((real & ~skippable).sum(axis=1), 1)
    for b in np.flatnonzero((tokens < 1) | (needed > frames)):
        reason = too_short(skippable[b, : tokens[b]], int(frames[b]))
        raise AlignmentError(f"{names[b]}: {reason}")


def _explain(status: np.ndarray, names: list[str]) -> None:
    for b in np.flatnonzero(status):
        problem = {
            _NOT_A_NUMBER: "a score is NaN or +inf; scores must be below infinity",
            _NO_PATH: "every path has a score of -inf; at least one must be finite",
        }[int(status[b])]
        raise AlignmentError(f"{names[b]}: {problem}")


@threads.shared()
@numba.njit(parallel=True, cache=True, nogil=True)
def _search(scores, tokens, frames, skippable, durations):  # type: ignore[no-untyped-def]
    status = np.zeros(len(scores), np.uint8)
    for b in numba.prange(len(scores)):
        n, t = tokens[b], frames[b]
        status[b] = _align(scores[b, :t], skippable[b, :n], durations[b, :n])
    return status


def _search_alone(scores, tokens, frames, skippable, durations):  # type: ignore[no-untyped-def]
    status = np.zeros(len(scores), np.uint8)
    for b, (n, t) in enumerate(zip(tokens, frames, strict=True)):
        status[b] = _align(scores[b, :t], skippable[b, :n], durations[b, :n])
    return status


@numba.njit(cache=True, nogil=True)
def _align(score, skippable, durations):  # type: ignore[no-untyped-def]
    """Fill `durations` of one utterance; the columns of `score` past the tokens are padding."""
    frames, tokens = len(score), len(skippable)
    optional = np.flatnonzero(skippable)
    stepped = np.empty((frames, tokens), np.uint8)  # came from an earlier token
    passed = np.empty((frames if len(optional) else 1, tokens), np.uint8)  # leaving this one out
    # Before an even frame, `even[i + 1]` is the highest sum of a path that is on token i, and
    # `even[0]` that of standing before the first token; `odd` likewise.  `reach[i]` is that of a
    # path that may step onto token i now.
    even, odd = np.full(tokens + 1, -np.inf), np.full(tokens + 1, -np.inf)
    reach = np.empty(tokens + 1)
    even[0] = 0.0
    low, high, bad = 0, 0, 0
    # What still needs a frame after token `low`, less the frames left for it.
    due = tokens - len(optional) - (not skippable[0]) - frames
    for j in range(frames):
        before = low
        due += 1
        while due > 0:  # from token `low` the end is out of reach
            low += 1
            due -= not skippable[low]
        while high < tokens:  # the tokens that can have been reached
            high += 1
            if not skippable[high - 1]:
                break
        old, new = (odd, even) if j & 1 else (even, odd)
        if len(optional):
            _pass_over(old, reach, optional, before, high, passed, j)
            bad |= _advance(score, old, reach, new, j, low, high, stepped)
        else:
            bad |= _advance(score, old, old, new, j, low, high, stepped)
        new[low] = -np.inf
    final = (odd if frames & 1 else even)[1:]
    last = _end(final, skippable, low)
    if bad:
        return _NOT_A_NUMBER
    if final[last] == -np.inf:
        return _NO_PATH
    _backtrack(stepped, passed, skippable, last, durations)
    return _OK


@numba.njit(cache=True, nogil=True)
def _end(final, skippable, low):  # type: ignore[no-untyped-def]
    """Return the token on which the best path ends: skippable ones after it may be left out."""
    last = i = len(final) - 1
    while i > low and skippable[i]:
        i -= 1
        if final[i] > final[last]:
            last = i
    return last


@numba.njit(cache=True, nogil=True)
def _pass_over(best, reach, optional, low, high, passed, j):  # type: ignore[no-untyped-def]
    """Set `reach` to the best sum of the last frame from which a path can step onto each token."""
    stay, step, left_out = best[low:high], reach[low:high], passed[j, low:high]
    for i in range(high - low):
        step[i] = stay[i]
    for k in optional:
        if low <= k < high - 1:
            i = k - low
            skip, onto = step[i], step[i + 1]
            left_out[i] = skip > onto
            step[i + 1] = skip if skip > onto else onto


@numba.njit(cache=True, nogil=True)
def _advance(score, best, reach, following, j, low, high, stepped):  # type: ignore[no-untyped-def]
    """Advance all paths by one frame, in a loop without branches that compiles to vector code.

    The slices are taken here: as arguments, their reference counting would cost as much as the
    arithmetic; without slices, every index would be tested for being negative.
    """
    here, stay, step = score[j, low:high], best[low + 1 : high + 1], reach[low:high]
    there, moved = following[low + 1 : high + 1], stepped[j, low:high]
    bad = 0
    for i in range(high - low):
        onward = step[i] > stay[i]
        moved[i] = onward
        there[i] = here[i] + (step[i] if onward else stay[i])
        bad |= not here[i] < np.inf
    return bad


@numba.njit(cache=True, nogil=True)
def _backtrack(stepped, passed, skippable, last, durations):  # type: ignore[no-untyped-def]
    i = last
    for j in range(len(stepped) - 1, -1, -1):
        durations[i] += 1
        if stepped[j, i]:
            i -= 1
            while i >= 0 and skippable[i] and passed[j, i]:
                i -= 1
