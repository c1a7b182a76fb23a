"""Models and Voices that are damaged or made to harm: refused before they are built or spoken."""

import re
import time

import numpy as np
import pytest
import torch  # noqa: F401  (here, so that no time below is that of importing it)

from tests.factory import FLOW, SMALL, Contents, write_model
from tests.tiny import write_voice
from ttskit.errors import TtskitError
from ttskit.models import FAMILIES, find
from ttskit.settings import MOST_LAYERS, MOST_SIZE, flat
from ttskit.training.configuration import Training
from ttskit.voices import voice
from ttskit.voices.model import read_model


@pytest.fixture
def decoder(tmp_path):
    settings = {"encoder": SMALL, "flow": FLOW, "speaker_channels": 4}
    return write_model(tmp_path / "decoder.h5", "glow", settings)


def changed(path, **attributes):
    contents = Contents.of(path)
    contents.attributes |= {name.replace("__", "."): value for name, value in attributes.items()}
    return contents.write(path)


def configured(path, name, value):
    """Replace the first setting of a name in the config of a model."""
    config = Contents.of(path).attributes["config"]
    new, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", config, count=1)
    assert count == 1
    return changed(path, config=new)


def complaint(path):
    """Return what is said of a model that is read and built, quickly."""
    before = time.process_time()
    with pytest.raises(TtskitError) as caught:
        read_model(path).module()
    assert time.process_time() - before < 5  # what would take minutes is refused before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("blocks", 10**8, "blocks is 100000000, needs at most 1000"),
        ("prenet_layers", 10**5, "prenet_layers is 100000, needs at most 1000"),
        ("hidden", 10**7, "hidden is 10000000, needs at most 65536"),
        ("blocks", 1000, "describes another model than its"),
        ("filter", 65536, "has weights of another shape or dtype"),
        ("hidden", 65536, "describes another model than its"),
        ("layers", 3, "lacks the weights"),
        ("kernel", 5, "has weights of another shape or dtype"),
    ],
)
def test_a_config_is_compared_with_the_weights_before_it_is_built(decoder, name, value, says):
    assert says in complaint(configured(decoder, name, value))


def test_a_config_that_is_nested_too_deeply_is_refused(decoder):
    assert "its config is not TOML" in complaint(changed(decoder, config="x = " + "[" * 5000))


@pytest.mark.parametrize(
    ("name", "value"),
    [("hop_length", 10**9), ("n_fft", 1e300), ("n_mels", 0), ("sample_rate", -1), ("fmax", "x")],
)
def test_a_grid_out_of_its_bounds_is_named(decoder, name, value):
    assert f"its {name} is {value!r}, needs a number" in complaint(
        changed(decoder, **{name: value})
    )


def test_a_role_that_the_family_does_not_play_is_refused(decoder):
    assert "no role 'attention'; there is aligner, duration" in complaint(
        changed(decoder, role="attention")
    )


@pytest.mark.parametrize("dtype", ["i4", ">f4", "longdouble"])
def test_weights_of_other_dtypes_are_refused(decoder, dtype):
    contents = Contents.of(decoder)
    name = next(name for name in contents.columns if name.startswith("weights/flow"))
    contents.columns[name] = contents.columns[name].astype(dtype)
    assert "of another shape or dtype" in complaint(contents.write(decoder))


def test_every_size_of_every_family_has_a_bound():
    for family in (name for families in FAMILIES.values() for name in families):
        for settings in (find(family).Config(), Training()):
            for bounds in _bounds(settings):
                assert bounds <= MOST_SIZE or settings == Training(), family
    layers = [
        name for name, _ in flat(find("glow").Config()) if name.endswith(("layers", "blocks"))
    ]
    assert layers == ["coarse_layers", "encoder.layers", "encoder.prenet_layers",
                      "predictor.layers", "flow.blocks", "flow.layers"]  # fmt: skip
    assert MOST_LAYERS == 1000


def _bounds(settings):
    """Yield the highest value of each whole number, infinity where there is none."""
    from dataclasses import fields, is_dataclass

    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            yield from _bounds(value)
            continue
        first = value[0] if isinstance(value, tuple) and value else value
        if type(first) is int:
            yield field.metadata["most"] or float("inf")


@pytest.fixture
def packed(tmp_path):
    return write_voice(tmp_path)


def refused(path):
    with pytest.raises(TtskitError) as caught:
        voice.read(path)
    return str(caught.value)


def test_a_voice_whose_weights_have_changed_is_not_spoken_with(packed):
    container = voice.read(packed).container
    name = max(container.columns, key=lambda name: container.columns[name].nbytes)
    column, contents = container.columns[name], bytearray(packed.read_bytes())
    values = np.frombuffer(contents, column.dtype, column.shape[0], column.place)
    values *= np.asarray(1.5, column.dtype)
    packed.write_bytes(contents)
    assert f"{name}: its bytes are not the ones that were written" in refused(packed)


def test_a_model_whose_weights_have_changed_is_refused(decoder):
    column = read_model(decoder).container.columns["symbols"]
    contents = bytearray(decoder.read_bytes())
    contents[column.place] ^= 1
    decoder.write_bytes(contents)
    assert "symbols: its bytes are not the ones that were written" in complaint(decoder)


@pytest.mark.parametrize("value", [-5.0, float("nan"), float("inf"), 101.0, "x"])
@pytest.mark.parametrize("name", ["noise_scale", "pitch_range"])
def test_a_number_out_of_its_bounds_is_refused(packed, name, value):
    assert f"{name} is" in refused(changed(packed, **{name: value}))
