"""Levels: the mel of a take after each of its choices, from coarse to fine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import TtskitError
from ttskit.models.ddn import Ddn
from ttskit.speaking import takes
from ttskit.speaking.acoustics import Cascade, Manner
from ttskit.voices.voice import last_reader

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Mels
    from ttskit.voices.model import Model

NEAR = 0.01  # ln: mels that other processors make of a take differ by less


def levels(
    models: Sequence[Model], record: Mels, known: Mapping[str, np.ndarray]
) -> list[tuple[int, np.ndarray]]:
    """Return the frames of a position, and the mel (position, band), after each choice.

    Parameters
    ----------
    models : the ones that made the mel
    record : a mel with its take
    known : fields of its tokens that no model is to predict
    """
    decoder = takes.taker(models)
    take, tokens, durations = record.take, record.tokens, record.durations
    if take is None or not len(take) or tokens is None or durations is None:
        raise TtskitError("has no take, so there are no choices to draw")
    takes.check(record.take_of or "", decoder, "its take")
    given = {"tokens": tokens, "durations": durations, **known}
    cascade = Cascade(models, "mel", given.keys())
    manner = Manner(speaker=last_reader(models).speaker(record.speaker))
    given["take"] = take.astype(np.int64)
    fields = cascade.run(record.id, given, manner, 0)
    if not np.allclose(fields["mel"], record.mel, atol=NEAR):
        raise TtskitError(
            "its take gives another mel with these inputs: name the duration model that it was "
            "made with, or add the Features and the Alignment"
        )
    module = next(module for model, module in cascade.steps if model is decoder)
    assert isinstance(module, Ddn)
    frames = len(record.mel)
    return [
        (scale, mel[0, : -(-frames // scale)].cpu().numpy())
        for scale, mel in module.levels(cascade.inputs(record.id, decoder, fields, manner))
    ]
