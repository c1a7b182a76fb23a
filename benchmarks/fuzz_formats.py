"""Coverage-guided fuzzing of everything that parses a file: texts, and the artifacts themselves.

    python -m benchmarks.fuzz_formats --seed 1 --count ssml=300000 --count index=100000

An input that reaches a step between two lines of ttskit that none before it has reached is kept,
and is mutated in its turn.  Inputs are read in forked processes, some thousands in each.  What is
neither read nor refused in one line, a signal, more than 2 s of processor time, or 300 MB beyond
what the process has, is a find: it is printed with its bytes.  The same seed gives the same inputs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import os
import pickle
import random
import re
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.fuzz_artifacts import STAGES, mutate, seeds
from tests.factory import SYMBOLS, alignment_record
from ttskit import settings
from ttskit.artifacts import hdf5
from ttskit.artifacts.describe import describe
from ttskit.artifacts.kinds import read as read_artifact
from ttskit.artifacts.kinds import reader_of
from ttskit.artifacts.unfinished import INDEX, Unfinished, folder_of
from ttskit.datasets import manifest
from ttskit.errors import DatasetError, TtskitError
from ttskit.formats import textgrid
from ttskit.formats.timeline import Timeline
from ttskit.stages import info, verify
from ttskit.text import lexicon, lines, ssml
from ttskit.text.symbols import symbols
from ttskit.training.configuration import configuration

MEGABYTES, SECONDS = 300, 2
BATCH = 4000  # inputs that one process reads
TRACED = 10_000  # inputs whose steps are all looked at; of later ones, of every fourth
LONGEST = 1 << 20  # bytes of an input that the parent can still show
FAST = Path("/dev/shm")  # where files cost little
PACKAGE = str(Path(settings.__file__).parent)
ODD = (b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"-1", b"0", b"1e999", b"nan", b"9" * 400,
       b"99999999999", b"0.5", "é🎵\u2028".encode(), b" " * 99, b"[" * 2000, b"\t",
       b'"')  # fmt: skip


@dataclass
class Target:
    """A parser: how it reads an input, what it starts from, and the words of its language."""

    read: Callable[[bytes], object]
    seeds: list[bytes]
    words: Sequence[bytes] = ()
    change: Callable[[random.Random, bytes], bytes] | None = None  # instead of changing bytes
    whole: bool = False  # whether `change` needs an input that is not refused


def changed(rng: random.Random, data: bytes, words: Sequence[bytes], other: bytes) -> bytes:
    """Return a few random changes of an input."""
    for _ in range(1 << rng.randrange(4)):
        start = rng.randrange(len(data) + 1)
        stop = min(len(data), start + rng.randrange(1 << rng.randrange(8)))
        how = rng.randrange(7)
        if how == 0:  # another byte
            data = data[:start] + bytes([rng.randrange(256)]) + data[start + 1 :]
        elif how == 1:
            data = data[:start] + data[stop:]
        elif how == 2:  # repeated
            data = data[:stop] + data[start:stop] * (1 << rng.randrange(6)) + data[stop:]
        elif how == 3:  # another part of the same input, or of another one
            source = rng.choice((data, other))
            at = rng.randrange(len(source) + 1)
            data = data[:start] + source[at : at + rng.randrange(64)] + data[stop:]
        else:
            new = rng.choice(words if words and how > 4 else ODD)
            data = data[:start] + new + data[start if rng.random() < 0.5 else stop :]
    return data[:LONGEST]


Step = tuple[str, int, int]  # file, line before, line


class Steps:
    """The steps from line to line of ttskit's code, as far as they are seen for the first time."""

    def __init__(self) -> None:
        self.seen: set[Step] = set()
        self.new: set[Step] = set()  # that the last input has made for the first time
        self.last: dict[FrameType, int] = {}

    def __enter__(self) -> Steps:
        self.new.clear()
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        self.last.clear()
        self.seen |= self.new

    def _called(self, frame: FrameType, _: str, __: Any) -> Any:
        return self._moved if frame.f_code.co_filename.startswith(PACKAGE) else None

    def _moved(self, frame: FrameType, _: str, __: Any) -> Any:
        line = frame.f_lineno
        step = frame.f_code.co_filename, self.last.get(frame, 0), line
        if step not in self.seen:
            self.new.add(step)
        self.last[frame] = line
        return self._moved


@dataclass
class Tally:
    """What came of the inputs of a target."""

    inputs: int = 0
    refused: int = 0
    steps: int = 0
    finds: dict[str, bytes] = field(default_factory=dict)  # what is wrong -> the first input


def fault(target: Target, data: bytes) -> tuple[bool, str]:
    """Read an input; return whether it is refused, and what is wrong with how."""
    try:
        target.read(data)
    except TtskitError as error:
        text = str(error)
        return True, f"more than one line: {text[:200]!r}" if "\n" in text else ""
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)
        own = [f"{Path(x.filename).name}:{x.lineno}" for x in where if PACKAGE in x.filename]
        return False, f"{type(error).__name__}: {str(error)[:100]} at {(own or ['?'])[-1]}"
    return False, ""


@dataclass
class Kept:
    """Inputs that made new steps: those that are read, from which most others are made; refused."""

    read: list[bytes]
    refused: list[bytes] = field(default_factory=list)

    def one(self, rng: random.Random) -> bytes:
        """Return one of them."""
        return rng.choice(self.refused if self.refused and rng.random() < 0.2 else self.read)


def batch(target: Target, kept: Kept, steps: Steps, seed: int, numbers: range,
          stop: float, board: mmap.mmap, send: int) -> None:  # fmt: skip
    """Read inputs, in a forked process; send the parent what is worth keeping, or is wrong."""
    status = Path("/proc/self/status").read_text()
    held = int(re.search(r"VmData:\s+(\d+)", status)[1]) << 10  # type: ignore[index]
    resource.setrlimit(resource.RLIMIT_DATA, (held + (MEGABYTES << 20),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with os.fdopen(send, "wb") as pipe:
        for number in numbers:
            if time.monotonic() > stop:
                return
            rng = random.Random((seed << 32) + number)
            if target.change:
                made = target.change(rng, rng.choice(kept.read) if target.whole else kept.one(rng))
            else:
                made = changed(rng, kept.one(rng), target.words, kept.one(rng))
            board[:12] = struct.pack("<qi", number, min(len(made), LONGEST))
            board[12 : 12 + min(len(made), LONGEST)] = made[:LONGEST]
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            watched = number < TRACED or number % 4 == 0
            with steps if watched else contextlib.nullcontext():
                refused, wrong = fault(target, made)
            signal.setitimer(signal.ITIMER_PROF, 0)
            new = {*steps.new} if watched else set()
            if new:
                (kept.refused if refused else kept.read).append(made)
            if new or wrong or refused:
                pickle.dump((made if new or wrong else b"", new, refused, wrong), pipe)


def fuzz(target: Target, seed: int, count: int, seconds: float) -> Tally:
    """Read `count` inputs of a target, or as many as there is time for."""
    tally, steps, kept = Tally(), Steps(), Kept([*target.seeds])
    board, stop = mmap.mmap(-1, LONGEST + 16), time.monotonic() + seconds
    for data in target.seeds:
        refused, wrong = fault(target, data)
        if refused or wrong:
            raise AssertionError(data[:200], wrong or "is refused")
    number = 0
    while number < count and time.monotonic() < stop:
        numbers = range(number, min(count, number + BATCH))
        receive, send = os.pipe()
        child = os.fork()
        if not child:
            os.close(receive)
            try:
                batch(target, kept, steps, seed, numbers, stop, board, send)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(70)
        os.close(send)
        with os.fdopen(receive, "rb") as pipe:
            for made, new, refused, wrong in _pickles(pipe):
                tally.refused += refused
                if new:
                    (kept.refused if refused else kept.read).append(made)
                    steps.seen |= new
                if wrong:
                    _note(tally, wrong, made)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        last, size = struct.unpack("<qi", board[:12])
        number = last + 1
        if status:
            name = "takes more than 2 s" if status == -signal.SIGPROF else f"status {status}"
            _note(tally, name, board[12 : 12 + size])
        tally.inputs, tally.steps = number, len(steps.seen)
    return tally


def _pickles(pipe: Any) -> Iterator[Any]:
    while True:
        try:
            yield pickle.load(pipe)
        except (EOFError, pickle.UnpicklingError):
            return


def _note(tally: Tally, wrong: str, made: bytes) -> None:
    kind = re.sub(r"0x\w+|\d{3,}", "N", wrong)
    if kind not in tally.finds:
        tally.finds[kind] = made
        print(f"FIND {wrong}\n  {made[:3000]!r}", flush=True)


def targets(folder: Path) -> dict[str, Target]:
    """Return all targets; files that they need are made in a folder."""
    return {
        "ssml": Target(_ssml, SSML, TAGS, _elements),
        "lexicon": Target(_lexicon(folder), LEXICON, PHONEMES),
        "toml": Target(_toml, TOML, [line.encode() for line in KEYS]),
        "textgrid": Target(_textgrid(folder), _grids(), GRID),
        "manifest": Target(_manifest(folder), MANIFEST, (b"|", b"\t", b",", b"wavs/", b".wav")),
        "index": _index(folder),
        "reader": _reader(folder),
    }


SSML = [
    b"<speak>One.<break time='500ms'/>Two <p>three</p><s>four</s></speak>",
    b'<?xml version="1.0"?><speak version="1.1" xml:lang="en-US"><prosody rate="120%" pitch="+2st"'
    b' volume="-3dB">a <prosody rate="slow">b</prosody></prosody></speak>',
    "<speak><sub alias='World Wide Web'>WWW</sub> <phoneme alphabet='ipa' ph='həˈloʊ'>x</phoneme>"
    "<say-as interpret-as='ordinal'>21</say-as>&amp;&#233;<!-- c --></speak>".encode(),
    b"<speak><say-as interpret-as='characters'>NASA 2</say-as><break strength='x-strong'/></speak>",
]
ATTRIBUTES = ("time='.5s'", "strength='weak'", "rate='-10%'", "rate='1.5'", "rate='x-fast'",
              "pitch='+50%'", "pitch='-2.5st'", "pitch='low'", "volume='silent'", "volume='+9dB'",
              "alphabet='ipa'", "ph='a'", "ph=' '", "interpret-as='date'", "interpret-as='ordinal'",
              "interpret-as='characters'", "alias='b c'", "format='x'", "version='1.0'",
              "xml:lang='en'", "time='3600s'", "interpret-as=''")  # fmt: skip
TAGS = [
    *(f"<{name}>".encode() for name in ssml.ATTRIBUTES),
    *(f"</{name}>".encode() for name in ssml.ATTRIBUTES),
    *(f" {key}='1'".encode() for keys in ssml.ATTRIBUTES.values() for key in keys),
    *(f"<say-as interpret-as='{kind}'>12</say-as>".encode() for kind in ssml.READINGS),
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"&lt;", b"&#x10ffff;", b"<!DOCTYPE a [", b"<?x y?>",
    b"<break/>", b"<break time='3600s'/>", b"<prosody rate='+10%'>", b"<prosody pitch='-50%'>",
    b" xml:lang='de'", b" xmlns='x'", b'encoding="latin-1"',
]  # fmt: skip
LEXICON = [
    "# words\nkathleen\tk ˈæ θ l i n\nread\tɹ i d\tVB\nread\tɹ ɛ d\tVBD\n"
    "haus\th aʊ s\tde-de\n".encode(),
    "McDonald’s\tm ə k d ˈɑ n ə l d z\ten-us\r\n\r\nx\tˈɛ k s\n".encode(),
]
PHONEMES = [*(symbol.encode() for symbol in symbols("en-us")), b"\t", b"\n", b"\ten-us", b"\tNN",
            b"\tcharacters", b"\xcc\x81", b"\xe2\x80\x99"]  # fmt: skip
FAMILIES = ("glow", "ddsp", "hifigan", "istft", "feedforward", "film")
CONFIGURATIONS = {name: configuration(name) for name in FAMILIES}
Glow = CONFIGURATIONS["glow"]
TOML = [f"# {name}\n{settings.to_toml(CONFIGURATIONS[name]())}".encode() for name in FAMILIES]
TOML += [b'durations = "joint"\n[flow]\nblocks = 4\n[training]\nbatch = 2\nlearning_rate = 1e-3\n']
KEYS = sorted(
    {line for text in TOML for line in text.decode().splitlines()[::3]}
    | {"= [1, 2]\n", "= 1e300\n", "= nan\n", "= inf\n", "= 1979-05-27T07:32:00Z\n", "= 0x7f\n",
       "[[training]]\n", "[training.x]\n", "= {a = 1}\n", '= """\n', "= true\n", "a.b.c = 1\n"}
)  # fmt: skip
MANIFEST = [
    b"audio|text|start|end\na.wav|One text.|0|1.5\nb.wav|Another, with digits 12.||\n",
    b"id\ttext\tspeaker\tpath\na\tOne.\tann\ta.wav\nb\tTwo.\tbob\tb.wav\n",
    b'{"audio": "a.wav", "text": "One.", "speaker": "ann"}\n{"audio": "b.wav", "text": "Two."}\n',
    b'path,text\na.wav,"One, two."\nb.wav,"He said ""no""."\n',
]
GRID = [b"xmin = ", b"xmax = ", b"intervals: size = ", b"IntervalTier", b"TextTier", b"item []:",
        b'"phones"', b"<exists>", b"-1e300", b"1e300", b"ooTextFile", b"ooBinaryFile",
        b"text = ", b"1000000000", b'class = "IntervalTier"']  # fmt: skip


def _ssml(data: bytes) -> object:
    return ssml.read(lines.decode(data, "x.ssml"), "x.ssml", english=bool(len(data) % 2))


def _elements(rng: random.Random, data: bytes) -> bytes:
    """Put elements into a document, or take some out; at times change any bytes too."""
    parts = re.split(rb"(<[^>]*>)", data)
    for _ in range(1 << rng.randrange(3)):
        start = rng.randrange(1, len(parts) + 1)
        stop = rng.randrange(start, len(parts) + 1)
        name = rng.choice([*ssml.ATTRIBUTES])
        keys = ssml.ATTRIBUTES[name]
        fit = [one for one in ATTRIBUTES if one.startswith(keys)] if rng.random() < 0.95 else []
        fit = fit if keys else [] if rng.random() < 0.95 else ["x='y'"]
        given = " ".join(rng.sample(fit, min(len(fit), rng.choice((0, 1, 1, 2)))))
        inner = parts[start:stop] if rng.random() < 0.5 else [b"12" if rng.random() < 0.5 else b"x"]
        if rng.random() < 0.8:
            inner = [f"<{name} {given}>".encode(), *inner, f"</{name}>".encode()]
        parts[start:stop] = inner
    made = b"".join(parts)
    return made if rng.random() < 0.8 else changed(rng, made, TAGS, rng.choice(SSML))


def _grids() -> list[bytes]:
    timeline = Timeline(alignment_record(), SYMBOLS, 0.016)
    tiers = {"words": timeline.words, "phones": timeline.phones}
    text = textgrid.text(tiers, timeline.seconds)
    short = re.sub(r"(?m)^[ \t]*(?:\w+ )*(?:\[\d*\]:?|=|:)|\w+ = ", "", text)
    return [text.encode(), *([short.encode()] if _grid_reads(short) else [])]


def _grid_reads(text: str) -> bool:
    with tempfile.NamedTemporaryFile(suffix=".TextGrid") as file:
        file.write(text.encode())
        file.flush()
        try:
            return bool(textgrid.read(Path(file.name)))
        except TtskitError:
            return False


def _textgrid(folder: Path) -> Callable[[bytes], object]:
    import parselmouth

    path, timeline = folder / "x.TextGrid", Timeline(alignment_record(), SYMBOLS, 0.016)

    def read(data: bytes) -> object:
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", parselmouth.PraatWarning)
            phones = textgrid.phones(path)
        return textgrid.fitted(timeline, phones)

    return read


def _lexicon(folder: Path) -> Callable[[bytes], object]:
    path, table = folder / "x.tsv", symbols("en-us")

    def read(data: bytes) -> object:
        path.write_bytes(data)
        return lexicon.read([path], "en-us", table)

    return read


def _toml(data: bytes) -> object:
    name = data[2:].partition(b"\n")[0].decode(errors="replace")  # of the comment before it
    return settings.from_toml(CONFIGURATIONS.get(name, Glow)(), lines.decode(data, "x"), "x")


def _manifest(folder: Path) -> Callable[[bytes], object]:
    for name in ("a.wav", "b.wav"):
        (folder / name).touch()

    def read(data: bytes) -> object:
        first = data.partition(b"\n")[0]
        suffix = ".jsonl" if first[:1] == b"{" else ".tsv" if b"\t" in first else ".csv"
        path = folder / f"x{suffix}"
        path.write_bytes(data)
        if manifest.matches(path) is None:
            raise DatasetError("no manifest")
        return manifest.read(path)

    return read


def _index(folder: Path) -> Target:
    """Return a target whose input is the index of unfinished work; all else is as it was."""
    output, header = folder / "unfinished.h5", {"kind": "x", "version": 1, "provenance": {}}
    columns = ("id", "text", "mel")
    part = Unfinished(output, header, columns)
    for number in range(3):
        id, mel = f"u{number}", bytes(range(40 * number))
        blobs = {"id": id.encode() + b"\0", "text": b"some text\0", "mel": mel}
        part.append(id, {"frame": len(mel) // 8}, blobs)
    part.close()
    whole = {path.name: path.read_bytes() for path in folder_of(output).iterdir()}

    def read(data: bytes) -> object:
        for name, content in whole.items():
            (folder_of(output) / name).write_bytes(data if name == INDEX else content)
        unfinished = Unfinished(output, header, columns)
        try:
            for name in unfinished.ends:
                for row in range(len(unfinished.rows)):
                    unfinished.read(name, *unfinished.place(name, row))
        finally:
            unfinished.close()
        return None

    plain = re.sub(rb', "crc32": \d+', b"", whole[INDEX])  # as older versions wrote it
    words = (b'"crc32": 0', b'"axes": {}', b'"bytes": {"mel": 9}', b'"id": "u0"', b"{", b"null",
             b"281474976710656", b"-1", b'"text": 1e3', b'"\\ud800"')  # fmt: skip
    return Target(read, [whole[INDEX], plain, b""], words)


def _reader(folder: Path) -> Target:
    """Return a target whose inputs are artifacts, changed as `fuzz_artifacts` changes them."""
    seeds(folder)
    original, path = folder / "original.h5", folder / "x.h5"

    def read(data: bytes) -> object:
        path.write_bytes(data)
        container = hdf5.open_container(path)
        info.page(describe(container))
        list(verify.complaints(container))
        return list(read_artifact(path).values()) if reader_of(container) else None

    def change(rng: random.Random, data: bytes) -> bytes:
        original.write_bytes(data)
        path.write_bytes(data)
        with warnings.catch_warnings(), contextlib.suppress(Exception):  # of HDF5, on damaged files
            warnings.simplefilter("ignore")
            mutate(rng.getrandbits(32), 0, original, path)
        with path.open("rb") as file:
            return file.read(LONGEST)

    return Target(read, [(folder / name).read_bytes() for name in STAGES], (), change, True)


def main() -> None:
    """Fuzz the targets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", action="append", required=True, metavar="TARGET=INPUTS")
    parser.add_argument("--minutes", type=float, default=600.0, help="at most, for each target")
    given, finds = parser.parse_args(), 0
    with tempfile.TemporaryDirectory(dir=FAST if FAST.is_dir() else None) as name:
        available = targets(Path(name))
        for wanted, _, count in (one.partition("=") for one in given.count):
            began = time.monotonic()
            tally = fuzz(available[wanted], given.seed, int(count), 60 * given.minutes)
            finds += len(tally.finds)
            row = {"inputs": tally.inputs, "refused": tally.refused, "steps": tally.steps}
            row |= {"finds": len(tally.finds), "seconds": round(time.monotonic() - began)}
            print(json.dumps({"target": wanted, "seed": given.seed, **row}), flush=True)
    sys.exit(bool(finds))


if __name__ == "__main__":
    main()
