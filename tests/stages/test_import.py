"""`ttskit import` of TextGrids: the same tokens, with the durations of the edited tier."""

import numpy as np
import pytest

from tests.factory import alignment_record, run, write_alignment
from ttskit.artifacts.kinds import Alignment
from ttskit.artifacts.reader import Reader
from ttskit.errors import TtskitError
from ttskit.formats import textgrid
from ttskit.formats.timeline import Interval

STEP = 256 / 16000
RECORD = alignment_record()
FRAMES = [frames for frames in RECORD.durations.tolist() if frames]
LABELS = ["<begin>", *"həl", "ˈoʊ", "#", "ˈoʊ", "l", "ˈoʊ", "<end>"]


@pytest.fixture
def like(tmp_path):
    return write_alignment(tmp_path / "like.h5", alignment_record("a"), alignment_record("ö b.c"))


def write(path, labels=LABELS, frames=FRAMES, tier="phones", encoding="utf-8"):
    """Write a TextGrid by how many frames each label lasts; they need not be whole."""
    edges = (np.cumsum([0, *frames]) * STEP).tolist()
    intervals = list(map(Interval, edges, edges[1:], labels, range(len(labels))))
    path.parent.mkdir(exist_ok=True)
    path.write_text(textgrid.text({tier: intervals}, edges[-1]), encoding=encoding)
    return path


def imported(tmp_path, *words):
    run("import", *words, "-o", tmp_path / "edited.h5")
    return Reader(tmp_path / "edited.h5", Alignment)


def test_unedited_textgrids_change_nothing(tmp_path, like):
    run("export", like, "-f", "textgrid", "-o", tmp_path / "grids")
    assert (
        imported(tmp_path, tmp_path / "grids", "--like", like).digest
        == Reader(like, Alignment).digest
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_moved_boundary_changes_the_tokens_beside_it(tmp_path, like, encoding):
    frames = [*FRAMES]
    frames[2:4] = [frames[2] + 2.3, frames[3] - 2.3]
    path = write(tmp_path / "ö b.c.TextGrid", frames=frames, encoding=encoding)
    found = imported(tmp_path, path, "--like", like)
    record = found["ö b.c"]
    expected = RECORD.durations + np.array([0, 0, 2, -2, *[0] * 8])
    np.testing.assert_array_equal(record.durations, expected)
    np.testing.assert_array_equal(np.isnan(record.token_score), expected != RECORD.durations)
    assert np.isnan(record.score)
    assert found["a"].score == RECORD.score
    assert run("verify", tmp_path / "edited.h5").stdout.endswith("whole\n")
    np.testing.assert_array_equal(record.tokens, RECORD.tokens)


def test_a_pause_may_appear_vanish_or_lose_its_label(tmp_path, like):
    labels = [*LABELS[1:5], ",", "", *LABELS[6:8], LABELS[8]]
    frames = [15, 3, 4, 10, 2, 20, 15, 6, 25]
    record = imported(tmp_path, write(tmp_path / "a.TextGrid", labels, frames), "--like", like)["a"]
    np.testing.assert_array_equal(record.durations, [0, 15, 3, 4, 10, 2, 20, 15, 0, 6, 25, 0])
    assert record.token_score[0] == 0


def test_a_recording_may_outlast_its_frames_by_less_than_one(tmp_path, like):
    frames = [*FRAMES[:-1], FRAMES[-1] + 0.9]
    found = imported(tmp_path, write(tmp_path / "a.TextGrid", frames=frames), "--like", like)
    np.testing.assert_array_equal(found["a"].durations, RECORD.durations)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": [*LABELS[:2], "x", *LABELS[3:]]}, "has 'x' at 0.240 s, needs 'ə'"),
        ({"labels": [*LABELS[:2], "", *LABELS[3:]]}, "has '' at 0.240 s, needs 'ə'"),
        ({"labels": LABELS[:-2], "frames": [*FRAMES[:-3], 31]}, "ends where 'ˈoʊ' is still to"),
        (
            {"labels": [*LABELS[:-1], "l", "x"], "frames": [*FRAMES[:-1], 3, 4]},
            "needs nothing more",
        ),
        ({"frames": [*FRAMES[:-1], 8.1]}, "lasts 1.618 s, needs 1.600 s"),
        ({"frames": [9.8, 0.3, *FRAMES[2:-1], 11.9]}, "'h' at 0.157 s for 0.0048 s, needs a frame"),
        ({"tier": "phonemes"}, "has no interval tier `phones`; there is phonemes"),
    ],
)
def test_textgrids_that_do_not_fit_are_named_and_skipped_on_request(tmp_path, like, change, says):
    path = write(tmp_path / "a.TextGrid", **change)
    found = imported(tmp_path, path, "--like", like, "--skip-bad")
    assert list(found) == ["ö b.c"]
    assert says in found.skipped["a"]


def test_a_file_that_does_not_fit_is_named_and_nothing_is_written(tmp_path, ttskit, like):
    write(tmp_path / "grids" / "a.TextGrid", tier="x")
    (tmp_path / "grids" / "ö b.c.textgrid").write_bytes(b'"ooTextFile"\n"TextGrid"\n0\n')
    found = ttskit("import", "grids", "--like", like, "-o", "x.h5")
    lines = found.stderr.decode().splitlines()
    assert (found.returncode, len(lines)) == (1, 3), lines
    assert lines[0].startswith("ttskit: grids: a: its TextGrid has no interval tier `phones`")
    assert lines[1].startswith("ttskit: grids: ö b.c: Praat cannot read it: ")
    assert not (tmp_path / "x.h5").exists()
    for name in ("a.TextGrid", "ö b.c.textgrid"):
        write(tmp_path / "grids" / name)
    assert ttskit("import", "grids", "--like", like, "-o", "x.h5").returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none"], "none: no such file or folder"),
        (["empty"], "empty: has no file that can be imported; needs ID.TextGrid"),
        (["like.h5"], "like.h5: is nothing that can be imported; needs a TextGrid"),
        (["z.TextGrid", "--like", "like.h5"], "z.TextGrid: there is no utterance z in like.h5"),
        (["a.TextGrid"], "a.TextGrid: a TextGrid needs --like alignment.h5"),
        (["a.TextGrid", "--like", "corpus.h5"], "no alignment artifact among the inputs"),
        (["a.TextGrid", "a.TextGrid", "--like", "like.h5"], "is a second TextGrid of a"),
    ],
)
@pytest.mark.usefixtures("like", "corpus")
def test_errors_say_what_would_be_right(tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for name in ("a", "z"):
        write(tmp_path / f"{name}.TextGrid")
    with pytest.raises(TtskitError) as error:
        run("import", *words, "-o", "x.h5")
    assert says in str(error.value)


def test_only_an_edit_makes_the_artifact_out_of_date(tmp_path, like, ttskit):
    words = ["import", "a.TextGrid", "--like", like, "-o", "x.h5"]
    write(tmp_path / "a.TextGrid")
    assert b"2 utterances" in ttskit(*words).stderr
    assert b"up to date" in ttskit(*words).stderr
    write(tmp_path / "a.TextGrid", frames=[FRAMES[0] + 1, FRAMES[1] - 1, *FRAMES[2:]])
    assert b"2 utterances" in ttskit(*words).stderr
