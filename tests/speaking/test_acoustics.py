"""From tokens to mel, with models that have learnt nothing."""

import numpy as np
import pytest

from tests.made import SPOKEN, write_model, write_speakers
from ttskit.errors import TtskitError
from ttskit.speaking.acoustics import Acoustics, Manner
from ttskit.voices.model import read_model

WORDS = ("misters", "no")
TOKENS = [np.array([1, *(SPOKEN.index(letter) for letter in word), 2]) for word in WORDS]
STILL = {"noise_scale": 0.0}


@pytest.fixture
def acoustics(tmp_path):
    write_speakers(tmp_path, {"pitch": True}, {"predict": ["pitch"]})
    models = (read_model(tmp_path / f"{role}.h5") for role in ("duration", "decoder"))
    return Acoustics(*models)


def test_who_is_spoken_beside_one_changes_nothing(acoustics):
    together = acoustics.speak(["a", "b"], TOKENS, [Manner(knobs=STILL)] * 2, 0)
    for id, tokens, spoken in zip("ab", TOKENS, together, strict=True):
        (alone,) = acoustics.speak([id], [tokens], [Manner(knobs=STILL)], 0)
        np.testing.assert_array_equal(alone.durations, spoken.durations)
        np.testing.assert_allclose(alone.mel, spoken.mel, atol=1e-4)
        assert len(spoken.foretold["pitch"]) == len(tokens)


def test_what_is_known_needs_no_duration_model(acoustics, tmp_path):
    manner = Manner(knobs=STILL)
    (foretold,) = acoustics.speak(["a"], TOKENS[:1], [manner], 0)
    decoder = Acoustics(None, read_model(tmp_path / "decoder.h5"))
    known = Manner(knobs=STILL, durations=foretold.durations, known=foretold.foretold)
    (told,) = decoder.speak(["a"], TOKENS[:1], [known], 0)
    np.testing.assert_array_equal(told.mel, foretold.mel)


def test_pitch_can_be_moved_token_by_token(acoustics):
    moved = Manner(knobs=STILL, pitch=np.eye(len(TOKENS[0]))[-1] * 12)
    spoken = [acoustics.speak(["a"], TOKENS[:1], [m], 0)[0] for m in (Manner(knobs=STILL), moved)]
    assert spoken[0].mel.shape == spoken[1].mel.shape
    assert not np.array_equal(spoken[0].mel, spoken[1].mel)


@pytest.mark.usefixtures("acoustics")
@pytest.mark.parametrize("value", [30.0, np.nan])
def test_durations_that_are_nonsense_are_refused(tmp_path, value):
    sizes = {"encoder": {"hidden": 16, "filter": 24, "layers": 1}, "predict": ["pitch"]}
    path = tmp_path / "duration.h5"
    write_model(path, "plain", sizes, lambda m: m.values.bias[0].fill_(value))
    wrong = Acoustics(read_model(path), read_model(tmp_path / "decoder.h5"))
    with pytest.raises(TtskitError, match=r"a: the duration model foretells .* frames for a token"):
        wrong.speak(["a"], TOKENS[:1], [Manner()], 0)
