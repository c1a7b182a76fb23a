"""What a training did, from the rows of its log: best update, trend, over-fitting, time, advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ttskit.errors import TtskitError

Rows = Sequence[Mapping[str, Any]]
LATE = 1 / 3  # share of the training that a trend is taken over, at its end
RECENT = 50  # updates whose means are given
FLAT = 0.01  # relative fall of the loss over the late part that is none
WORSE = 0.02  # relative rise above the best validation loss that is over-fitting
WAITING = 0.15  # share of the time waiting for data that is worth mending
CLIPPED = 0.5  # share of the updates with a clipped gradient that is too many
LARGE = 0.9  # share of the loss of one component that is worth a remark


@dataclass(frozen=True)
class Analysis:
    """What a training did."""

    updates: int
    seconds: float
    judged: str  # the loss that is judged: validation or training
    best_update: int
    best_loss: float
    last_loss: float
    trend: float  # relative change of the loss over the late part; negative is better
    plateau: bool
    overfitting: float  # relative rise of the validation loss above its best
    fall: float  # relative change of the training loss since the best update
    components: Mapping[str, float]  # share of each term in the size of the loss
    accuracy: Mapping[str, float]  # last ones
    time: Mapping[str, float]  # share of a step by what it is spent on
    step_seconds: float
    memory_mb: float
    gradient: float  # median of the recent ones
    clipped: float  # share of the updates whose gradient was clipped
    advice: Sequence[str]


def analysed(rows: Rows, clip_norm: float = 0.0, name: str = "the log") -> Analysis:
    """Return what the rows of a log say; errors call the log `name`.

    Parameters
    ----------
    rows : of updates and of validations, in order
    clip_norm : the limit of the gradient's norm in this training; 0 for none
    """
    updates = [row for row in rows if "step_seconds" in row]
    held = [row for row in rows if "held_out/loss" in row]
    if not updates:
        raise TtskitError(f"{name}: has no update, needs the log of a training")
    training = column(updates, "loss")
    steps, losses = column(held, "held_out/loss") if held else smoothed(*training)
    best = int(np.argmin(losses))
    recent = updates[-RECENT:]
    gradients = column(updates, "gradient")[1]
    facts: dict[str, Any] = {
        "updates": int(updates[-1]["step"]),
        "seconds": float(updates[-1].get("seconds", 0.0)),
        "judged": "validation" if held else "training",
        "best_update": int(steps[best]),
        "best_loss": float(losses[best]),
        "last_loss": float(losses[-1]),
        "trend": trend(steps, losses),
        "overfitting": _rise(losses) if held else 0.0,
        "fall": _since(*training, float(steps[best])),
        "components": components(recent),
        "accuracy": _accuracies(rows),
        "time": times(recent),
        "step_seconds": mean(recent, "step_seconds"),
        "memory_mb": max(float(row.get("memory_mb", 0.0)) for row in updates),
        "gradient": float(np.median(gradients[-RECENT:])) if len(gradients) else 0.0,
        "clipped": float((gradients > clip_norm).mean()) if clip_norm and len(gradients) else 0.0,
    }
    facts["plateau"] = abs(facts["trend"]) < FLAT and len(losses) > 3
    return Analysis(**facts, advice=advice(facts))


def column(rows: Rows, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and the values of a column, of the rows that have it."""
    having = [(row["step"], row[name]) for row in rows if name in row]
    steps, values = np.array(having, float).reshape(-1, 2).T
    return steps, values


def smoothed(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return moving averages over `RECENT` values, with the step at the end of each."""
    width = min(RECENT, len(values))
    means = np.convolve(values, np.ones(width) / width, "valid")
    return steps[width - 1 :], means


def trend(steps: np.ndarray, values: np.ndarray) -> float:
    """Return by what share of itself a loss changes over the late part of a training.

    It is the slope of a line through the late values, times their span, beside their mean.
    """
    late = steps >= steps[-1] - LATE * (steps[-1] - steps[0])
    if late.sum() < 2:
        return 0.0
    slope = np.polyfit(steps[late], values[late], 1)[0]
    span = steps[late][-1] - steps[late][0]
    return float(slope * span / max(abs(values[late].mean()), 1e-12))


def components(rows: Rows) -> dict[str, float]:
    """Return the share of each term of the loss in the sum of their sizes, the largest first."""
    names = dict.fromkeys(key for row in rows for key in row if key.startswith("loss/"))
    sizes = {name.removeprefix("loss/"): abs(mean(rows, name)) for name in names}
    total = sum(sizes.values()) or 1.0
    ordered = sorted(sizes.items(), key=lambda one: -one[1])
    return {name: size / total for name, size in ordered}


def times(rows: Rows) -> dict[str, float]:
    """Return the share of a step by what it is spent on."""
    whole = mean(rows, "step_seconds") or 1.0
    data, backward = (mean(rows, f"{name}_seconds") for name in ("data", "backward"))
    rest = max(0.0, whole - data - backward)
    spent = {"data": data, "backward pass": backward, "forward pass and optimizer": rest}
    return {name: seconds / whole for name, seconds in spent.items()}


def mean(rows: Rows, name: str) -> float:
    """Return the mean of a column; where it is missing it counts as 0."""
    return float(np.mean([row.get(name, 0.0) for row in rows]))


def advice(facts: Mapping[str, Any]) -> list[str]:
    """Return what to change, in the order of importance."""
    texts = []
    if facts["overfitting"] > WORSE and facts["fall"] < 0:
        texts.append(
            f"over-fitting: the validation loss has risen by {facts['overfitting']:.1%} since "
            f"update {facts['best_update']}, while the training loss fell: stop there "
            "(training.patience), use more data, more dropout or fewer weights"
        )
    elif facts["plateau"]:
        texts.append(
            f"plateau: the {facts['judged']} loss changes by less than {FLAT:.0%} over the last "
            "third: more updates will hardly help; lower training.learning_rate, or enlarge the "
            "model"
        )
    elif abs(facts["trend"]) < FLAT:
        texts.append("too short to see a trend: train for longer")
    elif facts["trend"] < 0:
        texts.append(
            f"still improving, by {-facts['trend']:.1%} over the last third: train for longer"
        )
    else:
        texts.append(
            f"getting worse, by {facts['trend']:.1%} over the last third: lower "
            "training.learning_rate"
        )
    if facts["time"]["data"] > WAITING:
        texts.append(
            f"{facts['time']['data']:.0%} of the time is spent waiting for data: read artifacts "
            "from a faster disk, or use larger batches"
        )
    if facts["clipped"] > CLIPPED:
        texts.append(
            f"{facts['clipped']:.0%} of the gradients are clipped: raise training.clip_norm, or "
            "lower training.learning_rate"
        )
    largest = next(iter(facts["components"].items()), ("", 0.0))
    if largest[1] > LARGE and len(facts["components"]) > 1:
        texts.append(f"{largest[0]} is {largest[1]:.0%} of the loss: the others hardly count")
    return texts


def _accuracies(rows: Rows) -> dict[str, float]:
    start = "watch/accuracy/"
    last: dict[str, float] = {}
    for row in rows:
        last |= {key.removeprefix(start): row[key] for key in row if key.startswith(start)}
    return last


def _rise(losses: np.ndarray) -> float:
    """Return how far the last losses (the mean of three, from the best on) are above the best."""
    best, last = float(losses.min()), float(losses[max(losses.argmin(), len(losses) - 3) :].mean())
    return max(0.0, (last - best) / max(abs(best), 1e-12))


def _since(steps: np.ndarray, values: np.ndarray, step: float) -> float:
    """Return the relative change of a loss from around a step to the end."""
    near = values[np.argsort(np.abs(steps - step), kind="stable")[:RECENT]].mean()
    return float((values[-RECENT:].mean() - near) / max(abs(near), 1e-12))
