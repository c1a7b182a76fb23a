"""Checkpoints of SNAC as models, beside its equations written out over the published names."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.factory import PROVENANCE, run
from ttskit.artifacts.kinds import Codes, Corpus
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import SettingError, TtskitError
from ttskit.networks.batch import collate
from ttskit.voices.audiocodec import snac
from ttskit.voices.model import read_model

CONFIG: dict[str, Any] = {
    "sampling_rate": 16000, "encoder_dim": 4, "encoder_rates": [2, 3], "decoder_dim": 16,
    "decoder_rates": [3, 2], "attn_window_size": None, "codebook_size": 16, "codebook_dim": 4,
    "vq_strides": [4, 2, 1], "noise": True, "depthwise": True,
}  # fmt: skip
HOP = 6


def shapes(config):
    """The published names of the layers, with the shape of each."""
    deep, width = config["depthwise"], config["encoder_dim"]

    def unit(prefix, channels):
        yield f"{prefix}.block.0.alpha", (1, channels, 1)
        yield f"{prefix}.block.1", (channels, 1 if deep else channels, 7)
        yield f"{prefix}.block.2.alpha", (1, channels, 1)
        yield f"{prefix}.block.3", (channels, channels, 1)

    yield "encoder.block.0", (width, 1, 7)
    for place, stride in enumerate(config["encoder_rates"], 1):
        for number in range(3):
            yield from unit(f"encoder.block.{place}.block.{number}", width)
        yield f"encoder.block.{place}.block.3.alpha", (1, width, 1)
        yield f"encoder.block.{place}.block.4", (2 * width, width, 2 * stride)
        width *= 2
    yield f"encoder.block.{place + 1}", (width, 1 if deep else width, 7)
    for book in range(len(config["vq_strides"])):
        prefix = f"quantizer.quantizers.{book}"
        yield f"{prefix}.in_proj", (config["codebook_dim"], width, 1)
        yield f"{prefix}.out_proj", (width, config["codebook_dim"], 1)
        yield f"{prefix}.codebook.weight", (config["codebook_size"], config["codebook_dim"])
    narrow = config["decoder_dim"]
    yield "decoder.model.0", (width if deep else narrow, 1 if deep else width, 7)
    if deep:
        yield "decoder.model.1", (narrow, width, 1)
    for place, stride in enumerate(config["decoder_rates"], 2 if deep else 1):
        prefix = f"decoder.model.{place}.block"
        yield f"{prefix}.0.alpha", (1, narrow, 1)
        yield f"{prefix}.1", (narrow, narrow // 2, 2 * stride)
        narrow //= 2
        if config["noise"]:
            yield f"{prefix}.2.linear", (narrow, narrow, 1)
        for number in range(3):
            yield from unit(f"{prefix}.{number + 2 + config['noise']}", narrow)
    yield f"decoder.model.{place + 1}.alpha", (1, narrow, 1)
    yield f"decoder.model.{place + 2}", (1, narrow, 7)


NEW = ("parametrizations.weight.original0", "parametrizations.weight.original1")


def checkpoint(config=CONFIG, norm=NEW):
    """Random weights under the published names."""
    random, weights = torch.Generator().manual_seed(0), {}
    for name, shape in shapes(config):
        if name.endswith(("alpha", "codebook.weight")):
            weights[name] = torch.rand(shape, generator=random) + 0.5
            continue
        gain, direction = norm
        outer = shape[bool(re.fullmatch(r"decoder\.model\.\d\.block\.1", name))]
        weights[f"{name}.{direction}"] = torch.randn(shape, generator=random)
        weights[f"{name}.{gain}"] = torch.rand(shape[0], 1, 1, generator=random) + 0.5
        if not name.endswith("linear"):
            weights[f"{name}.bias"] = 0.1 * torch.randn(outer, generator=random)
    return weights


class Published:
    """SNAC without noise, written out: what is done with which weights."""

    def __init__(self, weights, config):
        self.weights, self.config = weights, config

    def weight(self, name):
        direction = self.weights[f"{name}.parametrizations.weight.original1"]
        return torch._weight_norm(
            direction, self.weights[f"{name}.parametrizations.weight.original0"], 0
        )

    def conv(self, name, x, **how):
        weight = self.weight(name)
        return F.conv1d(
            x, weight, self.weights.get(f"{name}.bias"), groups=x.shape[1] // weight.shape[1], **how
        )

    def snake(self, name, x):
        alpha = self.weights[f"{name}.alpha"]
        return x + torch.sin(alpha * x) ** 2 / alpha

    def unit(self, name, x, dilation):
        y = self.snake(f"{name}.block.0", x)
        y = self.conv(f"{name}.block.1", y, padding=3 * dilation, dilation=dilation)
        y = self.snake(f"{name}.block.2", y)
        return x + self.conv(f"{name}.block.3", y)

    def encode(self, audio):
        x = self.conv("encoder.block.0", audio, padding=3)
        rates = self.config["encoder_rates"]
        for place, stride in enumerate(rates, 1):
            prefix = f"encoder.block.{place}.block"
            for number, dilation in enumerate((1, 3, 9)):
                x = self.unit(f"{prefix}.{number}", x, dilation)
            x = self.snake(f"{prefix}.3", x)
            x = self.conv(f"{prefix}.4", x, stride=stride, padding=math.ceil(stride / 2))
        rest, codes = self.conv(f"encoder.block.{len(rates) + 1}", x, padding=3), []
        for book, last in enumerate(self.config["vq_strides"]):
            prefix = f"quantizer.quantizers.{book}"
            averages = rest.unflatten(2, (-1, last)).mean(3)
            angles = F.cosine_similarity(
                self.conv(f"{prefix}.in_proj", averages)[0].T[:, None],
                self.weights[f"{prefix}.codebook.weight"][None],
                dim=2,
            )
            codes.append(angles.argmax(1))
            rest = rest - self.vector(book, codes[-1])
        return codes

    def vector(self, book, codes):
        prefix = f"quantizer.quantizers.{book}"
        rows = self.weights[f"{prefix}.codebook.weight"][codes].T[None]
        return self.conv(f"{prefix}.out_proj", rows).repeat_interleave(
            self.config["vq_strides"][book], 2
        )

    def decode(self, codes):
        x = torch.stack([self.vector(*pair) for pair in enumerate(codes)]).sum(0)
        x, first = self.conv("decoder.model.0", x, padding=3), 1
        if self.config["depthwise"]:
            x, first = self.conv("decoder.model.1", x), 2
        for place, stride in enumerate(self.config["decoder_rates"], first):
            prefix = f"decoder.model.{place}.block"
            x = self.snake(f"{prefix}.0", x)
            x = F.conv_transpose1d(
                x, self.weight(f"{prefix}.1"), self.weights[f"{prefix}.1.bias"], stride,
                math.ceil(stride / 2), output_padding=stride % 2,
            )  # fmt: skip
            for number, dilation in enumerate((1, 3, 9), 2):
                x = self.unit(f"{prefix}.{number}", x, dilation)
        x = self.snake(f"decoder.model.{place + 1}", x)
        return self.conv(f"decoder.model.{place + 2}", x, padding=3).tanh()


def sound(samples, seed=0):
    return 0.3 * torch.randn(samples, generator=torch.Generator().manual_seed(seed))


def encoded(model, audio):
    return model.encode(collate(["a"], [{"audio": audio.numpy()}]))[0]


@torch.no_grad()
@pytest.mark.parametrize("depthwise", [True, False])
def test_codes_and_audio_are_those_of_the_published_codec(depthwise):
    config = {**CONFIG, "noise": False, "depthwise": depthwise}
    weights, audio = checkpoint(config), sound(40 * HOP)
    model, reference = snac(weights, config).eval(), Published(weights, config)
    assert (model.facts.sample_rate, model.facts.hop_length) == (16000, HOP)
    codes, expected = encoded(model, audio), reference.encode(audio[None, None])
    assert codes.shape == (40, 3)
    for book, last in enumerate(CONFIG["vq_strides"]):
        assert torch.equal(codes[::last, book], expected[book])
        assert torch.equal(codes[:, book], expected[book].repeat_interleave(last))
    assert len(codes.unique()) > 5
    made = model.generate(collate(["a"], [{"codes": codes.numpy()}]))["audio"]
    torch.testing.assert_close(made, reference.decode(expected)[0], rtol=1e-3, atol=3e-4)


@torch.no_grad()
def test_noise_is_as_loud_as_its_layer_says_and_alike_in_all_channels():
    from ttskit.models.snac import Noise

    # in 64 bits: loudness comes near 0, by which it is divided
    layer, x = Noise(3).double(), torch.randn(1, 3, 50_000, dtype=torch.float64)
    loudness = layer.linear(x)
    noise = (layer(x) - x) / loudness
    torch.testing.assert_close(noise[:, 0], noise[:, 2], rtol=1e-2, atol=1e-2)
    assert float(noise[:, 0].mean()) == pytest.approx(0, abs=0.03)
    assert float(noise[:, 0].std()) == pytest.approx(1, abs=0.03)


@torch.no_grad()
def test_noise_comes_from_the_generator():
    model = snac(checkpoint(), CONFIG).eval()
    batch = collate(["a"], [{"codes": encoded(model, sound(99)).numpy()}])
    first, again, other = (
        model.generate(batch, torch.Generator().manual_seed(seed))["audio"] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3


@pytest.mark.parametrize("samples", [1, 4 * HOP, 4 * HOP + 1])
def test_the_code_that_lasts_longest_is_filled_with_silence(samples):
    codes = encoded(snac(checkpoint(), CONFIG), sound(samples))
    assert len(codes) == 4 * math.ceil(samples / (4 * HOP))


def test_older_names_of_weight_norm_are_read():
    new, old = checkpoint(), checkpoint(norm=("weight_g", "weight_v"))
    audio = sound(400)
    assert torch.equal(encoded(snac(new, CONFIG), audio), encoded(snac(old, CONFIG), audio))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attn_window_size": 32}, "only models without attention"),
        ({"vq_strides": [4, 3]}, "do not divide"),
        ({"decoder_rates": [2, 2]}, "differ in their product"),
        ({"codebook_dim": 5}, "of another shape than its settings say"),
        ({"noise": False}, "missing, such as decoder.2.2."),
        ({"encoder_dim": None}, "missing or not as published"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change, says):
    with pytest.raises(SettingError, match=re.escape(says)):
        snac(checkpoint(), {**CONFIG, **change})


def test_an_imported_checkpoint_encodes_and_makes_audio(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(checkpoint(), "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    rate = {"sample_rate": 16000}
    with Writer(tmp_path / "corpus.h5", Corpus, provenance=PROVENANCE, attributes=rate) as writer:
        for number, id in enumerate("ab"):
            audio = (8000 * sound(200 + number, number)).numpy().astype(np.int16)
            writer.append(Corpus(id=id, speaker="", text=id, audio=audio))
        writer.seal(["a", "b"])
    with pytest.raises(TtskitError, match="SNAC and HiFi-GAN need --config"):
        run("import", "pytorch_model.bin", "-o", "codec.h5")
    run("import", "pytorch_model.bin", "--config", "config.json", "-o", "codec.h5")
    assert read_model(tmp_path / "codec.h5", role="codec").family == "snac"
    copies = []
    for jobs in (1, 2):
        run("encode", "corpus.h5", "--codec", "codec.h5", "-j", jobs, "-o", f"codes{jobs}.h5")
        run("vocode", f"codes{jobs}.h5", "--codec", "codec.h5", "-j", jobs, "-o", f"c{jobs}.h5")
        copies.append((tmp_path / f"codes{jobs}.h5").read_bytes())
        copies.append((tmp_path / f"c{jobs}.h5").read_bytes())
    assert copies[:2] == copies[2:]
    codes, audio = Reader(tmp_path / "codes1.h5", Codes), Reader(tmp_path / "c1.h5", Corpus)
    assert [len(audio[id].audio) for id in "ab"] == [len(codes[id].codes) * HOP for id in "ab"]
