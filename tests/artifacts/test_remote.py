"""Remote files: read in parts, written by an upload; `memory://` is fsspec's own, for tests."""

import functools
import pickle
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import numpy as np
import pytest

from tests.factory import answer, run, sha, write_corpus
from ttskit import wording
from ttskit.artifacts import hdf5, kinds, remote
from ttskit.artifacts.remote import BLOCK, HELD, Remote, Rows
from ttskit.errors import ArtifactError, Changed, TextError, TtskitError

MEMORY = fsspec.filesystem("memory")
PLACES = [0, 3, -1, slice(0, 2), slice(2, 5), slice(3, 3), slice(4, None), slice(5, 2), [7, 0, 3],
          np.array([True, False] * 4)]  # fmt: skip


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    """No remote file and no block of one; what lies beside remote outputs goes with the test."""
    MEMORY.store.clear()
    remote._BLOCKS.clear()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def requests(monkeypatch):
    """The ranges of bytes that are asked for."""
    asked, cat_file = [], type(MEMORY).cat_file

    def noted(self, path, start=None, end=None, **settings):
        asked.append((start, end))
        return cat_file(self, path, start, end, **settings)

    monkeypatch.setattr(type(MEMORY), "cat_file", noted)
    return asked


def put(name, content):
    MEMORY.pipe_file(f"/{name}", content)
    return f"memory://{name}"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket/a/b.h5", "s3://bucket/a/b.h5"),
        ("https://host/a.h5?x=1", "https://host/a.h5?x=1"),
        ("file:///tmp/a.h5", "file:///tmp/a.h5"),
        ("memory://a.h5", "memory://a.h5"),
        ("a.h5", ""),
        ("/tmp/s3:/a.h5", ""),
        ("C:/a.h5", ""),
    ],
)
def test_a_path_keeps_the_address_that_it_was_made_of(text, url):
    assert wording.url(Path(text)) == wording.url(text) == url


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_remote_rows_are_indexed_as_the_array_is(place):
    array = np.arange(16, dtype=np.int32).reshape(8, 2)
    file = Remote(put("rows", b"head" + array.tobytes()))
    np.testing.assert_array_equal(Rows(file, 4, (8, 2), array.dtype)[place], array[place])


def test_any_stretch_of_a_remote_file_is_the_bytes_of_it():
    content = np.random.default_rng(0).bytes(5 * BLOCK + 7)
    file = Remote(put("bytes", content))
    for start, stop in np.random.default_rng(1).integers(0, len(content) + 9, (200, 2)):
        assert file.read(int(start), int(stop)) == content[start:stop]


def test_one_after_the_other_is_read_by_few_requests_and_at_random_by_short_ones(requests):
    content = np.random.default_rng(0).bytes(100 * BLOCK)
    file = Remote(put("long", content))
    for start in range(0, len(content), BLOCK // 4):
        assert file.read(start, start + BLOCK // 4) == content[start : start + BLOCK // 4]
    assert len(requests) < 12
    remote._BLOCKS.clear()
    requests.clear()
    for start in range(0, len(content), 7 * BLOCK):
        file.read(start, start + 10)
    assert {stop - start for start, stop in requests} == {BLOCK}


def test_the_cache_of_blocks_is_bounded():
    file = Remote(put("huge", bytes((HELD + 60) * BLOCK)))
    for start in range(0, file.size, BLOCK):
        file.read(start, start + 1)
    assert len(remote._BLOCKS) <= HELD


def test_a_long_stretch_is_read_by_one_request_past_the_cache(requests):
    Remote(put("huge", bytes(HELD * BLOCK))).read(0, HELD * BLOCK)
    assert (requests, len(remote._BLOCKS)) == ([(0, HELD * BLOCK)], 0)


def test_a_remote_artifact_is_read_as_the_file_is(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "CHUNK", 1000)  # its audio is read by rows
    here = kinds.read(write_corpus(tmp_path / "c.h5"))
    there = kinds.read(Path(put("c.h5", (tmp_path / "c.h5").read_bytes())))
    assert isinstance(there.column("audio"), Rows)
    for reader in (there, pickle.loads(pickle.dumps(there))):
        assert (reader.ids, reader.digest) == (here.ids, here.digest)
        assert (reader.attributes, reader.provenance) == (here.attributes, here.provenance)
        for id, record in here.items():
            np.testing.assert_array_equal(reader[id].audio, record.audio)
            assert reader[id].text == record.text
    assert there.name == "memory://c.h5"
    assert [*there.container.complaints()] == []


def test_a_list_may_name_addresses(tmp_path):
    write_corpus(tmp_path / "a.h5", [0, 1])
    put("b.h5", write_corpus(tmp_path / "b.h5", [2]).read_bytes())
    (tmp_path / "all.list").write_text("a.h5\nmemory://b.h5\n")
    assert len(kinds.read(tmp_path / "all.list")) == 3


def test_a_remote_file_that_is_replaced_while_it_is_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "EVERY", 0.0)
    put("c.h5", write_corpus(tmp_path / "c.h5", [0, 1]).read_bytes())
    reader = kinds.read(Path("memory://c.h5"))
    reader.container.refuse_changed()
    put("c.h5", (tmp_path / "c.h5").read_bytes())
    reader.container.refuse_changed()  # the same bytes, written again
    put("c.h5", write_corpus(tmp_path / "c.h5", [5, 6]).read_bytes())
    with pytest.raises(Changed, match=r"memory://c.h5: was changed while it was read"):
        reader.container.refuse_changed()


def test_an_output_is_uploaded_once_it_is_finished_and_then_up_to_date(tmp_path):
    write_corpus(tmp_path / "c.h5")
    command = "tokens", "c.h5", "--language", "characters", "-o"
    run(*command, "t.h5")
    run(*command, "memory://t.h5")
    assert MEMORY.cat_file("/t.h5") == (tmp_path / "t.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.h5", "t.h5"]
    assert "memory://t.h5: up to date" in answer(*command, "memory://t.h5").stderr.decode()


def test_after_an_upload_that_failed_nothing_is_made_anew(tmp_path, monkeypatch):
    write_corpus(tmp_path / "c.h5")
    command = "tokens", "c.h5", "--language", "characters", "-o", "memory://t.h5"
    with monkeypatch.context() as patch:
        patch.setattr(type(MEMORY), "put_file", _gone)
        with pytest.raises(
            ArtifactError, match=r"memory://t.h5: cannot be reached: gone; what was"
        ):
            run(*command)
    assert (tmp_path / "t.h5.part").is_dir()
    assert "going on: 12 are there already" in answer(*command).stderr.decode()
    assert not (tmp_path / "t.h5.part").exists()
    assert MEMORY.exists("/t.h5")


def _gone(*_):
    raise ConnectionError("gone")


def test_a_copy_is_uploaded_and_leaves_nothing_here(tmp_path):
    write_corpus(tmp_path / "c.h5")
    run("split", "c.h5", "-o", "memory://part-{}.h5")
    run("merge", "memory://part-1.h5", "memory://part-2.h5", "-o", "memory://whole.h5")
    assert sorted(kinds.read(Path("memory://whole.h5"))) == [*kinds.read(tmp_path / "c.h5")]
    assert [path.name for path in tmp_path.iterdir()] == ["c.h5"]


def test_an_output_of_another_kind_is_not_replaced(tmp_path):
    write_corpus(tmp_path / "c.h5")
    put("other", b"text")
    put("c.h5", (tmp_path / "c.h5").read_bytes())
    command = "tokens", "c.h5", "--language", "characters", "-o"
    with pytest.raises(ArtifactError, match=r"memory://other: exists and is not an artifact"):
        run(*command, "memory://other")
    with pytest.raises(ArtifactError, match=r"memory://c.h5: exists and is corpus, not tokens"):
        run(*command, "memory://c.h5")


def test_what_cannot_be_read_is_named_in_one_line(tmp_path, monkeypatch):
    put("text", b"text")
    put("cut", write_corpus(tmp_path / "c.h5").read_bytes()[:3000])
    put("empty", b"")
    for name, reason in {
        "memory://nothing": "no such file",
        "memory://text": "is not an HDF5 file; needs an artifact",
        "memory://cut": "is cut short at 3000 bytes: make it again",
        "memory://empty": "is empty; needs an artifact",
        "strange://x": "cannot be reached: Protocol not known: strange",
    }.items():
        with pytest.raises(ArtifactError) as caught:
            kinds.read(Path(name))
        assert str(caught.value) == f"{name}: {reason}"
    monkeypatch.setitem(sys.modules, "obstore.fsspec", None)
    monkeypatch.delitem(fsspec.registry._target if hasattr(fsspec.registry, "_target") else {},
                        "s3", raising=False)  # fmt: skip
    with pytest.raises(ArtifactError, match=r"s3://b/x: .* pip install 'ttskit\[remote\]'"):
        kinds.read(Path("s3://b/x"))


def test_a_failure_while_hdf5_reads_is_the_error(tmp_path, monkeypatch):
    put("c.h5", write_corpus(tmp_path / "c.h5").read_bytes())
    monkeypatch.setattr(type(MEMORY), "cat_file", _gone)
    with pytest.raises(ArtifactError, match=r"^memory://c.h5: cannot be reached: gone$"):
        kinds.read(Path("memory://c.h5"))


def test_text_is_not_read_from_an_address():
    put("ids.txt", b"u001\n")
    with pytest.raises(TextError, match=r"memory://ids.txt: only artifacts are read"):
        run("select", "c.h5", "--ids", "memory://ids.txt", "-o", "x.h5")


class _Ranges(SimpleHTTPRequestHandler):
    """A server of files that gives parts of them."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        content = Path(self.translate_path(self.path)).read_bytes()
        start, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = content[int(start) : int(last or len(content)) + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        end = int(start) + len(part) - 1
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Accept-Ranges", "bytes")
        size = Path(self.translate_path(self.path)).stat().st_size
        self.send_header("Content-Length", str(size))
        self.end_headers()


class _Whole(SimpleHTTPRequestHandler):
    """A server of files that gives each as a whole."""

    def log_message(self, *_):
        pass


def serve(handler, folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("403, message='Forbidden', url='http://a/c.h5'"), "access is denied"),
        (OSError("Unauthorized (401)"), "access is denied"),
        (OSError("Cannot connect to host 127.0.0.1:44403 ssl:default"), "cannot be reached"),
        (OSError("Cannot connect to host 127.0.0.1:401 ssl:default"), "cannot be reached"),
    ],
)
def test_a_status_is_told_from_a_port(error, expected):
    with pytest.raises(ArtifactError, match=expected), remote._reaching("http://a/c.h5"):
        raise error


def test_a_web_server_is_read_if_it_gives_parts_of_files_and_never_written(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "BLOCK", 1000)
    pytest.importorskip("aiohttp")
    here = kinds.read(write_corpus(tmp_path / "c.h5"))
    server, address = serve(_Ranges, tmp_path)
    there = kinds.read(Path(f"{address}/c.h5"))
    assert there.digest == here.digest
    assert [*there.container.complaints()] == []
    with pytest.raises(ArtifactError, match="is read, but cannot be written"):
        run("select", "c.h5", "-o", f"{address}/d.h5")
    server.shutdown()
    server.server_close()
    whole, address = serve(_Whole, tmp_path)
    with pytest.raises(ArtifactError, match=r"cannot be reached: .* range requests"):
        kinds.read(Path(f"{address}/c.h5"))
    whole.shutdown()
    whole.server_close()
    with pytest.raises(ArtifactError, match="cannot be reached: Cannot connect"):
        kinds.read(Path(f"{address}/c.h5"))


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """A server of S3's protocol on the loopback, with a bucket."""
    pytest.importorskip("obstore", reason="pip install 'ttskit[remote]'")
    pytest.importorskip("localbucket", reason="pip install localbucket, an S3 server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "data/bucket").mkdir(parents=True)
    command = [sys.executable, "-m", "localbucket", str(tmp_path / "data"), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    credentials = {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "REGION": "us-east-1"}
    server = {"ENDPOINT_URL": f"http://127.0.0.1:{port}", "ALLOW_HTTP": "true"}
    for name, value in {**credentials, **server}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    while process.poll() is None:
        with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.1)
    yield
    process.terminate()
    process.wait()


@pytest.mark.slow
@pytest.mark.usefixtures("s3")
def test_an_s3_bucket_is_read_and_written_by_worker_processes(tmp_path):
    write_corpus(tmp_path / "c.h5", range(40, 47))
    settings = "--f0", "praat", "--hop-length", 32, "--n-fft", 128, "--n-mels", 8
    run("select", "c.h5", "-o", "s3://bucket/c.h5")
    run("select", "c.h5", "-o", "selected.h5")
    run("features", "selected.h5", *settings, "-o", "f.h5")
    run("features", "s3://bucket/c.h5", *settings, "-j", 2, "-o", "s3://bucket/deep/f.h5")
    run("select", "s3://bucket/deep/f.h5", "-o", "back.h5")
    run("select", "f.h5", "-o", "straight.h5")
    assert sha(tmp_path / "back.h5") == sha(tmp_path / "straight.h5")
    for name in ("s3://bucket/nothing.h5", "s3://nobucket/x.h5"):
        with pytest.raises(TtskitError, match=f"{name}: no such file"):
            kinds.read(Path(name))
