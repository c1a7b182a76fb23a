"""Small facts and batches to try models on, and a training without a trainer."""

import json

import numpy as np
import torch

from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts
from ttskit.settings import assigned, changed

SYMBOLS, SILENT, MELS = 12, 2, 8
SMALL_ENCODER = {
    "hidden": 16,
    "filter": 24,
    "layers": 2,
    "prenet_layers": 1,
    "dropout": 0.0,
    "prenet_dropout": 0.0,
}


def facts(speakers=2, mels=MELS):
    """Facts of which the first symbols are silent."""
    rng = np.random.default_rng(5)
    return Facts(
        symbols=tuple("abcdefghijkl"),
        silent=tuple(i < SILENT for i in range(SYMBOLS)),
        speakers=tuple(f"speaker {i}" for i in range(speakers)),
        n_mels=mels,
        statistics={
            "mel_mean": rng.normal(-4, 1, mels).astype(np.float32),
            "mel_deviation": rng.uniform(0.5, 2, mels).astype(np.float32),
        },
    )


def batch(*tokens, seed=0, mels=MELS):
    """Utterances of so many tokens each, whose mels follow their tokens."""
    rng = np.random.default_rng(seed)
    tables = np.random.default_rng(1).normal(-4, 1.5, (SYMBOLS, mels))
    items = []
    for number, count in enumerate(tokens):
        symbols = rng.integers(SILENT, SYMBOLS, count)
        symbols[0] = symbols[-1] = 0
        durations = np.where(symbols < SILENT, rng.integers(0, 2, count), 1 + symbols % 4)
        mel = np.repeat(tables[symbols], durations, axis=0)
        items.append(
            {
                "tokens": symbols,
                "durations": durations,
                "mel": mel + rng.normal(0, 0.3, mel.shape),
                "speaker": np.int64(number % 2),
                "pitch": rng.normal(0, 1, count),
                "loudness_token": rng.normal(0, 1, count),
            }
        )
    return collate([f"u{i}" for i in range(len(tokens))], items)


def make(family, told, speakers=2):
    """Return a model by the changes to its config."""
    torch.manual_seed(0)
    return family(changed(family.Config(), told, "test"), facts(speakers))


def configured(family, preset):
    """Return the config of a preset, each key checked."""
    config = family.Config()
    for name, value in family.presets[preset].items():
        if not name.startswith("training."):
            config = assigned(config, f"{name}={json.dumps(value)}")
    return config


def train(model, batches, steps, rate=3e-3):
    """Descend on batches in turn; return the sums of the losses."""
    optimiser = torch.optim.Adam(model.parameters(), rate)
    sums = []
    for step in range(steps):
        loss = sum(model.loss(batches[step % len(batches)], step / steps).values())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        sums.append(float(loss.detach()))
    return sums


def idle(model, batch):
    """Return the names of the parameters without a gradient."""
    model.zero_grad()
    sum(model.loss(batch, 0.5).values()).backward()
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]


def told(model, batches, whole):
    """Return by name what a duration model says of utterances, however they are batched.

    Losses are means over the tokens of `whole`; values stand end to end, without padding.
    """
    tokens, found = whole.lengths["token"].sum(), {}
    for one in batches:
        for name, loss in model.loss(one, 0.5).items():
            share = one.lengths["token"].sum() / tokens
            found[f"loss/{name}"] = found.get(f"loss/{name}", 0) + share * loss
        for name, values in model.generate(one).items():
            found.setdefault(name, []).append(values[one.mask("token")])
    return {name: torch.cat(x) if isinstance(x, list) else x for name, x in found.items()}
