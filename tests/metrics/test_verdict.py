"""What scores mean in words, by ceilings and floors that the tests plant."""

import json
from typing import Any

import numpy as np
import pytest

from tests.factory import run
from tests.metrics.signals import RATE, noisy, pair, speech
from tests.stages.test_evaluate import write
from ttskit.artifacts.kinds import Scores
from ttskit.artifacts.reader import Reader
from ttskit.metrics import intonation, judge
from ttskit.metrics.score import Score
from ttskit.metrics.verdict import Bounds, in_words

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "bounds", "score", "words"),
    [
        (3.1, (3, 13), Score("dB"), "as good as the recordings through the vocoder (3)"),
        (8, (3, 13), Score("dB"), "50 % of the way from another sentence (13) to the recordings"),
        (13, (3, 13), Score("dB"), "no better than another sentence (13)"),
        (0.5, (0.9, 0.1), Score("r", "higher"), "50 % of the way from another sentence (0.1)"),
        (2.5, (4, 1), Score("MOS", "higher", worst=1), "50 % of the way from the worst there is"),
        (0.5, (0.1, 0.9), Score("r", "higher"), "the recordings through the vocoder are no better"),
        (NAN, (3, 13), Score("dB"), ""),
        (3, (NAN, 13), Score("dB"), ""),
    ],
)
def test_a_score_is_placed_between_floor_and_ceiling(value, bounds, score, words):
    found = in_words(value, Bounds(*bounds), score)
    assert found.startswith(words)
    assert bool(found) == bool(words)


def tone(frequency, seconds=1.0):
    """A voiced sound whose pitch does not move."""
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(np.sin(2 * np.pi * n * frequency * time) / n for n in range(1, 20)) / 4


@pytest.mark.parametrize(
    ("frequency", "words"),
    [
        (RATE / 256, "the pitch is constant (86 Hz, the frame rate): the vocoder is not trained"),
        (150, "the pitch is constant (150 Hz): the vocoder or the pitch predictor is not trained"),
    ],
)
def test_a_buzz_is_said_to_have_a_constant_pitch(frequency, words):
    scores = intonation.evaluate(pair(speech(), tone(frequency)), intonation.Settings())
    assert intonation.in_words(scores) == {"f0_deviation": words}


def test_pitch_that_moves_is_compared_with_that_of_the_reference():
    time = np.arange(RATE) / RATE
    cents = 300 * np.sin(2 * np.pi * 2 * time)
    phase = 2 * np.pi * np.cumsum(150 * 2 ** (cents / 1200)) / RATE
    lively = np.sum([np.sin(n * phase) / n for n in range(1, 20)], axis=0) / 4
    scores = intonation.evaluate(pair(lively, lively), intonation.Settings())
    assert scores["f0_deviation"] == pytest.approx(300 / np.sqrt(2), rel=0.1)
    assert scores["f0_deviation_ratio"] == 1
    assert intonation.in_words(scores) == {}


def test_evaluate_says_how_near_the_ceiling_is(tmp_path):
    sounds = {f"u{part}": speech()[RATE * part // 3 : RATE * (part + 1) // 3] for part in range(3)}
    write(tmp_path / "ref.h5", sounds)
    for name, snr in (("copies", 50), ("bad", 25)):
        write(tmp_path / f"{name}.h5", {id: noisy(audio, snr) for id, audio in sounds.items()})
    fast = ("--measures", "mcd,length", "--jobs", 1)
    ceiling = ("--ceiling", tmp_path / "copies.h5")
    words = ("evaluate", tmp_path / "ref.h5", tmp_path / "bad.h5", *fast, *ceiling)
    found = json.loads(run(*words, "-o", tmp_path / "scores.h5", "--json").stdout)
    alone = ("evaluate", tmp_path / "ref.h5", tmp_path / "copies.h5", *fast, "--json")
    copies = json.loads(run(*alone).stdout)
    assert found["mcd"]["ceiling"] == copies["mcd"]["mean"]
    assert found["mcd"]["hash"] == copies["mcd"]["hash"]
    assert found["mcd"]["ceiling"] < found["mcd"]["mean"] < found["mcd"]["floor"]
    assert "% of the way from another sentence" in found["mcd"]["words"]
    assert "ceiling" not in found["length_ratio"]
    page = run("evaluate", tmp_path / "scores.h5").stdout  # from the Scores alone
    assert found["mcd"]["words"] in page
    scores = Reader(tmp_path / "scores.h5", Scores)
    rolled = {id: sounds[other] for id, other in zip(sounds, ["u1", "u2", "u0"], strict=True)}
    write(tmp_path / "others.h5", rolled)
    alone = ("evaluate", tmp_path / "ref.h5", tmp_path / "others.h5", *fast, "--json")
    others = json.loads(run(*alone).stdout)
    assert scores.column("mcd_floor").mean() == pytest.approx(others["mcd"]["mean"])
    assert run("verify", tmp_path / "scores.h5").exit_code == 0


def test_a_report_says_what_scores_mean(tmp_path):
    sounds = {f"u{part}": speech()[RATE * part // 3 : RATE * (part + 1) // 3] for part in range(2)}
    for name, snr in (("ref", 90), ("copies", 50), ("bad", 25)):
        write(tmp_path / f"{name}.h5", {id: noisy(audio, snr) for id, audio in sounds.items()})
    ref, bad, scores = (tmp_path / name for name in ("ref.h5", "bad.h5", "scores.h5"))
    fast = ("--measures", "mcd", "--jobs", 1, "--ceiling", tmp_path / "copies.h5")
    run("evaluate", ref, bad, *fast, "-o", scores)
    run("report", ref, bad, tmp_path / "copies.h5", scores, "--jobs", 1, "-o", tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()
    assert "% of the way from another sentence" in page


def test_mismatches_are_counted_beyond_five_of_a_kind(tmp_path):
    sounds = {f"u{number:02}": speech()[: RATE // 4] for number in range(12)}
    write(tmp_path / "ref.h5", sounds)
    write(tmp_path / "one.h5", {"u00": sounds["u00"]})
    words = (tmp_path / "ref.h5", tmp_path / "one.h5", "--measures", "length", "--jobs", 1)
    found = run("evaluate", *words, "--skip-bad").stderr.splitlines()
    listed = [line for line in found if "is not in" in line]
    assert len(listed) == 6
    assert "and 6 more, the last one u11: is not in" in listed[-1]


def test_the_floor_is_what_another_text_scores_and_not_another_take():
    texts = ["one", "one", "two", "one"]

    class Recordings:
        ids = ("a", "b", "c", "d")

        def __len__(self) -> int:
            return len(self.ids)

        def row(self, id):
            return self.ids.index(id)

        def value(self, row, _name):
            return texts[row]

    reference: Any = Recordings()
    assert [judge._other(reference, id) for id in reference.ids] == ["c", "c", "d", "c"]
    texts[2] = "one"
    assert judge._other(reference, "a") is None
    texts[:] = [""] * 4  # of tones, say
    assert [judge._other(reference, id) for id in reference.ids] == ["b", "c", "d", "a"]
