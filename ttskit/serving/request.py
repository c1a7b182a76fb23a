"""Requests: what a client asks to be spoken, as OpenAI's `/v1/audio/speech` has it, and more."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ttskit.formats.audio import KINDS
from ttskit.serving.refusal import Refusal, Unknown
from ttskit.speaking import knobs
from ttskit.speaking.style import RANGES

if TYPE_CHECKING:
    from ttskit.speaking.voice import Options

MODEL = "ttskit"
MODELS = (MODEL, "tts-1", "tts-1-hd", "gpt-4o-mini-tts")  # names that programs send: all are one
USUAL_FORMAT = "mp3"
FORMATS = ("pcm", *(suffix[1:] for suffix in KINDS))
STREAMS = ("audio", "sse")
CALLED = {"str": "a string", "float": "a number", "int": "a whole number", "bool": "true or false"}
WHY_NOT = {"instructions": "no voice follows instructions: leave them out"}


@dataclass(frozen=True)
class SpeechRequest:
    """What is to be spoken, and how; the names are those of the fields of JSON."""

    input: str
    model: str = MODEL
    voice: str = ""  # the first one without it
    response_format: str = ""  # mp3 without it, of times none
    stream_format: str = "audio"
    speed: float = 1.0
    pitch: float = 0.0  # semitones higher
    pitch_range: float = 1.0  # times as far as the pitch usually moves
    energy: float = 0.0  # dB louder
    pause: float = 0.25  # seconds between sentences
    speaker: str = ""
    seed: int = 0
    ssml: bool = False

    def __post_init__(self) -> None:
        knobs.check_range("speed", self.speed, *RANGES["rate"])  # a Voice has another name for it
        for name, there in (("response_format", FORMATS), ("stream_format", STREAMS)):
            if getattr(self, name) not in ("", *there):
                raise Refusal(
                    f"{name} {getattr(self, name)!r}: there is {', '.join(there)}", param=name
                )
        if self.model not in MODELS:
            raise Unknown(f"no model {self.model!r}; there is {', '.join(MODELS)}", param="model")

    @property
    def options(self) -> Options:
        """How the text is spoken, as a Voice names it."""
        return {
            "rate": self.speed,
            "pitch": self.pitch,
            "pitch_range": self.pitch_range,
            "energy": self.energy,
            "pause": self.pause,
            "speaker": self.speaker,
            "seed": self.seed,
        }


KNOWN = {field.name: str(field.type) for field in fields(SpeechRequest)}


def read(body: bytes) -> SpeechRequest:
    """Read a request from JSON."""
    try:
        entries = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"the body is not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise Refusal('the body is not a JSON object: needs the like of {"input": "Hello."}')
    entries = {name: value for name, value in entries.items() if value is not None}
    for name, value in entries.items():
        _check(name, value)
    if "input" not in entries:
        raise Refusal("needs the field input, the text to speak", param="input")
    return SpeechRequest(**entries)


def _check(name: str, value: object) -> None:
    """Refuse a field that there is not, or whose value is of another type."""
    if name in WHY_NOT:
        raise Refusal(f"{name}: {WHY_NOT[name]}", param=name)
    if name not in KNOWN:
        raise Refusal(f"no field {name:.60}; there is {', '.join(KNOWN)}", param=name)
    kind = KNOWN[name]
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "float": (float, int), "int": (int,)}
    fits = isinstance(value, kinds.get(kind, (bool,)))
    if not fits or (isinstance(value, bool) and kind != "bool"):
        raise Refusal(f"{name} {value!r:.60}: needs {CALLED[kind]}", param=name)
