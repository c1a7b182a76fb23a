"""A chain of models run by onnxruntime, without torch.

Shapes: N tokens, T frames, M mel bands, F frequency bins, S samples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np

from ttskit.dsp import melpitch, rounds
from ttskit.dsp.mel import MelSettings, filters
from ttskit.dsp.mersenne import Random
from ttskit.dsp.rounding import room
from ttskit.errors import TtskitError
from ttskit.speaking.acoustics import Cascade, Manner, mixture, shifted
from ttskit.voices.graphs import Graph
from ttskit.voices.join import JUDGES
from ttskit.voices.sessions import Session, sessions
from ttskit.voices.voice import KNOWN, WANTED, VoiceFile

LEAST = 3  # frames that the graph of a vocoder without weights can do with
Numbers = Mapping[str, float]


class GraphCascade(Cascade):
    """The models of a voice as graphs; what it makes is that of `Cascade` but for rounding."""

    def __init__(self, voice: VoiceFile) -> None:
        self.graphs = {one.graph.role: one for one in sessions(voice, threads())}
        self.steps = [(one.graph, one) for one in self.graphs.values()]  # type: ignore[misc]
        self.outputs = [{*one.graph.makes} for one in self.graphs.values()]
        self.takes = {name for one in self.graphs.values() for name in one.graph.takes}
        self.makes = {name for one in self.graphs.values() for name in one.graph.makes}
        self.beside = {role: one for role, one in voice.models.items() if role in JUDGES}
        self.models = tuple(one for role, one in voice.models.items() if role not in JUDGES)
        self.facts, self.language = voice.reader.facts, voice.reader.language
        self.name, self.device = voice.container.name, "cpu"
        self.known, self.wanted, self.widening = KNOWN, WANTED, voice.settings.widening
        self.speakers = {name: number for number, name in enumerate(self.facts.speakers)}

    @property
    def families(self) -> list[Any]:
        """What stands for the families of the models: the knobs that they have."""
        return [SimpleNamespace(knobs=one.graph.knobs, paces={}) for one in self.graphs.values()]

    def check_style(self) -> None:
        raise TtskitError(f"{self.name}: --engine onnx follows no style: use --engine torch")

    def check_speaker(self, speaker: str) -> None:
        mixture(speaker, self.speakers)

    def _computing(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def _step(
        self,
        id: str,  # noqa: ARG002
        model: Any,
        module: Any,
        fields: Mapping[str, np.ndarray],
        manner: Manner,
        seed: int,
    ) -> dict[str, np.ndarray]:
        graph: Graph = model
        known = {**graph.knobs, **manner.knobs}
        random = Random(seed)
        if graph.family == "ddsp":
            return {"audio": self._synthesised(module, fields, random)}
        if "mel" in graph.takes:
            return {"audio": self._audio(module, fields["mel"], known, random)}
        inputs = self._inputs(graph, fields, manner, known, random)
        outputs = module({name: inputs[name] for name in graph.inputs})
        frames = int(fields["durations"].sum()) if "durations" in fields else 0
        lengths = {"mel": frames, "f0": frames, "voiced": frames}
        return {name: value[0][: lengths.get(name)] for name, value in outputs.items()}

    def _inputs(
        self,
        graph: Graph,
        fields: Mapping[str, np.ndarray],
        manner: Manner,
        knobs: Numbers,
        random: Random,
    ) -> dict[str, np.ndarray]:
        """Return the inputs of a graph that reads tokens."""
        named = {name: value for name, value in fields.items() if name in graph.inputs}
        inputs = {}
        for name, value in shifted(named, manner).items():
            kind = np.int64 if value.dtype.kind in "iu" else np.float32
            inputs[name] = np.asarray(value, kind)[None]
        inputs["speaker_mix"] = mixture(manner.speaker, self.speakers)[None]
        if "frame" in graph.inputs:
            frames = int(fields["durations"].sum())
            steps = -(-frames // graph.step) * graph.step
            inputs["frame"] = np.arange(steps)
            if "noise" in graph.inputs:
                inputs["noise"] = self._noise(graph, steps, random) * knobs["noise_scale"]
        return inputs

    def _noise(self, graph: Graph, frames: int, random: Random) -> np.ndarray:
        """Return what torch draws for an utterance that it pads, (1, M, T)."""
        padded = room(frames)
        padded += -padded % graph.step
        bands = self.facts.n_mels
        return random.normal(bands * padded).reshape(1, bands, padded)[..., :frames]

    def _audio(
        self, session: Session, mel: np.ndarray, knobs: Numbers, random: Random
    ) -> np.ndarray:
        """Return audio (S,) of a mel (T, M)."""
        mel = np.asarray(mel, np.float32)
        if session.graph.chunk:
            return np.concatenate([*self._chunks(session, mel)])
        rng = np.random.default_rng(random.integer())
        padded = np.pad(mel, ((0, max(0, LEAST - len(mel))), (0, 0)), "edge")
        starts = np.cumsum(rounds.cuts(padded))[:-1]
        parts = [self._refined(session, part, knobs, rng) for part in np.split(padded, starts)]
        return np.concatenate(parts)[: len(mel) * self.facts.hop_length]

    def _synthesised(
        self, session: Session, fields: Mapping[str, np.ndarray], random: Random
    ) -> np.ndarray:
        """Return audio (S,) of harmonics and noise."""
        hop, frames = self.facts.hop_length, len(fields["mel"])
        turns = np.zeros((frames, self.facts.n_fft // 2 + 1), np.float32)
        turns[:, :hop] = random.uniform(frames * hop).reshape(frames, hop)
        inputs = {name: fields[name] for name in session.graph.inputs if name != "turns"}
        kinds = {"voiced": bool}
        made = session(
            {
                "turns": turns[None],
                **{
                    name: np.asarray(value, kinds.get(name, np.float32))[None]
                    for name, value in inputs.items()
                },
            }
        )
        audio: np.ndarray = made["audio"][0]
        return audio

    def _chunks(self, session: Session, mel: np.ndarray) -> Iterator[np.ndarray]:
        """Yield audio by chunks, each computed with the frames that it depends on."""
        graph, hop = session.graph, self.facts.hop_length
        for start in range(0, len(mel), graph.chunk):
            stop, first = min(start + graph.chunk, len(mel)), max(0, start - graph.reach)
            audio = session({"mel": mel[None, first : stop + graph.reach]})["audio"][0]
            yield audio[(start - first) * hop : (stop - first) * hop]

    def _refined(
        self, session: Session, mel: np.ndarray, knobs: Numbers, rng: np.random.Generator
    ) -> np.ndarray:
        """Return audio (S,) of a mel (T, M) by rounds of Griffin-Lim."""
        facts, source = self.facts, "white" in session.graph.inputs
        grid = facts.sample_rate, facts.n_fft, facts.hop_length, facts.n_mels
        settings = MelSettings(*grid, facts.fmin, facts.fmax)
        inputs = {"mel": mel}
        if source:
            f0, voiced = melpitch.pitch(mel, settings)
            white = rng.standard_normal(len(mel) * facts.hop_length, np.float32)
            inputs |= {"f0": melpitch.line(f0, voiced), "voiced": voiced, "white": white}
        else:
            inputs["turns"] = rng.random((len(mel), facts.n_fft // 2 + 1), np.float32)
        made = session({name: value[None] for name, value in inputs.items()})
        start = {name: value[0] for name, value in made.items()}
        return rounds.refined(
            start["bands"],
            filters(settings, continued=source),
            start["magnitude"],
            start["real"] + 1j * start["imaginary"],
            (facts.n_fft, facts.hop_length),
            int(knobs["rounds"]),
            knobs["momentum"],
        )


def threads() -> int:
    """Return how many threads compute: as many as the environment says, which `limited` sets."""
    named = os.environ.get("OMP_NUM_THREADS", "")
    return int(named) if named.isdigit() and int(named) else 1
