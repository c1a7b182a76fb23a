"""What can be set of a training: the keys of a family, and in `[training]` those of the trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, make_dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

from ttskit import settings
from ttskit.errors import SettingError
from ttskit.models import find
from ttskit.settings import key

ALMOST = 0.99999  # of what is multiplied again and again: with 1 nothing would ever change


@dataclass(frozen=True)
class Training:
    """How to train, whatever the model is."""

    batch: int = key(16, "utterances in a batch, on each process", least=1)
    accumulate: int = key(1, "batches in an update", least=1)
    segment: int = key(0, "frames cut out of every utterance; 0 for all of it", least=0)
    optimizer: str = key("adamw", "one of", choices=("adamw", "adam"))
    learning_rate: float = key(1e-3, "at its highest", least=0)
    schedule: str = key("cosine", "one of", choices=("constant", "cosine", "exponential", "noam"))
    final: float = key(0.05, "of the learning rate is left at the end; not for noam", least=0)
    half_life: float = key(
        0.0,
        "updates in which exponential halves the rate, no lower than final; 0: by the end",
        least=0,
    )
    warmup: int = key(50, "updates until the learning rate is at its highest", least=0)
    beta1: float = key(0.9, "of the optimizer", least=0, most=ALMOST)
    beta2: float = key(0.99, "of the optimizer", least=0, most=ALMOST)
    epsilon: float = key(1e-8, "of the optimizer", least=0)
    weight_decay: float = key(0.01, "of matrices; vectors are left alone", least=0)
    clip_norm: float = key(1.0, "longest gradient; 0 for any", least=0)
    clip_value: float = key(0.0, "largest entry of a gradient; 0 for any", least=0)
    ema: float = key(
        0.0, "decay of the averaged weights that are kept; 0 for none", least=0, most=ALMOST
    )
    precision: str = key("32-true", "one of", choices=("32-true", "bf16-mixed"))
    validation: float = key(
        0.03, "share of the texts held out, at most 64 utterances", least=0, most=1
    )
    validate_every: int = key(100, "updates", least=1)
    patience: int = key(0, "validations without a better one until it stops; 0: never", least=0)
    least_gain: float = key(0.0, "by which a better one must be lower", least=0)
    save_every: float = key(60.0, "seconds between checkpoints", least=0)
    snapshot_every: int = key(
        0, "updates between samples of what the model makes; 0: none", least=0
    )

    def rate(self, step: int, progress: float) -> float:
        """Return the learning rate of an update, from 0."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        if self.schedule == "noam":
            return self.learning_rate * min(rise, (max(1, self.warmup) / (step + 1)) ** 0.5)
        fall = {
            "constant": 1.0,
            "cosine": self.final + (1 - self.final) * (1 + cos(pi * min(1.0, progress))) / 2,
            "exponential": max(self.final, 0.5 ** (step / self.half_life))
            if self.half_life
            else max(self.final, 1e-9) ** min(1.0, progress),
        }[self.schedule]
        return self.learning_rate * rise * fall


def configuration(family: str) -> type[Any]:
    """Return the Config of a family with the table `training` added."""
    return make_dataclass(
        family.title(),
        [("training", Training, settings.table(Training, "how to train"))],
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
    """Return the configuration of a family: its preset, changed by a TOML file and by `--set`.

    Without a preset it is the first one.
    """
    presets = find(family, role).presets
    preset = preset or next(iter(presets))
    if preset not in presets:
        raise SettingError(f"{family} has no preset {preset!r}; there is {', '.join(presets)}")
    config = settings.changed(
        configuration(family)(), nested(presets[preset]), f"preset {preset} of {family}"
    )
    if path:
        try:
            config = settings.from_toml(config, path.read_text(encoding="utf-8"), str(path))
        except UnicodeDecodeError as error:
            raise SettingError(f"{path}: is not text in UTF-8; needs TOML") from error
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
