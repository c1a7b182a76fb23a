from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def tone():
    """Write a tone of some seconds, mono or stereo, in whatever format the suffix says."""

    def write(path, seconds=0.2, rate=16000, channels=1, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(round(seconds * rate)) / rate
        wave = 0.3 * np.sin(2 * np.pi * 220 * time)
        soundfile.write(path, np.stack([wave] * channels, axis=1), rate, **options)
        return path

    return write


@pytest.fixture
def say():
    """Write a text file below a folder that may not be there yet."""

    def write(path: Path, content: str | bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
