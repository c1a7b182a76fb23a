"""DDSP (Engel et al., 2020): a network says what harmonics and noise sound, a synthesiser plays it.

For speech the network sees a mel, for an instrument pitch and loudness alone.

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
from ttskit.networks.controller import Controller, Shape
from ttskit.networks.critics import Adversary
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.spectral import differences, loudness
from ttskit.networks.synthesiser import Controls, entropy, pieces, render, reverberated, white
from ttskit.settings import key, table

ATTENDED = 8192  # frames, about 95 s: their mask alone takes 67 MB
HELD = 3  # numbers of each harmonic at each sample, for the way back
TRAINING = {
    "training.batch": 16,
    "training.segment": 64,
    "training.optimizer": "adam",
    "training.weight_decay": 0.0,
    "training.beta2": 0.999,
    "training.schedule": "exponential",
    "training.clip_norm": 3.0,
}
# As published, but for the grid and so the length of what is cut out: 4 seconds.
PAPER = TRAINING | {
    "inputs": ("f0", "loudness"),
    "gated": False,
    "harmonics": 100,
    "guess.channels": 0,
    "training.batch": 32,
    "training.segment": 344,
    "training.learning_rate": 3e-4,
    "training.half_life": 343_000.0,  # 0.98 every 10,000 updates
    "training.final": 0.0,
    "training.warmup": 0,
}


@dataclass(frozen=True)
class Course:
    """A weight that may change while a model is trained."""

    first: float = key(1.0, "until `begin`", least=0)
    last: float = key(1.0, "from `end` on; a line between them", least=0)
    begin: float = key(0.0, "part of the training", least=0, most=1)
    end: float = key(0.0, "part of the training", least=0, most=1)

    def at(self, progress: float) -> float:
        """Return the weight at a part of the training."""
        span = max(self.end - self.begin, 1e-9)
        return self.first + (self.last - self.first) * min(1, max(0, progress - self.begin) / span)

    def __bool__(self) -> bool:
        return self.first > 0 or self.last > 0


@dataclass(frozen=True)
class Distances:
    """Weights of the distances from the recording, and of what keeps harmonics apart."""

    n_fft: tuple[int, ...] = key(
        (2048, 1024, 512, 256, 128, 64), "samples; a hop is a quarter", least=8, some=True
    )
    floor: float = key(1e-4, "lowest magnitude that counts", least=1e-7)
    linear: float = key(1.0, "of L1 of magnitudes", least=0)
    mel: float = key(0.0, "of L1 of log-mel", least=0)
    log: Course = table(Course, "of L1 of log-magnitudes")
    loudness: Course = table(partial(Course, 0.0, 0.0), "of L1 of loudness, a dB")
    entropy: Course = table(partial(Course, 0.0, 0.0), "of what harmonic entropy lacks to 1")


class Ddsp(Learnt):
    """Harmonics and filtered noise, by controls that a network says."""

    @dataclass(frozen=True)
    class Config(Shape):
        spectral: Distances = table(Distances, "distances from the recording")
        adversary: Adversary = table(Adversary, "critics")

    controllable = True
    presets: ClassVar = {
        "tiny": TRAINING
        | {
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
        "instrument": PAPER
        | {
            "channels": 128,
            "training.batch": 8,
            "training.segment": 86,
            "training.learning_rate": 3e-3,
            "training.half_life": 0.0,
            "training.final": 0.03,
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
        heard = (name for name in self.needs(self.config) if name != "audio")
        return tuple(dict.fromkeys([*heard, *Controls._fields]))

    def lacks(self, known: Collection[str]) -> tuple[str, ...]:
        if set(Controls._fields) <= set(known):
            return ()
        found = {*known, *(self.config.guessed() if "mel" in known else ())}
        return tuple(name for name in self.config.sources() if name not in found)

    def initialise(self, batch: Batch) -> None:
        if self.generator.guess is not None:
            self.generator.guess.initialise(batch)

    def play(self, frames: Mapping[str, Tensor], mask: Tensor) -> Controls:
        """Return the controls of fields (B, T, ...); mask (B, T)."""
        if "mel" in frames:
            frames = {**frames, "mel": self.normal(frames["mel"])}
        controls: Controls = self.generator(frames, mask)
        return controls

    @torch.no_grad()
    def controls(self, frames: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what is played of an utterance by name, (T, ...) each."""
        found = self._played(frames)
        found = found._replace(voiced=found.voiced > 0)
        return {name: value[0] for name, value in found._asdict().items()}

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield audio in pieces; controls, where they are told, are played as they are."""
        known = set(Controls._fields) <= frames.keys()
        controls = Controls.of(frames) if known else self._played(frames)
        told, room = self.facts, self.generator.room
        made = pieces(controls, told.sample_rate, told.hop_length, generator)
        yield from made if room is None else reverberated(made, room)

    def _played(self, frames: Mapping[str, Tensor]) -> Controls:
        longest = max(map(len, frames.values()))
        if self.config.trunk == "transformer" and longest > ATTENDED:
            raise AudioError(
                f"has {longest} frames, a transformer can attend to {ATTENDED}: cut it where it "
                "is silent, or take another trunk"
            )
        batch = {name: value[None] for name, value in frames.items()}
        first = next(iter(batch.values()))
        return self.play(batch, torch.ones(first.shape[:2], dtype=torch.bool, device=first.device))

    def rendered(self, batch: Batch, controls: Controls) -> Tensor:
        """(B, N): audio of controls, silent where there is no recording."""
        noise, told = white(batch["audio"]), self.facts
        made = render(controls, noise, told.sample_rate, told.hop_length)
        room = self.generator.room
        return (made if room is None else reverberate(made, room)) * batch.mask("sample")

    def copy(self, batch: Batch) -> Tensor:
        return self.rendered(batch, self.play(batch.fields, batch.mask("frame")))

    def attempt(self, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        controls = self.play(batch.fields, batch.mask("frame"))
        made, told = self.rendered(batch, controls), self.config.spectral
        audio, facts = batch["audio"], self.facts
        linear, log = differences(made, audio, told.n_fft, told.floor)
        terms = {
            "stft": told.linear * batch.mean(linear / batch.filled("frame")),
            "log_stft": told.log.at(progress) * batch.mean(log / batch.filled("frame")),
        }
        if told.mel:
            off = (self.heard(made) - self.heard(audio)).abs()
            terms["mel"] = told.mel * batch.mean(off, "frame")
        if told.loudness:
            levels = (loudness(x, facts.sample_rate, facts.hop_length) for x in (made, audio))
            off = torch.sub(*levels).abs()
            terms["loudness"] = told.loudness.at(progress) * batch.mean(off, "frame")
        if told.entropy:
            lack = (1 - entropy(controls.distribution)) * controls.voiced
            terms["entropy"] = told.entropy.at(progress) * batch.mean(lack, "frame")
        if self.generator.guess is not None:
            guess = self.generator.guess.loss(batch, self.normal(batch["mel"]))
            terms["guess"] = self.config.guess.weight * guess
        return made, terms

    def sample(self, batch: Batch) -> Mapping[str, Mapping[str, Tensor]]:
        frames = {name: batch[name][0] for name in self.wants if name in batch}
        return {**super().sample(batch), "controls": self.controls(frames)}

    def memory(self, utterances: int, lengths: Mapping[str, int]) -> int:
        """Return the bytes of all harmonics of a batch, and of attention where there is some."""
        told, frames = self.config, lengths["frame"]
        numbers = HELD * lengths["sample"] * self.generator.head.sizes[1]
        if told.trunk == "transformer":
            numbers += told.layers * told.heads * frames**2
        return 4 * utterances * numbers

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        _, pictures = super().watch(batch)
        controls = self.play(batch.fields, batch.mask("frame"))
        made = self.rendered(batch, controls)
        told = self.config.spectral
        linear, log = differences(made, batch["audio"], told.n_fft, told.floor)
        numbers = {
            "linear": float(linear.mean()),  # whatever they weigh
            "log": float(log.mean()),
            **collapse.numbers(batch, controls, made, self.facts),
        }
        return numbers, pictures | collapse.pictures(controls, int(batch.lengths["frame"][0]))
