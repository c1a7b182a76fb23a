import shutil
import subprocess

import pytest

from tests.factory import run, write_corpus
from ttskit.errors import TtskitError
from ttskit.stages import recipe

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


@pytest.fixture
def recordings(tmp_path):
    (tmp_path / "recordings").mkdir()
    return tmp_path / "recordings"


def planned(folder, *words, tool="ttskit"):
    """The commands that make would run in a project."""
    command = ["make", "--dry-run", "-C", str(folder), f"TTSKIT={tool}", *words]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in made.replace("\\\n", " ").splitlines() if line.startswith(f"{tool} ")]


def command_of(lines, *words):
    (found,) = [line for line in lines if line.split()[1 : 1 + len(words)] == [*words]]
    return found


def test_a_project_is_of_the_folder_the_language_and_the_hours(recordings, tmp_path):
    run("recipe", "voice", recordings, "--language", "nl", "--hours", 2, "-o", tmp_path / "mine")
    lines = planned(tmp_path / "mine")
    assert f"corpus '{recordings}'" in command_of(lines, "corpus")
    assert "--language nl" in command_of(lines, "tokens")
    minutes = [line.split("--minutes ")[1].split()[0] for line in lines if " train " in line]
    assert [float(one) for one in minutes] == pytest.approx([4.8, 8.4, 55.2, 51.6])
    assert sum(map(float, minutes)) == pytest.approx(120)
    longer = planned(tmp_path / "mine", "HOURS=4")
    assert "--minutes 9.6" in command_of(longer, "train", "aligner")


def test_a_few_recordings_are_not_all_tested_on(recordings, tmp_path):
    run("recipe", "voice", recordings, "--language", "nl", "-o", tmp_path / "mine")
    tool = tmp_path / "tool"
    for utterances, tests in ((400, 20), (30, 6), (3, 1)):
        tool.write_text(f'#!/bin/sh\necho \'{{"utterances": {utterances}, "hours": 1}}\'\n')
        tool.chmod(0o755)
        command = ["make", "--dry-run", "-C", str(tmp_path / "mine"), f"TTSKIT={tool}"]
        made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert f"--random {tests} --by-text" in made


def test_what_is_spoken_is_judged_beside_recordings_through_the_vocoder(recordings, tmp_path):
    run("recipe", "voice", recordings, "--language", "nl", "-o", tmp_path / "mine")
    lines = planned(tmp_path / "mine")
    copies = command_of(lines, "vocode")
    assert "build/test-features.h5 --vocoder source -o build/copies.h5" in copies
    assert "--ceiling build/copies.h5" in command_of(lines, "compare")
    page = command_of(lines, "report").split()
    assert {"build/copies.h5", "build/spoken/voice.scores.h5"} <= {*page}
    other = planned(tmp_path / "mine", "SPEAK_BY=build/vocoder.h5")
    assert "--vocoder build/vocoder.h5" in command_of(other, "vocode")


def test_a_voice_to_begin_from_gives_the_first_weights(recordings, tmp_path):
    words = ("--language", "en-us", "--from", "kathleen", "-o", tmp_path / "mine")
    run("recipe", "voice", recordings, *words)
    lines = planned(tmp_path / "mine")
    assert "--init kathleen" in command_of(lines, "train", "duration")
    first, second = [line for line in lines if line.startswith("ttskit train decoder")]
    assert "--init kathleen" in first
    assert "--init build/smooth.h5" in second
    with pytest.raises(TtskitError, match="nor an embedded voice"):
        run("recipe", "voice", recordings, *words[:3], "nobody", *words[4:])


def batches(folder, told, *words, role="decoder"):
    """The batches of the trainings of a role in a project of a corpus that is told of."""
    tool = folder / "tool"
    tool.write_text(f"#!/bin/sh\necho '{told}'\n")
    tool.chmod(0o755)
    lines = planned(folder / "mine", *words, tool=tool)
    trainings = [line.split() for line in lines if f" train {role} " in line]
    setting = "training.batch="
    return [
        "".join(word.removeprefix(setting) for word in training if word.startswith(setting))
        for training in trainings
    ]


@pytest.mark.parametrize(
    ("told", "words", "batch"),
    [
        ('{"utterances": 300, "hours": 0.394434}', ["HOURS=1"], "4"),  # of 4.7 s
        ('{"utterances": 1130, "hours": 0.7}', ["HOURS=1"], "8"),  # of 2.2 s
        ('{"utterances": 9, "hours": 0.001}', ["HOURS=1"], "16"),
        ('{"utterances": 9, "hours": 1}', ["HOURS=1"], "4"),
        ("nothing", ["HOURS=1"], "16"),
        ('{"utterances": 300, "hours": 0.394434}', ["HOURS="], ""),
        ('{"utterances": 300, "hours": 0.394434}', ["HOURS=1", "BATCH=7"], "7"),
    ],
)
def test_long_clips_make_small_batches_in_a_given_time(recordings, tmp_path, told, words, batch):
    run("recipe", "voice", recordings, "--language", "nl", "-o", tmp_path / "mine")
    assert batches(tmp_path, told, *words) == [batch, batch]


@pytest.mark.parametrize(("name", "coders"), [("mamba", 1), ("tortoise", 2)])
def test_coders_and_decoders_of_latents_have_batches_of_twenty_seconds(
    recordings, tmp_path, name, coders
):
    run("recipe", name, recordings, "--language", "nl", "-o", tmp_path / "mine")
    told = '{"utterances": 421, "hours": 1.0}'
    for words, batch in ([], "4"), (["BATCH=6"], "6"):
        assert batches(tmp_path, told, *words) == [batch]
        assert batches(tmp_path, told, *words, role="coder") == [batch] * coders


def test_a_voice_is_packed_with_the_pitch_range_that_is_asked_for(recordings, tmp_path):
    run("recipe", "voice", recordings, "--language", "nl", "-o", tmp_path / "mine")
    lines = planned(tmp_path / "mine", "PITCH_RANGE=1.5")
    assert "--pitch-range 1.5 " in command_of(lines, "voice", "pack")
    assert "--pitch-range" not in command_of(planned(tmp_path / "mine"), "voice", "pack")


def test_all_stages_run_their_verbs_however_new_their_outputs_are(recordings, tmp_path):
    run("recipe", "voice", recordings, "--language", "de", "-o", tmp_path / "mine")
    before = planned(tmp_path / "mine")
    (tmp_path / "mine" / "build").mkdir()
    for line in before:
        if " -o " in line:
            (tmp_path / "mine" / line.split(" -o ")[1].split()[0]).touch()
    assert len(planned(tmp_path / "mine")) == len(before) > 8


def test_an_aligner_without_a_network_trains_none(recordings, tmp_path):
    run("recipe", "voice", recordings, "--language", "nl", "-o", tmp_path / "mine")
    lines = planned(tmp_path / "mine", "ALIGN_BY=flat")
    assert "--aligner flat" in command_of(lines, "align")
    assert not any(" train aligner " in line for line in lines)


def test_a_project_that_is_there_is_left_alone(recordings, tmp_path):
    words = ("recipe", "voice", recordings, "--language", "de", "-o", tmp_path / "mine")
    run(*words)
    run(*words)
    (tmp_path / "mine" / "card.toml").write_text('name = "anna"\n')
    with pytest.raises(TtskitError, match=r"card\.toml: is there already"):
        run(*words)
    assert (tmp_path / "mine" / "card.toml").read_text() == 'name = "anna"\n'


def test_a_recipe_of_ddsp_trains_three_stages_and_judges_copies(recordings, tmp_path):
    run("recipe", "ddsp", recordings, "--hours", 2, "-o", tmp_path / "mine")
    assert not (tmp_path / "mine" / "card.toml").exists()
    lines = planned(tmp_path / "mine")
    trained = [line for line in lines if line.startswith("ttskit train vocoder ")]
    assert [line.split(" -o ")[1] for line in trained] == [
        "build/first.h5", "build/second.h5", "build/third.h5",
    ]  # fmt: skip
    assert all("build/train-features.h5 build/train-corpus.h5" in line for line in trained)
    minutes = [float(line.split("--minutes ")[1].split()[0]) for line in trained]
    assert sum(minutes) == pytest.approx(120)
    assert "--init build/second.h5" in trained[2]
    chosen = "select build/features.h5 --ids build/test.txt"
    assert sum(chosen in line for line in lines) == 2  # to train on, and to test on
    assert "--vocoder build/third.h5" in "".join(line for line in lines if " vocode " in line)
    assert "--ceiling build/ceiling.h5" in command_of(lines, "evaluate")


def test_a_recipe_of_a_comparison_has_the_voices_and_a_blind_page(recordings, tmp_path):
    run("recipe", "compare", recordings, "--from", "kathleen", "-o", tmp_path / "mine")
    lines = planned(tmp_path / "mine", "VOICES=kathleen other.h5")
    found = command_of(lines, "compare")
    assert "build/test.h5 kathleen other.h5 --reference build/test.h5" in found
    assert "--blind" in command_of(planned(tmp_path / "mine", "blind"), "report")


@pytest.mark.parametrize(
    ("name", "quick", "last", "trained"),
    [
        ("ddn", "try", "equal", ["aligner", "ddn", "duration", "feedforward", "glow"]),
        ("mamba", "quick", "by-1.scores", ["aligner", "codec", "coder", "decoder", "duration"]),
        (
            "tortoise",
            "quick",
            "clvp-1",
            ["aligner", "clvp", "codec", "coder", "concatenated", "decoder", "duration"],
        ),
    ],
)
def test_other_recipes_divide_the_hours_and_hold_out_a_test_set(
    recordings, tmp_path, name, quick, last, trained
):
    run("recipe", name, recordings, "--language", "nl", "--hours", 2, "-o", tmp_path / "mine")
    assert "nl" in (tmp_path / "mine" / "card.toml").read_text()
    lines = planned(tmp_path / "mine")
    trainings = [line for line in lines if line.startswith("ttskit train ")]
    assert sorted(line.split(" -o build/")[1].split(".")[0] for line in trainings) == trained
    minutes = [float(line.split("--minutes ")[1].split()[0]) for line in trainings]
    assert sum(minutes) == pytest.approx(120)
    assert not any("build/test-" in line or "build/features.h5" in line for line in trainings)
    assert "--language nl" in command_of(lines, "tokens")
    assert any(f"build/{last}" in line for line in lines)
    few = [line for line in planned(tmp_path / "mine", quick) if " train " in line]
    assert len(few) == len(trained)
    assert all("--steps" in line for line in few)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("mamba", ".", "-o", "x"), "in which language"),
        (("tortoise", ".", "-o", "x", "--language", "nl", "--from", "kathleen"), "begin from"),
        (("voice",), "which recordings"),
        (("voice", "."), "needs a folder to write"),
        (("voice", ".", "-o", "x"), "in which language"),
        (("choir", "."), "there is compare, ddn, ddsp, mamba, tortoise, voice"),
    ],
)
def test_what_is_not_decided_is_asked_for(words, wanted):
    asked = run("recipe", *words)
    assert (asked.exit_code, wanted in " ".join(asked.stderr.split())) == (2, True)


def test_doctor_fails_if_more_is_unfit_to_train_on_than_is_allowed(tmp_path):
    """Two utterances of another level don't count, four with another speech rate do."""
    path = write_corpus(tmp_path / "corpus.h5")  # all of it is noise without pauses or speech rate
    words = ("doctor", path, "--silence", 0, "--threshold", 1)
    found = [line.split("\t")[1] for line in run(*words).stdout.splitlines()]
    assert sorted(found) == ["level"] * 2 + ["speech rate"] * 4
    run(*words, "--most", 0.34)
    wanted = r"4 of 12 utterances are unfit to train on, more than 30%; most often speech rate \(4 "
    with pytest.raises(TtskitError, match=wanted):
        run(*words, "--most", 0.3)


def test_a_plan_is_the_line_through_two_measurements():
    few, more = recipe.Measured(6, 5.0, 1.0), recipe.Measured(24, 5.9, 4.0)
    assert recipe.expected(few, more, 6) == (5.0, 1.0)
    assert recipe.expected(few, more, 24) == (5.9, 4.0)
    assert recipe.expected(few, more, 1806) == (95.0, 301.0)
    assert recipe.expected(few, more, 1806, cores=2) == (50.0, 301.0)
    noisy = recipe.Measured(24, 4.0, 4.0)  # faster by chance
    assert recipe.expected(few, noisy, 1806)[0] == 5.0


def test_a_plan_measures_each_stage_and_writes_nothing(recordings, monkeypatch):
    for number in range(40):
        (recordings / f"{number}.wav").write_bytes(b"x")
        (recordings / f"{number}.txt").write_text("a")
    samples = []

    def sample(dataset, language, count, _):
        samples.append((dataset, language, count))
        return {stage: recipe.Measured(count, 2.0 + count / 2, count) for stage in ("a", "b")}

    monkeypatch.setattr(recipe, "_sample", sample)
    monkeypatch.setattr("ttskit.artifacts.pool.cores", lambda: 1)
    words = ("recipe", "voice", recordings, "--language", "nl", "--hours", 2, "--plan")
    lines = [line.split() for line in run(*words).stdout.splitlines()]
    assert samples == [(recordings, "nl", 6), (recordings, "nl", 24)]
    assert lines[1:] == [
        ["a", "22", "s", "40.0"],
        ["b", "22", "s", "40.0"],
        ["trainings", "2", "h", "0", "min"],
        ["all", "2", "h", "0", "min", "80.0"],
    ]
    assert len([*recordings.parent.iterdir()]) == 1
