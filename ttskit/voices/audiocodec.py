"""Public checkpoints of codecs of audio as models: the Descript Audio Codec (Kumar et al., 2023),
EnCodec for 24 kHz (Défossez et al., 2022) and SNAC (Siuzdak et al., 2024).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ttskit.errors import SettingError
from ttskit.models.audiocodec import AudioCodec
from ttskit.models.dac import Dac, DacConfig
from ttskit.models.encodec import Encodec, EncodecConfig
from ttskit.models.snac import Snac, SnacConfig
from ttskit.networks.facts import Facts

ENCODEC = 24000  # Hz, of the causal model
TRAINED = r"\._codebook\.(inited|cluster_size|embed_avg)$"  # what only training needs


def from_checkpoint(content: Any) -> AudioCodec | None:
    """Return the codec in a public checkpoint, or None if it looks like no such checkpoint."""
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("metadata"), dict):
        return dac(content)
    return encodec(content) if "encoder.model.0.conv.conv.weight_v" in content else None


def dac(content: Mapping[str, Any]) -> Dac:
    """Return the codec of a checkpoint of DAC: its `state_dict`, and the `kwargs` beside it."""
    try:
        settings = content["metadata"]["kwargs"]
        config, rate = _dac_config(settings), int(settings["sample_rate"])
        weights = {_dac_name(name): value for name, value in content["state_dict"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingError(f"checkpoint of DAC: missing or not as published: {error}") from error
    model = Dac(config, _facts(rate, config.strides))
    _load(model, weights, "DAC")
    return model


def encodec(content: Mapping[str, Tensor]) -> Encodec:
    """Return the codec of a checkpoint of EnCodec, whose sizes are those of its weights."""
    weights = {
        _encodec_name(name): value
        for name, value in content.items()
        if not re.search(TRAINED, name)
    }
    try:
        config = _encodec_config(weights)
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise SettingError(f"checkpoint of EnCodec: not as published: {error}") from error
    model = Encodec(config, _facts(ENCODEC, config.strides))
    _load(model, weights, "EnCodec")
    return model


def snac(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Snac:
    """Return the codec of a checkpoint of SNAC: its weights by name, and its config.json."""
    try:
        config, rate = _snac_config(settings), int(settings["sampling_rate"])
        renamed = {_dac_name(name): value for name, value in weights.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingError(f"checkpoint of SNAC: missing or not as published: {error}") from error
    model = Snac(config, _facts(rate, config.strides))
    _load(model, renamed, "SNAC")
    return model


def _facts(rate: int, strides: tuple[int, ...]) -> Facts:
    """Return the facts of a codec, which has no mel: those of the mel are arbitrary."""
    return Facts(sample_rate=rate, hop_length=math.prod(strides), fmax=min(8000.0, rate / 2))


def _dac_config(settings: Mapping[str, Any]) -> DacConfig:
    config = DacConfig(
        channels=int(settings["encoder_dim"]),
        strides=tuple(map(int, settings["encoder_rates"])),
        decoder_channels=int(settings["decoder_dim"]),
        rates=tuple(map(int, settings["decoder_rates"])),
        books=int(settings["n_codebooks"]),
        size=int(settings["codebook_size"]),
        dimension=int(settings["codebook_dim"]),
    )
    _check_rates(config.strides, config.rates)
    return config


def _snac_config(settings: Mapping[str, Any]) -> SnacConfig:
    config = SnacConfig(
        channels=int(settings["encoder_dim"]),
        strides=tuple(map(int, settings["encoder_rates"])),
        decoder_channels=int(settings["decoder_dim"]),
        rates=tuple(map(int, settings["decoder_rates"])),
        lasts=tuple(map(int, settings["vq_strides"])),
        size=int(settings["codebook_size"]),
        dimension=int(settings["codebook_dim"]),
        noise=bool(settings["noise"]),
        depthwise=bool(settings["depthwise"]),
    )
    _check_rates(config.strides, config.rates)
    if settings.get("attn_window_size"):
        raise ValueError("attn_window_size is set: only models without attention can be read")
    if any(max(config.lasts) % last for last in config.lasts):
        raise ValueError(f"vq_strides of {config.lasts} do not divide their largest")
    return config


def _check_rates(strides: tuple[int, ...], rates: tuple[int, ...]) -> None:
    """Refuse an encoder and a decoder of different hops."""
    if math.prod(strides) != math.prod(rates) or not strides:
        raise ValueError(f"rates of {strides} and {rates} differ in their product")


def _encodec_config(weights: Mapping[str, Tensor]) -> EncodecConfig:
    """Return the sizes that the weights have; every fourth layer of the encoder has a stride."""
    layers = [name for name in weights if re.fullmatch(r"encoder\.\d+\.weight_v", name)]
    _, *strided, last = sorted(layers, key=lambda name: int(name.split(".")[1]))
    size, dimension = weights["quantiser.0.table"].shape
    if weights[last].shape[0] != dimension:
        raise ValueError("the encoder's vectors are not those of the books")
    return EncodecConfig(
        channels=weights["encoder.0.weight_v"].shape[0],
        strides=tuple(weights[name].shape[2] // 2 for name in strided),
        dimension=dimension,
        books=sum(name.startswith("quantiser.") for name in weights),
        size=size,
    )


def _dac_name(name: str) -> str:
    """Return our name of a weight of DAC or SNAC: ours leave out what holds a list of layers."""
    for theirs, usual in (("original0", "weight_g"), ("original1", "weight_v")):
        name = name.replace(f"parametrizations.weight.{theirs}", usual)
    name = re.sub(r"\b(block|model)\.", "", name)
    return re.sub(r"^quantizer\.quantizers\.", "quantiser.", name)


def _encodec_name(name: str) -> str:
    """Return our name of a weight of EnCodec."""
    for theirs, ours in (
        (r"^(encoder|decoder)\.model\.", r"\1."),
        (r"\.(conv|convtr)\.\1\.", "."),
        (r"^quantizer\.vq\.layers\.(\d+)\._codebook\.embed$", r"quantiser.\1.table"),
    ):
        name = re.sub(theirs, ours, name)
    return name


def _load(model: AudioCodec, published: Mapping[str, Tensor], what: str) -> None:
    """Give a model the weights of a checkpoint; refuse those that are not its own."""
    wanted, weights = model.state_dict(), _plain(published)
    shared = wanted.keys() & weights.keys()
    for names, problem in (
        (wanted.keys() - weights.keys(), "missing"),
        (weights.keys() - wanted.keys(), "unexpected"),
        ({name for name in shared if wanted[name].shape != weights[name].shape},
         "of another shape than its settings say"),
    ):  # fmt: skip
        if names:
            raise SettingError(f"weights of {what}: {len(names)} {problem}, such as {min(names)}")
    model.load_state_dict(weights)


def _plain(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with their norm multiplied in (Salimans and Kingma, 2016)."""
    plain = {}
    for name, value in weights.items():
        if name.endswith(".weight_v"):
            norm = value.flatten(1).norm(dim=1).view(-1, *[1] * (value.dim() - 1))
            scale = weights[name.removesuffix("v") + "g"] / norm
            plain[name.removesuffix("_v")] = value * scale
        elif not name.endswith(".weight_g"):
            plain[name] = value
    return plain
