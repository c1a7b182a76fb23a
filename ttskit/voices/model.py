"""Models as artifacts: weights, config and everything that is needed to use them, in one file.

/               attrs  role  family  config (TOML)  parameters  steps  sample_rate ...
                of a coder also stride  books  size  codec (the digest of the model); of a decoder
                of its latents also latents (their channels)  coder (its digest)
/weights/NAME   one column a tensor
/symbols        what tokens stand for; /silent which of them may last no frame; /heard how many
                tokens of each there were to train on
/speakers       by number
/validation     ids of the utterances that it was not trained on
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.artifacts import hdf5, origins, sealing
from ttskit.artifacts.record import unfit_attribute
from ttskit.errors import ArtifactError, TtskitError, UsageError, at
from ttskit.settings import parsed
from ttskit.text.languages import resolve
from ttskit.text.symbols import language_of
from ttskit.voices import embedded

if TYPE_CHECKING:
    from torch import Tensor

    from ttskit.models.family import Family
    from ttskit.networks.batch import Batch
    from ttskit.networks.facts import Facts

MODEL, VOICE = "model", "voice"  # kinds of artifact
GRID = ("sample_rate", "hop_length", "n_fft", "n_mels", "fmin", "fmax")
CODES = ("stride", "books", "size")  # of the codes that a coder makes
LATENTS = ("latents", "coder")  # of a decoder of latents: their channels, the digest of their coder
TEXTS = ("role", "family", "config")
FLOATS = ("<f2", "<f4", "<f8")  # dtypes of weights that are not counts
SPARE = 1 << 24  # numbers that a model may have besides its weights: windows, filters and the like


@dataclass(frozen=True)
class Model:
    """A model on disk; called with fields it makes others, and `module` is what torch trains.

    >>> vocoder = read_model(embedded.find("kathleen"), role="vocoder")
    >>> vocoder.takes, vocoder.makes
    (('mel',), ('audio',))
    """

    container: hdf5.Container
    facts: Facts

    def __call__(
        self, *, seed: int = 0, knobs: Mapping[str, float] | None = None, **fields: Any
    ) -> dict[str, np.ndarray]:
        """Return what it makes of the fields of one utterance, by name.

        Parameters
        ----------
        seed : int
            Random seed.
        knobs : mapping, optional
            Numbers that steer it, such as `{"noise_scale": 0.5}`.
        fields : arrays
            Those that `takes` names, and any others that it can use, such as `speaker`, a number.
        """
        import torch

        from ttskit.networks.batch import collate

        family, config = self.shape
        missing = [name for name in family.takes(config) if name not in fields]
        unknown = [name for name in knobs or {} if name not in family.knobs]
        if missing:
            raise TtskitError(f"lacks {', '.join(missing)}", file=self.name)
        if unknown:
            there = ", ".join(family.knobs) or "none"
            raise TtskitError(f"has no knob {unknown[0]}; there is {there}", file=self.name)
        if "speaker" in family.needs(config):
            fields = {"speaker": 0, **fields}
        with torch.inference_mode():
            batch = collate(["utterance"], [fields], stepped=True)
            return generated(self._loaded, batch, fields, seed, knobs or {})

    @property
    def name(self) -> str:
        return self.container.name

    @property
    def role(self) -> str:
        return str(self.container.attributes["role"])

    @property
    def family(self) -> str:
        return str(self.container.attributes["family"])

    @property
    def digest(self) -> str:
        """The digest of its file, even where it is now a part of a voice."""
        return str(self.container.attributes.get("digest", self.container.digest))

    @property
    def language(self) -> str:
        """The language of its tokens; "" if it takes none, or those of several languages."""
        return language_of(self.facts.symbols)

    def spoken_in(self, named: str | None) -> str:
        """Return the language to spell in: its own, which the one that is named must be."""
        if named is None:
            return self.language or "en-us"
        wanted = resolve(named)
        if self.language and wanted != self.language:
            raise UsageError(
                f"--language {named}: {self.name} was trained on {self.language}; "
                "leave --language out"
            )
        return wanted

    @property
    def config(self) -> dict[str, Any]:
        """The keys of the family and, in the table `training`, those of the trainer."""
        return parsed(str(self.container.attributes["config"]))

    def table(self, name: str) -> list[str]:
        """Return a list of strings; an absent one is empty."""
        return self.container.strings(name)

    def weights(self) -> dict[str, Tensor]:
        """Return all tensors by name, in float32 where they are stored in less."""
        return tensors(self.container, "weights")

    def check_grid(self, name: str, attributes: Mapping[str, hdf5.Value]) -> None:
        """Refuse an artifact whose sample rate or mel is another than the model's."""
        for key in GRID:
            wanted, value = getattr(self.facts, key), attributes.get(key)
            if value not in (None, wanted):
                verb = "corpus" if key == "sample_rate" else "features"
                raise ArtifactError(
                    f"{name}: has {key} {value}, {self.name} was trained with {wanted}: make what "
                    f"it comes from with `ttskit {verb} --{key.replace('_', '-')} {wanted:g}`"
                )

    def speaker(self, own: str) -> str:
        """Return which of its speakers a recording's own one is, or the only one."""
        known = self.facts.speakers
        if own in known:
            return own
        if own and len(known) > 1:
            raise TtskitError(
                f"its speaker {own!r} is none of {self.name}, which knows {', '.join(known)}"
            )
        return known[0]

    @cached_property
    def shape(self) -> tuple[type[Family], Any]:
        """The family, and the config as the family knows it."""
        from ttskit.models import find
        from ttskit.settings import changed

        kind = find(self.family, self.role)
        settings = {name: value for name, value in self.config.items() if name != "training"}
        return kind, changed(kind.Config(), settings, self.name)

    @property
    def takes(self) -> tuple[str, ...]:
        """The fields that it cannot do without."""
        family, config = self.shape
        return family.takes(config)

    @property
    def makes(self) -> tuple[str, ...]:
        """The fields that it makes."""
        family, config = self.shape
        return family.makes(config)

    @cached_property
    def _loaded(self) -> Family:
        module = self.module()
        module.fold()
        return module

    def module(self, device: str = "cpu") -> Family:
        """Return the model itself, ready to generate."""
        check_device(device)
        module = self._untrained()
        module.load_state_dict(self.weights(), strict=False, assign=True)
        return module.to(device).eval().requires_grad_(False)

    def _untrained(self) -> Family:
        """Return the model that its config describes, if the weights in the file are its own.

        Nothing is made that is much larger than they are, and none of them is read.
        """
        from ttskit.networks.uninitialised import TooLargeError, Uninitialised

        stored = columns_below(self.container, "weights")
        numbers = sum(prod(column.shape) for column in stored.values())
        kind, config = self.shape
        try:
            with at(self.name), Uninitialised((4 * len(stored) + 100, 2 * numbers + SPARE)):
                module = kind(config, self.facts)
        except (TooLargeError, RuntimeError, MemoryError) as error:
            raise ArtifactError(
                f"its config describes another model than its {numbers:,} weights are of",
                file=self.name,
            ) from error
        wanted = {
            name: (tuple(value.shape), dtype_of(value.cpu().numpy().dtype))
            for name, value in module.kept().items()
        }
        found = {
            name: (() if scalar(column) else column.shape, dtype_of(column.dtype))
            for name, column in stored.items()
        }
        for names, what in (
            (wanted.keys() - found.keys(), "lacks the weights"),
            (found.keys() - wanted.keys(), "has weights that its family does not know:"),
            ({n for n in wanted if n in found and wanted[n] != found[n]},
             "has weights of another shape or dtype than its config says:"),
        ):  # fmt: skip
            if names:
                shown = ", ".join(sorted(names)[:5]) + (" ..." if len(names) > 5 else "")
                raise ArtifactError(f"{self.name}: {what} {shown}")
        return module


def generated(
    module: Family,
    batch: Batch,
    fields: Mapping[str, np.ndarray],
    seed: int,
    knobs: Mapping[str, float],
) -> dict[str, np.ndarray]:
    """Return what a model makes of a batch of one utterance, without the padding.

    `fields` are those of the utterance: they say how many tokens and frames it has.
    """
    import torch

    from ttskit.networks.batch import axis_of

    outputs = module.generate(batch, torch.Generator().manual_seed(seed), **knobs)
    lengths = {"token": len(fields["tokens"])} if "tokens" in fields else {}
    if "frames" in fields:
        lengths["frame"] = int(fields["frames"])
    elif "durations" in fields:
        lengths["frame"] = int(fields["durations"].sum())
    return {
        name: value[0].cpu().numpy()[: lengths.get(axis_of(name))]
        for name, value in outputs.items()
    }


def grid(attributes: Mapping[str, hdf5.Value]) -> dict[str, Any]:
    """Return what attributes say of the grid, in the types of `Facts`."""
    from ttskit.networks.facts import Facts

    return {key: type(getattr(Facts, key))(attributes[key]) for key in GRID if key in attributes}


def check_device(device: str) -> None:
    """Refuse a device that is not there."""
    if device == "cpu":
        return
    import torch

    try:
        kind, index = torch.device(device).type, torch.device(device).index or 0
    except RuntimeError:
        kind, index = "", 0
    if kind != "cpu" and not (kind == "cuda" and index < torch.cuda.device_count()):
        raise TtskitError(f"--device {device}: there is no such device here; cpu is")


def read_model(path: Path, name: str = "", role: str | None = None) -> Model:
    """Open a model and check that its bytes are those written; `role` is what it must be.

    A voice, by its file or the name of an embedded one, stands for its model of the role.
    """
    if not path.exists() and (known := embedded.voices().get(str(path))):
        path = known
    container = hdf5.open_container(path, name)
    model = model_of(part(container, role) if role and container.kind == VOICE else container, role)
    container.check()
    return model


def model_of(container: hdf5.Container, role: str | None = None) -> Model:
    """Return the model that a container holds; `role` is what it must be."""
    from ttskit.networks.facts import Facts

    name = container.name
    if container.kind != MODEL:
        raise ArtifactError(f"{name}: {origins.needed(container.kind, [MODEL])}")
    attributes = container.attributes
    for key in TEXTS:
        if not isinstance(attributes.get(key), str):
            raise ArtifactError(f"{name}: lacks the attribute {key}")
    for key in GRID:
        if complaint := unfit_attribute(key, attributes.get(key)):
            raise ArtifactError(f"{name}: {complaint}")
    if role and attributes["role"] != role:
        raise ArtifactError(
            f"{name}: is a model for the role {attributes['role']}, needs {role}: the output of "
            f"`ttskit train {role}`"
        )
    try:
        parsed(str(attributes["config"]))
    except ValueError as error:
        raise ArtifactError(f"{name}: its config is not TOML: it is damaged") from error
    symbols = tuple(container.strings("symbols"))
    silent = container.map("silent") if "silent" in container.columns else np.zeros(0, bool)
    heard = container.map("heard") if "heard" in container.columns else np.zeros(0, int)
    for notes in (silent, heard) if len(heard) else (silent,):
        if notes.shape != (len(symbols),):
            raise ArtifactError(f"{name}: has {len(symbols)} symbols, {len(notes)} notes on them")
    facts = Facts(
        symbols=symbols,
        silent=tuple(bool(one) for one in silent),
        heard=tuple(map(int, heard)),
        speakers=tuple(container.strings("speakers")) or ("",),
        **grid(attributes),
        **_codes(name, attributes),
    )
    return Model(container, facts)


def part(container: hdf5.Container, role: str) -> hdf5.Container:
    """Return one model of a voice, as if it were alone in its file."""

    def inside(items: Mapping[str, Any], mark: str) -> dict[str, Any]:
        start = role + mark
        return {k.removeprefix(start): v for k, v in items.items() if k.startswith(start)}

    roles = str(container.attributes.get("chain", "")).split()
    if roles and role not in roles:
        raise ArtifactError(
            f"{container.name}: is a voice without {role}; it has {', '.join(roles)}"
        )
    return replace(
        container,
        name=f"{container.name}: {role}",
        kind=MODEL,
        attributes=inside(container.attributes, "."),
        columns=inside(container.columns, "/"),
    )


def _codes(name: str, attributes: Mapping[str, hdf5.Value]) -> dict[str, Any]:
    """Return what attributes say of the codes that a model makes."""
    if "codec" not in attributes:
        return {}
    for key in CODES:
        if complaint := unfit_attribute(key, attributes.get(key)):
            raise ArtifactError(f"{name}: {complaint}")
    facts: dict[str, Any] = {key: int(attributes[key]) for key in CODES}
    facts["codec"] = str(attributes["codec"])
    if "coder" in attributes:
        if complaint := unfit_attribute("latents", attributes.get("latents")):
            raise ArtifactError(f"{name}: {complaint}")
        facts |= {"latents": int(attributes["latents"]), "coder": str(attributes["coder"])}
    return facts


def write_model(
    path: Path,
    module: Family,
    weights: Mapping[str, Tensor],
    config: str,
    provenance: Mapping[str, Any],
    *,
    steps: int = 0,
    validation: Sequence[str] = (),
    loss: float | None = None,
) -> None:
    """Write a model as an artifact; `weights` may be other than its own, say averaged ones.

    `loss` is that on the utterances of `validation`.
    """
    facts = module.facts
    attributes: dict[str, hdf5.Value] = {
        "role": module.role,
        "family": type(module).__module__.rsplit(".", 1)[-1],
        "config": config,
        "parameters": sum(p.numel() for n, p in module.named_parameters() if n in weights),
        "steps": steps,
        **({} if loss is None else {"validation_loss": loss}),
        **{key: getattr(facts, key) for key in GRID},
        **({key: getattr(facts, key) for key in (*CODES, "codec")} if facts.codec else {}),
        **({key: getattr(facts, key) for key in LATENTS} if facts.coder else {}),
    }
    if language := language_of(facts.symbols):
        attributes["language"] = language  # for those who look: it follows from the symbols
    sources = [
        *texts("symbols", facts.symbols),
        sealing.Source.of("silent", np.array(facts.silent, bool), "symbols"),
        *([sealing.Source.of("heard", np.array(facts.heard), "symbols")] if facts.heard else []),
        *texts("speakers", facts.speakers),
        *texts("validation", validation),
        *tree("weights", weights),
    ]
    sealing.seal(path, MODEL, attributes, provenance, sources)


def tree(prefix: str, values: Mapping[str, Tensor]) -> Iterator[sealing.Source]:
    """Yield tensors as columns of a group; a number without axes becomes one of length 1."""
    for name, value in values.items():
        array = value.detach().cpu().contiguous().numpy()
        axes = "" if array.ndim else "scalar"
        yield sealing.Source.of(f"{prefix}/{name}", np.atleast_1d(array), axes)


def tensors(container: hdf5.Container, prefix: str) -> dict[str, Tensor]:
    """Return what `tree` wrote."""
    import torch

    values_by_name = {}
    for name, column in columns_below(container, prefix).items():
        value = torch.from_numpy(np.array(container.map(f"{prefix}/{name}")))
        value = value.float() if value.dtype == torch.float16 else value
        values_by_name[name] = value[0] if scalar(column) else value
    return values_by_name


def dtype_of(stored: np.dtype[Any]) -> str:
    """Return the dtype of a weight; floats of any width stand for each other."""
    return "float" if stored.str in FLOATS else stored.str


def scalar(column: hdf5.Column) -> bool:
    """Return whether a column is a tensor without axes."""
    return column.notes.get("axes") == "scalar" and column.shape == (1,)


def columns_below(container: hdf5.Container, group: str) -> dict[str, hdf5.Column]:
    """Return the columns of a group by their names within it."""
    start = group + "/"
    columns = container.columns.items()
    return {name.removeprefix(start): column for name, column in columns if name.startswith(start)}


def texts(name: str, listed: Sequence[str]) -> Iterator[sealing.Source]:
    """Yield a list of strings as a column; an empty one has none."""
    if listed:
        yield sealing.Source.of(name, hdf5.encoded(listed), name)
