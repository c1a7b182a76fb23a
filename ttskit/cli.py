"""The command line: one line per verb, grouped by what it is for."""

from __future__ import annotations

import atexit
import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from keyword import iskeyword
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.main import get_command

from ttskit import wording
from ttskit.artifacts import caches, signals
from ttskit.dsp import threads
from ttskit.errors import Interrupted, TtskitError, UsageError
from ttskit.manual import HELP, Overview, Page
from ttskit.stages import completion

LIVING = 20_000  # objects more than before are looked at for garbage; as torch is imported it
# makes hundreds of thousands, none of which is garbage: with 700, as usual, that takes 0.5 s

REMEDIES = {
    errno.EMFILE: ": raise the limit (ulimit -n 4096), or use fewer --jobs",
    errno.ENFILE: ": too many programs are running",
    errno.ENOSPC: ": make room and run the same command again",
}

VERBS = {  # what a verb is for, as `ttskit --help` and docs/index.md have it
    "From recordings to a model": (
        "demo",
        "recipe",
        "corpus",
        "text",
        "tokens",
        "features",
        "align",
        "config",
        "train",
    ),
    "From text to sound": (
        "say",
        "serve",
        "encode",
        "decode",
        "vocode",
        "voice",
        "voices",
    ),
    "Looking and listening": (
        "doctor",
        "analyze",
        "plot",
        "why",
        "report",
        "evaluate",
        "compare",
    ),
    "Coreutils for artifacts": (
        "info",
        "ls",
        "cat",
        "select",
        "merge",
        "split",
        "diff",
        "verify",
        "export",
        "import",
    ),
    "Help": (
        "help",
        "languages",
        "completion",
    ),
}
LISTING = ("help",)  # verbs that read what the others say of themselves
ALL = [verb for verbs in VERBS.values() for verb in verbs]

_Usage: type[Exception] = typer.BadParameter.__mro__[2]  # all of what Typer finds wrong


if TYPE_CHECKING:
    app: typer.Typer  # the whole program
else:

    def __getattr__(name: str) -> Any:
        if name != "app":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()["app"] = build(ALL)
        return globals()["app"]


def build(wanted: Collection[str]) -> typer.Typer:
    """Return the program with some of its verbs; the files of the others are not imported."""
    program = typer.Typer(
        cls=Overview,
        no_args_is_help=True,
        add_completion=False,  # two options on every page; `completion` prints the script instead
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: rich would double the time to the first line
        subcommand_metavar="VERB ...",
        context_settings=HELP,
        epilog="`ttskit help VERB` explains the options of a verb, with examples.",
    )
    program.callback()(_root)
    for heading, verbs in VERBS.items():
        for verb in filter(wanted.__contains__, verbs):
            command = stage(verb).command
            register = program.command(
                verb,
                cls=Page,
                context_settings=HELP,
                short_help=command.__doc__.partition("\n")[0],
                rich_help_panel=heading,
            )
            register(command)
    return program


def stage(verb: str) -> ModuleType:
    """Return the file of a verb; where Python keeps the name, an underscore follows it."""
    return import_module(f"ttskit.stages.{verb}{'_' * iskeyword(verb)}")


def needed(words: Sequence[str]) -> Sequence[str]:
    """Return the verbs that a command line can need: the one that it names, if that is enough."""
    named = next((word for word in words if not word.startswith("-")), "")
    listing = named in LISTING or completion.VARIABLE in os.environ
    return [named] if named in ALL and not listing else ALL


def _print_version(wanted: bool) -> None:
    if wanted:
        from ttskit import __version__

        typer.echo(f"ttskit {__version__}")
        raise typer.Exit


def _root(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print errors only: no progress, no notes.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show where in the code an error arose.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Composable text-to-speech stages that read and write HDF5 artifacts."""
    from ttskit.artifacts import mapped

    mapped.explain_bus_errors()
    if quiet or verbose:
        from ttskit import progress

        if quiet:
            progress.hush()
        if verbose:
            progress.show_origins()


def run(*words: object) -> int:
    """Run a verb in this process with the words of a command line; return its exit status.

    What the user can mend is raised as a TtskitError.
    """
    try:
        status = get_command(build(needed([*map(str, words)]))).main(
            [*map(str, words)], "ttskit", standalone_mode=False
        )
    except _Usage as error:
        raise UsageError(cast("Any", error).format_message()) from None
    return status or 0


class Closed(io.TextIOBase):
    """A standard output that is closed: what a verb prints is not lost in silence."""

    closed = True

    def isatty(self) -> bool:
        return False

    def write(self, _: str) -> int:
        raise TtskitError("standard output is closed: send it to a file or a pipe")


def main() -> None:
    """Run the command line; say in one line what the user can mend."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 (it lives as long as we do)
    _name_standard_output()
    _heed_signals()
    threads.wait_passively()
    caches.provide()
    sys.stdout = sys.stdout or Closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files are any bytes
    gc.set_threshold(LIVING)
    atexit.register(gc.freeze)  # what is left goes with the process: to look at it takes 0.3 s
    try:
        _run()
    except KeyboardInterrupt:
        _complain("interrupted")
        sys.exit(Interrupted.status)
    finally:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # all is done: no traceback of the exit


def _heed_signals() -> None:
    """Let Ctrl-C and SIGTERM raise, so that temporary files go; none may be lost."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.unraisablehook = signals.resend_lost


def _run() -> None:
    try:
        if completion.VARIABLE in os.environ:
            from typer.completion import completion_init  # type: ignore[attr-defined]

            completion_init()  # Typer answers a shell instead of running a verb
        build(needed(sys.argv[1:]))(prog_name="ttskit")
    except TtskitError as error:
        _complain(str(error))
        sys.exit(error.status)
    except OSError as error:
        where = f"{wording.shown(error.filename)}: " if error.filename else ""
        remedy = REMEDIES.get(error.errno or 0, "")
        if wording.url(error.filename or ""):
            remedy = ": only artifacts and audio are read and written at an address"
        _complain(f"{where}{error.strerror or error}{remedy}")
        sys.exit(1)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        _complain("no folder to keep compiled functions in: name one by NUMBA_CACHE_DIR")
        sys.exit(1)
    except SystemExit as error:
        if error.code == Interrupted.status:  # that of Typer after Ctrl-C, without a word
            _complain("interrupted")
        raise


class _StandardOutput(io.FileIO):
    """Standard output, whose error names it, once: what is written after that goes."""

    broken = False

    def write(self, content: Any) -> int:
        if self.broken:
            return len(content)
        try:
            return super().write(content)
        except OSError as error:
            self.broken, error.filename = True, "standard output"
            raise


def _name_standard_output() -> None:
    """Let errors in writing standard output say where they are from."""
    old = sys.__stdout__
    if old is None or sys.stdout is not old:  # there is none, or that of a test
        return
    raw = io.BufferedWriter(_StandardOutput(old.fileno(), "w", closefd=False))
    sys.stdout = io.TextIOWrapper(raw, old.encoding, old.errors, line_buffering=old.isatty())


def _complain(message: str) -> None:
    from ttskit import progress

    progress.complain(f"ttskit: {message}")
