"""The graphs of a voice, opened by onnxruntime.

A graph is kept without the weights that the voice has anyway: those of the voice that comes with
ttskit are beside it, those of others in the user's cache, under the digest of the voice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.artifacts import atomic
from ttskit.dsp import engines
from ttskit.errors import TtskitError
from ttskit.voices import embedded
from ttskit.voices.graphs import FILE, VERSION, Graph, described, graph_of
from ttskit.voices.join import JUDGES

if TYPE_CHECKING:
    from ttskit.voices.model import Model
    from ttskit.voices.voice import VoiceFile

PREFIX = "module."  # of a weight's name in a graph
EXTRA = "needs the extra onnx: pip install 'ttskit[onnx]'"


@dataclass(frozen=True)
class Session:
    """A graph that runs."""

    graph: Graph
    session: Any

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of the graph by name."""
        return dict(zip(self.graph.outputs, self.session.run(None, dict(inputs)), strict=True))


def sessions(voice: VoiceFile, threads: int) -> list[Session]:
    """Return the graphs of a voice, ready to run, in the order of its chain."""
    try:
        onnxruntime = engines.onnxruntime()
    except ImportError as error:
        raise TtskitError(f"--engine onnx {EXTRA}") from error
    folder = _folder(voice)
    opened = []
    for entry in json.loads((folder / FILE).read_text(encoding="utf-8"))["chain"]:
        graph, options = graph_of(entry), onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        weights = _weights(voice.models[graph.role], entry["weights"])
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(one) for one in weights.values()]
        options.add_external_initializers([*weights], values)
        content = (folder / graph.file).read_bytes()
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        opened.append(Session(graph, session))
    return opened


def _weights(model: Model, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return weights of a model by their names in its graph."""
    columns = {name: model.container.map(f"weights/{name}") for name in names}
    return {PREFIX + name: np.array(one, np.float32, order="C") for name, one in columns.items()}


def _folder(voice: VoiceFile) -> Path:
    """Return the folder that has the graphs of a voice; they are made if there is none yet."""
    name = f"{voice.container.digest[:16]}-{VERSION}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = embedded.FOLDER / "onnx" / name, cache / "ttskit" / "onnx" / name
    for place in places:
        if (place / FILE).is_file():
            return place
    write(voice, places[-1])
    return places[-1]


def write(voice: VoiceFile, folder: Path) -> None:
    """Convert the models of a voice into a folder, without the weights that it has."""
    from ttskit import progress

    try:
        from ttskit.voices.conversion import converted, stripped
    except ImportError as error:
        raise TtskitError(f"{voice.container.name}: to convert it {EXTRA}") from error
    progress.note(f"{voice.container.name}: converting it for onnxruntime, once")
    folder.mkdir(parents=True, exist_ok=True)
    graphs, weights, known = list[Graph](), list[list[str]](), set[str]()
    for role, model in voice.models.items():
        if role in JUDGES:
            continue
        one = converted(model, whole=False, known=known)
        known |= {*model.makes}
        weights.append(stripped(one.proto, model.weights(), PREFIX))
        graphs.append(one.graph)
        with atomic.replacing(folder / one.graph.file) as unfinished:
            unfinished.write_bytes(one.proto.SerializeToString())
    description = described(voice, graphs)
    chain = description.pop("chain")
    listed = [{**entry, "weights": names} for entry, names in zip(chain, weights, strict=True)]
    content = json.dumps({"format": description["format"], "version": VERSION, "chain": listed})
    atomic.write_text(folder / FILE, content)
