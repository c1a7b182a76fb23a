"""`ttskit decode` through the command line, with models that have learnt nothing."""

import numpy as np
import pytest

from tests.factory import (
    SMALL,
    SPOKEN,
    run,
    sha,
    write_alignment_of,
    write_model,
    write_speakers,
    write_speech,
)
from ttskit.artifacts.kinds import Features, Mels, Tokens
from ttskit.artifacts.reader import Reader
from ttskit.errors import TtskitError
from ttskit.speaking import tokens

LINES = ["some fine tunes", "miss kate", "salt, on a trail", "no"]
MODELS = ["--duration", "duration.h5", "--decoder", "decoder.h5"]
CHARACTERS = ["--language", "characters", "-j", 1]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """duration.h5, decoder.h5 and lines.txt, where the command runs."""
    write_speakers(tmp_path)
    (tmp_path / "lines.txt").write_text("\n".join(LINES), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def speech(folder):
    """features.h5, tokens.h5 and alignment.h5."""
    write_speech(folder, 2, table=SPOKEN)
    write_alignment_of(folder)
    return folder


def decoded(folder, *words, output="mels.h5"):
    run("decode", *words, "-o", output)
    return Reader(folder / output, Mels)


def spoken(folder, *words, output="mels.h5"):
    return decoded(folder, "lines.txt", *MODELS, *CHARACTERS, *words, output=output)


def complaint(*words):
    with pytest.raises(TtskitError) as error:
        run("decode", *words, "-o", "x.h5")
    return str(error.value)


def test_lines_keep_their_order_and_last_as_long_as_their_tokens(folder):
    found = spoken(folder)
    assert found.ids == [f"line{number:06}" for number in (1, 2, 3, 4)]
    assert found.table("text") == LINES
    for record in found.values():
        assert record.durations.sum() == len(record.mel) > 0
        assert record.mel.shape[1] == 80
        assert (record.durations[record.token_word >= 0] > 0).all()
        assert record.f0 is None
    assert found.attributes["fmax"] == 8000
    assert found.table("symbols") == SPOKEN


def test_ids_come_before_a_tab(folder):
    (folder / "lines.txt").write_text("b\tsome tune\na\tno\n", encoding="utf-8")
    assert spoken(folder).ids == ["b", "a"]


def test_text_and_its_tokens_are_spoken_alike(speech):
    tokens = Reader(speech / "tokens.h5", Tokens)
    lines = [f"{id}\t{text}\n" for id, text in zip(tokens.ids, tokens.table("text"), strict=True)]
    (speech / "lines.txt").write_text("".join(lines), encoding="utf-8")
    of_tokens = decoded(speech, "tokens.h5", *MODELS, "-j", 1, output="other.h5")
    of_lines = spoken(speech)
    assert of_lines.ids == of_tokens.ids == tokens.ids
    for id in tokens.ids:
        np.testing.assert_array_equal(of_lines[id].mel, of_tokens[id].mel)


def test_bytes_depend_on_the_seed_but_not_on_jobs_or_other_lines(folder):
    first = spoken(folder)
    spoken(folder, "--jobs", 2, output="two.h5")
    assert sha(folder / "mels.h5") == sha(folder / "two.h5")
    other = spoken(folder, "--seed", 1, output="other.h5")
    assert not np.array_equal(first["line000004"].mel, other["line000004"].mel)
    few = spoken(folder, "--limit", 1, output="few.h5")
    np.testing.assert_array_equal(few["line000001"].mel, first["line000001"].mel)


def test_without_noise_the_seed_is_of_no_consequence(folder):
    one = spoken(folder, "--noise-scale", 0)
    two = spoken(folder, "--noise-scale", 0, "--seed", 7, output="two.h5")
    np.testing.assert_array_equal(one.column("mel"), two.column("mel"))


def test_a_decoder_that_refines_is_steered_by_steps_guidance_and_presets(folder):
    def learnt(module):
        module.denoiser.output.weight.normal_()

    small = {"hidden": 8, "layers": 1}
    sizes = {"encoder": SMALL, "contour_hidden": 8, **small, "denoiser": small}
    write_speakers(folder, duration={"predict": ["pitch", "loudness"]})
    write_model(folder / "decoder.h5", "diffusion", sizes, learnt)

    def mel(*words):
        return spoken(folder, "--restart", *words)["line000001"].mel

    np.testing.assert_array_equal(mel("--steps", 4), mel("--preset", "ultra_fast"))
    np.testing.assert_array_equal(mel(), mel("--preset", "fast", "--steps", 16, "--guidance", 0))
    assert not np.array_equal(mel("--steps", 2), mel("--steps", 3))
    assert not np.array_equal(mel(), mel("--guidance", 1))
    lines = ["lines.txt", *MODELS, *CHARACTERS]
    assert "has a preset 'slow'; there is ultra_fast" in complaint(*lines, "--preset", "slow")


def test_a_decoder_that_does_not_refine_has_no_steps():
    lines = ["lines.txt", *MODELS, *CHARACTERS]
    assert "has steps of refinement: leave them out" in complaint(*lines, "--steps", 4)


def test_twice_the_length_is_twice_the_frames(folder):
    once = spoken(folder).lengths("frame")
    twice = spoken(folder, "--length-scale", 2, output="slow.h5").lengths("frame")
    assert (np.abs(twice - 2 * once) <= 1).all()


def test_the_frames_of_recordings_are_kept_with_what_was_heard(speech):
    write_speakers(speech, decoder={"pitch": True})
    heard = Reader(speech / "features.h5", Features)
    found = decoded(speech, "alignment.h5", "features.h5", "--decoder", "decoder.h5", "-j", 1)
    assert found.ids == heard.ids
    for id, record in found.items():
        assert record.mel.shape == heard[id].mel.shape
        np.testing.assert_array_equal(record.f0, heard[id].f0)
        np.testing.assert_array_equal(record.loudness, heard[id].loudness)
        assert record.durations.sum() == len(record.mel)


def test_mels_go_where_other_artifacts_go(folder):
    spoken(folder)
    run("select", "mels.h5", "--id", "line000003", "-o", "one.h5")
    run("select", "mels.h5", "--head", 2, "-o", "rest.h5")
    run("merge", "rest.h5", "one.h5", "-o", "all.h5")
    run("verify", "all.h5")
    assert run("info", "all.h5", "--field", "utterances").stdout == "3\n"
    assert run("ls", "all.h5").stdout.split()[-1] == "line000003"
    assert run("cat", "one.h5", "-f", "words").stdout == '["salt", "on", "a", "trail"]\n'
    run("plot", "one.h5", "-o", "one.png")
    assert (folder / "one.png").read_bytes().startswith(b"\x89PNG")


def test_how_sure_the_durations_are_is_kept(folder):
    sizes = {"encoder": {"hidden": 16, "filter": 24, "layers": 1}, "predictor": {"hidden": 8}}
    write_model(folder / "duration.h5", "film", sizes)
    confidence = spoken(folder).column("confidence")
    assert len(confidence) == len(spoken(folder).column("tokens"))
    assert ((confidence > 0) & (confidence <= 1)).all()


@pytest.mark.parametrize("line", ["", "?!"], ids=["empty", "punctuation"])
def test_a_line_without_a_word_is_named_and_can_be_skipped(folder, line):
    (folder / "lines.txt").write_text(f"no\n{line}\nno\n", encoding="utf-8")
    assert "1 of 3 utterances are bad" in complaint("lines.txt", *MODELS, *CHARACTERS)
    found = run("decode", "lines.txt", *MODELS, *CHARACTERS, "--skip-bad", "-o", "mels.h5")
    assert "ttskit: lines.txt: line000002: has no word that could be spoken" in found.stderr
    assert list(Reader(folder / "mels.h5", Mels).skipped) == ["line000002"]


def test_characters_that_are_not_spoken_are_on_record(folder):
    (folder / "lines.txt").write_text("noæ ton\n", encoding="utf-8")
    assert spoken(folder)["line000001"].dropped == "U+00E6 at 2"


def test_who_speaks_is_told_or_the_first(folder):
    speakers = ("ann", "bob")
    two = {"encoder": {"hidden": 16, "filter": 24, "layers": 1}, "speaker_channels": 4}
    flow = {"flow": {"blocks": 2, "hidden": 12, "layers": 1}}
    write_model(folder / "duration.h5", "plain", two, speakers=speakers)
    write_model(folder / "decoder.h5", "glow", {**two, **flow}, speakers=speakers)
    ann, bob = spoken(folder), spoken(folder, "--speaker", "bob", output="bob.h5")
    mixed = spoken(folder, "--speaker", "ann:0.5,bob:0.5", output="mixed.h5")
    assert ann.table("speaker")[0] == "ann"
    assert bob.table("speaker")[0] == "bob"
    assert mixed.table("speaker")[0] == "ann:0.5,bob:0.5"
    said = complaint("lines.txt", *MODELS, *CHARACTERS, "--speaker", "eve")
    assert said == "no speaker 'eve'; there is ann, bob"


def test_what_does_not_fit_is_refused(speech):
    write_model(speech / "hop.h5", "plain", {}, hop_length=300)
    phonemes = {"symbols": (*SPOKEN, "ˈoʊ"), "silent": (False,) * (len(SPOKEN) + 1)}
    write_model(speech / "phonemes.h5", "glow", {"flow": {"blocks": 1}}, **phonemes)
    write_model(speech / "aligner.h5", "attention", {})
    write_model(speech / "grid.h5", "glow", {"flow": {"blocks": 1}}, n_fft=2048)
    whole = (speech / "decoder.h5").read_bytes()
    (speech / "half.h5").write_bytes(whole[: len(whole) // 2])
    lines = ["lines.txt", *CHARACTERS]
    decoder = ["--decoder", "decoder.h5"]
    recordings = ["features.h5", "alignment.h5"]
    for words, says in (
        (["lines.txt", *MODELS, "--language", "en"], "decoder.h5 was trained on characters"),
        ([*lines, "--decoder", "phonemes.h5"], "lines.txt: characters has other symbols"),
        (
            ["tokens.h5", *MODELS[:3], "phonemes.h5"],
            "tokens.h5: has other symbols than",
        ),
        ([*lines, *decoder], "makes durations, which decoder.h5 takes: add a duration model"),
        ([*lines, *decoder, "--duration", "aligner.h5"], "for the role aligner, needs duration"),
        ([*lines, *decoder, "--duration", "hop.h5"], "decoder.h5: has hop_length 256, hop.h5 has"),
        ([*lines, "--duration", "duration.h5", "--decoder", "half.h5"], "half.h5"),
        (["tokens.h5", *MODELS, *CHARACTERS], "tokens.h5: is spelt already"),
        (["tokens.h5", "lines.txt", *MODELS], "lines.txt: is text, which decode takes alone"),
        (["features.h5", *decoder], "no alignment artifact among the inputs"),
        ([*recordings, *MODELS], "alignment.h5: says how long tokens last"),
        ([*recordings, "--decoder", "grid.h5"], "n_fft 1024, grid.h5 was trained with 2048"),
        ([*lines, *MODELS, "--device", "cuda:99"], "--device cuda:99: there is no such device"),
    ):
        assert says in complaint(*words)


def test_spelling_that_is_done_anew_makes_mels_anew(monkeypatch):
    words = ("decode", "lines.txt", *MODELS, *CHARACTERS, "-o", "mels.h5")
    run(*words)
    assert "up to date" in run(*words).stderr
    monkeypatch.setattr(tokens, "REVISION", tokens.REVISION + 1)
    assert "4 utterances" in run(*words).stderr


def test_models_of_one_speaker_each_need_not_agree_on_the_name(folder):
    from tests.tiny import facts
    from tests.tiny import write_model as write
    from ttskit.models.glow import Glow
    from ttskit.models.plain import Plain

    write(folder / "who.h5", Plain, facts(speakers=("",)))
    write(folder / "ann.h5", Glow, facts(speakers=("ann",)))
    (folder / "lines.txt").write_text("Hello there.", encoding="utf-8")
    models = ["--duration", "who.h5", "--decoder", "ann.h5", "-j", 1]
    assert len(decoded(folder, "lines.txt", *models)) == 1
    assert len(decoded(folder, "lines.txt", *models, "--speaker", "ann")) == 1
    assert "no speaker 'bob'" in complaint("lines.txt", *models, "--speaker", "bob")


def test_a_decoder_that_needs_pitch_is_told_it_or_refuses(folder):
    write_speakers(folder, decoder={"pitch": True})
    said = complaint("lines.txt", *MODELS, *CHARACTERS)
    assert (
        "nothing here makes pitch, which decoder.h5 takes: add a duration model trained with --set"
        in said
    )
    write_speakers(folder, decoder={"pitch": True}, duration={"predict": ["pitch"]})
    assert len(spoken(folder)) == 4
