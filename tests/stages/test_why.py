"""`ttskit why` through the command line, on artifacts whose contents the tests know."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.factory import (
    PROVENANCE,
    alignment_record,
    answer,
    corpus_record,
    run,
    write_alignment,
    write_corpus,
)
from ttskit.artifacts import sealing
from ttskit.artifacts.kinds import KINDS, Controls, Corpus, Features, Scores
from ttskit.artifacts.writer import Writer
from ttskit.errors import TtskitError
from ttskit.metrics.judge import columns
from ttskit.pages.facts import FACTS
from ttskit.voices.model import texts

FRAME = 256 / 16000  # seconds


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """corpus.h5, features.h5, alignment.h5 and scores.h5 of the utterances a, b, c, d."""
    folder = tmp_path_factory.mktemp("why")
    records = [
        replace(alignment_record(id), score=np.array(-place)) for place, id in enumerate("abcd")
    ]
    write_alignment(folder / "alignment.h5", *records)
    header: dict[str, Any] = {"provenance": PROVENANCE}
    with Writer(
        folder / "corpus.h5", Corpus, attributes={"sample_rate": 16000}, **header
    ) as writer:
        for id in "abcd":
            audio = np.zeros(25600 + 200, "i2")
            audio[8000:16000] = 16384
            writer.append(Corpus(id=id, speaker="ann", text=records[0].text, audio=audio))
        writer.seal("abcd")
    grid = {"sample_rate": 16000, "hop_length": 256, "n_fft": 1024, "n_mels": 4, "fmin": 0.0}
    with Writer(
        folder / "features.h5", Features, attributes={**grid, "fmax": 8e3}, **header
    ) as writer:
        for id in "abcd":
            writer.append(
                Features(
                    id=id, speaker="ann", text=records[0].text,
                    mel=np.zeros((100, 4)), energy=np.ones(100), periodicity=np.ones(100),
                    voiced=np.arange(100) < 25, f0=np.where(np.arange(100) < 25, 200.0, 900.0),
                    loudness=np.linspace(-50, 50, 100),
                )
            )  # fmt: skip
        writer.seal("abcd")
    tables = {"measures": ["mcd"], "hashes": ["x"], "settings": ["{}"], "libraries": []}
    numbers = columns(["mcd", "plcmos"])
    with Writer(folder / "scores.h5", Scores, tables=tables, numbers=numbers, **header) as writer:
        for id, mcd, plcmos in zip("abcd", (5.0, 4.0, 7.0, np.nan), (3, 4, 2, 1), strict=True):
            values: dict[str, Any] = {
                "heard": f"words of {id}",
                "numbers": {"mcd": mcd, "plcmos": plcmos},
            }
            writer.append(Scores(id=id, speaker="ann", text="other words", **values))
        writer.seal("abcd")
    return folder


@pytest.fixture(autouse=True)
def folder(artifacts, monkeypatch):
    monkeypatch.chdir(artifacts)
    return artifacts


def asked(*words):
    return json.loads(run("why", *words, "--json").stdout)


def of_kind(found, kind):
    (artifact,) = [one for one in found["artifacts"] if one["kind"] == kind]
    return artifact


def test_words_have_their_phonemes_times_and_mean_scores():
    words = of_kind(asked("a", "alignment.h5"), "alignment")["words"]
    assert [word["word"] for word in words] == ["hello", "oh", "lo"]
    assert [word["phonemes"] for word in words] == ["h ə l ˈoʊ", "ˈoʊ", "l ˈoʊ"]
    times = [word[edge] for word in words for edge in ("start", "stop")]
    frames = np.array([10, 34, 54, 69, 69, 93])
    assert times == pytest.approx(frames * FRAME, abs=1e-3)
    of_tokens = np.linspace(-50, -40, 12)
    mean = (5 * of_tokens[1] + 3 * of_tokens[2] + 4 * of_tokens[3] + 12 * of_tokens[4]) / 24
    assert words[0]["score"] == pytest.approx(mean, abs=1e-3)
    assert words[1]["score"] == pytest.approx(of_tokens[7], abs=1e-3)


def test_a_word_without_frames_has_no_times(folder):
    record = alignment_record()
    frames = record.durations.copy()
    frames[7] = 0
    write_alignment(folder / "edited.h5", replace(record, durations=frames))
    assert of_kind(asked("a", "edited.h5"), "alignment")["words"][1].keys() == {
        "word", "phonemes",
    }  # fmt: skip


def test_recordings_and_features_are_summarised():
    found = asked("b", "features.h5", "corpus.h5")
    audio = of_kind(found, "corpus")
    assert (audio["samples"], audio["sample_rate"]) == (25800, 16000)
    assert audio["seconds"] == pytest.approx(25800 / 16000, abs=1e-3)
    assert audio["peak_db"] == pytest.approx(20 * np.log10(0.5), abs=0.1)
    assert audio["silence_seconds"]["start"] == pytest.approx(0.5)
    features = of_kind(found, "features")
    assert (features["frames"], features["voiced_share"]) == (100, 0.25)
    assert features["f0_hz"] == {"low": 200, "median": 200, "high": 200}
    assert features["loudness_db"] == pytest.approx({"low": -45, "median": 0, "high": 45})


def test_every_kind_has_facts():
    assert set(FACTS) == {kind.kind() for kind in KINDS}


def test_controls_are_summarised_and_plotted(folder):
    grid = {"sample_rate": 16000, "hop_length": 256}
    with Writer(folder / "controls.h5", Controls, attributes=grid, provenance=PROVENANCE) as writer:
        writer.append(
            Controls(
                id="a", speaker="ann", text=alignment_record().text,
                f0=np.full(100, 200.0), voiced=np.arange(100) < 25,
                amplitude=np.where(np.arange(100) < 25, 0.1, 0.0),
                distribution=np.full((100, 2), 0.5), noise=np.full((100, 3), 0.01),
            )
        )  # fmt: skip
        writer.seal("a")
    controls = of_kind(asked("a", "controls.h5", "--plot", "played.png"), "controls")
    assert (controls["frames"], controls["voiced_share"], controls["f0_hz"]["median"]) == (
        100,
        0.25,
        200,
    )
    assert (controls["amplitude_db"]["low"], controls["noise_db"]["median"]) == (-20, -40)
    assert (folder / "played.png").read_bytes().startswith(b"\x89PNG")


def test_scores_have_ranks_among_all_utterances():
    rows = {row["number"]: row for row in of_kind(asked("a", "scores.h5"), "scores")["scores"]}
    assert (rows["mcd"]["value"], rows["mcd"]["rank"], rows["mcd"]["of"]) == (5, 2, 3)
    assert (rows["plcmos"]["rank"], rows["plcmos"]["percentile"]) == (2, 75)
    score = of_kind(asked("b", "alignment.h5"), "alignment")["score"]
    assert (score["rank"], score["of"]) == (2, 4)


def test_the_order_of_the_inputs_does_not_matter():
    names = ["corpus.h5", "features.h5", "alignment.h5", "scores.h5"]
    assert asked("a", *names) == asked("a", *names[::-1])
    kinds = [one["kind"] for one in asked("a", *names)["artifacts"]]
    assert kinds == ["corpus", "features", "alignment", "scores"]


def test_a_different_text_is_reported():
    found = asked("a", "scores.h5", "corpus.h5")
    assert found["text"] == alignment_record().text
    assert of_kind(found, "scores")["text"] == "other words"
    assert "text" not in of_kind(found, "corpus")


def test_the_stage_that_skipped_an_utterance_is_named_with_the_reason(folder):
    write_corpus(folder / "first.h5", range(3), skipped={"gone": "has no samples"})
    run("select", "first.h5", "--head", 2, "-o", "second.h5")
    found = asked("gone", "second.h5", "first.h5", "alignment.h5")
    states = {one["path"]: one for one in found["artifacts"]}
    assert states["first.h5"]["state"] == states["second.h5"]["state"] == "skipped"
    assert states["second.h5"]["reason"] == "has no samples"
    assert states["second.h5"]["since"] == "first.h5"
    assert "since" not in states["first.h5"]
    assert states["second.h5"]["inputs"] == ["first.h5"]
    assert states["alignment.h5"]["state"] == "lacks it"
    assert asked(corpus_record(2).id, "first.h5", "second.h5")["artifacts"][1]["state"] == (
        "lacks it"
    )


def test_a_model_reports_held_out_utterances(folder):
    for name, held_out in (("one", ["a", "x"]), ("two", ["x"])):
        columns = texts("validation", held_out)
        sealing.seal(folder / f"{name}.h5", "model", {}, PROVENANCE, columns)
    found = asked("a", "one.h5", "two.h5", "corpus.h5")["artifacts"]
    assert [one["state"] for one in found] == [
        "there", "held out of training", "not held out of training",
    ]  # fmt: skip


def test_the_text_agrees_with_the_json():
    page = run("why", "a", "scores.h5", "alignment.h5", "corpus.h5").stdout
    assert "\n" not in page.splitlines()[1]
    assert "“Hello, Oh\\x0a<lo>!”" in page
    for text in ("h ə l ˈoʊ", "corpus.h5: corpus, made by test", "words of a", "0.544"):
        assert text in page


def test_the_plot_uses_artifacts_that_have_the_utterance(folder):
    write_corpus(folder / "other.h5", range(2))
    run("why", "a", "other.h5", "alignment.h5", "scores.h5", "--plot", "x.png")
    assert (folder / "x.png").read_bytes().startswith(b"\x89PNG")


def test_one_broken_file_among_others_is_named_and_left_out(folder):
    (folder / "bad.h5").write_bytes((folder / "scores.h5").read_bytes()[:100])
    (folder / "notes.txt").write_text("a")
    found = answer("why", "a", "bad.h5", "scores.h5", "notes.txt", "--json")
    assert found.returncode == 1
    (artifact,) = json.loads(found.stdout)["artifacts"]
    assert artifact["path"] == "scores.h5"
    lines = found.stderr.decode().splitlines()
    assert [line.split(":")[1] for line in lines] == [" bad.h5", " notes.txt"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("u0011", "numbers.h5"), "no artifact has an utterance u0011; nearest: u011, u001"),
        (("qqqq", "numbers.h5"), "no artifact has an utterance qqqq$"),
        (("a", "cut.h5"), "cut.h5: is cut short"),
        (("a", "none.h5"), "none.h5: no such file"),
        (("a", "scores.h5", "--plot", "x.png"), "alignment, mels, codes or controls artifact"),
    ],
)
def test_errors_of_the_user_take_one_line(folder, words, reason):
    whole = write_corpus(folder / "numbers.h5").read_bytes()
    (folder / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TtskitError, match=reason) as error:
        run("why", *words)
    assert "\n" not in str(error.value)
