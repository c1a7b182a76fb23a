"""Lines in times of their own: those of subtitles."""

import re

import numpy as np
import pytest
import soundfile

from tests.factory import run
from tests.tiny import write_voice
from ttskit import progress
from ttskit.errors import TtskitError
from ttskit.speaking.chain import Chain
from ttskit.speaking.fitting import FASTER, placed
from ttskit.speaking.lines import to_lines
from ttskit.speaking.style import Style
from ttskit.text.ssml import Cue, Passage
from ttskit.voices import voice as voices

STEP = 256 / 22050


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice"))


@pytest.fixture(scope="module")
def chain(file):
    return Chain(voices.read(file))


@pytest.fixture
def notes(monkeypatch):
    notes: list[str] = []
    monkeypatch.setattr(progress, "note", notes.append)
    return notes


def script(chain, *cues):
    """The lines of cues, each a text and its time, and when each begins and lasts, in seconds."""
    passages = [
        Passage(text, place="a.srt:1", cue=Cue(str(n), start, "a.srt:1"))
        for n, (text, start) in enumerate(cues, 1)
    ]
    lines = list(to_lines(passages, chain.voice.speller()))
    durations = placed(chain, lines, Style())
    ends = np.cumsum([one.sum() for one in durations]) * STEP
    seconds = np.array([one[1:].sum() for one in durations]) * STEP
    return lines, durations, ends - seconds, seconds


def test_cues_begin_at_their_times_as_long_as_predicted(chain, notes):
    lines, durations, starts, _ = script(chain, ("One two.", 0.5), ("Three. Four.", 3.0))
    assert [line.cue is not None for line in lines] == [True, True, False]
    assert np.abs(starts[:2] - [0.5, 3.0]).max() <= STEP / 2
    for line, frames in zip(lines, durations, strict=True):
        assert (frames[1:] == chain.durations(line, Style())[1:]).all()
    assert not notes


def test_a_cue_that_is_too_long_for_its_time_is_spoken_faster(chain, notes):
    _, _, _, (usual,) = script(chain, ("Hello there, world.", 0.0))
    slot = usual / 1.25
    _, _, starts, seconds = script(chain, ("Hello there, world.", 1.0), ("Two.", 1.0 + slot))
    assert abs(starts[1] - (1.0 + slot)) <= STEP / 2
    assert usual / FASTER < seconds[0] <= slot + STEP
    assert not notes


def test_where_faster_is_not_enough_the_cue_is_named_and_the_next_begins_later(chain, notes):
    _, _, _, (usual,) = script(chain, ("Hello there, world.", 0.0))
    _, _, starts, seconds = script(
        chain, ("Hello there, world.", 1.0), ("Two.", 1.0 + usual / 3), ("Three.", 20.0)
    )
    assert abs(seconds[0] - usual / FASTER) <= STEP
    late = starts[1] - (1.0 + usual / 3)
    assert late == pytest.approx(usual / FASTER - usual / 3, abs=2 * STEP)
    assert abs(starts[2] - 20.0) <= STEP / 2
    (note,) = notes
    said = re.fullmatch(r"a\.srt:1: cue 1 is (\d\.\d\d) s too long for its time, .*", note)
    assert said is not None
    assert float(said[1]) == pytest.approx(late, abs=0.006)


def test_a_file_of_subtitles_is_spoken_into_its_times(file, tmp_path):
    (tmp_path / "a.vtt").write_text(
        "WEBVTT\n\n00:01.000 --> 00:02.000\nOne.\n\n00:04.000 --> 00:05.000\nTwo.\n"
    )
    words = ("say", "--voice", file, "-f", tmp_path / "a.vtt", "-o", tmp_path / "a.wav")
    assert run(*words, "--timing", tmp_path / "a.srt").exit_code == 0
    samples, rate = soundfile.read(tmp_path / "a.wav")
    loud = np.flatnonzero(samples) / rate
    assert loud[0] == pytest.approx(1.0, abs=0.02)
    assert loud[loud > 3][0] == pytest.approx(4.0, abs=0.02)
    assert not ((loud > 2.5) & (loud < 3.9)).any()
    assert "One." in (tmp_path / "a.srt").read_text()
    with pytest.raises(TtskitError, match=r"a\.vtt: subtitles have times"):
        run(*words, "--duration", 3)
