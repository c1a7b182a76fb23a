"""Codes made from texts: training, and speaking with the codec that they are of."""

import json
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import ttskit
from tests.factory import attentive, run, write_alignment_of, write_model, write_speech
from tests.tiny import CARD, ENCODER, facts
from tests.tiny import write_model as write_small
from ttskit.artifacts.hdf5 import open_container
from ttskit.errors import AlignmentError, ArtifactError, TtskitError
from ttskit.models.plain import Plain
from ttskit.speaking import candidates
from ttskit.speaking.realignment import Realigned
from ttskit.voices import voice as voices
from ttskit.voices.model import read_model

RVQ = {"stride": 4, "size": 32, "books": 2, "channels": 16, "layers": 1}
CAUSAL = {"hidden": 16, "layers": 1, "heads": 2, "filter": 16}
SIZES = {"causal": CAUSAL, "encoder": ENCODER}
SMALL = [f"--set={table}.{key}={value}" for table in SIZES for key, value in SIZES[table].items()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Codes that say what is spoken, and a coder that was trained on them."""
    folder = tmp_path_factory.mktemp("trained")
    write_speech(folder, count=6)
    write_alignment_of(folder)
    write_model(folder / "codec.h5", "rvq", RVQ)
    words = (folder / "features.h5", folder / "alignment.h5", "--codec", folder / "codec.h5")
    run("encode", *words, "-o", folder / "codes.h5", "-j", 1)
    run("train", "coder", folder / "codes.h5", *SMALL, "--steps", 2, "-o", folder / "coder.h5")
    return folder


def test_codes_alone_train_a_coder_that_knows_its_codec(trained):
    coder, codec = read_model(trained / "coder.h5"), read_model(trained / "codec.h5")
    known = coder.facts
    assert (known.stride, known.books, known.size, known.codec) == (4, 2, 32, codec.digest)
    alignment = trained / "alignment.h5"
    assert known.symbols == tuple(open_container(alignment).strings("symbols"))
    assert coder.takes == ("tokens", "durations")


def test_codes_that_do_not_say_what_is_spoken_need_an_alignment(trained, tmp_path):
    codes, alignment = tmp_path / "codes.h5", trained / "alignment.h5"
    run("encode", trained / "features.h5", "--codec", trained / "codec.h5", "-o", codes, "-j", 1)
    words = ("train", "coder", *SMALL, "--steps", 1, "-o", tmp_path / "coder.h5")
    with pytest.raises(ArtifactError, match=r"needs alignment .* for its tokens"):
        run(*words, codes)
    assert run(*words, codes, alignment).exit_code == 0


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A duration model, a coder and its codec, which know the phonemes of English."""
    folder = tmp_path_factory.mktemp("models")
    codec = write_model(folder / "codec.h5", "rvq", RVQ, symbols=(), silent=())
    known = {"symbols": facts().symbols, "silent": facts().silent}
    codes = {"stride": 4, "books": 2, "size": 32, "codec": read_model(codec).digest}
    write_model(folder / "coder.h5", "autoregressive", SIZES, **known, **codes)
    write_small(folder / "duration.h5", Plain, facts())
    (folder / "card.md").write_text(CARD)
    (folder / "texts.tsv").write_text("a\tHello there.\nb\tFive gold rings.\n")
    return folder


@pytest.fixture(scope="module")
def parts(models):
    return [models / name for name in ("duration.h5", "coder.h5", "codec.h5")]


def test_codes_of_texts_are_decoded(models, parts, tmp_path):
    duration, coder, codec = parts
    words = (models / "texts.tsv", "--duration", duration, "--model", coder, "--codec", codec)
    run("decode", *words, "-o", tmp_path / "mels.h5", "-j", 1)
    assert json.loads(run("info", tmp_path / "mels.h5", "--json").stdout)["utterances"] == 2
    copied = run("vocode", tmp_path / "mels.h5", "--vocoder", "source", "-o", tmp_path / "s.h5")
    assert copied.exit_code == 0


def test_a_voice_that_makes_codes_is_packed_and_speaks(models, parts, tmp_path):
    voice = tmp_path / "voice.h5"
    run("voice", "pack", *parts, "source", "--card", models / "card.md", "-o", voice)
    assert [*voices.read(voice).models] == ["duration", "coder", "codec", "vocoder"]
    said = run("say", "Hello.", "--voice", voice, "-o", tmp_path / "a.wav", "--json")
    assert json.loads(said.stdout)["words"] == 1


def test_a_chain_that_makes_codes_is_compared(models, parts, tmp_path):
    words = ("--measures", "rtf", "-o", tmp_path / "out", "--json", "-j", "1")
    compared = run("compare", models / "texts.tsv", *parts, "source", *words)
    assert [*json.loads(compared.stdout)["systems"]] == ["coder+codec+source"]


def test_another_codec_is_refused_in_a_chain_and_in_a_voice(models, parts, tmp_path):
    def change(module):
        module.generator.scale.mean.fill_(1)

    other = write_model(tmp_path / "other.h5", "rvq", RVQ, change, symbols=(), silent=())
    with pytest.raises(ArtifactError, match=r"other.h5: knows codes of another codec than .*coder"):
        run("voice", "pack", *parts[:2], other, "source", "--card", models / "card.md", "-o", "v")


def test_without_a_coder_the_error_asks_for_one(models, parts):
    with pytest.raises(ArtifactError, match=r"makes codes, which .*codec.h5 takes: add a coder;"):
        run("compare", models / "texts.tsv", parts[0], parts[2], "source", "--measures", "rtf")


def test_a_packed_coder_makes_the_codes_of_its_file(models, parts, tmp_path):
    voice = tmp_path / "voice.h5"
    words = ("--card", models / "card.md", "--float32", "-o", voice)
    run("voice", "pack", *parts, "source", *words)
    packed, own = voices.read(voice).models["coder"], read_model(parts[1])
    assert packed.facts == own.facts
    for name, weight in own.weights().items():
        assert torch.equal(packed.weights()[name], weight)


@pytest.fixture(scope="module")
def judges(models):
    """An aligner and a ranker that have learnt nothing."""
    known = {"symbols": facts().symbols, "silent": facts().silent}
    codes = {"stride": 4, "books": 2, "size": 32, "codec": read_model(models / "codec.h5").digest}
    aligner = write_model(
        models / "aligner.h5", "attention", {"embedding": 8, "hidden": 8}, **known
    )
    clvp = write_model(models / "clvp.h5", "clvp", {"transformer": CAUSAL}, **known, **codes)
    return [aligner, clvp]


@pytest.fixture(scope="module")
def voice(models, parts, judges):
    """A voice that has its judges in it."""
    words = (*parts, "source", *judges, "--card", models / "card.md")
    run("voice", "pack", *words, "-o", models / "judged.h5")
    return models / "judged.h5"


@pytest.fixture
def faults(monkeypatch):
    """What the aligner finds in each take in turn, in place of what it finds."""

    def plant(*found):
        each = iter(found)

        def realigned(_aligner, mel, utterance):
            durations = np.zeros(len(utterance.tokens), int)
            durations[1] = len(mel)
            return Realigned(durations, 0.0, next(each))

        monkeypatch.setattr(candidates, "realigned", realigned)

    return plant


def test_judges_are_packed_beside_the_chain(voice):
    assert [*voices.read(voice).models][-2:] == ["aligner", "ranker"]
    assert voices.read(voice).reader.role == "coder"


def test_the_manifest_says_which_candidate_was_chosen_and_why_others_lost(voice, faults, tmp_path):
    faults("the word 'one' is lost", "", "")
    words = ("--voice", voice, "--candidates", 3, "--rank", "clvp:2,align")
    run("say", "One.", *words, "-o", tmp_path / "a.wav", "--manifest", tmp_path / "a.jsonl")
    first, second = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert first["sentence"] == second["sentence"] == 1
    assert second["word"] == "One"
    assert first["candidate"] in (1, 2)
    assert first["scores"].keys() == {"clvp", "align"}
    assert first["others"][0]["lost"] == "the word 'one' is lost"
    assert [row["candidate"] for row in first["others"]] == [0, 3 - first["candidate"]]


def test_a_word_that_every_candidate_loses_is_named(voice, faults, tmp_path):
    faults("the word 'one' is lost", "the word 'two' is lost")
    words = ("--voice", voice, "--candidates", 2, "-o", tmp_path / "a.wav")
    with pytest.raises(
        AlignmentError, match="sentence 1: the word 'two' is lost, in the last of 2"
    ):
        run("say", "One two.", *words)
    assert not (tmp_path / "a.wav").exists()


def test_with_more_candidates_a_text_goes_on_where_a_word_was_lost(voice, faults, tmp_path):
    words = ("say", "One.\nTwo.\nSix.", "--voice", voice)
    lost = "the word 'six' is lost"
    faults("", "", lost)
    with pytest.raises(AlignmentError, match=f"sentence 3: {lost}, .* 1 candidate: raise --cand"):
        run(*words, "-o", tmp_path / "a.wav")
    faults(lost, "")  # the sentences before it are not spoken again
    run(*words, "--candidates", 2, "-o", tmp_path / "a.wav")
    faults("", "", lost, "")
    run(*words, "--candidates", 2, "-o", tmp_path / "whole.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


def test_a_sentence_that_lost_a_word_may_be_regenerated_alone(voice, faults, tmp_path):
    words = ("say", "One.\nTwo.\nSix.", "--voice", voice, "-o", tmp_path / "a.wav")
    faults("", "", "the word 'six' is lost")
    with pytest.raises(AlignmentError):
        run(*words)
    faults("")
    told = run(*words, "--regenerate", "3,9")
    assert "sentence 9 is not spoken anew: the text has 3 sentences" in told.stderr


def write_of_books(path, family, codec, books, config):
    """Write a model of so many books of a codec."""
    known = {"symbols": facts().symbols, "silent": facts().silent}
    codes = {"stride": 4, "books": books, "size": 32, "codec": read_model(codec).digest}
    return write_model(path, family, config, **known, **codes)


def test_models_of_more_books_than_the_coder_are_refused(models, parts, trained, tmp_path):
    duration, coder, codec = parts
    ranker = write_of_books(tmp_path / "clvp.h5", "clvp", codec, 1, {"transformer": CAUSAL})
    chain = ("--duration", duration, "--model", coder, "--codec", codec, "-o", tmp_path / "m.h5")
    refusal = r"{}: knows {} of codes, .*coder.h5 2: train both on the same codes"
    ranked = ("--judge", ranker, "--rank", "clvp", "--candidates", 2)
    with pytest.raises(ArtifactError, match=refusal.format("clvp.h5", "1 book")):
        run("decode", models / "texts.tsv", *chain, *ranked)
    small = {"hidden": 8, "layers": 1, "contour_hidden": 8, "encoder": ENCODER, "source": "codes"}
    decoder = write_of_books(tmp_path / "decoder.h5", "feedforward", codec, 4, small)
    packed = (duration, coder, decoder, "source", "--card", models / "card.md", "-o", "v.h5")
    with pytest.raises(ArtifactError, match=refusal.format("decoder.h5", "4 books")):
        run("voice", "pack", *packed)
    of_codes = write_of_books(tmp_path / "other.h5", "feedforward", trained / "codec.h5", 4, small)
    told = r"codes.h5: has 2 books, .*other.h5 was trained on 4: make them with .*--books 4"
    with pytest.raises(ArtifactError, match=told):
        run("decode", trained / "codes.h5", "--decoder", of_codes, "-o", tmp_path / "m.h5")


def test_decode_and_compare_choose_too(models, parts, judges, faults, tmp_path):
    duration, coder, codec = parts
    chain = ("--duration", duration, "--model", coder, "--codec", codec, "-j", 1)
    chosen = ("--judge", judges[0], "--candidates", 2)
    faults("lost", "", "")
    run("decode", models / "texts.tsv", *chain, *chosen, "-o", tmp_path / "chosen.h5")
    run("decode", models / "texts.tsv", *chain, "-o", tmp_path / "first.h5")
    chosen_mels, first_mels = (ttskit.read(tmp_path / f"{n}.h5") for n in ("chosen", "first"))
    assert not np.array_equal(chosen_mels["a"].mel, first_mels["a"].mel)
    np.testing.assert_array_equal(chosen_mels["b"].mel, first_mels["b"].mel)
    faults(*[""] * 4)
    words = (*parts, "source", *judges, "--rank", "clvp", "--measures", "rtf", "--json", "-j", 1)
    assert run("compare", models / "texts.tsv", *words, "-o", tmp_path / "c").exit_code == 0


def test_a_sentence_that_is_regenerated_is_another_take_and_the_others_are_as_before(
    models, parts, tmp_path
):
    run("voice", "pack", *parts, "source", "--card", models / "card.md", "-o", tmp_path / "v.h5")

    def said(*words):
        text = "One.\nTwo.\nSix."
        options = ("--voice", tmp_path / "v.h5", "-o", tmp_path / "a.wav")
        run("say", text, *options, "--manifest", tmp_path / "a.jsonl", *words)
        return soundfile.read(tmp_path / "a.wav", dtype="int16")

    (usual, rate), (again, _), (third, _) = (
        said(*words) for words in ((), ("--regenerate", 2), ("--regenerate", "2,2"))
    )
    first, _, last = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    differing = np.flatnonzero(usual != again)
    assert first["stop"] * rate <= differing.min() <= differing.max() < last["start"] * rate
    assert len({take.tobytes() for take in (usual, again, third)}) == 3


def test_a_coder_that_takes_no_durations_needs_an_aligner_to_say_when_it_speaks(
    models, parts, judges, faults, tmp_path
):
    settings = {**SIZES, "order": "concatenated"}
    known = read_model(parts[1]).facts
    codes = {name: getattr(known, name) for name in ("stride", "books", "size", "codec")}
    free = write_model(tmp_path / "free.h5", "autoregressive", settings, symbols=known.symbols,
                       silent=known.silent, **codes)  # fmt: skip
    card = ("--card", models / "card.md", "-o", tmp_path / "free-voice.h5")
    run("voice", "pack", free, parts[2], "source", *card)
    words = ("One.", "--voice", tmp_path / "free-voice.h5", "-o", tmp_path / "a.wav")
    with pytest.raises(ArtifactError, match="nothing here makes durations"):
        run("say", *words)
    faults("")
    judged = (*words, "--judge", judges[0])
    run("say", *judged, "--timing", tmp_path / "a.ctm")
    assert (tmp_path / "a.ctm").read_text().count("\n") == 1
    for option in (("--rate", 2), ("--duration", 3)):
        with pytest.raises(TtskitError, match="none of its models takes durations"):
            run("say", *judged, *option)
    slow = ("<speak><prosody rate='slow'>One.</prosody></speak>", "--ssml", *judged[1:])
    with pytest.raises(TtskitError, match="none of its models takes durations"):
        run("say", *slow)
    chain = ("--model", free, "--codec", parts[2], "--judge", judges[0], "--length-scale", 3)
    with pytest.raises(TtskitError, match=r"free.h5: none of its models takes .* rate of its own"):
        run("decode", models / "texts.tsv", *chain, "-o", tmp_path / "m.h5")


def test_a_coder_that_takes_no_durations_follows_no_recording(trained, tmp_path):
    codec, codes, free, aligner = (tmp_path / f"{n}.h5" for n in ("codec", "codes", "free", "a"))
    write_model(codec, "rvq", RVQ, symbols=(), silent=())
    recorded = (trained / "features.h5", trained / "alignment.h5")
    run("encode", *recorded, "--codec", codec, "-o", codes, "-j", 1)
    run("train", "coder", codes, *SMALL, "--set=order=concatenated", "--steps", 1, "-o", free)
    known = read_model(free).facts
    sizes = {"embedding": 8, "hidden": 8}
    write_model(aligner, "attention", sizes, symbols=known.symbols, silent=known.silent)
    chain = ("--model", free, "--codec", codec, "--judge", aligner)
    out = ("-o", tmp_path / "m.h5", "-j", 1)
    with pytest.raises(TtskitError, match=r"free.h5: says itself how long tokens last"):
        run("decode", *recorded, *chain, *out)


def test_a_knob_is_turned_and_an_unknown_one_is_refused(models, parts, tmp_path):
    duration, coder, codec = parts
    words = (models / "texts.tsv", "--duration", duration, "--model", coder, "--codec", codec)
    mels = []
    for seed in (1, 2):
        out = tmp_path / f"{seed}.h5"
        run("decode", *words, "--knob", "temperature=0", "--seed", seed, "-o", out, "-j", 1)
        mels.append(ttskit.read(out)["a"].mel)
    np.testing.assert_array_equal(*mels)
    with pytest.raises(TtskitError, match=r"no model has the knob warmth; there is .*temp"):
        run("decode", *words, "--knob", "warmth=1", "-o", tmp_path / "no.h5")
    assert run("decode", *words, "--knob", "temperature", "-o", tmp_path / "n.h5").exit_code == 2


STATES = {"hidden": 16, "layers": 1, "state": 3, "dilations": [1, 2]}
REFINING = {"text": STATES, "audio": STATES, "adaptor": {"hidden": 16}, "style_channels": 4}


@torch.no_grad()
def stir(module):
    """Let a style modulate a new model, too."""
    for parameter in module.parameters():
        parameter += 0.3 * torch.randn_like(parameter)


@pytest.fixture
def refining(parts, tmp_path):
    """A chain whose coder refines its codes and follows a style, and a recording."""
    duration, coder, codec = parts
    facts_of = read_model(coder).facts
    known = {name: getattr(facts_of, name) for name in ("symbols", "silent", "stride", "books")}
    known |= {"size": facts_of.size, "codec": facts_of.codec}
    mamba = write_model(tmp_path / "mamba.h5", "mamba", REFINING, stir, **known)
    noise = 0.2 * np.random.default_rng(0).normal(0, 1, 16000)
    soundfile.write(tmp_path / "style.wav", noise, 16000)
    return ["--duration", duration, "--model", mamba, "--codec", codec], tmp_path / "style.wav"


def test_each_number_of_iterations_is_decoded(models, refining, tmp_path):
    chain, _ = refining
    run("decode", models / "texts.tsv", *chain, "--iterations", "1,4", "-o", tmp_path / "m.h5")
    both = ttskit.read(tmp_path / "m.h5")
    assert both.ids == ["a@1", "a@4", "b@1", "b@4"]
    run("decode", models / "texts.tsv", *chain, "--iterations", "4", "-o", tmp_path / "four.h5")
    four = ttskit.read(tmp_path / "four.h5")
    for id in ("a", "b"):
        np.testing.assert_array_equal(four[id].mel, both[f"{id}@4"].mel)
        assert not np.array_equal(both[f"{id}@1"].mel, both[f"{id}@4"].mel)


def test_a_style_is_followed_and_refused_where_nothing_follows_it(
    models, parts, refining, tmp_path
):
    (chain, style), out = refining, tmp_path / "m.h5"
    run("decode", models / "texts.tsv", *chain, "-o", out)
    run("decode", models / "texts.tsv", *chain, "--style", style, "-o", tmp_path / "styled.h5")
    usual, styled = ttskit.read(out), ttskit.read(tmp_path / "styled.h5")
    assert any(not np.array_equal(usual[id].mel, styled[id].mel) for id in usual.ids)
    assert styled.provenance["options"]["style"]
    voice, card = tmp_path / "voice.h5", models / "card.md"
    run("voice", "pack", parts[0], chain[3], parts[2], "source", "--card", card, "-o", voice)
    words = ("say", "Hello.", "--voice", voice, "-o", tmp_path / "a.wav")
    assert run(*words, "--style", style, "--iterations", 2).exit_code == 0
    stubborn = ["--duration", parts[0], "--model", parts[1], "--codec", parts[2]]
    refusals = {"--style": (style, "leave --style out"), "--iterations": (4, "has iterations of")}
    for option, (value, refusal) in refusals.items():
        with pytest.raises(TtskitError, match=refusal):
            run("decode", models / "texts.tsv", *stubborn, option, value, "-o", out)


@pytest.fixture(scope="module")
def imitator(models, parts):
    """A voice whose coder sounds like a clip, and two clips."""
    known = read_model(parts[1]).facts
    codes = {name: getattr(known, name) for name in ("stride", "books", "size", "codec")}
    write_model(models / "hears.h5", "autoregressive", {**SIZES, "reference": True}, attentive,
                symbols=known.symbols, silent=known.silent, **codes)  # fmt: skip
    chain = (parts[0], models / "hears.h5", parts[2], "source", "--card", models / "card.md")
    run("voice", "pack", *chain, "-o", models / "imitator.h5")
    noise = np.random.default_rng(0).normal(0, 0.3, 16000)
    for name, wave in (("a", noise), ("b", 0.3 * np.sin(np.arange(16000) / 3))):
        soundfile.write(models / f"{name}.wav", wave.clip(-1, 1), 16000)
    return models / "imitator.h5"


def test_a_coder_is_trained_on_clips_of_the_same_speaker(trained, tmp_path):
    words = (*SMALL, "--set=reference=true", "--steps", 1, "-o", tmp_path / "coder.h5")
    run("train", "coder", trained / "codes.h5", *words)
    assert "clip" in read_model(tmp_path / "coder.h5").takes


def test_clips_are_mixed_by_their_weights(models, imitator):
    from ttskit.speaking.chain import Chain
    from ttskit.speaking.clips import heard

    cascade = Chain(voices.read(imitator)).cascade
    one, two = (heard(cascade, [str(models / f"{n}.wav")], "v")["latent"] for n in "ab")
    assert np.abs(one - two).max() > 1e-3
    mixed = heard(cascade, [f"{models / 'a.wav'}:3,{models / 'b.wav'}:1"], "v")["latent"]
    np.testing.assert_allclose(mixed, 0.75 * one + 0.25 * two, rtol=1e-4, atol=1e-2)
    path, both = str(models / "a.wav"), [f"{models / 'a.wav'}:2", f"{models / 'b.wav'}:1"]
    again = heard(cascade, [f"{path}:1", *both], "v")["latent"]
    np.testing.assert_allclose(again, mixed, rtol=1e-4, atol=1e-2)


def test_a_long_clip_is_heard_in_windows_as_long_as_those_of_a_training(imitator):
    from ttskit.speaking.chain import Chain
    from ttskit.speaking.clips import mixed

    cascade = Chain(voices.read(imitator)).cascade
    steps: dict[str, Any] = {model.role: module for model, module in cascade.steps}
    codes, lengths = np.random.default_rng(0).integers(0, 32, (450, 2)), []
    coder = steps["coder"]
    coder.ear.register_forward_pre_hook(lambda _, given: lengths.append(given[0]["clip"].shape[1]))
    whole = mixed(coder, [(codes, 1.0)])
    parts = [mixed(coder, [(part, 1.0)]) for part in (codes[:200], codes[200:400], codes[400:])]
    assert max(lengths) == 200
    expected = np.average(parts, axis=0, weights=[200, 200, 50])
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-4)


def test_a_voice_sounds_like_a_clip_only_where_its_coder_was_trained_so(
    models, imitator, parts, tmp_path
):
    words = ("say", "One.", "-o", tmp_path / "a.wav")
    with pytest.raises(TtskitError, match="its coder speaks as a clip does: add one"):
        run(*words, "--voice", imitator)
    clip = ("--reference", models / "a.wav")
    assert run(*words, "--voice", imitator, *clip).exit_code == 0
    plain = tmp_path / "plain.h5"
    run("voice", "pack", *parts, "source", "--card", models / "card.md", "-o", plain)
    with pytest.raises(TtskitError, match="none of its models was trained with reference clips"):
        run(*words, "--voice", plain, *clip)


@pytest.fixture(scope="module")
def imitating(models, imitator, parts):  # noqa: ARG001  (it writes the coder)
    """Options of decode for the chain of that voice, from texts."""
    chain = ("--duration", parts[0], "--model", models / "hears.h5", "--codec", parts[2])
    return (models / "texts.tsv", *chain, "-j", 1)


def mels_like(words, output, *clips):
    run("decode", *words, *clips, "-o", output)
    return ttskit.read(output)


def test_decode_sounds_like_the_clips_it_is_given(models, imitating, tmp_path):
    one, two = (models / f"{name}.wav" for name in "ab")
    of_one, of_two, of_both = (
        mels_like(imitating, tmp_path / f"{number}.h5", "--reference", clip)
        for number, clip in enumerate((one, two, f"{one}:3,{two}:1"))
    )
    frames = {id: [len(mels[id].mel) for mels in (of_one, of_two)] for id in "ab"}
    assert all(first == second for first, second in frames.values())
    made = [[mels[id].mel.tobytes() for id in "ab"] for mels in (of_one, of_two, of_both)]
    assert made[0] != made[1] != made[2] != made[0]
    assert sorted(of_both.provenance["options"]["reference"].values()) == [0.25, 0.75]


def test_recordings_are_decoded_in_the_voice_of_a_clip(trained, models, tmp_path):
    recorded = (trained / "features.h5", trained / "alignment.h5")
    codec, codes, coder = (tmp_path / f"{name}.h5" for name in ("codec", "codes", "coder"))
    write_model(codec, "rvq", RVQ, symbols=(), silent=())
    run("encode", *recorded, "--codec", codec, "-o", codes, "-j", 1)
    hearing = ("--set=reference=true", "--steps", 1)
    run("train", "coder", codes, *SMALL, *hearing, "-o", coder)
    words = (*recorded, "--model", coder, "--codec", codec, "-j", 1)
    with pytest.raises(TtskitError, match="coder speaks as a clip does: add one"):
        run("decode", *words, "-o", tmp_path / "mels.h5")
    mels = mels_like(words, tmp_path / "mels.h5", "--reference", models / "a.wav")
    alignment = ttskit.read(recorded[1])
    frames = [len(mels[id].mel) for id in mels.ids]
    assert frames == [int(alignment[id].durations.sum()) for id in mels.ids]
    other = mels_like(words, tmp_path / "other.h5", "--reference", models / "b.wav")
    assert any(not np.array_equal(mels[id].mel, other[id].mel) for id in mels.ids)


def test_compare_gives_every_system_the_clips(models, imitator, parts, tmp_path):
    words = ("compare", models / "texts.tsv", imitator, "--measures", "rtf", "--json", "-j", 1)
    with pytest.raises(TtskitError, match=r"imitator.h5: its coder speaks as a clip does"):
        run(*words, "-o", tmp_path / "c")
    clip = f"{models / 'a.wav'}:1,{models / 'b.wav'}:3"
    run(*words, "--clip", clip, "-o", tmp_path / "c")
    spoken = ttskit.read(tmp_path / "c" / "imitator.h5")
    assert sorted(spoken.provenance["options"]["reference"].values()) == [0.25, 0.75]
    plain = (*words[:2], *parts, "source", *words[3:], "-o", tmp_path / "d")
    with pytest.raises(TtskitError, match="none of its models was trained with reference clips"):
        run(*plain, "--clip", clip)


@pytest.mark.parametrize(
    ("clip", "refusal"),
    [
        ("{}/nobody.wav", "No such file.*nobody.wav"),
        ("{}/card.md", "card.md: "),
        ("{}/a.wav:-1", "a.wav:-1: the weights must be positive numbers"),
        ("{0}/a.wav:inf,{0}/b.wav:1", "the weights must be positive numbers"),
    ],
)
def test_clips_that_cannot_be_heard_are_refused(models, imitating, tmp_path, clip, refusal):
    with pytest.raises((TtskitError, OSError), match=refusal) as error:
        mels_like(imitating, tmp_path / "m.h5", "--reference", clip.format(models))
    assert "\n" not in str(error.value)


def test_codes_have_a_voice_already_and_take_no_clip(trained, models, tmp_path):
    words = ("decode", trained / "codes.h5", "--codec", trained / "codec.h5")
    with pytest.raises(TtskitError, match="leave options of texts out"):
        run(*words, "--reference", models / "a.wav", "-o", tmp_path / "m.h5")
