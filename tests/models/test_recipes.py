"""Presets that say they are as published, against the figures of the publications."""

import math

import pytest

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
    "ddsp paper": {
        "optimizer": "adam",
        "learning_rate": 3e-4,
        "weight_decay": 0.0,
        "clip_norm": 3.0,
        "half_life": 10_000 * math.log(0.5, 0.98),
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_recipe_is_followed(name):
    training = resolved(*name.split()).training
    for key, value in PUBLISHED[name].items():
        own = getattr(training, key)
        assert own == (value if isinstance(value, str) else pytest.approx(value, rel=1e-2)), key
