"""Presets that say they are as published, against the figures of the publications."""

import math
from functools import reduce

import pytest
from torch import nn

from ttskit.models import find
from ttskit.networks.uninitialised import Uninitialised
from ttskit.training.configuration import resolved

HIFIGAN = {
    "optimizer": "adamw",
    "learning_rate": 2e-4,
    "beta1": 0.8,
    "beta2": 0.99,
    "weight_decay": 0.01,
    "schedule": "exponential",
    "clip_norm": 0.0,
    "clip_value": 0.0,
}
PUBLISHED = {
    "glow base": {
        "optimizer": "adam",
        "learning_rate": 192**-0.5 * 4000**-0.5,
        "beta1": 0.9,
        "beta2": 0.98,
        "epsilon": 1e-9,
        "weight_decay": 0.0,
        "schedule": "noam",
        "warmup": 4000,
        "clip_norm": 0.0,
        "clip_value": 5.0,
    },
    "hifigan v1": HIFIGAN,
    "hifigan v2": HIFIGAN,
    "hifigan v3": HIFIGAN,
    "bigvgan base": {**HIFIGAN, "learning_rate": 1e-4, "clip_norm": 500.0},
    "istft base": {
        "optimizer": "adamw",
        "learning_rate": 5e-4,
        "beta1": 0.8,
        "beta2": 0.9,
        "weight_decay": 0.01,
        "schedule": "cosine",
    },
}
HIFIGAN_CRITICS = 5 + 3  # of periods, of rates
BIGVGAN_CRITICS = 5 + 3  # of periods, of resolutions
HIFIGAN_PAPER = {
    "kernels": (16, 16, 4, 4),
    "rates": (8, 8, 2, 2),
    "channels": 512,
    "block_kernels": (3, 7, 11),
    "dilations": (1, 3, 5) * 3,
    "double": True,
    "spectral.mel": 45.0,
    "spectral.stft": 0.0,
    "adversary.kind": "squares",
    "adversary.from_progress": 0.0,
    "adversary.weight": 1.0 * HIFIGAN_CRITICS,  # of a mean, where the publication has a sum
    "adversary.features": 2.0 * HIFIGAN_CRITICS,
    "adversary.periods": (2, 3, 5, 7, 11),
    "adversary.halvings": (0, 1, 2),
    "adversary.n_fft": (),
    "training.batch": 16,
    "training.segment": 8192 / 256,
    "training.optimizer": "adamw",
    "training.learning_rate": 2e-4,
    "training.beta1": 0.8,
    "training.beta2": 0.99,
    "training.weight_decay": 0.01,
    "training.schedule": "exponential",
    "training.half_life": 12_950 / 16 * math.log(0.5, 0.999),  # clips of LJSpeech it is trained on
    "training.final": 0.0,
    "training.warmup": 0,
    "training.clip_norm": 0.0,
    "training.clip_value": 0.0,
}
BIGVGAN_PAPER = HIFIGAN_PAPER | {
    "channels": 1536,
    "rates": (4, 4, 2, 2, 2, 2),
    "kernels": (8, 8, 4, 4, 4, 4),
    "adversary.weight": 1.0 * BIGVGAN_CRITICS,
    "adversary.features": 2.0 * BIGVGAN_CRITICS,
    "adversary.halvings": (),
    "adversary.n_fft": (512, 1024, 2048),
    "training.batch": 32,
    "training.learning_rate": 1e-4,
    "training.half_life": 354_780 / 32 * math.log(0.5, 0.999),  # clips of LibriTTS
    "training.clip_norm": 1000.0,
}
DDSP_PAPER = {
    "inputs": ("f0", "loudness"),
    "trunk": "gru",
    "channels": 512,
    "layers": 3,
    "slope": 0.2,
    "head": "exp-sigmoid",
    "harmonics": 100,
    "noise_bands": 65,
    "reverb": 48_000 / 16_000,
    "spectral.n_fft": (2048, 1024, 512, 256, 128, 64),
    "spectral.linear": 1.0 * 6,  # of a mean over FFT sizes, where the publication has a sum
    "spectral.log.first": 1.0 * 6,
    "spectral.log.last": 1.0 * 6,
    "spectral.floor": 1e-5,
    "training.batch": 32,
    "training.segment": 4 * 250,
    "training.optimizer": "adam",
    "training.learning_rate": 3e-4,
    "training.weight_decay": 0.0,
    "training.schedule": "exponential",
    "training.half_life": 10_000 * math.log(0.5, 0.98),
    "training.final": 0.0,
    "training.clip_norm": 3.0,
}
PAPERS = {
    "glow paper": {
        "durations": "joint",
        "predict_durations": True,
        "mean_only": True,
        "pitch": False,
        "coarse_layers": 0,
        "encoder.hidden": 192,
        "encoder.filter": 768,
        "encoder.heads": 2,
        "encoder.layers": 6,
        "encoder.kernel": 3,
        "encoder.window": 4,
        "encoder.dropout": 0.1,
        "encoder.prenet_layers": 3,
        "encoder.prenet_kernel": 5,
        "encoder.prenet_dropout": 0.5,
        "encoder.ends": False,
        "predictor.hidden": 256,
        "predictor.layers": 2,
        "predictor.kernel": 3,
        "predictor.dropout": 0.1,
        "flow.blocks": 12,
        "flow.squeeze": 2,
        "flow.groups": 4,
        "flow.hidden": 192,
        "flow.layers": 4,
        "flow.kernel": 5,
        "flow.dropout": 0.05,
        "training.batch": 32,
        "training.segment": 0,
        **{f"training.{name}": value for name, value in PUBLISHED["glow base"].items()},
    },
    "hifigan paper": HIFIGAN_PAPER,
    "hifigan paper-v2": HIFIGAN_PAPER | {"channels": 128},
    "hifigan paper-v3": HIFIGAN_PAPER
    | {
        "channels": 256,
        "rates": (8, 8, 4),
        "kernels": (16, 16, 8),
        "block_kernels": (3, 5, 7),
        "dilations": (1, 2, 2, 6, 3, 12),
        "double": False,
    },
    "bigvgan paper": BIGVGAN_PAPER,
    "bigvgan paper-base": BIGVGAN_PAPER
    | {"channels": 512, "rates": (8, 8, 2, 2), "kernels": (16, 16, 4, 4)},
    "istft paper": {
        "channels": 512,
        "hidden": 1536,
        "layers": 8,
        "kernel": 7,
        "spectral.mel": 45.0,
        "spectral.stft": 0.0,
        "adversary.from_progress": 0.0,
        "adversary.kind": "hinge",
        "adversary.weight": 1.0,
        "adversary.features": 1.0,
        "adversary.periods": (2, 3, 5, 7, 11),
        "adversary.n_fft": (512, 1024, 2048),
        "training.batch": 16,
        "training.segment": 16_384 / 256,
        "training.optimizer": "adamw",
        "training.learning_rate": 5e-4,
        "training.beta1": 0.8,
        "training.beta2": 0.9,
        "training.weight_decay": 0.01,
        "training.schedule": "cosine",
        "training.final": 0.0,
        "training.warmup": 0,
        "training.clip_norm": 0.0,
    },
    "ddsp paper": DDSP_PAPER,
    "ddsp autoencoder": DDSP_PAPER
    | {
        "inputs": ("f0", "loudness", "z"),
        "timbre.cepstra": 30,
        "timbre.norm": "instance",
        "timbre.channels": 512,
        "timbre.size": 16,
    },
    "ddsp transformer": DDSP_PAPER
    | {"trunk": "transformer", "training.batch": 1, "training.accumulate": 32},
}
# of each layer: channels before and after, width, stride, groups
PERIOD = [
    (1, 32, 5, 3, 1),
    (32, 128, 5, 3, 1),
    (128, 512, 5, 3, 1),
    (512, 1024, 5, 3, 1),
    (1024, 1024, 5, 1, 1),
    (1024, 1, 3, 1, 1),
]
RATE = [
    (1, 128, 15, 1, 1),
    (128, 128, 41, 2, 4),
    (128, 256, 41, 2, 16),
    (256, 512, 41, 4, 16),
    (512, 1024, 41, 4, 16),
    (1024, 1024, 41, 1, 16),
    (1024, 1024, 5, 1, 1),
    (1024, 1, 3, 1, 1),
]
RESOLUTION = [
    (1, 32, (3, 9), (1, 1), 1),
    *[(32, 32, (3, 9), (1, 2), 1)] * 3,
    (32, 32, (3, 3), (1, 1), 1),
    (32, 1, (3, 3), (1, 1), 1),
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_recipe_is_followed(name):
    training = resolved(*name.split()).training
    for key, value in PUBLISHED[name].items():
        own = getattr(training, key)
        assert own == (value if isinstance(value, str) else pytest.approx(value, rel=1e-2)), key


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_preset_has_the_published_figures(name):
    config = resolved(*name.split())
    for key, value in PAPERS[name].items():
        own = reduce(getattr, key.split("."), config)
        assert own == (pytest.approx(value, rel=1e-2) if isinstance(value, float) else value), key


def test_ddsp_is_recurrent_only_where_frames_lack_a_mel_or_as_published():
    trunks = {preset: resolved("ddsp", preset).trunk for preset in ("tiny", "instrument", "paper")}
    assert trunks == {"tiny": "mlp", "instrument": "gru", "paper": "gru"}


def test_every_family_with_a_paper_has_a_paper_preset():
    families = {"glow", "hifigan", "bigvgan", "istft", "ddsp"}
    assert all("paper" in find(family).presets for family in families)
    assert {name.split()[0] for name in PAPERS} == families


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("hifigan paper", [*[PERIOD] * 5, *[RATE] * 3]),
        ("hifigan paper-v3", [*[PERIOD] * 5, *[RATE] * 3]),
        ("bigvgan paper", [*[PERIOD] * 5, *[RESOLUTION] * 3]),
    ],
)
def test_critics_of_a_paper_preset_have_the_published_layers(preset, expected):
    with Uninitialised():
        critics = resolved(*preset.split()).adversary.critics()
    assert [[_shape(layer) for layer in _convolutions(critic)] for critic in critics] == expected


def _convolutions(critic):
    return [layer for layer in critic.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d)]


def _shape(layer):
    flat = layer.kernel_size[1:] == (1,) or len(layer.kernel_size) == 1  # over samples alone
    width, stride = layer.kernel_size, layer.stride
    if flat:
        width, stride = width[0], stride[0]
    return layer.in_channels, layer.out_channels, width, stride, layer.groups
