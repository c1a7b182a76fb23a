"""VERSA: the scores of each utterance as a line of JSON, as its scripts read them.

A score has VERSA's name where VERSA reports the same quantity, else its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Scores
    from ttskit.artifacts.reader import Reader

NAMES = MappingProxyType(
    {
        "f0_correlation": "f0_corr",
        "f0_rmse": "f0_rmse_cents",  # VERSA's own f0_rmse is not in cents
        "speaker_similarity": "spk_similarity",
        "heard": "whisper_hyp_text",
    }
)


def lines(reader: Reader[Scores]) -> Iterator[str]:
    """Yield the line of each utterance; what is unknown is left out, since JSON has no NaN."""
    for id, record in reader.items():
        known = {name: value for name, value in record.numbers.items() if math.isfinite(value)}
        heard = {} if record.heard is None else {"heard": record.heard}
        named = {NAMES.get(name, name): value for name, value in (known | heard).items()}
        yield json.dumps({"key": id} | named, ensure_ascii=False)
