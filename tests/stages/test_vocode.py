"""`ttskit vocode` through the command line."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.factory import (
    GRID,
    HOP,
    PROVENANCE,
    RATE,
    run,
    sha,
    write_corpus,
    write_model,
    write_speech,
)
from ttskit.artifacts.kinds import Controls, Corpus, Features, Mels
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.cli import app
from ttskit.dsp.mel import MelSettings, mel
from ttskit.dsp.samples import to_int16
from ttskit.errors import TtskitError
from ttskit.formats import audio

TINY = {
    "channels": 16,
    "rates": [16, 16],
    "kernels": [32, 32],
    "block_kernels": [3],
    "dilations": [1],
}

DDSP = {"channels": 16, "layers": 1, "harmonics": 20, "noise_bands": 9, "guess": {"channels": 8}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """features.h5 of three utterances and mels.h5 of the same, where the command runs."""
    write_speech(tmp_path, 3)
    told: dict[str, Any] = {"provenance": PROVENANCE, "attributes": GRID, "tables": {"symbols": []}}
    heard = Reader(tmp_path / "features.h5", Features)
    with Writer(tmp_path / "mels.h5", Mels, **told) as writer:
        for id, record in heard.items():
            writer.append(Mels(id=id, speaker="ann", text=record.text, mel=record.mel))
        writer.seal(heard.ids)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def vocoded(folder, *words, output="said.h5"):
    run("vocode", *words, "-o", output)
    return Reader(folder / output, Corpus)


def complaint(*words):
    with pytest.raises(TtskitError) as error:
        run("vocode", *words, "-o", "x.h5")
    return str(error.value)


def write_sung(folder):
    """sung.h5: features.h5 with a voice at 200 Hz; ddsp.h5, which can play it."""
    heard = Reader(folder / "features.h5", Features)
    with Writer(folder / "sung.h5", Features, provenance=PROVENANCE, attributes=GRID) as writer:
        for record in heard.values():
            voiced = np.ones(len(record.mel), bool)
            writer.append(replace(record, f0=200.0 * voiced, voiced=voiced))
        writer.seal(heard.ids)
    write_model(folder / "ddsp.h5", "ddsp", DDSP)


def run_badly(*words):
    found = CliRunner().invoke(app, ["vocode", *words, "-j", "1", "-o", f"from-{words[0]}"])
    assert isinstance(found.exception, TtskitError)
    return found.stderr


def log_mel(record):
    return mel(record.audio.astype(np.float32) / 32768, MelSettings())


@pytest.mark.parametrize("family", ["griffinlim", "source"])
def test_mels_are_heard_again(folder, family):
    mels = Reader(folder / "mels.h5", Mels)
    found = vocoded(folder, "mels.h5", "--vocoder", family, "-j", 1)
    assert found.ids == mels.ids
    assert found.attributes["sample_rate"] == RATE
    for id, record in found.items():
        assert (record.speaker, record.text) == ("ann", mels[id].text)
        assert len(record.audio) == len(mels[id].mel) * HOP
        assert np.abs(log_mel(record) - mels[id].mel).mean() < 0.3


@pytest.mark.parametrize(("family", "own"), [("griffinlim", 32), ("source", 8)])
def test_rounds_are_those_of_griffin_lim(folder, family, own):
    def audio(*words):
        words = ("mels.h5", "--vocoder", family, "--limit", 1, "-j", 1, *words)
        return vocoded(folder, *words).column("audio")

    np.testing.assert_array_equal(audio("--rounds", own), audio())
    fewer = audio("--rounds", 1)
    assert not np.array_equal(fewer, audio())
    assert not np.array_equal(fewer, audio("--rounds", 2))


def test_rounds_of_a_vocoder_without_them_are_refused(folder):
    write_model(folder / "vocoder.h5", "hifigan", TINY)
    assert complaint("mels.h5", "--vocoder", "vocoder.h5", "--rounds", 4) == (
        "vocoder.h5: has no rounds of Griffin-Lim; leave --rounds out"
    )
    assert not (folder / "x.h5").exists()


def test_mels_features_and_their_audio_sound_alike(folder):
    of_mels = vocoded(folder, "mels.h5", "--vocoder", "griffinlim", "-j", 1)
    of_features = vocoded(folder, "features.h5", "--vocoder", "griffinlim", "-j", 1, output="f.h5")
    np.testing.assert_array_equal(of_mels.column("audio"), of_features.column("audio"))
    copied = vocoded(folder, "said.h5", "--vocoder", "griffinlim", "-j", 1, output="c.h5")
    for id, record in copied.items():
        assert len(record.audio) == len(of_mels[id].audio)
        assert np.abs(log_mel(record) - log_mel(of_mels[id])).mean() < 0.3


def test_bytes_depend_on_the_seed_but_not_on_jobs(folder):
    words = ["mels.h5", "--vocoder", "griffinlim"]
    vocoded(folder, *words, "-j", 1)
    vocoded(folder, *words, "-j", 2, output="two.h5")
    assert sha(folder / "said.h5") == sha(folder / "two.h5")
    other = vocoded(folder, *words, "-j", 1, "--seed", 1, "--limit", 1, output="other.h5")
    assert len(other) == 1
    assert not np.array_equal(other["u0"].audio, Reader(folder / "said.h5", Corpus)["u0"].audio)


def test_a_family_with_weights_needs_a_file():
    told = complaint("mels.h5", "--vocoder", "istft")
    assert told == "istft: has to be trained first: name the file of a model"


def test_a_model_makes_a_hop_of_samples_of_each_frame_and_wavs_of_them(folder):
    write_model(folder / "hifigan.h5", "hifigan", TINY)
    heard = Reader(folder / "features.h5", Features)
    words = ["features.h5", "--vocoder", "hifigan.h5", "--wav-dir", "wavs"]
    found = vocoded(folder, *words, "-j", 1)
    for id, record in found.items():
        assert len(record.audio) == len(heard[id].mel) * HOP
        samples, rate = audio.read(folder / "wavs" / f"{id}.wav")
        assert rate == RATE
        np.testing.assert_array_equal(to_int16(samples)[0], record.audio)


def test_peaks_of_loud_utterances_are_compressed_and_noted(folder):
    def peak(offset):
        with Writer(folder / "loud.h5", Features, provenance=PROVENANCE, attributes=GRID) as writer:
            writer.append(replace(heard, mel=heard.mel + offset))
            writer.seal(["u0"])
        said = run("vocode", "loud.h5", "--vocoder", "source", "-j", 1, "-o", "said.h5")
        return np.abs(Reader(folder / "said.h5", Corpus)["u0"].audio.astype(int)).max(), said.stderr

    heard = Reader(folder / "features.h5", Features)["u0"]
    usual, _ = peak(0)
    doubled = np.log(1.5 * 32768 / usual)  # half beyond full scale
    loudest, said = peak(doubled)
    assert "1 utterance beyond full scale, whose peaks were compressed: u0" in said
    assert 0.98 * 32768 < loudest < 32767
    within, said = peak(doubled - np.log(3))  # half of full scale
    assert within == pytest.approx(0.5 * 32768, rel=0.05)
    assert "full scale" not in said


def test_what_does_not_fit_is_refused(folder):
    write_model(folder / "bands.h5", "hifigan", TINY, n_mels=100)
    write_model(folder / "decoder.h5", "glow", {"flow": {"blocks": 1}})
    write_corpus(folder / "corpus.h5", [1, 2])
    whole = write_model(folder / "half.h5", "hifigan", TINY).read_bytes()
    (folder / "half.h5").write_bytes(whole[: len(whole) // 2])
    for words, says in (
        (["mels.h5", "--vocoder", "bands.h5"], "`ttskit features --n-mels 100`"),
        (["corpus.h5", "--vocoder", "bands.h5"], "`ttskit corpus --sample-rate 22050`"),
        (["mels.h5", "--vocoder", "decoder.h5"], "for the role decoder, needs vocoder"),
        (["mels.h5", "--vocoder", "half.h5"], "half.h5"),
        (["tokens.h5", "--vocoder", "griffinlim"], "tokens.h5: is tokens, needs mels, features"),
        (["mels.h5", "features.h5", "--vocoder", "griffinlim"], "takes one input, not 2"),
    ):
        assert says in complaint(*words)
    short = ["corpus.h5", "--vocoder", "griffinlim", "-j", 1, "--skip-bad", "-o", "x.h5"]
    with pytest.raises(TtskitError, match="there is no utterance to write"):
        run("vocode", *short)


def test_controls_are_written_and_sound_the_same_when_rendered(folder):
    write_sung(folder)
    words = ["sung.h5", "--vocoder", "ddsp.h5", "--controls", "controls.h5", "-j", 1]
    said = vocoded(folder, *words)
    played = Reader(folder / "controls.h5", Controls)
    assert played.ids == said.ids
    assert (played.attributes["sample_rate"], played.attributes["hop_length"]) == (RATE, HOP)
    for record in played.values():
        assert (record.f0 == 200).all()
        assert record.voiced.all()
        np.testing.assert_allclose(record.distribution.sum(1), 1, atol=1e-5)
    vocoded(folder, "controls.h5", "-j", 1, output="again.h5")
    again = Reader(folder / "again.h5", Corpus)
    np.testing.assert_array_equal(again.column("audio"), said.column("audio"))
    assert "up to date" in run("vocode", *words, "-o", "said.h5").stderr


def test_the_examples_of_changed_controls_do_what_they_say(folder):
    write_sung(folder)
    vocoded(folder, "sung.h5", "--vocoder", "ddsp.h5", "--controls", "controls.h5", "-j", 1)
    page = (Path(__file__).parents[2] / "docs" / "vocode.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec("\n".join(blocks), {})
    told = Reader(folder / "controls.h5", Controls)["u0"]
    peaks = {}
    for name in ("controls", "whisper"):
        audio = vocoded(folder, f"{name}.h5", "-j", 1, output=f"{name}-said.h5")["u0"].audio
        early = np.abs(np.fft.rfft(audio[: RATE // 4] * np.hanning(RATE // 4)))
        peaks[name] = early[40:60].max() / np.median(early[40:60])  # from 160 to 240 Hz
    assert peaks["controls"] > 20
    assert peaks["whisper"] < 10
    breathy = Reader(folder / "breathy.h5", Controls)["u0"]
    assert (breathy.amplitude < told.amplitude).all()
    assert (breathy.noise > told.noise).all()
    assert Reader(folder / "rising.h5", Controls)["u0"].f0[-1] == pytest.approx(400)
    assert not Reader(folder / "whisper.h5", Controls)["u0"].voiced.any()
    assert told.voiced.all()


def test_what_a_mel_does_not_tell_is_guessed_or_named(folder):
    write_model(folder / "ddsp.h5", "ddsp", DDSP)
    found = vocoded(folder, "mels.h5", "--vocoder", "ddsp.h5", "-j", 1)
    assert len(found) == 3
    told = {**DDSP, "guess": {"channels": 0}, "inputs": ["f0", "loudness"], "gated": False}
    write_model(folder / "deaf.h5", "ddsp", told)
    says = "mels.h5: is mels without f0, loudness, which deaf.h5 needs"
    assert complaint("mels.h5", "--vocoder", "deaf.h5") == says


def test_controls_are_for_a_vocoder_that_plays_them(folder):
    write_sung(folder)
    write_model(folder / "hifigan.h5", "hifigan", TINY)
    vocoded(folder, "sung.h5", "--vocoder", "ddsp.h5", "--controls", "controls.h5", "-j", 1)
    for words, says in (
        (["sung.h5", "--vocoder", "hifigan.h5", "--controls", "c.h5"], "hifigan.h5: plays by no"),
        (["sung.h5", "--vocoder", "griffinlim", "--controls", "c.h5"], "griffinlim: plays by no"),
        (["controls.h5", "--vocoder", "hifigan.h5"], "is controls without mel, which hifigan.h5"),
        (["controls.h5", "--vocoder", "griffinlim"], "is controls without mel, which griffinlim"),
        (["controls.h5", "--vocoder", "ddsp.h5", "--controls", "c.h5"], "is controls already"),
        (["controls.h5", "--controls", "c.h5"], "is controls already"),
        (["mels.h5", "--vocoder", "griffinlm"], "griffinlm: no such file; nearest name: griffinl"),
        (["mels.h5", "--vocoder", "griffinlim", "--device", "tpu"], "--device tpu: there is no"),
    ):
        assert says in complaint(*words)
    assert not (folder / "c.h5").exists()
    assert run("vocode", "sung.h5", "-o", "x.h5").exit_code == 2
    same = ["sung.h5", "--vocoder", "ddsp.h5", "-o", "./c.h5", "--controls", "c.h5"]
    assert run("vocode", *same).exit_code == 2
    (folder / "wavs").touch()
    taken = ["sung.h5", "--vocoder", "ddsp.h5", "-o", "c.h5", "--wav-dir", "wavs"]
    assert run("vocode", *taken).exit_code == 2
    twice = ["sung.h5", "--vocoder", "ddsp.h5", "-o", "c.h5", "--controls", "c.h5"]
    assert run("vocode", *twice).exit_code == 2
    assert not (folder / "c.h5").exists()
    told = Reader(folder / "controls.h5", Controls)
    attributes = {name: told.attributes[name] for name in Controls.attributes}
    with Writer(folder / "bad.h5", Controls, provenance=PROVENANCE, attributes=attributes) as bad:
        bad.append(replace(told["u0"], amplitude=told["u0"].amplitude * np.nan))
        bad.append(replace(told["u1"], noise=told["u1"].noise))
        bad.seal(["u0", "u1"])
    found = run_badly("bad.h5")
    assert "bad.h5: u0: its amplitude is damaged" in found
    with Writer(folder / "flat.h5", Controls, provenance=PROVENANCE, attributes=attributes) as flat:
        flat.append(replace(told["u0"], noise=told["u0"].noise[:, :1]))
        flat.seal(["u0"])
    assert "flat.h5: u0: its noise has fewer than 2 bands" in run_badly("flat.h5")
