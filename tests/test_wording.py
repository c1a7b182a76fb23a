"""Numbers as a person would write them."""

import pytest

from ttskit import wording


def test_counts_are_pluralised():
    assert [wording.count(number, "word") for number in (0, 1, 2)] == [
        "0 words",
        "1 word",
        "2 words",
    ]


@pytest.mark.parametrize(
    ("seconds", "says"), [(8, "8 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (59.6, "1 min 0 s")]
)
def test_durations_have_two_units(seconds, says):
    assert wording.clock(seconds) == says
