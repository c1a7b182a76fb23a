"""What says the controls of a synthesiser, frame by frame: inputs by name, a trunk, a head.

f0, voicing, loudness and periodicity are told, or guessed from the mel where they are not.

B batch, T frames, M mel bands, K harmonics, F bands of noise, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.dsp.harmonic import audible, distribution
from ttskit.dsp.recurrence import biquad, leaky_sum, one_pole
from ttskit.errors import SettingError
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts
from ttskit.networks.heads import HEADS, Head, Levels
from ttskit.networks.layers import Convolutions
from ttskit.networks.synthesiser import Controls
from ttskit.networks.trunks import TRUNKS, TrunkConfig
from ttskit.settings import key, table

MOST = 120  # harmonics, where their number is left open
TARGETS = ("amplitude", "noise", "distribution", "logits")
# input of the trunk -> the field of an utterance that it is made of
SOURCES = {
    "mel": "mel",
    "f0": "f0",
    "loudness": "loudness",
    "voiced": "voiced",
    "periodicity": "periodicity",
    "delta_f0": "f0",
    "delta_loudness": "loudness",
}


@dataclass(frozen=True)
class Smoothing:
    """Controls that cannot jump."""

    mode: str = key("none", "by which filter", choices=("none", "onepole", "biquad"))
    coefficient: float = key(0.5, "onepole: share of what was before", least=0, most=0.999)
    cutoff: float = key(15.0, "biquad: Hz, below half of the frames a second", least=0.01)
    targets: tuple[str, ...] = key(TARGETS[:3], "logits: of the distribution", choices=TARGETS)

    def filtered(self, x: Tensor, target: str, frame_rate: float) -> Tensor:
        """Smooth (B, T, C), if it is one of the targets."""
        if self.mode == "none" or target not in self.targets:
            return x
        if self.mode == "onepole":
            return one_pole(x, self.coefficient)
        return biquad(x, self.cutoff, frame_rate)


@dataclass(frozen=True)
class Guessing:
    """What guesses f0 and the like from the mel."""

    channels: int = key(96, "of its convolutions; 0: nothing is guessed", least=0)
    layers: int = key(3, "convolutions", least=1)
    kernel: int = key(5, "frames, odd", least=1, odd=True)
    weight: float = key(1.0, "of how far guesses are off, beside the distances of sounds", least=0)


@dataclass(frozen=True)
class Shape(TrunkConfig):
    """What shapes the weights of a controller, beside its trunk, and what it plays on."""

    inputs: tuple[str, ...] = key(
        ("mel", "f0", "voiced"), "of the trunk", choices=tuple(SOURCES), some=True
    )
    head: str = key("exp-sigmoid", "how controls are said", choices=tuple(HEADS))
    harmonics: int = key(0, f"0: what fits above f0_min, {MOST} at most", least=0)
    f0_min: float = key(80.0, "Hz; what harmonics are counted by", least=1)
    noise_bands: int = key(65, "from 0 to half the sample rate", least=2)
    gated: bool = key(True, "harmonics sound only where it is voiced")
    residual: float = key(
        0.0,
        "share that is kept of a sum of changes, added to the controls; 0: no such sum",
        least=0,
        most=1,
    )
    reverb: float = key(0.0, "seconds of a room that is learnt; 0: none", least=0)
    smoothing: Smoothing = table(Smoothing, "of controls over time")
    guess: Guessing = table(Guessing, "f0, voicing and the like, where they are not known")

    def sources(self) -> tuple[str, ...]:
        """Return the fields that the controls are made of."""
        played = ("f0", "voiced") if self.gated else ("f0",)
        return tuple(dict.fromkeys([*(SOURCES[name] for name in self.inputs), *played]))

    def guessed(self) -> tuple[str, ...]:
        """Return the fields that can be guessed from the mel."""
        return tuple(n for n in self.sources() if n != "mel") if self.guess.channels else ()


class Controller(nn.Module):
    """From the fields of utterances to controls."""

    def __init__(self, shape: Shape, facts: Facts) -> None:
        super().__init__()
        self.shape, self.sample_rate = shape, facts.sample_rate
        self.frame_rate = facts.sample_rate / facts.hop_length
        count = shape.harmonics or min(MOST, int(facts.sample_rate / 2 / shape.f0_min))
        cutoff, most = shape.smoothing.cutoff, self.frame_rate / 2
        if shape.smoothing.mode == "biquad" and cutoff >= most:
            raise SettingError(f"smoothing.cutoff is {cutoff:g} Hz, needs less than {most:.4g}")
        widths = {name: facts.n_mels if name == "mel" else 1 for name in shape.inputs}
        self.trunk = TRUNKS[shape.trunk](widths, shape)
        said = shape.head, self.trunk.out_channels, count, shape.noise_bands
        self.head = Head(*said)
        self.changes = Head(*said) if shape.residual else None
        self.guess = Guess(shape, facts) if shape.guess.channels else None
        samples = round(shape.reverb * facts.sample_rate)
        self.room = nn.Parameter(torch.zeros(samples)) if samples else None

    def forward(self, frames: Mapping[str, Tensor], mask: Tensor) -> Controls:
        """Fields (B, T, ...), the mel normalised, of which f0 ... may be missing; mask (B, T)."""
        missing = [name for name in self.shape.guessed() if name not in frames]
        if missing and self.guess is not None:
            frames = {**self.guess(frames["mel"], mask), **frames}
        f0 = frames["f0"].float()
        states = self.trunk(inputs(frames, self.shape.inputs), mask)  # (B, T, C)
        logits = self.head.logits(states)
        if self.changes is not None:
            changes = self.changes.logits(states)
            sums = (_summed(change, self.shape.residual) for change in changes)
            logits = Levels(*map(torch.add, logits, sums))
        amplitude, shares, noise = self._smooth(logits, f0)
        voiced = frames["voiced"].float() if self.shape.gated else torch.ones_like(f0)
        return Controls(f0, voiced, amplitude, shares, noise)

    def _smooth(self, logits: Levels, f0: Tensor) -> Levels:
        """Make levels of logits, smooth where that is asked for."""

        def smooth(x: Tensor, target: str) -> Tensor:
            return self.shape.smoothing.filtered(x, target, self.frame_rate)

        weights = smooth(logits.weights, "logits")
        heard = audible(f0, weights.shape[-1], self.sample_rate)
        levels = self.head.activate(logits._replace(weights=weights), heard)
        shares = distribution(levels.weights, f0, self.sample_rate)
        return Levels(
            smooth(levels.amplitude[..., None], "amplitude")[..., 0].clamp(min=0),
            smooth(shares, "distribution").clamp(min=0),
            smooth(levels.noise, "noise").clamp(min=0),
        )


class Guess(nn.Module):
    """What f0 and the like are, by convolutions over the mel."""

    def __init__(self, shape: Shape, facts: Facts) -> None:
        super().__init__()
        told, self.names = shape.guess, shape.guessed()
        self.body = Convolutions(
            facts.n_mels, told.channels, layers=told.layers, kernel=told.kernel, dropout=0.0
        )
        self.values = nn.Linear(told.channels, len(self.names))

    def scaled(self, mel: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Normalised mel (B, T, M) to (B, T) each: f0 and loudness as inputs, others as logits."""
        states = self.body(mel.mT, mask[:, None].to(mel)).mT
        return dict(zip(self.names, self.values(states).float().unbind(-1), strict=True))

    def forward(self, mel: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Normalised mel (B, T, M) to fields (B, T), as they would be told."""
        return {name: RAW[name](value) for name, value in self.scaled(mel, mask).items()}

    @torch.no_grad()
    def initialise(self, batch: Batch) -> None:
        """Guess the mean of the data before anything is known."""
        for row, name in enumerate(self.names):
            if name in UNITS:
                self.values.bias[row] = batch.mean(INPUTS[name](batch[name].float()), "frame")

    def loss(self, batch: Batch, mel: Tensor) -> Tensor:
        """Return how far guesses are off: octaves, 10 dB, and the likelihood of the rest."""
        off = []
        for name, guess in self.scaled(mel, batch.mask("frame")).items():
            true = batch[name].float()
            if name in UNITS:
                off.append((guess - INPUTS[name](true)).abs() * UNITS[name])
            else:
                off.append(F.binary_cross_entropy_with_logits(guess, true, reduction="none"))
        return batch.mean(torch.stack(off, -1).sum(-1), "frame")


def midi(f0: Tensor) -> Tensor:
    """Hz to semitones, 69 at 440 Hz; f0 is not below 10 Hz."""
    return 69 + 12 * torch.log2(f0.clamp(min=10) / 440)


def change(x: Tensor) -> Tensor:
    """(B, T): by how much each frame is above the one before it."""
    return torch.diff(x, dim=1, prepend=x[:, :1])


def inputs(frames: Mapping[str, Tensor], names: Collection[str]) -> dict[str, Tensor]:
    """Fields (B, T) or (B, T, M) to inputs of a trunk, (B, T, width) each, of a size about 1."""
    found = {}
    for name in names:
        value = frames[SOURCES[name]].float()
        value = INPUTS[name](value) if name in INPUTS else value
        found[name] = value if value.dim() == 3 else value[..., None]
    return found


def _summed(changes: Tensor, kept: float) -> Tensor:
    """(B, T) or (B, T, C): the sum of all changes so far, of which a share is kept each frame."""
    return leaky_sum(changes.reshape(*changes.shape[:2], -1), kept).view_as(changes)


INPUTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "f0": lambda f0: midi(f0) / 127,
    "loudness": lambda dB: dB / 80 + 1,
    "delta_f0": lambda f0: change(midi(f0)),  # semitones a frame
    "delta_loudness": lambda dB: change(dB) / 10,
}
UNITS = {"f0": 127 / 12, "loudness": 8.0}  # octaves and 10 dB in the scaled values of guesses
RAW: Mapping[str, Callable[[Tensor], Tensor]] = {  # the way back, of what is guessed
    "f0": lambda x: 440 * 2 ** ((127 * x.clamp(0.2, 0.9) - 69) / 12),
    "loudness": lambda x: (x - 1) * 80,
    "voiced": lambda logit: (logit > 0).float(),
    "periodicity": torch.sigmoid,
}
