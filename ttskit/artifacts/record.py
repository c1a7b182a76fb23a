"""Records: one utterance as a dataclass with typed arrays, checked when it is created.

A kind is a frozen dataclass derived from `Record`, whose fields declare their axes, dtype and unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from ttskit.artifacts.ids import unfit_id
from ttskit.errors import ArtifactError, at

# least and most of the attributes of kinds and models: what is computed with grows with them
BOUNDS = {
    "sample_rate": (1, 768_000),
    "hop_length": (1, 1 << 16),
    "n_fft": (1, 1 << 16),
    "n_mels": (1, 1024),
    "fmin": (0, 384_000),
    "fmax": (0, 384_000),
    "stride": (1, 1 << 10),
    "size": (1, 1 << 16),
    "books": (1, 1 << 10),
    "latents": (1, 1 << 14),
}
FRACTIONAL = ("fmin", "fmax")
RAGGED = ("sample", "frame", "token", "word", "code", "take")


def array(
    axes: str,
    dtype: str,
    unit: str = "",
    *,
    optional: bool = False,
    least: float | None = None,
    most: float | None = None,
    unknown: bool = False,
    below: str = "",
    fills: str = "",
) -> Any:
    """Declare a field of a record by the names of its axes, outermost first, and its dtype.

    An axis that is a number has that length; one of `RAGGED` differs between utterances; any
    other has one length in the whole artifact.  dtype "S" is text.  `verify` checks that values
    are from `least` to `most`; NaN is one of them only where a value may be `unknown`.  Integers
    with bounds are held to them whenever a file is opened: they index, and count.  So are values
    that must be `below` an attribute, the length of a table or of a ragged axis; and the values of
    an utterance that add up to its length on the axis that they `fill`, if the file has it.
    """
    metadata = {
        "axes": tuple(axes.split()),
        "dtype": np.dtype(dtype),
        "unit": unit,
        "optional": optional,
        "least": least,
        "most": most,
        "unknown": unknown,
        "below": below,
        "fills": fills,
    }
    return field(metadata=metadata, default=None) if optional else field(metadata=metadata)


def string(unit: str = "", *, optional: bool = False) -> Any:
    """Declare a field that is one text per utterance."""
    return array("", "S", unit, optional=optional)


@dataclass(frozen=True)
class Number:
    """A column of one float64 per utterance that a file declares itself; NaN is unknown."""

    unit: str
    least: float | None = None
    most: float | None = None

    @classmethod
    def read(cls, notes: Mapping[str, str]) -> Number:
        """Return the column that the attributes of a dataset declare."""
        bounds = {name: float(notes[name]) for name in ("least", "most") if name in notes}
        return cls(notes.get("unit", ""), **bounds)

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that are set, by name."""
        bounds = {"least": self.least, "most": self.most}
        return {name: float(bound) for name, bound in bounds.items() if bound is not None}

    def spec(self, name: str) -> Field[Any]:
        """Return the column as a field of a record."""
        spec: Field[Any] = array(
            "", "f8", self.unit, optional=True, unknown=True, least=self.least, most=self.most
        )
        spec.name = name
        return spec


@dataclass(frozen=True, eq=False, kw_only=True)
class Record:
    """One utterance: its id, speaker, text, and arrays that agree on axes of the same name."""

    attributes: ClassVar[Mapping[str, str]] = {}  # required of the kind: name -> unit
    tables: ClassVar[Mapping[str, str]] = {}  # lists of strings: name -> meaning
    together: ClassVar[Sequence[Sequence[str]]] = ()  # optional columns that a file has all or none

    id: str = string("unique, in order")
    speaker: str = string("who speaks; empty where unknown")
    text: str = string("what is said, as given")

    def __post_init__(self) -> None:
        if complaint := unfit_id(self.id):
            raise ArtifactError(complaint)
        lengths: dict[str, int] = {}
        with at(utterance=self.id):
            for spec in declared(type(self)):
                value = getattr(self, spec.name)
                if value is None and spec.metadata["optional"]:
                    continue
                value = _conform(spec, value)
                if isinstance(value, np.ndarray):
                    _agree(spec, value, lengths)
                object.__setattr__(self, spec.name, value)

    def columns(self) -> dict[str, Any]:
        """Return the value of each column."""
        return {spec.name: getattr(self, spec.name) for spec in declared(type(self))}

    @classmethod
    def kind(cls) -> str:
        return cls.__name__.lower()


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenRecord(Record):
    """A record of a kind whose files declare further columns: numbers, by name."""

    numbers: Mapping[str, float] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """Return the value of each column; numbers are float64."""
        numbers = {name: np.asarray(value, np.float64) for name, value in self.numbers.items()}
        return super().columns() | numbers


def unfit_attribute(name: str, value: Any) -> str:
    """Return why an attribute of the grid cannot have a value, or "" if it can."""
    least, most = BOUNDS[name]
    if isinstance(value, str | bool | None) or not least <= value <= most:
        return f"its {name} is {value!r}, needs a number from {least} to {most}"
    if name not in FRACTIONAL and value != int(value):
        return f"its {name} is {value!r}, needs a whole number"
    return ""


def _conform(spec: Field[Any], value: Any) -> Any:
    """Return `value` converted to the array or the text that `spec` declares."""
    axes, dtype = spec.metadata["axes"], spec.metadata["dtype"]
    if dtype.kind == "S":
        texts = [value] if not axes else list(value)
        for text in texts:
            if not isinstance(text, str) or "\0" in text:
                raise ArtifactError(f"{spec.name} holds {text!r:.80}, needs text without NUL")
        return value if not axes else np.array(texts, dtype=object)
    value = np.asarray(value)
    if value.ndim != len(axes) or not np.can_cast(value.dtype, dtype, "same_kind"):
        raise ArtifactError(
            f"{spec.name} is {value.dtype} {value.shape}, needs {dtype} ({', '.join(axes)})"
        )
    cast = value.astype(dtype, copy=False)
    if dtype.kind in "iu" and value.dtype != dtype and (changed := cast != value).any():
        raise ArtifactError(f"{spec.name} holds {value[changed][0]}, which no {dtype} is")
    return cast


def _agree(spec: Field[Any], value: np.ndarray, lengths: dict[str, int]) -> None:
    for axis, length in zip(spec.metadata["axes"], value.shape, strict=True):
        known = int(axis) if axis.isdigit() else lengths.setdefault(axis, length)
        if known != length:
            raise ArtifactError(f"{spec.name} has {length} {axis}s, other fields {known}")


def declared(kind: type[Record]) -> list[Field[Any]]:
    """Return the fields that are columns of the files of a kind."""
    return [spec for spec in fields(kind) if "axes" in spec.metadata]


def required(kind: type[Record]) -> set[str]:
    """Return the names of the fields that every record of a kind has."""
    return {spec.name for spec in declared(kind) if not spec.metadata["optional"]}


def axes_of(spec: Field[Any]) -> tuple[str, ...]:
    """Return the names of the axes of a field, outermost first."""
    return spec.metadata["axes"]
