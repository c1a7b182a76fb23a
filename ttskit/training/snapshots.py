"""Snapshots: a model's output for one utterance during training, as artifacts.

They are OUT.run/KIND-STEP.h5, beside pictures of it, PICTURE-STEP.png; their provenance has the
settings of the training.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.artifacts import kinds
from ttskit.artifacts.writer import Writer
from ttskit.dsp import samples

if TYPE_CHECKING:
    from torch import Tensor

    from ttskit.networks.facts import Facts


def save(
    folder: Path,
    step: int,
    names: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Tensor]],
    facts: Facts,
    provenance: Mapping[str, Any],
) -> None:
    """Write an artifact of each kind.

    Parameters
    ----------
    names : id, speaker and text of the utterance
    outputs : kind -> column -> values
    """
    for kind in kinds.KINDS:
        if kind.kind() not in outputs:
            continue
        columns: dict[str, Any] = {
            name: value.cpu().numpy() for name, value in outputs[kind.kind()].items()
        }
        if "audio" in columns:
            columns["audio"] = samples.to_int16(samples.bent(columns["audio"]))[0]
        with Writer(
            folder / f"{kind.kind()}-{step:06}.h5",
            kind,
            provenance={**provenance, "step": step},
            attributes={name: getattr(facts, name) for name in kind.attributes},
            tables={name: getattr(facts, name) for name in kind.tables},
            restart=True,
        ) as writer:
            writer.append(kind(**{**names, **columns}))
            writer.seal([names["id"]])
