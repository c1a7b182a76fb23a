"""Shards: a run over utterances cut into N, each a run of its own, and put together again.

Shard I of N has the I-th of N equal stretches of the utterances.  What it writes says which shard
it is beside its provenance; `whole` finds out whether artifacts are all shards of one run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ttskit.errors import ArtifactError, UsageError

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader

T = TypeVar("T")
MARK = "shard"  # in the provenance of a shard: its number, and how many there are


@dataclass(frozen=True)
class Shard:
    """One of `of` shards, counted from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Shard:
        """Return the shard that an option names.

        >>> Shard.read("2/3")
        Shard(number=2, of=3)
        """
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise UsageError(f"--shard {text}: needs I/N with I from 1 to N, as 2/3")
        return cls(int(number), int(of))

    def cut(self, items: Mapping[str, T]) -> dict[str, T]:
        """Return the items of this shard.

        >>> Shard(2, 2).cut({"a": 1, "b": 2, "c": 3})
        {'b': 2, 'c': 3}
        """
        start, stop = (len(items) * place // self.of for place in (self.number - 1, self.number))
        return {id: items[id] for id in [*items][start:stop]}

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def marked(reader: Reader[Any]) -> Shard | None:
    """Return which shard an artifact is; None for one that is whole."""
    mark = reader.provenance.get(MARK)
    if mark is None:
        return None
    if not (isinstance(mark, list) and len(mark) == 2 and all(isinstance(n, int) for n in mark)):
        raise ArtifactError(f"its provenance has a {MARK} {mark!r}, needs two numbers")
    return Shard(*mark)


def whole(readers: Sequence[Reader[Any]]) -> list[Reader[Any]]:
    """Return artifacts in the order of their shards; none if none of them is a shard.

    Refuses shards that lack, are there twice, or come of different runs.
    """
    by_shard: dict[Shard, Reader[Any]] = {}
    others = [reader.name for reader in readers if marked(reader) is None]
    for reader in readers:
        shard = marked(reader)
        if shard is None:
            continue
        if others:
            raise ArtifactError(
                f"is shard {shard}, {others[0]} is none: merge all shards of the run first",
                file=reader.name,
            )
        if shard in by_shard:
            raise ArtifactError(f"is shard {shard}, as {by_shard[shard].name} is", file=reader.name)
        by_shard[shard] = reader
        _check_alike(readers[0], reader)
    if not by_shard:
        return []
    of = next(iter(by_shard)).of
    lacking = [str(n) for n in range(1, of + 1) if Shard(n, of) not in by_shard]
    if lacking:
        which = f"shard {lacking[0]}" if len(lacking) == 1 else f"shards {', '.join(lacking)}"
        raise ArtifactError(f"{which} of {of} lacking among the inputs", file=readers[0].name)
    return [by_shard[shard] for shard in sorted(by_shard, key=lambda one: one.number)]


def _check_alike(first: Reader[Any], other: Reader[Any]) -> None:
    """Refuse a shard of another run; say what differs first."""
    ours, theirs = _facts(first), _facts(other)
    for name in dict.fromkeys([*ours, *theirs]):
        if ours.get(name) != theirs.get(name):
            told = [json.dumps(one.get(name), ensure_ascii=False) for one in (theirs, ours)]
            raise ArtifactError(
                f"is a shard of another run: its {name} {told[0]:.80}, that of {first.name} "
                f"{told[1]:.80}",
                file=other.name,
            )


def _facts(reader: Reader[Any]) -> dict[str, Any]:
    """Return what all shards of a run have in common."""
    provenance, shard = reader.provenance, marked(reader)
    assert shard is not None
    facts = {"kind": reader.kind.kind(), "number of shards": shard.of}
    facts |= {name: provenance.get(name) for name in ("stage", "revision", "inputs")}
    options = provenance.get("options", {})
    return facts | {f"option {name}": value for name, value in options.items()}


def provenance_of(reader: Reader[Any]) -> dict[str, Any]:
    """Return the provenance of the whole that a shard is a part of."""
    names = ("stage", "revision", "options", "inputs")
    return {name: reader.provenance.get(name) for name in names}
