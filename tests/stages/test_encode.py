"""Speech as codes and back, through the command line."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from tests.factory import GRID, PROVENANCE, run, sha, write_alignment_of, write_model, write_speech
from ttskit.artifacts.kinds import Codes, Corpus, Features, Mels
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import TtskitError
from ttskit.models.melcodec import Generator, MelCodec
from ttskit.networks.batch import collate
from ttskit.training.examples import Examples
from ttskit.voices.model import read_model

RVQ = {"stride": 4, "size": 32, "books": 3, "channels": 16, "layers": 1}
SIZES: dict[str, tuple[str, dict[str, Any]]] = {
    "rvq.h5": ("rvq", RVQ),
    "fsq.h5": ("fsq", {"levels": [5, 5], "stride": 2, "channels": 16, "layers": 1}),
    "vq.h5": ("vq", {"stride": 1, "size": 32, "channels": 16, "layers": 1}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """features.h5, tokens.h5, alignment.h5, untrained codecs, and the codes of one of them."""
    folder = tmp_path_factory.mktemp("codes")
    write_speech(folder, count=5)
    write_alignment_of(folder)
    for name, (family, settings) in SIZES.items():
        write_model(folder / name, family, settings)
    words = (folder / "features.h5", folder / "alignment.h5", "--codec", folder / "rvq.h5")
    run("encode", *words, "-o", folder / "codes.h5", "--jobs", 1)
    return folder


@pytest.mark.parametrize("codec", SIZES)
def test_codes_are_those_of_the_codec_and_become_its_mel(folder, tmp_path, codec):
    features, model = Reader(folder / "features.h5", Features), read_model(folder / codec)
    words = ("--codec", folder / codec, "--jobs", 1)
    run("encode", features.path, *words, "-o", tmp_path / "codes.h5")
    run("decode", tmp_path / "codes.h5", *words, "-o", tmp_path / "mels.h5")
    codes, mels = Reader(tmp_path / "codes.h5", Codes), Reader(tmp_path / "mels.h5", Mels)
    assert list(codes) == list(mels) == list(features)
    module, stride = model.module(), model.config["stride"]
    assert isinstance(module, MelCodec)
    for id, record in features.items():
        batch = collate([id], [{"mel": record.mel}])
        np.testing.assert_array_equal(codes[id].codes, module.encode(batch)[0])
        assert len(codes[id].codes) == -(-len(record.mel) // stride)
        coded = collate([id], [{"codes": codes[id].codes}])
        mel = module.generate(coded)["mel"][0, : len(record.mel)]
        np.testing.assert_allclose(mels[id].mel, mel, rtol=1e-4, atol=1e-4)


def test_codes_know_what_they_are_and_what_is_spoken(folder):
    reader = Reader(folder / "codes.h5", Codes)
    digest = read_model(folder / "rvq.h5").container.digest
    assert reader.attributes == {**GRID, "stride": 4, "size": 32}
    assert reader.table("codec") == [digest]
    for record in reader.values():
        assert record.durations is not None
        assert record.words is not None
        assert record.durations.sum() == record.frames
        assert record.codes.shape == (-(-record.frames // 4), 3)
        assert record.codes.dtype == np.uint16
        assert "".join(record.words) == record.text


def test_what_is_spoken_goes_from_mels_to_codes_and_back(folder, tmp_path):
    words = ("--codec", folder / "rvq.h5", "--jobs", 1)
    run("decode", folder / "codes.h5", *words, "-o", tmp_path / "mels.h5")
    run("encode", tmp_path / "mels.h5", *words, "-o", tmp_path / "again.h5")
    first, again = Reader(folder / "codes.h5", Codes), Reader(tmp_path / "again.h5", Codes)
    assert again.table("symbols") == first.table("symbols")
    for id, record in first.items():
        np.testing.assert_array_equal(record.durations, again[id].durations)
        np.testing.assert_array_equal(record.tokens, again[id].tokens)


def test_codes_do_not_depend_on_the_number_of_processes(folder, tmp_path):
    words = (folder / "features.h5", folder / "alignment.h5", "--codec", folder / "rvq.h5")
    run("encode", *words, "-o", tmp_path / "codes.h5", "--jobs", 2)
    assert sha(tmp_path / "codes.h5") == sha(folder / "codes.h5")


@pytest.mark.parametrize("codec", SIZES)
def test_codes_of_an_utterance_do_not_depend_on_others_in_a_batch(folder, codec):
    module = read_model(folder / codec).module()
    assert isinstance(module, MelCodec)
    mels = [record.mel for record in Reader(folder / "features.h5", Features).values()]
    mels = [mel[: 30 + 7 * place] for place, mel in enumerate(mels)]
    ids = [f"u{place}" for place in range(len(mels))]
    together = collate(ids, [{"mel": mel} for mel in mels])
    codes = module.encode(together)
    for row, mel in enumerate(mels):
        alone = module.encode(collate(["a"], [{"mel": mel}]))[0]
        assert torch.equal(codes[row, : len(alone)], alone)


def test_a_corpus_is_encoded_as_its_features_are(folder, tmp_path):
    from ttskit.dsp import mel
    from ttskit.dsp.mel import MelSettings

    rng = np.random.default_rng(0)
    audio = rng.integers(-9000, 9000, 30_000).astype(np.int16)
    bands = mel.mel(audio.astype(np.float32) / 32768, MelSettings())
    flat: dict[str, Any] = dict.fromkeys(
        ("f0", "periodicity", "loudness", "energy"), np.zeros(len(bands))
    )
    names: dict[str, Any] = {"id": "a", "speaker": "", "text": ""}
    heard = Features(**names, mel=bands, voiced=np.zeros(len(bands), bool), **flat)
    rate: dict[str, Any] = {"sample_rate": GRID["sample_rate"]}
    for record, grid in ((Corpus(**names, audio=audio), rate), (heard, GRID)):
        kind = type(record)
        path = tmp_path / f"{kind.kind()}.h5"
        with Writer(path, kind, provenance=PROVENANCE, attributes=grid) as writer:
            writer.append(record)
            writer.seal(["a"])
        run("encode", path, "--codec", folder / "vq.h5", "-o", tmp_path / f"{path.stem}-codes.h5")
    codes = [Reader(tmp_path / f"{one}-codes.h5", Codes)["a"] for one in ("corpus", "features")]
    np.testing.assert_array_equal(codes[0].codes, codes[1].codes)
    assert codes[0].tokens is None


def test_fewer_books_say_what_they_can_without_the_others_and_can_be_decoded(folder, tmp_path):
    words = ("--codec", folder / "rvq.h5", "--jobs", 1)
    run("encode", folder / "features.h5", *words, "--books", 2, "-o", tmp_path / "two.h5")
    two, all = Reader(tmp_path / "two.h5", Codes), Reader(folder / "codes.h5", Codes)
    generator = read_model(folder / "rvq.h5").module().generator
    assert isinstance(generator, Generator)
    errors = np.zeros(2)
    for id, record in Reader(folder / "features.h5", Features).items():
        latents, _ = generator.latents(collate([id], [{"mel": record.mel}]))
        for place, codes in enumerate((two[id].codes, all[id].codes[:, :2])):
            vectors = generator.quantiser.vectors(torch.from_numpy(codes.astype(int))[None])
            errors[place] += (vectors - latents).square().sum().item()
    assert errors[0] < 0.99 * errors[1]
    run("decode", tmp_path / "two.h5", *words, "-o", tmp_path / "mels.h5")
    assert len(Reader(tmp_path / "mels.h5", Mels)) == len(all)
    with pytest.raises(TtskitError, match=r"--books 4: .*rvq.h5 has 3"):
        run("encode", folder / "features.h5", *words, "--books", 4, "-o", tmp_path / "four.h5")


def test_codes_are_vocoded_in_one_go(folder, tmp_path):
    words = ("--codec", folder / "rvq.h5", "--jobs", 1)
    vocoder = ("--vocoder", "griffinlim")
    run("decode", folder / "codes.h5", *words, "-o", tmp_path / "mels.h5")
    run("vocode", tmp_path / "mels.h5", *vocoder, "-j", 1, "-o", tmp_path / "two.h5")
    run("vocode", folder / "codes.h5", *words, *vocoder, "-o", tmp_path / "one.h5")
    one, two = Reader(tmp_path / "one.h5", Corpus), Reader(tmp_path / "two.h5", Corpus)
    for id, record in one.items():
        np.testing.assert_array_equal(record.audio, two[id].audio)
    with pytest.raises(TtskitError, match="is codes: add --codec, the model that made them"):
        run("vocode", folder / "codes.h5", *vocoder, "-o", tmp_path / "none.h5")


def test_codes_of_another_codec_are_refused(folder, tmp_path):
    words = ("--codec", folder / "fsq.h5", "-o", tmp_path / "out.h5")
    for verb in (("decode",), ("vocode", "--vocoder", "griffinlim")):
        with pytest.raises(TtskitError, match=r"was not encoded by .*fsq\.h5"):
            run(*verb, folder / "codes.h5", *words)


def test_codes_that_no_book_has_are_refused_when_they_are_opened(folder, tmp_path):
    reader = Reader(folder / "codes.h5", Codes)
    record = reader["u1"]
    codes = record.codes.copy()
    codes[2, 1] = 32
    tables = {name: reader.table(name) for name in Codes.tables}
    header: dict[str, Any] = {
        "provenance": PROVENANCE,
        "attributes": reader.attributes,
        "tables": tables,
    }
    with Writer(tmp_path / "bad.h5", Codes, **header) as writer:
        values = {**record.columns(), "codes": codes}
        writer.append(Codes(**values))
        writer.seal(["u1"])
    assert run("verify", tmp_path / "bad.h5").exit_code == 1
    words = ("--codec", folder / "rvq.h5", "-o", tmp_path / "mels.h5")
    with pytest.raises(TtskitError, match="codes holds 32, needs less than 32"):
        run("decode", tmp_path / "bad.h5", *words)
    assert run("verify", folder / "codes.h5").exit_code == 0


@pytest.mark.parametrize("change", [{"size": 1 << 17}, {"size": 0}, {"stride": 0}])
def test_attributes_that_no_codec_has_are_refused(folder, tmp_path, change):
    reader = Reader(folder / "codes.h5", Codes)
    attributes = {**reader.attributes, **change}
    tables = {name: reader.table(name) for name in Codes.tables}
    header: dict[str, Any] = {"provenance": PROVENANCE, "attributes": attributes, "tables": tables}
    with Writer(tmp_path / "odd.h5", Codes, **header) as writer:
        writer.append(reader["u1"])
        writer.seal(["u1"])
    with pytest.raises(TtskitError, match=f"its {next(iter(change))} is "):
        Reader(tmp_path / "odd.h5", Codes)


def test_info_says_what_codes_cost_and_use(folder):
    reader = Reader(folder / "codes.h5", Codes)
    usage = json.loads(run("info", folder / "codes.h5", "--json").stdout)["usage"]
    rate = 22050 / 256 / 4
    assert usage["bits_per_second"] == pytest.approx(rate * 3 * 5, abs=0.1)
    entropy = 0.0
    for book, codes in enumerate(reader.column("codes").T):
        counts = np.unique(codes, return_counts=True)[1]
        entropies = -(counts / len(codes) * np.log2(counts / len(codes))).sum()
        assert usage["perplexity"][book] == pytest.approx(2**entropies, abs=0.1)
        assert usage["dead"][book] == pytest.approx(100 * (1 - len(counts) / 32), abs=0.01)
        entropy += rate * entropies
    assert usage["entropy_per_second"] == pytest.approx(entropy, abs=0.1)
    assert "codes dead" in run("info", folder / "codes.h5").stdout


def test_why_tells_what_codes_speak(folder, tmp_path):
    picture = ("--plot", tmp_path / "x.png")
    told = json.loads(run("why", "u1", folder / "codes.h5", "--json", *picture).stdout)
    record = Reader(folder / "codes.h5", Codes)["u1"]
    facts = told["artifacts"][0]
    assert (facts["codes"], facts["books"]) == record.codes.shape
    assert facts["frames"] == record.frames
    assert [word["word"] for word in facts["words"]] == [record.text]
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_coreutils_work_on_codes(folder, tmp_path):
    codes = folder / "codes.h5"
    run("select", codes, "--head", 2, "-o", tmp_path / "a.h5")
    run("select", codes, "--id", "u2", "--id", "u3", "--id", "u4", "-o", tmp_path / "b.h5")
    run("merge", tmp_path / "a.h5", tmp_path / "b.h5", "-o", tmp_path / "c.h5")
    assert run("diff", codes, tmp_path / "c.h5").exit_code == 0
    assert run("ls", codes).stdout.split() == [f"u{number}" for number in range(5)]
    seconds = run("cat", codes, "-f", "frames,codes,seconds", "--id", "u0").stdout.split("\t")
    assert float(seconds[2]) == pytest.approx(int(seconds[0]) * 256 / 22050, abs=1e-3)
    hours = json.loads(run("info", codes, "--field", "hours").stdout)
    assert hours == json.loads(run("info", folder / "features.h5", "--field", "hours").stdout)


def test_codes_can_be_trained_on(folder):
    from ttskit.artifacts.kinds import Alignment

    readers: list[Reader[Any]] = [
        Reader(folder / "codes.h5", Codes),
        Reader(folder / "alignment.h5", Alignment),
    ]
    examples = Examples(readers, ("tokens", "durations", "codes"))
    batch = examples.batch([0, 1], 0, (0,))
    assert batch["codes"].shape[2] == 3
    assert batch.lengths["code"].tolist() == readers[0].lengths("code")[:2].tolist()
    facts = examples.facts()
    assert (facts.n_mels, len(facts.symbols)) == (80, len(readers[0].table("symbols")))


def test_a_codec_is_trained_and_reports_its_books(folder, tmp_path):
    words = ("--family", "rvq", "--steps", 2, "--set", "channels=8", "--set", "size=8")
    run("train", "codec", folder / "features.h5", *words, "-o", tmp_path / "codec.h5")
    log = (tmp_path / "codec.h5.run" / "log.jsonl").read_text().splitlines()
    last = json.loads(log[-1])
    assert {"watch/perplexity/4", "watch/bits_per_second"} <= last.keys()
    assert 1 <= last["watch/perplexity/1"] <= 8
    run("encode", folder / "features.h5", "--codec", tmp_path / "codec.h5", "-o", tmp_path / "x.h5")
    assert Reader(tmp_path / "x.h5", Codes).column("codes").max() < 8


def test_other_inputs_are_refused_in_one_line(folder, tmp_path):
    words = ("--codec", folder / "rvq.h5", "-o", tmp_path / "x.h5")
    with pytest.raises(TtskitError, match="is tokens, needs features, mels, corpus, alignment"):
        run("encode", folder / "tokens.h5", *words)
    with pytest.raises(TtskitError, match="one of Features, Mels and Corpus; there is none"):
        run("encode", folder / "alignment.h5", *words)
    write_model(tmp_path / "wide.h5", "vq", {"channels": 8}, n_mels=40)
    with pytest.raises(TtskitError, match=r"n_mels 80, .*wide\.h5 was trained with 40"):
        run("encode", folder / "features.h5", "--codec", tmp_path / "wide.h5", "-o", "x.h5")
    vocoder = ("--vocoder", folder / "rvq.h5")
    with pytest.raises(TtskitError, match="is a model for the role codec, needs vocoder"):
        run("vocode", folder / "features.h5", *vocoder, "-o", tmp_path / "y.h5")


def test_the_speaker_is_given_to_a_codec_that_knows_several(folder, tmp_path):
    codec = write_model(
        tmp_path / "codec.h5", "vq", {"channels": 8, "speaker_channels": 4}, speakers=("ann", "bob")
    )
    reader = Reader(folder / "features.h5", Features)
    header: dict[str, Any] = {"provenance": PROVENANCE, "attributes": reader.attributes}
    with Writer(tmp_path / "bob.h5", Features, **header) as writer:
        writer.append(Features(**{**reader["u0"].columns(), "speaker": "bob"}))
        writer.seal(["u0"])
    words = ("--codec", codec, "--jobs", 1)
    run("encode", tmp_path / "bob.h5", *words, "-o", tmp_path / "codes.h5")
    mels = {}
    for name in ("", "ann", "bob"):
        speaker = ("--speaker", name) if name else ()
        run("decode", tmp_path / "codes.h5", *words, *speaker, "-o", tmp_path / f"m{name}.h5")
        mels[name] = Reader(tmp_path / f"m{name}.h5", Mels)["u0"].mel
    np.testing.assert_array_equal(mels[""], mels["bob"])
    assert np.abs(mels["ann"] - mels["bob"]).max() > 1e-3
