"""Audio played while it is made, by a program that is there and reads samples."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ttskit.errors import AudioError

if TYPE_CHECKING:
    from ttskit.dsp.samples import Samples

# program -> options with which it plays 16-bit samples of one channel from standard input
PLAYERS = {
    "aplay": "-q -t raw -f S16_LE -c 1 -r {rate} -",
    "paplay": "--raw --format=s16le --channels=1 --rate={rate}",
    "ffplay": "-nodisp -autoexit -loglevel error -f s16le -ar {rate} -i -",
    "play": "-q -t raw -e signed-integer -b 16 -c 1 -r {rate} -",
    "mpv": "--no-terminal --demuxer=rawaudio --demuxer-rawaudio-format=s16le "
    "--demuxer-rawaudio-channels=1 --demuxer-rawaudio-rate={rate} -",
}


def player() -> str:
    """Return the path of the first player that is installed."""
    for name in PLAYERS:
        if path := shutil.which(name):
            return path
    raise AudioError(f"--play: found none of {', '.join(PLAYERS)}: install one, or write with -o")


@contextmanager
def playing(rate: int) -> Iterator[Callable[[Samples], None]]:
    """Yield a function that plays the next samples; the last ones have sounded at the end."""
    from ttskit.dsp.samples import to_int16

    path = player()
    name = path.rpartition("/")[2]
    words = PLAYERS[name].format(rate=rate).split()
    process = subprocess.Popen([path, *words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    pipe = process.stdin
    assert pipe is not None

    def write(samples: Samples) -> None:
        pipe.write(to_int16(samples)[0].astype("<i2").tobytes())
        pipe.flush()

    try:
        yield write
    except BrokenPipeError:  # its status says why
        pass
    except BaseException:  # interrupted: fall silent at once
        process.kill()
        raise
    finally:
        with suppress(BrokenPipeError):
            pipe.close()
        process.wait()
    if process.returncode:
        raise AudioError(f"{name} ended with status {process.returncode}: write a file with -o")
