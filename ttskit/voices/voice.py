"""Voices: the models of a chain, a lexicon and a card in one file, which `say` speaks with.

/                       attrs  name  language  fold  card  chain  duration.role  duration.family ...
/duration/weights/NAME  attributes and columns of a Model, under the role that it plays; `chain`
                        names the roles in the order in which the models run
/lexicon                lines of a lexicon
/widening/NAME          mean and factor, see ttskit.dsp.widening; may be missing
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.artifacts import hdf5, sealing, streams
from ttskit.dsp.widening import Widening
from ttskit.errors import ArtifactError, TtskitError
from ttskit.settings import parsed
from ttskit.voices import embedded
from ttskit.voices.join import JUDGES, apart, check_clock, join
from ttskit.voices.model import (
    CODES,
    GRID,
    LATENTS,
    MODEL,
    TEXTS,
    VOICE,
    Model,
    model_of,
    part,
    read_model,
    texts,
)

if TYPE_CHECKING:
    from ttskit.networks.facts import Facts
    from ttskit.text.spelling import Speller

KNOWN, WANTED = ("tokens", "clip"), "audio"  # what a chain that speaks begins and ends with
KEPT = (
    *TEXTS,
    *GRID,
    *CODES,
    "codec",
    *LATENTS,
    "parameters",
    "steps",
)  # of the attributes of a model
CARD = ("name", "licence", "data", "training", "measures", "weaknesses")
MOST_NOISE, MOST_RANGE = 100, 4
ROW = "{name}\t{language}\t{megabytes:.1f} MB"  # of a list of voices
MOST_CARD = 60_000  # bytes, of the 64 kB that an attribute may have


@dataclass(frozen=True)
class VoiceSettings:
    """What of a voice is no model."""

    language: str
    fold: bool  # with `characters`: whether upper and lower case are one
    lexicon: tuple[str, ...]  # lines
    card: str  # markdown: licence, data, training, measures, weaknesses
    noise_scale: float | None = None  # how much is left to chance; the decoder's own without one
    widening: Widening | None = None  # of the decoder's mels
    emoji: bool = False  # whether it speaks emoji by their names, as it was trained to
    pitch_range: float = 1.0  # times as far as the pitch that is predicted moves from its middle

    def speller(self, reader: Model, lexicons: Sequence[Path] = (), emoji: bool = False) -> Speller:
        """Return what spells texts in the symbols of a model; the files win over the lexicon."""
        from ttskit.text.spelling import Speller
        from ttskit.text.symbols import BEGIN, PAD

        known = reader.facts.symbols
        emoji = emoji or self.emoji
        speller = Speller(self.language, lexicons, known, self.fold, self.lexicon, emoji)
        if speller.table != known or not {PAD, BEGIN} <= set(known):
            raise ArtifactError(
                f"{reader.name}: knows other symbols ({len(known)}) than {speller.language} has "
                f"({len(speller.table)}): name the --language that it was trained on"
            )
        return speller


@dataclass(frozen=True)
class VoiceFile:
    """A voice on disk: its models by the roles that they play, in the order in which they run."""

    container: hdf5.Container
    models: Mapping[str, Model]
    settings: VoiceSettings

    @property
    def language(self) -> str:
        return self.settings.language

    def speller(self, lexicons: Sequence[Path] = (), emoji: bool = False) -> Speller:
        """Return what spells texts as the models know them; the files win over its lexicon."""
        return self.settings.speller(self.reader, lexicons, emoji)

    @property
    def reader(self) -> Model:
        """The last model that reads tokens: its symbols and speakers are those of the voice.

        It is found without loading its family.
        """
        others = (*JUDGES, "vocoder", "codec")
        reading = [one for one in self.models.values() if one.facts.symbols]
        reading = [one for one in reading if one.role not in others]
        spoken = [one for one in reading if one.role != "duration"] or reading
        return spoken[-1] if spoken else last_reader(self.models.values())

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.reader.facts.sample_rate


def read(path: Path, name: str = "") -> VoiceFile:
    """Open a voice; check that its bytes are those written, and its models fit each other."""
    container = hdf5.open_container(path, name)
    if container.kind != VOICE:
        raise ArtifactError(
            f"{container.name}: is {container.kind}, needs a voice: make one with `voice pack`"
        )
    attributes = container.attributes
    for key, kind in (("name", str), ("language", str), ("card", str), ("fold", bool)):
        if not isinstance(attributes.get(key), kind):
            raise ArtifactError(f"{container.name}: lacks the attribute {key}")
    roles = str(attributes.get("chain", "duration decoder vocoder")).split()
    if not roles:
        raise ArtifactError(f"{container.name}: its chain names no model: pack it again")
    models = {role: model_of(part(container, role), role) for role in roles}
    container.check()
    check_clock([*models.values()])
    lexicon = tuple(container.strings("lexicon"))
    noise = _number(container, "noise_scale", MOST_NOISE)
    pitch_range = _number(container, "pitch_range", MOST_RANGE)
    settings = VoiceSettings(
        language=str(attributes["language"]),
        fold=bool(attributes["fold"]),
        lexicon=lexicon,
        card=str(attributes["card"]),
        noise_scale=noise,
        widening=_widening(container, models[roles[-1]].facts.n_mels),
        emoji=bool(attributes.get("emoji", False)),
        pitch_range=1.0 if pitch_range is None else pitch_range,
    )
    return VoiceFile(container, models, settings)


def chosen(names: Sequence[str]) -> dict[str, Model]:
    """Return the chain that models make from tokens to audio, and those beside it, by their roles.

    Each is the file of a model, or the name of a family that needs no training.
    """
    from ttskit.models import FAMILIES

    families = [name for name in names if is_family(name)]
    for name in names:
        check_name(name, (one for known in FAMILIES.values() for one in known))
    files = [Path(name) for name in names if name not in families]
    models = [read_model(*streams.local(path)) for path in files]
    if families:
        models += [weightless(name, last_reader(models).facts) for name in families]
    return by_role([*join(models, KNOWN, WANTED), *apart(models)[1]])


def by_role(models: Iterable[Model]) -> dict[str, Model]:
    """Return models by role; none is played twice."""
    by_name: dict[str, Model] = {}
    for model in models:
        if model.role in by_name:
            raise TtskitError(
                f"{model.name}: is a second {model.role} beside {by_name[model.role].name}; "
                "a chain has one model of a role"
            )
        by_name[model.role] = model
    return by_name


def last_reader(models: Iterable[Model]) -> Model:
    """Return the last model of a chain that reads tokens."""
    reading = [model for model in apart([*models])[0] if "tokens" in model.takes]
    if not reading:
        raise ArtifactError("none of the models takes tokens: add one that does, such as a decoder")
    return reading[-1]


def opened(parts: Sequence[str], language: str | None) -> VoiceFile:
    """Return a voice by its name, or models as a voice that is in no file.

    The language is that of the models where none is named.
    """
    if len(parts) == 1:
        return read(embedded.find(parts[0]))
    models = chosen(parts)
    reader = last_reader(models.values())
    settings = VoiceSettings(reader.spoken_in(language), False, (), "")
    return VoiceFile(reader.container, models, settings)


def write(
    path: Path,
    models: Mapping[str, Model],
    provenance: Mapping[str, Any],
    settings: VoiceSettings,
    half: bool = True,
) -> None:
    """Write a voice; with `half` its matrices take 16 bits a number."""
    speller = settings.speller(last_reader(models.values()))
    attributes: dict[str, hdf5.Value] = {
        "name": title(settings.card),
        "language": speller.language,
        "fold": settings.fold,
        "card": settings.card,
        "chain": " ".join(models),
    }
    if settings.emoji:
        attributes["emoji"] = True
    if settings.noise_scale is not None:
        attributes["noise_scale"] = settings.noise_scale
    if settings.pitch_range != 1:
        attributes["pitch_range"] = settings.pitch_range
    for role, model in models.items():
        own = model.container.attributes
        attributes |= {f"{role}.{key}": own[key] for key in KEPT if key in own}
        attributes[f"{role}.digest"] = model.digest
    sources = [source for role, model in models.items() for source in _sources(role, model, half)]
    if settings.widening is not None:
        kept = asdict(settings.widening).items()
        sources += [sealing.Source.of(f"widening/{name}", values, "mel") for name, values in kept]
    sealing.seal(
        path, VOICE, attributes, provenance, [*sources, *texts("lexicon", settings.lexicon)]
    )


def is_family(name: str) -> bool:
    """Whether a model is named by its family instead of a file."""
    from ttskit.models import role_of

    return bool(role_of(name)) and not Path(name).exists()


def check_name(name: str, known: Iterable[str]) -> None:
    """Refuse a name of no file that is nearly one of the known names."""
    near = difflib.get_close_matches(name, known, 1)
    if near and near != [name] and not Path(name).exists():
        raise TtskitError(f"no such file; nearest name: {near[0]}", file=name)


def weightless(family: str, facts: Facts) -> Model:
    """Return a model that has nothing to learn, on the grid of another."""
    from ttskit.models import find, role_of

    kind = find(family)
    if kind(kind.Config(), facts).kept():
        raise TtskitError(f"{family}: has to be trained first: name the file of a model")
    attributes: dict[str, hdf5.Value] = {"role": role_of(family), "family": family, "config": ""}
    attributes |= {key: getattr(facts, key) for key in GRID}
    nowhere = hdf5.Container(Path(), family, MODEL, hdf5.VERSION, family, {}, attributes, {})
    return model_of(nowhere)


def card(path: Path) -> str:
    """Return a card as markdown: a file of markdown as it is, TOML by its keys."""
    from ttskit.text.lines import decode

    try:
        text = decode(path.read_bytes(), str(path))
        if path.suffix.lower() != ".toml":
            title(text, str(path))
            return text
        entries = parsed(text)
    except ValueError as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    if missing := [key for key in CARD if key not in entries]:
        raise ArtifactError(f"{path}: lacks {', '.join(missing)}; a card has {', '.join(CARD)}")
    sections = [f"## {key.capitalize()}\n\n{entries[key]}" for key in entries if key != "name"]
    return "\n\n".join([f"# {entries['name']}", *sections]) + "\n"


def title(text: str, name: str = "the card") -> str:
    """Return the name that a card gives: its first heading; errors call the card `name`."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first.startswith("# ") or len(text.encode()) > MOST_CARD:
        raise ArtifactError(
            f"{name}: needs the name of the voice as its first line, `# NAME`, and at most "
            f"{MOST_CARD} bytes"
        )
    return first.removeprefix("# ").strip()


def entry(voice: VoiceFile) -> dict[str, Any]:
    """Return what a list says of a voice, as `ROW` has it."""
    name, megabytes = voice.container.path.stem, voice.container.size / 1e6
    return {"name": name, "language": voice.language, "megabytes": round(megabytes, 1)}


def describe(voice: VoiceFile) -> dict[str, Any]:
    """Return what a voice is, as JSON can say it."""
    widening = voice.settings.widening
    return {
        "path": str(voice.container.path),
        "name": voice.container.attributes["name"],
        "language": voice.language,
        "megabytes": round(voice.container.size / 1e6, 1),
        "sample_rate": voice.sample_rate,
        "speakers": voice.reader.facts.speakers,
        "models": {role: model.family for role, model in voice.models.items()},
        "lexicon": len(voice.settings.lexicon),
        "noise_scale": voice.settings.noise_scale,
        "pitch_range": voice.settings.pitch_range,
        "widening": None if widening is None else round(float(widening.factor.mean()), 3),
        "card": voice.settings.card,
    }


def _number(container: hdf5.Container, name: str, most: float) -> float | None:
    """Return a number from 0 to `most` that a voice may state."""
    value = container.attributes.get(name)
    if value is not None and (isinstance(value, str) or not 0 <= value <= most):
        raise ArtifactError(
            f"{container.name}: its {name} is {value!r}, needs a number from 0 to {most}"
        )
    return None if value is None else float(value)


def _widening(container: hdf5.Container, bands: int) -> Widening | None:
    """Return the widening that a voice holds, if it holds one."""
    names = [f"widening/{name}" for name in ("mean", "factor")]
    kept = [np.array(container.map(name)) for name in names if name in container.columns]
    if not kept:
        return None
    if [one.shape for one in kept] != [(bands,)] * len(names):
        raise ArtifactError(f"{container.name}: its widening does not fit {bands} mel bands")
    return Widening(*kept)


def _sources(role: str, model: Model, half: bool) -> Iterator[sealing.Source]:
    for name, column in model.container.columns.items():
        if name == "validation":
            continue
        values = model.container.map(name)
        narrow = half and name.startswith("weights/") and len(column.shape) > 1
        narrow = narrow and values.dtype == np.float32
        if narrow and np.abs(values).max(initial=0) < np.finfo(np.float16).max:
            values = values.astype(np.float16)
        yield sealing.Source.of(f"{role}/{name}", values, column.notes.get("axes", ""))
