import numpy as np
import pytest

from tests.made import PROVENANCE
from ttskit.artifact import Writer
from ttskit.kinds import Features

ATTRIBUTES = {
    "sample_rate": 16000, "hop_length": 256, "n_fft": 1024, "n_mels": 20, "fmin": 0.0, "fmax": 8e3,
}  # fmt: skip


@pytest.fixture
def features(tmp_path):
    """Two utterances: one voiced in its middle, one without any voice."""
    path = tmp_path / "features.h5"
    with Writer(path, Features, provenance=PROVENANCE, attributes=ATTRIBUTES) as writer:
        for id, voiced in (("a", np.arange(60) // 20 == 1), ("b", np.zeros(60, bool))):
            writer.append(
                Features(
                    id=id,
                    speaker="",
                    text="costs $5 or $6",
                    mel=np.random.default_rng(0).normal(size=(60, 20)),
                    f0=np.where(voiced, 150.0, 0),
                    voiced=voiced,
                    periodicity=voiced.astype(float),
                    loudness=np.linspace(-60, 0, 60),
                    energy=np.ones(60),
                )
            )
        writer.seal(["a", "b"])
    return path


@pytest.mark.parametrize(("name", "magic"), [("x.png", b"\x89PNG"), ("x.pdf", b"%PDF")])
@pytest.mark.parametrize("id", ["a", "b"])
def test_a_picture_is_written(features, tmp_path, ttskit, name, magic, id):
    found = ttskit("plot", features, "--id", id, "-o", name)
    assert (found.returncode, found.stderr) == (0, b"")
    assert (tmp_path / name).read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["features.h5", "--id", "z"], "features.h5: has no utterance z"),
        (["features.h5", "-o", "x.doc"], "x.doc: cannot be drawn"),
        (["corpus.h5"], "no features artifact among the inputs"),
        (["features.h5", "corpus.h5"], "corpus.h5: has no utterance a"),
    ],
)
@pytest.mark.usefixtures("features", "corpus")
def test_what_the_user_can_mend_takes_one_line(ttskit, words, says):
    found = ttskit("plot", *words)
    told = found.stderr.decode()
    assert (found.returncode, told.count("\n")) == (1, 1), told
    assert says in told
