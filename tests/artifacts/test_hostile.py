"""Broken and hostile files: each is answered with one line, quickly, in little memory."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.factory import PROVENANCE, write_corpus
from ttskit.artifacts import hdf5, sealing
from ttskit.artifacts.kinds import Corpus, read
from ttskit.artifacts.reader import Reader
from ttskit.errors import ArtifactError

MEGABYTES = 300
CALL = f"""
import json, resource, sys
from tests.factory import answer
resource.setrlimit(resource.RLIMIT_DATA, ({MEGABYTES << 20}, {MEGABYTES << 20}))
for words in json.load(sys.stdin):
    found = answer(*words)
    told = [found.stdout.decode(), found.stderr.decode()]
    print(json.dumps([found.returncode, *told]), flush=True)
"""


def answers(*calls):
    """Status, stdout and stderr of one verb after the other, with little memory and time."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", CALL],
        input=json.dumps([[str(word) for word in words] for words in calls]),
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, ""), found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def assert_one_line(*known):
    """Check what is said of each path."""
    found = answers(*(["info", path] for path, _ in known))
    for (_, says), (status, out, errors) in zip(known, found, strict=True):
        assert (status, out) == (1, ""), errors
        assert errors.startswith("ttskit: ")
        assert errors.count("\n") == 1
        assert says in errors


def sources(**changes):
    """The columns of a small Corpus, some of them changed or (None) left out."""
    columns = {
        "offsets/sample": np.array([0, 2, 5]),
        "id": np.array([b"a", b"b"]),
        "speaker": np.array([b"x", b"x"]),
        "text": np.array([b"one", b"two"]),
        "audio": np.arange(5, dtype="i2"),
    } | {name.replace("__", "/"): values for name, values in changes.items()}
    for name, values in columns.items():
        if values is not None:
            values = np.asarray(values)
            yield sealing.Source.of(name, values)


def craft(path, *, kind="corpus", attributes=None, **changes):
    values = {"sample_rate": 8000} if attributes is None else attributes
    sealing.seal(path, kind, values, PROVENANCE, sources(**changes))
    return path


def test_the_file_that_is_damaged_is_valid_before(tmp_path):
    assert list(Reader(craft(tmp_path / "x.h5"), Corpus)) == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "cake"}, "is cake, needs utterances"),
        ({"attributes": {}}, "lacks the attribute sample_rate"),
        ({"audio": None}, "lacks the column audio"),
        ({"id": np.array([b"a", b"a"])}, "utterance a is there twice"),
        ({"id": np.array([b"a\nb", b"c"])}, "unprintable"),
        ({"id": np.array([b"a/b", b"c"])}, "slash"),
        ({"id": np.array([b"\xff", b"c"])}, "id is not UTF-8"),
        ({"text": np.array([b"one"])}, "text has 1 rows for 2 utterances"),
        ({"offsets__sample": np.array([0, 4, 2])}, "offsets/sample does not fit audio"),
        ({"offsets__sample": np.array([0, 6, 5])}, "offsets/sample does not fit audio"),
        ({"offsets__sample": np.array([-1, 2, 5])}, "offsets/sample does not fit audio"),
        ({"offsets__sample": np.array([0, 2, 2**62])}, "offsets/sample does not fit audio"),
        ({"offsets__sample": np.array([0, 5])}, "offsets/sample is not an int64 vector"),
        ({"offsets__sample": np.array([0.0, 2, 5])}, "offsets/sample is not an int64 vector"),
        ({"offsets__sample": None}, "lacks offsets/sample"),
        ({"offsets__code": np.array([], np.int64)}, "offsets/code is not an int64 vector"),
        ({"audio": np.zeros(5, "f4")}, "audio is float32 of rank 1, needs int16 of rank 1"),
        ({"audio": np.zeros((5, 1), "i2")}, "audio is int16 of rank 2, needs int16 of rank 1"),
        ({"skipped__id": np.arange(2)}, "skipped/id is not a list of strings"),
    ],
)
def test_wrong_contents_are_named(tmp_path, changes, says):
    path = craft(tmp_path / "x.h5", **changes)
    with pytest.raises(ArtifactError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def malformed_files(folder):
    """Files that are no artifacts, and what is to be said of each."""
    whole = craft(folder / "whole.h5").read_bytes()
    for name, contents, says in [
        ("empty.h5", b"", "is empty"),
        ("text.h5", b"id,text\n" * 99, "not an HDF5 file"),
        ("half.h5", whole[: len(whole) // 2], "cut short"),
        ("cut.h5", whole[:-100], "cut short"),
    ]:
        (folder / name).write_bytes(contents)
        yield folder / name, says
    (folder / "folder.h5").mkdir()
    yield folder / "folder.h5", "is not a file but a folder"
    yield folder / "nothing.h5", "no such file"
    (folder / "loop.h5").symlink_to(folder / "loop.h5")
    yield folder / "loop.h5", "no such file"
    yield from hdf5_beasts(folder)


def hdf5_beasts(folder):
    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = 1.0
    yield folder / "other.h5", "not an artifact of ttskit"

    def changed(name, change):
        path = Path(shutil.copy(folder / "whole.h5", folder / name))
        with h5py.File(path, "r+", libver="v110") as file:
            change(file)
        return path

    def replace(name, **settings):
        def change(file):
            del file[name]
            file.create_dataset(name, **settings)

        return change

    yield changed("newer.h5", lambda f: f.attrs.modify("version", 99)), "format version 99"
    yield changed("bare.h5", lambda f: f.attrs.clear()), "not an artifact of ttskit"
    yield changed("vast.h5", replace("audio", shape=(2**44,), dtype="i2")), "does not hold"
    yield changed("vaster.h5", replace("audio", shape=(2**60,), dtype="i2")), "does not hold"
    yield changed("chunked.h5", replace("audio", data=np.zeros(5, "i2"), chunks=(2,))), "contiguous"
    yield changed("objects.h5", replace("text", data=["a", "b"])), "which no artifact has"

    def link(target):
        def change(file):
            del file["audio"]
            file["audio"] = target

        return change

    yield changed("external.h5", link(h5py.ExternalLink("/etc/passwd", "/"))), "is a link"
    yield changed("soft.h5", link(h5py.SoftLink("/audio"))), "is a link"
    outside = [("/etc/passwd", 0, 10)]
    yield changed("stored.h5", replace("audio", shape=(5,), dtype="i2", external=outside)), "within"

    def knot(file):
        file["offsets/knot"] = file["/offsets"]

    yield changed("knot.h5", knot), "is a second name"


def test_a_malformed_file_gets_one_line(tmp_path):
    assert_one_line(*malformed_files(tmp_path))


def test_every_verb_refuses_a_malformed_file_in_one_line(tmp_path, corpus):
    broken = tmp_path / "cut.h5"
    broken.write_bytes(corpus.read_bytes()[:-100])
    calls = (
        ["ls", broken],
        ["cat", broken],
        ["select", broken, "-o", tmp_path / "x.h5"],
        ["merge", corpus, broken, "-o", tmp_path / "x.h5"],
        ["split", broken],
        ["diff", corpus, broken],
    )
    for words, (status, out, errors) in zip(calls, answers(*calls), strict=True):
        expected = 2 if words[0] == "diff" else 1  # 1 means that they differ
        assert (status, out, errors.count("\n")) == (expected, "", 1)
        assert "is cut short" in errors
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.parametrize("flips", [1, 50])
def test_flipped_bytes_are_detected(tmp_path, flips):
    """Every flip lands in checked metadata, in a column (verify sees it), or in padding."""
    whole = bytearray(write_corpus(tmp_path / "x.h5", range(4)).read_bytes())
    found_out = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        flipped = bytearray(whole)
        places = rng.choice(len(whole), flips, replace=False)
        for place in places:
            flipped[place] ^= 1 << int(rng.integers(8))
        path = tmp_path / f"flip{seed}.h5"
        path.write_bytes(flipped)
        found = _complaints(path)
        assert not any("\n" in line for line in found)
        found_out += bool(found)
        path.unlink()
    assert found_out >= (100 if flips == 50 else 60)


def _complaints(path):
    from ttskit.stages import verify

    try:
        return list(verify.complaints(hdf5.open_container(path)))
    except ArtifactError as error:
        return [str(error)]


def test_a_flip_in_the_audio_is_named(tmp_path):
    path = write_corpus(tmp_path / "x.h5", range(4))
    place = Reader(path, Corpus).container.columns["audio"].place
    contents = bytearray(path.read_bytes())
    contents[place + 3] ^= 4
    path.write_bytes(contents)
    assert _complaints(path) == [
        "audio: its bytes are not the ones that were written",
        "digest: the file does not hold what its digest says",
    ]


def test_a_pipe_that_ends_early_is_refused(tmp_path, corpus):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feeder = threading.Thread(target=pipe.write_bytes, args=(corpus.read_bytes()[:5000],))
    feeder.start()
    assert_one_line((pipe, "is cut short at 5000 bytes"))
    feeder.join()
