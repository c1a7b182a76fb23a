"""A network that predicts the controls of a synthesiser for each frame: inputs, a trunk, a head.

f0, voicing, loudness and periodicity are inputs, guessed from the mel where they are missing; z is
encoded from the mel.

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
from ttskit.networks.synthesiser import SynthesiserControls
from ttskit.networks.timbre import Timbre, TimbreConfig
from ttskit.networks.trunks import TRUNKS, TrunkConfig
from ttskit.settings import MOST_LAYERS, key, table

MOST = 120  # harmonics, if their number is not set
TARGETS = ("amplitude", "noise", "distribution", "logits")
# input of the trunk -> the field of an utterance that it is computed from
SOURCES = {
    "mel": "mel",
    "f0": "f0",
    "loudness": "loudness",
    "voiced": "voiced",
    "periodicity": "periodicity",
    "delta_f0": "f0",
    "delta_loudness": "loudness",
    "z": "mel",
}


@dataclass(frozen=True)
class Smoothing:
    """A low-pass filter of the controls over time."""

    mode: str = key(
        "none", "low-pass filter of the controls", choices=("none", "onepole", "biquad")
    )
    coefficient: float = key(
        0.5, "onepole: share of the previous output in each frame", least=0, most=0.999
    )
    cutoff: float = key(
        15.0, "biquad: cutoff in Hz, below half the number of frames per second", least=0.01
    )
    targets: tuple[str, ...] = key(
        TARGETS[:3],
        "which controls are filtered (logits: those of the distribution)",
        choices=TARGETS,
    )

    def filtered(self, x: Tensor, target: str, frame_rate: float) -> Tensor:
        """Smooth (B, T, C), if it is one of the targets."""
        if self.mode == "none" or target not in self.targets:
            return x
        if self.mode == "onepole":
            return one_pole(x, self.coefficient)
        return biquad(x, self.cutoff, frame_rate)


@dataclass(frozen=True)
class GuessConfig:
    """The network that guesses f0, voicing and the like from the mel."""

    channels: int = key(96, "channels of its convolutions; 0 for no guesses", least=0)
    layers: int = key(3, "number of convolutions", least=1, most=MOST_LAYERS)
    kernel: int = key(5, "width of each convolution in frames, odd", least=1, odd=True)
    weight: float = key(1.0, "weight of the error of guesses in the loss", least=0)


@dataclass(frozen=True)
class ControllerConfig(TrunkConfig):
    """Inputs, trunk and head of a controller, and the synthesiser that it controls."""

    inputs: tuple[str, ...] = key(
        ("mel", "f0", "voiced"), "inputs of the trunk", choices=tuple(SOURCES), some=True
    )
    head: str = key("exp-sigmoid", "how outputs of the trunk become controls", choices=tuple(HEADS))
    temperature: float = key(
        1.0, "divides the logits of harmonics: above 1 their shares differ less", least=0.01
    )
    harmonics: int = key(
        0,
        f"number of harmonics; 0 for those of f0_min below half the sample rate, at most {MOST}",
        least=0,
    )
    f0_min: float = key(80.0, "lowest f0 in Hz; sets the number of harmonics if that is 0", least=1)
    noise_bands: int = key(65, "bands of noise from 0 Hz to half the sample rate", least=2)
    gated: bool = key(True, "harmonics are silent in unvoiced frames")
    residual: float = key(
        0.0,
        "add a leaky sum of predicted changes to the controls; share kept per frame, 0 for none",
        least=0,
        most=1,
    )
    reverb: float = key(
        0.0, "length of a learned room impulse response in seconds; 0 for none", least=0
    )
    smoothing: Smoothing = table(Smoothing, "smoothing of the controls over time")
    guess: GuessConfig = table(GuessConfig, "guesses of f0, voicing and the like from the mel")
    timbre: TimbreConfig = table(TimbreConfig, "the encoder of the input z")

    def sources(self) -> tuple[str, ...]:
        """Return the fields that controls are computed from."""
        always = ("f0", "voiced") if self.gated else ("f0",)
        return tuple(dict.fromkeys([*(SOURCES[name] for name in self.inputs), *always]))

    def guessed(self) -> tuple[str, ...]:
        """Return the fields that can be guessed from the mel."""
        return tuple(n for n in self.sources() if n != "mel") if self.guess.channels else ()


class Controller(nn.Module):
    """Predicts controls from the fields of utterances."""

    def __init__(self, config: ControllerConfig, facts: Facts) -> None:
        super().__init__()
        self.config, self.sample_rate = config, facts.sample_rate
        self.frame_rate = facts.sample_rate / facts.hop_length
        count = config.harmonics or min(MOST, int(facts.sample_rate / 2 / config.f0_min))
        cutoff, most = config.smoothing.cutoff, self.frame_rate / 2
        if config.smoothing.mode == "biquad" and cutoff >= most:
            raise SettingError(f"smoothing.cutoff is {cutoff:g} Hz, needs less than {most:.4g}")
        wide = {"mel": facts.n_mels, "z": config.timbre.size}
        widths = {name: wide.get(name, 1) for name in config.inputs}
        self.trunk = TRUNKS[config.trunk](widths, config)
        sizes = config.head, self.trunk.out_channels, count, config.noise_bands
        self.head = Head(*sizes)
        self.changes = Head(*sizes) if config.residual else None
        self.guess = Guess(config, facts) if config.guess.channels else None
        self.timbre = Timbre(config.timbre, facts.n_mels) if "z" in config.inputs else None
        samples = round(config.reverb * facts.sample_rate)
        self.room = nn.Parameter(torch.zeros(samples)) if samples else None

    def forward(self, frames: Mapping[str, Tensor], mask: Tensor) -> SynthesiserControls:
        """Return the controls of fields (B, T, ...) with mask (B, T).

        The mel is normalised; fields that can be guessed may be missing.
        """
        missing = [name for name in self.config.guessed() if name not in frames]
        if missing and self.guess is not None:
            frames = {**self.guess(frames["mel"], mask), **frames}
        f0 = frames["f0"].float()
        known = inputs(frames, [name for name in self.config.inputs if name != "z"])
        if self.timbre is not None:
            known["z"] = self.timbre(frames["mel"], mask)
        states = self.trunk(known, mask)  # (B, T, C)
        logits = self.head.logits(states)
        if self.changes is not None:
            changes = self.changes.logits(states)
            sums = (_accumulated(change, self.config.residual) for change in changes)
            logits = Levels(*map(torch.add, logits, sums))
        amplitude, shares, noise = self._smooth(logits, f0)
        voiced = frames["voiced"].float() if self.config.gated else torch.ones_like(f0)
        return SynthesiserControls(f0, voiced, amplitude, shares, noise)

    def _smooth(self, logits: Levels, f0: Tensor) -> Levels:
        """Return the levels of logits, smoothed as configured."""

        def smooth(x: Tensor, target: str) -> Tensor:
            return self.config.smoothing.filtered(x, target, self.frame_rate)

        weights = smooth(logits.weights / self.config.temperature, "logits")
        below_nyquist = audible(f0, weights.shape[-1], self.sample_rate)
        levels = self.head.activate(logits._replace(weights=weights), below_nyquist)
        shares = distribution(levels.weights, f0, self.sample_rate)
        return Levels(
            smooth(levels.amplitude[..., None], "amplitude")[..., 0].clamp(min=0),
            smooth(shares, "distribution").clamp(min=0),
            smooth(levels.noise, "noise").clamp(min=0),
        )


class Guess(nn.Module):
    """Guesses f0 and the like from the mel by convolutions."""

    def __init__(self, config: ControllerConfig, facts: Facts) -> None:
        super().__init__()
        guess, self.names = config.guess, config.guessed()
        self.body = Convolutions(
            facts.n_mels, guess.channels, layers=guess.layers, kernel=guess.kernel, dropout=0.0
        )
        self.values = nn.Linear(guess.channels, len(self.names))

    def scaled(self, mel: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return guesses (B, T) from a normalised mel: f0 and loudness scaled, others as logits."""
        states = self.body(mel.mT, mask[:, None].to(mel)).mT
        return dict(zip(self.names, self.values(states).float().unbind(-1), strict=True))

    def forward(self, mel: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return fields (B, T) guessed from a normalised mel (B, T, M)."""
        return {name: RAW[name](value) for name, value in self.scaled(mel, mask).items()}

    @torch.no_grad()
    def initialise(self, batch: Batch) -> None:
        """Set the bias so that first guesses are the means of the batch."""
        for row, name in enumerate(self.names):
            if name in UNITS:
                self.values.bias[row] = batch.mean(INPUTS[name](batch[name].float()), "frame")

    def loss(self, batch: Batch, mel: Tensor) -> Tensor:
        """Return the mean error of guesses: octaves, tens of dB, and cross-entropy of the rest."""
        errors = []
        for name, guess in self.scaled(mel, batch.mask("frame")).items():
            true = batch[name].float()
            if name in UNITS:
                errors.append((guess - INPUTS[name](true)).abs() * UNITS[name])
            else:
                errors.append(F.binary_cross_entropy_with_logits(guess, true, reduction="none"))
        return batch.mean(torch.stack(errors, -1).sum(-1), "frame")


def midi(f0: Tensor) -> Tensor:
    """Return f0 in semitones, 69 for 440 Hz; values below 10 Hz count as 10 Hz."""
    return 69 + 12 * torch.log2(f0.clamp(min=10) / 440)


def change(x: Tensor) -> Tensor:
    """Return the difference of each frame (B, T) from the one before it."""
    return torch.diff(x, dim=1, prepend=x[:, :1])


def inputs(frames: Mapping[str, Tensor], names: Collection[str]) -> dict[str, Tensor]:
    """Return fields (B, T) or (B, T, M) as inputs of a trunk (B, T, width), scaled to about 1."""
    scaled = {}
    for name in names:
        value = frames[SOURCES[name]].float()
        value = INPUTS[name](value) if name in INPUTS else value
        scaled[name] = value if value.dim() == 3 else value[..., None]
    return scaled


def _accumulated(changes: Tensor, kept: float) -> Tensor:
    """Return the leaky sum over frames of changes (B, T) or (B, T, C)."""
    return leaky_sum(changes.reshape(*changes.shape[:2], -1), kept).view_as(changes)


INPUTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "f0": lambda f0: midi(f0) / 127,
    "loudness": lambda dB: dB / 80 + 1,
    "delta_f0": lambda f0: change(midi(f0)),  # semitones a frame
    "delta_loudness": lambda dB: change(dB) / 10,
}
UNITS = {"f0": 127 / 12, "loudness": 8.0}  # octaves and 10 dB in the scaled values of guesses
RAW: Mapping[str, Callable[[Tensor], Tensor]] = {  # inverses of the scaling, for guesses
    "f0": lambda x: 440 * 2 ** ((127 * x.clamp(0.2, 0.9) - 69) / 12),
    "loudness": lambda x: (x - 1) * 80,
    "voiced": lambda logit: (logit > 0).float(),
    "periodicity": torch.sigmoid,
}
