"""Sentences in which words are easily lost, by a voice whose takes are aligned anew.

A quarter each repeats a word, twists the tongue, has two long numbers, or strings short words
together.  Prints how many sentences lose a word in the first take, and how many in all of them,
which `say` refuses, by the aligner that judges.

Usage: python benchmarks/planted_words.py voice.h5 aligner.h5 [sentences] [candidates]
"""

from __future__ import annotations

import random
import sys
import time

from ttskit import Voice
from ttskit.errors import AlignmentError

NAMES = "Peter Susan Betty Sally Harry Rita Walter".split()
NOUNS = "shell butter pepper ship sheet wall bell clock thistle sieve".split()
REPEATED = "that very no had so really go far one two".split()
SHORT = "a an of to it is in at on as or if by he we I".split()
TWISTERS = (
    "She sells sea shells by the sea shore, and the shells she sells are sea shells for sure.",
    "Peter Piper picked a peck of pickled peppers.",
    "How much wood would a woodchuck chuck if a woodchuck could chuck wood?",
    "Betty bought a bit of better butter, but the butter was bitter.",
    "Six sick slick slim sycamore saplings.",
    "The sixth sick sheik's sixth sheep's sick.",
    "Unique New York, unique New York, you know you need unique New York.",
    "Red lorry, yellow lorry, red lorry, yellow lorry.",
)


def sentence(number: int, rng: random.Random) -> tuple[str, str]:
    """Return the kind of a sentence, and the sentence."""
    noun, name = rng.choice(NOUNS), rng.choice(NAMES)
    if number % 4 == 0:
        words = " ".join([rng.choice(REPEATED)] * rng.randint(3, 8))
        return "a word repeated", f"{name} said {words} to the {noun}."
    if number % 4 == 1:
        return "tongue twisters", " ".join(rng.sample(TWISTERS, rng.randint(1, 2)))
    if number % 4 == 2:
        first, second = rng.randint(10**8, 10**12), rng.randint(10**5, 10**8)
        return "long numbers", f"{name} counted {first:,} and then {second:,} more."
    words = " ".join(rng.choice(SHORT) for _ in range(rng.randint(6, 14)))
    return "short words", f"{words} {noun}."


def spoken(voice: Voice, text: str, aligner: str, candidates: int) -> float | None:
    """Return how many seconds a sentence lasts, or nothing where each candidate loses a word."""
    try:
        return len(voice.say(text, judges=aligner, candidates=candidates)) / voice.sample_rate
    except AlignmentError:
        return None


def main() -> None:
    path, aligner, *numbers = sys.argv[1:]
    count, candidates = map(int, numbers + ["400", "8"][len(numbers) :])
    voice, rng, seconds = Voice(path), random.Random(0), 0.0
    lost: dict[str, list[int]] = {}
    began = time.process_time()
    for number in range(count):
        kind, text = sentence(number, rng)
        tally = lost.setdefault(kind, [0, 0, 0])
        tally[0] += 1
        lasted = spoken(voice, text, aligner, 1)
        if lasted is None:
            tally[1] += 1
            lasted = spoken(voice, text, aligner, candidates)
            tally[2] += lasted is None
        seconds += lasted or 0.0
    for kind, (of, first, every) in lost.items():
        print(
            f"{kind}: {of} sentences, a word lost in the first take of {first}, in all of {every}"
        )
    rate = (time.process_time() - began) / seconds
    print(f"{seconds / 60:.0f} minutes of speech, {rate:.3f} s of the processor for a second of it")


if __name__ == "__main__":
    main()
