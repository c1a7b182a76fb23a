"""What all vocoders share: chunks that join without a seam, spectral losses, and critics.

B batch, T frames, M mel bands, N = T · hop_length samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ttskit.dsp.mel import MelSettings, MelSpectrogram
from ttskit.models.family import Family
from ttskit.networks.batch import Batch, axis_of
from ttskit.networks.critics import Critics
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.spectral import distances


class Vocoder(Family):
    """From log-mel to audio, utterance by utterance and chunk by chunk."""

    role = "vocoder"
    controllable: ClassVar[bool] = False  # whether it can say by which controls it plays

    @classmethod
    def takes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel",)

    @classmethod
    def makes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("audio",)

    @property
    def wants(self) -> tuple[str, ...]:
        """The fields that `stream` makes use of, where they are known."""
        return ("mel",)

    def lacks(self, known: Collection[str]) -> tuple[str, ...]:
        """Return the fields that `stream` cannot do without and that are not known."""
        return tuple(name for name in self.wants if name not in known)

    def controls(self, frames: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what is played of an utterance by name, (T, ...) each, if it is controllable."""
        raise NotImplementedError

    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,
    ) -> Iterator[Tensor]:
        """Yield audio in pieces (n,), T · hop_length samples in all.

        `frames` are the fields of an utterance that are known: mel (T, M), f0 (T,) ...
        """
        raise NotImplementedError

    @torch.no_grad()
    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return audio (B, N), zero beyond the end of an utterance."""
        made = []
        for row in range(len(batch)):
            fields = batch.only(row).fields
            frames = {name: value[0] for name, value in fields.items() if axis_of(name) == "frame"}
            nothing = torch.zeros(0, device=batch.lengths["frame"].device)
            made.append(torch.cat([nothing, *self.stream(frames, generator, **knobs)]))
        return {"audio": pad_sequence(made, batch_first=True)}


class Learnt(Vocoder):
    """A generator that learns from recordings, and in the end from critics.

    What it makes of a batch is its `copy`; its config has the tables `spectral` and `adversary`.
    """

    mel_mean: Tensor
    mel_deviation: Tensor

    def __init__(self, config: Any, facts: Facts, generator: nn.Module) -> None:
        super().__init__(config, facts)
        self.generator = generator
        self.critics: Critics | None = None
        for name, default in {"mel_mean": np.zeros, "mel_deviation": np.ones}.items():
            value = facts.statistics.get(name, default(facts.n_mels))
            self.register_buffer(name, torch.as_tensor(value, dtype=torch.float32))
        self.spectrogram: MelSpectrogram | None = None  # only training hears

    def normal(self, mel: Tensor) -> Tensor:
        """Return mel (..., M) as a generator sees it, by the statistics of the data."""
        return (mel - self.mel_mean) / self.mel_deviation

    def copy(self, batch: Batch) -> Tensor:
        """(B, N): what the generator makes, silent where there is no recording."""
        raise NotImplementedError

    def attempt(self, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the copy (B, N), and by terms how far it is from the recording."""
        made = self.copy(batch)
        return made, self._spectral(batch, made)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        return self.attempt(batch, progress)[1]

    def prepare(self) -> None:
        """Add the critics, if they ever play."""
        if self.config.adversary.from_progress < 1:
            self.critics = Critics(self.config.adversary)

    def judged(self, progress: float) -> bool:
        """Tell no more from spectra once critics play: what they ask for costs distance."""
        return self.critics is None or progress < self.config.adversary.from_progress

    def players(self) -> dict[str, nn.Module]:
        alone: dict[str, nn.Module] = {"generator": self.generator}
        return alone | ({"critic": self.critics} if self.critics else {})

    def terms(self, batch: Batch, progress: float, player: str) -> dict[str, Tensor]:
        """Return the loss of one player; until the critics play, theirs is empty."""
        critics = self.critics if progress >= self.config.adversary.from_progress else None
        if player == "critic":
            if critics is None:
                return {}
            with torch.no_grad():
                made = self.copy(batch)
            return critics.loss(batch, made)
        made, terms = self.attempt(batch, progress)
        return terms | critics.verdict(batch, made) if critics else terms

    def kept(self) -> dict[str, Tensor]:
        """Return the weights without those of the critics."""
        weights = self.state_dict()
        return {name: value for name, value in weights.items() if not name.startswith("critics.")}

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        made = self.heard(self.copy(batch.only(0)))[0]
        return {}, {"copy": Picture(made.T.cpu().numpy(), "frame", "mel band")}

    def sample(self, batch: Batch) -> Mapping[str, Mapping[str, Tensor]]:
        chance = torch.Generator(batch["audio"].device).manual_seed(0)
        return {"corpus": {"audio": self.generate(batch, chance)["audio"][0]}}

    def _spectral(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        told, audio = self.config.spectral, batch["audio"]
        off = (self.heard(made) - self.heard(audio)).abs()
        linear, log = distances(made, audio, told.n_fft)
        return {
            "mel": told.mel * batch.mean(off, "frame"),
            "stft": told.stft * batch.mean(linear),
            "log_stft": told.stft * batch.mean(log / batch.filled("frame")),
        }

    def heard(self, audio: Tensor) -> Tensor:
        """(B, N) to its log-mel (B, T, M)."""
        if self.spectrogram is None or self.spectrogram.window.device != audio.device:
            self.spectrogram = MelSpectrogram(mel_settings(self.facts), audio.device)
        return self.spectrogram(audio)


class Convolutional(Learnt):
    """A generator that takes normalised mel (B, M, T) and returns (B, N).

    Its audio depends on no more than `reach` frames on either side, so chunks that overlap by as
    much join exactly.
    """

    chunk: ClassVar[int] = 128  # frames; what fits into the cache of a processor is fastest

    def __init__(self, config: Any, facts: Facts, generator: nn.Module, reach: int) -> None:
        super().__init__(config, facts, generator)
        self.reach = reach

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel", "audio")

    def forward(self, mel: Tensor) -> Tensor:
        """(B, T, M) to (B, N)."""
        made: Tensor = self.generator(self.normal(mel).mT).float()
        return made

    def copy(self, batch: Batch) -> Tensor:
        return self(batch["mel"]) * batch.mask("sample")

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield audio by chunks, each made with the frames around it."""
        mel, hop_length = frames["mel"], self.facts.hop_length
        for start in range(0, len(mel), self.chunk):
            stop, first = min(start + self.chunk, len(mel)), max(0, start - self.reach)
            made = self(mel[None, first : stop + self.reach])[0]
            yield made[(start - first) * hop_length : (stop - first) * hop_length]


def mel_settings(facts: Facts) -> MelSettings:
    """Return the spectrogram that a model hears."""
    sizes = facts.sample_rate, facts.n_fft, facts.hop_length, facts.n_mels
    return MelSettings(*sizes, facts.fmin, facts.fmax)
