"""Where `say` claims to speak each word, against where an aligner finds it in the sound.

    python benchmarks/truth_say.py ALIGNER.h5 [COUNT [VOICE]]

Sentences are drawn from word lists, with names, numbers and punctuation; the aligner must know
the voice's symbols.  Every word of every sentence must be in the account, in its order.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import torch

from ttskit.dsp.mel import MelSpectrogram
from ttskit.models.vocoder import mel_settings
from ttskit.speaking import chain as speaking
from ttskit.speaking.lines import account, to_lines
from ttskit.speaking.style import Style
from ttskit.text.ssml import Passage
from ttskit.voices import embedded, voice
from ttskit.voices.aligner import Neural, read_aligner

NOUNS = """river window captain garden letter winter engine doctor table mountain question music
sailor kitchen village teacher answer shadow bridge paper summer market story island""".split()
VERBS = "carried found watched painted followed remembered opened counted crossed".split()
ADJECTIVES = "old bright narrow quiet heavy golden strange early distant gentle".split()
NAMES = "Margaret Thomas Edinburgh Chicago Alice Norway Peter Amsterdam".split()
ENDS = ("yesterday", "in the morning", "without a word", "at half past nine", "for 25 years",
        "on May 3, 1987", "by the sea", "with Mr. Green")  # fmt: skip
MOST = 0.1  # seconds


def sentence(chance: random.Random) -> str:
    """Return something that can be said, of four to some thirty words."""

    def thing() -> str:
        article = chance.choice(("the", "one", "every", "another", f"{chance.randint(2, 900)}"))
        plural = "s" if article.isdigit() else ""
        words = [article, *chance.sample(ADJECTIVES, chance.randint(0, 2))]
        return " ".join([*words, chance.choice(NOUNS) + plural])

    def clause() -> str:
        who = chance.choice((thing(), chance.choice(NAMES)))
        return f"{who} {chance.choice(VERBS)} {thing()}"

    parts = [clause() for _ in range(chance.randint(1, 3))]
    said = chance.choice((", and ", "; ", ", but ", " while ")).join(parts)
    if chance.random() < 0.6:
        said += f" {chance.choice(ENDS)}"
    return said[0].upper() + said[1:] + chance.choice((".", ".", "?", "!"))


def main() -> None:
    torch.set_num_threads(1)
    aligner = Neural(read_aligner(Path(sys.argv[1])))
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    found = voice.read(embedded.find(sys.argv[3] if len(sys.argv) > 3 else None))
    speller, chain = found.speller(), speaking.Chain(found)
    hear, step = MelSpectrogram(mel_settings(chain.facts)), chain.facts.hop_length
    chance, style = random.Random(0), Style()
    off: list[float] = []
    lost = words = 0
    for _ in range(count):
        text = sentence(chance)
        spelt = speller.spell(text)
        lines = list(to_lines([Passage(text, place="")], speller))
        pieces = list(speaking.pieces(chain, lines, style))
        timeline = chain.timeline([(p.line, p.durations) for p in pieces], style)
        told = account(timeline, [(p.line, p.durations) for p in pieces])
        lost += [row["word"] for row in told] != list(spelt.words)
        words += len(told)
        record = timeline.record
        audio = torch.from_numpy(np.concatenate([p.audio for p in pieces]))
        mel = hear(audio[None])[0].numpy()
        durations, _ = aligner(mel, record)
        stops = np.cumsum(durations) * step / chain.facts.sample_rate
        starts = np.concatenate([[0], stops[:-1]])
        for place, row in enumerate(told):
            own = np.flatnonzero(record.token_word == place)
            off += [starts[own[0]] - row["start"], stops[own[-1]] - row["stop"]]
    far = 1000 * np.abs(off)
    print(f"{count} sentences, {words} words; {lost} sentences whose account lacks a word")
    print(f"word boundaries: median {np.median(far):.1f} ms off, {(far <= 50).mean():.1%} within "
          f"50 ms, {(far <= 1000 * MOST).mean():.1%} within 100 ms")  # fmt: skip


if __name__ == "__main__":
    main()
