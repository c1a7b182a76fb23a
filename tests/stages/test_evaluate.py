"""`ttskit evaluate` through the command line."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from tests.factory import (
    PROVENANCE,
    SYMBOLS,
    alignment_record,
    answer,
    run,
    sha,
    write_alignment,
)
from tests.metrics.signals import RATE, noisy, speech
from ttskit.artifacts.kinds import Corpus, Scores
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.dsp.samples import resample
from ttskit.errors import ArtifactError, TtskitError
from ttskit.metrics import registry
from ttskit.metrics.judge import columns
from ttskit.metrics.registry import MEASURES

FAST = ("--measures", "mcd,loudness,length", "--jobs", 1)
CLIPS = 6


def write(path, sounds, rate=RATE, texts=None, skipped=None):
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": rate}) as writer:
        for id, audio in sounds.items():
            coded = np.clip(np.rint(audio * 32768), -32768, 32767).astype(np.int16)
            text = (texts or {}).get(id, f"text {id}")
            writer.append(Corpus(id=id, speaker="ann", text=text, audio=coded))
        writer.seal(list(sounds), skipped)
    return path


@pytest.fixture(scope="module")
def sounds():
    return {f"u{seed}": speech(seed)[: RATE // 2 + 500 * seed] for seed in range(CLIPS)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sounds):
    """ref.h5, its copy with little noise, and its copy with much."""
    folder = tmp_path_factory.mktemp("evaluate")
    write(folder / "ref.h5", sounds)
    for name, snr in (("good", 30), ("bad", 15)):
        write(folder / f"{name}.h5", {id: noisy(audio, snr) for id, audio in sounds.items()})
    run("evaluate", folder / "ref.h5", folder / "good.h5", *FAST, "-o", folder / "good-scores.h5")
    run("evaluate", folder / "ref.h5", folder / "bad.h5", *FAST, "-o", folder / "bad-scores.h5")
    return folder


def evaluated(*words):
    return json.loads(run("evaluate", *words, "--json").stdout)


def test_utterances_beyond_the_limit_are_not_required(folder, sounds, tmp_path):
    write(tmp_path / "some.h5", dict(list(sounds.items())[:3]))
    both = folder / "ref.h5", tmp_path / "some.h5"
    assert evaluated(*both, "--limit", 2, *FAST)["utterances"] == 2
    with pytest.raises(TtskitError, match="1 of 4 utterances are bad"):
        run("evaluate", *both, "--limit", 4, *FAST)


def test_scores_that_are_only_printed_have_no_file(folder):
    words = ("evaluate", folder / "ref.h5", folder / "bad.h5", *FAST, "--limit", 1, "-j", 1)
    assert answer(*words).stderr == b"scores: 1 utterance\n"


def test_a_corpus_scores_best_against_itself(folder):
    found = evaluated(folder / "ref.h5", folder / "ref.h5", "--f0", "praat", "--jobs", 1)
    assert found.pop("utterances") == CLIPS
    scores = [
        name for one in MEASURES.values() if one.needs in ("path", "pair") for name in one.scores
    ]
    assert found.keys() == set(scores) - {"stoi", "estoi"}
    assert found.pop("f0_median")["mean"] > 100
    assert found.pop("f0_deviation")["mean"] > 25  # cents
    for name, one in found.items():
        best = 1 if name in ("length_ratio", "f0_correlation", "f0_deviation_ratio") else 0
        assert [one["mean"], one["low"], one["high"]] == pytest.approx([best] * 3, abs=1e-12)
        assert len(one["hash"]) == 8


def test_columns_have_the_units_of_their_measures(folder):
    reader = Reader(folder / "good-scores.h5", Scores)
    for spec in reader.columns[3:]:
        assert spec.metadata["unit"] == registry.scores()[spec.name].unit
    assert [spec.name for spec in reader.columns][3:] == [
        "mcd", "mcd_plain", "mcd_trimmed", "loudness_error", "loudness_bias", "length_ratio",
    ]  # fmt: skip


def test_scores_are_an_artifact_like_others(folder):
    path = folder / "good-scores.h5"
    assert run("verify", path).exit_code == 0
    described = json.loads(run("info", path, "--json").stdout)
    assert (described["kind"], described["utterances"]) == ("scores", CLIPS)
    assert described["tables"]["measures"] == 3
    page = run("info", path).stdout
    hash = evaluated(path)["mcd"]["hash"]
    assert f"  mcd            {hash}  " in page
    assert '"n_fft": 1024' in page
    assert "libraries      numpy 2." in page
    lines = run("cat", path, "--fields", "id,mcd").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [f"u{seed}" for seed in range(CLIPS)]


def test_the_table_is_that_of_the_scores_in_every_form(folder):
    path = folder / "good-scores.h5"
    found = evaluated(path)
    mean = f"{found['mcd']['mean']:.4g}"
    assert found["mcd"]["mean"] == pytest.approx(Reader(path, Scores).column("mcd").mean())
    plain = [line.split() for line in run("evaluate", path).stdout.splitlines()]
    assert ["mcd", found["mcd"]["hash"], "dB", mean] in [line[:4] for line in plain]
    csv = [line.split(",") for line in run("evaluate", path, "--csv").stdout.splitlines()]
    assert csv[0][:4] == ["measure", "hash", "unit", "mean"]
    assert csv[1] == [
        "mcd", found["mcd"]["hash"], "dB", mean,
        *(f"{found['mcd'][name]:.4g}" for name in ("low", "high", "median")), str(CLIPS),
    ]  # fmt: skip
    markdown = run("evaluate", path, "--markdown").stdout.splitlines()
    assert markdown[1].startswith("| --- | --- |")
    assert f"| {mean} |" in markdown[2]


def test_a_real_difference_is_called_real(folder):
    found = evaluated(folder / "good-scores.h5", "--against", folder / "bad-scores.h5")
    assert found["mcd"]["difference"]["verdict"] == "better"
    assert found["mcd"]["difference"]["high"] < 0
    found = evaluated(folder / "bad-scores.h5", "--against", folder / "good-scores.h5")
    assert found["mcd"]["difference"]["verdict"] == "worse"
    assert found["loudness_bias"]["difference"]["verdict"] == "higher"
    assert found["length_ratio"]["difference"]["verdict"] == "no real difference"
    table = run("evaluate", folder / "bad-scores.h5", "--against", folder / "good-scores.h5").stdout
    assert "worse" in table


def test_a_difference_from_nan_is_unknown(tmp_path):
    def written(name, value):
        tables = {"measures": ["rtf"], "hashes": ["h"], "settings": ["{}"], "libraries": []}
        path = tmp_path / name
        numbers = columns(["rtf"])
        with Writer(path, Scores, provenance=PROVENANCE, tables=tables, numbers=numbers) as writer:
            for id in "abc":
                scores = {"rtf": value, "audio_seconds": 1.0}
                writer.append(Scores(id=id, speaker="", text="", numbers=scores))
            writer.seal(list("abc"))
        return path

    words = (written("known.h5", 0.5), "--against", written("lacking.h5", np.nan))
    (row, *_) = csv.DictReader(run("evaluate", *words, "--csv").stdout.splitlines())
    assert (row["mean"], row["difference"], row["verdict"]) == ("0.5", "", "unknown")


def test_scores_with_other_settings_are_not_compared(folder, tmp_path):
    other = tmp_path / "plain.h5"
    words = (folder / "ref.h5", folder / "bad.h5", *FAST, "--timing", "plain", "-o", other)
    run("evaluate", *words)
    with pytest.raises(ArtifactError, match="its loudness was measured otherwise"):
        run("evaluate", folder / "good-scores.h5", "--against", other)


def test_utterances_that_cannot_be_joined_are_named_and_skipped_on_request(
    folder, sounds, tmp_path
):
    few = {id: sounds[id] for id in ("u0", "u1", "u2")} | {"extra": sounds["u3"]}
    write(tmp_path / "few.h5", few, texts={"u2": "another"}, skipped={"u5": "too long"})
    words = ("evaluate", folder / "ref.h5", tmp_path / "few.h5", *FAST, "-o", tmp_path / "x.h5")
    with pytest.raises(TtskitError, match="4 of 6 utterances are bad"):
        run(*words)
    assert run(*words, "--skip-bad").exit_code == 0
    scores = Reader(tmp_path / "x.h5", Scores)
    assert scores.ids == ["u0", "u1"]
    assert scores.skipped["u5"] == "too long"
    assert scores.skipped["extra"] == f"is not in {folder / 'ref.h5'}"
    assert scores.skipped["u2"].startswith("has another text: ")


def test_a_higher_sample_rate_is_resampled_with_a_note(folder, sounds, tmp_path):
    high = {id: resample(sounds[id], RATE, 44100) for id in sounds}
    write(tmp_path / "high.h5", high, 44100)
    result = run("evaluate", folder / "ref.h5", tmp_path / "high.h5", *FAST, "--csv")
    assert "resampled from 44100 to 22050 Hz" in result.stderr
    mcd = next(line for line in result.stdout.splitlines() if line.startswith("mcd,"))
    assert float(mcd.split(",")[3]) < 1
    same = evaluated(folder / "good-scores.h5")["mcd"]["hash"]
    assert mcd.split(",")[1] == same


def test_the_bytes_do_not_depend_on_jobs(folder, tmp_path):
    words = ("evaluate", folder / "ref.h5", folder / "good.h5", *FAST[:2], "--jobs", 2)
    run(*words, "-o", tmp_path / "x.h5")
    assert sha(tmp_path / "x.h5") == sha(folder / "good-scores.h5")


def test_an_evaluation_is_resumed(folder, sounds, tmp_path):
    words = ("evaluate", folder / "ref.h5", tmp_path / "syn.h5", *FAST, "-o", tmp_path / "x.h5")
    write(tmp_path / "syn.h5", sounds | {"u3": np.zeros(0)})
    with pytest.raises(TtskitError, match="1 of 6 utterances are bad"):
        run(*words)
    assert "going on: 5 are there already" in run(*words, "--skip-bad").stderr
    assert "up to date" in run(*words).stderr


def test_a_dry_run_measures_nothing(folder, tmp_path):
    words = ("evaluate", folder / "ref.h5", folder / "good.h5", *FAST, "-o", tmp_path / "x.h5")
    result = run(*words, "--dry-run")
    assert "would be made of 6 utterances" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "x.h5").exists()


def test_alignments_are_compared_token_by_token(tmp_path):
    record = alignment_record()
    durations = record.durations.copy()
    durations[[1, 2]] += (2, -2)
    write_alignment(tmp_path / "a.h5", record)
    write_alignment(tmp_path / "b.h5", replace(record, durations=durations))
    found = evaluated(tmp_path / "a.h5", tmp_path / "b.h5", "--jobs", 1)
    frame = 1000 * 256 / 16000
    assert found["duration_error"]["mean"] == pytest.approx(4 * frame / 7)
    assert found["boundary_mean"]["mean"] == pytest.approx(2 * frame / (len(SYMBOLS) + 2))
    assert found["speech_rate"]["mean"] == 1
    write_alignment(tmp_path / "b.h5", replace(record, tokens=np.roll(record.tokens, 1)))
    with pytest.raises(TtskitError, match="1 of 1 utterances are bad"):
        run("evaluate", tmp_path / "a.h5", tmp_path / "b.h5", "--jobs", 1)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("ref.h5",), "say by --measures which"),
        (("ref.h5", "--measures", "mcd"), "needs two Corpora"),
        (("ref.h5", "good.h5", "--measures", "duration"), "needs two Alignments"),
        (("ref.h5", "good.h5", "--measures", "mdc"), "no measure 'mdc'"),
        (("ref.h5", "good.h5", "bad.h5"), "3 corpora and 0 alignments"),
        (("ref.h5", "good-scores.h5"), "is scores, needs corpus, alignment"),
        (("good-scores.h5", "--json", "--csv"), "one of them"),
    ],
)
def test_inputs_that_do_not_fit_the_measures_are_refused_in_one_line(folder, words, reason):
    words = [folder / word if word.endswith(".h5") else word for word in words]
    with pytest.raises(TtskitError, match=reason):
        run("evaluate", *words)


def test_a_missing_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr("ttskit.metrics.measure.find_spec", lambda _: None)
    with pytest.raises(TtskitError, match=r"wer needs pip install 'ttskit\[eval\]'"):
        run("evaluate", folder / "ref.h5", "--measures", "wer")


@pytest.mark.corpora
def test_recordings_have_low_error_rates_and_high_opinion_scores(corpora, tmp_path):
    pytest.importorskip("faster_whisper")
    pytest.importorskip("speechmos")
    run("corpus", corpora / "LJSpeech-1.1", "--limit", 6, "-o", tmp_path / "lj.h5", "--jobs", 1)
    found = evaluated(tmp_path / "lj.h5", "--measures", "wer,plcmos", "--jobs", 1)
    assert found["wer"]["mean"] < 0.15
    assert found["plcmos"]["mean"] > 4
