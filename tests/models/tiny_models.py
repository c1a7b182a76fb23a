"""Models small enough for a test, and a training loop without a trainer.

A family needs a line in `TINY` only where its defaults are too large for a test, and an entry in
`VARIANTS` for settings that give it other weights.
"""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import torch

from tests.models.synthetic import SPEECH, facts, short_and_long
from ttskit.models import FAMILIES, find
from ttskit.models.family import Family
from ttskit.networks.batch import axis_of
from ttskit.settings import changed

ENCODER = {
    "hidden": 16,
    "filter": 24,
    "layers": 2,
    "prenet_layers": 1,
    "dropout": 0.0,
    "prenet_dropout": 0.0,
}
DURATION = {
    "encoder": ENCODER,
    "predictor": {"hidden": 16, "dropout": 0.0},
    "predict": ["pitch", "loudness"],
}
FLOW = {"blocks": 2, "hidden": 12, "layers": 2, "kernel": 3, "dropout": 0.0}
SPECTRAL = {"n_fft": [256, 64]}
CRITICS = {"from_progress": 0.5, "periods": [2], "n_fft": [64], "channels": 2}
VOCODER = {"spectral": SPECTRAL, "adversary": CRITICS}
UPSAMPLER = {"channels": 8, "rates": [8, 8], "kernels": [16, 15], "block_kernels": [3]}
CONTROLS = {"harmonics": 12, "noise_bands": 9, "guess": {"channels": 8, "layers": 1}}
CAUSAL = {"hidden": 16, "layers": 2, "heads": 2, "filter": 24, "dropout": 0.0}
PATCHES = {"from_progress": 0.5, "channels": 2, "frames": 16}
CODEC = {"channels": 16, "layers": 1, "finish": 1, "kernel": 3, "adversary": PATCHES}
STATES = {"hidden": 16, "layers": 1, "state": 3, "dilations": [1, 2], "dropout": 0.0}
BOOKS = {"size": 32, "dimension": 8, **CODEC}
WEIGHTS = {"loudness": {"last": 0.01}, "entropy": {"last": 0.01}, "mel": 1.0, **SPECTRAL}

# family -> settings small enough for a test
TINY: dict[str, dict[str, Any]] = {
    "attention": {
        "embedding": 16,
        "hidden": 16,
        "space": 8,
        "context_from": 0.0,
        "temperature": 0.5,
    },
    "plain": DURATION,
    "film": DURATION,
    "glow": {"encoder": ENCODER, "flow": FLOW, "speaker_channels": 4, "speaker_in_encoder": True},
    "feedforward": {
        "encoder": ENCODER,
        "hidden": 16,
        "layers": 2,
        "dropout": 0.0,
        "contour_hidden": 16,
        "speaker_channels": 4,
        "adversary": PATCHES,
    },
    "autoregressive": {"causal": CAUSAL, "encoder": ENCODER, "speaker_channels": 4},
    "diffusion": {
        "encoder": ENCODER,
        "hidden": 16,
        "layers": 1,
        "dropout": 0.0,
        "contour_hidden": 16,
        "speaker_channels": 4,
        "denoiser": {"hidden": 16, "layers": 1},
    },
    "ddn": {
        "encoder": ENCODER,
        "hidden": 16,
        "layers": 2,
        "dropout": 0.0,
        "contour_hidden": 16,
        "speaker_channels": 4,
        "pyramid": {
            "scales": [4, 2, 1],
            "blocks": [1],
            "candidates": [4],
            "channels": 16,
            "layers": 1,
            "dropout": 0.0,
        },
    },
    "clvp": {"transformer": CAUSAL, "space": 8},
    "mamba": {
        "style_channels": 4,
        "style_hidden": 8,
        "style_layers": 1,
        "text": STATES,
        "audio": STATES,
        "adaptor": {"hidden": 16, "dropout": 0.0},
    },
    "fsq": {"levels": [4, 3, 3], "groups": 1, "residual": 2, **CODEC},
    "rvq": {"books": 2, **BOOKS},
    "vq": BOOKS,
    "dac": {
        "channels": 2,
        "strides": [4, 16],
        "decoder_channels": 8,
        "rates": [16, 4],
        "books": 2,
        "size": 4,
        "dimension": 3,
    },
    "encodec": {"channels": 2, "strides": [4, 16], "dimension": 3, "books": 2, "size": 4},
    "snac": {
        "channels": 2,
        "strides": [4, 16],
        "decoder_channels": 8,
        "rates": [16, 4],
        "lasts": [2, 1],
        "size": 4,
        "dimension": 3,
    },
    "istft": {"channels": 32, "hidden": 64, "layers": 2, **VOCODER},
    "shaped": {"channels": 32, "hidden": 64, "layers": 2, **VOCODER},
    "ddsp": {"channels": 16, "layers": 1, **CONTROLS, "spectral": WEIGHTS, "adversary": CRITICS},
    "hifigan": {**UPSAMPLER, "dilations": [1, 3], **VOCODER},
    "bigvgan": {**UPSAMPLER, "dilations": [1, 2], **VOCODER},
}
# family -> settings with other weights than its tiny ones
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "film": [{"reference": True}],
    "glow": [
        {"durations": "joint"},
        {"durations": "joint", "predict_durations": True, "predictor": DURATION["predictor"]},
        {"mean_only": False, "pitch": True},
        {"coarse_layers": 2, "coarse_hidden": 16},
    ],
    "feedforward": [{"source": "codes"}, {"source": "latents"}],
    "diffusion": [{"objective": "ddpm"}, {"source": "codes"}, {"source": "latents"}],
    "ddn": [
        {
            "coarse": False,
            "pyramid": {"select": "segment", "shared": True, "blocks": [2], "kind": "attention"},
        },
        {"pyramid": {"refine": 2, "kind": "causal", "select": "patch", "patch": 2}},
    ],
    "ddsp": [
        {"trunk": "mlp", "residual": 0.9, "inputs": ["mel", "f0", "delta_f0", "loudness"]},
        {"trunk": "micro-rnn", "micro": 16, "smoothing": {"mode": "biquad"}},
        {"trunk": "transformer", "reverb": 0.01},
        {"inputs": ["f0", "loudness", "z"], "timbre": {"cepstra": 6, "channels": 8, "size": 3}},
    ],
    "autoregressive": [{"order": "concatenated"}, {"prosody": True}, {"reference": True}],
    "mamba": [
        {"start": "guess", "context": "mean"},
        {"audio": {"sees": "mean", "film": "plain"}},
    ],
    "fsq": [{"groups": 2, "stride": 1, "speaker_channels": 4}],
    "rvq": [{"learnt": True, "stride": 4}],
    "vq": [{"learnt": True}],
    "hifigan": [{"adversary": {"deep": True, "halvings": [0, 1]}}],
    "bigvgan": [{"activation": "snake"}],
}
ROLES = {family: role for role, families in FAMILIES.items() for family in families}
CASES = {
    f"{family} {json.dumps(changes)}" if changes else family: (family, changes)
    for family in ROLES
    for changes in [{}, *VARIANTS.get(family, [])]
}


def make(family, settings, known=None):
    """Return a new model of a family, whose config has these settings."""
    torch.manual_seed(0)
    return family(changed(family.Config(), settings, "test"), known or facts())


def updates(model, batches, steps, rate, progress=None):
    """Train on batches in turn, and yield the loss before each update."""
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for step in range(steps):
        at = step / steps if progress is None else progress
        loss = sum(model.loss(batches[step % len(batches)], at).values())
        yield loss.item()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def train(model, batches, steps, rate=3e-3):
    """Train on batches in turn; return the loss before each update."""
    return [*updates(model, batches, steps, rate)]


def build(case):
    """Return a new model of one of `CASES`."""
    torch.manual_seed(0)
    family, changes = CASES[case]
    kind = find(family)
    config = changed(changed(kind.Config(), TINY.get(family, {}), family), changes, family)
    return kind(config, SPEECH)


def learns(case):
    """Whether a case has anything to learn."""
    return find(CASES[case][0]).loss is not Family.loss


@cache
def weights(case):
    """The weights after a few updates: zeros of the start no longer hide what is broken."""
    model = build(case)
    if learns(case):
        model.prepare()
        model.initialise(needed(model))
        for _ in updates(model, [needed(model)], 3, 3e-3, progress=1.0):
            pass
    return model.state_dict()


def trained(case):
    """Return a model of one of `CASES` after a few updates."""
    model = build(case)
    if learns(case):
        model.prepare()
    model.load_state_dict(weights(case))
    return model.eval()


def needed(model):
    """Two utterances with the fields that a model needs and no others, as the trainer gives."""
    return restricted(model.needs(model.config))


def restricted(names):
    """Two utterances with some of their fields, and the axes that these have."""
    batch = short_and_long()
    fields = {name: batch[name] for name in names}
    axes = {axis_of(name) for name in fields}
    lengths = {axis: size for axis, size in batch.lengths.items() if axis in axes}
    return replace(batch, fields=fields, lengths=lengths)
