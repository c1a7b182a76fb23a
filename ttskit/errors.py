"""Errors that a user can mend.  Anything else that escapes is a bug and shows its traceback.

TtskitError                 one line on stderr, exit status 1
├── ArtifactError           a file is not the artifact that a stage needs
├── AudioError              a recording cannot be used
├── DatasetError            a dataset cannot be understood
├── TextError               a text, a lexicon or a symbol cannot be used
├── AlignmentError          an utterance cannot be aligned
├── SettingError            a key or a value of a configuration is wrong
├── TrainingError           a model cannot be trained on what it is given
├── LeftOut                 an utterance that the user's own options leave out
└── Interrupted             Ctrl-C; exit status 130
"""


class TtskitError(Exception):
    """The one class that the command line turns into a message and an exit status."""

    status = 1


class ArtifactError(TtskitError):
    """A file is not the artifact that a stage needs."""


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
    """A model cannot be trained on what it is given."""


class LeftOut(TtskitError):
    """An utterance is not wanted: the user's own options leave it out."""


class Interrupted(TtskitError):
    """The user pressed Ctrl-C; what was finished is kept."""

    status = 130
