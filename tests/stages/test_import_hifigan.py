"""`ttskit import` of a checkpoint of HiFi-GAN, written as its authors write them."""

import json

import pytest
import torch

from tests.factory import run
from tests.voices.test_hifigan import CONFIG, checkpoint
from ttskit.errors import TtskitError
from ttskit.voices.hifigan import from_checkpoint
from ttskit.voices.model import read_model

WORDS = ["import", "generator.pth.tar", "--config", "config.json", "-o", "vocoder.h5"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """generator.pth.tar and config.json, where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    torch.save({"generator": checkpoint(CONFIG)}, tmp_path / "generator.pth.tar")
    return tmp_path


@pytest.mark.parametrize("zipped", [True, False], ids=["new", "old"])
def test_an_imported_checkpoint_makes_the_same_audio(folder, zipped):
    weights, path = checkpoint(CONFIG), folder / "generator.pth.tar"
    torch.save({"generator": weights}, path, _use_new_zipfile_serialization=zipped)
    run(*WORDS)
    model = read_model(folder / "vocoder.h5", role="vocoder")
    assert (model.family, model.facts.hop_length) == ("hifigan", CONFIG["hop_size"])
    mel = torch.randn(1, 7, CONFIG["num_mels"])
    torch.testing.assert_close(model.module()(mel), from_checkpoint(weights, CONFIG)(mel))
    assert "up to date" in run(*WORDS).stderr


def test_a_checkpoint_cannot_run_code(folder):
    class Hostile:
        def __reduce__(self):
            return (exit, (7,))

    torch.save({"generator": Hostile()}, folder / "generator.pth.tar")
    with pytest.raises(TtskitError, match="holds more than tensors"):
        run(*WORDS)


def test_a_checkpoint_that_does_not_fit_takes_one_line(folder):
    whole = (folder / "generator.pth.tar").read_bytes()
    other = {**CONFIG, "num_mels": 4}
    for written, config, says in (
        (whole[: len(whole) // 2], CONFIG, "generator.pth.tar: is damaged"),
        (None, CONFIG, "generator.pth.tar: has no `generator`"),
        (whole, other, "generator.pth.tar: weights of HiFi-GAN: first"),
        (b"nothing", CONFIG, "generator.pth.tar: is nothing that can be imported"),
    ):
        if written is None:
            torch.save({"discriminator": {}}, folder / "generator.pth.tar")
        else:
            (folder / "generator.pth.tar").write_bytes(written)
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        with pytest.raises(TtskitError) as error:
            run(*WORDS)
        assert says in str(error.value)
        assert "\n" not in str(error.value)
        assert not (folder / "vocoder.h5").exists()


def test_a_config_is_needed_and_must_be_json(folder):
    with pytest.raises(TtskitError, match=r"need --config config\.json"):
        run("import", "generator.pth.tar", "-o", "vocoder.h5")
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(TtskitError, match=r"config\.json: is not JSON"):
        run(*WORDS)
