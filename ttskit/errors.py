"""Errors that a user can mend.  Anything else that escapes is a bug and shows its traceback.

TtskitError                 one line on stderr, exit status 1
├── UsageError              the command line itself cannot be; exit status 2
├── ArtifactError           a file is not the artifact that a stage needs
│   └── Changed             an artifact is not the one that was opened any more
├── AudioError              a recording cannot be used
├── DatasetError            a dataset cannot be understood
├── TextError               a text, a lexicon or a symbol cannot be used
├── AlignmentError          an utterance cannot be aligned
├── SettingError            a key or a value of a configuration is wrong
├── TrainingError           a model cannot be trained on the inputs
├── LeftOut                 an utterance that the user's own options leave out
└── Interrupted             Ctrl-C; exit status 130
"""

from __future__ import annotations

from types import TracebackType

from ttskit.wording import shown

KEPT = "what was finished is kept"


class TtskitError(Exception):
    """The class of errors that the command line prints as one line, with an exit status.

    `file` and `utterance` say where the error is; they are kept apart from the message, and `str`
    puts them in front of it: `FILE: UTTERANCE: message`.
    """

    status = 1

    def __init__(self, message: str, *, file: object = "", utterance: str = "") -> None:
        super().__init__(message)
        self.message, self.file, self.utterance = message, shown(file or ""), utterance

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.utterance, self.message) if part)

    def reason(self, source: str) -> str:
        """Return the message for an utterance of `source`, with another file's path relative to it.

        It is recorded in artifacts, which must not depend on where the source lay.
        """
        file = "" if self.file == source else self.file.removeprefix(f"{source}/")
        return f"{file}: {self.message}" if file else self.message


class at:
    """A context that adds the file and the utterance to errors that name none.

    >>> with at("corpus.h5"), at(utterance="a"):
    ...     raise TtskitError("has no samples")
    Traceback (most recent call last):
    ttskit.errors.TtskitError: corpus.h5: a: has no samples
    """

    def __init__(self, file: object = "", utterance: str = "") -> None:
        self.file, self.utterance = file, utterance

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if isinstance(error, TtskitError):
            error.file = error.file or shown(self.file or "")
            error.utterance = error.utterance or self.utterance


class exits:
    """A context that gives errors inside it an exit status.

    >>> with exits(2):
    ...     raise TtskitError("no such file")
    Traceback (most recent call last):
    ttskit.errors.TtskitError: no such file
    """

    def __init__(self, status: int) -> None:
        self.status = status

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if isinstance(error, TtskitError):
            error.status = self.status


class UsageError(TtskitError):
    """The command line cannot be, whatever the files are: options, their values, how many files."""

    status = 2


class ArtifactError(TtskitError):
    """A file is not the artifact that a stage needs."""


class Changed(ArtifactError):
    """An artifact is not the one that was opened any more: no utterance is to blame."""


class AudioError(TtskitError):
    """A recording cannot be used."""


class DatasetError(TtskitError):
    """A dataset cannot be understood."""


class TextError(TtskitError):
    """A text, a lexicon or a symbol cannot be used."""


class AlignmentError(TtskitError):
    """An utterance cannot be aligned."""


class SettingError(TtskitError):
    """A key or a value of a configuration is wrong."""


class TrainingError(TtskitError):
    """A model cannot be trained on the inputs."""


class LeftOut(TtskitError):
    """An utterance is not wanted: the user's own options leave it out."""


class Interrupted(TtskitError):
    """The user pressed Ctrl-C; what was finished is kept."""

    status = 130
