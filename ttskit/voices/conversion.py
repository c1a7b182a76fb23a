"""Models converted to ONNX.

torch exports what a family computes for one utterance without padding.  What is left to the
program that runs a graph: random numbers, the rounding of durations, and rounds of Griffin-Lim.

Shapes: N tokens, T frames, M mel bands, F frequency bins, C candidates, S samples.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ttskit.errors import TtskitError
from ttskit.models.ddsp import Ddsp
from ttskit.models.family import Family
from ttskit.models.glow import Glow
from ttskit.models.vocoder import Convolutional, Weightless, mel_settings
from ttskit.networks.batch import Batch
from ttskit.networks.starts import STARTS
from ttskit.voices.graphs import Graph
from ttskit.voices.rendering import Rendering, refusal

if TYPE_CHECKING:
    import onnx

    from ttskit.dsp.widening import Widening
    from ttskit.voices.model import Model

OPSET = 20
TOKENS, FRAMES = 12, 60  # of the utterance that is traced
FIXED = ("speaker_mix", "length_scale")  # inputs that are as long for every utterance
LEAST = 3  # frames or steps of them that a graph can do with
BY_TOKEN = ("tokens", "durations", "pitch", "loudness_token")
BY_FRAME = ("mel", "f0", "voiced", "turns")
SPOKEN = ("plain", "film", "feedforward", "glow")  # families that read tokens
CAN = (*SPOKEN, "istft", "hifigan", "bigvgan", "ddsp", *STARTS)
OTHER = "its codes are not made frame by frame"
CANNOT = {  # family -> why
    "diffusion": "the number of its steps is chosen as it speaks",
    "ddn": "it draws its choices as it goes",
    "autoregressive": "it goes on until it decides to stop",
    "mamba": "it fills in its codes over several passes",
    "shaped": "its source and its rounds are of chunks that depend on each other",
}


@dataclass(frozen=True)
class Converted:
    """A graph, and its content as ONNX."""

    graph: Graph
    proto: onnx.ModelProto


def converted(
    model: Model,
    whole: bool = True,
    widening: Widening | None = None,
    known: Collection[str] = (),
) -> Converted:
    """Return the graph of a model, with its weights.

    Parameters
    ----------
    model : Model
    whole : bool
        A graph that is not leaves to the program what numpy does faster: durations are not
        rounded, mels not widened, and vocoders take the pitch that they begin with.
    widening : Widening, optional
        Of its mels, where it makes some.
    known : names of fields
        What models before it make.
    """
    module = model.module()
    unfolded(module)
    network, graph = traceable(model, module, whole, known)
    if whole and isinstance(network, Spoken):
        network, graph = finished(network, graph, model.facts.silent, widening)
    proto = _export(network, graph, _example(graph, module))
    for node in _nodes(proto.graph):
        node.ClearField("metadata_props")  # the lines of code that it comes from
        node.ClearField("doc_string")
    proto.graph.ClearField("value_info")
    proto.ClearField("metadata_props")
    return Converted(graph, proto)


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of a graph, and of the graphs within them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from _nodes(attribute.g)


def unfolded(module: Family) -> None:
    """Compute what the weights of a model are computed from, so that a graph has them alone."""
    if isinstance(module, Glow):
        module.flow.fold()
    for part in [*module.modules()]:
        if parametrize.is_parametrized(part, "weight"):
            parametrize.remove_parametrizations(part, "weight")


def traceable(
    model: Model, module: Family, whole: bool, known: Collection[str] = ()
) -> tuple[nn.Module, Graph]:
    """Return what computes a model from plain tensors, and its graph."""
    own = Graph(model.role, model.family, model.takes, model.makes, knobs=dict(module.knobs))
    if isinstance(module, Convolutional):
        own = replace(own, chunk=module.chunk, reach=module.reach)
        return Plain(module), replace(own, inputs=("mel",), outputs=model.makes)
    if isinstance(module, Ddsp):
        if why := refusal(module):
            raise _refused(model, why)
        own = replace(own, inputs=_of_frames(model, module, known), outputs=model.makes)
        return Rendering(module, own.inputs), own
    if isinstance(module, Weightless):
        start = STARTS[model.family][whole](mel_settings(model.facts))
        return start, replace(own, inputs=start.inputs, outputs=start.outputs)
    _check(model, module)
    inputs, step = _inputs(model, module), module.step(module.config)
    graph = replace(own, step=step, inputs=inputs, outputs=model.makes)
    return Spoken(module, inputs, model.makes), graph


def finished(
    network: Spoken, graph: Graph, silent: Sequence[bool], widening: Widening | None
) -> tuple[nn.Module, Graph]:
    """Return a network that also rounds its durations or widens its mels, and its graph."""
    if "durations" in graph.outputs:
        graph = replace(graph, inputs=(*graph.inputs, "length_scale"))
        return Rounded(network, silent), graph
    if "mel" in graph.outputs and widening is not None:
        return Widened(network, widening), graph
    return network, graph


def _check(model: Model, module: Family) -> None:
    """Refuse a model that no graph can stand for."""
    turns = model.family in SPOKEN and getattr(module.config, "predict_durations", False)
    if turns or model.family not in SPOKEN:
        why = "it makes durations and mel in turns" if turns else CANNOT.get(model.family, OTHER)
        raise _refused(model, why)
    if "tokens" not in model.takes:
        raise _refused(model, f"it takes {', '.join(model.takes)} in place of a text")


def _refused(model: Model, why: str) -> TtskitError:
    return TtskitError(
        f"{model.name}: the family {model.family} cannot be converted to ONNX: {why}; what can: "
        f"{', '.join(CAN)}"
    )


def _of_frames(model: Model, module: Ddsp, known: Collection[str]) -> tuple[str, ...]:
    """Return the inputs of a synthesiser: what it takes, and of what it would guess, the known."""
    guessed = (name for name in module.config.guessed() if name in known)
    inputs = tuple(dict.fromkeys([*model.takes, *guessed]))
    if others := [name for name in inputs if name not in BY_FRAME]:
        raise _refused(model, f"no graph takes {others[0]}")
    return (*inputs, "turns")


def _inputs(model: Model, module: Family) -> tuple[str, ...]:
    """Return the inputs of a model that reads tokens."""
    several = len(model.facts.speakers) > 1
    mixed = several and "speaker" in type(module).needs(module.config)
    return (
        *model.takes,
        *(("frame",) if "durations" in model.takes else ()),
        *(("speaker_mix",) if mixed else ()),
        *(("noise",) if "noise_scale" in module.knobs else ()),
    )


class Alone(Batch):
    """One utterance without padding, whose lengths are those of its tensors."""

    def mask(self, axis: str) -> Tensor:
        return torch.ones_like(self["tokens" if axis == "token" else axis], dtype=torch.bool)

    def longest(self, lengths: Tensor) -> int:  # noqa: ARG002
        return self["frame"].shape[0]


class Spoken(nn.Module):
    """A model that reads tokens."""

    def __init__(self, module: Family, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__()
        self.module, self.inputs, self.outputs = module, inputs, outputs

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Fields in the order of the inputs -> those of the outputs."""
        fields = dict(zip(self.inputs, values, strict=True))
        count = torch.full((1,), fields["tokens"].shape[1])
        fields["speaker"] = torch.zeros(1, dtype=torch.long)
        made = self.module.generate(Alone(("",), fields, {"token": count}))
        return tuple(made[name] for name in self.outputs)


class Rounded(nn.Module):
    """A duration model whose durations are whole frames, rounded as by `dsp.rounding`."""

    least: Tensor

    def __init__(self, network: Spoken, silent: Sequence[bool]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("least", 1 - torch.tensor(silent, dtype=torch.double))

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Fields in the order of the inputs, and the length scale (1,) -> those of the outputs."""
        *fields, length_scale = values
        made = dict(zip(self.network.outputs, self.network(*fields), strict=True))
        least = self.least[fields[self.network.inputs.index("tokens")][0]]
        scaled = made["durations"][0].double() * length_scale
        made["durations"] = rounded(scaled, least)[None]
        return tuple(made.values())


def rounded(durations: Tensor, least: Tensor) -> Tensor:
    """Return durations (N,) in whole frames, each at least so many."""
    needed, spare = least.cumsum(0), (durations - least).cumsum(0)
    place = torch.arange(durations.shape[0])
    above = torch.where(place <= place[:, None], spare, -torch.inf).amax(1)
    below = torch.where(place >= place[:, None], spare, torch.inf).amin(1)
    most = ((durations.sum() + 0.5).floor() - needed[-1:]).clamp(min=0)  # (1,)
    rising = (((above + below) / 2).clamp(min=0).minimum(most) + 0.5).floor()
    ends = torch.cat([rising[:-1], most]) + needed
    return torch.cat([ends[:1], ends[1:] - ends[:-1]]).long()


class Widened(nn.Module):
    """A decoder whose mels are widened."""

    mean: Tensor
    change: Tensor

    def __init__(self, network: Spoken, widening: Widening) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.from_numpy(widening.mean))
        self.register_buffer("change", torch.from_numpy(widening.change.astype(np.float32)))

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Fields in the order of the inputs -> those of the outputs."""
        made = dict(zip(self.network.outputs, self.network(*values), strict=True))
        made["mel"] = self.mean + (made["mel"] - self.mean) @ self.change
        return tuple(made.values())


class Plain(nn.Module):
    """A convolutional vocoder, mel (1, T, M) to audio (1, S)."""

    def __init__(self, module: Convolutional) -> None:
        super().__init__()
        self.module = module

    def forward(self, mel: Tensor) -> Tensor:
        audio: Tensor = self.module(mel)
        return audio


def _example(graph: Graph, module: Family) -> dict[str, Tensor]:
    """Return inputs to trace a graph by."""
    facts = module.facts
    example = {
        "tokens": torch.zeros(1, TOKENS, dtype=torch.long),
        "durations": torch.full((1, TOKENS), FRAMES // TOKENS),
        "pitch": torch.zeros(1, TOKENS),
        "loudness_token": torch.zeros(1, TOKENS),
        "speaker_mix": torch.full((1, len(facts.speakers)), 1 / len(facts.speakers)),
        "length_scale": torch.ones(1),
        "frame": torch.arange(FRAMES),
        "noise": torch.zeros(1, facts.n_mels, FRAMES),
        "mel": torch.zeros(1, FRAMES, facts.n_mels),
        "f0": torch.full((1, FRAMES), 100.0),
        "voiced": torch.ones(1, FRAMES, dtype=torch.bool),
        "turns": torch.zeros(1, FRAMES, facts.n_fft // 2 + 1),
        "white": torch.ones(1, FRAMES * facts.hop_length),
    }
    return {name: example[name] for name in graph.inputs}


def _export(network: nn.Module, graph: Graph, example: Mapping[str, Tensor]) -> onnx.ModelProto:
    """Return a network as ONNX, for utterances of any length."""
    with warnings.catch_warnings(), quietly(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network.eval(),
            tuple(example.values()),
            input_names=[*graph.inputs],
            output_names=[*graph.outputs],
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=_dynamic(network, graph, example),
            custom_translation_table={torch.ops.aten.searchsorted.Tensor: _searchsorted},
            verbose=False,
        )
    assert program is not None
    for port in program.model_proto.graph.input:  # the exporter might have taken the example's
        sizes = [one.dim_value for one in port.type.tensor_type.shape.dim]
        assert 0 in sizes or port.name in FIXED, f"{port.name} has fixed lengths: {sizes}"
    return program.model_proto


def _dynamic(network: nn.Module, graph: Graph, example: Mapping[str, Tensor]) -> Any:
    """Return which axes of the inputs have any length, as torch.export wants to know it."""
    from torch.export import Dim

    tokens, steps = Dim("tokens", min=2, max=1 << 16), Dim("steps", min=LEAST, max=1 << 24)
    frames = graph.step * steps if graph.step > 1 else steps
    axes: dict[str, dict[int, Any]] = {name: {1: tokens} for name in BY_TOKEN}
    axes |= {name: {1: frames} for name in BY_FRAME}
    axes |= {"frame": {0: frames}, "noise": {2: frames}, "speaker_mix": {}, "length_scale": {}}
    if "white" in example:
        axes["white"] = {1: example["white"].shape[1] // FRAMES * frames}
    shapes = tuple(axes[name] for name in graph.inputs)
    return (shapes,) if isinstance(network, Spoken | Rounded | Widened | Rendering) else shapes


def _searchsorted(
    ends: Any, at: Any, out_int32: bool = False, right: bool = False, **_: Any
) -> Any:
    """Count for each place how many of the ends (1, N) are at or before it: ONNX has no search."""
    from onnxscript import opset20

    op: Any = opset20
    assert right
    assert not out_int32
    before = op.LessOrEqual(op.Unsqueeze(ends, [1]), op.Unsqueeze(at, [2]))
    return op.ReduceSum(op.Cast(before, to=7), [2], keepdims=0)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the exporter from telling its steps."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def stripped(proto: onnx.ModelProto, weights: Mapping[str, Tensor], prefix: str) -> list[str]:
    """Leave out of a graph those initial values that are weights, and return their names."""
    import onnx

    names = []
    for value in proto.graph.initializer:
        name = value.name.removeprefix(prefix)
        if not value.name.startswith(prefix) or name not in weights:
            continue
        own = torch.from_numpy(onnx.numpy_helper.to_array(value).copy())
        if own.dtype == torch.float32 and torch.equal(own, weights[name].float()):
            value.ClearField("raw_data")
            value.data_location = onnx.TensorProto.EXTERNAL
            value.external_data.add(key="location", value="voice")
            names.append(name)
    return names
