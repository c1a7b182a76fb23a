"""Long texts: a run that is stopped goes on where it was, to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import ttskit
from tests.factory import run
from tests.tiny import facts, write_voice
from ttskit import progress
from ttskit.artifacts.unfinished import INDEX, folder_of
from ttskit.errors import ArtifactError, Interrupted
from ttskit.models.ddn import Ddn
from ttskit.speaking.chain import Chain
from ttskit.speaking.kept import kept
from ttskit.speaking.passages import TextSource

SENTENCES = ["One is here.", "Two, too.", "Three more.", "Four of them.", "Five.", "And six."]
TEXT, LONG = " ".join(SENTENCES), " ".join(SENTENCES * 40)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(ttskit.__file__).parents[1])}


class Stopped(Exception):
    """What stops a run in these tests."""


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice"))


@pytest.fixture
def say(voice, tmp_path):
    """Say the sentences into a file of this name; return what it holds."""

    def say(name="a.wav", *words, text=TEXT):
        assert run("say", text, "--voice", voice, "-o", tmp_path / name, *words).exit_code == 0
        return (tmp_path / name).read_bytes()

    return say


@pytest.fixture
def stop(monkeypatch):
    """Let the chain raise instead of speaking its n-th line; return the lines that it speaks."""
    speak, spoken = Chain.speak, list[int]()

    def stop(number, error=Stopped):
        def counted(chain, line, *words):
            if len(spoken) == number:
                raise error
            spoken.append(line.number)
            return speak(chain, line, *words)

        spoken.clear()
        monkeypatch.setattr(Chain, "speak", counted)
        return spoken

    return stop


@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_stopped_run_goes_on_after_the_last_sentence_to_the_same_bytes(
    say, stop, tmp_path, number, monkeypatch
):
    notes: list[str] = []
    monkeypatch.setattr(progress, "note", notes.append)
    whole = say("whole.wav")
    stop(number)
    with pytest.raises(Stopped):
        say()
    assert not (tmp_path / "a.wav").exists()
    spoken = stop(100)
    assert say() == whole
    assert spoken == [*range(number, 6)]
    assert notes == [f"{tmp_path / 'a.wav'}: goes on after sentence {number} of 6"]
    assert {path.name for path in tmp_path.iterdir()} == {"whole.wav", "a.wav"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.flac", ()),
        ("a.opus", ()),
        ("a.mp3", ()),
        ("a.raw", ("--raw",)),
        ("a.ogg", ("--duration", 9)),
    ],
)
def test_so_it_does_in_every_format(say, stop, name, words):
    whole = say(f"whole{Path(name).suffix}", *words)
    stop(3)
    with pytest.raises(Stopped):
        say(name, *words)
    spoken = stop(100)
    assert say(name, *words) == whole
    assert spoken == [3, 4, 5]


def test_times_and_words_are_those_of_the_unbroken_run(say, stop, tmp_path):
    def words(name):
        return ("--timing", tmp_path / f"{name}.json", "--manifest", tmp_path / f"{name}.jsonl")

    say("whole.wav", *words("whole"))
    stop(4)
    with pytest.raises(Stopped):
        say("a.wav", *words("a"))
    stop(100)
    say("a.wav", *words("a"))
    for suffix in (".json", ".jsonl"):
        whole = (tmp_path / f"whole{suffix}").read_text()
        assert (tmp_path / f"a{suffix}").read_text() == whole


def test_a_take_has_the_same_code_as_unbroken(stop, tmp_path):
    drawn = write_voice(tmp_path, decoder=Ddn, known=facts(), name="drawn.h5")

    def code(name):
        words = ("say", TEXT, "--voice", drawn, "--takes", 1)
        return run(*words, "-o", tmp_path / name).stdout.split("\t")[1]

    whole = code("whole.wav")
    stop(3)
    with pytest.raises(Stopped):
        code("a.wav")
    stop(100)
    assert code("a.wav") == whole
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


def test_other_settings_are_refused_and_restart_begins_anew(say, stop):
    whole = say("whole.wav", "--rate", 2)
    stop(3)
    with pytest.raises(Stopped):
        say()
    stop(100)
    with pytest.raises(ArtifactError, match=r"unfinished work of other inputs or options.*restart"):
        say("a.wav", "--rate", 2)
    spoken = stop(100)
    assert say("a.wav", "--rate", 2, "--restart") == whole
    assert spoken == [*range(6)]


def test_lines_of_another_engine_are_not_mixed_in(stop, voice, tmp_path):
    speech = ttskit.Voice(voice).speech(TextSource([TEXT]))
    stop(3)
    with pytest.raises(Stopped), kept(speech, tmp_path / "a.wav") as pieces:
        list(pieces)
    speech.chain.engine = "onnx"
    with pytest.raises(ArtifactError, match="unfinished work of other inputs or options"):
        kept(speech, tmp_path / "a.wav").__enter__()


def test_of_another_text_only_the_same_lines_are_taken(say, stop):
    other = " ".join([*SENTENCES[:2], "No, other.", *SENTENCES[3:]])
    whole = say("whole.wav", text=other)
    stop(5)
    with pytest.raises(Stopped):
        say()
    spoken = stop(100)
    assert say(text=other) == whole
    assert spoken == [2, 5]


def test_a_damaged_row_is_spoken_again(say, stop, tmp_path):
    whole = say("whole.wav")
    stop(4)
    with pytest.raises(Stopped):
        say()
    samples = folder_of(tmp_path / "a.wav") / "audio.raw"
    content = bytearray(samples.read_bytes())
    content[len(content) // 2] ^= 1
    samples.write_bytes(content)
    spoken = stop(100)
    assert say() == whole
    assert 4 < len(spoken) + 2 <= 6


def test_a_text_of_one_line_leaves_nothing_beside_its_output(say, stop, tmp_path):
    stop(1)
    with pytest.raises(Stopped):
        say()
    assert list(tmp_path.iterdir()) == []
    stop(100)
    say(text="One line.")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_ctrl_c_says_what_is_kept(say, stop):
    stop(4, KeyboardInterrupt)
    with pytest.raises(Interrupted, match=r"a.wav.part keeps 4 finished lines: the same command"):
        say()


def test_after_a_real_kill_the_same_command_goes_on(say, stop, voice, tmp_path):
    whole = say("whole.wav", text=LONG)
    (tmp_path / "book.txt").write_text(LONG)
    words = ["say", "-f", tmp_path / "book.txt", "--voice", voice, "-o", tmp_path / "a.wav"]
    process = subprocess.Popen([sys.executable, "-m", "ttskit", *words], env=ENVIRONMENT)
    index, begun = folder_of(tmp_path / "a.wav") / INDEX, time.monotonic()
    while not index.exists() or index.read_bytes().count(b"\n") < 5:
        assert process.poll() is None
        assert time.monotonic() < begun + 300
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "a.wav").exists()
    spoken = stop(1000)
    assert run(*words).exit_code == 0
    assert (tmp_path / "a.wav").read_bytes() == whole
    assert 0 < len(spoken) <= 235
    assert np.all(np.diff(spoken) == 1)
