"""Models as ONNX graphs: what each takes and makes, and how a chain of them is described as JSON.

Shapes: N tokens, T frames, M mel bands, S samples.  A graph speaks one utterance; its first axis
is 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ttskit.voices.voice import VoiceFile

FILE = "voice.json"
VERSION = 1


@dataclass(frozen=True)
class Graph:
    """One model of a chain as a graph, and what a program has to know to run it.

    Attributes
    ----------
    role, family : of the model
    takes, makes : fields, as the model has them
    inputs, outputs : of the graph.  `frame` counts the frames from 0, a multiple of `step` of
        them; `noise` is random, already scaled; `speaker_mix` has the weight of each speaker
    knobs : numbers that the model can be steered by, with their defaults
    step : frames that are joined
    chunk, reach : a vocoder's frames at once, and those on either side that it depends on; 0 where
        an utterance is made as a whole
    """

    role: str
    family: str
    takes: tuple[str, ...]
    makes: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    knobs: Mapping[str, float] = field(default_factory=dict)
    step: int = 1
    chunk: int = 0
    reach: int = 0

    @property
    def file(self) -> str:
        """The name of its file in a folder."""
        return f"{self.role}.onnx"


def graph_of(entry: Mapping[str, Any]) -> Graph:
    """Return a graph as JSON has it."""
    lists: dict[str, Any] = {
        name: tuple(entry[name]) for name in ("takes", "makes", "inputs", "outputs")
    }
    rest = {name: entry[name] for name in ("role", "family", "knobs", "step", "chunk", "reach")}
    return Graph(**rest, **lists)


def described(voice: VoiceFile, graphs: Sequence[Graph]) -> dict[str, Any]:
    """Return all of a voice but its weights, as JSON can hold it."""
    facts, settings = voice.reader.facts, voice.settings
    noise = settings.noise_scale
    own = [graph.knobs["noise_scale"] for graph in graphs if "noise_scale" in graph.knobs]
    return {
        "format": "ttskit-onnx",
        "version": VERSION,
        "name": voice.container.attributes.get("name", ""),
        "digest": voice.container.digest,
        "language": voice.language,
        **{name: getattr(facts, name) for name in ("sample_rate", "hop_length", "n_mels")},
        "step": max(graph.step for graph in graphs),
        "bins": facts.n_fft // 2 + 1,
        "symbols": list(facts.symbols),
        "speakers": list(facts.speakers),
        "noise_scale": noise if noise is not None else max(own, default=0.0),
        "pitch_range": settings.pitch_range,
        "chain": [{**asdict(graph), "file": graph.file} for graph in graphs],
    }
