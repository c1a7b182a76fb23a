"""Files of released versions of the format are read for ever."""

from dataclasses import fields
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from tests.golden import write
from ttskit.artifacts import hdf5
from ttskit.artifacts.kinds import KINDS, read
from ttskit.stages import verify
from ttskit.voices import voice
from ttskit.voices.model import read_model

ARCHIVE = Path(__file__).parent / "0.1.0.zip"
LATER = {"codes"}  # kinds that 0.1.0 did not know
NAMES = sorted(ZipFile(ARCHIVE).namelist())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of 0.1.0."""
    folder = tmp_path_factory.mktemp("golden")
    ZipFile(ARCHIVE).extractall(folder)
    return folder


def test_there_is_a_file_of_every_kind(folder):
    kinds = {hdf5.open_container(folder / name).kind for name in NAMES}
    assert kinds == {kind.kind() for kind in KINDS} - LATER | {"model", "voice"}
    assert ARCHIVE.stat().st_size < 100_000


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_is_whole(folder, name):
    container = hdf5.open_container(folder / name)
    assert list(verify.complaints(container)) == []
    assert container.version == 1
    assert {**container.provenance} == write.PROVENANCE


@pytest.mark.parametrize("name", write.BY_NAME)
def test_a_golden_file_holds_what_was_written(folder, name):
    reader, kind = read(folder / f"{name}.h5"), write.BY_NAME[name]
    assert reader.kind is kind
    assert reader.skipped == write.SKIPPED
    for record in write.records()[kind]:
        stored = reader[record.id]
        for field in fields(kind):
            value, wanted = getattr(stored, field.name), getattr(record, field.name)
            if isinstance(wanted, np.ndarray):
                np.testing.assert_array_equal(value, wanted, field.name)
            else:
                np.testing.assert_equal(value, wanted, field.name)
    if "symbols" in kind.tables:
        assert reader.table("symbols") == write.SYMBOLS


@pytest.mark.parametrize("name", write.MODELS)
def test_a_golden_model_has_the_weights_that_were_written(folder, name):
    model = read_model(folder / f"{name}.h5")
    assert model.facts.symbols == tuple(write.SYMBOLS)
    assert model.facts.speakers == ("ann", "bö")
    assert model.table("validation") == ["a"]
    for key, value in model.module().kept().items():
        np.testing.assert_array_equal(value, write.weight_of(key, value.numpy()), key)


def test_a_golden_voice_is_read_and_spells(folder):
    loaded = voice.read(folder / "voice.h5")
    assert list(loaded.models) == ["duration", "decoder", "vocoder"]
    assert loaded.settings.noise_scale == 0.5
    assert loaded.settings.card == write.CARD
    assert loaded.settings.lexicon == ("ab\ta b",)
    assert loaded.speller().table == tuple(write.SYMBOLS)
    for model in loaded.models.values():
        for key, value in model.module().kept().items():
            np.testing.assert_array_equal(value, write.weight_of(key, value.numpy()), key)
