"""HiFi-GAN: sizes that fit, and those of its presets."""

import math
import re

import pytest

from ttskit.errors import SettingError
from ttskit.models.hifigan import Hifigan
from ttskit.networks.facts import Facts
from ttskit.settings import changed


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rates": (8, 8, 4)}, "kernels are (16, 16, 4, 4), needs one"),
        ({"kernels": (16, 16, 4, 1)}, "kernels are (16, 16, 4, 1), needs one"),
        ({"channels": 24}, "channels is 24, needs a multiple of 16"),
        ({"block_kernels": (2, 7, 11)}, "needs odd numbers"),
        ({"dilations": (1, 3)}, "needs as many for each of (3, 7, 11)"),
        ({"rates": (8, 4, 2, 2)}, "multiply to 128, but a frame is 256 samples"),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(changes, complaint):
    with pytest.raises(SettingError, match=re.escape(complaint)):
        Hifigan(Hifigan.Config(**changes), Facts())


@pytest.mark.parametrize(("preset", "millions"), [("v1", 13.94), ("v2", 0.93), ("v3", 1.46)])
def test_presets_are_as_large_as_published(preset, millions):
    sizes = {k: v for k, v in Hifigan.presets[preset].items() if "." not in k}
    model = Hifigan(changed(Hifigan.Config(), sizes, preset), Facts())
    model.fold()
    weights = sum(math.prod(p.shape) for p in model.parameters())
    assert weights / 1e6 == pytest.approx(millions, abs=0.02)
