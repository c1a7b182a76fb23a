"""What every family of the registry must do, whatever its role.

A new family is tested by its line in the registry; `tiny_models` holds settings for it.
"""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
import torch

from tests.factory import PROVENANCE
from tests.models.synthetic import short_and_long
from tests.models.tiny_models import (
    CASES,
    ROLES,
    build,
    learns,
    needed,
    restricted,
    trained,
    updates,
)
from ttskit.models import find
from ttskit.networks.facts import Facts
from ttskit.networks.fields import FIELDS
from ttskit.networks.uninitialised import Uninitialised
from ttskit.settings import from_toml, to_toml
from ttskit.training.configuration import resolved
from ttskit.voices.model import read_model, write_model

PRESETS = [(family, preset) for family in ROLES for preset in find(family).presets]


@torch.no_grad()
def generated(model, batch, seed=0, **knobs):
    generator = torch.Generator().manual_seed(seed)
    return model.generate(batch, generator, **knobs)


def aligns(case):
    model = build(case)
    return model.aligns(model.config)


every = pytest.mark.parametrize("case", CASES)
learning = pytest.mark.parametrize("case", [*filter(learns, CASES)])


@pytest.mark.parametrize("family", ROLES)
def test_a_family_is_found_by_its_name_and_plays_its_role(family):
    assert find(family, ROLES[family]).role == ROLES[family]


@every
def test_fields_are_declared(case):
    model = build(case)
    for names in (model.needs, model.takes, model.makes):
        assert set(names(model.config)) <= FIELDS.keys()


@every
def test_what_it_takes_is_enough_to_generate_what_it_makes(case):
    model = build(case).eval()
    batch = restricted([*model.takes(model.config), "speaker"])
    names = generated(model, batch).keys()
    if names == {"durations"} != {*model.makes(model.config)}:  # the rest is made from them
        durations = short_and_long()["durations"]
        names |= generated(model, batch.with_fields(durations=durations)).keys()
    expected = {"scores"} if model.role == "aligner" else {*model.makes(model.config)}
    assert names == expected


@every
def test_the_config_survives_toml(case):
    config = build(case).config
    assert from_toml(type(config)(), to_toml(config), "test") == config


@pytest.mark.parametrize(("family", "preset"), PRESETS)
def test_a_preset_fits_the_config_and_builds_a_model(family, preset):
    config = resolved(family, preset)
    assert from_toml(type(config)(), to_toml(config), "test") == config
    for key, value in find(family).presets[preset].items():
        own = reduce(getattr, key.split("."), config)
        assert own == (tuple(value) if isinstance(value, list) else value), key
    with Uninitialised():
        assert find(family)(config, Facts(symbols=("a",), silent=(False,)))


@learning
def test_every_weight_gets_a_gradient(case):
    model = trained(case).train()
    missing = {name for name, _ in model.named_parameters()}
    for player, module in model.players().items():
        model.zero_grad()
        for _ in range(3):  # some parts of a model are left out at random
            sum(model.terms(needed(model), 1.0, player).values()).backward()
        own = {id(parameter) for parameter in module.parameters()}
        missing -= {
            name
            for name, p in model.named_parameters()
            if id(p) in own and p.grad is not None and p.grad.abs().sum() > 0
        }
    assert not missing


@learning
def test_two_utterances_are_overfitted(case):
    model = build(case)
    model.initialise(needed(model))
    if case == "shaped":  # it begins with a source, half of the way: put it back
        torch.nn.init.normal_(model.generator.head.weight, std=0.5)
    if CASES[case][0] in ("fsq", "rvq", "vq"):  # they begin as linear codecs: put them back
        torch.nn.init.zeros_(model.generator.synthesis.weight)
    preset = resolved(CASES[case][0]).training.learning_rate
    losses = updates(model, [needed(model)], 80, max(1e-2, preset), progress=0.0)
    first = next(losses)
    assert any(later < first / 2 for later in losses)


@learning
def test_padding_costs_nothing(case):
    """The loss of a batch is the sum of the losses of its utterances, divided by its counts."""
    model = trained(case)
    if model.role == "ranker":
        pytest.skip("a contrast is of all utterances of a batch: test_clvp.py")
    batch = needed(model)
    ones = [replace(batch.only(row), counts=batch.own_counts()) for row in range(len(batch))]
    with torch.no_grad():
        together, alone = model.loss(batch, 1.0), [model.loss(one, 1.0) for one in ones]
    # the last windows of a vocoder's spectra see the silence beyond an utterance
    tolerance = 0.05 if model.role == "vocoder" else 1e-4
    for name, value in together.items():
        expected = sum(float(terms[name]) for terms in alone)
        assert float(value) == pytest.approx(expected, rel=tolerance, abs=1e-5), name


@every
def test_padding_changes_nothing_that_is_generated(case):
    model = trained(case)
    batch = short_and_long()
    # what is drawn for the padding too
    quiet = {name: 0.0 for name in model.knobs if "noise" in name or name == "temperature"}
    together = generated(model, batch, **quiet)
    for name, alone in generated(model, batch.only(0), **quiet).items():
        own = tuple(slice(size) for size in alone.shape)
        torch.testing.assert_close(together[name][own], alone, rtol=1e-3, atol=1e-4, msg=name)
        if alone.dim() > 1:
            beyond = together[name][0, alone.shape[1] :]
            assert model.role == "aligner" or not beyond.any(), name


@pytest.mark.parametrize("case", [case for case in CASES if aligns(case)])
def test_padding_does_not_change_alignment_scores(case):
    model = trained(case)
    with torch.no_grad():
        together, alone = model.scores(short_and_long()), model.scores(short_and_long().only(0))
    own = tuple(slice(size) for size in alone.shape)
    torch.testing.assert_close(together[own], alone, rtol=1e-4, atol=1e-3)


@every
def test_chance_comes_from_the_generator_alone(case):
    model = trained(case)
    outputs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        outputs.append(generated(model, short_and_long(), seed=7))
    for name, value in outputs[0].items():
        assert torch.equal(value, outputs[1][name]), name


@every
def test_folding_changes_only_the_speed(case):
    model = trained(case)
    before = generated(model, short_and_long())
    model.fold()
    assert not any("parametrizations" in name for name in model.state_dict())
    for name, value in generated(model, short_and_long()).items():
        torch.testing.assert_close(value, before[name], rtol=1e-3, atol=1e-4, msg=name)


@every
def test_a_model_read_from_its_file_generates_the_same(case, tmp_path):
    model = trained(case)
    config = to_toml(model.config, comments=False)
    write_model(tmp_path / "model.h5", model, model.kept(), config, PROVENANCE)
    read = read_model(tmp_path / "model.h5")
    assert (read.role, read.family) == (model.role, CASES[case][0])
    for name, value in generated(read.module(), short_and_long()).items():
        torch.testing.assert_close(value, generated(model, short_and_long())[name], msg=name)


@learning
def test_what_is_watched_is_finite_and_named(case):
    model = trained(case)
    with torch.no_grad():
        numbers, pictures = model.watch(needed(model))
    assert np.isfinite([*numbers.values()]).all()
    assert all(picture.x and picture.y for picture in pictures.values())


@every
def test_memory_is_proportional_to_the_batch(case):
    model, lengths = build(case), {"token": 20, "frame": 100, "sample": 6400}
    assert model.memory(6, lengths) == 3 * model.memory(2, lengths) >= 0
