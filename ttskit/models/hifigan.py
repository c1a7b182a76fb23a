"""HiFi-GAN (Kong et al., 2020), and its public checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from ttskit.errors import SettingError
from ttskit.models.vocoder import Convolutional
from ttskit.networks.facts import Facts
from ttskit.networks.upsampler import Shape, Upsampler

# As published, but for smaller critics.
TRAINING = {
    "adversary.from_progress": 0.0,
    "spectral.stft": 0.0,
    "training.batch": 16,
    "training.segment": 32,
    "training.learning_rate": 2e-4,
    "training.beta1": 0.8,
    "training.beta2": 0.99,
    "training.schedule": "exponential",
}


class Hifigan(Convolutional):
    """Upsampling with leaky rectifiers."""

    Config = Shape

    presets: ClassVar = {
        "v1": TRAINING,
        "v2": TRAINING | {"channels": 128},
        "v3": TRAINING
        | {
            "channels": 256,
            "rates": [8, 8, 4],
            "kernels": [16, 16, 8],
            "block_kernels": [3, 5, 7],
            "dilations": [1, 2, 2, 6, 3, 12],
            "double": False,
        },
    }

    def __init__(self, config: Shape, facts: Facts) -> None:
        steep, flat = nn.LeakyReLU(0.1), nn.LeakyReLU(0.01)
        upsampler = Upsampler(config, facts, lambda _: steep, steep, lambda _: flat)
        super().__init__(config, facts, upsampler, config.reach())


def imported(weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> Hifigan:
    """Make a model of a public checkpoint: its weights by name, and what its config.json says."""
    try:
        settings, facts = _settings(config), _facts(config)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(f"config of HiFi-GAN: missing or not as published: {error}") from error
    model = Hifigan(settings, facts)
    own = model.generator.state_dict()
    blocks = len(settings.block_kernels)
    given = {_renamed(name, blocks): value for name, value in weights.items()}
    for names, problem in ((own.keys() - given, "missing"), (given.keys() - own, "unexpected")):
        if names:
            raise SettingError(
                f"weights of HiFi-GAN: {len(names)} {problem}, such as {min(names)}; "
                "does the config belong to them?"
            )
    for name, value in given.items():
        if value.shape != own[name].shape:
            raise SettingError(
                f"weights of HiFi-GAN: {name} is {tuple(value.shape)}, but the config makes it "
                f"{tuple(own[name].shape)}"
            )
    model.generator.load_state_dict(given)
    return model


def _settings(config: Mapping[str, Any]) -> Shape:
    return Shape(
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
    """Say a published name in ours: resblocks.4 is block 1 of step 1 where a step has 3."""
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
        lambda found: "steps.{}.blocks.{}".format(*divmod(int(found[1]), blocks)),
        name,
    )
