"""Speaking: from text to audio with a voice, line by line.

N tokens of a line, T frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ttskit import progress, wording
from ttskit.dsp.samples import bent
from ttskit.errors import AlignmentError, TextError, TtskitError, at
from ttskit.formats.timeline import Timeline
from ttskit.speaking import knobs, questions, takes
from ttskit.speaking.acoustics import Cascade, Manner, unspoken
from ttskit.speaking.candidates import Choice, Chosen, Judges
from ttskit.speaking.clips import heard, mel_of_file
from ttskit.speaking.lines import Line, spoken_record, with_marks
from ttskit.speaking.realignment import Script
from ttskit.speaking.recordings import played, whole_frames
from ttskit.speaking.style import Style
from ttskit.speaking.takes import Take
from ttskit.voices.model import check_device
from ttskit.voices.voice import KNOWN, WANTED, VoiceFile

RARE = 3  # tokens of a phoneme to train on, before it is known
NO_WORD = "there is no word to speak: needs text with words"
MOST = 100_000  # frames of a line, some 20 minutes; beyond it, only memory is used up
BLOCK = 1 << 16  # samples of silence that are made at once


@dataclass(frozen=True)
class Piece:
    """A line as it sounds, the pause before it included."""

    line: Line
    durations: np.ndarray  # (N,) frames, the pause before it included
    silence: int  # samples of the pause
    audio: np.ndarray  # (T * hop_length,) float32, what follows the pause
    take: np.ndarray | None = None  # (numbers,) how a decoder that draws choices has chosen
    account: Mapping[str, Any] | None = None  # of the choice among candidates, as JSON can say it

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the pause, in blocks, and then the audio."""
        yield from quiet(self.silence)
        if len(self.audio):
            yield self.audio


# from a line, its style, its durations and its take, if they are given
Speak: TypeAlias = Callable[[Line, Style, np.ndarray | None, np.ndarray | None], Piece]


class Chain:
    """A voice that is loaded, and speaks line by line."""

    def __init__(
        self,
        voice: VoiceFile,
        device: str = "cpu",
        choice: Choice | None = None,
        engine: str = "torch",
    ) -> None:
        self.cascade, self.engine = _cascade(voice, device, engine), engine
        self.facts, self.voice = self.cascade.facts, voice
        self.choice = choice or Choice()
        heard = enumerate(voice.reader.facts.heard)
        self._rare = {token: count for token, count in heard if count < RARE}  # not yet noted
        self._styles: dict[Path, np.ndarray] = {}  # mels of recordings in a wanted style
        self._clips: dict[tuple[str, ...], dict[str, np.ndarray]] = {}

    def choosing(self, choice: Choice) -> Chain:
        """Return the same models with another choice among candidates."""
        other = copy(self)
        other.choice = choice
        other.__dict__.pop("judges", None)  # those of another choice
        return other

    @cached_property
    def judges(self) -> Judges:
        """What chooses among candidates, and says when each word is spoken."""
        return Judges(self.cascade, self.choice)

    def speak(
        self,
        line: Line,
        style: Style,
        durations: np.ndarray | None = None,
        take: np.ndarray | None = None,
    ) -> Piece:
        """Speak a line; its randomness follows from the seed and the number of the line alone.

        With a take its decoder chooses as it did then.
        """
        frames = self.pause(line) if durations is None else int(durations[0])
        silence = frames * self.facts.hop_length
        if line.recording is not None:
            return self._recording(line, line.recording, frames)
        if not line.words:
            return Piece(line, np.array([frames]), silence, np.zeros(0, np.float32))
        self._note_rare(line)
        manner = self._manner(line, style)
        known = {"tokens": line.tokens[1:], **self._heard(style)}
        if durations is not None:
            known["durations"] = durations[1:]
        if take is not None:
            known["take"] = take
        chosen = self._chosen(line, style, manner, known)
        audio, spoken = chosen.fields["audio"], chosen.fields["durations"]
        volume = style.energy + line.prosody[:, 2]
        if "loudness_token" not in self.cascade.takes and volume.any():
            audio = louder(audio, np.repeat(volume[1:], spoken), self.facts.hop_length)
        audio = bent(audio)
        durations = np.concatenate([[frames], spoken])
        if lost := unspoken(line.token_word, line.words, durations):
            raise AlignmentError(f"sentence {line.sentence}: the word {lost!r} has no frames")
        account = chosen.account() if self.judges.judging else None
        return Piece(line, durations, silence, audio, chosen.fields.get("take"), account)

    def _recording(self, line: Line, path: Path, frames: int) -> Piece:
        """Return a recording as the piece of a line, after a pause of so many frames."""
        hop_length = self.facts.hop_length
        audio = whole_frames(played(path, self.facts.sample_rate), hop_length)
        durations = np.array([frames, len(audio) // hop_length])
        return Piece(line, durations, frames * hop_length, audio)

    def _note_rare(self, line: Line) -> None:
        """Note the phonemes of a line that training has hardly seen, each of them once."""
        for token, owner in zip(line.tokens.tolist(), line.token_word.tolist(), strict=True):
            if owner < 0 or token not in self._rare:
                continue
            symbol, word = self.facts.symbols[token], line.words[owner]
            times = wording.count(self._rare.pop(token), "time")
            progress.note(f"{symbol} in {word!r} was heard {times} in training: may sound wrong")

    def _heard(self, style: Style) -> dict[str, np.ndarray]:
        """Return what the reference clips of a style give; they are read once."""
        clips = style.reference
        if clips not in self._clips:
            self._clips[clips] = heard(self.cascade, clips, self.voice.container.name)
        return self._clips[clips]

    def _chosen(
        self, line: Line, style: Style, manner: Manner, known: Mapping[str, np.ndarray]
    ) -> Chosen:
        """Return all fields of the chosen candidate of a line."""
        script = Script(
            f"sentence {line.sentence}",
            style.speaker,
            line.text,
            line.tokens[1:],
            line.token_word[1:],
            line.words,
            manner.length_scale,
        )
        name, take = f"line {line.number + 1}", style.regenerate.count(line.sentence)

        def seed(candidate: int) -> int:
            chance = [style.seed, line.number, *([take, candidate] if take or candidate else [])]
            return int(np.random.SeedSequence(chance).generate_state(1)[0])

        def make(candidate: int) -> Mapping[str, np.ndarray]:
            return self.cascade.run(name, known, manner, seed(candidate), self.judges.wanted)

        with at(utterance=script.id):
            chosen = self.judges.choose(script, make)
        fields = self.cascade.run(name, chosen.fields, manner, seed(chosen.candidate))
        return replace(chosen, fields=fields)

    def pause(self, line: Line) -> int:
        """Return the frames of silence before a line."""
        return round(line.pause * self.facts.sample_rate / self.facts.hop_length)

    def durations(self, line: Line, style: Style) -> np.ndarray:
        """Return the frames (N,) that each token of a line would last."""
        if "durations" not in self.cascade.takes:
            raise TtskitError(
                f"{self.voice.container.name}: none of its models takes durations, so they "
                "cannot be set"
            )
        if not line.words:
            return np.array([self.pause(line)])
        known, manner = {"tokens": line.tokens[1:]}, self._manner(line, style)
        fields = self.cascade.run("line", known, manner, 0, wanted="durations")
        return np.concatenate([[self.pause(line)], fields["durations"]])

    def timeline(
        self,
        spoken: Sequence[tuple[Line, np.ndarray]],
        style: Style,
        symbols: Sequence[str] | None = None,
    ) -> Timeline:
        """Return when each word and phoneme of lines with these durations is spoken.

        `symbols` are those of the lines, where they are not those of this voice alone.
        """
        whole = spoken_record(spoken, self.voice.language, style.speaker)
        step = self.facts.hop_length / self.facts.sample_rate
        return with_marks(Timeline(whole, symbols or self.facts.symbols, step), spoken)

    def check(self, style: Style) -> None:
        """Refuse what the models of the voice cannot do, with the judges of this choice."""
        _ = self.judges  # refuses a choice that these models do not allow
        name, families = self.voice.container.name, self.cascade.families
        knobs.check_known(name, families, style.knobs, style.preset)
        self.cascade.check_rate(style.rate, name)
        self._heard(style)
        self.cascade.check_speaker(style.speaker)
        if style.style is not None:
            self.cascade.check_style()
        self._check_pitch(style.pitch != 0 or style.pitch_range != 1)

    def _check_pitch(self, wanted: bool) -> None:
        if wanted and "pitch" not in self.cascade.takes:
            raise TtskitError(
                f"{self.voice.container.name}: its decoder was not trained with pitch: "
                "leave pitch and range out, or train one with --set pitch=true"
            )

    def _mel(self, path: Path | None) -> np.ndarray | None:
        """Return the mel of a recording, which is read once."""
        if path is not None and path not in self._styles:
            self._styles[path] = mel_of_file(path, self.facts)
        return None if path is None else self._styles[path]

    def _manner(self, line: Line, style: Style) -> Manner:
        rate, pitch, volume, lift, span = line.prosody[1:].T
        self.cascade.check_rate(rate, self.voice.container.name)
        self._check_pitch(bool(pitch.any() or (span != 1).any()))
        lift = lift + self._rise(line)
        noise = self.voice.settings.noise_scale
        own = {} if noise is None else {"noise_scale": noise}
        return Manner(
            length_scale=1 / (style.rate * rate),
            pitch=style.pitch + pitch + lift * ("pitch" in self.cascade.takes),
            pitch_range=style.pitch_range * span * self.voice.settings.pitch_range,
            loudness=style.energy + volume,
            speaker=style.speaker,
            style=self._mel(style.style),
            most=MOST,
            knobs={**own, **style.knobs},
            preset=style.preset,
        )

    def _rise(self, line: Line) -> np.ndarray:
        """Return the semitones (N - 1,) of a question that the voice has not learnt to ask."""
        known, heard = self.facts.symbols, self.voice.reader.facts.heard
        learnt = bool(heard) and "?" in known and heard[known.index("?")] >= questions.LEARNT
        english = self.voice.language.startswith("en")
        if learnt or not english or not questions.can_rise(line.text, line.words):
            return np.zeros(len(line.tokens) - 1)
        return questions.rise([known[token] for token in line.tokens[1:]], line.token_word[1:])


def _cascade(voice: VoiceFile, device: str, engine: str) -> Cascade:
    """Return the models of a voice, loaded by an engine."""
    if engine == "torch":
        check_device(device)
        models = [*voice.models.values()]
        return Cascade(models, WANTED, KNOWN, device, voice.settings.widening)
    from ttskit.speaking.graphs import GraphCascade

    if device != "cpu":
        raise TtskitError(f"--device {device}: the engine onnx runs on the cpu alone")
    return GraphCascade(voice)


def quiet(samples: int) -> Iterator[np.ndarray]:
    """Yield so many samples of silence, in blocks."""
    for start in range(0, samples, BLOCK):
        yield np.zeros(min(BLOCK, samples - start), np.float32)


def louder(audio: np.ndarray, volume: np.ndarray, hop_length: int) -> np.ndarray:
    """Raise audio by dB given frame by frame, gliding between them.

    audio (T * hop_length,), volume (T,) -> (T * hop_length,)
    """
    centres = (np.arange(len(volume)) + 0.5) * hop_length
    gain = 10 ** (np.interp(np.arange(len(audio)) + 0.5, centres, volume) / 20)
    return (audio * gain).astype(np.float32)


def pieces(
    chain: Chain,
    lines: Iterable[Line],
    style: Style,
    durations: Sequence[np.ndarray] | None = None,
    take: Take | None = None,
    speak: Speak | None = None,
) -> Iterator[Piece]:
    """Speak each line before the next one is asked for; with a take, as it was spoken then.

    `speak` speaks a line, in place of the chain.
    """
    chain.check(style)
    if take is not None:
        takes.check(take.model, takes.taker(chain.cascade.models), "the take")
    spoken, sounds, sentences = 0, False, 0
    for place, line in enumerate(lines):
        own = take.line(spoken) if take is not None and line.words else None
        given = None if durations is None else durations[place]
        yield (speak or chain.speak)(line, style, given, own)
        spoken += bool(line.words)
        sounds, sentences = sounds or line.sounds, max(sentences, line.sentence)
    if not sounds:
        raise TextError(NO_WORD)
    if beyond := [number for number in style.regenerate if number > sentences]:
        there = wording.count(sentences, "sentence")
        progress.note(f"sentence {beyond[0]} is not spoken anew: the text has {there}")
    if take is not None:
        take.check_end(spoken)
