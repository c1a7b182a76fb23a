"""The codes of takes: there and back, and none that is damaged."""

import base64

import numpy as np
import pytest

from tests.factory import run, write_model
from ttskit.errors import TtskitError
from ttskit.speaking.takes import Take, check, fingerprint, parsed, read
from ttskit.voices.model import read_model

SMALL = {"hidden": 8, "filter": 8, "layers": 1, "prenet_layers": 1}
DDN = {"encoder": SMALL, "hidden": 8, "layers": 1, "pyramid": {"channels": 8, "layers": 1}}


def a_take(seed=0, lines=3):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 600, lines)
    return Take("0123abcd", [np.append(50, rng.integers(0, 16, size)) for size in sizes])


@pytest.mark.parametrize("seed", range(5))
def test_a_code_is_the_take_that_it_was_made_of(seed):
    take = a_take(seed)
    again = parsed(take.code())
    assert again.model == take.model
    assert len(again.lines) == len(take.lines)
    for one, other in zip(take.lines, again.lines, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_code_takes_the_bits_of_its_choices():
    take = Take("00000000", [np.full(6000, 15)])
    assert len(take.code()) == pytest.approx(6000 * 4 / 6, abs=40)


def test_a_code_may_have_one_candidate_or_thousands():
    for high in (1, 2, 4096, 2**16):
        take = Take("00000000", [np.append(100, np.arange(high)[-5:])])
        np.testing.assert_array_equal(parsed(take.code()).lines[0], take.lines[0])


def test_a_thousand_corrupted_codes_are_refused_in_one_line_each():
    rng, code = np.random.default_rng(1), a_take().code()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ =~ä\n"
    for _ in range(1000):
        at, other = rng.integers(len(code)), alphabet[rng.integers(len(alphabet))]
        damaged = [
            code[:at],
            code[:at] + other + code[at + 1 :],
            code[:at] + other + code[at:],
            code[:at] + code[at + 1 :],
        ][rng.integers(4)]
        if damaged.strip() == code:
            continue
        with pytest.raises(TtskitError, match=r"^the take .* is damaged: copy it whole") as error:
            parsed(damaged)
        assert "\n" not in str(error.value)


def test_a_code_of_a_later_format_is_refused_with_both_numbers():
    import struct
    import zlib

    body = bytes([9]) + base64.urlsafe_b64decode(a_take().code() + "==")[1:-4]
    code = base64.urlsafe_b64encode(body + struct.pack("<I", zlib.crc32(body))).decode().rstrip("=")
    with pytest.raises(TtskitError, match="is of format 9, needs 1"):
        parsed(code)


def test_a_code_may_be_in_a_file(tmp_path):
    (tmp_path / "take").write_text(a_take().code() + "\n")
    assert read(str(tmp_path / "take")).model == "0123abcd"
    (tmp_path / "sound").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(TtskitError, match="sound: is no text"):
        read(str(tmp_path / "sound"))


def test_a_take_of_another_model_is_refused_by_name(tmp_path):
    def other(module):
        module.generator.given.bias.add_(1)

    one = read_model(write_model(tmp_path / "one.h5", "ddn", DDN))
    two = read_model(write_model(tmp_path / "two.h5", "ddn", DDN, other))
    check(fingerprint(one), one, "the take")
    expected = f"the take: is a take of the model {fingerprint(one)}, not of .*two.h5"
    with pytest.raises(TtskitError, match=expected):
        check(fingerprint(one), two, "the take")


def test_an_empty_code_is_no_fresh_take(tmp_path):
    with pytest.raises(TtskitError, match="the take '' is damaged: copy it whole"):
        run("say", "hi", "--take", "", "-o", tmp_path / "a.wav")
