"""Base classes of vocoders: streaming in chunks, spectral losses, and training with critics.

B batch, T frames, M mel bands, N = T · hop_length samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ttskit.dsp.mel import MelSettings, MelSpectrogram
from ttskit.dsp.rounds import cuts
from ttskit.errors import TrainingError
from ttskit.models.adversarial import Adversarial, Pair
from ttskit.models.family import Family
from ttskit.networks.batch import Batch, axis_of
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import mean_and_deviation
from ttskit.networks.spectral import distances


class Vocoder(Family):
    """From log-mel to audio, utterance by utterance and chunk by chunk."""

    role = "vocoder"
    controllable: ClassVar[bool] = False  # whether `controls` works

    @classmethod
    def takes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel",)

    @classmethod
    def makes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("audio",)

    @property
    def wants(self) -> tuple[str, ...]:
        """The fields that `stream` uses where they are known."""
        return ("mel",)

    def lacks(self, known: Collection[str]) -> tuple[str, ...]:
        """Return the fields that `stream` requires and that are not among the known ones."""
        return tuple(name for name in self.wants if name not in known)

    def controls(self, frames: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the controls of an utterance by name, (T, ...) each, if it is controllable."""
        raise NotImplementedError

    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,
    ) -> Iterator[Tensor]:
        """Yield audio in pieces (n,), T · hop_length samples in all.

        `frames` holds the known fields of an utterance: mel (T, M), f0 (T,) ...
        """
        raise NotImplementedError

    @torch.no_grad()
    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return audio (B, N), zero beyond the end of an utterance."""
        audio = []
        for row in range(len(batch)):
            fields = batch.only(row).fields
            frames = {name: value[0] for name, value in fields.items() if axis_of(name) == "frame"}
            nothing = torch.zeros(0, device=batch.lengths["frame"].device)
            audio.append(torch.cat([nothing, *self.stream(frames, generator, **knobs)]))
        return {"audio": pad_sequence(audio, batch_first=True)}


class Weightless(Vocoder):
    """A vocoder with nothing to learn, which makes an utterance as a whole.

    Longer mel is cut where it is quietest in the last quarter of what may be made at once.  The
    parts know nothing of each other: a cut within sound, not within a pause, is heard.
    """

    @dataclass(frozen=True)
    class Config:
        """Nothing shapes it but the grid."""

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ()

    def prepare(self) -> None:
        """Refuse: there is nothing to learn."""
        name = type(self).__name__.lower()
        raise TrainingError(f"{name} has nothing to learn; use it as it is")

    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,
    ) -> Iterator[Tensor]:
        """Yield audio in parts (n,)."""
        mel, device = frames["mel"], generator.device if generator else "cpu"
        seed = int(torch.randint(2**31, (), generator=generator, device=device))
        rng = np.random.default_rng(seed)
        for part in torch.split(mel.cpu(), cuts(mel)):
            yield self.part(part, rng, {**self.knobs, **knobs}).to(mel.device)

    def part(self, mel: Tensor, rng: np.random.Generator, knobs: Mapping[str, float]) -> Tensor:
        """(T, M) on the CPU to (T · hop_length,)."""
        raise NotImplementedError


class Learnt(Adversarial, Vocoder):
    """A vocoder trained on recordings by spectral distances, and later by critics.

    Its audio for a batch is a `copy` of the recordings; its config has the tables `spectral` and
    `adversary`.
    """

    mel_mean: Tensor
    mel_deviation: Tensor

    def __init__(self, config: Any, facts: Facts, generator: nn.Module) -> None:
        super().__init__(config, facts)
        self.generator = generator
        mean, deviation = mean_and_deviation(facts.statistics, "mel", facts.n_mels)
        self.register_buffer("mel_mean", mean)
        self.register_buffer("mel_deviation", deviation)
        self.spectrogram: MelSpectrogram | None = None  # created when training first needs it

    def normal(self, mel: Tensor) -> Tensor:
        """Return mel (..., M) normalised by the statistics of the training data."""
        return (mel - self.mel_mean) / self.mel_deviation

    def copy(self, batch: Batch) -> Tensor:
        """Return the generator's audio (B, N) for a batch, silent in the padding."""
        raise NotImplementedError

    def attempt(self, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the copy (B, N), and its distances from the recordings by term."""
        copy = self.copy(batch)
        return copy, self._spectral(batch, copy)

    def heard(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return batch["audio"], self.copy(batch)

    def pair(self, batch: Batch, progress: float) -> Pair:
        copy, terms = self.attempt(batch, progress)
        return Pair(batch["audio"], copy, terms)

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        mel = self.log_mel(self.copy(batch.only(0)))[0]
        return {}, {"copy": Picture(mel.T.cpu().numpy(), "frame", "mel band")}

    def sample(self, batch: Batch) -> Mapping[str, Mapping[str, Tensor]]:
        generator = torch.Generator(batch["audio"].device).manual_seed(0)
        return {"corpus": {"audio": self.generate(batch, generator)["audio"][0]}}

    def _spectral(self, batch: Batch, copy: Tensor) -> dict[str, Tensor]:
        weights, audio = self.config.spectral, batch["audio"]
        error = (self.log_mel(copy) - self.log_mel(audio)).abs()
        linear, log = distances(copy, audio, weights.n_fft)
        return {
            "mel": weights.mel * batch.mean(error, "frame"),
            "stft": weights.stft * batch.mean(linear),
            "log_stft": weights.stft * batch.mean(log / batch.filled("frame")),
        }

    def log_mel(self, audio: Tensor) -> Tensor:
        """Return the log-mel (B, T, M) of audio (B, N)."""
        if self.spectrogram is None or self.spectrogram.window.device != audio.device:
            self.spectrogram = MelSpectrogram(mel_settings(self.facts), audio.device)
        return self.spectrogram(audio)


class Convolutional(Learnt):
    """A vocoder whose generator is convolutional, from normalised mel (B, M, T) to audio (B, N).

    A sample depends on at most `reach` frames on either side, so chunks that overlap by `reach`
    join exactly.
    """

    chunk: ClassVar[int] = 128  # frames; fastest if they fit into the cache of the processor

    def __init__(self, config: Any, facts: Facts, generator: nn.Module, reach: int) -> None:
        super().__init__(config, facts, generator)
        self.reach = reach

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "audio")

    def forward(self, mel: Tensor) -> Tensor:
        """Return audio (B, N) of a mel (B, T, M)."""
        audio: Tensor = self.generator(self.normal(mel).mT).float()
        return audio

    def copy(self, batch: Batch) -> Tensor:
        return self(batch["mel"]) * batch.mask("sample")

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield audio by chunks, each computed with `reach` frames around it."""
        mel, hop_length = frames["mel"], self.facts.hop_length
        for start in range(0, len(mel), self.chunk):
            stop, first = min(start + self.chunk, len(mel)), max(0, start - self.reach)
            audio = self(mel[None, first : stop + self.reach])[0]
            yield audio[(start - first) * hop_length : (stop - first) * hop_length]


def mel_settings(facts: Facts) -> MelSettings:
    """Return the settings of the mel spectrogram of a model."""
    sizes = facts.sample_rate, facts.n_fft, facts.hop_length, facts.n_mels
    return MelSettings(*sizes, facts.fmin, facts.fmax)
