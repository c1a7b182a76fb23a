"""The recipes in examples/: what they would train, without training it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import pytest

from tests.factory import run, sha
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
    assert len({*texts.values()}) == len(texts) == 28


def test_the_gate_of_ddsp_trains_each_trunk_with_each_seed():
    found = trainings("ddsp-matrix", "gate")
    assert {name: config.trunk for name, config in found.items()} == {
        f"{trunk}-{seed}": trunk for trunk in ("gru", "micro-rnn", "mlp") for seed in range(3)
    }


SBATCH = """#!/bin/sh
# runs at once what a cluster would queue, and notes it
echo "$@" >> "$LOG"
export SLURM_CPUS_PER_TASK=1
while [ "${1#--}" != "$1" ]; do
    case $1 in
        --array) last=${2#1-}; shift ;;
        --job-name) shift ;;
        --wrap) eval "$2" >&2; echo 7; exit ;;
    esac
    shift
done
for SLURM_ARRAY_TASK_ID in $(seq "$last"); do
    export SLURM_ARRAY_TASK_ID
    sh "$@" >&2 || exit 1
done
echo 7
"""


@pytest.mark.slow
def test_the_shards_of_slurm_and_of_make_are_the_run_that_was_not_cut(tmp_path):
    run("demo", tmp_path / "recordings", "-n", 4)
    run("corpus", tmp_path / "recordings", "-o", tmp_path / "corpus.h5", "-j", 1)
    run("tokens", tmp_path / "corpus.h5", "-o", tmp_path / "tokens.h5", "-j", 1)
    (tmp_path / "sbatch").write_text(SBATCH)
    (tmp_path / "sbatch").chmod(0o755)
    (tmp_path / "ttskit").write_text(f'#!/bin/sh\nexec {sys.executable} -m ttskit "$@"\n')
    (tmp_path / "ttskit").chmod(0o755)
    settings = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(EXAMPLES.parent),
        "DATASET": str(tmp_path / "recordings"),
        "SHARDS": "2",
        "FEATURES": "--f0 praat",
        "LOG": str(tmp_path / "log"),
    }
    for name, command in (
        ("queued", ["sh", str(EXAMPLES / "slurm" / "submit.sh")]),
        ("made", ["make", "-f", str(EXAMPLES / "slurm" / "Makefile"), "-j", "2"]),
    ):
        (tmp_path / name).mkdir()
        environment = {**os.environ, **settings, "BUILD": str(tmp_path / name)}
        subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
    for whole in ("corpus.h5", "tokens.h5"):
        for name in ("queued", "made"):
            assert sha(tmp_path / name / whole) == sha(tmp_path / whole)
    for name in ("features.h5", "alignment.h5"):
        assert sha(tmp_path / "queued" / name) == sha(tmp_path / "made" / name)
    log = (tmp_path / "log").read_text().splitlines()
    assert log[-2].startswith("--parsable --dependency=afterok:7:7 --job-name alignment")
