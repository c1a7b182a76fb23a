"""Sound that libsndfile does not read, decoded by ffmpeg where that is installed: m4a and aac."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from ttskit.errors import AudioError

SUFFIXES = (".m4a", ".aac")


class Decoded:
    """The decoded samples of a file, as a file without a name that is gone with this object."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this object)
        self.descriptor = self._file.fileno()
        self.path = Path(f"/dev/fd/{self.descriptor}")

    def __del__(self) -> None:
        self._file.close()


def decode(path: Path) -> Decoded:
    """Return the decoded samples of a file; the last ones are kept for its other parts."""
    status = path.stat()
    return _decode(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1)
def _decode(path: Path, _changed: int, _size: int) -> Decoded:
    """Decode a file; one that has changed is decoded again.

    The demuxer is named: ffmpeg would follow a playlist, whatever its suffix, to other files.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioError(
            f"{path.suffix.lower()} is read through ffmpeg, which is not installed: "
            "install it, or convert the file to wav or flac"
        )
    with path.open("rb") as file:
        demuxer = "mov" if file.read(8)[4:] == b"ftyp" else "aac"
    out = Decoded()
    source = ["-protocol_whitelist", "file", "-f", demuxer, "-i", f"file:{path}"]
    sound = ["-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "-rf64", "auto", f"file:{out.path}"]
    done = subprocess.run(
        [program, "-nostdin", "-v", "error", "-xerror", "-y", *source, *sound],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        pass_fds=[out.descriptor],
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        what = lines[0].rpartition("] ")[2] if lines else f"exit status {done.returncode}"
        raise AudioError(f"damaged, cut short or not AAC ({what}); copy or convert it again")
    return out
