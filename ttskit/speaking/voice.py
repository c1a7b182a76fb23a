"""Speaking from Python: a voice that is loaded once, and a text to samples."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast, overload

import numpy as np

from ttskit import progress
from ttskit.dsp.threads import lent, to_speak
from ttskit.errors import TtskitError
from ttskit.speaking import knobs, recordings
from ttskit.speaking.candidates import Choice, Recognise, choice_of
from ttskit.speaking.chain import Chain, Piece, quiet
from ttskit.speaking.lines import to_lines
from ttskit.speaking.passages import TextSource, passages
from ttskit.speaking.speech import Speech
from ttskit.speaking.style import Style
from ttskit.speaking.takes import read as read_take
from ttskit.text.ssml import Surroundings
from ttskit.voices import embedded
from ttskit.voices import voice as voices

if TYPE_CHECKING:
    from ttskit.formats.timeline import Timeline
    from ttskit.text.spelling import Speller
    from ttskit.voices.model import Model

SHORTEST, LONGEST = 0.01, 86_400.0  # seconds that a text can be fitted into
Files = str | Path | Sequence[str | Path]


class Options(TypedDict, total=False):
    """The options that `Voice.speech` spells out, for those that pass them on."""

    rate: float
    pitch: float
    pitch_range: float
    energy: float
    pause: float
    speaker: str
    seed: int
    lexicon: Files
    emoji: bool
    duration: float | None
    textgrid: str | Path | None
    style: str | Path | None
    reference: str | Sequence[str]
    noise_scale: float | None
    rounds: int | None
    steps: int | None
    guidance: float | None
    iterations: int | None
    preset: str
    others: Mapping[str, float] | None
    candidates: int
    rank: Mapping[str, float] | None
    judges: Files
    regenerate: Sequence[int]
    take: str | None


class Spoken(Options, total=False):
    """The options of a text that is a string."""

    ssml: bool
    lenient: bool
    phonemes: bool
    threads: int | None


class Company:
    """What a text may name: other voices, and recordings where a folder is given.

    Parameters
    ----------
    find : function
        From a name to a voice; it raises TtskitError where there is none.
    folder : Path, optional
        That recordings are named from; without it none is played.
    """

    def __init__(self, find: Callable[[str], Voice], folder: Path | None = None) -> None:
        self._find, self._folder = find, folder
        self.voices: dict[str, Voice] = {}  # that the text names
        self.recordings: list[Path] = []  # that it plays

    @property
    def used(self) -> bool:
        """Whether the text names anything."""
        return bool(self.voices or self.recordings)

    def surroundings(self, note: Callable[[str], None]) -> Surroundings:
        """Return the same as SSML is read with."""
        if self._folder is None:  # a server, which has no option to be lenient
            return Surroundings(self._language, None, note, way_out="")
        return Surroundings(self._language, partial(self._recording, self._folder), note)

    def _language(self, name: str) -> str:
        self.voices[name] = self._find(name)
        return self.voices[name].language

    def _recording(self, folder: Path, source: str) -> Path:
        self.recordings.append(recordings.find(source, folder))
        return self.recordings[-1]


class Voice:
    """A voice that speaks: one that comes with ttskit, by name, or a file.

    Opening it reads its description; its models are loaded when it first speaks, and stay.

    Parameters
    ----------
    voice : str or Path, optional
        Without it, the voice of US English that comes with ttskit.
    device : str
        Where its models run: `cpu`, `cuda`, `cuda:1`.
    engine : str
        What computes them: `torch`, or `onnx` on the CPU, which starts sooner.
    """

    def __init__(
        self,
        voice: str | Path | None = None,
        *,
        device: str = "cpu",
        engine: Literal["torch", "onnx"] = "torch",
    ) -> None:
        self._file = voices.read(embedded.find(None if voice is None else str(voice)))
        self.device, self.engine = device, engine
        self._others: dict[Path, Voice] = {}  # that texts have named

    def __repr__(self) -> str:
        return f"Voice({self._file.container.name!r})"

    @property
    def models(self) -> Mapping[str, Model]:
        """Its models by their roles, in the order in which they run."""
        return self._file.models

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self._file.sample_rate

    @property
    def language(self) -> str:
        """The language of its texts, such as `en-us`."""
        return self._file.language

    @property
    def speakers(self) -> tuple[str, ...]:
        """The names of its speakers; one without a name is the empty string."""
        return self._file.reader.facts.speakers

    @property
    def card(self) -> str:
        """What it says about itself, as markdown: licence, data, training, measures."""
        return self._file.settings.card

    @cached_property
    def chain(self) -> Chain:
        """Its models, loaded."""
        return Chain(self._file, self.device, engine=self.engine)

    @cached_property
    def _speller(self) -> Speller:
        return self._file.speller()

    def speech(
        self,
        source: TextSource,
        *,
        rate: float = 1.0,
        pitch: float = 0.0,
        pitch_range: float = 1.0,
        energy: float = 0.0,
        pause: float = 0.25,
        speaker: str = "",
        seed: int = 0,
        lexicon: str | Path | Sequence[str | Path] = (),
        emoji: bool = False,
        duration: float | None = None,
        textgrid: str | Path | None = None,
        style: str | Path | None = None,
        reference: str | Sequence[str] = (),
        noise_scale: float | None = None,
        rounds: int | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        iterations: int | None = None,
        preset: str = "",
        others: Mapping[str, float] | None = None,
        candidates: int = 1,
        rank: Mapping[str, float] | None = None,
        judges: str | Path | Sequence[str | Path] = (),
        regenerate: Sequence[int] = (),
        take: str | None = None,
        recogniser: Callable[[str], Recognise] | None = None,
        company: Company | None = None,
    ) -> Speech:
        """Return a text that is ready to be spoken; options that cannot be are refused."""
        manner = Style(
            rate=rate,
            pitch=pitch,
            pitch_range=pitch_range,
            energy=energy,
            pause=pause,
            speaker=speaker,
            seed=seed,
            noise_scale=noise_scale,
            rounds=rounds,
            steps=steps,
            guidance=guidance,
            iterations=iterations,
            preset=preset,
            others=others or {},
            reference=(reference,) if isinstance(reference, str) else tuple(reference),
            regenerate=tuple(regenerate),
            style=None if style is None else Path(style),
        )
        choice = choice_of(candidates, rank or {}, _paths(judges), recogniser)
        if duration is not None:
            knobs.check_range("duration", duration, SHORTEST, LONGEST)
        if duration is not None and textgrid is not None:
            raise TtskitError("textgrid and duration: give one of them")
        if source.subtitles and (duration is not None or textgrid is not None or source.ssml):
            raise TtskitError(
                "subtitles have times and are no SSML: leave duration, textgrid and ssml out",
                file=source.name,
            )
        given = None if take is None else read_take(take)
        beside = company or Company(partial(self._beside, source.folder), source.folder)
        read = passages(source, self.language == "en-us", beside.surroundings(progress.note))
        if beside.used and (duration is not None or textgrid is not None or given):
            raise TtskitError(
                "voices and recordings within a text go without duration, textgrid and take",
                file=source.name,
            )
        lines = to_lines(
            read,
            self._spelling(lexicon, emoji),
            {
                name: one._spelling(lexicon, emoji, self.language)
                for name, one in beside.voices.items()
            },
            phonemes=source.phonemes,
            pause=manner.between,
        )
        grid = None if textgrid is None else Path(textgrid)
        chain = self._choosing(choice)
        chains = {name: one.chain for name, one in beside.voices.items() if one is not self}
        return Speech(chain, manner, lines, grid, duration, given, source.subtitles, chains)

    def _spelling(self, lexicon: Files, emoji: bool, language: str = "") -> Speller:
        """Return what spells texts, by a lexicon too if that is of its language."""
        own = lexicon if (language or self.language) == self.language else ()
        return self._file.speller(_paths(own), emoji) if own or emoji else self._speller

    def _beside(self, folder: Path, name: str) -> Voice:
        """Return a voice that a text in a folder names; each is opened once."""
        there = folder / name
        path = there if there.is_file() else embedded.find(name)
        if path.samefile(self._file.container.path):
            return self
        key = path.resolve()
        if key not in self._others:
            self._others[key] = Voice(path, device=self.device, engine=self.engine)
        return self._others[key]

    def _choosing(self, choice: Choice) -> Chain:
        return self.chain if choice == Choice() else self.chain.choosing(choice)

    def _spoken(
        self,
        text: str,
        ssml: bool = False,
        lenient: bool = False,
        phonemes: bool = False,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> tuple[Speech, Iterator[Piece]]:
        """Return a text that is ready to be spoken, and its pieces."""
        if not isinstance(text, str):
            raise TtskitError(f"text: is {type(text).__name__}, needs a string")
        if ssml and phonemes:
            raise TtskitError("ssml and phonemes: give one of them")
        count = to_speak(threads)
        with lent(count):
            source = TextSource([text], ssml=ssml, phonemes=phonemes, lenient=lenient)
            speech = self.speech(source, **options)
            speech.check()
        return speech, _on_threads(speech.pieces(), count)

    @overload
    def say(
        self, text: str, *, times: Literal[False] = False, **options: Unpack[Spoken]
    ) -> np.ndarray: ...

    @overload
    def say(
        self, text: str, *, times: Literal[True], **options: Unpack[Spoken]
    ) -> tuple[np.ndarray, Timeline]: ...

    def say(
        self, text: str, *, times: bool = False, **options: Unpack[Spoken]
    ) -> np.ndarray | tuple[np.ndarray, Timeline]:
        """Speak a text.

        Parameters
        ----------
        text : str
            A line break divides as the end of a sentence does, an empty line begins a paragraph.
        times : bool
            Return also when each word and phoneme is spoken.
        ssml, phonemes : bool
            Whether the text is SSML, or phonemes.
        lenient : bool
            Leave out of SSML what cannot be spoken, with a note, instead of refusing it.
        rate : float
            Times as fast, 0.1 to 10.
        pitch : float
            Semitones higher, -24 to 24; needs a decoder that was trained with pitch.
        pitch_range : float
            Times as far as the pitch usually moves, 0 (monotone) to 4; needs the same.
        energy : float
            dB louder, -40 to 40.
        pause : float
            Seconds between sentences, 0 to 60.
        speaker : str
            Of a voice with several: a name, or a mix such as `ann:0.7,bob:0.3`.
        seed : int
            Random seed.
        lexicon : file or files
            Pronunciations: lines of a word, a tab, its phonemes.
        emoji : bool
            Speak emoji by their names (extra `emoji`).
        duration : float, optional
            Seconds that the whole text is to last, exactly.
        textgrid : str or Path, optional
            TextGrid that sets how long each phoneme lasts.
        style : str or Path, optional
            A recording in the wanted style, for voices whose models follow one.
        reference : str or several
            Recordings to sound like, for voices whose coder was trained with them.
        noise_scale : float, optional
            How much the decoder varies, 0 to 100; the voice's own by default.
        rounds : int, optional
            Of Griffin-Lim, 0 to 1000, by a vocoder that has them; its own by default.
        steps : int, optional
            Of a decoder that refines its mel, 1 to 1000; its own by default.
        guidance : float, optional
            Of such a decoder, 0 to 100; its own by default.
        iterations : int, optional
            Of a coder that refines its codes, 1 to 1000; its own by default.
        preset : str
            Name of such settings, if the models have some: `fast`, for one.
        others : mapping, optional
            Further knobs of models, such as `{"temperature": 0.7}`.
        candidates : int
            Takes of each line, of which the best is spoken.
        rank : mapping, optional
            What ranks them, with weights: `{"align": 1, "clvp": 0.5}`.
        judges : files
            Aligners and rankers in place of those of the voice.
        regenerate : numbers of sentences
            To be spoken anew, and the others as before.
        take : str, optional
            Code of a take to be spoken again, or a file that holds it.
        threads : int, optional
            Of torch, while the call lasts; without it those of OMP_NUM_THREADS if that is set, or
            one.

        Returns
        -------
        audio : (sample,) float32
            Full scale is ±1.
        times : Timeline
            If asked for: `words`, `phones` and `phrases` are lists of (start, stop, label, number)
            with seconds.
        """
        speech, pieces = self._spoken(text, **options)
        spoken = list(pieces)
        audio = [block for piece in spoken for block in piece.blocks()]
        audio += quiet(speech.samples - sum(map(len, audio)))
        samples = np.concatenate(audio)
        if not times:
            return samples
        durations = [(piece.line, piece.durations) for piece in spoken]
        return samples, speech.timeline(durations)

    def stream(self, text: str, **options: Unpack[Spoken]) -> Iterator[np.ndarray]:
        """Speak a text line by line: yield the samples of each before the next one is spoken.

        The options are those of `say`, and refused before anything is yielded.
        """
        return _blocks(*self._spoken(text, **options))


def say(
    text: str, voice: str | Path | None = None, **options: Unpack[Spoken]
) -> tuple[np.ndarray, int]:
    """Speak a text with a voice that is loaded for it: `Voice(voice).say(text)`.

    Parameters
    ----------
    text : str
    voice : str or Path, optional
        An embedded voice by name, or a file; without it the embedded voice of US English.
    options
        Those of `Voice.say`.

    Returns
    -------
    audio : (sample,) float32
        Full scale is ±1.
    sample_rate : int
        Hz.
    """
    loaded = Voice(voice)
    return loaded.say(text, **options), loaded.sample_rate


def _paths(files: Files) -> list[Path]:
    return [Path(one) for one in ((files,) if isinstance(files, (str, Path)) else files)]


def _on_threads(pieces: Iterator[Piece], threads: int | None) -> Iterator[Piece]:
    """Yield pieces; torch has `threads` only while one is made."""
    while True:
        with lent(threads):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _blocks(speech: Speech, pieces: Iterator[Piece]) -> Iterator[np.ndarray]:
    samples = 0
    for piece in pieces:
        block = np.concatenate([*piece.blocks(), np.zeros(0, np.float32)])
        samples += len(block)
        yield block
    yield from quiet(speech.samples - samples)


def _spell_out(function: Callable[..., Any]) -> None:
    """Give a function that passes options on the signature that names each of them."""
    spelt = inspect.signature(Voice.speech).parameters.values()
    options = [one for one in spelt if one.name in Options.__annotations__]
    own = inspect.signature(Voice._spoken).parameters
    options += [
        own[name].replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name in ("ssml", "lenient", "phonemes", "threads")
    ]
    signature = inspect.signature(function)
    named = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    cast("Any", function).__signature__ = signature.replace(parameters=[*named, *options])


for _function in (Voice.say, Voice.stream, say):
    _spell_out(_function)
