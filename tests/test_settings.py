"""Settings as TOML, and the messages about values that cannot be set."""

from dataclasses import dataclass

import pytest

from ttskit import settings
from ttskit.errors import SettingError
from ttskit.settings import key, table


@dataclass(frozen=True)
class Inner:
    rate: float = key(0.5, "how fast", least=0, most=1)


@dataclass(frozen=True)
class Outer:
    channels: int = key(8, "how many", least=1)
    trunk: str = key("mlp", "which", choices=("mlp", "gru"))
    sizes: tuple[int, ...] = key((2, 3), "of the kernels", least=1, some=True)
    width: int = key(3, "odd", least=1, odd=True)
    slope: float = key(0.0, "how steep")
    gains: tuple[float, ...] = key((1.0,), "by channel")
    causal: bool = key(False, "whether it may look ahead")
    inner: Inner = table(Inner, "more of it")


def test_toml_that_is_written_is_read_back():
    changed = settings.assigned(Outer(), "inner.rate=0.25", "sizes=[5]")
    text = settings.to_toml(changed)
    assert settings.from_toml(Outer(), text, "x.toml") == changed
    assert changed.inner.rate == 0.25
    assert changed.sizes == (5,)
    assert "# how many" in text
    assert "mlp, gru" in text


@pytest.mark.parametrize(("value", "why"), [("[" * 5000, "nested too deeply"), ("9" * 5000, "")])
def test_toml_that_no_parser_can_hold_is_refused(value, why):
    with pytest.raises(SettingError, match=f"x.toml: is not TOML: .*{why}"):
        settings.from_toml(Outer(), f"channels = {value}", "x.toml")
    with pytest.raises(SettingError, match="channels"):
        settings.assigned(Outer(), f"channels={value}")


def test_texts_need_no_quotes_and_integers_serve_as_floats():
    changed = settings.assigned(Outer(), "trunk=gru", "inner.rate=1")
    assert (changed.trunk, changed.inner.rate) == ("gru", 1.0)
    assert isinstance(changed.inner.rate, float)
    (gain,) = settings.assigned(Outer(), "gains=[2]").gains
    assert isinstance(gain, float)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("chanels=3", "no key chanels; nearest: channels"),
        ("zzzzzz=3", "no key zzzzzz; there is channels, "),
        ("rate=3", "no key rate; nearest: inner.rate"),
        ("inner.rat=3", "no key inner.rat; nearest: rate"),
        ("channels=x", "channels is 'x', needs int"),
        ("channels=1.5", "channels is 1.5, needs int"),
        ("channels=true", "channels is True, needs int"),
        ("channels=0", "channels is 0, needs at least 1"),
        ("inner.rate=2", "inner.rate is 2.0, needs at most 1"),
        ("inner.rate=nan", "inner.rate is nan, needs at least 0"),
        ("trunk=rnn", "trunk is 'rnn', needs mlp or gru"),
        ("sizes=[]", "sizes is empty, needs at least one entry"),
        ("sizes=[0]", "sizes is 0, needs at least 1"),
        ("width=4", "width is 4, needs an odd number"),
        ("sizes=['a']", "sizes is ('a',), needs a list of int"),
        ("gains=['a']", "gains is ('a',), needs a list of float"),
        ("gains=[true]", "gains is (True,), needs a list of float"),
        ("sizes=3", "sizes is 3, needs a list of int"),
        ("slope=inf", "slope is inf, needs a finite number"),
        ("inner=3", "inner is a table, needs inner.KEY"),
        ("channels", "--set channels: needs key=value"),
    ],
)
def test_a_wrong_key_or_value_is_refused_with_what_is_allowed(assignment, message):
    with pytest.raises(SettingError) as caught:
        settings.assigned(Outer(), assignment)
    assert message in str(caught.value)


def test_a_table_that_has_been_set_as_a_whole_takes_no_key():
    with pytest.raises(SettingError, match=r"--set inner\.rate=1: inner has been set to 3 before"):
        settings.assigned(Outer(), "inner=3", "inner.rate=1")


def test_a_file_that_is_not_toml_is_named():
    with pytest.raises(SettingError, match=r"^x\.toml: is not TOML"):
        settings.from_toml(Outer(), "channels = ", "x.toml")
