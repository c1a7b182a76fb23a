"""Takes by the command line: drawn, and had again."""

import gc
import json
import math
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import ttskit
from tests.factory import SPOKEN, run, write_alignment_of, write_model, write_speech
from tests.tiny import write_voice
from ttskit.artifacts.kinds import Features, Mels
from ttskit.artifacts.reader import Reader
from ttskit.dsp.loudness import mel_weights
from ttskit.dsp.mel import MelSettings
from ttskit.errors import TtskitError, UsageError
from ttskit.models.ddn import Ddn
from ttskit.pages.figure import draw
from ttskit.pages.utterance import from_artifacts
from ttskit.speaking.levels import levels
from ttskit.training.examples import measured
from ttskit.voices.model import read_model

SMALL = {"hidden": 8, "filter": 8, "layers": 1, "prenet_layers": 1}
DDN = {"encoder": SMALL, "hidden": 8, "layers": 1, "pyramid": {"channels": 8, "layers": 1}}
TEXT = "Hello there, world. It cost five dollars."
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(ttskit.__file__).parents[1])}


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice"), decoder=Ddn)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """features.h5, alignment.h5 and decoder.h5."""
    folder = tmp_path_factory.mktemp("recorded")
    write_speech(folder, 3, table=SPOKEN)
    write_alignment_of(folder)
    write_model(folder / "decoder.h5", "ddn", DDN)
    return folder


def decoded(folder, *words, output):
    inputs = (folder / "features.h5", folder / "alignment.h5", "--decoder", folder / "decoder.h5")
    run("decode", *inputs, "-j", 1, *words, "-o", output)
    return Reader(output, Mels) if output.exists() else None


def test_say_writes_takes_and_speaks_each_again_to_the_byte(voice, tmp_path):
    words = ("say", TEXT, "--voice", voice)
    result = run(*words, "--takes", 3, "-o", tmp_path / "take-{n}.wav")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [Path(path).name for path, _ in lines] == [f"take-{n}.wav" for n in (1, 2, 3)]
    assert len({code for _, code in lines}) == 3
    for path, code in lines:
        run(*words, "--take", code, "-o", tmp_path / "again.wav")
        assert (tmp_path / "again.wav").read_bytes() == Path(path).read_bytes()
    (tmp_path / "code").write_text(lines[0][1])
    other = [sys.executable, "-m", "ttskit", *map(str, words), "--take", str(tmp_path / "code")]
    subprocess.run([*other, "-o", str(tmp_path / "other.wav")], env=ENVIRONMENT, check=True)
    assert (tmp_path / "other.wav").read_bytes() == Path(lines[0][0]).read_bytes()


def test_the_noise_of_a_vocoder_comes_back_with_a_take(tmp_path):
    words = ("say", "Hello.", "--voice", write_voice(tmp_path, decoder=Ddn, vocoder="source"))
    lines = run(*words, "--takes", 2, "-o", tmp_path / "take-{n}.wav").stdout.splitlines()
    for line in lines:
        path, code = line.split("\t")
        run(*words, "--take", code, "-o", tmp_path / "again.wav")
        assert (tmp_path / "again.wav").read_bytes() == Path(path).read_bytes()


def test_the_summary_of_say_has_the_code(voice, tmp_path):
    words = ("say", TEXT, "--voice", voice, "--json", "-o", tmp_path / "a.wav")
    code = json.loads(run(*words, "--seed", 4).stdout)["take"]
    sound = (tmp_path / "a.wav").read_bytes()
    assert json.loads(run(*words, "--take", code).stdout)["take"] == code
    assert (tmp_path / "a.wav").read_bytes() == sound


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("Hello there, world.", [], "the take has 2 sentences, the text 1"),
        (f"{TEXT} And one more.", [], "the take ends after 2 sentences: it is of another text"),
        (TEXT, ["--rate", "0.5"], "another text, or of another speed"),
    ],
)
def test_the_take_of_another_text_or_speed_is_refused(voice, tmp_path, text, more, message):
    result = run("say", TEXT, "--voice", voice, "--takes", 1, "-o", tmp_path / "a.wav")
    code = result.stdout.split("\t")[1].strip()
    with pytest.raises(TtskitError, match=message):
        run("say", text, "--voice", voice, "--take", code, *more, "-o", tmp_path / "b.wav")


def test_a_voice_without_takes_says_so(tmp_path):
    glow = write_voice(tmp_path, name="glow.h5")
    refused = r"^[^:]*glow\.h5: decoder: makes no takes; a decoder of the family ddn does"
    with pytest.raises(TtskitError, match=refused):
        run("say", TEXT, "--voice", glow, "--takes", 2, "-o", tmp_path / "{n}.wav")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--takes", "2", "-o", "a.wav"], "name them with {n}"),
        (["--takes", "2", "--take", "x", "-o", "{n}.wav"], "give one of them"),
        (
            ["--takes", "2", "--noise-scale", "0", "-o", "{n}.wav"],
            "--takes 2 and --noise-scale 0: there is one take without chance",
        ),
    ],
)
def test_wrong_usage_of_takes_is_refused(voice, words, message):
    result = run("say", TEXT, "--voice", voice, *words)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_decode_renders_the_takes_of_mels_again(recorded, tmp_path):
    run_takes = decoded(recorded, "--takes", 2, output=tmp_path / "take-{n}.h5")
    assert run_takes is None
    first, second = (Reader(tmp_path / f"take-{n}.h5", Mels) for n in (1, 2))
    take = ["--take", tmp_path / "take-2.h5", "--seed", 9, "-j", 2]
    again = decoded(recorded, *take, output=tmp_path / "again.h5")
    np.testing.assert_array_equal(again.column("take"), second.column("take"))
    assert not np.array_equal(first.column("take"), second.column("take"))
    for id in again.ids:
        np.testing.assert_array_equal(again[id].mel, second[id].mel)
        assert first[id].take_of == second[id].take_of


@pytest.mark.parametrize(
    "words",
    [
        ["--take", "takes.h5"],
        ["--guide", "features.h5"],
        ["--sampler", "guided"],
        ["--sampler", "greedy"],
        ["--noise-scale", 0],
    ],
)
def test_decode_writes_one_take_where_nothing_is_left_to_chance(recorded, tmp_path, words):
    words = [recorded / word if str(word).endswith(".h5") else word for word in words]
    option = " ".join(map(str, words))
    with pytest.raises(UsageError) as error:
        decoded(recorded, "--takes", 2, *words, output=tmp_path / "{n}.h5")
    name = option.split(" ")[0] if ".h5" in option else option
    assert str(error.value) == f"--takes 2 and {name}: there is one take without chance"
    assert not list(tmp_path.iterdir())


def test_decode_refuses_the_takes_of_another_model(recorded, tmp_path):
    decoded(recorded, output=tmp_path / "one.h5")
    other = write_model(tmp_path / "other.h5", "ddn", DDN, raised)
    inputs = (recorded / "features.h5", recorded / "alignment.h5", "--decoder", other)
    with pytest.raises(TtskitError, match=r"one\.h5: is a take of the model .*other\.h5"):
        run("decode", *inputs, "--take", tmp_path / "one.h5", "-o", tmp_path / "x.h5")


def test_samplers_go_from_the_nearest_to_any_candidate(recorded, tmp_path):
    features, away = Reader(recorded / "features.h5", Features), {}
    for sampler in ("guided", "greedy", "uniform"):
        made = decoded(recorded, "--sampler", sampler, output=tmp_path / f"{sampler}.h5")
        away[sampler] = np.mean([np.abs(made[id].mel - features[id].mel).mean() for id in made.ids])
    assert away["guided"] < min(away["greedy"], away["uniform"])
    greedy = ["--sampler", "greedy", "--seed"]
    one, other = (decoded(recorded, *greedy, seed, output=tmp_path / f"{seed}.h5") for seed in "12")
    for id in one.ids:
        np.testing.assert_array_equal(one[id].mel, other[id].mel)


def test_a_word_is_in_painted_and_all_other_frames_are_kept(recorded, tmp_path):
    made = decoded(recorded, "--inpaint", "1", output=tmp_path / "x.h5")
    features = Reader(recorded / "features.h5", Features)
    for id in made.ids:
        record = made[id]
        inside = np.repeat(record.token_word == 0, record.durations)
        changed = (record.mel != features[id].mel).any(1)
        assert not changed[~inside].any()
        assert changed[inside].all()


def test_in_painting_needs_a_recording_and_a_word_of_it(recorded, tmp_path):
    with pytest.raises(TtskitError, match="3 of 3 utterances are bad"):
        decoded(recorded, "--inpaint", "zzz", output=tmp_path / "x.h5")
    models = ["--decoder", recorded / "decoder.h5", "--duration", write_duration(tmp_path)]
    words = [*models, "--inpaint", "1", "-o", tmp_path / "y.h5"]
    with pytest.raises(TtskitError, match=r"tokens\.h5: is no recording"):
        run("decode", recorded / "tokens.h5", *words)


def test_a_guide_draws_the_loudness_of_texts_near_to_it(recorded, tmp_path):
    features, weights = Reader(recorded / "features.h5", Features), mel_weights(MelSettings())
    away = {}
    for words in (["--noise-scale", 1], ["--noise-scale", 1, "--guide", recorded / "features.h5"]):
        made = decoded(recorded, *words, output=tmp_path / f"{len(words)}.h5")
        said = {id: 10 * np.log10(np.exp(2 * made[id].mel) @ weights) for id in made.ids}
        away[len(words)] = np.mean(
            [np.abs(said[id] - features[id].loudness).mean() for id in made.ids]
        )
    assert away[4] < 0.8 * away[2]


def test_a_guide_is_of_the_same_utterances_and_alone(recorded, tmp_path):
    guide = ["--guide", recorded / "features.h5"]
    with pytest.raises(TtskitError, match=r"alignment\.h5: is alignment, needs Features"):
        decoded(recorded, "--guide", recorded / "alignment.h5", output=tmp_path / "x.h5")
    with pytest.raises(TtskitError, match="--inpaint and --guide: give one of them"):
        decoded(recorded, *guide, "--inpaint", 1, output=tmp_path / "x.h5")
    (tmp_path / "texts.tsv").write_text("other\tHello.\n")
    models = ["--decoder", recorded / "decoder.h5", "--duration", write_duration(tmp_path)]
    with pytest.raises(TtskitError, match="1 of 1 utterances are bad"):
        run("decode", tmp_path / "texts.tsv", *models, *guide, "-o", tmp_path / "x.h5")


def raised(module):
    module.generator.given.bias.add_(1)


def write_duration(folder):
    sizes = {"encoder": SMALL, "predictor": {"hidden": 8}, "predict": ["pitch", "loudness"]}
    return write_model(folder / "duration.h5", "plain", sizes)


def test_mels_without_a_take_are_refused(recorded, tmp_path):
    with pytest.raises(TtskitError, match=r"features\.h5: has no takes"):
        decoded(recorded, "--take", recorded / "features.h5", output=tmp_path / "x.h5")


def test_info_and_why_say_what_a_take_costs(recorded, tmp_path):
    made = decoded(recorded, output=tmp_path / "x.h5")
    described = json.loads(run("info", tmp_path / "x.h5", "--json").stdout)["takes"]
    choices = sum(len(record.take) - 1 for record in made.values())
    seconds = sum(len(record.mel) for record in made.values()) * 256 / 22050
    assert described["choices"] == choices
    assert described["bits_per_second"] == pytest.approx(4 * choices / seconds, rel=0.01)
    assert 0 < described["entropy_per_second"] <= described["bits_per_second"]
    assert "bits a second" in run("info", tmp_path / "x.h5").stdout
    record = made[made.ids[0]]
    assert (
        f"choices of the model {record.take_of}"
        in run("why", made.ids[0], tmp_path / "x.h5").stdout
    )


def test_the_mel_after_each_choice_is_drawn(recorded, tmp_path):
    made = decoded(recorded, output=tmp_path / "x.h5")
    record, model = made[made.ids[1]], read_model(recorded / "decoder.h5")
    inputs = [recorded / "features.h5", recorded / "alignment.h5"]
    drawn = levels([model], record, measured([ttskit.read(path) for path in inputs], record.id))
    assert [scale for scale, _ in drawn] == [16, 8, 4, 2, 1, 1]
    for scale, mel in drawn:
        assert len(mel) == math.ceil(len(record.mel) / scale)
    np.testing.assert_allclose(drawn[-1][1], record.mel, atol=1e-4)
    figure = draw(from_artifacts(None, None, None, record.id, made)._replace(levels=drawn))
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels[1:6] == [
        "choice 1\n16 frames",
        "choice 2\n8 frames",
        "choice 3\n4 frames",
        "choice 4\n2 frames",
        "choice 5\n1 frame",
    ]
    words = [made.path, *inputs, "--decoder", recorded / "decoder.h5", "-o", tmp_path / "x.png"]
    run("plot", *words)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_only_the_choices_of_mels_by_their_own_models_are_drawn(recorded, tmp_path):
    decoded(recorded, output=tmp_path / "x.h5")
    words = ["--decoder", recorded / "decoder.h5", "-o", tmp_path / "x.png"]
    for inputs, more, message in (
        (["x.h5"], ["--duration", write_duration(tmp_path)], "gives another mel"),
        (["x.h5"], [], r"nothing here makes pitch"),
        ([recorded / "features.h5"], [], "add those that it made"),
    ):
        with pytest.raises(TtskitError, match=message):
            run("plot", *(tmp_path / one for one in inputs), *words, *more)
    other = write_model(tmp_path / "other.h5", "ddn", DDN, raised)
    inputs = [recorded / "features.h5", recorded / "alignment.h5"]
    with pytest.raises(TtskitError, match=r"is a take of the model .*, not of .*other\.h5"):
        run("plot", tmp_path / "x.h5", *inputs, "--decoder", other, "-o", tmp_path / "y.png")


def test_silence_and_punctuation_are_spoken_by_a_ddn_voice(voice, tmp_path):
    for text in ("Oh.", "Well ... no!"):
        run("say", text, "--voice", voice, "-o", tmp_path / "a.wav")
        assert len(soundfile.read(tmp_path / "a.wav")[0])
    with pytest.raises(TtskitError, match="no word to speak"):
        run("say", "... !", "--voice", voice, "-o", tmp_path / "b.wav")


def tensors():
    """All tensors of this process, those without data of exported graphs among them."""
    return [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]


def test_memory_does_not_grow_with_the_number_of_sentences(voice, tmp_path, monkeypatch):
    generate, held = Ddn.generate, []
    before = tensors()  # kept, so that no new tensor takes the place of one of these

    def noted(model, *inputs, **knobs):
        known = {id(one) for one in before}
        held.append(sum(one.nbytes for one in tensors() if id(one) not in known))
        return generate(model, *inputs, **knobs)

    monkeypatch.setattr(Ddn, "generate", noted)
    peaks, sizes = [], []
    for sentences in (2, 4, 12):  # the first fills what is kept
        held.clear()
        tracemalloc.start()
        run("say", "Hello there. " * sentences, "--voice", voice, "-o", tmp_path / "a.wav")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append((tmp_path / "a.wav").stat().st_size)
        assert len(held) == sentences
        assert held[-1] - held[0] < sizes[-1] / 10  # the takes, until their code is printed
    assert peaks[2] - peaks[1] < (sizes[2] - sizes[1]) / 4
