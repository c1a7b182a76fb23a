"""Corpus: a dataset of recordings and transcripts becomes one artifact.

Reads a dataset folder or file in any of the formats of `ttskit.datasets`; writes a Corpus: mono
16-bit audio at one sample rate, with the texts unchanged.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import wording
from ttskit.errors import AudioError, LeftOut, TtskitError
from ttskit.options import (
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

    from ttskit.artifacts.build import Recipe
    from ttskit.artifacts.kinds import Corpus
    from ttskit.datasets import Clip, Dataset
    from ttskit.formats.audio import Info

REVISION = 1
PART = 600.0  # seconds of a long recording that are read in one go
CLIPPED = 0.001  # of the samples: the overshoot that resampling or lossy coding may add


@dataclass(frozen=True)
class Settings:
    """The processing of every recording."""

    sample_rate: int = 22050  # Hz
    trim: bool = False
    peak: float | None = None  # dBFS
    min_seconds: float = 0.0
    max_seconds: float | None = None
    speaker: str = ""  # where the dataset names none


def utterance(clip: Clip, settings: Settings) -> Corpus:
    """Read one clip and process it as the settings say."""
    from ttskit.artifacts.kinds import Corpus
    from ttskit.dsp.samples import normalise_peak, resample, to_int16, trim
    from ttskit.formats import audio

    if settings.max_seconds is not None and not settings.trim:
        _check_longest(_seconds(clip, audio.info(clip.audio)), settings, 1 / settings.sample_rate)
    samples, rate = audio.read(clip.audio, clip.start, clip.end)
    samples = resample(samples, rate, settings.sample_rate)
    if settings.trim:
        samples = trim(samples, settings.sample_rate)
    seconds = len(samples) / settings.sample_rate
    if seconds < settings.min_seconds:
        raise LeftOut(f"lasts {seconds:.2f} s, less than --min-seconds {settings.min_seconds:g}")
    _check_longest(seconds, settings)
    if settings.peak is not None:
        samples = normalise_peak(samples, settings.peak)
    whole, clipped = to_int16(samples)
    if clipped > CLIPPED * len(whole):
        raise AudioError(
            f"{clipped} samples are beyond full scale; scale it with --peak", file=clip.audio
        )
    if not whole.any():
        raise AudioError("nothing is left of it in 16 bit: too short or too quiet", file=clip.audio)
    speaker = clip.speaker or settings.speaker
    return Corpus(id=clip.id, speaker=speaker, text=clip.text, audio=whole)


def searched(recording: Path, text: Path, path: Path | None, peak: float | None) -> Dataset:
    """Return the sentences of a text that an aligner finds in a recording, scaled to a peak."""
    import numpy as np

    from ttskit.datasets import searched
    from ttskit.dsp.samples import normalise_peak
    from ttskit.text.spelling import Speller
    from ttskit.voices import finding

    if path is None:
        return measured(recording, text)
    model = finding.reader(path)
    symbols, language = model.facts.symbols, model.spoken_in(None)
    speller = Speller(language, table=symbols)

    def find(sentences: Sequence[str]) -> Sequence[tuple[int, float, float]]:
        samples = read_whole(recording, model.facts.sample_rate)
        if peak is not None:
            samples = normalise_peak(samples, peak)
        spelt = [speller.spell(one).tokens[1:-1] for one in sentences]
        tokens = [np.array([symbols.index(symbol) for symbol in one], int) for one in spelt]
        return finding.find(model, samples, tokens)

    return searched.read(recording, text, language, find)


def measured(recording: Path, text: Path) -> Dataset:
    """Return the sentences of a text, where they are in a recording by their lengths alone."""
    import numpy as np

    from ttskit.datasets import folder, searched
    from ttskit.dsp import lengths
    from ttskit.text.detection import detected

    likely = detected([folder.text(text)])
    language = likely.code if likely and likely.code else "en-us"

    def find(sentences: Sequence[str]) -> Sequence[tuple[int, float, float]]:
        letters = np.array([2 + sum(map(str.isalnum, one)) for one in sentences], float)
        return lengths.find(lengths.pauses(read_whole(recording, 8000), 8000), letters)

    found = searched.read(recording, text, language, find)
    rough = (
        "cut by the lengths of sentences and by pauses, so some are wrong: train an aligner on "
        "these, and give its file to --aligner to cut anew"
    )
    return replace(found, notes=(*found.notes, rough))


def read_whole(recording: Path, rate: int) -> np.ndarray:
    """Read a long recording in parts, at another sample rate."""
    import numpy as np

    from ttskit.dsp.samples import resample
    from ttskit.formats import audio

    own, _, frames = audio.info(recording)
    edges = [*np.arange(0, frames / own, PART), frames / own]
    parts = [audio.read(recording, *span)[0] for span in itertools.pairwise(edges)]
    return np.concatenate([resample(one, own, rate) for one in parts])


def _check_longest(seconds: float, settings: Settings, slack: float = 0.0) -> None:
    """Leave out what is too long, by more than `slack` seconds."""
    if settings.max_seconds is not None and seconds > settings.max_seconds + slack:
        raise LeftOut(f"lasts {seconds:.2f} s, more than --max-seconds {settings.max_seconds:g}")


def _seconds(clip: Clip, header: Info) -> float:
    """Return how long a clip lasts by the header of its file."""
    end = header.frames / header.rate if clip.end is None else clip.end
    return end - (clip.start or 0.0)


def explain(dataset: Dataset) -> Iterator[str]:
    """Yield lines that describe a dataset, from the headers of its files alone."""
    from ttskit.formats import audio

    seconds, rates, unreadable = 0.0, Counter[str](), 0
    for clip in dataset.clips:
        try:
            header = audio.info(clip.audio)
        except AudioError:
            unreadable += 1
            continue
        seconds += _seconds(clip, header)
        rates[f"{header.rate} Hz, {_channels(header.channels)}"] += 1
    yield f"{dataset.root}: {dataset.format}"
    yield f"  utterances  {len(dataset.clips)}"
    yield f"  hours       {seconds / 3600:.4f}"
    yield f"  speakers    {_counted(clip.speaker for clip in dataset.clips)}"
    if any(dataset.parts.values()):
        yield f"  parts       {_counted(dataset.parts[clip.id] for clip in dataset.clips)}"
    for sort, number in rates.most_common():
        yield f"  audio       {sort}: {wording.count(number, 'file')}"
    if unreadable:
        yield f"  unreadable  {wording.count(unreadable, 'file')}"
    for note in dataset.notes:
        yield f"  note        {note}"
    for id, reason in dataset.bad:
        yield f"  bad         {id}: {reason}"


def _counted(names: Iterable[str]) -> str:
    """Return how many names there are, and those that come most often."""
    counts = Counter(names)
    most = ", ".join(f"{name or '(none)'} {count}" for name, count in counts.most_common(8))
    return f"{len(counts)}: {most}{' ...' if len(counts) > 8 else ''}"


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def announce(dataset: Dataset, path: Path) -> None:
    """Note what is odd about a dataset; refuse one without a recording."""
    from ttskit import progress

    for line in dataset.notes:
        progress.note(f"{path}: {line}")
    if not dataset.clips and not dataset.bad:
        raise TtskitError("holds no recording", file=path)


def recipe_of(dataset: Dataset, settings: Settings, options: Mapping[str, Any]) -> Recipe:
    """Return what determines the Corpus of a dataset, or of a part of it."""
    from ttskit import datasets
    from ttskit.artifacts.build import Recipe
    from ttskit.artifacts.kinds import Corpus

    return Recipe(
        stage="corpus",
        revision=REVISION,
        kind=Corpus,
        options={**asdict(settings), **options},
        inputs=[datasets.digest(dataset)],
        attributes={"sample_rate": settings.sample_rate},
    )


DatasetOption = Annotated[
    Path,
    typer.Argument(metavar="DATASET", help="Folder or file of recordings and their texts."),
]
Format = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="Layout of the dataset: ljspeech, libritts, vctk, pairs (NAME.wav beside "
        "NAME.txt), manifest (CSV, TSV, JSONL), recording (one long one with its "
        "transcription), kaldi (wav.scp and text), lhotse (cuts), parquet (and Arrow).",
        show_default="detected",
    ),
]
ExplainOnly = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Print the format, hours, speakers and oddities of the dataset, and stop.",
    ),
]
Text = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Text of one long recording, without times: --aligner looks for its sentences; "
        "without one they are cut by their lengths.",
    ),
]
AlignerOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="With --text: an aligner of the language, best of the same speaker.",
    ),
]
Part = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Read only this standard split of the dataset, such as test-clean of LibriTTS; "
        "--explain lists them.",
        show_default="all of it",
    ),
]
SampleRate = Annotated[
    int,
    typer.Option(
        min=1000,
        max=768_000,
        metavar="HZ",
        help="Sample rate of the result: recordings are resampled.",
    ),
]
Trim = Annotated[
    bool, typer.Option("--trim", help="Cut silence at both ends, keeping 0.1 s of it.")
]
Peak = Annotated[
    float | None,
    typer.Option(
        min=-60,
        max=0,
        metavar="DB",
        help="Scale each recording so that its largest sample is at this level, in dB below "
        "full scale.",
        show_default="as recorded",
    ),
]
MinSeconds = Annotated[
    float,
    typer.Option(min=0, metavar="SECONDS", help="Leave out recordings shorter than this."),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Leave out recordings longer than this."),
]
Speaker = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Speaker of the recordings for which the dataset names none."
    ),
]


PerSpeaker = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Use only the first N utterances of each speaker."),
]


def command(
    dataset: DatasetOption,
    output: Output = None,
    format: Format = None,
    part: Part = "",
    text: Text = None,
    aligner: AlignerOption = None,
    explain_only: ExplainOnly = False,
    sample_rate: SampleRate = 22050,
    trim: Trim = False,
    peak: Peak = None,
    min_seconds: MinSeconds = 0.0,
    max_seconds: MaxSeconds = None,
    speaker: Speaker = "",
    per_speaker: PerSpeaker = None,
    limit: Limit = None,
    jobs: Jobs = 0,
    scheduler: Scheduler = None,
    shard: ShardOption = None,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read a dataset of recordings and texts into one Corpus.

    Examples:
        ttskit corpus LJSpeech-1.1 --explain
        ttskit corpus recordings --sample-rate 16000 --trim -o corpus.h5
    """
    from ttskit import datasets
    from ttskit.artifacts import describe
    from ttskit.artifacts.build import Running, build

    tell = describe.summary(output, as_json)
    found = searched(dataset, text, aligner, peak) if text else datasets.understand(dataset, format)
    chosen = found.part(part) if part else found
    first = chosen.first(limit, per_speaker)
    if explain_only:
        typer.echo("\n".join(explain(first)))
        return
    settings = Settings(sample_rate, trim, peak, min_seconds, max_seconds, speaker)
    kept = {"part": part, "per_speaker": per_speaker}
    options = {"limit": limit} | {name: value for name, value in kept.items() if value}
    recipe = recipe_of(found, settings, options)
    announce(first, dataset)
    clips, bad = {clip.id: clip for clip in first.clips}, dict(first.bad)
    make, running = (
        partial(utterance, settings=settings),
        Running(jobs, skip_bad, restart, dry_run, scheduler, shard),
    )
    tell(build(output, recipe, clips, make, running, source=str(dataset), bad=bad))
