"""The command line: one line per verb, in the order of the pipeline, then the coreutils."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import Annotated

import typer

from ttskit.errors import TtskitError
from ttskit.stages import (
    align,
    cat,
    compare,
    config,
    corpus,
    decode,
    demo,
    diff,
    doctor,
    evaluate,
    export,
    features,
    import_,
    info,
    ls,
    merge,
    plot,
    report,
    say,
    select,
    split,
    text,
    tokens,
    train,
    verify,
    vocode,
    voice,
    why,
)

LIVING = 20_000  # objects more than before are looked at for garbage; as torch is imported it
# makes hundreds of thousands, none of which is garbage: with 700, as usual, that takes 0.5 s

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich would double the time to the first line
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from ttskit import __version__

        typer.echo(f"ttskit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes, only errors.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show where in the code an error arose.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="And exit.")
    ] = False,
) -> None:
    """Composable text-to-speech stages that read and write HDF5 artifacts."""
    if quiet or verbose:
        from ttskit import progress

        if quiet:
            progress.hush()
        if verbose:
            progress.show_origins()


app.command("corpus")(corpus.command)
app.command("text")(text.command)
app.command("tokens")(tokens.command)
app.command("features")(features.command)
app.command("align")(align.command)
app.command("train")(train.command)
app.command("config")(config.command)
app.command("decode")(decode.command)
app.command("vocode")(vocode.command)
app.command("voice")(voice.command)
app.command("say")(say.command)
app.command("evaluate")(evaluate.command)
app.command("compare")(compare.command)
app.command("report")(report.command)
app.command("why")(why.command)
app.command("plot")(plot.command)
app.command("doctor")(doctor.command)
app.command("demo")(demo.command)
app.command("info")(info.command)
app.command("ls")(ls.command)
app.command("cat")(cat.command)
app.command("select")(select.command)
app.command("merge")(merge.command)
app.command("split")(split.command)
app.command("diff")(diff.command)
app.command("verify")(verify.command)
app.command("export")(export.command)
app.command("import")(import_.command)


def main() -> None:
    """Run the command line; say in one line what the user can mend."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 (it lives as long as we do)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary files go
    gc.set_threshold(LIVING)
    atexit.register(gc.freeze)  # what is left goes with the process: to look at it takes 0.3 s
    try:
        app()
    except TtskitError as error:
        _complain(str(error))
        sys.exit(error.status)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"{where}{error.strerror or error}")
        sys.exit(1)


def _complain(message: str) -> None:
    from ttskit import progress

    progress.complain(f"ttskit: {message}")
