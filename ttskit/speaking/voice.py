"""Speaking from Python: a text with a voice, to samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ttskit.dsp.threads import lent, to_speak
from ttskit.errors import TtskitError
from ttskit.speaking.candidates import choice_of
from ttskit.speaking.chain import Chain, pieces
from ttskit.speaking.lines import to_lines
from ttskit.speaking.style import Style
from ttskit.text.ssml import Passage
from ttskit.voices import embedded
from ttskit.voices import voice as voices


def say(
    text: str,
    voice: str | Path | None = None,
    *,
    rate: float = 1.0,
    pitch: float = 0.0,
    energy: float = 0.0,
    noise_scale: float | None = None,
    speaker: str = "",
    seed: int = 0,
    pause: float = 0.25,
    threads: int | None = None,
    rounds: int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    preset: str = "",
    candidates: int = 1,
    rank: Mapping[str, float] | None = None,
    judges: Sequence[str | Path] = (),
    others: Mapping[str, float] | None = None,
    iterations: int | None = None,
    style: str | Path | None = None,
) -> tuple[np.ndarray, int]:
    """Speak a text.

    Parameters
    ----------
    text : str
        A line break divides as the end of a sentence does, an empty line begins a paragraph.
    voice : str or Path, optional
        An embedded voice by name, or a file; without it the embedded voice of US English.
    rate : float
        Times as fast, 0.1 to 10.
    pitch : float
        Semitones higher, -24 to 24; needs a decoder that was trained with pitch.
    energy : float
        dB louder, -40 to 40.
    noise_scale : float, optional
        How much the decoder varies, 0 to 100; the voice's own by default.
    speaker : str
        Of a voice with several: a name, or a mix such as `ann:0.7,bob:0.3`.
    seed : int
        Random seed.
    pause : float
        Seconds between sentences, 0 to 60.
    threads : int, optional
        Of torch, while the call lasts; without it those of OMP_NUM_THREADS if that is set, or one.
    rounds : int, optional
        Of Griffin-Lim, 0 to 1000, by a vocoder that has them; its own by default.
    steps : int, optional
        Of a decoder that refines its mel, 1 to 1000; its own by default.
    guidance : float, optional
        Of such a decoder, 0 to 100; its own by default.
    preset : str
        Name of such settings, if the models have some: `fast`, for one.
    candidates : int
        Takes of each line, of which the best is spoken.
    rank : mapping, optional
        What ranks them, with weights: `{"align": 1, "clvp": 0.5}`.
    judges : files of aligners and rankers, in place of those of the voice
    others : mapping, optional
        Further knobs of models, such as `{"temperature": 0.7}`.
    iterations : int, optional
        Of a coder that refines its codes, 1 to 1000; its own by default.
    style : str or Path, optional
        A recording in the wanted style, for voices whose models follow one.

    Returns
    -------
    audio : (sample,) float32
        Full scale is ±1.
    sample_rate : int
        Hz.
    """
    if not isinstance(text, str):
        raise TtskitError(f"text: is {type(text).__name__}, needs a string")
    manner = Style(
        rate=rate,
        pitch=pitch,
        energy=energy,
        pause=pause,
        noise_scale=noise_scale,
        speaker=speaker,
        seed=seed,
        rounds=rounds,
        steps=steps,
        guidance=guidance,
        iterations=iterations,
        preset=preset,
        others=others or {},
        style=None if style is None else Path(style),
    )
    choice = choice_of(candidates, rank or {}, [Path(judge) for judge in judges])
    loaded = voices.read(embedded.find(None if voice is None else str(voice)))
    passages = (Passage(line, place="the text") for line in text.split("\n"))
    lines = to_lines(passages, loaded.speller(), pause=manner.between)
    with lent(to_speak(threads)):
        spoken = pieces(Chain(loaded, choice=choice), lines, manner)
        audio = [block for piece in spoken for block in piece.blocks()]
    return np.concatenate(audio), loaded.sample_rate
