"""Several voices and recordings within one text."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.factory import run
from tests.tiny import facts, write_voice
from ttskit.errors import Interrupted, TtskitError
from ttskit.speaking import recordings
from ttskit.speaking.chain import Chain
from ttskit.speaking.voice import Voice

RATE, HOP = 22050, 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Voices `own.h5`, `ann.h5` of another lexicon, and `low.h5` of another grid."""
    folder = tmp_path_factory.mktemp("voices")
    write_voice(folder, name="own.h5")
    write_voice(folder, "--noise-scale", 0.9, name="ann.h5")
    low = facts(sample_rate=16000, hop_length=200, n_fft=800, fmax=8000.0)
    write_voice(folder, name="low.h5", known=low)
    return folder


@pytest.fixture
def say(folder, monkeypatch):
    monkeypatch.chdir(folder)
    own = Voice("own.h5")

    def say(inner, **options):
        return own.say(f"<speak>{inner}</speak>", ssml=True, times=True, **options)

    return say


def test_each_voice_sounds_as_it_does_alone(say):
    audio, _ = say("one<voice name='ann.h5'>two</voice>", pause=0.0)
    first = Voice("own.h5").say("one")
    second = Voice("ann.h5").say("two")
    assert (audio[: len(first)] == first).all()
    assert len(audio) == len(first) + len(second)


def test_a_voice_of_another_rate_is_resampled_and_timed_to_the_frame(say):
    audio, times = say("one<voice name='low.h5'>two</voice>one", pause=0.5)
    alone, own_times = Voice("low.h5").say("two", times=True)
    _, one, _ = times.words
    (own,) = own_times.words
    assert len(audio) % HOP == 0
    assert times.seconds * RATE == pytest.approx(len(audio))
    assert one.stop - one.start == pytest.approx(own.stop - own.start, abs=HOP / RATE)
    others = 2 * len(Voice("own.h5").say("one")) / RATE + 1.0
    assert len(audio) / RATE == pytest.approx(others + len(alone) / 16000, abs=3 * HOP / RATE)


def test_voices_that_a_text_names_are_loaded_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    own, opened = Voice("own.h5"), list[Path]()
    monkeypatch.setattr(Voice, "__init__", _recording(Voice.__init__, opened))
    for _ in range(2):
        own.say("<speak><voice name='ann.h5'>a</voice><voice name='ann.h5'>b</voice></speak>",
                ssml=True)  # fmt: skip
    assert [path.name for path in opened] == ["ann.h5"]


def _recording(begin, opened):
    def recorded(self, path, **options):
        opened.append(path)
        begin(self, path, **options)

    return recorded


def test_a_recording_of_any_rate_sounds_at_the_rate_of_the_voice(say, folder):
    time = np.arange(48_000) / 48_000
    tone = 0.5 * np.sin(2 * np.pi * 1000 * time)
    soundfile.write(folder / "tone.flac", np.stack([tone, tone], 1), 48_000)
    audio, _ = say("<audio src='tone.flac'/>")
    assert len(audio) == pytest.approx(RATE, abs=HOP)
    assert np.abs(np.fft.rfft(audio[:RATE])).argmax() == 1000
    assert np.abs(audio).max() == pytest.approx(0.5, abs=0.01)


def test_a_text_may_be_a_recording_alone(say, folder):
    soundfile.write(folder / "click.wav", np.full(1000, 0.25), RATE)
    audio, times = say("<audio src='click.wav'/>")
    assert len(audio) == 4 * HOP
    assert np.abs(audio[:1000]).min() > 0.2
    assert times.words == []


def test_files_of_a_text_are_found_from_its_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write(folder / "click.wav", np.full(1000, 0.25), RATE)
    text = "<speak><voice name='ann.h5'>one</voice><audio src='click.wav'/></speak>"
    (folder / "a.ssml").write_text(text)
    options = ("--ssml", "--voice", folder / "own.h5", "-o", "a.wav")
    assert run("say", "-f", folder / "a.ssml", *options).exit_code == 0
    with pytest.raises(TtskitError, match=r"the text:1:8: ann.h5: no such file, nor an embedded"):
        run("say", text, *options)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("http://a/b.wav", "src is 'http://a/b.wav', needs the name of a file"),
        ("", "src is '', needs the name of a file"),
        ("none.wav", "none.wav: no such file"),
        ("own.h5", "own.h5: not audio"),
        ("long.wav", "lasts longer than 600 s: cut it up"),
    ],
)
def test_what_is_not_played_is_refused_in_a_line(folder, source, message):
    soundfile.write(folder / "long.wav", np.zeros(600 * 8000 + 1, np.int16), 8000)
    with pytest.raises(TtskitError, match=message):
        recordings.find(source, folder)


@pytest.mark.parametrize("options", [{"duration": 3.0}, {"textgrid": "a.TextGrid"}])
def test_times_that_are_given_go_with_one_voice_alone(say, options):
    with pytest.raises(TtskitError, match="within a text go without duration, textgrid and take"):
        say("<voice name='ann.h5'>one</voice>", **options)


def test_what_another_voice_cannot_do_is_refused_before_anything_is_spoken(say, folder):
    write_voice(folder, name="flat.h5", pitch=False)
    with pytest.raises(TtskitError, match=r"flat.h5: its decoder was not trained with pitch"):
        say("one<voice name='flat.h5'>two</voice>", pitch=2.0)


def test_a_stopped_run_of_several_voices_goes_on(folder, monkeypatch):
    monkeypatch.chdir(folder)
    soundfile.write("click.wav", np.full(1000, 0.25), RATE)
    text = "<speak>one<audio src='click.wav'/><voice name='low.h5'>two</voice>three</speak>"
    options = ("--ssml", "--voice", "own.h5", "-o")
    assert run("say", text, *options, "whole.wav").exit_code == 0
    speak, spoken = Chain.speak, []

    def failing(self, *words):
        spoken.append(1)
        if len(spoken) == 4:
            raise KeyboardInterrupt
        return speak(self, *words)

    with monkeypatch.context() as patch:
        patch.setattr(Chain, "speak", failing)
        with pytest.raises(Interrupted, match="keeps 3 finished lines"):
            run("say", text, *options, "part.wav")
    assert "goes on after sentence 2 of 3" in run("say", text, *options, "part.wav").stderr
    assert (folder / "part.wav").read_bytes() == (folder / "whole.wav").read_bytes()
