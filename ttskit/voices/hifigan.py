"""Public checkpoints of HiFi-GAN (Kong et al., 2020) as models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ttskit.errors import SettingError
from ttskit.models.hifigan import Hifigan
from ttskit.networks.facts import Facts
from ttskit.networks.upsampler import UpsamplerConfig


def from_checkpoint(weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> Hifigan:
    """Return the model of a public checkpoint: its weights by name, and its config.json."""
    try:
        settings, facts = _settings(config), _facts(config)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(f"config of HiFi-GAN: missing or not as published: {error}") from error
    model = Hifigan(settings, facts)
    blocks = len(settings.block_kernels)
    renamed = {_renamed(name, blocks): value for name, value in weights.items()}
    _check(renamed, model.generator.state_dict())
    model.generator.load_state_dict(renamed)
    return model


def _check(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse weights whose names or shapes are not those that are wanted."""
    missing, unexpected = wanted.keys() - weights.keys(), weights.keys() - wanted.keys()
    for names, problem in ((missing, "missing"), (unexpected, "unexpected")):
        if names:
            raise SettingError(
                f"weights of HiFi-GAN: {len(names)} {problem}, such as {min(names)}; "
                "does the config belong to them?"
            )
    for name, value in weights.items():
        if value.shape != wanted[name].shape:
            raise SettingError(
                f"weights of HiFi-GAN: {name} is {tuple(value.shape)}, but the config makes it "
                f"{tuple(wanted[name].shape)}"
            )


def _settings(config: Mapping[str, Any]) -> UpsamplerConfig:
    return UpsamplerConfig(
        channels=int(config["upsample_initial_channel"]),
        rates=tuple(map(int, config["upsample_rates"])),
        kernels=tuple(map(int, config["upsample_kernel_sizes"])),
        block_kernels=tuple(map(int, config["resblock_kernel_sizes"])),
        dilations=tuple(int(one) for each in config["resblock_dilation_sizes"] for one in each),
        double=str(config["resblock"]) == "1",
    )


def _facts(config: Mapping[str, Any]) -> Facts:
    window = config.get("win_size", config["n_fft"])
    if window != config["n_fft"]:
        raise ValueError(f"win_size is {window}, needs n_fft, {config['n_fft']}")
    return Facts(
        sample_rate=int(config["sampling_rate"]),
        hop_length=int(config["hop_size"]),
        n_fft=int(config["n_fft"]),
        n_mels=int(config["num_mels"]),
        fmin=float(config["fmin"]),
        fmax=float(config["fmax"]),
    )


def _renamed(name: str, blocks: int) -> str:
    """Return our name of a published weight: resblocks.4 is steps.1.blocks.1 if a step has 3."""
    for theirs, ours in (
        (r"^conv_pre\.", "first."),
        (r"^conv_post\.", "last."),
        (r"^ups\.(\d+)", r"steps.\1.up"),
        (r"weight_g$", "parametrizations.weight.original0"),
        (r"weight_v$", "parametrizations.weight.original1"),
        (r"convs1?\.(\d+)", r"changes.\1.1"),
        (r"convs2\.(\d+)", r"changes.\1.3"),
    ):
        name = re.sub(theirs, ours, name)
    return re.sub(
        r"^resblocks\.(\d+)",
        lambda match: "steps.{}.blocks.{}".format(*divmod(int(match[1]), blocks)),
        name,
    )
