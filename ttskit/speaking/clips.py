"""Recordings to sound like: clips for a coder that was trained with them, and a style to follow."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.errors import AudioError, TtskitError, UsageError, at
from ttskit.networks.fields import LONGEST_CLIP

if TYPE_CHECKING:
    from ttskit.models.coder import Coder
    from ttskit.models.coding import Codec
    from ttskit.networks.facts import Facts
    from ttskit.speaking.acoustics import Cascade

LEAST = 0.5  # seconds of a style


def weighted(clips: Sequence[str]) -> dict[Path, float]:
    """Return the weights of files, summing to 1, of `a.wav` or `a.wav:0.7,b.wav:0.3`."""
    weights: dict[Path, float] = {}
    for part in [part for clip in clips for part in clip.split(",")]:
        name, _, weight = part.rpartition(":")
        try:
            path, number = Path(name or part), float(weight) if name else 1.0
        except ValueError:
            path, number = Path(part), 1.0  # a colon of the name
        weights[path] = weights.get(path, 0.0) + number
    total = sum(weights.values())
    if not 0 < total < math.inf or min(weights.values()) < 0:
        raise UsageError(f"reference {','.join(clips)}: the weights must be positive numbers")
    return {path: weight / total for path, weight in weights.items()}


def options(clips: Sequence[str]) -> dict[str, Any]:
    """Return what speech depends on by its clips, to be recorded: their content and weights."""
    if not clips:
        return {}
    weights = weighted(clips)
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in weights}
    return {"reference": {digests[path]: weight for path, weight in weights.items()}}


def heard(cascade: Cascade, clips: Sequence[str], who: str) -> dict[str, np.ndarray]:
    """Return the fields that reference clips give: codes of the first, and the mix of all.

    Refuses clips where no model was trained with them, and their lack where one was.
    """
    steps: dict[str, Any] = {model.role: module for model, module in cascade.steps}
    if "clip" not in cascade.takes:
        if clips:
            raise TtskitError(
                f"{who}: none of its models was trained with reference clips: leave them out, or "
                "train a coder with --set reference=true"
            )
        return {}
    if not clips:
        raise TtskitError(
            f"{who}: its coder speaks as a clip does: add one (--reference CLIP; of compare, "
            "--clip CLIP)"
        )
    if "codec" in cascade.beside:
        steps["codec"] = cascade.beside["codec"].module(cascade.device)
    weights = weighted(clips)
    if "codec" not in steps:
        raise TtskitError(f"{who}: hears clips as codes, for which it lacks the codec: add that")
    coder, codec = steps["coder"], steps["codec"]
    codes = {path: _codes(path, codec, coder.facts.books, cascade.device) for path in weights}
    return {"clip": next(iter(codes.values()))[:LONGEST_CLIP],
            "latent": mixed(coder, [(codes[path], weights[path]) for path in weights])}  # fmt: skip


def mixed(coder: Coder, clips: Sequence[tuple[np.ndarray, float]]) -> np.ndarray:
    """Return the mean of what a coder hears in clips, their codes (code, book), by their weights.

    A clip is heard in windows that are no longer than those of a training.
    """
    import torch

    from ttskit.networks.batch import collate

    device, latents = next(coder.parameters()).device, list[torch.Tensor]()
    with torch.inference_mode():
        for codes, weight in clips:
            for start in range(0, len(codes), LONGEST_CLIP):
                window = codes[start : start + LONGEST_CLIP]
                batch = collate(["clip"], [{"clip": window}]).to(device)
                latents.append(coder.hear(batch)[0] * (weight * len(window) / len(codes)))
    total: np.ndarray = torch.stack(latents).sum(0).cpu().numpy()
    return total


def _codes(path: Path, codec: Codec, books: int, device: str) -> np.ndarray:
    """Return the codes (code, book) of a clip, of as many books as the coder knows."""
    import torch

    from ttskit.dsp import mel
    from ttskit.dsp.samples import resample
    from ttskit.formats import audio
    from ttskit.models.vocoder import mel_settings
    from ttskit.networks.batch import collate

    with at(path):
        recorded, rate = audio.read(path)
        samples = resample(recorded, rate, codec.facts.sample_rate)
        values = samples if codec.reads == "audio" else mel.mel(samples, mel_settings(codec.facts))
        if not len(values):
            raise AudioError("has less than one frame")
    with torch.inference_mode():
        batch = collate([str(path)], [{codec.reads: values}]).to(device)
        codes: np.ndarray = codec.encode(batch, books)[0].cpu().numpy()
    return codes


def mel_of_file(path: Path, facts: Facts) -> np.ndarray:
    """Return the mel (frame, mel) of an audio file, at the settings of a model."""
    from ttskit.dsp import mel
    from ttskit.dsp.samples import resample
    from ttskit.formats import audio
    from ttskit.models.vocoder import mel_settings

    samples, rate = audio.read(path)
    with at(path):
        if len(samples) < LEAST * rate:
            raise AudioError(f"lasts {len(samples) / rate:.2f} s, a style needs {LEAST} s")
        resampled = resample(samples, rate, facts.sample_rate)
        return mel.mel(resampled.astype(np.float32), mel_settings(facts))
