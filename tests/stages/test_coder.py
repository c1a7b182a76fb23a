"""Codes made from texts: training, and speaking with the codec that they are of."""

import json

import pytest
import torch

from tests.factory import run, write_alignment_of, write_model, write_speech
from tests.tiny import CARD, ENCODER, facts
from tests.tiny import write_model as write_small
from ttskit.artifacts.hdf5 import open_container
from ttskit.errors import ArtifactError
from ttskit.models.plain import Plain
from ttskit.voices import voice as voices
from ttskit.voices.model import read_model

RVQ = {"stride": 4, "size": 32, "books": 2, "channels": 16, "layers": 1}
CAUSAL = {"hidden": 16, "layers": 1, "heads": 2, "filter": 16}
SIZES = {"causal": CAUSAL, "encoder": ENCODER}
SMALL = [f"--set={table}.{key}={value}" for table in SIZES for key, value in SIZES[table].items()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Codes that say what is spoken, and a coder that was trained on them."""
    folder = tmp_path_factory.mktemp("trained")
    write_speech(folder, count=6)
    write_alignment_of(folder)
    write_model(folder / "codec.h5", "rvq", RVQ)
    words = (folder / "features.h5", folder / "alignment.h5", "--codec", folder / "codec.h5")
    run("encode", *words, "-o", folder / "codes.h5", "-j", 1)
    run("train", "coder", folder / "codes.h5", *SMALL, "--steps", 2, "-o", folder / "coder.h5")
    return folder


def test_codes_alone_train_a_coder_that_knows_its_codec(trained):
    coder, codec = read_model(trained / "coder.h5"), read_model(trained / "codec.h5")
    known = coder.facts
    assert (known.stride, known.books, known.size, known.codec) == (4, 2, 32, codec.digest)
    alignment = trained / "alignment.h5"
    assert known.symbols == tuple(open_container(alignment).strings("symbols"))
    assert coder.takes == ("tokens", "durations")


def test_codes_that_do_not_say_what_is_spoken_need_an_alignment(trained, tmp_path):
    codes, alignment = tmp_path / "codes.h5", trained / "alignment.h5"
    run("encode", trained / "features.h5", "--codec", trained / "codec.h5", "-o", codes, "-j", 1)
    words = ("train", "coder", *SMALL, "--steps", 1, "-o", tmp_path / "coder.h5")
    with pytest.raises(ArtifactError, match=r"needs alignment .* for its tokens"):
        run(*words, codes)
    assert run(*words, codes, alignment).exit_code == 0


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A duration model, a coder and its codec, which know the phonemes of English."""
    folder = tmp_path_factory.mktemp("models")
    codec = write_model(folder / "codec.h5", "rvq", RVQ, symbols=(), silent=())
    known = {"symbols": facts().symbols, "silent": facts().silent}
    codes = {"stride": 4, "books": 2, "size": 32, "codec": read_model(codec).digest}
    write_model(folder / "coder.h5", "autoregressive", SIZES, **known, **codes)
    write_small(folder / "duration.h5", Plain, facts())
    (folder / "card.md").write_text(CARD)
    (folder / "texts.tsv").write_text("a\tHello there.\nb\tFive gold rings.\n")
    return folder


@pytest.fixture(scope="module")
def parts(models):
    return [models / name for name in ("duration.h5", "coder.h5", "codec.h5")]


def test_codes_of_texts_are_decoded(models, parts, tmp_path):
    duration, coder, codec = parts
    words = (models / "texts.tsv", "--duration", duration, "--model", coder, "--codec", codec)
    run("decode", *words, "-o", tmp_path / "mels.h5", "-j", 1)
    assert json.loads(run("info", tmp_path / "mels.h5", "--json").stdout)["utterances"] == 2
    copied = run("vocode", tmp_path / "mels.h5", "--vocoder", "source", "-o", tmp_path / "s.h5")
    assert copied.exit_code == 0


def test_a_voice_that_makes_codes_is_packed_and_speaks(models, parts, tmp_path):
    voice = tmp_path / "voice.h5"
    run("voice", "pack", *parts, "source", "--card", models / "card.md", "-o", voice)
    assert [*voices.read(voice).models] == ["duration", "coder", "codec", "vocoder"]
    said = run("say", "Hello.", "--voice", voice, "-o", tmp_path / "a.wav", "--json")
    assert json.loads(said.stdout)["words"] == 1


def test_a_chain_that_makes_codes_is_compared(models, parts, tmp_path):
    words = ("--measures", "rtf", "-o", tmp_path / "out", "--json", "-j", "1")
    compared = run("compare", models / "texts.tsv", *parts, "source", *words)
    assert [*json.loads(compared.stdout)["systems"]] == ["coder+codec+source"]


def test_another_codec_is_refused_in_a_chain_and_in_a_voice(models, parts, tmp_path):
    def change(module):
        module.scale.mean.fill_(1)

    other = write_model(tmp_path / "other.h5", "rvq", RVQ, change, symbols=(), silent=())
    with pytest.raises(ArtifactError, match=r"other.h5: knows codes of another codec than .*coder"):
        run("voice", "pack", *parts[:2], other, "source", "--card", models / "card.md", "-o", "v")


def test_without_a_coder_the_error_asks_for_one(models, parts):
    with pytest.raises(ArtifactError, match=r"makes codes, which .*codec.h5 takes: add a coder;"):
        run("compare", models / "texts.tsv", parts[0], parts[2], "source", "--measures", "rtf")


def test_a_packed_coder_makes_the_codes_of_its_file(models, parts, tmp_path):
    voice = tmp_path / "voice.h5"
    words = ("--card", models / "card.md", "--float32", "-o", voice)
    run("voice", "pack", *parts, "source", *words)
    packed, own = voices.read(voice).models["coder"], read_model(parts[1])
    assert packed.facts == own.facts
    for name, weight in own.weights().items():
        assert torch.equal(packed.weights()[name], weight)
