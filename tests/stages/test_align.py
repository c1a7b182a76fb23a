"""`ttskit align` through the command line, on signals whose boundaries are known."""

import numpy as np
import pytest

from tests.made import PROVENANCE, sha
from ttskit.artifact import Reader, Writer
from ttskit.dsp import mel, speechlike
from ttskit.dsp.mel import MelSettings
from ttskit.kinds import Alignment, Features, Tokens

RATE, HOP = 22050, 256
TABLE = ["<pad>", "<begin>", "<end>", "#", *"aeioulmnrsftk"]
ATTRIBUTES = {
    "sample_rate": RATE, "hop_length": HOP, "n_fft": 1024, "n_mels": 80, "fmin": 0.0, "fmax": 8e3,
}  # fmt: skip


@pytest.fixture
def truth(tmp_path):
    """features.h5 and tokens.h5 of thirty utterances; their boundaries, in frames."""
    rng, boundaries = np.random.default_rng(0), {}
    told = {"provenance": PROVENANCE}
    with (
        Writer(tmp_path / "features.h5", Features, attributes=ATTRIBUTES, **told) as heard,
        Writer(tmp_path / "tokens.h5", Tokens, tables={"symbols": TABLE}, **told) as spelt,
    ):
        ids = [f"u{number}" for number in range(30)]
        for id in ids:
            word = "".join(rng.choice(list("aeioulmnrsftk"), 7, replace=False))
            audio, known = speechlike.synthesise(speechlike.sounds(word, rng), rng, RATE)
            boundaries[id] = known.starts[1:-1] / HOP
            bands = mel.mel(audio, MelSettings())
            flat = dict.fromkeys(("f0", "periodicity", "loudness", "energy"), np.zeros(len(bands)))
            columns = {"mel": bands, "voiced": np.zeros(len(bands), bool), **flat}
            heard.append(Features(id=id, speaker="", text=word, **columns))
            letters = [TABLE.index(letter) for letter in word]
            spelt.append(
                Tokens(
                    id=id,
                    speaker="",
                    text=word,
                    language="characters",
                    tokens=np.array([1, *letters, 2]),
                    token_word=np.array([-1, *[0] * len(letters), -1]),
                    words=np.array([word], dtype=object),
                    spans=np.array([[0, len(word)]]),
                    guessed=np.array([False]),
                    dropped="",
                )
            )
        heard.seal(ids)
        spelt.seal(ids)
    return boundaries


def test_boundaries_are_found(truth, tmp_path, ttskit):
    found = ttskit("align", "features.h5", "tokens.h5", "-o", "x.h5")
    assert found.returncode == 0, found.stderr
    reader, heard = Reader(tmp_path / "x.h5", Alignment), Reader(tmp_path / "features.h5", Features)
    off = []
    for id, starts in truth.items():
        record = reader[id]
        assert record.durations.sum() == len(heard[id].mel)
        assert (record.durations[record.token_word >= 0] > 0).all()
        off += list(np.abs(np.cumsum(record.durations)[:-1] - starts))
    assert np.median(off) <= 1
    assert np.mean(np.array(off) <= 2) > 0.9


@pytest.mark.usefixtures("truth")
def test_bytes_do_not_depend_on_jobs_or_on_the_order_of_inputs(tmp_path, ttskit):
    assert ttskit("align", "features.h5", "tokens.h5", "-j", 1, "-o", "a.h5").returncode == 0
    assert ttskit("align", "tokens.h5", "features.h5", "-j", 2, "-o", "b.h5").returncode == 0
    assert sha(tmp_path / "a.h5") == sha(tmp_path / "b.h5")
    assert b"up to date" in ttskit("align", "features.h5", "tokens.h5", "-o", "a.h5").stderr


@pytest.mark.usefixtures("truth")
def test_what_does_not_fit_takes_one_line(ttskit):
    ttskit("select", "tokens.h5", "--head", 5, "-o", "few.h5")
    for words, says in (
        (["features.h5", "few.h5"], "few.h5: lacks u5, which features.h5 has: make it again with"),
        (["features.h5"], "no tokens artifact among the inputs: features.h5 (features)"),
        (["features.h5", "features.h5", "tokens.h5"], "features.h5: is a second features"),
    ):
        found = ttskit("align", *words, "-o", "x.h5")
        told = found.stderr.decode()
        assert (found.returncode, told.count("\n")) == (1, 1), told
        assert says in told
