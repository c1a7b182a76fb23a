"""Faults planted in a corpus of signals like speech: the doctor finds them and no others."""

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.made import PROVENANCE
from ttskit.artifact import Writer
from ttskit.cli import app
from ttskit.dsp import speechlike
from ttskit.kinds import Corpus, Features
from ttskit.stages import doctor

RATE = 16000
WORDS = ["open window", "yellow moon rain", "seven rivers", "quiet garden stone", "always water"]


def signal(number, text):
    rng = np.random.default_rng(number)
    audio, _ = speechlike.synthesise(speechlike.sounds(text, rng), rng, RATE)
    return np.round(audio * 32767)


def write(path, faults):
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": RATE}) as writer:
        for number in range(30):
            id, text = f"u{number:02}", WORDS[number % len(WORDS)]
            audio = signal(number, text)
            text, audio = faults.get(id, lambda text, audio: (text, audio))(text, audio)
            audio = np.clip(audio, -32768, 32767).astype(np.int16)
            writer.append(Corpus(id=id, speaker="", text=text, audio=audio))
        writer.seal([f"u{number:02}" for number in range(30)])
    return path


def test_planted_faults_are_found_and_nothing_else(tmp_path):
    faults = {
        "u03": lambda text, audio: (text, audio * 8),
        "u07": lambda text, audio: (text, np.concatenate([audio, np.zeros(2 * RATE)])),
        "u11": lambda text, audio: (f"{text} and a great deal more than was ever said", audio),
        "u17": lambda text, audio: (text, audio * 0.01),
    }
    path = write(tmp_path / "x.h5", faults)
    result = CliRunner().invoke(app, ["doctor", str(path)])
    assert result.exit_code == 0
    found = {tuple(line.split("\t")[:2]) for line in result.stdout.splitlines()}
    assert found == {
        ("u03", "clipping"),
        ("u03", "level"),
        ("u07", "silence"),
        ("u11", "speech rate"),
        ("u17", "level"),
    }
    assert "more text than audio?" in result.stdout


def test_a_second_corpus_is_refused(tmp_path):
    path = write(tmp_path / "x.h5", {})
    result = CliRunner().invoke(app, ["doctor", str(path), str(path)])
    assert "is a second corpus; needs one" in str(result.exception)


def test_a_healthy_corpus_has_no_findings(tmp_path):
    path = write(tmp_path / "x.h5", {})
    assert CliRunner().invoke(app, ["doctor", str(path)]).stdout == ""


def test_a_few_samples_at_full_scale_are_no_clipping():
    assert doctor.clipped(np.array([0, 32767, 32767, 0, -32768, 0], np.int16)) == 0
    assert doctor.clipped(np.array([0, 32767, 32767, 32767, 32760], np.int16)) == 4


def test_octave_jumps_count_only_between_voiced_frames():
    f0 = np.array([100, 200, 200, 100, 101], np.float32)
    voiced = np.array([True, True, False, True, True])
    columns = dict.fromkeys(("periodicity", "loudness", "energy"), np.zeros(5, np.float32))
    features = Features(
        id="x", speaker="", text="", mel=np.zeros((5, 2)), f0=f0, voiced=voiced, **columns
    )
    assert doctor.octave_jumps(features) == 1


@pytest.mark.parametrize("seconds", [0.0, 0.7])
def test_pauses_are_measured(seconds):
    quiet = np.zeros(int(seconds * RATE))
    tone = 8000 * np.sin(np.arange(RATE) * 0.2)
    audio = np.concatenate([quiet, tone, quiet, quiet, tone, quiet]).astype(np.int16)
    expected = (seconds, 2 * seconds, seconds)
    assert doctor.pauses(audio, RATE) == pytest.approx(expected, abs=0.03)
