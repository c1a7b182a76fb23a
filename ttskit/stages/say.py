"""Say: text to speech with a voice, sentence by sentence.

Reads text from its arguments, a file or standard input, line by line; writes audio as it is made.
What is spoken is known to the frame: as times of words and phonemes, which can be edited and
spoken again, and as an account of every word.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from ttskit.errors import TtskitError
from ttskit.formats.labels import TIMES, named
from ttskit.options import (
    TAKES,
    TEXT,
    VOICE,
    Candidates,
    Clips,
    Device,
    Emoji,
    Guidance,
    Json,
    JudgeOption,
    Knobs,
    Lexicon,
    NoiseScale,
    Rank,
    RefineSteps,
    Restart,
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

SOUND = "Output"  # a group of options on the help page
LEAST, MOST = 0.1, 10.0  # of a factor


def check_text(words: Sequence[str], file: Path | None, ssml: bool, phonemes: bool) -> None:
    """Refuse, as wrong usage, texts that there are none of or too many."""
    if words and file and file.suffix.lower() in (".wav", ".mp3", ".flac", ".ogg", ".opus"):
        raise typer.BadParameter(f"-f reads a text: write the audio with -o {file}")
    if words and file:
        raise typer.BadParameter("text and --file: give one of them")
    if not words and not file and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("no text: give some, or --file, or send it to standard input")
    if ssml and phonemes:
        raise typer.BadParameter("--ssml and --phonemes: give one of them")


def check_output(output: Path | None, as_json: bool, raw: bool, play: bool) -> None:
    """Refuse an output that audio cannot go to."""
    from ttskit.speaking.output import check_sound, is_file
    from ttskit.speaking.player import player

    if play:
        if output is not None or raw:
            raise typer.BadParameter("--play goes without -o and --raw")
        player()
        return
    if as_json and not is_file(output):
        raise typer.BadParameter("--json and audio can't both go to standard output: add -o FILE")
    if output is None and sys.stdout is not None and sys.stdout.isatty():
        raise typer.BadParameter("audio is not for a terminal: add --play or -o FILE")
    check_sound(output, raw)


def regenerated(regenerate: str | None) -> list[int]:
    """Return the sentences that are to be spoken anew."""
    try:
        numbers = [int(number) for number in regenerate.split(",")] if regenerate else []
    except ValueError:
        numbers = [0]
    if any(number < 1 for number in numbers):
        raise typer.BadParameter(f"--regenerate {regenerate}: needs numbers of sentences, as 3,7")
    return numbers


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
        "lines part. The cues of subtitles, .srt or .vtt, begin at their times.",
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
Lenient = Annotated[
    bool,
    typer.Option(
        "--lenient",
        rich_help_panel=TEXT,
        help="Leave elements and attributes of SSML that cannot be spoken out, with a note, "
        "instead of refusing them.",
    ),
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
PitchRange = Annotated[
    float,
    typer.Option(
        min=0,
        max=4,
        metavar="FACTOR",
        rich_help_panel=VOICE,
        help="Let the pitch move so many times as far from its middle: 1.5 is livelier, 0 is "
        "monotone; needs a decoder trained with pitch.",
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


Engine = Annotated[
    Literal["torch", "onnx"],
    typer.Option(
        metavar="NAME",
        rich_help_panel=VOICE,
        help="What computes the models: torch, or onnx (the extra onnx), which starts sooner.",
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


def check_takes(
    take: str | None, takes: int | None, output: Path | None, noise_scale: float | None
) -> None:
    """Refuse options of takes that do not go together."""
    from ttskit.speaking.choices import one_take
    from ttskit.speaking.output import is_file

    if take is not None and takes:
        raise typer.BadParameter("--take and --takes: give one of them")
    if takes and not is_file(output):
        raise typer.BadParameter("--takes prints codes on standard output: add -o FILE")
    if takes and takes > 1 and noise_scale == 0:
        raise typer.BadParameter(one_take(takes, "--noise-scale 0"))


def command(
    text: Text = None,
    output: Output = None,
    voice: VoiceOption = None,
    file: File = None,
    phonemes: Phonemes = False,
    ssml: Ssml = False,
    lenient: Lenient = False,
    lines: Lines = False,
    lexicon: Lexicon = None,
    emoji: Emoji = False,
    rate: Rate = "1",  # type: ignore[assignment]  # a parser gets it
    length_scale: LengthScale = "1",  # type: ignore[assignment]
    pitch: Pitch = 0.0,
    pitch_range: PitchRange = 1.0,
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
    reference: Clips = None,
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
    engine: Engine = "torch",
    threads: Threads = None,
    restart: Restart = False,
    as_json: Json = False,
) -> None:
    """Speak text, sentence by sentence.

    Examples:
        ttskit say "Hello there." -o hello.wav
        ttskit say -f book.txt --rate 110% -o book.ogg --timing book.srt
    """
    started = time.monotonic()
    check_text(text or (), file, ssml, phonemes)
    check_output(output, as_json, raw, play)
    check_times(timing, manifest, textgrid, duration)
    check_takes(take, takes, output, noise_scale)
    outputs = numbered(output, takes or 1)
    written = {"--output": None if play else output or Path("-")}
    inputs = [file, textgrid, style, *(lexicon or ()), Path(voice) if voice else None]
    check_outputs({**written, "--timing": timing, "--manifest": manifest}, inputs)
    from ttskit.dsp.threads import limited, to_speak
    from ttskit.metrics.intelligibility import listener
    from ttskit.speaking.delivery import Sound, deliver
    from ttskit.speaking.passages import TextSource, note_file
    from ttskit.speaking.report import Report
    from ttskit.speaking.voice import Voice

    loaded = Voice(voice, device=device, engine=engine)
    note_file(text or ())
    with limited(to_speak(threads)):
        speech = loaded.speech(
            TextSource(text or (), file, ssml, phonemes, lines, lenient),
            rate=rate / length_scale,
            pitch=pitch,
            pitch_range=pitch_range,
            energy=energy,
            pause=pause,
            speaker=speaker,
            lexicon=lexicon or (),
            emoji=emoji,
            duration=duration,
            textgrid=textgrid,
            style=style,
            reference=reference or (),
            noise_scale=noise_scale,
            rounds=rounds,
            steps=steps,
            guidance=guidance,
            iterations=iterations,
            preset=preset,
            others=numbers("--knob", knob or (), "=", None),
            candidates=candidates,
            rank=weights(rank),
            judges=judge or (),
            regenerate=regenerated(regenerate),
            take=take,
            recogniser=listener,
        )
        if takes:
            speech.check_takes()
            speech = replace(speech, lines=list(speech.lines))
        for number, path in enumerate(outputs):
            one = speech.seeded(seed + number)
            report = Report(one, started, keep=bool(timing or manifest))
            deliver(one, report, Sound(path, raw, play), restart)
            report.write_times(timing, manifest)
            if as_json:
                typer.echo(json.dumps(report.summary()))
            elif takes:
                typer.echo(f"{path}\t{report.code()}")
