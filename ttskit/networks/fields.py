"""The fields that models take and make, each declared once.

A chain of models is joined by them: a model runs once every field that it takes is there.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_CLIP = 200  # codes of a clip that are heard at once


@dataclass(frozen=True)
class Field:
    """One field of a batch."""

    axis: str  # the ragged axis that comes first; none: one value an utterance
    kinds: tuple[str, ...]  # artifacts that training reads it from; the first one present is used
    meaning: str
    source: str = "an input that has it"  # what to add to a chain that lacks it
    command: str = ""  # what makes an artifact that has it, if not every such artifact does


_PREDICTED = 'a duration model trained with --set \'predict=["pitch", "loudness"]\''
_GUESSED = "a vocoder that guesses it from the mel (train one with --set guess.channels=96)"
_CONTROLS, _SPOKEN = ("controls",), ("alignment",)

FIELDS = {
    "mel": Field("frame", ("mels", "features"), "log-mel spectrogram", "a decoder"),
    "f0": Field("frame", ("features",), "Hz", _GUESSED),
    "voiced": Field("frame", ("features",), "whether f0 was heard", _GUESSED),
    "contour": Field(
        "frame", ("features",), "octaves from the speaker's median, along a line where unvoiced"
    ),
    "periodicity": Field("frame", ("features",), "0 to 1"),
    "loudness": Field("frame", ("features",), "dB, A-weighted"),
    "energy": Field("frame", ("features",), "norm of the magnitudes"),
    "amplitude": Field("frame", _CONTROLS, "sum over harmonics, full scale is 1"),
    "distribution": Field("frame", _CONTROLS, "share of each harmonic"),
    "noise": Field("frame", _CONTROLS, "gain of noise by band"),
    "take": Field("take", ("mels",), "how it was chosen", "the decoder ddn"),
    "guide": Field("frame", (), "log-mel spectrogram that a mel is to fit", "a recording"),
    "guided": Field("frame", (), "whether a mel is to fit the guide", "a recording"),
    "curve": Field("curve", (), "dB, A-weighted, that a mel is to come near to", "a guide"),
    "codes": Field("code", ("codes",), "a code of each book", "a coder"),
    "clip": Field("clip", ("codes",), "codes of a clip of the speaker", "`say --reference`"),
    "latent": Field("", (), "mix of what is heard in several clips"),
    "latents": Field(
        "code",
        ("codes",),
        "states that predict codes",
        "a coder such as autoregressive",
        "`ttskit encode --coder`",
    ),
    "tokens": Field("token", (*_SPOKEN, "tokens", "codes"), "index into symbols", "a text"),
    "durations": Field("token", (*_SPOKEN, "codes"), "frames", "a duration model"),
    "pitch": Field("token", ("features",), "octaves from the speaker's median", _PREDICTED),
    "loudness_token": Field("token", ("features",), "10 dB from the median", _PREDICTED),
    "confidence": Field("token", (), "of a predicted duration, 0 to 1", "the duration model film"),
    "match": Field("", (), "of text and speech, higher is better", "a ranker"),
    "audio": Field("sample", ("corpus",), "-1 to 1", "a vocoder"),
    "style": Field("style", (), "mel of a recording in the wanted style", "--style"),
    "speaker": Field("", (), "index into speakers"),
}
