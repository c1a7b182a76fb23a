"""Several artifacts of a kind, read as one."""

import json
import pickle

import numpy as np
import pytest

import ttskit
from tests.factory import run, sha, write_alignment_of, write_corpus, write_speech
from ttskit.artifacts import joined, kinds
from ttskit.artifacts.joined import Stretches
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.errors import ArtifactError

PIECES = [np.arange(6).reshape(3, 2), np.arange(6, 8).reshape(1, 2), np.arange(8, 16).reshape(4, 2)]
PLACES = [0, 3, -1, slice(0, 2), slice(2, 5), slice(3, 3), slice(4, None), slice(None), [7, 0, 3],
          np.array([True, False] * 4)]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_stretches_are_indexed_as_the_whole_array_is(place):
    whole = np.concatenate(PIECES)
    np.testing.assert_array_equal(Stretches(PIECES, whole.dtype)[place], whole[place])


def test_stretches_compute_as_the_whole_array_does():
    whole = np.concatenate(PIECES)
    stretches = Stretches(PIECES, whole.dtype)
    assert (len(stretches), stretches.shape, stretches.size) == (8, (8, 2), 16)
    np.testing.assert_array_equal((stretches > 5) | (whole == 1), (whole > 5) | (whole == 1))
    assert stretches.max() == 15
    np.testing.assert_array_equal(
        np.add.reduceat(stretches, [0, 3]), np.add.reduceat(whole, [0, 3])
    )


def test_an_utterance_of_stretches_is_a_view_of_its_file():
    stretches = Stretches(PIECES, PIECES[0].dtype)
    assert np.shares_memory(stretches[4:6], PIECES[2])
    with pytest.raises(IndexError):
        stretches[8]


@pytest.fixture
def three(tmp_path):
    """Corpora of 3, 1 and 4 utterances, a list of them, and what merge makes of them."""
    paths = [
        write_corpus(tmp_path / f"{name}.h5", numbers, skipped={f"gone {name}": "silent"})
        for name, numbers in {"a": [0, 1, 2], "b": [3], "c": [4, 5, 6, 7]}.items()
    ]
    (tmp_path / "all.list").write_text("a.h5\n\nb.h5\nc.h5\n")
    run("merge", *paths, "-o", tmp_path / "merged.h5")
    return tmp_path, paths


def test_a_list_of_artifacts_is_read_as_their_merge(three):
    folder, _ = three
    whole, several = kinds.read(folder / "merged.h5"), kinds.read(folder / "all.list")
    assert several.ids == whole.ids
    assert several.skipped == whole.skipped
    assert several.attributes == whole.attributes
    np.testing.assert_array_equal(several.offsets("sample"), whole.offsets("sample"))
    np.testing.assert_array_equal(several.column("audio"), whole.column("audio"))
    assert several.table("text") == whole.table("text")
    for id, record in whole.items():
        assert (several[id].text, several[id].speaker) == (record.text, record.speaker)
        np.testing.assert_array_equal(several[id].audio, record.audio)
        assert several.value(several.row(id), "text") == record.text


def test_it_is_pickled_by_its_files(three):
    folder, paths = three
    several = kinds.read(folder / "all.list")
    other = pickle.loads(pickle.dumps(several))
    assert (other.ids, other.name) == (several.ids, several.name)
    np.testing.assert_array_equal(other["u005"].audio, several["u005"].audio)
    bytes_ = pickle.dumps(several)
    write_corpus(paths[1], [9])
    with pytest.raises(ArtifactError, match=r"b.h5: was replaced while it was read"):
        pickle.loads(bytes_)


def test_verbs_take_a_list_or_several_files(three):
    folder, paths = three
    whole = run("ls", folder / "merged.h5").stdout
    assert run("ls", folder / "all.list").stdout == whole
    assert list(ttskit.read(folder / "all.list")) == whole.split()
    info = json.loads(run("info", folder / "all.list", "--json").stdout)
    assert (info["utterances"], info["axes"]) == (8, {"sample": 8 * 50 + 37 * 28})
    assert run("verify", folder / "all.list").stdout == f"{folder / 'all.list'}: whole\n"
    for words in ([folder / "all.list"], paths):
        run("select", *words, "--head", 6, "-o", folder / "some.h5", "--restart")
        run("select", folder / "merged.h5", "--head", 6, "-o", folder / "same.h5")
        assert run("diff", folder / "some.h5", folder / "same.h5").stdout == ""
    run("merge", folder / "all.list", "-o", folder / "again.h5")
    assert sha(folder / "again.h5") == sha(folder / "merged.h5")


def test_stages_make_of_several_files_what_they_make_of_their_merge(three):
    folder, paths = three
    words = ["--language", "characters", "-j", 1]
    run("tokens", folder / "merged.h5", *words, "-o", folder / "whole.h5")
    run("tokens", *paths, *words, "-o", folder / "several.h5")
    assert run("diff", folder / "whole.h5", folder / "several.h5").stdout == ""
    digests = [kinds.read(path).digest for path in paths]
    assert kinds.read(folder / "several.h5").provenance["inputs"] == digests


def test_damage_is_named_by_its_file(three):
    folder, paths = three
    blob = bytearray(paths[2].read_bytes())
    place = kinds.read(paths[2]).container.columns["audio"].place
    blob[place] ^= 1
    paths[2].write_bytes(blob)
    found = run("verify", folder / "all.list")
    assert found.exit_code == 1
    assert f"{folder / 'all.list'}: {paths[2]}: audio: its bytes are not" in found.stderr


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a.h5\nnowhere.h5\n", "nowhere.h5: no such file"),
        ("\n", "all.list: is empty; needs names of artifacts"),
        ("a.h5\na.h5\n", r"all.list: utterance u000 is there twice, in .*a.h5 and .*a.h5"),
        ("a.h5\nother.h5\n", r"other.h5: has sample_rate 8000, .*a.h5 has 16000"),
        ("a.h5\nall.list\n", "all.list: is not an HDF5 file"),
    ],
)
def test_lists_that_cannot_be_one_are_refused(three, lines, message):
    folder, _ = three
    write_corpus(folder / "other.h5", [9], sample_rate=8000)
    (folder / "all.list").write_text(lines)
    with pytest.raises(ArtifactError, match=message):
        Reader(folder / "all.list", Corpus)


def test_a_training_takes_several_files_as_one(tmp_path):
    write_speech(tmp_path, 6)
    write_alignment_of(tmp_path)
    size = ["--set", "encoder.hidden=8", "--set", "predictor.hidden=8", "--set", "encoder.layers=1"]
    run("split", tmp_path / "alignment.h5", "--parts", 2)
    parts = [tmp_path / f"alignment-{number}.h5" for number in (1, 2)]
    run("train", "duration", *parts, "--steps", 1, *size, "-o", tmp_path / "model.h5")
    inputs = joined.open_artifact(tmp_path / "model.h5").provenance["inputs"]
    assert inputs == sorted(kinds.read(part).digest for part in parts)
