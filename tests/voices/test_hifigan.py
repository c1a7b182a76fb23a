"""Public checkpoints of HiFi-GAN as models, against the generator of the paper."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from ttskit.errors import SettingError
from ttskit.models.hifigan import Hifigan
from ttskit.voices.hifigan import from_checkpoint

CONFIG: dict[str, Any] = {
    "resblock": "1",
    "upsample_rates": [4, 2],
    "upsample_kernel_sizes": [8, 4],
    "upsample_initial_channel": 8,
    "resblock_kernel_sizes": [3, 5],
    "resblock_dilation_sizes": [[1, 3], [1, 2]],
    "sampling_rate": 8000,
    "n_fft": 32,
    "hop_size": 8,
    "num_mels": 5,
    "fmin": 0,
    "fmax": 4000,
}


def checkpoint(config):
    """Random weights under the published names."""
    random = torch.Generator().manual_seed(0)
    weights = {}

    def conv(name, first, second, kernel, bias):
        weights[f"{name}.weight_g"] = torch.rand(first, 1, 1, generator=random) + 0.5
        weights[f"{name}.weight_v"] = torch.randn(first, second, kernel, generator=random)
        weights[f"{name}.bias"] = torch.randn(bias, generator=random)

    channels, index = config["upsample_initial_channel"], 0
    conv("conv_pre", channels, config["num_mels"], 7, channels)
    for step, kernel in enumerate(config["upsample_kernel_sizes"]):
        conv(f"ups.{step}", channels, channels // 2, kernel, channels // 2)
        channels //= 2
        for width, dilations in zip(
            config["resblock_kernel_sizes"], config["resblock_dilation_sizes"], strict=True
        ):
            for layer in range(len(dilations)):
                for kind in ("convs1", "convs2") if config["resblock"] == "1" else ("convs",):
                    conv(f"resblocks.{index}.{kind}.{layer}", channels, channels, width, channels)
            index += 1
    conv("conv_post", 1, channels, 7, 1)
    return weights


def reference(weights, config, x):
    """The generator of the paper, written out for (B, M, T)."""

    def of(name):
        direction = weights[f"{name}.weight_v"]
        size = direction.square().sum((1, 2), keepdim=True).sqrt()
        return weights[f"{name}.weight_g"] * direction / size, weights[f"{name}.bias"]

    def conv(name, x, dilation=1):
        weight, bias = of(name)
        return F.conv1d(x, weight, bias, 1, weight.shape[2] // 2 * dilation, dilation)

    x, count = conv("conv_pre", x), len(config["resblock_kernel_sizes"])
    sizes = zip(config["upsample_rates"], config["upsample_kernel_sizes"], strict=True)
    for step, (rate, kernel) in enumerate(sizes):
        weight, bias = of(f"ups.{step}")
        x = F.conv_transpose1d(F.leaky_relu(x, 0.1), weight, bias, rate, (kernel - rate) // 2)
        total = 0
        for block, dilations in enumerate(config["resblock_dilation_sizes"]):
            name, y = f"resblocks.{step * count + block}", x
            for layer, dilation in enumerate(dilations):
                if config["resblock"] == "1":
                    inner = conv(f"{name}.convs1.{layer}", F.leaky_relu(y, 0.1), dilation)
                    y = y + conv(f"{name}.convs2.{layer}", F.leaky_relu(inner, 0.1))
                else:
                    y = y + conv(f"{name}.convs.{layer}", F.leaky_relu(y, 0.1), dilation)
            total = total + y
        x = total / count
    return torch.tanh(conv("conv_post", F.leaky_relu(x, 0.01)))[:, 0]


@pytest.mark.parametrize("kind", ["1", "2"])
def test_a_public_checkpoint_gives_the_published_audio(kind):
    config = {**CONFIG, "resblock": kind}
    weights = checkpoint(config)
    weights["conv_post.weight_g"] *= 0.1  # away from where tanh is flat
    mel = torch.randn(2, 12, 5)
    expected = reference(weights, config, mel.mT)
    model = from_checkpoint(weights, config)
    torch.testing.assert_close(model(mel), expected, atol=1e-5, rtol=0)
    assert expected.abs().mean() < 0.99
    assert (model.facts.sample_rate, model.facts.hop_length, model.facts.fmax) == (8000, 8, 4000)


def test_an_imported_model_is_kept_like_any_other():
    model = from_checkpoint(checkpoint(CONFIG), CONFIG)
    again = Hifigan(model.config, model.facts)
    again.load_state_dict(model.kept())
    torch.testing.assert_close(again(torch.ones(1, 3, 5)), model(torch.ones(1, 3, 5)))


def test_missing_and_unexpected_weights_are_named():
    weights = checkpoint(CONFIG)
    lost = {name: value for name, value in weights.items() if name != "ups.1.weight_v"}
    with pytest.raises(SettingError, match=r"1 missing, such as steps\.1\.up"):
        from_checkpoint(lost, CONFIG)
    with pytest.raises(SettingError, match=r"1 unexpected, such as mpd\.x"):
        from_checkpoint(weights | {"mpd.x": torch.zeros(1)}, CONFIG)
    with pytest.raises(SettingError, match=r"first.* is \(8, 5, 7\), but the config makes it"):
        from_checkpoint(weights, {**CONFIG, "num_mels": 4})
    with pytest.raises(SettingError, match=r"config of HiFi-GAN: .*'n_fft'"):
        from_checkpoint(weights, {name: value for name, value in CONFIG.items() if name != "n_fft"})
    with pytest.raises(SettingError, match="win_size is 16, needs n_fft, 32"):
        from_checkpoint(weights, {**CONFIG, "win_size": 16})
