"""The recipes in examples/: what they would train, without training it."""

import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import pytest

from ttskit.models import FAMILIES
from ttskit.settings import to_toml
from ttskit.training.configuration import resolved

EXAMPLES = Path(__file__).parents[1] / "examples"
VOICES = sorted(path.parent.name for path in EXAMPLES.glob("*/Makefile")
                if "voice.mk" in path.read_text())  # fmt: skip

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


def trainings(name, *words):
    """The configs of all trainings that `make` would run in an example, by their output."""
    command = ["make", "--dry-run", "--always-make", "-C", str(EXAMPLES / name), *words]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = made.replace("\\\n", " ").splitlines()
    found = {}
    for line in lines:
        if line.startswith("ttskit train "):
            output, config = training(EXAMPLES / name, shlex.split(line))
            found[output] = config
    return found


def training(folder, words):
    """The output and the config of a training, by the words of its command."""
    role = words[2]
    options = [*pairwise(words)]
    given = {name: value for name, value in options if name in ("--family", "--preset", "--config")}
    family = given.get("--family") or next(iter(FAMILIES[role]))
    path = folder / given["--config"] if "--config" in given else None
    settings = [value for name, value in options if name == "--set"]
    config = resolved(family, given.get("--preset"), path, settings, role)
    return Path(words[words.index("-o") + 1]).stem, config


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize("goal", ["all", "quick"])
def test_settings_of_a_recipe_are_those_of_its_families(name, goal):
    found = trainings(name, goal)
    assert "decoder" in found
    assert ("vocoder" in found) == (name == "glow-tts")


def test_published_glow_and_hifigan_are_reached_by_a_recipe_unchanged():
    found = trainings("glow-tts", "all")
    assert found.keys() == {"decoder", "vocoder"}
    assert to_toml(found["decoder"]) == to_toml(resolved("glow", "paper"))
    assert to_toml(found["vocoder"]) == to_toml(resolved("hifigan", "paper"))


def test_the_usual_vocoder_of_a_recipe_learns_from_spectra_first():
    spectra = trainings("kathleen", "all", "SPEAK_BY=build/vocoder.h5")
    assert spectra["spectra"].adversary.from_progress == 1
    assert spectra["vocoder"].adversary.from_progress == 0


def test_libritts_has_settings_for_many_speakers():
    found = trainings("libritts", "all")
    for name, family in (("decoder", "feedforward"), ("duration", "plain")):
        one = resolved(family, "tiny").speaker_channels
        assert found[name].speaker_channels > one


def test_quick_libritts_tests_on_an_utterance_of_the_test_tree():
    made = (EXAMPLES / "libritts" / "Makefile").read_text()
    (wanted,) = re.findall(r"QUICK_TEST \?= (.*)", made)
    tree = (Path(__file__).parent / "datasets" / "test_libritts.py").read_text()
    ids = ["_".join(parts) for parts in re.findall(r'\("(\d+)", "(\d+)", "(\d+_\d+)"\)', tree)]
    assert [id for id in ids if fnmatch(id, wanted)] == ["103_1240_000000_000001"]


def test_every_variant_of_the_matrix_of_ddsp_is_another_config():
    found = trainings("ddsp-matrix", "single")
    texts = {name: to_toml(config) for name, config in found.items()}
    assert len({*texts.values()}) == len(texts) == 20
