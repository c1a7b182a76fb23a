"""Features: mel, pitch, loudness and energy of every recording, frame by frame.

Reads a Corpus, writes Features: mel, f0 with voicing and periodicity, loudness, energy; Praat's
measures on request.  All columns lie on one grid: frame j is centred at (j + 1/2) * hop_length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ttskit.errors import ArtifactError, AudioError, UsageError
from ttskit.options import (
    Device,
    DryRun,
    Jobs,
    Json,
    Limit,
    Output,
    Restart,
    Scheduler,
    ShardOption,
    SkipBad,
)

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Recipe, Running
    from ttskit.artifacts.kinds import Corpus, Features
    from ttskit.artifacts.reader import Reader
    from ttskit.dsp.crepe import Crepe
    from ttskit.dsp.mel import MelSettings
    from ttskit.dsp.swift import Swift

REVISION = 1
METHODS = ("crepe", "swift", "praat-ac", "praat-cc")
ALIASES = {"praat": "praat-ac"}  # other names of methods
# groups of columns that are measured together
COLUMNS = {
    "mel": ("mel",),
    "loudness": ("loudness", "energy"),
    "pitch": ("f0", "voiced", "periodicity"),
    "praat": ("formants", "harmonicity", "intensity", "jitter", "shimmer"),
}
PITCH = "Pitch and voicing"  # a group of options on the help page
Method = Literal["crepe", "swift", "praat-ac", "praat-cc", "praat"]
Network = Literal["full", "tiny"]


@dataclass(frozen=True)
class PitchSettings:
    """How f0 is estimated, and which frames are voiced."""

    f0: str = "crepe"  # one of METHODS
    crepe: str = "full"  # the network: full or tiny
    fmin: float = 50.0  # Hz
    fmax: float = 550.0  # Hz
    voiced: float = 0.5  # periodicity from which a voiced stretch begins
    stay: float = 0.25  # periodicity below which it ends
    silence: float = -60.0  # dB; frames quieter than this are unvoiced


@dataclass(frozen=True)
class FeatureSettings:
    """The settings that the values of the columns depend on."""

    mel: MelSettings
    pitch: PitchSettings
    praat: bool = False

    def __post_init__(self) -> None:
        for name, known in (("f0", METHODS), ("crepe", ("full", "tiny"))):
            if (value := getattr(self.pitch, name)) not in known:
                raise UsageError(f"--{name} {value}: there is {', '.join(known)}")
        if self.pitch.fmin >= self.pitch.fmax:
            raise UsageError(
                f"--f0-min {self.pitch.fmin:g}: needs less than --f0-max {self.pitch.fmax:g}"
            )

    def groups(self) -> dict[str, dict[str, Any]]:
        """Return the options of each group of columns, in the order in which they are measured."""
        grid = {"sample_rate": self.mel.sample_rate, "hop_length": self.mel.hop_length}
        groups = {
            "mel": asdict(self.mel),
            "loudness": grid,
            "pitch": grid | asdict(self.pitch),  # voicing depends on loudness
        }
        limits = {"fmin": self.pitch.fmin, "fmax": self.pitch.fmax}
        return groups | ({"praat": grid | limits} if self.praat else {})


@dataclass(frozen=True)
class Earlier:
    """An earlier artifact, and the groups of its columns that are copied."""

    features: Reader[Features]
    groups: tuple[str, ...]

    def columns(self, group: str, id: str) -> dict[str, Any] | None:
        """Return the columns of a group for an utterance, or None where they are to be measured."""
        if group not in self.groups or id not in self.features:
            return None
        record = self.features[id]
        return {name: getattr(record, name) for name in COLUMNS[group]}


class Extractor:
    """From the id of an utterance to its Features.

    It can be pickled; the network is loaded by the process that first needs it.
    """

    def __init__(
        self,
        corpus: Reader[Corpus],
        settings: FeatureSettings,
        device: str = "cpu",
        earlier: Earlier | None = None,
    ) -> None:
        self.corpus, self.settings, self.device = corpus, settings, device
        self.earlier = earlier

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("crepe", "swift")}

    @cached_property
    def crepe(self) -> Crepe:
        from ttskit.dsp.crepe import Crepe

        return Crepe(self.settings.pitch.crepe, self.device)

    @cached_property
    def swift(self) -> Swift:
        from ttskit.dsp.swift import Swift

        return Swift()

    def __call__(self, id: str) -> Features:
        import numpy as np

        from ttskit.artifacts.kinds import Features

        record, hop = self.corpus[id], self.settings.mel.hop_length
        if len(record.audio) < hop:
            raise AudioError(f"has {len(record.audio)} samples, less than one frame of {hop}")
        audio = record.audio.astype(np.float32) / 32768
        columns: dict[str, Any] = {}
        measures = {
            "mel": lambda: self._mel(audio),
            "loudness": lambda: self._loudness(audio),
            "pitch": lambda: self._pitch(audio, columns["loudness"]),
            "praat": lambda: self._praat(audio),
        }
        for group in self.settings.groups():
            copied = self.earlier.columns(group, id) if self.earlier else None
            columns |= measures[group]() if copied is None else copied
        return Features(id=id, speaker=record.speaker, text=record.text, **columns)

    def _mel(self, audio: np.ndarray) -> dict[str, np.ndarray]:
        from ttskit.dsp import mel

        return {"mel": mel.mel(audio, self.settings.mel)}

    def _loudness(self, audio: np.ndarray) -> dict[str, np.ndarray]:
        from ttskit.dsp import loudness

        grid, hop = self.settings.mel, self.settings.mel.hop_length
        return {
            "loudness": loudness.loudness(audio, grid.sample_rate, hop),
            "energy": loudness.energy(audio, hop),
        }

    def _pitch(self, audio: np.ndarray, loudness: np.ndarray) -> dict[str, np.ndarray]:
        from ttskit.dsp import pitch

        settings = self.settings.pitch
        f0, periodicity = self._estimated(audio)
        voiced = pitch.voicing(
            periodicity,
            loudness,
            enter=settings.voiced,
            stay=settings.stay,
            silence=settings.silence,
        )
        voiced &= f0 > 0
        return {"f0": pitch.fill(f0, voiced), "voiced": voiced, "periodicity": periodicity}

    def _estimated(self, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return f0 and periodicity of every frame, voiced or not."""
        from ttskit.dsp import crepe, praat

        grid, settings = self.settings.mel, self.settings.pitch
        limits = settings.fmin, settings.fmax
        if settings.f0 == "swift":
            return self.swift.pitch(audio, grid.sample_rate, grid.hop_length, *limits)
        if settings.f0 != "crepe":
            method = settings.f0.removeprefix("praat-")
            return praat.pitch(audio, grid.sample_rate, grid.hop_length, *limits, method)
        activations = self.crepe.follow(audio, grid.sample_rate, grid.hop_length)
        return crepe.decode(activations, fmin=settings.fmin, fmax=settings.fmax)

    def _praat(self, audio: np.ndarray) -> dict[str, np.ndarray]:
        from ttskit.dsp import praat

        grid, settings = self.settings.mel, self.settings.pitch
        limits = settings.fmin, settings.fmax
        return praat.measures(audio, grid.sample_rate, grid.hop_length, *limits)


def check(settings: FeatureSettings, device: str) -> None:
    """Refuse settings under which no utterance can be measured."""
    from ttskit.dsp import crepe, mel, swift
    from ttskit.voices.model import check_device

    mel.filters(settings.mel)
    limits = settings.pitch.fmin, settings.pitch.fmax
    if settings.pitch.f0 == "swift":
        swift.check_range(*limits)
        swift.Swift()
    else:
        crepe.bin_range(*limits)
    if device != "cpu":
        check_device(device)


def reusable(
    old: Reader[Features], corpus: Reader[Corpus], settings: FeatureSettings
) -> tuple[str, ...]:
    """Return the groups of columns of an earlier artifact that measuring again would not change."""
    provenance = old.provenance
    if provenance.get("stage") != "features" or provenance.get("revision") != REVISION:
        raise ArtifactError(f"{old.name}: was not made by this `features`; leave --reuse out")
    if provenance.get("inputs", [])[: len(corpus.digests)] != corpus.digests:
        raise ArtifactError(f"{old.name}: was made of another corpus than {corpus.name}")
    options = provenance.get("options", {})
    return tuple(name for name, wanted in settings.groups().items() if options.get(name) == wanted)


def earlier(path: Path | None, corpus: Reader[Corpus], settings: FeatureSettings) -> Earlier | None:
    """Open the artifact that --reuse names, noting what is copied from it."""
    from ttskit import progress
    from ttskit.artifacts import kinds, streams

    if path is None:
        return None
    (old,) = streams.inputs([path], kinds.Features)
    groups = reusable(old, corpus, settings)
    progress.note(f"{old.name}: reusing {', '.join(groups) or 'nothing: all options differ'}")
    return Earlier(old, groups)


def opened(
    inputs: Sequence[Path] | None,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    fmin: float,
    fmax: float | None,
) -> tuple[Reader[Corpus], MelSettings]:
    """Open the corpus; return with it the settings of a mel at its sample rate."""
    from ttskit.artifacts import kinds, streams
    from ttskit.dsp.mel import MelSettings

    (corpus,) = streams.inputs(inputs, kinds.Corpus)
    rate = int(corpus.attributes["sample_rate"])
    return corpus, MelSettings(rate, n_fft, hop_length, n_mels, fmin, fmax)


def extractor(
    corpus: Reader[Corpus], settings: FeatureSettings, device: str, reuse: Path | None
) -> Extractor:
    """Return the extractor of a corpus; refuse settings that cannot work."""
    copied = earlier(reuse, corpus, settings)
    check(settings, device)
    return Extractor(corpus, settings, device, copied)


def recipe(corpus: Reader[Corpus], settings: FeatureSettings, limit: int | None) -> Recipe:
    """Return what the artifact is made of and how."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe

    return Recipe(
        stage="features",
        revision=REVISION,
        kind=kinds.Features,
        options={**settings.groups(), "limit": limit},
        inputs=corpus.digests,
        attributes=asdict(settings.mel),
        skipped=corpus.skipped,
    )


def write(output: Path | None, extract: Extractor, limit: int | None, running: Running) -> Path:
    """Write the features of the first `limit` utterances."""
    from ttskit.artifacts.build import build

    corpus = extract.corpus
    how, ids = recipe(corpus, extract.settings, limit), {id: id for id in corpus.ids[:limit]}
    return build(output, how, ids, extract, running, source=corpus.name)


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Corpus to measure; - reads standard input.",
        show_default="standard input",
    ),
]
HopLength = Annotated[
    int,
    typer.Option(min=1, max=1 << 16, metavar="SAMPLES", help="Samples from one frame to the next."),
]
NFft = Annotated[
    int,
    typer.Option(
        min=2, max=1 << 16, metavar="SAMPLES", help="Samples in the window of a spectrum."
    ),
]
NMels = Annotated[
    int, typer.Option(min=1, max=1024, metavar="N", help="Bands of the mel spectrogram.")
]
Fmin = Annotated[
    float, typer.Option(min=0, metavar="HZ", help="Lowest frequency of the mel spectrogram.")
]
Fmax = Annotated[
    float | None,
    typer.Option(
        metavar="HZ",
        help="Highest frequency of the mel spectrogram.",
        show_default="8000, or half the sample rate",
    ),
]
F0 = Annotated[
    Method,
    typer.Option(
        metavar="METHOD",
        rich_help_panel=PITCH,
        help="How to track f0: crepe (a neural network), swift (SwiftF0, a small one, of the extra "
        "swift), praat-ac (autocorrelation; also praat) or praat-cc (cross-correlation).",
    ),
]
CrepeOption = Annotated[
    Network,
    typer.Option(
        metavar="NETWORK",
        rich_help_panel=PITCH,
        help="Size of CREPE: full, or tiny, which is about ten times faster and less exact.",
    ),
]
F0Min = Annotated[
    float,
    typer.Option(min=1, metavar="HZ", rich_help_panel=PITCH, help="Lowest f0 to look for."),
]
F0Max = Annotated[
    float,
    typer.Option(
        min=1, max=20_000, metavar="HZ", rich_help_panel=PITCH, help="Highest f0 to look for."
    ),
]
Voiced = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="P",
        rich_help_panel=PITCH,
        help="Periodicity (certainty of f0) that one frame of a voiced stretch must reach.",
    ),
]
Stay = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="P",
        rich_help_panel=PITCH,
        help="Periodicity below which a voiced stretch ends.",
    ),
]
Silence = Annotated[
    float,
    typer.Option(
        min=-200,
        max=200,
        metavar="DB",
        rich_help_panel=PITCH,
        help="Frames quieter than this loudness are unvoiced.",
    ),
]
Praat = Annotated[
    bool,
    typer.Option(
        "--praat",
        help="Measure formants, harmonicity, intensity, jitter and shimmer by Praat, too.",
    ),
]
Reuse = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Earlier Features of the same Corpus: columns whose options have not changed are "
        "copied from there instead of being measured again.",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    hop_length: HopLength = 256,
    n_fft: NFft = 1024,
    n_mels: NMels = 80,
    fmin: Fmin = 0.0,
    fmax: Fmax = None,
    f0: F0 = "crepe",
    crepe: CrepeOption = "full",
    f0_min: F0Min = 50.0,
    f0_max: F0Max = 550.0,
    voiced: Voiced = 0.5,
    stay: Stay = 0.25,
    silence: Silence = -60.0,
    praat: Praat = False,
    reuse: Reuse = None,
    device: Device = "cpu",
    limit: Limit = None,
    jobs: Jobs = 0,
    scheduler: Scheduler = None,
    shard: ShardOption = None,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Measure mel spectrogram, f0, loudness and energy of recordings.

    Examples:
        ttskit features corpus.h5 -o features.h5
        ttskit features corpus.h5 --crepe tiny --jobs 2 -o features.h5
    """
    from ttskit.artifacts import build, describe

    tell = describe.summary(output, as_json)
    corpus, mel = opened(inputs, n_fft, hop_length, n_mels, fmin, fmax)
    pitch = PitchSettings(ALIASES.get(f0, f0), crepe, f0_min, f0_max, voiced, stay, silence)
    extract = extractor(corpus, FeatureSettings(mel, pitch, praat), device, reuse)
    running = build.Running(
        jobs if device == "cpu" else 1, skip_bad, restart, dry_run, scheduler, shard
    )
    tell(write(output, extract, limit, running))
