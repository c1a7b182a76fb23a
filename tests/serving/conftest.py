"""What the tests of servers share: a tiny voice, and what speaks with it."""

import pytest

from tests.tiny import write_voice
from ttskit.serving.speaker import Speaker


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice"), name="tiny.h5")


@pytest.fixture(scope="module")
def speaker(path):
    return Speaker(path)
