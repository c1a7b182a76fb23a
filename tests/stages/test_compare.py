"""`ttskit compare` through the command line, with models that have learnt nothing."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.factory import PROVENANCE, RATE, run, sha, write_corpus, write_model, write_speakers
from ttskit.artifacts import pool
from ttskit.artifacts.kinds import Corpus, Scores, Tokens
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import TtskitError
from ttskit.metrics import judge
from ttskit.metrics.comparison import entries
from ttskit.speaking.stopwatch import SharedStyle, TimedSpeech, peak
from ttskit.speaking.texts import UtteranceText
from ttskit.stages import compare

LINES = ["some fine tunes", "miss kate", "salt on a trail", "no", "a more silent market", "tom"]
TEXTS = {f"u{number}": line for number, line in enumerate(LINES)}
ISTFT = {"channels": 8, "hidden": 8, "layers": 1}
CHAIN = ("duration.h5", "decoder.h5", "istft.h5")
OPTIONS = ("--language", "characters", "--jobs", 1)
GRIFFINLIM, ISTFT_SYSTEM = "decoder+griffinlim", "decoder+istft"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Models, texts.tsv, recordings of these and one more text, and what compare made of them."""
    folder = tmp_path_factory.mktemp("compare")
    write_speakers(folder)
    write_model(folder / "istft.h5", "istft", ISTFT)
    write_model(folder / "other.h5", "istft", ISTFT, n_fft=512)
    (folder / "texts.tsv").write_text("".join(f"{id}\t{line}\n" for id, line in TEXTS.items()))
    with Writer(
        folder / "recorded.h5", Corpus, provenance=PROVENANCE, attributes={"sample_rate": RATE}
    ) as writer:
        for id, text in {**TEXTS, "more": "not asked for"}.items():
            writer.append(Corpus(id=id, speaker="", text=text, audio=np.ones(RATE, "i2")))
        writer.seal([*TEXTS, "more"])
    files = [folder / name for name in ("istft.h5", "texts.tsv", "decoder.h5", "duration.h5")]
    words = ["compare", *files, "griffinlim", "--reference", folder / "recorded.h5"]
    words += ["--measures", "length,rtf", *OPTIONS, "-o", folder / "out"]
    found = run(*words, "--json")
    return folder, words, json.loads(found.stdout)


@pytest.fixture(autouse=True)
def folder(made, monkeypatch):
    monkeypatch.chdir(made[0])
    return made[0]


def corpus(name):
    return Reader(Path(f"out/{name}.h5"), Corpus)


def test_every_chain_speaks_every_text(made):
    assert made[2]["systems"].keys() == {GRIFFINLIM, ISTFT_SYSTEM}
    for name in made[2]["systems"]:
        assert corpus(name).ids == [*TEXTS]
        assert corpus(name).table("text") == LINES
        assert Reader(Path(f"out/{name}.scores.h5"), Scores).ids == [*TEXTS]
    audio = [corpus(name).column("audio") for name in made[2]["systems"]]
    assert len(audio[0]) == len(audio[1])
    assert not np.array_equal(*audio)


def test_the_real_time_factor_is_all_computing_over_all_audio(made):
    for name, told in made[2]["systems"].items():
        spent = corpus(name).column("synthesis_seconds")
        seconds = corpus(name).lengths("sample") / RATE
        assert (spent > 0).all()
        assert told["rtf"]["mean"] == pytest.approx(spent.sum() / seconds.sum())
        scores = Reader(Path(f"out/{name}.scores.h5"), Scores)
        assert scores.column("rtf") == pytest.approx(spent / seconds)


def test_costs_are_those_of_each_system(made):
    counts = {}
    for name, told in made[2]["systems"].items():
        assert told["load_seconds"] == corpus(name).column("load_seconds").max() > 0
        assert 50 < told["peak_megabytes"] < 4000
        counts[name] = told["parameters"] * 1e6
    module = TimedSpeech(CHAIN, SharedStyle("characters", None, "", 0), None).chain.voice.models[
        "vocoder"
    ]
    own = sum(weight.numel() for weight in module.module().parameters())
    assert counts[ISTFT_SYSTEM] - counts[GRIFFINLIM] == pytest.approx(own) != 0


def test_what_is_there_is_kept(made, folder, monkeypatch):
    def never(*_, **__):
        raise AssertionError("spoken again")

    files = {path: sha(path) for path in (folder / "out").iterdir()}
    assert len(files) == 4
    again = folder / "out" / f"{GRIFFINLIM}.scores.h5"
    again.unlink()
    monkeypatch.setattr("ttskit.speaking.stopwatch.TimedSpeech.speak", never)
    monkeypatch.setattr("ttskit.stages.compare.able", never)
    found = run(*made[1], "--json")
    assert {path: sha(path) for path in files} == files
    assert found.stderr.count("up to date") == 3
    assert json.loads(found.stdout) == made[2]


def test_the_table_has_the_numbers_of_the_json(made):
    lines = run(*made[1], "--csv").stdout.splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    assert len(rows) == 2 * (2 + 3)
    for row in rows:
        told = made[2]["systems"][row["system"]][row["measure"]]
        mean = told["mean"] if isinstance(told, dict) else told
        assert row["mean"] == f"{mean:.4g}"
    (best,) = [r["system"] for r in rows if (r["measure"], r["verdict"]) == ("rtf", "best")]
    means = {name: told["rtf"]["mean"] for name, told in made[2]["systems"].items()}
    assert best == min(means, key=means.__getitem__)


def test_scores_are_placed_between_another_sentence_and_the_ceiling(made, folder):
    words = [*made[1][:-1], "rated", "--ceiling", folder / "recorded.h5"]
    words[words.index("length,rtf")] = "mel,length"
    for told in json.loads(run(*words, "--json").stdout)["systems"].values():
        distance = told["mel_distance"]
        assert distance["ceiling"] == distance["floor"] == 0  # recordings that are all alike
        assert distance["words"] == (
            "the recordings through the vocoder are no better than another sentence"
        )
        assert "ceiling" not in told["length_ratio"]


def speak(parts, said, tokens=None, seed=0):
    return TimedSpeech(parts, SharedStyle("characters", None, "", seed), tokens)(said)


def test_chance_follows_from_the_seed_and_the_id_alone():
    one, other = UtteranceText("a", "", LINES[0]), UtteranceText("b", "", LINES[0])
    audio = speak(CHAIN, one).audio
    assert np.array_equal(audio, speak(CHAIN, one).audio)
    assert not np.array_equal(audio, speak(CHAIN, other).audio)
    assert not np.array_equal(audio, speak(CHAIN, one, seed=1).audio)


def test_what_is_not_spoken_is_noted_once(capsys):
    speak(CHAIN, UtteranceText("a", "", "a fine 🙂 tune"))
    assert capsys.readouterr().err.count("a: not spoken: 🙂") == 1


def test_a_text_and_its_tokens_sound_alike(folder):
    run("tokens", "texts.tsv", "--language", "characters", "-o", "own.h5", "-j", 1)
    symbols = Reader(folder / "own.h5", Tokens).table("symbols")
    known = TimedSpeech(CHAIN, SharedStyle("characters", None, "", 0), None).chain.facts.symbols
    with Writer(
        folder / "tokens.h5", Tokens, provenance=PROVENANCE, tables={"symbols": known}
    ) as writer:
        for record in Reader(folder / "own.h5", Tokens).values():
            moved = np.array([known.index(symbols[token]) for token in record.tokens])
            kept = {name: value for name, value in vars(record).items() if name != "tokens"}
            writer.append(Tokens(**kept, tokens=moved))
        writer.seal([*TEXTS])
    tokens = Reader(folder / "tokens.h5", Tokens)
    said = UtteranceText("u2", "", LINES[2])
    assert np.array_equal(speak(CHAIN, said, tokens).audio, speak(CHAIN, said).audio)


def scored(folder, name, **columns):
    tables = {"measures": ["mcd", "plcmos", "length", "rtf", "wer"], "hashes": [*"abcde"],
              "settings": ["{}"] * 5, "libraries": []}  # fmt: skip
    shown = {"mcd_plain": 1.0, "mcd_trimmed": 1.0, "length_ratio": 1.0, "audio_seconds": 1.0}
    shown |= {"wer": 0.5, "cer": 0.5, "words": 4.0, "characters": 20.0}
    numbers = judge.columns(tables["measures"])
    with Writer(
        folder / name, Scores, provenance=PROVENANCE, tables=tables, numbers=numbers
    ) as writer:
        for row in range(20):
            values = {key: values[row] for key, values in columns.items()}
            writer.append(Scores(id=f"u{row}", speaker="", text="x", numbers=shown | values))
        writer.seal([f"u{row}" for row in range(20)])
    return Reader(folder / name, Scores)


def test_the_others_stand_against_the_best(tmp_path):
    rng = np.random.default_rng(0)
    mcd, plcmos, noise = rng.normal(5, 1, 20), rng.normal(4, 0.1, 20), rng.normal(0, 1, 20)
    noise -= noise.mean()
    scores = {
        "bad": scored(tmp_path, "a", mcd=mcd + 0.5, plcmos=plcmos - 1, rtf=np.full(20, 0.5)),
        "good": scored(tmp_path, "b", mcd=mcd, plcmos=plcmos, rtf=np.full(20, 0.11)),
        "like": scored(tmp_path, "c", mcd=mcd + noise + 0.01, plcmos=plcmos - noise - 0.01,
                       rtf=np.full(20, 0.1)),
    }  # fmt: skip
    found: dict[str, dict[str, str]] = {}
    for entry in entries(scores):
        verdict = entry.row.verdict if entry.row.against else "best" if entry.best else ""
        found.setdefault(entry.row.name, {})[entry.system] = verdict
    told = {"good": "best", "like": "no real difference", "bad": "worse"}
    assert found["mcd"] == found["plcmos"] == told
    assert [*found["mcd"]] == [*told]
    # the same system swings by a tenth when it is timed again
    assert found["rtf"] == {"like": "best", "good": "no real difference", "bad": "worse"}
    assert found["length_ratio"] == dict.fromkeys(scores, "")
    assert {"wer", "cer"} < found.keys()
    assert not {"words", "characters"} & found.keys()


def test_one_system_is_not_called_the_best(tmp_path):
    columns = {name: np.ones(20) for name in ("mcd", "plcmos", "rtf")}
    one = {"alone": scored(tmp_path, "a", **columns)}
    assert not any(entry.best for entry in entries(one))


def process(_):
    return os.getpid(), peak()


def test_apart_is_another_process_whose_memory_is_its_own():
    held = np.ones(40 << 20)  # 320 MB
    ((_, result),) = pool.each(process, [("a", None)], 1, apart=True)
    assert not isinstance(result, pool.Bad)
    number, found = result
    assert number != os.getpid()
    assert 5e6 < found < peak() - 0.5 * held.nbytes


def test_a_grid_is_named_by_what_differs():
    roles = {"x/d.h5": "duration", "g.h5": "decoder", "v.h5": "vocoder", "w.h5": "vocoder"}
    assert compare.grid(roles, ["duration", "decoder", "vocoder"]) == {
        "g+v": ("x/d.h5", "g.h5", "v.h5"), "g+w": ("x/d.h5", "g.h5", "w.h5"),
    }  # fmt: skip
    roles |= {"e.h5": "duration", "voice.h5": "voice"}
    assert [*compare.grid(roles, ["duration", "decoder", "vocoder"])] == [
        "voice",
        "d+g+v",
        "d+g+w",
        "e+g+v",
        "e+g+w",
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("texts.tsv", *CHAIN[:2], "other.h5"), "other.h5: has n_fft 512, decoder.h5 has 1024"),
        ((*CHAIN,), "takes one list of texts, or Tokens; there is none"),
        (("texts.tsv", "more.tsv", *CHAIN), "there is texts.tsv, more.tsv"),
        (("texts.tsv", *CHAIN[:2]), "add a vocoder; there is"),
        (("texts.tsv",), "compare takes Voices, or models that make chains: there is none"),
        (("texts.tsv", "none.h5"), "none.h5: no such file"),
        (("texts.tsv", *CHAIN[:2], "sourse"), "sourse: no such file; nearest name: source"),
        (("texts.tsv", "kathlen"), "kathlen: no such file; nearest name: kathleen"),
        (("texts.tsv", "cut.h5"), "cut.h5: is cut short"),
        (("texts.tsv", "scores.h5"), "scores.h5: is scores, needs texts, a voice"),
        (("texts.tsv", *CHAIN, "sub/istft.h5"), "another system is called decoder.istft too"),
        (("texts.tsv", *CHAIN, "--reference", "few.h5"), "few.h5: has no utterance u0"),
        (("more.tsv", *CHAIN, "--reference", "recorded.h5"), "u0: says 'some fine tunes', more"),
        (("texts.tsv", *CHAIN, "--measures", "mcd"), "mcd needs two Corpora"),
        (("texts.tsv", *CHAIN, "--measures", "mdc"), "no measure 'mdc'"),
        (("texts.tsv", *CHAIN, "--speaker", "bob"), "no speaker 'bob'"),
        (("texts.tsv", *CHAIN, "--language", "de"), "decoder.h5 was trained on characters; leave"),
        (("texts.tsv", *CHAIN, "-o", "few.h5"), "few.h5: is no folder"),
        (("tokens-of-others.h5", *CHAIN), "tokens-of-others.h5: has other symbols than decoder"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line_before_any_work(folder, words, reason):
    (folder / "more.tsv").write_text("u0\tmore\n")
    (folder / "sub").mkdir(exist_ok=True)
    if not (folder / "few.h5").exists():
        (folder / "sub/istft.h5").write_bytes((folder / "istft.h5").read_bytes())
        (folder / "cut.h5").write_bytes((folder / "istft.h5").read_bytes()[:3000])
        (folder / "scores.h5").write_bytes(
            (folder / "out" / f"{ISTFT_SYSTEM}.scores.h5").read_bytes()
        )
        write_corpus(folder / "few.h5", range(2))
        run("tokens", "texts.tsv", "--language", "characters", "-o", "tokens-of-others.h5", "-j", 1)
    options = () if "--language" in words else OPTIONS
    with pytest.raises(TtskitError, match=reason) as error:
        run("compare", *words, *options)
    assert "\n" not in str(error.value)


def test_speech_that_was_not_timed_has_no_real_time_factor():
    with pytest.raises(TtskitError, match="rtf needs a Corpus that `ttskit compare` has made"):
        run("evaluate", "recorded.h5", "--measures", "rtf")


def test_an_extra_that_is_missing_is_named(monkeypatch, capsys):
    assert compare.measures_of((), reference=False)[-1] == "rtf"
    monkeypatch.setattr("ttskit.metrics.measure.find_spec", lambda _: None)
    capsys.readouterr()
    assert compare.measures_of((), reference=False) == ["rtf"]
    assert (
        "without wer, wer_base, plcmos, distillmos: they need pip install 'ttskit[eval]'"
        in capsys.readouterr().err
    )
    assert "mcd" in compare.measures_of((), reference=True)
