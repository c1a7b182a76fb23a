"""Trainings that begin from a model or a voice."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ttskit.errors import ArtifactError
from ttskit.text.symbols import symbols
from ttskit.training.begin import begin_from
from ttskit.voices import embedded
from ttskit.voices.model import read_model


@pytest.fixture
def kathleen():
    return read_model(embedded.find(None), role="duration")


def module_of(model, table):
    kind, config = model.shape
    torch.manual_seed(1)
    return kind(config, replace(model.facts, symbols=table, silent=(False,) * len(table)))


def embedding_of(module):
    return module.encoder.embedding.weight.detach().numpy()


def test_rows_of_symbols_go_by_symbol_and_new_ones_begin_as_the_nearest(kathleen, capsys):
    table = symbols("nl")
    module = module_of(kathleen, table)
    begin_from(kathleen, module)
    known, old = kathleen.facts.symbols, kathleen.weights()["encoder.embedding.weight"].numpy()
    rows = embedding_of(module)
    shared = [symbol for symbol in table if symbol in known]
    assert len(shared) > 30
    for symbol in shared:
        np.testing.assert_array_equal(rows[table.index(symbol)], old[known.index(symbol)])
    np.testing.assert_array_equal(rows[table.index("ˈiː")], old[known.index("ˈi")])
    assert "are new to it and begin as the nearest" in capsys.readouterr().err


def test_a_model_of_the_same_symbols_is_taken_over_whole(kathleen):
    module = module_of(kathleen, kathleen.facts.symbols)
    begin_from(kathleen, module)
    for name, value in kathleen.weights().items():
        np.testing.assert_array_equal(module.state_dict()[name].numpy(), value.numpy(), name)


def test_another_number_of_mel_bands_is_refused(kathleen):
    kind, config = kathleen.shape
    module = kind(config, replace(kathleen.facts, n_mels=40))
    with pytest.raises(ArtifactError, match="has 80 mel bands, the data 40"):
        begin_from(kathleen, module)


def test_the_pitch_of_the_speaker_is_that_of_the_data():
    decoder = read_model(embedded.find(None), role="decoder")
    kind, config = decoder.shape
    statistics = {**decoder.facts.statistics, "f0_middle": np.array([np.log2(110.0)])}
    module = kind(config, replace(decoder.facts, statistics=statistics))
    begin_from(decoder, module)
    state = module.state_dict()
    (name,) = [name for name in state if name.endswith("middle")]
    assert 2 ** float(state[name][0]) == pytest.approx(110)
    assert 2 ** float(decoder.weights()[name][0]) > 140
