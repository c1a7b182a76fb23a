"""How the models of a chain are to speak, as the options of `decode` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ttskit.models import find
from ttskit.speaking.acoustics import Manner, check_style, mixture, numbers
from ttskit.speaking.choices import sampled
from ttskit.speaking.clips import mel_of_file
from ttskit.speaking.knobs import check, check_known
from ttskit.voices.voice import last_reader

if TYPE_CHECKING:
    from ttskit.voices.model import Model


class Steering(NamedTuple):
    """What the models are steered by; None is their own."""

    noise_scale: float | None
    steps: int | None
    guidance: float | None
    preset: str
    others: Mapping[str, float]  # without an option of their own

    @property
    def knobs(self) -> dict[str, float]:
        """The numbers that are given."""
        numbers = {name: getattr(self, name) for name in ("noise_scale", "steps", "guidance")}
        return {name: value for name, value in numbers.items() if value is not None} | {
            **self.others
        }


def manner_of(
    models: Sequence[Model],
    speaker: str,
    length: float,
    steering: Steering,
    style: Path | None,
    sampler: str | None,
) -> Manner:
    """Return how to speak, as the models can."""
    if speaker:
        mixture(speaker, numbers(reader_of(models)))
    names, families = ", ".join(model.name for model in models), [find(m.family) for m in models]
    for name, value in steering.others.items():
        check(name, value)
    check_known(names, families, steering.knobs, steering.preset)
    recorded = None
    if style is not None:
        check_style(models)
        recorded = mel_of_file(style, models[-1].facts)
    return Manner(
        length_scale=length,
        speaker=speaker,
        knobs={**steering.knobs, **sampled(sampler)},
        preset=steering.preset,
        style=recorded,
    )


def reader_of(models: Sequence[Model]) -> Model:
    """Return the last model that reads tokens, or the only one, which reads codes."""
    return models[0] if reads_codes(models) else last_reader(models)


def reads_codes(models: Sequence[Model]) -> bool:
    """Return whether models are a codec alone, or another one that needs no text."""
    return len(models) == 1 and models[0].takes in (("codes",), ("latents",))
