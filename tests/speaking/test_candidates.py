"""Choosing between takes."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ttskit.errors import AlignmentError, ArtifactError, TtskitError, UsageError
from ttskit.speaking import candidates
from ttskit.speaking.candidates import Choice, Judges
from ttskit.speaking.realignment import Realigned, Script

SCRIPT = Script("a", "", "one", np.array([1, 2]), np.array([0, 0]), ("one",))


def model(role, name="aligner.h5"):
    return SimpleNamespace(
        role=role, name=name, takes=("tokens",), makes=(), digest="d", language="nl",
        facts=SimpleNamespace(symbols=(), sample_rate=1, hop_length=1, codec=""),
    )  # fmt: skip


def cascade(*judges, makes=("durations", "mel", "audio")) -> Any:
    return SimpleNamespace(
        beside={one.role: one for one in judges}, makes=set(makes), known=("tokens",),
        models=[model("decoder", "decoder.h5")], wanted="audio", device="cpu",
        facts=SimpleNamespace(sample_rate=16000), language="nl",
    )  # fmt: skip


def hears(language):
    """A recogniser of Dutch that is told the error rate as the audio."""
    assert language == "nl"
    return lambda audio, _rate, _text: audio


@pytest.fixture
def judged(monkeypatch):
    """Choose between takes whose faults and scores of the aligner are given."""

    def judged(faults, scores, weights, count=None, wrong=None):
        found = [
            Realigned(np.array([1, 1]), score, fault)
            for fault, score in zip(faults, scores, strict=True)
        ]
        monkeypatch.setattr(candidates, "realigned", lambda _aligner, mel, _script: found[mel])
        recogniser: Any = hears if wrong else None
        choice = Choice(count or len(faults), weights, (), recogniser)
        monkeypatch.setattr(candidates, "Neural", lambda model, device: (model, device))
        judges = Judges(cascade(model("aligner")), choice)
        taken = []

        def make(number) -> Any:
            taken.append(number)
            return {"mel": number, "durations": np.array([1, 1]),
                    "audio": wrong[number] if wrong else 0.0}  # fmt: skip

        return judges.choose(SCRIPT, make), taken

    return judged


def test_without_rankers_the_first_faultless_take_is_chosen_and_no_more_are_made(judged):
    chosen, taken = judged(["lost", "", ""], [0, 0, 0], {})
    assert (chosen.candidate, taken) == (1, [0, 1])
    account = chosen.account()
    assert account["candidate"] == 1
    assert account["others"] == [{"candidate": 0, "scores": {}, "lost": "lost"}]


def test_after_the_last_take_the_error_says_what_is_lost(judged):
    with pytest.raises(AlignmentError, match="the word 'b' is lost, in the last of 2 candidates"):
        judged(["the word 'a' is lost", "the word 'b' is lost"], [0, 0], {"align": 1})


def test_the_best_score_is_chosen_of_those_without_a_fault(judged):
    chosen, taken = judged(["", "lost", ""], [-3, -1, -2], {"align": 1})
    assert (chosen.candidate, taken) == (2, [0, 1, 2])
    assert [row["candidate"] for row in chosen.account()["others"]] == [0, 1]


def test_scores_are_summed_in_deviations_by_weight(judged):
    """Error rates 0.1 and 0.9 are as far apart as log-probabilities -1 and -5."""
    takes = ["", ""], [-1, -5]
    assert judged(*takes, {"align": 1, "heard": 2}, wrong=[0.9, 0.1])[0].candidate == 1
    assert judged(*takes, {"align": 2, "heard": 1}, wrong=[0.9, 0.1])[0].candidate == 0
    chosen, _ = judged(*takes, {"align": 1, "heard": 2}, wrong=[0.9, 0.1])
    assert [one.total for one in chosen.verdicts] == pytest.approx([-1, 1])


def test_a_ranker_that_lacks_something_says_what():
    with pytest.raises(UsageError, match="--rank best: there is clvp, align, duration, heard"):
        Judges(cascade(), Choice(2, {"best": 1}))
    with pytest.raises(TtskitError, match="--rank align: needs an aligner"):
        Judges(cascade(), Choice(2, {"align": 1}))
    with pytest.raises(TtskitError, match="--rank clvp: needs a ranker"):
        Judges(cascade(model("ranker")), Choice(2, {"clvp": 1}))  # the chain makes no codes


def test_a_chain_that_does_not_say_when_it_speaks_needs_an_aligner():
    with pytest.raises(ArtifactError, match=r"makes durations: decoder.h5 .* aligner"):
        Judges(cascade(makes=("codes", "mel", "audio")), Choice())


def test_candidates_are_made_up_to_what_is_judged():
    assert Judges(cascade(), Choice()).wanted == "audio"
    assert Judges(cascade(model("aligner")), Choice(4)).wanted == "mel"
    heard: Any = lambda: None  # noqa: E731
    assert Judges(cascade(), Choice(4, {"heard": 1}, (), heard)).wanted == "audio"


def test_candidates_that_nothing_chooses_between_are_refused():
    with pytest.raises(UsageError, match=r"nothing chooses between 4 candidates: add --rank"):
        Judges(cascade(), Choice(4))
    with pytest.raises(UsageError, match=r"nothing chooses between 2 candidates"):
        Judges(cascade(model("duration")), Choice(2))


def test_of_two_judges_of_a_role_the_second_is_refused():
    twice: Any = (model("aligner"), model("aligner", "other.h5"))
    with pytest.raises(UsageError, match=r"other.h5: is a second aligner beside aligner.h5"):
        Judges(cascade(), Choice(1, {}, twice))


def test_a_duration_model_judges_by_the_rate_that_was_asked_for(monkeypatch):
    """At half the rate, tokens of 7 and 15 frames are as expected, those of 11 frames are not."""
    found = [Realigned(np.array(frames), 0.0, "") for frames in ([11, 11], [7, 15])]
    monkeypatch.setattr(candidates, "realigned", lambda _aligner, mel, _script: found[mel])
    monkeypatch.setattr(candidates, "Neural", lambda model, device: (model, device))
    predicted = np.array([3.5, 7.5])

    class Predicting:
        def __init__(self, *_given) -> None:
            pass

        def run(self, _id, _known, manner, _seed):
            return {"durations": predicted * manner.length_scale}

    monkeypatch.setattr(candidates, "Cascade", Predicting)
    judges = Judges(cascade(model("aligner"), model("duration")), Choice(2, {"duration": 1.0}))

    def make(number) -> Any:
        return {"mel": number, "durations": np.array([11, 11])}

    assert judges.choose(replace(SCRIPT, length_scale=2.0), make).candidate == 1
