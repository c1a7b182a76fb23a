"""Settings: nested frozen dataclasses as commented TOML, and changes to them that are checked.

Model families and the trainer declare their settings; `config` prints them, `train` reads them.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ttskit.errors import SettingError, at, exits

T = TypeVar("T")
MOST_SIZE = 1 << 16  # of a whole number that declares no bound: settings come from files, too
MOST_LAYERS = 1000  # of what is repeated
MOST_ENTRIES = 100  # of a list
COUNT = 10**12  # bound of counts, such as updates, on which nothing depends that takes memory


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
    """Declare a field of a settings class.

    Parameters
    ----------
    default : the value that it has unless it is set
    comment : str
        What it is.
    choices : texts, optional
        The only values.
    least, most : float, optional
        The lowest and the highest value; a whole number is at most `MOST_SIZE` by default.
    odd : bool
        Whether the value must be odd.
    some : bool
        Whether a list must have an entry.
    """
    first = default[0] if isinstance(default, tuple) and default else default
    most = MOST_SIZE if most is None and type(first) is int else most
    allowed = {"choices": tuple(choices), "least": least, "most": most, "odd": odd, "some": some}
    return dataclasses.field(default=default, metadata={"comment": comment, **allowed})


def table(kind: Callable[[], Any], comment: str) -> Any:
    """Declare a field that is a table of further settings; `kind` returns its default."""
    return dataclasses.field(default_factory=kind, metadata={"comment": comment})


def to_toml(settings: Any, *, comments: bool = True) -> str:
    """Return settings as TOML that `from_toml` reads, each key with its comment."""
    return "\n".join(_lines(settings, "", comments)).strip() + "\n"


def from_toml(settings: T, text: str, source: str) -> T:
    """Return `settings` changed by a TOML text; `source` is what errors call it."""
    try:
        values = parsed(text)
    except ValueError as error:
        raise SettingError(f"is not TOML: {error}", file=source) from error
    return changed(settings, values, source)


def parsed(text: str) -> dict[str, Any]:
    """Return what a TOML text says, not checked; ValueError tells why it cannot be read."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def assigned(settings: T, *assignments: str) -> T:
    """Return `settings` changed by `key=value` and `table.key=value`, all at once."""
    with exits(2):
        return changed(settings, _nested(assignments), f"--set {' '.join(assignments)}")


def changed(settings: T, values: Mapping[str, Any], source: str, prefix: str = "") -> T:
    """Return `settings` changed by nested mappings, each value checked.

    Parameters
    ----------
    settings : a frozen dataclass of fields declared by `key` and `table`
    values : name -> value, or name -> mapping for a table
    source : str
        What errors call the origin of the values.
    prefix : str
        What errors put before the names, `training.` for the keys of that table.
    """
    fields = {field.name: field for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    hints = get_type_hints(type(settings))
    checked = {}
    for name, value in values.items():
        if name not in fields:
            raise SettingError(f"no key {prefix}{name}{_nearest(name, settings)}", file=source)
        now = getattr(settings, name)
        if not dataclasses.is_dataclass(now):
            with at(source):
                checked[name] = _typed(value, hints[name], f"{prefix}{name}")
                _check(checked[name], fields[name], f"{prefix}{name}")
        elif isinstance(value, Mapping):
            checked[name] = changed(now, value, source, f"{prefix}{name}.")
        else:
            raise SettingError(f"{prefix}{name} is a table, needs {prefix}{name}.KEY", file=source)
    with at(source):
        return dataclasses.replace(settings, **checked)  # type: ignore[type-var]


def flat(settings: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key by its dotted name, with its value."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from flat(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value


def _nested(assignments: Sequence[str]) -> dict[str, Any]:
    """Return assignments as nested mappings."""
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise SettingError(f"--set {assignment}: needs key=value")
        inner = values
        *path, last = name.strip().split(".")
        for part in path:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise SettingError(f"--set {assignment}: {part} has been set to {inner!r} before")
        try:
            inner[last] = parsed(f"value = {value}")["value"]
        except ValueError:
            inner[last] = value.strip()  # a text without its quotes
    return values


def _lines(settings: Any, prefix: str, comments: bool) -> Iterator[str]:
    tables = []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            tables.append((field, value))
            continue
        line = f"{field.name} = {_written(value)}"
        yield f"{line:<33} # {_about(field)}" if comments else line
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


def _typed(value: Any, hint: Any, name: str) -> Any:
    """Return a value as the type of its field: a list as a tuple, an integer as a float."""
    entry = get_args(hint)[0] if get_origin(hint) is tuple else None
    if entry and isinstance(value, list):
        typed = tuple(_number(one, entry) for one in value)
        if all(type(one) is entry for one in typed):
            return typed
        value = tuple(value)
    elif not entry and type(typed := _number(value, hint)) is hint:
        return typed
    needed = f"a list of {entry.__name__}" if entry else hint.__name__
    raise SettingError(f"{name} is {value!r}, needs {needed}")


def _number(value: Any, kind: type) -> Any:
    """Return an integer as a float where that is the kind; anything else as it is."""
    return float(value) if kind is float and type(value) is int else value


def _check(value: Any, field: dataclasses.Field[Any], name: str) -> None:
    """Refuse a value that its field may not have, or a list with such an entry."""
    allowed = field.metadata
    if allowed["some"] and not value:
        raise SettingError(f"{name} is empty, needs at least one entry")
    if isinstance(value, tuple) and len(value) > MOST_ENTRIES:
        raise SettingError(f"{name} has {len(value)} entries, needs at most {MOST_ENTRIES}")
    for one in value if isinstance(value, tuple) else (value,):
        if needed := _needed(one, allowed):
            raise SettingError(f"{name} is {one!r}, needs {needed}")


def _needed(value: Any, allowed: Mapping[str, Any]) -> str:
    """Return what a value would have to be, "" if it is that."""
    choices, least, most = allowed["choices"], allowed["least"], allowed["most"]
    if choices and value not in choices:
        return " or ".join(choices)
    if least is not None and not value >= least:
        return f"at least {least}"
    if most is not None and not value <= most:
        return f"at most {most}"
    if allowed["odd"] and value % 2 == 0:
        return "an odd number"
    if isinstance(value, float) and not math.isfinite(value):
        return "a finite number"
    return ""


def _nearest(name: str, settings: Any) -> str:
    """Return the names that a wrong one may stand for, or all there are, as a message's end."""
    known = [key for key, _ in flat(settings)]
    by_last = {key.rsplit(".", 1)[-1]: key for key in known}
    near = difflib.get_close_matches(name, [*known, *by_last], 3, 0.7)
    names = dict.fromkeys(by_last.get(one, one) for one in near)
    if names:
        return f"; nearest: {', '.join(names)}"
    return f"; there is {', '.join(one.name for one in dataclasses.fields(settings))}"
