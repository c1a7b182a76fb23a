"""Latents of a coder through the command line: encoding, training, decoding, speaking."""

import json
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from tests.factory import SPOKEN, attentive, run, write_alignment_of, write_model, write_speech
from ttskit.artifacts.kinds import Codes, Features, Mels
from ttskit.artifacts.reader import Reader
from ttskit.errors import ArtifactError, SettingError, TtskitError
from ttskit.networks.batch import collate
from ttskit.training.examples import Examples
from ttskit.voices import voice as voices
from ttskit.voices.model import read_model

RVQ = {"stride": 4, "size": 32, "books": 3, "channels": 16, "layers": 1}
ENCODER = {"hidden": 16, "filter": 24, "layers": 1}
STATES = {"hidden": 16, "layers": 1, "state": 3}
CAUSAL = {"hidden": 16, "layers": 1, "heads": 2, "filter": 16}
SIZES = {"causal": CAUSAL, "encoder": ENCODER, "prosody": True}
SMALL = ("source=latents", "hidden=8", "layers=1", "contour_hidden=8", "encoder.hidden=8")
SETTINGS = [f"--set={setting}" for setting in SMALL]
CARD = 'name = "a"\nlicence = "b"\ndata = "c"\ntraining = "d"\nmeasures = "e"\nweaknesses = "f"\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Features, codec.h5, coder.h5 of two of its books, codes.h5 with latents, and decoder.h5."""
    folder = tmp_path_factory.mktemp("latents")
    write_speech(folder, 4, table=SPOKEN)
    write_alignment_of(folder)
    codec = write_model(folder / "codec.h5", "rvq", RVQ, symbols=(), silent=())
    codes = {"stride": 4, "books": 2, "size": 32, "codec": read_model(codec).digest}
    write_model(folder / "coder.h5", "autoregressive", SIZES, **codes)
    write_model(folder / "mamba.h5", "mamba", {"text": STATES, "audio": STATES}, **codes)
    write_model(folder / "other.h5", "autoregressive", {**SIZES, "text_weight": 0.5}, **codes)
    encoded(folder, folder / "codes.h5")
    data = folder / "codes.h5", folder / "features.h5"
    run("train", "decoder", *data, *SETTINGS, "--steps", 2, "-o", folder / "decoder.h5")
    return folder


def encoded(folder, output, *words, coder="coder.h5"):
    speech = folder / "features.h5", folder / "alignment.h5"
    models = "--codec", folder / "codec.h5", "--coder", folder / coder
    run("encode", *speech, *models, *words, "-o", output, "-j", 1)
    return Reader(output, Codes)


@pytest.mark.parametrize("name", ["coder.h5", "mamba.h5"])
def test_latents_are_what_the_coder_makes_of_the_recording(folder, tmp_path, name):
    coder, codes = read_model(folder / name), encoded(folder, tmp_path / "codes.h5", coder=name)
    module: Any = coder.module()
    readers = [codes, Reader(folder / "features.h5", Features)]
    examples = Examples(readers, (*coder.takes, "codes", "speaker"))
    for row, id in enumerate(examples.ids):
        batch = collate([id], [examples.item(row, 0, np.random.default_rng(0))])
        with torch.inference_mode():
            expected = module.latents(batch)[0].numpy()
        assert codes[id].codes.shape[1] == 2
        np.testing.assert_allclose(np.asarray(codes[id].latents), expected, atol=2e-3)
        assert codes[id].latents_of == coder.digest


def test_drawn_codes_give_other_latents_which_are_always_the_same(folder, tmp_path):
    recorded = Reader(folder / "codes.h5", Codes)
    drawn, again = (encoded(folder, tmp_path / f"{n}.h5", "--drawn", 0.5) for n in "ab")
    np.testing.assert_array_equal(drawn.column("codes"), recorded.column("codes"))
    np.testing.assert_array_equal(drawn.column("latents"), again.column("latents"))
    assert np.abs(drawn.column("latents") - recorded.column("latents")).max() > 1e-2


def test_a_decoder_of_latents_knows_their_coder(folder):
    decoder, coder = read_model(folder / "decoder.h5"), read_model(folder / "coder.h5")
    assert decoder.takes == ("latents",)
    assert (decoder.facts.latents, decoder.facts.coder) == (16, coder.digest)


def test_latents_are_decoded_into_as_many_frames_as_their_codes_stand_for(folder, tmp_path):
    words = ("--decoder", folder / "decoder.h5", "-o", tmp_path / "mels.h5", "-j", 1)
    run("decode", folder / "codes.h5", *words)
    mels, features = Reader(tmp_path / "mels.h5", Mels), Reader(folder / "features.h5", Features)
    assert mels.ids == features.ids
    for id in features.ids:
        assert mels[id].mel.shape == features[id].mel.shape


@pytest.mark.parametrize("family", ["feedforward", "diffusion"])
def test_from_text_to_sound_by_way_of_latents(folder, tmp_path, family):
    decoder = tmp_path / "decoder.h5"
    small = SETTINGS if family == "feedforward" else [*SETTINGS, "--set=denoiser.hidden=8"]
    data = folder / "codes.h5", folder / "features.h5"
    run("train", "decoder", *data, "--family", family, *small, "--steps", 1, "-o", decoder)
    predict = {"encoder": ENCODER, "predictor": {"hidden": 8}, "predict": ["pitch", "loudness"]}
    duration = write_model(tmp_path / "duration.h5", "plain", predict)
    (tmp_path / "lines.txt").write_text("some fine tunes\n", encoding="utf-8")
    chain = ("--duration", duration, "--model", folder / "coder.h5", "--decoder", decoder)
    spoken = (*chain, "--language", "characters", "-o", tmp_path / "mels.h5", "-j", 1)
    run("decode", tmp_path / "lines.txt", *spoken)
    mels = Reader(tmp_path / "mels.h5", Mels)
    assert len(mels.column("mel")) == mels.column("durations").sum() > 0
    (tmp_path / "card.toml").write_text(CARD)
    parts = (duration, folder / "coder.h5", decoder, "source", "--language", "characters")
    run("voice", "pack", *parts, "--card", tmp_path / "card.toml", "-o", tmp_path / "voice.h5")
    packed = voices.read(tmp_path / "voice.h5").models
    assert [*packed] == ["duration", "coder", "decoder", "vocoder"]
    assert packed["decoder"].facts == read_model(decoder).facts
    words = ("--voice", tmp_path / "voice.h5", "-o", tmp_path / "a.wav", "--json")
    assert json.loads(run("say", "tunes", *words).stdout)["words"] == 1


def test_latents_of_another_coder_are_refused(folder, tmp_path):
    encoded(folder, tmp_path / "codes.h5", coder="other.h5")
    words = ("--decoder", folder / "decoder.h5", "-o", tmp_path / "mels.h5")
    with pytest.raises(ArtifactError, match=r"codes.h5: has latents of another coder: .*decoder"):
        run("decode", tmp_path / "codes.h5", *words)
    duration = write_model(tmp_path / "duration.h5", "plain", {"predict": ["pitch", "loudness"]})
    parts = (duration, folder / "other.h5", folder / "decoder.h5", "source")
    with pytest.raises(ArtifactError, match=r"decoder.h5: knows latents of another coder than"):
        run("voice", "pack", *parts, "--card", tmp_path / "card.toml", "-o", tmp_path / "voice.h5")


@pytest.fixture
def hearing(folder, tmp_path):
    """A duration model, a coder that hears clips, and a decoder of its latents; two clips."""
    known = read_model(folder / "coder.h5").facts
    codes = {name: getattr(known, name) for name in ("stride", "books", "size", "codec")}
    settings = {**SIZES, "reference": True}
    coder = write_model(tmp_path / "coder.h5", "autoregressive", settings, attentive, **codes)
    latents = {"latents": 16, "coder": read_model(coder).digest, **codes}
    sizes = {"source": "latents", "hidden": 8, "layers": 1, "encoder": {"hidden": 8}}
    decoder = write_model(tmp_path / "decoder.h5", "feedforward", sizes, **latents)
    predict = {"encoder": ENCODER, "predictor": {"hidden": 8}, "predict": ["pitch", "loudness"]}
    duration = write_model(tmp_path / "duration.h5", "plain", predict)
    (tmp_path / "card.toml").write_text(CARD)
    (tmp_path / "lines.txt").write_text("some fine tunes\n", encoding="utf-8")
    for name, wave in (("a", np.sin(np.arange(16000) / 3)), ("b", np.sin(np.arange(16000) ** 2))):
        soundfile.write(tmp_path / f"{name}.wav", 0.3 * wave, 16000)
    return duration, coder, decoder


def test_a_voice_that_hears_clips_needs_the_codec(hearing, tmp_path):
    card = ("--language", "characters", "--card", tmp_path / "card.toml")
    run("voice", "pack", *hearing, "source", *card, "-o", tmp_path / "voice.h5")
    words = ("--voice", tmp_path / "voice.h5", "--reference", "a.wav", "-o", tmp_path / "x.wav")
    with pytest.raises(TtskitError, match="hears clips as codes, for which it lacks the codec"):
        run("say", "tunes", *words)


def test_with_the_codec_beside_it_the_decoder_of_latents_sounds_like_a_clip(
    folder, hearing, tmp_path
):
    card = ("--language", "characters", "--card", tmp_path / "card.toml")
    voice = tmp_path / "voice.h5"
    run("voice", "pack", *hearing, folder / "codec.h5", "source", *card, "-o", voice)
    assert {*voices.read(voice).models} == {"duration", "coder", "decoder", "vocoder", "codec"}
    made = []
    for name in "ab":
        words = ("--voice", voice, "--reference", tmp_path / f"{name}.wav")
        run("say", "tunes", *words, "-o", tmp_path / "x.wav", "--manifest", tmp_path / "x.jsonl")
        made.append((tmp_path / "x.wav").read_bytes())
        assert "candidate" not in (tmp_path / "x.jsonl").read_text()  # a codec judges nothing
    assert made[0] != made[1]
    chain = ("--duration", hearing[0], "--model", hearing[1], "--decoder", hearing[2])
    models = (*chain, "--codec", folder / "codec.h5", "--language", "characters", "-j", 1)
    clip = ("--reference", tmp_path / "a.wav")
    run("decode", tmp_path / "lines.txt", *models, *clip, "-o", tmp_path / "mels.h5")
    mels = Reader(tmp_path / "mels.h5", Mels)
    assert len(mels.column("mel")) == mels.column("durations").sum() > 0


def test_a_codec_that_has_nothing_to_hear_is_one_too_many(folder, hearing, tmp_path):
    parts = (hearing[0], folder / "coder.h5", folder / "decoder.h5", folder / "codec.h5", "source")
    with pytest.raises(ArtifactError, match=r"makes mel, which .*\.h5 makes too"):
        run("voice", "pack", *parts, "--card", tmp_path / "card.toml", "-o", tmp_path / "v.h5")


def test_clips_are_heard_by_the_codec_of_the_coder_alone(hearing, tmp_path):
    other = write_model(tmp_path / "other.h5", "rvq", {**RVQ, "size": 64}, symbols=(), silent=())
    words = ("--card", tmp_path / "card.toml", "-o", tmp_path / "v.h5")
    with pytest.raises(ArtifactError, match=r"other.h5: knows codes of another codec than"):
        run("voice", "pack", *hearing, other, "source", *words)


def test_codes_without_latents_are_refused(folder, tmp_path):
    codes, codec = tmp_path / "codes.h5", folder / "codec.h5"
    run("encode", folder / "features.h5", "--codec", codec, "-o", codes, "-j", 1)
    words = ("--decoder", folder / "decoder.h5", "-o", tmp_path / "mels.h5")
    with pytest.raises(ArtifactError, match=r"codes.h5: has no latents: .*encode --coder"):
        run("decode", codes, *words)
    data = codes, folder / "features.h5"
    with pytest.raises(ArtifactError, match=r"needs codes for its latents; .*encode --coder"):
        run("train", "decoder", *data, *SETTINGS, "--steps", 1, "-o", tmp_path / "decoder.h5")


def test_what_gives_no_latents_is_refused(folder, tmp_path):
    output = tmp_path / "x.h5"
    with pytest.raises(SettingError, match=r"--books 3: .*coder.h5 predicts 2"):
        encoded(folder, output, "--books", 3)
    models = ("--codec", folder / "codec.h5", "--coder", folder / "coder.h5", "-o", output)
    with pytest.raises(TtskitError, match="--coder needs Features and their Alignment"):
        run("encode", folder / "features.h5", *models)


def test_codes_are_drawn_by_a_coder_alone(folder, tmp_path):
    words = ("--codec", folder / "codec.h5", "--drawn", 0.5, "-o", tmp_path / "x.h5")
    asked = run("encode", folder / "features.h5", *words)
    assert asked.exit_code == 2
    assert "needs the coder that draws: add --coder" in asked.stderr
    assert not (tmp_path / "x.h5").exists()
