"""The decoder diffusion through the command line, from codes: training, decoding, speaking."""

import numpy as np
import pytest
import torch

from tests.factory import SPOKEN, run, write_alignment_of, write_model, write_speech
from ttskit.artifacts.kinds import Features, Mels
from ttskit.artifacts.reader import Reader
from ttskit.errors import ArtifactError, TtskitError
from ttskit.voices.model import read_model

RVQ = {"stride": 4, "size": 32, "books": 2, "channels": 16, "layers": 1}
SMALL = {"hidden": 8, "layers": 1, "contour_hidden": 8, "encoder.hidden": 8,
         "denoiser.hidden": 8, "denoiser.layers": 1}  # fmt: skip
SETTINGS = [f"--set={key}={value}" for key, value in {**SMALL, "source": "codes"}.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """codes.h5 of features.h5 by codec.h5, and decoder.h5 that was trained on both."""
    folder = tmp_path_factory.mktemp("diffusion")
    write_speech(folder, 4, table=SPOKEN)
    write_alignment_of(folder)
    write_model(folder / "codec.h5", "rvq", RVQ)
    words = (folder / "features.h5", folder / "alignment.h5", "--codec", folder / "codec.h5")
    run("encode", *words, "-o", folder / "codes.h5", "-j", 1)
    data = folder / "codes.h5", folder / "features.h5"
    steps = "--family", "diffusion", *SETTINGS, "--steps", 2, "-o", folder / "decoder.h5"
    run("train", "decoder", *data, *steps)
    decoder = read_model(folder / "decoder.h5")
    config = {name: value for name, value in decoder.config.items() if name != "training"}
    write_model(folder / "decoder.h5", "diffusion", config, stir, **vars(decoder.facts))
    return folder


@torch.no_grad()
def stir(module):
    """Let a new model refine, which begins by adding nothing."""
    for parameter in module.denoiser.parameters():
        parameter += 0.3 * torch.randn_like(parameter)


def decoded(folder, *words, output="mels.h5"):
    words = ("--decoder", folder / "decoder.h5", *words, "-o", folder / output, "-j", 1)
    run("decode", folder / "codes.h5", *words)
    return Reader(folder / output, Mels)


def test_a_decoder_of_codes_knows_their_codec(folder):
    decoder = read_model(folder / "decoder.h5")
    assert decoder.takes == ("codes",)
    assert decoder.makes == ("mel", "f0", "voiced")
    assert decoder.facts.codec == read_model(folder / "codec.h5").digest


def test_codes_are_decoded_into_as_many_frames_as_they_stand_for(folder):
    mels, features = decoded(folder), Reader(folder / "features.h5", Features)
    assert mels.ids == features.ids
    for id in features.ids:
        assert mels[id].mel.shape == features[id].mel.shape
        assert mels[id].durations.sum() == len(mels[id].mel)


def test_codes_are_decoded_by_the_seed_and_the_steps(folder):
    def first(*words):
        mels = decoded(folder, *words, output="other.h5")
        return mels[mels.ids[0]].mel

    usual = first()
    np.testing.assert_array_equal(usual, first("--preset", "standard"))
    for words in (("--seed", 1), ("--steps", 3), ("--preset", "fast"), ("--guidance", 2)):
        assert not np.array_equal(usual, first(*words)), words


def test_options_of_texts_and_knobs_that_it_lacks_are_refused(folder):
    with pytest.raises(TtskitError, match="codes are decoded as they are"):
        decoded(folder, "--length-scale", 2, output="x.h5")
    words = ("--codec", folder / "codec.h5", "-o", folder / "x.h5")
    with pytest.raises(TtskitError, match="has steps of refinement: leave them out"):
        run("decode", folder / "codes.h5", *words, "--steps", 3)


def test_codes_of_another_codec_are_refused(folder, tmp_path):
    codec, codes = tmp_path / "codec.h5", tmp_path / "codes.h5"
    write_model(codec, "rvq", {**RVQ, "layers": 2})
    run("encode", folder / "features.h5", "--codec", codec, "-o", codes, "-j", 1)
    with pytest.raises(ArtifactError, match=r"codes.h5: was not encoded by"):
        run("decode", codes, "--decoder", folder / "decoder.h5", "-o", tmp_path / "x.h5")


def test_a_coder_and_a_decoder_of_its_codes_join_from_text_to_mel(folder):
    known = read_model(folder / "decoder.h5").facts
    codes = {name: getattr(known, name) for name in ("stride", "books", "size", "codec")}
    encoder = {"hidden": 16, "filter": 24, "layers": 1}
    sizes = {"causal": {"hidden": 16, "layers": 1, "heads": 2, "filter": 16}, "encoder": encoder}
    write_model(folder / "coder.h5", "autoregressive", sizes, **codes)
    predictor = {"encoder": encoder, "predictor": {"hidden": 8}}
    write_model(folder / "duration.h5", "plain", predictor)
    (folder / "lines.txt").write_text("some fine tunes\n", encoding="utf-8")
    models = ("--duration", folder / "duration.h5", "--model", folder / "coder.h5")
    words = ("--decoder", folder / "decoder.h5", "--language", "characters", "-j", 1)
    run("decode", folder / "lines.txt", *models, *words, "-o", folder / "spoken.h5")
    reader = Reader(folder / "spoken.h5", Mels)
    assert len(reader.column("mel")) == reader.column("durations").sum() > 0
