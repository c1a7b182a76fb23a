"""DDSP (Engel et al., 2020): a network predicts the controls of a harmonic-plus-noise synthesiser.

For speech the network reads the mel, for an instrument pitch and loudness alone.

B batch, T frames, M mel bands, K harmonics, F bands of noise, N = T · hop_length samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from ttskit.dsp.reverb import reverberate
from ttskit.errors import AudioError
from ttskit.models.vocoder import Learnt
from ttskit.networks import collapse
from ttskit.networks.batch import Batch
from ttskit.networks.controller import Controller, ControllerConfig
from ttskit.networks.critics import AudioAdversary
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.spectral import differences, loudness
from ttskit.networks.synthesiser import (
    SynthesiserControls,
    entropy,
    pieces,
    render,
    reverberated,
    white,
)
from ttskit.settings import key, table

ATTENDED = 8192  # frames, about 95 s: the mask of their attention takes 67 MB
HELD = 3  # values per harmonic and sample that the backward pass needs
TRAINING = {
    "training.batch": 16,
    "training.segment": 64,
    "training.optimizer": "adam",
    "training.weight_decay": 0.0,
    "training.beta2": 0.999,
    "training.schedule": "exponential",
    "training.clip_norm": 3.0,
}
INSTRUMENT = TRAINING | {
    "inputs": ("f0", "loudness"),
    "gated": False,
    "harmonics": 100,
    "guess.channels": 0,
}
# As published, on Features with a sample rate of 16000 and a hop of 64, where segments last 4 s.
# What differs: f0 is that of the Features; magnitudes are at least 1e-5 in both terms, not only
# below the logarithm; the room begins at 0, not at faint noise.  Weights are those of sums over
# the six FFT sizes, of which the loss is the mean.
PAPER = INSTRUMENT | {
    "slope": 0.2,
    "reverb": 3.0,
    "spectral.linear": 6.0,
    "spectral.log.first": 6.0,
    "spectral.log.last": 6.0,
    "spectral.floor": 1e-5,
    "training.batch": 32,
    "training.segment": 1000,
    "training.learning_rate": 3e-4,
    "training.half_life": 343_000.0,  # 0.98 every 10,000 updates
    "training.final": 0.0,
    "training.warmup": 0,
}
# The published autoencoder of many instruments: z is what f0 and loudness do not tell.  Its MFCC
# are of the mel of the Features, normalised by the training data, not of a mel of their own.
AUTOENCODER = {"inputs": ("f0", "loudness", "z")}
# Not published: a clip at a time, as attention over many takes memory.
TRANSFORMER = {
    "trunk": "transformer",
    "causal": True,
    "training.batch": 1,
    "training.accumulate": 32,
}


@dataclass(frozen=True)
class ScheduledWeight:
    """A weight of the loss that may change during training."""

    first: float = key(1.0, "weight until `begin`", least=0)
    last: float = key(1.0, "weight from `end` on; linear in between", least=0)
    begin: float = key(0.0, "share of the training at which it begins to change", least=0, most=1)
    end: float = key(0.0, "share of the training at which it stops changing", least=0, most=1)

    def at(self, progress: float) -> float:
        """Return the weight after a share of the training."""
        span = max(self.end - self.begin, 1e-9)
        return self.first + (self.last - self.first) * min(1, max(0, progress - self.begin) / span)

    def __bool__(self) -> bool:
        return self.first > 0 or self.last > 0


@dataclass(frozen=True)
class Distances:
    """Weights of the distances from the recording, and of the entropy of harmonics."""

    n_fft: tuple[int, ...] = key(
        (2048, 1024, 512, 256, 128, 64),
        "FFT sizes in samples; hops are a quarter",
        least=8,
        some=True,
    )
    floor: float = key(1e-4, "magnitudes below this count as this", least=1e-7)
    linear: float = key(1.0, "weight of the L1 distance of magnitudes", least=0)
    mel: float = key(0.0, "weight of the L1 distance of log-mel", least=0)
    log: ScheduledWeight = table(ScheduledWeight, "weight of the L1 distance of log-magnitudes")
    loudness: ScheduledWeight = table(
        partial(ScheduledWeight, 0.0, 0.0), "weight of the L1 distance of loudness in dB"
    )
    entropy: ScheduledWeight = table(
        partial(ScheduledWeight, 0.0, 0.0),
        "weight of 1 minus the entropy of the harmonics, which keeps them from collapsing",
    )


class Ddsp(Learnt):
    """A vocoder: harmonics and filtered noise with predicted controls."""

    @dataclass(frozen=True)
    class Config(ControllerConfig):
        spectral: Distances = table(Distances, "distances from the recording")
        adversary: AudioAdversary = table(AudioAdversary, "critics (discriminators)")

    controllable = True
    presets: ClassVar = {
        "tiny": TRAINING
        | {
            "trunk": "mlp",
            "channels": 192,
            "layers": 2,
            "training.learning_rate": 3e-3,
            "training.final": 0.03,
        },
        "base": TRAINING
        | {
            "inputs": ("mel", "f0", "voiced", "periodicity", "loudness"),
            "training.learning_rate": 1e-3,
        },
        "paper": PAPER,
        "autoencoder": PAPER | AUTOENCODER,
        "transformer": PAPER | TRANSFORMER,
        "instrument": INSTRUMENT
        | {
            "channels": 128,
            "training.batch": 8,
            "training.segment": 86,
            "training.learning_rate": 3e-3,
            "training.final": 0.03,
            "training.warmup": 0,
        },
    }
    generator: Controller

    def __init__(self, config: Config, facts: Facts) -> None:
        super().__init__(config, facts, Controller(config, facts))

    @classmethod
    def needs(cls, config: Config) -> tuple[str, ...]:
        mel = ("mel",) if config.guessed() else ()
        return tuple(dict.fromkeys([*config.sources(), *mel, "audio"]))

    @classmethod
    def takes(cls, config: Config) -> tuple[str, ...]:
        guessed = config.guessed()
        known = (name for name in config.sources() if name not in guessed)
        return tuple(dict.fromkeys([*(("mel",) if guessed else ()), *known]))

    @property
    def wants(self) -> tuple[str, ...]:
        inputs = (name for name in self.needs(self.config) if name != "audio")
        return tuple(dict.fromkeys([*inputs, *SynthesiserControls._fields]))

    def lacks(self, known: Collection[str]) -> tuple[str, ...]:
        if set(SynthesiserControls._fields) <= set(known):
            return ()
        available = {*known, *(self.config.guessed() if "mel" in known else ())}
        return tuple(name for name in self.config.sources() if name not in available)

    def initialise(self, batch: Batch) -> None:
        if self.generator.guess is not None:
            self.generator.guess.initialise(batch)

    def play(self, frames: Mapping[str, Tensor], mask: Tensor) -> SynthesiserControls:
        """Return the controls predicted from fields (B, T, ...) with mask (B, T)."""
        if "mel" in frames:
            frames = {**frames, "mel": self.normal(frames["mel"])}
        controls: SynthesiserControls = self.generator(frames, mask)
        return controls

    @torch.no_grad()
    def controls(self, frames: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the controls of one utterance by name, (T, ...) each."""
        controls = self._predicted(frames)
        controls = controls._replace(voiced=controls.voiced > 0)
        return {name: value[0] for name, value in controls._asdict().items()}

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield audio in pieces; controls that are among the fields are used unchanged."""
        known = set(SynthesiserControls._fields) <= frames.keys()
        controls = SynthesiserControls.of(frames) if known else self._predicted(frames)
        facts, room = self.facts, self.generator.room
        dry = pieces(controls, facts.sample_rate, facts.hop_length, generator)
        yield from dry if room is None else reverberated(dry, room)

    def _predicted(self, frames: Mapping[str, Tensor]) -> SynthesiserControls:
        longest = max(map(len, frames.values()))
        if self.config.trunk == "transformer" and longest > ATTENDED:
            raise AudioError(
                f"has {longest} frames, a transformer can attend to {ATTENDED}: cut it where it "
                "is silent, or take another trunk"
            )
        batch = {name: value[None] for name, value in frames.items()}
        first = next(iter(batch.values()))
        return self.play(batch, torch.ones(first.shape[:2], dtype=torch.bool, device=first.device))

    def rendered(self, batch: Batch, controls: SynthesiserControls) -> Tensor:
        """Return the audio (B, N) of controls, silent in the padding."""
        noise, facts = white(batch["audio"]), self.facts
        audio = render(controls, noise, facts.sample_rate, facts.hop_length)
        room = self.generator.room
        return (audio if room is None else reverberate(audio, room)) * batch.mask("sample")

    def copy(self, batch: Batch) -> Tensor:
        return self.rendered(batch, self.play(batch.fields, batch.mask("frame")))

    def attempt(self, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        controls = self.play(batch.fields, batch.mask("frame"))
        copy, weights = self.rendered(batch, controls), self.config.spectral
        linear, log = differences(copy, batch["audio"], weights.n_fft, weights.floor)
        terms = {
            "stft": weights.linear * batch.mean(linear / batch.filled("frame")),
            "log_stft": weights.log.at(progress) * batch.mean(log / batch.filled("frame")),
        }
        if weights.mel:
            distance = (self.log_mel(copy) - self.log_mel(batch["audio"])).abs()
            terms["mel"] = weights.mel * batch.mean(distance, "frame")
        if weights.loudness:
            grid = self.facts.sample_rate, self.facts.hop_length
            distance = (loudness(copy, *grid) - loudness(batch["audio"], *grid)).abs()
            terms["loudness"] = weights.loudness.at(progress) * batch.mean(distance, "frame")
        if weights.entropy:
            lack = (1 - entropy(controls.distribution)) * controls.voiced
            terms["entropy"] = weights.entropy.at(progress) * batch.mean(lack, "frame")
        if self.generator.guess is not None:
            guess = self.generator.guess.loss(batch, self.normal(batch["mel"]))
            terms["guess"] = self.config.guess.weight * guess
        return copy, terms

    def sample(self, batch: Batch) -> Mapping[str, Mapping[str, Tensor]]:
        frames = {name: batch[name][0] for name in self.wants if name in batch}
        return {**super().sample(batch), "controls": self.controls(frames)}

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        """Return the bytes of all harmonics of a batch, and of attention if there is any."""
        config, frames = self.config, lengths["frame"]
        values = HELD * lengths["sample"] * self.generator.head.sizes[1]
        if config.trunk == "transformer":
            values += config.layers * config.heads * frames**2
        return 4 * utterances * values

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        _, pictures = super().watch(batch)
        controls = self.play(batch.fields, batch.mask("frame"))
        copy, settings = self.rendered(batch, controls), self.config.spectral
        linear, log = differences(copy, batch["audio"], settings.n_fft, settings.floor)
        numbers = {
            "linear": float(linear.mean()),  # both without their weights
            "log": float(log.mean()),
            **collapse.numbers(batch, controls, copy, self.facts),
        }
        return numbers, pictures | collapse.pictures(controls, int(batch.lengths["frame"][0]))
