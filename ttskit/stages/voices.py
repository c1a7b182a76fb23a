"""Voices: the names of those that come with ttskit."""

from __future__ import annotations

import json

import typer

from ttskit.options import Json


def command(
    as_json: Json = False,
) -> None:
    """List the voices that come with ttskit: name, language, size.

    Examples:
        ttskit voices
        ttskit voices --json
    """
    from ttskit.voices import embedded, voice

    for path in embedded.voices().values():
        entry = voice.entry(voice.read(path))
        typer.echo(json.dumps(entry) if as_json else voice.ROW.format(**entry))
