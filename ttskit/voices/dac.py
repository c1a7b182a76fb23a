"""Public checkpoints of the Descript Audio Codec (Kumar et al., 2023) as models."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ttskit.errors import SettingError
from ttskit.models.dac import Dac, DacConfig
from ttskit.networks.facts import Facts


def is_dac(content: Any) -> bool:
    """Return whether the content of a checkpoint looks like one of the codec."""
    return isinstance(content, dict) and isinstance(content.get("metadata"), dict)


def from_checkpoint(content: Mapping[str, Any]) -> Dac:
    """Return the model of a public checkpoint: its `state_dict` and the `kwargs` beside it."""
    try:
        settings = content["metadata"]["kwargs"]
        config, rate = _config(settings), int(settings["sample_rate"])
        weights = _plain({_renamed(name): value for name, value in content["state_dict"].items()})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingError(f"checkpoint of DAC: missing or not as published: {error}") from error
    hop = math.prod(config.strides)
    model = Dac(config, Facts(sample_rate=rate, hop_length=hop, fmax=min(8000.0, rate / 2)))
    wanted = model.state_dict()
    for names, problem in (
        (wanted.keys() - weights.keys(), "missing"),
        (weights.keys() - wanted.keys(), "unexpected"),
        ({name for name in wanted if name in weights and wanted[name].shape != weights[name].shape},
         "of another shape than its kwargs say"),
    ):  # fmt: skip
        if names:
            raise SettingError(
                f"weights of DAC: {len(names)} {problem}, such as {min(names)}; needs a codec "
                "without attention, as published in 2023"
            )
    model.load_state_dict(weights)
    return model


def _config(settings: Mapping[str, Any]) -> DacConfig:
    config = DacConfig(
        channels=int(settings["encoder_dim"]),
        strides=tuple(map(int, settings["encoder_rates"])),
        decoder_channels=int(settings["decoder_dim"]),
        rates=tuple(map(int, settings["decoder_rates"])),
        books=int(settings["n_codebooks"]),
        size=int(settings["codebook_size"]),
        dimension=int(settings["codebook_dim"]),
    )
    if math.prod(config.strides) != math.prod(config.rates) or not config.strides:
        raise ValueError(f"rates of {config.strides} and {config.rates} differ in their product")
    return config


def _renamed(name: str) -> str:
    """Return our name of a published weight: only ours leave out what holds a list of layers."""
    name = re.sub(r"\b(block|model)\.", "", name)
    return re.sub(r"^quantizer\.quantizers\.", "quantiser.", name)


def _plain(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with their norm multiplied in (Salimans and Kingma, 2016)."""
    plain = {}
    for name, value in weights.items():
        if name.endswith(".weight_v"):
            norm = value.flatten(1).norm(dim=1).view(-1, *[1] * (value.dim() - 1))
            scale = weights[name.removesuffix("v") + "g"] / norm
            plain[name.removesuffix("_v")] = value * scale
        elif not name.endswith(".weight_g"):
            plain[name] = value
    return plain
