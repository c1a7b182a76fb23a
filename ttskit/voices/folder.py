"""A voice as a folder for other programs: ONNX graphs, settings as JSON, a script that speaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ttskit.artifacts import atomic
from ttskit.errors import TtskitError
from ttskit.voices.graphs import FILE, Graph, described
from ttskit.voices.join import JUDGES
from ttskit.voices.sessions import EXTRA

if TYPE_CHECKING:
    from ttskit.voices.voice import VoiceFile

SCRIPT = "speak.py"


def write(voice: VoiceFile, folder: Path) -> None:
    """Write the models of a voice, all that a program has to know, and a script that speaks."""
    from ttskit import progress

    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise TtskitError(f"{voice.container.name}: to convert it {EXTRA}") from error
    from ttskit.voices.conversion import converted

    models = [model for role, model in voice.models.items() if role not in JUDGES]
    graphs, known = list[Graph](), set[str]()
    with progress.track("export", len(models)) as advance:
        for model in models:
            one = converted(model, widening=voice.settings.widening, known=known)
            known |= {*model.makes}
            folder.mkdir(parents=True, exist_ok=True)
            with atomic.replacing(folder / one.graph.file) as unfinished:
                unfinished.write_bytes(one.proto.SerializeToString())
            graphs.append(one.graph)
            advance()
    description = json.dumps(described(voice, graphs), ensure_ascii=False, indent=1)
    atomic.write_text(folder / FILE, description + "\n")
    atomic.write_text(folder / "card.md", voice.settings.card)
    script = Path(__file__).with_name(SCRIPT).read_text(encoding="utf-8")
    atomic.write_text(folder / SCRIPT, script)
