"""The length of a training."""

import pytest

from ttskit.training.goal import Goal


@pytest.mark.parametrize(
    ("goal", "share"),
    [
        (Goal(steps=40), 0.25),
        (Goal(minutes=2), 0.5),
        (Goal(steps=40, minutes=2), 0.5),  # what is nearer to its end
        (Goal(steps=15, minutes=2), 2 / 3),
        (Goal(steps=5), 1.0),
        (Goal(), 1.0),
    ],
)
def test_the_share_is_that_of_the_limit_that_is_reached_first(goal, share):
    assert goal.reached(10, 60.0) == pytest.approx(share)
