"""Folders in which libraries keep what takes long: numba compiled functions, matplotlib its fonts.

They choose one beside the program or in the user's home.  Where neither can be written, numba
refuses to work, and matplotlib complains and starts anew in each run.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def provide() -> None:
    """Name a folder among the temporary ones for each library that has none of its own."""
    home = Path.home()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    lacking = {
        "NUMBA_CACHE_DIR": not (_writable(PACKAGE / "dsp" / "__pycache__") or _writable(cache)),
        "MPLCONFIGDIR": not (_writable(cache / "matplotlib") and _writable(config / "matplotlib")),
    }
    _name({name for name, lacks in lacking.items() if lacks and name not in os.environ})


def _name(variables: set[str]) -> None:
    if not variables:
        return
    try:
        folder = Path(tempfile.gettempdir(), f"compiled-for-ttskit-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
    except OSError:
        return
    own = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    if own and not facts.st_mode & 0o022:  # numba runs what it finds there
        os.environ.update(dict.fromkeys(variables, str(folder)))


def _writable(folder: Path) -> bool:
    """Return whether a folder can be written, or made."""
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
