"""Public checkpoints of codecs of audio as models, beside the ports in transformers."""

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from tests.factory import PROVENANCE, run
from ttskit.artifacts.kinds import Codes, Corpus
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.dsp.samples import bent
from ttskit.errors import SettingError, TtskitError
from ttskit.networks.batch import collate
from ttskit.voices.audiocodec import dac, encodec, from_checkpoint
from ttskit.voices.model import read_model

KWARGS: dict[str, Any] = {
    "encoder_dim": 4, "encoder_rates": [2, 8], "decoder_dim": 16, "decoder_rates": [8, 2],
    "n_codebooks": 3, "codebook_size": 16, "codebook_dim": 4, "sample_rate": 16000,
}  # fmt: skip
HOP = math.prod(KWARGS["encoder_rates"])


def shapes(kwargs):
    """The published names of the layers, with the shape of each."""

    def unit(prefix, channels):
        yield f"{prefix}.block.0.alpha", (1, channels, 1)
        yield f"{prefix}.block.1", (channels, channels, 7)
        yield f"{prefix}.block.2.alpha", (1, channels, 1)
        yield f"{prefix}.block.3", (channels, channels, 1)

    width = kwargs["encoder_dim"]
    yield "encoder.block.0", (width, 1, 7)
    for place, stride in enumerate(kwargs["encoder_rates"], 1):
        for number in range(3):
            yield from unit(f"encoder.block.{place}.block.{number}", width)
        yield f"encoder.block.{place}.block.3.alpha", (1, width, 1)
        yield f"encoder.block.{place}.block.4", (2 * width, width, 2 * stride)
        width *= 2
    yield f"encoder.block.{place + 1}.alpha", (1, width, 1)
    yield f"encoder.block.{place + 2}", (width, width, 3)
    for book in range(kwargs["n_codebooks"]):
        prefix = f"quantizer.quantizers.{book}"
        yield f"{prefix}.in_proj", (kwargs["codebook_dim"], width, 1)
        yield f"{prefix}.out_proj", (width, kwargs["codebook_dim"], 1)
        yield f"{prefix}.codebook.weight", (kwargs["codebook_size"], kwargs["codebook_dim"])
    narrow = kwargs["decoder_dim"]
    yield "decoder.model.0", (narrow, width, 7)
    for place, stride in enumerate(kwargs["decoder_rates"], 1):
        yield f"decoder.model.{place}.block.0.alpha", (1, narrow, 1)
        yield f"decoder.model.{place}.block.1", (narrow, narrow // 2, 2 * stride)
        narrow //= 2
        for number in range(2, 5):
            yield from unit(f"decoder.model.{place}.block.{number}", narrow)
    yield f"decoder.model.{place + 1}.alpha", (1, narrow, 1)
    yield f"decoder.model.{place + 2}", (1, narrow, 7)


def checkpoint(kwargs=KWARGS):
    """Random weights under the published names, with the kwargs beside them."""
    random, weights = torch.Generator().manual_seed(0), {}
    for name, shape in shapes(kwargs):
        if name.endswith(("alpha", "codebook.weight")):
            weights[name] = torch.rand(shape, generator=random) + 0.5
            continue
        transposed = re.fullmatch(r"decoder\.model\.\d\.block\.1", name)
        weights[f"{name}.weight_v"] = torch.randn(shape, generator=random)
        weights[f"{name}.weight_g"] = torch.rand(shape[0], 1, 1, generator=random) + 0.5
        weights[f"{name}.bias"] = 0.1 * torch.randn(shape[bool(transposed)], generator=random)
    return {"state_dict": weights, "metadata": {"kwargs": kwargs}}


def theirs(content):
    """The same codec as transformers has it."""
    pytest.importorskip("transformers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import DacConfig, DacModel

        kwargs = content["metadata"]["kwargs"]
        model = DacModel(
            DacConfig(
                encoder_hidden_size=kwargs["encoder_dim"],
                downsampling_ratios=kwargs["encoder_rates"],
                decoder_hidden_size=kwargs["decoder_dim"],
                n_codebooks=kwargs["n_codebooks"],
                codebook_size=kwargs["codebook_size"],
                codebook_dim=kwargs["codebook_dim"],
                sampling_rate=kwargs["sample_rate"],
                quantizer_dropout=0.0,
            )
        )
        model.apply_weight_norm()
    last = len(kwargs["encoder_rates"])
    weights = {_theirs(name, last): value for name, value in content["state_dict"].items()}
    model.load_state_dict(weights)
    return model.eval()


def _theirs(name, last):
    """The name that transformers has for a published one."""
    unit = {"0.alpha": "snake1.alpha", "1": "conv1", "2.alpha": "snake2.alpha", "3": "conv2"}
    ends = {
        f"encoder.block.{last + 1}": "encoder.snake1",
        f"encoder.block.{last + 2}": "encoder.conv2",
        f"decoder.model.{last + 1}": "decoder.snake1",
        f"decoder.model.{last + 2}": "decoder.conv2",
        "encoder.block.0": "encoder.conv1",
        "decoder.model.0": "decoder.conv1",
    }
    name = name.replace("weight_g", "parametrizations.weight.original0")
    name = name.replace("weight_v", "parametrizations.weight.original1")
    for ours, other in ends.items():
        name = re.sub(rf"^{re.escape(ours)}\.", f"{other}.", name)
    step = re.match(r"(encoder|decoder)\.(?:block|model)\.(\d+)\.block\.(\d)\.(.*)", name)
    if not step:
        return name
    side, place, part, rest = step[1], int(step[2]) - 1, int(step[3]), step[4]
    first = 0 if side == "encoder" else 2
    if first <= part < first + 3:
        inner = re.sub(r"^block\.(0\.alpha|2\.alpha|1|3)", lambda match: unit[match[1]], rest)
        rest = f"res_unit{part - first + 1}.{inner}"
    else:
        names = {3: "snake1", 4: "conv1"} if side == "encoder" else {0: "snake1", 1: "conv_t1"}
        rest = f"{names[part]}.{rest}"
    return f"{side}.block.{place}.{rest}"


def sound(frames, seed=0):
    return 0.3 * torch.randn(frames * HOP, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_codes_and_audio_are_those_of_the_published_codec():
    content, audio = checkpoint(), sound(40)
    model, reference = dac(content).eval(), theirs(content)
    assert (model.facts.sample_rate, model.facts.hop_length) == (16000, HOP)
    codes = model.encode(collate(["a"], [{"audio": audio.numpy()}]))
    expected = reference.encode(audio[None, None]).audio_codes
    assert torch.equal(codes[0].T, expected[0])
    assert len(codes[0].unique()) > 5
    made = model.generate(collate(["a"], [{"codes": codes[0].numpy()}]))["audio"]
    wanted = reference.decode(audio_codes=expected).audio_values
    torch.testing.assert_close(made, wanted.view(1, -1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rates", [[2, 4], [3, 5]], ids=["even", "odd"])
def test_every_frame_is_one_code(rates):
    kwargs = {**KWARGS, "encoder_rates": rates, "decoder_rates": rates[::-1]}
    model, hop = dac(checkpoint(kwargs)), math.prod(rates)
    for samples in (1, hop, 7 * hop - 1, 7 * hop + 1):
        codes = model.encode(collate(["a"], [{"audio": np.ones(samples, np.float32)}]))
        assert codes.shape[1] == -(-samples // hop)
        audio = model.generate(collate(["a"], [{"codes": codes[0].numpy()}]))["audio"]
        assert audio.shape[1] == codes.shape[1] * hop


def their_encodec():
    """EnCodec as transformers has it, with random weights."""
    pytest.importorskip("transformers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import EncodecConfig, EncodecModel

        torch.manual_seed(0)
        config = EncodecConfig(
            num_filters=4, upsampling_ratios=[5, 2], hidden_size=6, codebook_size=16,
            codebook_dim=6, target_bandwidths=[72.0],
        )  # fmt: skip
        model = EncodecModel(config).eval()
    for layer in model.quantizer.layers:
        layer.codebook.embed.copy_(0.3 * torch.randn(16, 6))
    return model


def published(model):
    """The weights of EnCodec under the names of its authors."""
    weights = {}
    for name, value in model.state_dict().items():
        name = re.sub(r"^(encoder|decoder)\.layers\.", r"\1.model.", name)
        name = name.replace("parametrizations.weight.original0", "weight_g")
        name = name.replace("parametrizations.weight.original1", "weight_v")
        transposed = re.match(r"decoder\.model\.(3|6)\.conv", name)
        double = ".convtr.convtr." if transposed else ".conv.conv."
        name = name.replace(".conv.", double)
        name = re.sub(
            r"^quantizer\.layers\.(\d+)\.codebook", r"quantizer.vq.layers.\1._codebook", name
        )
        weights[name] = value
    return weights


@torch.no_grad()
@pytest.mark.parametrize("samples", [1000, 997, 3])
def test_codes_and_audio_are_those_of_encodec(samples):
    reference = their_encodec()
    model = encodec(published(reference)).eval()
    assert (model.facts.sample_rate, model.facts.hop_length, model.config.strides) == (
        24000, 10, (2, 5),
    )  # fmt: skip
    audio = sound(100)[:samples]
    codes = model.encode(collate(["a"], [{"audio": audio.numpy()}]))
    expected = reference.encode(audio[None, None]).audio_codes[0]  # (B, K, L)
    assert torch.equal(codes[0].T[: expected.shape[1]], expected[0])
    assert codes.shape[1:] == (-(-samples // 10), model.books)
    made = model.generate(collate(["a"], [{"codes": codes[0, :, : expected.shape[1]].numpy()}]))
    wanted = reference.decode(expected[None], [None]).audio_values
    torch.testing.assert_close(made["audio"], wanted[0], rtol=1e-3, atol=1e-5)


def test_what_is_no_such_checkpoint_is_none_of_them():
    assert from_checkpoint({"generator": {}}) is None
    assert from_checkpoint(torch.zeros(2)) is None
    broken = {"encoder.model.0.conv.conv.weight_v": torch.zeros(2, 1, 7)}
    with pytest.raises(SettingError, match="checkpoint of EnCodec: not as published"):
        from_checkpoint(broken)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """weights.pth and corpus.h5, where the command runs."""
    monkeypatch.chdir(tmp_path)
    torch.save(checkpoint(), "weights.pth")
    rate = {"sample_rate": 16000}
    with Writer(tmp_path / "corpus.h5", Corpus, provenance=PROVENANCE, attributes=rate) as writer:
        for number, id in enumerate("ab"):
            audio = (8000 * sound(20 + 5 * number, number)[3:]).numpy().astype(np.int16)
            writer.append(Corpus(id=id, speaker="", text=id, audio=audio))
        writer.seal(["a", "b"])
    return tmp_path


def test_an_imported_codec_makes_audio_without_a_vocoder(folder):
    run("import", "weights.pth", "-o", "codec.h5")
    run("encode", "corpus.h5", "--codec", "codec.h5", "-j", 1, "-o", "codes.h5")
    run("vocode", "codes.h5", "--codec", "codec.h5", "-j", 1, "-o", "copied.h5")
    codes, corpus = Reader(folder / "codes.h5", Codes), Reader(folder / "corpus.h5", Corpus)
    copied = Reader(folder / "copied.h5", Corpus)
    assert codes.attributes["hop_length"] == HOP
    model = read_model(folder / "codec.h5", role="codec")
    assert (model.family, model.makes) == ("dac", ("audio",))
    for id, record in copied.items():
        assert len(record.audio) == len(codes[id].codes) * HOP
        assert 0 <= len(record.audio) - len(corpus[id].audio) < HOP
        batch = collate([id], [{"codes": codes[id].codes}])
        audio = model.module().generate(batch)["audio"][0].numpy()
        np.testing.assert_allclose(record.audio / 32768, bent(audio), atol=1e-3)
    with pytest.raises(TtskitError, match="makes audio itself; leave --vocoder"):
        run("vocode", "codes.h5", "--codec", "codec.h5", "--vocoder", "source", "-o", "x.h5")


@pytest.mark.usefixtures("folder")
def test_what_an_imported_codec_cannot_do_takes_one_line(tmp_path):
    run("import", "weights.pth", "-o", "codec.h5")
    with pytest.raises(TtskitError, match="dac has nothing to learn"):
        run("train", "codec", "corpus.h5", "--family", "dac", "--steps", 1, "-o", "x.h5")
    rate = {"sample_rate": 8000}
    with Writer(tmp_path / "slow.h5", Corpus, provenance=PROVENANCE, attributes=rate) as writer:
        writer.append(Corpus(id="a", speaker="", text="", audio=np.zeros(99, np.int16)))
        writer.seal(["a"])
    with pytest.raises(TtskitError, match=r"has sample_rate 8000, codec\.h5 was trained"):
        run("encode", "slow.h5", "--codec", "codec.h5", "-o", "x.h5")
    run("encode", "corpus.h5", "--codec", "codec.h5", "-j", 1, "-o", "codes.h5")
    with pytest.raises(TtskitError, match=r"codec\.h5: makes audio, not mels: use `ttskit vocode"):
        run("decode", "codes.h5", "--codec", "codec.h5", "-j", 1, "-o", "x.h5")


@pytest.mark.usefixtures("folder")
def test_a_checkpoint_cannot_run_code():
    class Hostile:
        def __reduce__(self):
            return (exit, (7,))

    torch.save({**checkpoint(), "metadata": Hostile()}, "weights.pth")
    with pytest.raises(TtskitError, match="holds more than tensors"):
        run("import", "weights.pth", "-o", "codec.h5")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"encoder_dim": 8}, "of another shape than its settings say"),
        ({"n_codebooks": 4}, "missing, such as quantiser.3.codebook.weight"),
        ({"n_codebooks": 2}, "unexpected, such as quantiser.2.codebook.weight"),
        ({"decoder_rates": [8, 4]}, "differ in their product"),
        ({"sample_rate": None}, "missing or not as published"),
    ],
)
def test_kwargs_that_do_not_fit_are_refused(change, says):
    content = {**checkpoint(), "metadata": {"kwargs": {**KWARGS, **change}}}
    with pytest.raises(SettingError, match=re.escape(says)):
        dac(content)
