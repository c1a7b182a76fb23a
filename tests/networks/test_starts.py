"""What vocoders without weights begin with, by operators that ONNX has: as numpy has it."""

import numpy as np
import pytest
import torch

from ttskit.dsp import melpitch, speechlike
from ttskit.dsp.mel import MelSettings, mel
from ttskit.networks.starts import PitchCandidates, line, path

RATE = 22050


@pytest.fixture(scope="module")
def speech():
    """(frame, mel) float32."""
    rng = np.random.default_rng(3)
    sounds = speechlike.sounds("salvi noma, ketu", rng)
    return mel(speechlike.synthesise(sounds, rng, RATE)[0], MelSettings())


def test_the_pitch_of_speech_is_that_of_numpy(speech):
    height, octaves = PitchCandidates(MelSettings())(torch.from_numpy(speech))
    chosen = path(height, octaves)
    voiced = chosen < height.shape[1] - 1
    f0, expected = melpitch.pitch(speech, MelSettings())
    np.testing.assert_array_equal(voiced.numpy(), expected)
    found = octaves.gather(1, chosen[:, None])[:, 0].exp2().numpy()
    np.testing.assert_allclose(found[expected], f0[expected], rtol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_that_of_numpy(seed):
    rng = np.random.default_rng(seed)
    height = rng.random((20, 4)).astype(np.float32)
    octaves = rng.uniform(6, 8, (20, 4)).astype(np.float32)
    chosen = path(torch.from_numpy(height), torch.from_numpy(octaves))
    np.testing.assert_array_equal(chosen.numpy(), melpitch.path(height, octaves))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_f0_goes_along_the_line_of_numpy(share):
    rng = np.random.default_rng(0)
    f0, voiced = rng.uniform(80, 300, 30).astype(np.float32), rng.random(30) < share
    found = line(torch.from_numpy(f0), torch.from_numpy(voiced))
    np.testing.assert_allclose(found.numpy(), melpitch.line(f0, voiced), rtol=1e-5)
