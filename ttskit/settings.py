"""Settings: nested frozen dataclasses as commented TOML, and changes to them that are checked.

Model families and the trainer declare what can be set; `config` prints it, `train` reads it.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from ttskit.errors import SettingError

T = TypeVar("T")


def key(
    default: Any,
    comment: str,
    *,
    choices: Sequence[str] = (),
    least: float | None = None,
    most: float | None = None,
    odd: bool = False,
    some: bool = False,
) -> Any:
    """Declare a field of a settings class: its default, what it is, and what it may be.

    A list that must have `some` entries may not be empty.
    """
    allowed = {"choices": tuple(choices), "least": least, "most": most, "odd": odd, "some": some}
    return dataclasses.field(default=default, metadata={"comment": comment, **allowed})


def table(kind: Callable[[], Any], comment: str) -> Any:
    """Declare a field that is a table of further settings; `kind` makes its default."""
    return dataclasses.field(default_factory=kind, metadata={"comment": comment})


def to_toml(settings: Any, *, comments: bool = True) -> str:
    """Write settings as TOML that `from_toml` reads, each key under what it is."""
    return "\n".join(_lines(settings, "", comments)).strip() + "\n"


def from_toml(settings: T, text: str, source: str) -> T:
    """Return `settings` changed by a TOML text; `source` is what errors call it."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{source}: is not TOML: {error}") from error
    return changed(settings, told, source)


def assigned(settings: T, *assignments: str) -> T:
    """Return `settings` changed by `key=value` and `table.key=value`, all at once."""
    told: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise SettingError(f"--set {assignment}: needs key=value")
        inner = told
        *path, last = name.strip().split(".")
        for part in path:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise SettingError(f"--set {assignment}: {part} has been set to {inner!r} before")
        try:
            inner[last] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            inner[last] = value.strip()  # a text without its quotes
    return changed(settings, told, f"--set {' '.join(assignments)}")


def changed(settings: T, told: Mapping[str, Any], source: str, prefix: str = "") -> T:
    """Return `settings` with the values of nested mappings, each checked."""
    known = {field.name: field for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    hints = get_type_hints(type(settings))
    values = {}
    for name, value in told.items():
        if name not in known:
            raise SettingError(f"{source}: no key {prefix}{name}{_nearest(name, settings)}")
        now = getattr(settings, name)
        if dataclasses.is_dataclass(now):
            if not isinstance(value, Mapping):
                raise SettingError(f"{source}: {prefix}{name} is a table, needs {prefix}{name}.KEY")
            values[name] = changed(now, value, source, f"{prefix}{name}.")
        else:
            values[name] = _fit(value, hints[name], known[name], f"{source}: {prefix}{name}")
    try:
        return dataclasses.replace(settings, **values)  # type: ignore[type-var]
    except SettingError as error:
        raise SettingError(f"{source}: {error}") from error


def flat(settings: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key by its dotted name, with its value."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from flat(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value


def _lines(settings: Any, prefix: str, comments: bool) -> Iterator[str]:
    tables = []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            tables.append((field, value))
            continue
        told = f"{field.name} = {_written(value)}"
        yield f"{told}{' ' * max(1, 34 - len(told))}# {_about(field)}" if comments else told
    for field, value in tables:
        comment = f"  # {field.metadata['comment']}" if comments else ""
        yield from ("", f"[{prefix}{field.name}]{comment}")
        yield from _lines(value, f"{prefix}{field.name}.", comments)


def _about(field: dataclasses.Field[Any]) -> str:
    choices = field.metadata["choices"]
    return field.metadata["comment"] + (f": {', '.join(choices)}" if choices else "")


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _fit(value: Any, hint: Any, field: dataclasses.Field[Any], where: str) -> Any:
    """Return a value as the type that its field has, or say what is wrong with it."""
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(value, list):
        inner = hint.__args__[0] if getattr(hint, "__args__", None) else hint
        value = tuple(float(one) if inner is float else one for one in value)
        fits = all(type(one) is inner for one in value) and getattr(hint, "__origin__", 0) is tuple
    else:
        fits = type(value) is hint
    if not fits:
        entries = getattr(hint, "__args__", None)
        name = f"a list of {entries[0].__name__}" if entries else hint.__name__
        raise SettingError(f"{where} is {value!r}, needs {name}")
    told = field.metadata
    if told["some"] and not value:
        raise SettingError(f"{where} is empty, needs some")
    for one in value if isinstance(value, tuple) else (value,):
        if told["choices"] and one not in told["choices"]:
            raise SettingError(f"{where} is {one!r}, needs {' or '.join(told['choices'])}")
        if told["least"] is not None and not one >= told["least"]:
            raise SettingError(f"{where} is {one!r}, needs at least {told['least']}")
        if told["most"] is not None and not one <= told["most"]:
            raise SettingError(f"{where} is {one!r}, needs at most {told['most']}")
        if told["odd"] and one % 2 == 0:
            raise SettingError(f"{where} is {one!r}, needs an odd number")
        if isinstance(one, float) and not math.isfinite(one):
            raise SettingError(f"{where} is {one!r}, needs a number that is finite")
    return value


def _nearest(name: str, settings: Any) -> str:
    known = [key for key, _ in flat(settings)]
    by_last = {key.rsplit(".", 1)[-1]: key for key in known}
    near = difflib.get_close_matches(name, [*known, *by_last], 3, 0.6)
    told = dict.fromkeys(by_last.get(one, one) for one in near)
    return f"; nearest: {', '.join(told)}" if told else f"; there is {', '.join(known)}"
