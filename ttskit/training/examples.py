"""Examples: utterances of several artifacts as the fields that a family trains on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from ttskit.artifacts import kinds, origins
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import Record, declared
from ttskit.dsp.loudness import FLOOR
from ttskit.errors import AlignmentError, ArtifactError, TrainingError
from ttskit.networks.batch import Batch, axis_of, collate
from ttskit.networks.facts import Facts
from ttskit.networks.fields import FIELDS, LONGEST_CLIP
from ttskit.text.symbols import SPECIAL
from ttskit.voices.model import GRID, grid

Values = Callable[["Examples", int], np.ndarray]
HEARD = (kinds.Mels, kinds.Features)  # where mel is taken from: the predicted one comes first
SPOKEN = (kinds.Alignment, kinds.Codes)  # where durations are taken from
SAMPLED = 500  # utterances that statistics are taken from
HEARD_OF_ALL, HEARD_OF_EACH = 20_000, 50  # utterances that medians are taken from, and at least
MEASURED = ("durations", "pitch", "loudness_token")  # of the tokens of a recording
SILENCE = {"mel": -11.5, "loudness": FLOOR}  # log-mel just above the clamp at 1e-5; dB


class Examples:
    """The utterances that all of some artifacts have; `item` gives the fields that are needed."""

    def __init__(
        self,
        readers: Sequence[Reader[Any]],
        needs: Sequence[str],
        limit: int | None = None,
        without: Collection[str] = (),
    ) -> None:
        self._readers = {reader.kind: reader for reader in readers}
        self.needs = tuple(needs)
        self.ids = [id for id in joined(readers)[:limit] if id not in without]
        if not self.ids:
            raise TrainingError(f"{readers[0].name}: there is no utterance to train on")
        _agree(readers)
        first = readers[0]
        rows = first.rows(self.ids).tolist()
        self.texts, self._speakers = (
            [names[row] for row in rows] for names in map(first.table, ("text", "speaker"))
        )
        self.speakers = tuple(sorted(set(self._speakers)))
        self.numbers = {name: number for number, name in enumerate(self.speakers)}
        one_each = {name: name for name in self.speakers}
        self._speakers = [one_each[name] for name in self._speakers]
        self._rows = {kind: reader.rows(self.ids) for kind, reader in self._readers.items()}
        self._check_frames()
        axis, reader = next(
            (axis, reader)
            for axis in ("frame", "code", "token", "sample")
            for reader in readers
            if reader.has_axis(axis)
        )
        self.lengths = reader.lengths(axis)[self._rows[reader.kind]]
        self._middles: dict[tuple[str, str], float] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def divisible(self) -> bool:
        """Whether some frames of an utterance are an example; not where it has tokens."""
        return {axis_of(name) for name in self.needs} <= {"frame", "sample", ""}

    def item(self, row: int, segment: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return the fields of an utterance, or of `segment` frames of it, chosen by `rng`."""
        fields = {name: self.field(name, row) for name in self.needs}
        return cut(fields, segment, self.hop_length, rng) if segment else fields

    def batch(self, rows: Sequence[int] | np.ndarray, segment: int, seed: Sequence[int]) -> Batch:
        """Return utterances as a batch; all randomness follows from `seed` and the row."""
        items = [self.item(row, segment, np.random.default_rng([*seed, row])) for row in rows]
        return collate([self.ids[row] for row in rows], items)

    def field(self, name: str, row: int) -> np.ndarray:
        """Return one field of an utterance."""
        if name in COMPUTED:
            return COMPUTED[name](self, row)
        return self.value(self.reader(*kinds_of(name)).kind, row, name)

    def value(self, kind: type[Record], row: int, name: str) -> Any:
        """Return a field of an utterance from the artifact of a kind."""
        return self._readers[kind].value(int(self._rows[kind][row]), name)

    def reader(self, *wanted: type[Record]) -> Reader[Any]:
        """Return the first of some kinds that is there."""
        return next(self._readers[kind] for kind in wanted if kind in self._readers)

    @property
    def hop_length(self) -> int:
        return int(self.reader(*HEARD, *SPOKEN).attributes["hop_length"])

    def mel(self, row: int) -> np.ndarray:
        mel: np.ndarray = self.value(self.reader(*HEARD).kind, row, "mel")
        return mel

    def speaker(self, row: int) -> str:
        return self._speakers[row]

    def names(self, row: int) -> dict[str, str]:
        """Return what every record says of an utterance."""
        return {"id": self.ids[row], "speaker": self._speakers[row], "text": self.texts[row]}

    def middle(self, speaker: str, name: str) -> float:
        """Return the median over a speaker's voiced frames of f0 in octaves, or of loudness."""
        if (speaker, name) not in self._middles:
            heard = []
            for row in self._measured(speaker):
                voiced = self.value(kinds.Features, row, "voiced")
                values = self.value(kinds.Features, row, name)[voiced]
                heard.append(np.log2(np.maximum(values, 1)) if name == "f0" else values)
            some = any(map(len, heard))
            middle = float(np.median(np.concatenate(heard))) if some else 0.0
            self._middles[speaker, name] = middle
        return self._middles[speaker, name]

    def _measured(self, speaker: str) -> np.ndarray:
        """Return the rows that a speaker's medians are taken of: in a large corpus not all."""
        rows = self._of_speaker[speaker]
        if len(self) <= HEARD_OF_ALL:
            return rows
        most = max(HEARD_OF_EACH, HEARD_OF_ALL // len(self.speakers))
        return rows[:: -(-len(rows) // most)]

    @cached_property
    def _of_speaker(self) -> dict[str, np.ndarray]:
        """The rows of each speaker."""
        rows: dict[str, list[int]] = {name: [] for name in self.speakers}
        for row, name in enumerate(self._speakers):
            rows[name].append(row)
        return {name: np.array(own) for name, own in rows.items()}

    def facts(self) -> Facts:
        """Return what a model of these utterances must know beside its config."""
        facts: dict[str, Any] = {"speakers": self.speakers}
        if not self._readers.keys().isdisjoint(HEARD):
            facts |= grid(self.reader(*HEARD).attributes)
            facts["statistics"] = self._statistics()
        elif timed := [kind for kind in (kinds.Codes, kinds.Alignment) if kind in self._readers]:
            facts |= grid(self._readers[timed[0]].attributes)
        if {"codes", "latents"} & {*self.needs}:
            facts |= self._coding()
        texts = [kind for kind in (*SPOKEN, kinds.Tokens) if kind in self._readers]
        if texts and (symbols := tuple(self.reader(*texts).table("symbols"))):
            facts |= {"symbols": symbols, "silent": tuple(s in SPECIAL for s in symbols)}
            facts["heard"] = self._token_counts(self.reader(*texts).kind, len(symbols))
        return Facts(**facts)

    def _token_counts(self, kind: type[Record], symbols: int) -> tuple[int, ...]:
        """Return how many tokens of each symbol there are."""
        reader, used = self._readers[kind], np.zeros(len(self._readers[kind]), bool)
        used[self._rows[kind]] = True
        tokens = np.asarray(reader.column("tokens"))
        if not used.all():
            tokens = tokens[np.repeat(used, reader.lengths("token"))]
        return tuple(map(int, np.bincount(tokens, minlength=symbols)))

    def _coding(self) -> dict[str, Any]:
        """Return what a model of codes must know of them."""
        codes = self.reader(kinds.Codes)
        coder = {}
        if "latents" in self.needs:
            channels = codes.column("latents").shape[1]
            coder = {"latents": channels, "coder": self._coder(codes)}
        return {
            "stride": int(codes.attributes["stride"]),
            "books": codes.column("codes").shape[1],
            "size": int(codes.attributes["size"]),
            "codec": codes.table("codec")[0],
            **coder,
        }

    def _coder(self, codes: Reader[kinds.Codes]) -> str:
        """Return the digest of the one coder whose latents there are."""
        digests = codes.table("latents_of")
        coders = {digests[row] for row in self._rows[kinds.Codes]}
        if len(coders) > 1:
            raise ArtifactError(f"{codes.name}: has latents of {len(coders)} coders, needs one")
        return coders.pop()

    def _statistics(self) -> Mapping[str, np.ndarray]:
        rows = np.random.default_rng(0).permutation(len(self))[:SAMPLED]
        frames = np.concatenate([self.mel(row) for row in rows])
        finite = np.isfinite(frames).all(axis=1)
        if not finite.all():  # the trainer names those that are not
            frames = frames[finite]
        deviation = np.maximum(frames.std(axis=0), 1e-3)
        statistics = {"mel_mean": frames.mean(axis=0), "mel_deviation": deviation}
        if "contour" in self.needs:
            middles = [self.middle(speaker, "f0") for speaker in self.speakers]
            statistics["f0_middle"] = np.array(middles, np.float32)
        return statistics

    def _check_frames(self) -> None:
        """Refuse Mels that do not stand frame by frame beside the Features."""
        if not set(HEARD) <= self._readers.keys():
            return
        mels, features = (self._readers[kind] for kind in HEARD)
        counts = [self._readers[kind].lengths("frame")[self._rows[kind]] for kind in HEARD]
        for id, predicted, recorded in zip(self.ids, *counts, strict=True):
            if predicted != recorded:
                raise ArtifactError(
                    f"{mels.name}: {id}: has {predicted} frames, {features.name} has {recorded}: "
                    "make it with `ttskit decode` of the features and their alignment"
                )


def measured(readers: Sequence[Reader[Any]], id: str) -> dict[str, np.ndarray]:
    """Return durations, pitch and loudness of the tokens of a recording, as training has them."""
    examples = Examples(readers, MEASURED)
    if id not in examples.ids:
        raise ArtifactError(f"{readers[0].name}: has no recording of it", utterance=id)
    return examples.item(examples.ids.index(id), 0, np.random.default_rng(0))


def fitting(readers: Sequence[Reader[Any]], needs: Sequence[str], what: str) -> None:
    """Refuse inputs that lack something of what is needed, or are not needed; `what` needs it."""
    kinds_given = [reader.kind for reader in readers]
    used = set()
    for name in needs:
        fits = kinds_of(name)
        holding = {reader.kind for reader in readers if has(reader, name)}
        present = [kind for kind in fits if kind in holding]
        if fits and not present:
            names = ", ".join(f"{reader.name} ({reader.kind.kind()})" for reader in readers)
            wanted = " or ".join(kind.kind() for kind in fits)
            verbs = FIELDS[name].command or origins.commands(kind.kind() for kind in fits)
            raise ArtifactError(
                f"{what} needs {wanted} for its {name}; found {names}: add the output of {verbs}"
            )
        used |= set(present[:1])
    for reader in readers:
        if reader.kind not in used:
            raise ArtifactError(
                f"{reader.name}: is {reader.kind.kind()}, which {what} has no use for"
            )
        if kinds_given.count(reader.kind) > 1:
            raise ArtifactError(f"{reader.name}: is a second {reader.kind.kind()}; needs one")


def has(reader: Reader[Any], name: str) -> bool:
    """Return whether an artifact of a kind that may hold a field does hold it."""
    optional = {spec.name for spec in declared(reader.kind) if spec.metadata["optional"]}
    return name not in optional or any(spec.name == name for spec in reader.columns)


def kinds_of(name: str) -> tuple[type[Record], ...]:
    """Return the kinds of artifact that a field is read from, the preferred one first."""
    known = {kind.kind(): kind for kind in kinds.KINDS}
    return tuple(known[kind] for kind in FIELDS[name].kinds)


def joined(readers: Sequence[Reader[Any]]) -> list[str]:
    """Return the ids that all artifacts have; what one lacks must be on record as skipped."""
    if all(one.ids == readers[0].ids for one in readers):
        return [*readers[0].ids]
    for one in readers:
        skipped = one.skipped
        for other in readers:
            for id in other.ids:
                if id not in one and id not in skipped:
                    raise ArtifactError(
                        f"{one.name}: lacks {id}, which {other.name} has: make it again with "
                        f"`ttskit {origins.COMMANDS[one.kind.kind()]}` from the same corpus"
                    )
    return [id for id in readers[0].ids if all(id in reader for reader in readers)]


def too_short(
    features: Reader[Any], spelt: Reader[Any], ids: Collection[str], step: int = 1
) -> dict[str, str]:
    """Return the utterances whose tokens have no alignment to their frames, each with the reason.

    Frames are counted in whole steps.  If no utterance has an alignment, that is one error.
    """
    from ttskit.dsp import mas  # numba takes 0.5 s to import

    silent, frames = np.isin(spelt.table("symbols"), SPECIAL), features.lengths("frame")
    found = {}
    for id in ids:
        tokens, count = spelt.value(spelt.row(id), "tokens"), int(frames[features.row(id)])
        if reason := mas.too_short(silent[tokens], count // step * step):
            found[id] = reason
    if found and len(found) == len(ids):
        raise AlignmentError(
            "no utterance has a frame for each of its tokens: take a smaller hop",
            file=features.name,
        )
    return found


def cut(
    fields: Mapping[str, np.ndarray], segment: int, hop: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Cut the same frames out of every field; an utterance that is too short ends in silence."""
    frames = next(len(value) for name, value in fields.items() if axis_of(name) == "frame")
    start = int(rng.integers(0, max(0, frames - segment) + 1))
    out = {}
    for name, value in fields.items():
        if not value.ndim:
            out[name] = value
            continue
        step = hop if name == "audio" else 1
        part = value[start * step : (start + segment) * step]
        fill = part[-1] if name == "f0" else SILENCE.get(name, 0)
        missing = [(0, segment * step - len(part)), *[(0, 0)] * (value.ndim - 1)]
        out[name] = np.pad(part, missing, constant_values=fill)
    return out


def _agree(readers: Sequence[Reader[Any]]) -> None:
    """Refuse artifacts that are not of one grid."""
    for name in GRID:
        having = [reader for reader in readers if name in reader.attributes]
        for reader in having[1:]:
            value, expected = reader.attributes[name], having[0].attributes[name]
            if value != expected:
                raise ArtifactError(
                    f"{reader.name}: has {name} {value}, {having[0].name} has {expected}: "
                    "make both from the same corpus with the same options"
                )


def _durations(examples: Examples, row: int) -> np.ndarray:
    source = examples.reader(*SPOKEN)
    durations = examples.value(source.kind, row, "durations")
    counts = {}
    if "mel" in examples.needs:
        counts["mel"] = len(examples.mel(row))
    if "codes" in examples.needs:
        counts["codes"] = int(examples.value(kinds.Codes, row, "frames"))
    for name, frames in counts.items():
        if durations.sum() != frames:
            raise ArtifactError(
                f"{source.name}: {examples.ids[row]}: lasts {durations.sum()} frames, its {name} "
                f"{frames}: align them again"
            )
    return np.asarray(durations)


def _clip(examples: Examples, row: int) -> np.ndarray:
    """Return codes of another utterance of the speaker, the next one, or of the only one."""
    order = chain(range(row + 1, len(examples)), range(row + 1))
    other = next(one for one in order if examples.speaker(one) == examples.speaker(row))
    codes: np.ndarray = examples.value(kinds.Codes, other, "codes")[:LONGEST_CLIP]
    return codes


def _audio(examples: Examples, row: int) -> np.ndarray:
    audio = examples.value(kinds.Corpus, row, "audio")
    samples = len(examples.mel(row)) * examples.hop_length
    if not samples <= len(audio) < samples + examples.hop_length:
        raise ArtifactError(
            f"{examples.reader(kinds.Corpus).name}: {examples.ids[row]}: has {len(audio)} samples, "
            f"its mel is of {samples}: make them again from this corpus"
        )
    return audio[:samples].astype(np.float32) / 32768


def _speaker(examples: Examples, row: int) -> np.ndarray:
    return np.array(examples.numbers[examples.speaker(row)])


def _per_token(name: str, scale: float) -> Values:
    """Mean over the frames of a token (of f0: the voiced ones) beside the speaker's middle."""

    def values(examples: Examples, row: int) -> np.ndarray:
        durations = _durations(examples, row)
        track = examples.value(kinds.Features, row, name).astype(np.float64)
        weights = np.ones(len(track))
        if name == "f0":
            track = np.log2(np.maximum(track, 1))
            weights = examples.value(kinds.Features, row, "voiced").astype(np.float64)
        off = (track - examples.middle(examples.speaker(row), name)) / scale * weights
        edges = np.concatenate([[0], np.cumsum(durations)])
        sums, counts = (np.concatenate([[0], np.cumsum(x)])[edges] for x in (off, weights))
        return (np.diff(sums) / np.maximum(np.diff(counts), 1)).astype(np.float32)

    return values


def _contour(examples: Examples, row: int) -> np.ndarray:
    """f0 of each frame beside the speaker's middle, along a line where unvoiced."""
    voiced = np.flatnonzero(examples.value(kinds.Features, row, "voiced"))
    f0 = examples.value(kinds.Features, row, "f0")
    if not len(voiced):
        return np.zeros(len(f0), np.float32)
    octaves = np.log2(f0[voiced]) - examples.middle(examples.speaker(row), "f0")
    return np.interp(np.arange(len(f0)), voiced, octaves).astype(np.float32)


# fields that are more than a column of their artifact; `pitch` is in octaves, `loudness_token` in
# units of 10 dB
COMPUTED: dict[str, Values] = {
    "durations": _durations,
    "pitch": _per_token("f0", 1.0),
    "loudness_token": _per_token("loudness", 10.0),
    "contour": _contour,
    "audio": _audio,
    "speaker": _speaker,
    "clip": _clip,
}
