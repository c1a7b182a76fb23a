"""Settings of a training: the keys of a family and, in the table `training`, of the trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, make_dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

from ttskit import settings
from ttskit.errors import SettingError, exits
from ttskit.models import find
from ttskit.settings import COUNT, key
from ttskit.text.lines import read_lines

ALMOST = 0.99999  # limit of decays: with 1 nothing would ever change
RISE = 0.1  # the largest share of a training in which the learning rate rises


@dataclass(frozen=True)
class Training:
    """Settings of the trainer, for models of any family."""

    batch: int = key(16, "utterances in a batch, in each process", least=1)
    accumulate: int = key(
        1, "batches whose gradients are added up for one update", least=1, most=COUNT
    )
    segment: int = key(
        0,
        "train on random segments of this many frames; 0 for whole utterances",
        least=0,
        most=COUNT,
    )
    optimizer: str = key("adamw", "optimizer", choices=("adamw", "adam"))
    learning_rate: float = key(1e-3, "peak learning rate", least=0)
    schedule: str = key(
        "cosine",
        "schedule of the learning rate",
        choices=("constant", "cosine", "exponential", "noam"),
    )
    final: float = key(0.05, "share of the peak learning rate at the end; not for noam", least=0)
    half_life: float = key(
        0.0,
        "exponential: updates in which the rate halves, down to final; 0 to reach final at the end",
        least=0,
    )
    warmup: int = key(
        50,
        "updates in which the learning rate rises, but for noam at most a tenth of the training",
        least=0,
        most=COUNT,
    )
    beta1: float = key(0.9, "decay of the optimizer's mean of gradients", least=0, most=ALMOST)
    beta2: float = key(
        0.99, "decay of the optimizer's mean of squared gradients", least=0, most=ALMOST
    )
    epsilon: float = key(
        1e-8, "epsilon of the optimizer, added to the root of squared gradients", least=0
    )
    weight_decay: float = key(
        0.01,
        "weight decay of the matrices of linear layers, convolutions, embeddings and GRUs",
        least=0,
    )
    clip_norm: float = key(1.0, "clip the gradient to this norm; 0 for no limit", least=0)
    clip_value: float = key(
        0.0, "clip entries of the gradient to this absolute value; 0 for no limit", least=0
    )
    ema: float = key(
        0.0,
        "decay of the moving average of weights that is saved; 0 for no average",
        least=0,
        most=ALMOST,
    )
    precision: str = key("32-true", "numeric precision", choices=("32-true", "bf16-mixed"))
    validation: float = key(
        0.03,
        "share of the utterances held out for validation, at most 64, by text",
        least=0,
        most=1,
    )
    validate_every: int = key(100, "updates between validations", least=1, most=COUNT)
    patience: int = key(
        0,
        "stop after this many validations without improvement; 0 to never stop early",
        least=0,
        most=COUNT,
    )
    least_gain: float = key(
        0.0, "least decrease of the validation loss that counts as improvement", least=0
    )
    save_every: float = key(60.0, "seconds between checkpoints", least=0)
    snapshot_every: int = key(
        0,
        "updates between samples of the model's output, written as artifacts; 0 for none",
        least=0,
        most=COUNT,
    )
    keep_every: int = key(
        0,
        "updates between models that are kept in the run folder; 0 keeps the best alone",
        least=0,
        most=COUNT,
    )

    def rate(self, step: int, progress: float) -> float:
        """Return the learning rate of update `step` (from 0) after a share of the training."""
        risen = (step + 1) / max(1, self.warmup)
        if self.schedule == "noam":
            return self.learning_rate * min(risen, risen**-0.5)
        rise = min(1.0, max(risen, progress / RISE))
        fall = {
            "constant": 1.0,
            "cosine": self.final + (1 - self.final) * (1 + cos(pi * min(1.0, progress))) / 2,
            "exponential": max(self.final, 0.5 ** (step / self.half_life))
            if self.half_life
            else max(self.final, 1e-9) ** min(1.0, progress),
        }[self.schedule]
        return self.learning_rate * rise * fall


def configuration(family: str) -> type[Any]:
    """Return the config class of a family, extended by the table `training`."""
    return make_dataclass(
        family.title(),
        [
            (
                "training",
                Training,
                settings.table(Training, "the trainer, the same for all families"),
            )
        ],
        bases=(find(family).Config,),
        frozen=True,
        namespace={"__module__": __name__},
    )


def resolved(
    family: str,
    preset: str | None = None,
    path: Path | None = None,
    assignments: Sequence[str] = (),
    role: str | None = None,
) -> Any:
    """Return the configuration of a family: a preset, changed by a TOML file and by `--set`.

    The default preset is the first one.
    """
    with exits(2):
        presets = find(family, role).presets
        preset = preset or next(iter(presets))
        if preset not in presets:
            raise SettingError(f"{family} has no preset {preset!r}; there is {', '.join(presets)}")
    config = settings.changed(
        configuration(family)(), nested(presets[preset]), f"preset {preset} of {family}"
    )
    if path:
        toml = "\n".join(line.text for line in read_lines(path))
        config = settings.from_toml(config, toml, str(path))
    return settings.assigned(config, *assignments)


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted keys into tables."""
    tables: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        inner = tables
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = list(value) if isinstance(value, tuple) else value
    return tables
