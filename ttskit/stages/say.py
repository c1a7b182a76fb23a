"""Say: text to speech with a voice, sentence by sentence.

Reads text from its arguments, a file or standard input, line by line; writes audio as it is made.
What is spoken is known to the frame: as times of words and phonemes, which can be edited and
spoken again, and as an account of every word.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ttskit.artifacts import atomic
from ttskit.errors import TtskitError
from ttskit.formats.labels import TIMES, named
from ttskit.options import (
    TAKES,
    TEXT,
    VOICE,
    Candidates,
    Device,
    Guidance,
    Json,
    JudgeOption,
    Knobs,
    Lexicon,
    NoiseScale,
    Rank,
    RefineSteps,
    Rounds,
    Seed,
    Speaker,
    SpeakingPreset,
    StyleFile,
    Threads,
    check_outputs,
    numbered,
    numbers,
    weights,
)

if TYPE_CHECKING:
    import numpy as np

    from ttskit.speaking.chain import Chain, Piece, Style
    from ttskit.speaking.lines import Line
    from ttskit.speaking.takes import Take
    from ttskit.voices.voice import Voice

SOUND = "Output"  # a group of options on the help page
LEAST, MOST = 0.1, 10.0  # of a factor


class Sound(NamedTuple):
    """Where audio goes, if not as a file with a header."""

    raw: bool = False
    play: bool = False


@dataclass
class Report:
    """What was spoken, and how long it took."""

    chain: Chain
    style: Style
    started: float  # when the command was
    keep: bool = True  # whether the lines are kept, for their times
    begun: float = field(default_factory=time.monotonic)  # when the voice was loaded
    first: float = 0.0  # when the first audio was out
    last: float = 0.0  # and the last
    samples: int = 0
    sentences: int = 0
    words: int = 0
    spoken: list[tuple[Line, np.ndarray]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)  # where there were any
    codes: list[np.ndarray] = field(default_factory=list)  # of each line, where they are drawn

    @property
    def rate(self) -> int:
        """Hz."""
        return self.chain.facts.sample_rate

    def add(self, piece: Piece) -> None:
        """Take a piece that is out."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.samples += piece.silence + len(piece.audio)
        self.sentences, self.words = piece.line.sentence, self.words + len(piece.line.words)
        if self.keep:
            self.spoken.append((piece.line, piece.durations))
            if self.chain.judges.judging and piece.chosen:
                self.choices.append({"sentence": piece.line.sentence, **piece.chosen.account()})
        if piece.take is not None:
            self.codes.append(piece.take)

    def code(self) -> str:
        """Return the code of the take that was spoken."""
        from ttskit.speaking import takes

        model = takes.taker(self.chain.cascade.models)
        return takes.Take(takes.fingerprint(model), self.codes).code()

    def summary(self) -> dict[str, Any]:
        """Return how much was spoken, and how fast."""
        seconds = self.samples / self.rate
        return {
            "seconds": round(seconds, 6),
            "sample_rate": self.rate,
            "sentences": self.sentences,
            "words": self.words,
            "load_seconds": round(self.begun - self.started, 3),
            "first_audio_seconds": round(self.first - self.started, 3),
            "real_time_factor": round((self.last - self.begun) / seconds, 4),
            **({"take": self.code()} if self.codes else {}),
        }


def opened(voice: str | None) -> Voice:
    """Open a voice, by name or file."""
    from ttskit.voices import embedded
    from ttskit.voices import voice as voices

    return voices.read(embedded.find(voice))


def lines_of(
    voice: Voice,
    words: Sequence[str],
    file: Path | None,
    ssml: bool,
    phonemes: bool,
    by_line: bool,
    lexicon: Sequence[Path],
    pause: float,
) -> Iterator[Line]:
    """Yield the lines to speak, spelt for the voice, as the text comes in."""
    from ttskit.speaking.lines import to_lines
    from ttskit.speaking.passages import passages

    joined = file is not None and str(file) != "-" and not phonemes and not by_line
    source = passages(words, file, ssml, voice.language == "en-us", joined)
    return to_lines(source, voice.speller(lexicon), phonemes=phonemes, pause=pause)


def edited(chain: Chain, lines: Sequence[Line], style: Style, path: Path) -> Sequence[np.ndarray]:
    """Return the durations of lines as a TextGrid has them."""
    from ttskit.formats import textgrid
    from ttskit.speaking import chain as speaking

    try:
        phones = textgrid.phones(path)
        predicted = [(line, chain.durations(line, style)) for line in lines]
        spoken = chain.timeline(predicted, style)
        return speaking.split(textgrid.fitted(spoken, phones, free=True), lines)
    except TtskitError as error:
        raise type(error)(f"{path}: {error}") from error


def planned(
    chain: Chain,
    lines: Iterable[Line],
    style: Style,
    grid: Path | None,
    seconds: float | None,
    take: Take | None,
) -> Iterator[Piece]:
    """Yield pieces: as predicted, as a TextGrid has them, or fitted into `seconds`."""
    from ttskit.speaking import chain as speaking

    if grid is None and seconds is None:
        yield from speaking.pieces(chain, lines, style, take=take)
        return
    lines = list(lines)
    if not any(line.words for line in lines):
        raise TtskitError(speaking.NO_WORD)
    if grid is not None:
        durations = edited(chain, lines, style, grid)
    else:
        durations = speaking.stretched(chain, lines, style, seconds or 0.0)
    yield from speaking.pieces(chain, lines, style, durations, take)


def write(
    pieces: Iterator[Piece], output: Path | None, report: Report, sound: Sound, seconds: float
) -> None:
    """Write each piece as soon as it is made, and silence until it lasts `seconds`."""
    from ttskit.speaking.chain import quiet
    from ttskit.speaking.output import open_sound

    with open_sound(output, report.rate, sound.raw, sound.play) as out:
        for piece in pieces:
            for block in piece.blocks():
                out(block)
            report.add(piece)
        for block in quiet(round(seconds * report.rate) - report.samples):
            out(block)
            report.samples += len(block)


def speak(
    report: Report,
    lines: Iterable[Line],
    grid: Path | None,
    seconds: float | None,
    output: Path | None,
    sound: Sound,
    take: Take | None = None,
) -> None:
    """Speak lines to a file or a player; or to standard output, whose reader may stop early."""
    from ttskit.speaking.output import is_file, quietly

    report.chain.check(report.style)  # before a file is opened
    pieces = planned(report.chain, lines, report.style, grid, seconds, take)
    go: Callable[[], None] = partial(write, pieces, output, report, sound, seconds or 0.0)
    go() if sound.play or is_file(output) else quietly(go)


def write_times(report: Report, timing: Path | None, manifest: Path | None) -> None:
    """Write the times of what was spoken, and the account of every word."""
    from ttskit.speaking.lines import account

    if timing is None and manifest is None:
        return
    timeline = report.chain.timeline(report.spoken, report.style)
    rows = [*report.choices, *account(timeline, report.spoken)]
    if timing is not None:
        atomic.write_text(timing, TIMES[named(timing)].text(timeline))
    if manifest is not None:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        atomic.write_text(manifest, "".join(lines))


def tell(report: Report, timing: Path | None, manifest: Path | None, as_json: bool) -> None:
    """Write the files about what was spoken, and print the summary on request."""
    write_times(report, timing, manifest)
    if as_json:
        typer.echo(json.dumps(report.summary()))


def check(
    words: Sequence[str],
    file: Path | None,
    ssml: bool,
    phonemes: bool,
    output: Path | None,
    as_json: bool,
    sound: Sound,
) -> None:
    """Refuse what cannot be, as wrong usage, before anything is loaded."""

    if words and file:
        raise typer.BadParameter("text and --file: give one of them")
    if not words and not file and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("no text: give some, or --file, or send it to standard input")
    if ssml and phonemes:
        raise typer.BadParameter("--ssml and --phonemes: give one of them")
    check_output(output, as_json, sound)


def check_output(output: Path | None, as_json: bool, sound: Sound) -> None:
    """Refuse an output that audio cannot go to."""
    from ttskit.speaking.output import check_sound, is_file
    from ttskit.speaking.player import player

    if sound.play:
        if output is not None or sound.raw:
            raise typer.BadParameter("--play goes without -o and --raw")
        player()
        return
    if as_json and not is_file(output):
        raise typer.BadParameter("--json and audio can't both go to standard output: add -o FILE")
    if output is None and sys.stdout is not None and sys.stdout.isatty():
        raise typer.BadParameter("audio is not for a terminal: add --play or -o FILE")
    check_sound(output, sound.raw)


def regenerated(regenerate: str | None) -> Counter[int]:
    """Return by sentence how often it is to be spoken anew."""
    try:
        numbers = [int(number) for number in regenerate.split(",")] if regenerate else []
    except ValueError:
        numbers = [0]
    if any(number < 1 for number in numbers):
        raise typer.BadParameter(f"--regenerate {regenerate}: needs numbers of sentences, as 3,7")
    return Counter(numbers)


def check_times(
    timing: Path | None, manifest: Path | None, grid: Path | None, seconds: float | None
) -> None:
    """Refuse times that cannot be written or kept."""
    if timing is not None and not named(timing):
        there = ", ".join(form.suffix for form in TIMES.values())
        raise typer.BadParameter(f"--timing {timing}: needs a suffix of {there}")
    if grid is not None and seconds is not None:
        raise typer.BadParameter("--textgrid and --duration: give one of them")
    for path in (timing, manifest):
        if path is not None and not path.parent.is_dir():
            raise TtskitError(f"{path}: the folder {path.parent} is not there; make it first")
    if grid is not None and not grid.is_file():
        raise TtskitError(f"{grid}: no such file")


def factor(text: str) -> float:
    """Read a factor, as 1.2 or 120%."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not LEAST <= value <= MOST:
        raise typer.BadParameter(f"{text!r}: needs a factor from 0.1 to 10, such as 1.2 or 120%")
    return value


Text = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEXT...", help="Text to speak.", show_default="standard input, line by line"
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=SOUND,
        help="Audio file to write: .wav, .flac, .ogg, .opus or .mp3; - writes to standard output.",
        show_default="standard output",
    ),
]
VoiceOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        rich_help_panel=VOICE,
        help="Voice that comes with ttskit (see `ttskit voices`), or a Voice file.",
        show_default="kathleen",
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        rich_help_panel=TEXT,
        help="File with the text to speak: its lines are joined to paragraphs, which empty "
        "lines part.",
    ),
]
Lines = Annotated[
    bool,
    typer.Option(
        "--lines",
        rich_help_panel=TEXT,
        help="Speak each line of --file by itself, as those of standard input.",
    ),
]
Phonemes = Annotated[
    bool,
    typer.Option(
        "--phonemes",
        rich_help_panel=TEXT,
        help="The text is phonemes, as `ttskit text --phonemes` prints them.",
    ),
]
Ssml = Annotated[
    bool, typer.Option("--ssml", rich_help_panel=TEXT, help="The text is SSML markup.")
]
Rate = Annotated[
    float,
    typer.Option(
        "--rate",
        parser=factor,
        min=LEAST,
        max=MOST,
        metavar="FACTOR",
        rich_help_panel=VOICE,
        help="Speed: 1.2, or 120%, is 20 % faster.",
    ),
]
LengthScale = Annotated[
    float,
    typer.Option(
        parser=factor,
        min=LEAST,
        max=MOST,
        metavar="FACTOR",
        rich_help_panel=VOICE,
        help="Multiply durations by this, as in decode: 1.2 is slower; it divides --rate.",
    ),
]
Pitch = Annotated[
    float,
    typer.Option(
        min=-24,
        max=24,
        metavar="SEMITONES",
        rich_help_panel=VOICE,
        help="Raise the pitch by this many semitones; needs a decoder trained with pitch.",
    ),
]
Energy = Annotated[
    float,
    typer.Option(
        min=-40,
        max=40,
        metavar="DB",
        rich_help_panel=VOICE,
        help="Make the voice louder by this many dB.",
    ),
]
Pause = Annotated[
    float,
    typer.Option(
        min=0,
        max=60,
        metavar="SECONDS",
        rich_help_panel=VOICE,
        help="Pause between sentences; between paragraphs it is three times as long.",
    ),
]
Iterations = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1000,
        metavar="N",
        rich_help_panel=VOICE,
        help="Passes in which a coder mamba fills in its codes, at most.",
        show_default="8",
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=86_400,
        metavar="SECONDS",
        rich_help_panel=VOICE,
        help="Fit the whole text into exactly this time.",
    ),
]
Textgrid = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=VOICE,
        help="TextGrid that sets how long each phoneme lasts: written by --timing for the "
        "same text, then edited.",
    ),
]
Timing = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=SOUND,
        help="File for the times of words and phonemes, in the format of its suffix: "
        ".TextGrid, .ctm, .json, .srt, .vtt, .txt (Audacity).",
    ),
]
Manifest = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=SOUND,
        help="File for one JSON object per word: sentence, word, start and stop in seconds; and "
        "one per line that was chosen among candidates.",
    ),
]
Reference = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLIP",
        rich_help_panel=VOICE,
        help="Recording to sound like, of a voice whose coder was trained with references; "
        "a.wav:0.7,b.wav:0.3 mixes two. May be repeated.",
    ),
]
Regenerate = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBERS",
        rich_help_panel=VOICE,
        help="Speak these sentences anew, as 3,7, and the others as before; 3,3 takes the third "
        "sentence a third time.",
    ),
]
Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        rich_help_panel=SOUND,
        help="Write 16-bit samples without a header, to standard output or the file of -o.",
    ),
]
Play = Annotated[
    bool,
    typer.Option(
        "--play",
        rich_help_panel=SOUND,
        help="Play the audio instead, by a program that is there: aplay, paplay, ffplay, play "
        "or mpv.",
    ),
]


TakeOption = Annotated[
    str | None,
    typer.Option(
        "--take",
        metavar="CODE|FILE",
        rich_help_panel=TAKES,
        help="Speak a take again, by its code or a file that holds it: of the same text, voice and "
        "speed.",
    ),
]
Takes = Annotated[
    int | None,
    typer.Option(
        "--takes",
        min=1,
        max=1000,
        metavar="N",
        rich_help_panel=TAKES,
        help="Speak N takes, each with a seed of its own, and print the file and the code of each: "
        "the output has {n} in its name. Needs a voice with a ddn decoder.",
    ),
]


def check_takes(take: str | None, takes: int | None, output: Path | None) -> None:
    """Refuse options of takes that do not go together."""
    from ttskit.speaking.output import is_file

    if take and takes:
        raise typer.BadParameter("--take and --takes: give one of them")
    if takes and not is_file(output):
        raise typer.BadParameter("--takes prints codes on standard output: add -o FILE")


def command(
    text: Text = None,
    output: Output = None,
    voice: VoiceOption = None,
    file: File = None,
    phonemes: Phonemes = False,
    ssml: Ssml = False,
    lines: Lines = False,
    lexicon: Lexicon = None,
    rate: Rate = "1",  # type: ignore[assignment]  # a parser gets it
    length_scale: LengthScale = "1",  # type: ignore[assignment]
    pitch: Pitch = 0.0,
    energy: Energy = 0.0,
    pause: Pause = 0.25,
    noise_scale: NoiseScale = None,
    steps: RefineSteps = None,
    guidance: Guidance = None,
    preset: SpeakingPreset = "",
    rounds: Rounds = None,
    knob: Knobs = None,
    candidates: Candidates = 1,
    rank: Rank = None,
    judge: JudgeOption = None,
    regenerate: Regenerate = None,
    iterations: Iterations = None,
    style: StyleFile = None,
    reference: Reference = None,
    speaker: Speaker = "",
    seed: Seed = 0,
    take: TakeOption = None,
    takes: Takes = None,
    duration: Seconds = None,
    textgrid: Textgrid = None,
    timing: Timing = None,
    manifest: Manifest = None,
    raw: Raw = False,
    play: Play = False,
    device: Device = "cpu",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Speak text, sentence by sentence.

    Examples:
        ttskit say "Hello there." -o hello.wav
        ttskit say -f book.txt --rate 110% -o book.ogg --timing book.srt
    """
    started = time.monotonic()
    sound = Sound(raw, play)
    check(text or (), file, ssml, phonemes, output, as_json, sound)
    check_times(timing, manifest, textgrid, duration)
    check_takes(take, takes, output)
    outputs = numbered(output, takes or 1)
    check_outputs(
        {
            "--output": None if play else output or Path("-"),
            "--timing": timing,
            "--manifest": manifest,
        },
        [file, textgrid, style, *(lexicon or ()), Path(voice) if voice else None],
    )
    from ttskit.dsp.threads import limited, to_speak
    from ttskit.metrics.intelligibility import listener
    from ttskit.speaking import takes as coded
    from ttskit.speaking.candidates import choice_of
    from ttskit.speaking.chain import Chain, Style
    from ttskit.speaking.passages import note_file

    knobs, again = numbers("--knob", knob or (), "=", None), regenerated(regenerate)
    if iterations is not None:
        knobs = {**knobs, "iterations": iterations}
    choice = choice_of(candidates, weights(rank), judge or (), listener)
    rate /= length_scale
    given = coded.read(take) if take else None
    loaded = opened(voice)
    note_file(text or ())
    lexicons = lexicon or ()
    script = lines_of(loaded, text or (), file, ssml, phonemes, lines, lexicons, pause / rate)
    manner = Style(
        rate,
        pitch,
        energy,
        noise_scale,
        speaker,
        seed,
        rounds,
        steps,
        guidance,
        preset,
        others=knobs,
        clips=tuple(reference or ()),
        takes=again,
        style=style,
    )
    spoken = list(script) if len(outputs) > 1 else script
    with limited(to_speak(threads)):
        keep = timing is not None or manifest is not None
        chain = Chain(loaded, device, choice)
        if takes:
            coded.taker(chain.cascade.models)
        for number, path in enumerate(outputs):
            report = Report(chain, replace(manner, seed=seed + number), started, keep)
            speak(report, spoken, textgrid, duration, path, sound, given)
            tell(report, timing, manifest, as_json)
            if takes and not as_json:
                typer.echo(f"{path}\t{report.code()}")
