"""What is said of a training: planted curves, and what has to be found in them."""

import numpy as np
import pytest

from ttskit.errors import TtskitError
from ttskit.training import analysis
from ttskit.training.analysis import analysed, components, times, trend


def log(training, validation=(), every=10, **columns):
    """Rows of a log with these losses; further columns are those of every update."""
    rows = []
    for step, loss in enumerate(training, 1):
        times = {"step_seconds": 2.0, "data_seconds": 0.1, "backward_seconds": 1.0}
        rows.append({"step": step, "seconds": 2.0 * step, "loss": loss, "gradient": 1.0,
                     "memory_mb": 100.0 + step, **times, **columns})  # fmt: skip
        if step % every == 0 and step // every <= len(validation):
            rows.append({"step": step, "held_out/loss": validation[step // every - 1]})
    return rows


def falling(count):
    return list(np.linspace(5, 1, count))


def test_the_best_update_is_that_of_the_lowest_validation_loss():
    result = analysed(log(falling(50), [5, 4, 3.5, 3.7, 3.9]))
    assert (result.judged, result.best_update, result.best_loss) == ("validation", 30, 3.5)
    assert (result.updates, result.last_loss, result.seconds) == (50, 3.9, 100)


def test_without_validation_the_training_loss_is_judged():
    result = analysed(log(falling(200)))
    assert (result.judged, result.best_update, result.overfitting) == ("training", 200, 0)


def test_a_validation_loss_that_rises_while_training_falls_is_over_fitting():
    result = analysed(log(falling(300), [*np.linspace(5, 3, 10), *np.linspace(3, 4, 20)]))
    assert result.overfitting == pytest.approx(0.316, abs=0.01)
    assert result.fall < 0
    assert result.advice[0].startswith("over-fitting: the validation loss has risen by 31.6% since")


def test_both_losses_rising_is_no_over_fitting():
    losses = [*np.linspace(5, 3, 150), *np.linspace(3, 6, 150)]
    result = analysed(log(losses, losses[9::10]))
    assert "getting worse" in result.advice[0]


@pytest.mark.parametrize(
    ("late", "start"),
    [([3.0] * 20, "plateau"), (list(np.linspace(3, 2, 20)), "still improving")],
)
def test_a_plateau_is_told_from_progress(late, start):
    result = analysed(log(falling(300), [*np.linspace(5, 3, 10), *late]))
    assert result.plateau == (start == "plateau")
    assert result.advice[0].startswith(start)


def test_the_trend_is_the_change_along_a_line():
    steps = np.arange(0.0, 301)
    assert trend(steps, 10 - steps / 50) == pytest.approx(-2 / 5, rel=1e-6)


def test_components_are_shares_of_their_sizes_the_largest_first():
    rows = [{"loss/mel": 3.0, "loss/confidence": -1.0}, {"loss/mel": 3.0, "loss/confidence": -1.0}]
    assert components(rows) == {"mel": 0.75, "confidence": 0.25}


def test_shares_of_the_time_add_up():
    shares = times([{"step_seconds": 4.0, "data_seconds": 1.0, "backward_seconds": 2.0}])
    assert shares == {"data": 0.25, "backward pass": 0.5, "forward pass and optimizer": 0.25}


def test_what_slows_a_training_is_named():
    result = analysed(log(falling(100), data_seconds=1.0, gradient=9.0), clip_norm=1.0)
    texts = " ".join(result.advice)
    assert "50% of the time is spent waiting for data" in texts
    assert "100% of the gradients are clipped" in texts
    assert result.memory_mb == 200


def test_the_last_accuracies_are_kept():
    rows = [*log(falling(9)), {"step": 5, "watch/accuracy/1": 0.1}]
    rows += [{"step": 9, "watch/accuracy/1": 0.3, "watch/other": 1.0}]
    assert analysed(rows).accuracy == {"1": 0.3}


def test_a_log_without_updates_is_refused():
    with pytest.raises(TtskitError, match=r"log\.jsonl: has no update"):
        analysed([], name="log.jsonl")


def test_losses_before_the_best_one_are_no_rise():
    assert analysis._rise(np.array([3.0, 2.0, 1.0])) == 0
    assert analysis._rise(np.array([3.0, 2.0, 1.0, 1.001])) == pytest.approx(0.0005)
    assert analysis._rise(np.array([1.0, 3.0, 1.1, 1.2, 1.3])) == pytest.approx(0.2)
