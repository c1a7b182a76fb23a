"""`ttskit train` as a user types it; what training does is tested with the trainer."""

import json
from pathlib import Path

import pytest

import ttskit
from tests.factory import run, sha, write_speech
from ttskit.errors import TtskitError, UsageError
from ttskit.voices.model import read_model

SMALL = ["--set", "embedding=8", "--set", "hidden=8", "--set", "space=8"]
INPUTS = ["features.h5", "tokens.h5"]
REFINED = ["--set", "refine_only=true", "--family"]


@pytest.fixture(autouse=True)
def _speech(tmp_path, monkeypatch):
    write_speech(tmp_path, 6)
    monkeypatch.chdir(tmp_path)


def test_a_model_is_trained_and_told_of():
    held_out = ("--set", "training.validation=0.3")
    words = ("train", "aligner", *INPUTS, *SMALL, *held_out, "--steps", 2, "-o", "x.h5")
    found = run(*words, "--json")
    told = json.loads(found.stdout)
    assert (told["kind"], told["attributes"]["role"]) == ("model", "aligner")
    assert told["tables"]["symbols"] == len(ttskit.read("tokens.h5").table("symbols"))
    assert "hidden = 8" in told["attributes"]["config"]
    run("verify", "x.h5")
    page = [line.split()[:2] for line in run("info", "x.h5").stdout.splitlines()[1:6]]
    assert page == [
        ["role", "aligner"],
        ["family", "attention"],
        ["speakers", "1"],
        ["steps", "2"],
        ["held-out", "loss"],
    ]


def test_a_model_keeps_how_often_each_phoneme_was_heard():
    run("train", "aligner", *INPUTS, *SMALL, "--steps", 1, "-o", "x.h5")
    spelt = ttskit.read("tokens.h5")
    counts = dict.fromkeys(spelt.table("symbols"), 0)
    for record in spelt.values():
        for token in record.tokens:
            counts[spelt.table("symbols")[token]] += 1
    assert read_model(Path("x.h5")).facts.heard == tuple(counts.values())


def test_a_settings_file_is_what_config_prints(tmp_path):
    (tmp_path / "a.toml").write_text(run("config", "attention", *SMALL).stdout)
    run("train", "aligner", *INPUTS, "--config", "a.toml", "--steps", 1, "-o", "x.h5")
    text = (tmp_path / "x.h5.run" / "resolved.toml").read_text()
    assert text == (tmp_path / "a.toml").read_text()


def test_a_training_runs_on_the_threads_that_are_asked_for(tmp_path):
    run("train", "aligner", *INPUTS, *SMALL, "--steps", 1, "--threads", 2, "-o", "x.h5")
    assert json.loads((tmp_path / "x.h5.run" / "meta.json").read_text())["threads"] == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["singer", *INPUTS], "no role 'singer'; there is aligner, duration"),
        (["aligner", *INPUTS, "--family", "glow"], "no aligner family 'glow'"),
        (["vocoder", *INPUTS, "--family", "source"], "source has nothing to learn"),
        (["aligner", *INPUTS, "--preset", "huge"], "attention has no preset 'huge'; there is base"),
        (["aligner", *INPUTS, "--set", "hiden=3"], "no key hiden; nearest: hidden"),
        (
            ["aligner", *INPUTS, "--config", "tokens.h5"],
            "tokens.h5: is HDF5, as artifacts are; needs text",
        ),
        (
            ["aligner", "features.h5"],
            "needs alignment or tokens or codes for its tokens; found features.h5",
        ),
        (["duration", "tokens.h5"], "needs alignment or codes for its durations; found tokens.h5"),
        (["aligner", *INPUTS, "--init", "tokens.h5"], "tokens.h5: is tokens, needs model"),
        (["decoder", *INPUTS, *REFINED, "ddn"], "ddn: with these settings a part stays as it"),
        (["decoder", *INPUTS, *REFINED, "diffusion"], "add --init MODEL, one that is trained"),
        (["aligner", *INPUTS, "tokens.h5"], "u0 is there twice, in tokens.h5 and tokens.h5"),
        (["decoder", *INPUTS], "needs alignment or codes for its durations"),
        (["aligner", *INPUTS, "--device", "cuda:99"], "--device cuda:99: there is no such device"),
        (["aligner", *INPUTS, "--device", "x"], "--device x: there is no such device"),
        (["aligner", *INPUTS, *SMALL, "--set", "training.segment=9"], "learns from whole"),
        (["aligner", *INPUTS, "-o", "x"], "x: is a folder; needs the name of a file"),
        (["aligner", *INPUTS, "-o", "none/x.h5"], "the folder none is not there; make it first"),
    ],
)
def test_what_the_user_can_mend_is_said(words, says, tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(TtskitError) as told:
        run("train", "-o", "x.h5", *words, "--steps", 1)
    assert says in str(told.value)
    assert not (tmp_path / "x.run").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["singer", *INPUTS], "no role 'singer'"),
        (["duration", "tokens.h5"], "needs alignment or codes for its durations"),
    ],
)
def test_what_is_trained_and_of_what_is_told_before_it_is_asked_for_how_long(words, says):
    with pytest.raises(TtskitError, match=says):
        run("train", "-o", "x.h5", *words)


@pytest.mark.parametrize("words", [["--steps", 3], ["-o", "x.h5"], ["--steps", 3, "-o", "-"]])
def test_a_training_needs_an_output_and_an_end(words):
    assert run("train", "aligner", *INPUTS, *words).exit_code == 2


def test_an_output_that_is_something_else_stays(tmp_path):
    before = (tmp_path / "tokens.h5").read_bytes()
    with pytest.raises(TtskitError, match="exists and is tokens, not model"):
        run("train", "aligner", *INPUTS, "--steps", 1, "-o", "tokens.h5")
    assert (tmp_path / "tokens.h5").read_bytes() == before


def test_all_families_are_listed_with_presets():
    lines = run("config").stdout.splitlines()
    assert "aligner\tattention\tbase tiny" in lines
    for line in lines:
        _, family, presets = line.split("\t")
        for preset in presets.split():
            assert "[training]" in run("config", family, "--preset", preset).stdout


def test_a_preset_of_no_family_is_refused():
    with pytest.raises(UsageError, match="--preset and --set are of a family"):
        run("config", "--preset", "tiny")


def test_fewer_updates_than_there_were_are_refused_or_made_anew():
    words = ("train", "aligner", *INPUTS, *SMALL, "-o", "x.h5")
    run(*words, "--steps", 3)
    before = sha(Path("x.h5"))
    with pytest.raises(TtskitError, match=r"x.h5: has had 3 updates, more than --steps 2: ask"):
        run(*words, "--steps", 2)
    assert sha(Path("x.h5")) == before
    run(*words, "--steps", 2, "--renew")
    run(*words[:-1], "y.h5", "--steps", 2)
    assert sha(Path("x.h5")) == sha(Path("y.h5"))
