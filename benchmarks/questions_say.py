"""Do questions rise?  40 that yes or no answers, by the embedded voice: with a full stop, with a
question mark and without the rule of `speaking.questions`, and with both.

Prints, for each: the slope of f0 over the last 300 ms of speech in semitones a second (Praat), its
change from the first to the last fifth of them, how many rise, Distill-MOS, and the word error rate
of Whisper tiny.en; with 95 % intervals over the questions.

    python benchmarks/questions_say.py
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import parselmouth

import ttskit
from ttskit.dsp.samples import resample
from ttskit.metrics import distillmos, intelligibility
from ttskit.speaking import questions

LAST = 0.3  # seconds
TEXTS = """\
Are you coming to the party tomorrow
Did he leave the keys on the table
Is it raining again
Can you hear the music
Do they know about the meeting
Was the train late this morning
Have you ever been to London
Will she come back in the evening
Could I have a glass of water
Should we wait for your brother
Is this the road to the station
Does it hurt when I press here
Were the children at home
Has anyone seen my umbrella
Would you like some more coffee
Are these seats taken
Did you remember to lock the door
Is the shop open on Sunday
Can we talk about the money
Do you think that it will work
Am I too early
Is your sister a doctor
May I borrow this book
Did it take a long time
Are we going to miss the bus
Is there a bank in this street
Have they finished the bridge
Do you want to see the garden
Was it really that simple
Can a fish drown
Will this affect the price
Is the water safe to drink
Did the letter arrive yesterday
Are you afraid of the dark
Does your father still play the piano
Could it be a mistake
Has the doctor called
Do I need a ticket for the museum
Were you angry
Is that all""".splitlines()


def end_of(audio: np.ndarray, rate: int, stop: float) -> tuple[float, float]:
    """Return the slope of f0 before a time, semitones a second, and its change in semitones."""
    sound = parselmouth.Sound(audio.astype(float), rate)
    found = sound.to_pitch_ac(time_step=0.005, pitch_floor=75, pitch_ceiling=500)
    f0, times = found.selected_array["frequency"], found.xs()
    kept = (f0 > 0) & (times > stop - LAST) & (times <= stop)
    if kept.sum() < 10:
        return np.nan, np.nan
    semitones, some = 12 * np.log2(f0[kept]), max(3, kept.sum() // 5)
    change = np.median(semitones[-some:]) - np.median(semitones[:some])
    return float(np.polyfit(times[kept], semitones, 1)[0]), float(change)


def interval(values: np.ndarray) -> str:
    """Return a mean with its interval, by the bootstrap over questions."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (10_000, len(values))).mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.2f} ({low:.2f} to {high:.2f})"


def spoken(
    voice: ttskit.Voice, mark: str, opinion: Callable[[np.ndarray], float],
    recogniser: intelligibility.Recogniser,
) -> np.ndarray:  # fmt: skip
    """Return slope, change, opinion, word errors and words of each question."""
    rows = []
    for text in TEXTS:
        audio, times = voice.say(text + mark, times=True)
        low = resample(audio, voice.sample_rate, 16_000)
        words, heard = recogniser.words(text), recogniser.words(recogniser.transcribe(low))
        errors = intelligibility.rate(words, heard) * len(words)
        end = end_of(audio, voice.sample_rate, times.words[-1].stop)
        rows.append((*end, opinion(low), errors, len(words)))
    return np.array(rows)


def main() -> None:
    """Speak all questions in each way, and print what came of it."""
    voice, usual = ttskit.Voice(), questions.RISE
    recogniser = intelligibility.Recogniser(intelligibility.Settings())
    opinion = distillmos.Listener(distillmos.Settings()).opinion
    for name, mark, rise in ((".", ".", 0.0), ("? without the rule", "?", 0.0), ("?", "?", usual)):
        questions.RISE = rise
        table = spoken(voice, mark, opinion, recogniser)
        known = table[np.isfinite(table[:, 0])]
        print(
            f"{name}: slope {interval(known[:, 0])} st/s, change {interval(known[:, 1])} st, "
            f"{int((known[:, 1] > 0).sum())} of {len(known)} rise, Distill-MOS "
            f"{interval(table[:, 2])}, WER {table[:, 3].sum() / table[:, 4].sum():.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
