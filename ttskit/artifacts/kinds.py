"""The kinds of artifact: what is in each file, by field, axis and dtype.

`docs/artifacts.md` says the same in prose; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ttskit.artifacts import hdf5, joined
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import OpenRecord, Record, array, string
from ttskit.errors import ArtifactError

LONGEST = 100_000  # frames of a token


@dataclass(frozen=True, eq=False, kw_only=True)
class Corpus(Record):
    """Recordings with their transcripts: what `ttskit corpus` makes of a dataset."""

    attributes: ClassVar = {"sample_rate": "Hz"}

    audio: np.ndarray = array("sample", "i2", "full scale is 32768")
    # known only of what `ttskit compare` has synthesised
    synthesis_seconds: np.ndarray | None = array(
        "", "f8", "s of processor time, once loaded", least=0, optional=True
    )
    load_seconds: np.ndarray | None = array(
        "", "f8", "s of processor time, spent once by its process", least=0, optional=True
    )
    peak_megabytes: np.ndarray | None = array(
        "", "f8", "MB, the most held by its process so far", least=0, optional=True
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Spelled(Record):
    """What Tokens and Alignments share: a text as words and tokens."""

    tables: ClassVar = {"symbols": "what the tokens stand for, by number"}

    language: str = string("as gruut names it, or characters")
    tokens: np.ndarray = array("token", "i4", "index into symbols", least=0, below="symbols")
    token_word: np.ndarray = array(
        "token", "i4", "index into words, -1 for none", least=-1, below="word"
    )
    words: np.ndarray = array("word", "S", "as normalised")
    spans: np.ndarray = array("word 2", "i4", "characters of text: start, stop", least=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Tokens(Spelled):
    """Texts as symbols to be spoken: what `ttskit tokens` makes of texts."""

    guessed: np.ndarray = array("word", "?", "whether the phonemes are a guess")
    dropped: str = string("characters that are not spoken, and where")


@dataclass(frozen=True, eq=False, kw_only=True)
class Features(Record):
    """Acoustic features, frame by frame: what `ttskit features` makes of a Corpus.

    Frame j is centred at (j + 1/2) * hop_length samples; there are samples // hop_length frames.
    """

    attributes: ClassVar = {
        "sample_rate": "Hz",
        "hop_length": "samples",
        "n_fft": "samples",
        "n_mels": "bands",
        "fmin": "Hz",
        "fmax": "Hz",
    }

    mel: np.ndarray = array("frame mel", "f4", "natural log of magnitude")
    f0: np.ndarray = array("frame", "f4", "Hz, interpolated where unvoiced", least=0)
    voiced: np.ndarray = array("frame", "?", "whether f0 was heard")
    periodicity: np.ndarray = array("frame", "f4", "0 to 1", least=0, most=1)
    loudness: np.ndarray = array("frame", "f4", "dB, A-weighted")
    energy: np.ndarray = array("frame", "f4", "norm of the magnitude spectrum", least=0)
    formants: np.ndarray | None = array("frame formant", "f4", "Hz", least=0, optional=True)
    harmonicity: np.ndarray | None = array("frame", "f4", "dB, -200 unvoiced", optional=True)
    intensity: np.ndarray | None = array("frame", "f4", "dB re 2e-5", optional=True)
    jitter: np.ndarray | None = array("", "f4", "local, ratio", least=0, optional=True)
    shimmer: np.ndarray | None = array("", "f4", "local, ratio", least=0, optional=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Alignment(Spelled):
    """Tokens with the frames that each lasts; the sum is the number of frames."""

    attributes: ClassVar = {"sample_rate": "Hz", "hop_length": "samples"}

    durations: np.ndarray = array("token", "i4", "frames", least=0, most=LONGEST)
    token_score: np.ndarray = array(
        "token", "f4", "log-likelihood a frame, 0 without frames, NaN unknown", unknown=True
    )
    score: np.ndarray = array("", "f4", "log-likelihood a frame, NaN unknown", unknown=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Spoken(Record):
    """What Mels and Codes say of what is spoken: all of it or, where it is unknown, nothing.

    The durations sum to the number of frames.
    """

    tables: ClassVar = {"symbols": "what the tokens stand for, by number"}
    together: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("language", "tokens", "token_word", "words", "spans", "durations"),
    )

    language: str | None = string("as gruut names it, or characters", optional=True)
    tokens: np.ndarray | None = array(
        "token", "i4", "index into symbols", least=0, below="symbols", optional=True
    )
    token_word: np.ndarray | None = array(
        "token", "i4", "index into words, -1 for none", least=-1, below="word", optional=True
    )
    words: np.ndarray | None = array("word", "S", "as normalised", optional=True)
    spans: np.ndarray | None = array(
        "word 2", "i4", "characters of text: start, stop", least=0, optional=True
    )
    durations: np.ndarray | None = array(
        "token", "i4", "frames", least=0, most=LONGEST, fills="frame", optional=True
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Mels(Spoken):
    """Mels predicted by a decoder: what `ttskit decode` makes of texts, recordings or codes.

    Either all of f0, voiced and loudness are present, which are those of a recording, or none.  A
    decoder that draws its choices leaves its take, which gives the same mel again.
    """

    attributes: ClassVar = Features.attributes
    together: ClassVar = (*Spoken.together, ("f0", "voiced", "loudness"), ("take", "take_of"))

    mel: np.ndarray = array("frame mel", "f4", "natural log of magnitude")
    dropped: str | None = string("characters that are not spoken, and where", optional=True)
    confidence: np.ndarray | None = array(
        "token", "f4", "of its duration, 0 to 1", least=0, most=1, optional=True
    )
    f0: np.ndarray | None = array(
        "frame", "f4", "Hz, interpolated where unvoiced", least=0, optional=True
    )
    voiced: np.ndarray | None = array("frame", "?", "whether f0 was heard", optional=True)
    loudness: np.ndarray | None = array("frame", "f4", "dB, A-weighted", optional=True)
    take: np.ndarray | None = array(
        "take",
        "u2",
        "noise scale in hundredths, then the chosen candidates by number",
        optional=True,
    )
    take_of: str | None = string("fingerprint of the model that chose", optional=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Codes(Spoken):
    """Speech as codes of a codec: what `ttskit encode` makes of mels.

    A code stands for `stride` frames, the last one of an utterance perhaps for fewer.  Beside each
    may be its latent, the state from which a coder predicts it.
    """

    attributes: ClassVar = {
        **Features.attributes,
        "stride": "frames a code",
        "size": "codes of a book",
    }
    tables: ClassVar = {**Spoken.tables, "codec": "digest of the model that made them"}
    together: ClassVar = (*Spoken.together, ("latents", "latents_of"))

    codes: np.ndarray = array("code book", "u2", "number of a vector of the book", below="size")
    frames: np.ndarray = array("", "i4", "frames that the codes stand for", least=1)
    latents: np.ndarray | None = array(
        "code channel", "f2", "state of a coder that predicts the code", optional=True
    )
    latents_of: str | None = string("digest of that coder", optional=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Controls(Record):
    """Controls of a synthesiser, frame by frame: what `ttskit vocode --controls` makes of mels.

    Harmonics of f0 where it is voiced, and everywhere filtered noise.
    """

    attributes: ClassVar = {"sample_rate": "Hz", "hop_length": "samples"}

    f0: np.ndarray = array("frame", "f4", "Hz", least=0)
    voiced: np.ndarray = array("frame", "?", "whether harmonics sound")
    amplitude: np.ndarray = array("frame", "f4", "sum over harmonics, full scale is 1", least=0)
    distribution: np.ndarray = array(
        "frame harmonic", "f4", "share of the amplitude", least=0, most=1
    )
    noise: np.ndarray = array(
        "frame band", "f4", "gain of noise, from 0 Hz to half the rate", least=0
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores(OpenRecord):
    """The scores of each utterance, which `ttskit evaluate` computes of recordings.

    `numbers` are the scores of the measures that were taken, by name; NaN is unknown.  Each is a
    column, whose unit and bounds the file declares: `ttskit.metrics.registry` has the measures.
    """

    tables: ClassVar = {
        "measures": "that were taken",
        "hashes": "of the name and the settings of each measure",
        "settings": "of each measure, as JSON",
        "libraries": "names and versions",
    }

    heard: str | None = string("words that a recogniser heard", optional=True)


KINDS: tuple[type[Record], ...] = (
    Corpus,
    Tokens,
    Features,
    Alignment,
    Mels,
    Codes,
    Controls,
    Scores,
)


# what to do with the kinds that hold no utterances
WITHOUT = {
    "model": "; `ttskit info` describes a model, `decode`, `vocode` and `voice pack` take one",
    "voice": "; `ttskit voice info` describes a voice, `ttskit.Voice(file)` speaks with it",
}


def read(path: Path, name: str = "") -> Reader[Any]:
    """Open an artifact of any kind; `name` is what errors call it."""
    container = joined.open_artifact(path, name)
    reader = reader_of(container)
    if reader is None:
        known = ", ".join(kind.kind() for kind in KINDS)
        hint = WITHOUT.get(container.kind, "")
        raise ArtifactError(
            f"is {container.kind}, needs utterances: {known}{hint}", file=name or path
        )
    return reader


def reader_of(container: hdf5.Container) -> Reader[Any] | None:
    """Return a reader for a container that holds records; None for models and the like."""
    for known in KINDS:
        if known.kind() == container.kind:
            return Reader.of(container, known)
    return None
