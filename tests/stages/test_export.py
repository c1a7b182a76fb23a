"""`ttskit export` of an Alignment: every time is a frame edge, whatever the format."""

import dataclasses
import json
import math

import numpy as np
import pytest

from tests.factory import PROVENANCE, alignment_record, run, write_alignment
from ttskit.artifacts.kinds import Scores
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import TtskitError
from ttskit.formats import textgrid
from ttskit.metrics.judge import columns
from ttskit.metrics.registry import MEASURES

STEP = 256 / 16000
WORDS = [(10, 34, "hello"), (54, 69, "oh"), (69, 93, "lo")]  # frames


@pytest.fixture
def alignment(tmp_path):
    return write_alignment(tmp_path / "alignment.h5", alignment_record())


def test_a_textgrid_has_the_words_and_the_phones(alignment, tmp_path):
    assert run("export", alignment, "-f", "textgrid", "-o", tmp_path / "out").exit_code == 0
    tiers = textgrid.read(tmp_path / "out" / "a.TextGrid")
    words = [(one.start, one.stop, one.label) for one in tiers["words"]]
    edges = np.array([0, 10, 34, 54, 69, 93, 100]) * STEP
    labels = ["", "hello", "", "oh", "lo", ""]
    assert words == list(zip(edges[:-1], edges[1:], labels, strict=True))
    phones = [one.label for one in tiers["phones"]]
    assert phones == ["<begin>", *"həl", "ˈoʊ", "#", "ˈoʊ", "l", "ˈoʊ", "<end>"]
    assert tiers["phones"][1].start == 10 * STEP


def test_ctm_is_one_file_for_all(tmp_path):
    path = write_alignment(tmp_path / "x.h5", alignment_record("a"), alignment_record("b"))
    expected = [
        f"{id} 1 {start * STEP:.3f} {(stop - start) * STEP:.3f} {label}"
        for id in "ab"
        for start, stop, label in WORDS
    ]
    assert run("export", path, "--format", "ctm").stdout.splitlines() == expected
    assert run("export", path, "-o", tmp_path / "all.ctm").exit_code == 0
    assert (tmp_path / "all.ctm").read_text(encoding="utf-8").splitlines() == expected


def test_json_has_all_fields(alignment, tmp_path):
    assert run("export", alignment, "-o", tmp_path / "a.json").exit_code == 0
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (content["id"], content["seconds"], content["score"]) == ("a", 1.6, -45)
    assert content["words"][0] == {"start": 0.16, "stop": 0.544, "word": "hello", "span": [1, 6]}
    assert [phone["word"] for phone in content["phones"]] == [None, *[0] * 4, None, 1, 2, 2, None]
    assert content["phones"][1]["score"] == pytest.approx(-50 + 10 / 11, abs=1e-3)


def test_subtitles_hold_the_original_text(alignment):
    srt = run("export", alignment, "-f", "srt").stdout
    assert srt == (
        "1\n00:00:00,160 --> 00:00:00,544\n“Hello,\n\n2\n00:00:00,864 --> 00:00:01,488\nOh <lo>!”\n"
    )
    vtt = run("export", alignment, "-f", "vtt").stdout
    assert vtt.startswith("WEBVTT\n\n00:00:00.160 --> 00:00:00.544\n“Hello,\n")
    assert "\nOh &lt;lo&gt;!”\n" in vtt


def test_audacity_takes_the_tier_that_is_asked_for(alignment):
    lines = run("export", alignment, "-f", "audacity").stdout.splitlines()
    assert lines == [f"{a * STEP:.6f}\t{b * STEP:.6f}\t{word}" for a, b, word in WORDS]
    phones = run("export", alignment, "-f", "audacity", "--tier", "phones").stdout
    assert phones.count("\n") == 10


def test_the_columns_of_a_corpus_are_read_once(corpus, tmp_path, monkeypatch):
    """Once an utterance would take hours of a large corpus."""
    read, table = [], Reader.table

    def recorded(self, name):
        read.append(name)
        return table(self, name)

    monkeypatch.setattr(Reader, "table", recorded)
    assert run("export", corpus, "-f", "wav", "-o", tmp_path / "out").exit_code == 0
    assert sorted(name for name in read if name != "id") == ["speaker", "text"]


def write_scores(path, measures, numbers, heard=None):
    """Write Scores: the numbers of each id by name."""
    tables = {"measures": measures, "hashes": [""] * len(measures)}
    tables |= {"settings": ["{}"] * len(measures), "libraries": []}
    with Writer(
        path, Scores, provenance=PROVENANCE, tables=tables, numbers=columns(measures)
    ) as writer:
        for id, values in numbers.items():
            writer.append(Scores(id=id, speaker="", text="x", numbers=values, heard=heard))
        writer.seal([*numbers])
    return path


def test_scores_are_lines_of_json_with_the_names_of_versa(tmp_path):
    names = [name for measure in ("f0", "rtf") for name in MEASURES[measure].scores]
    first = {name: 0.5 + place for place, name in enumerate(names)}
    numbers = {"a": first, "b": first | {"f0_rmse": math.nan}}
    path = write_scores(tmp_path / "scores.h5", ["f0", "rtf"], numbers, heard="é one")
    others: dict[str, float | str] = {
        name: first[name] for name in names if name not in ("f0_rmse", "f0_correlation")
    }
    others |= {"f0_corr": first["f0_correlation"], "whisper_hyp_text": "é one"}
    expected = [
        {"key": "a", **others, "f0_rmse_cents": first["f0_rmse"]},
        {"key": "b", **others},
    ]
    printed = run("export", path, "-f", "versa").stdout
    assert [json.loads(line) for line in printed.splitlines()] == expected
    assert run("export", path, "-f", "versa", "-o", tmp_path / "s.jsonl").exit_code == 0
    assert (tmp_path / "s.jsonl").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a.h5"], "a.h5: say how with --format; for alignment there is textgrid, ctm, json"),
        (["a.h5", "-f", "wav"], "a.h5: no export format 'wav'; for alignment there is"),
        (
            ["corpus.h5", "-o", "x.srt"],
            "corpus.h5: no export format 'srt'; for corpus there is wav",
        ),
        (["a.h5", "-o", "x.srt"], "a.h5: has 2 utterances, one srt file holds one: name a folder"),
        (["a.h5", "-f", "ctm"], "a.h5: b c: 'b c' has a space, which CTM cannot hold"),
        (["a.h5", "-f", "json", "--tier", "words"], "--tier 'words': json takes none"),
        (["scores.h5"], "scores.h5: say how with --format; for scores there is versa"),
        (["scores.h5", "-f", "versa", "--tier", "words"], "--tier 'words': versa takes none"),
        (["a.h5", "corpus.h5"], "export takes one artifact, not two"),
        (["corpus.h5", "-f", "wav", "-o", "-"], "wav needs a folder, not standard output"),
        (["none.h5"], "none.h5: no such file"),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_errors_say_what_would_be_right(tmp_path, monkeypatch, words, says):
    write_alignment(tmp_path / "a.h5", alignment_record("a"), alignment_record("b c"))
    write_scores(tmp_path / "scores.h5", ["rtf"], {"a": {"rtf": 0.5, "audio_seconds": 1.0}})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TtskitError) as error:
        run("export", *words)
    assert says in str(error.value)


def test_an_utterance_without_frames_is_named(tmp_path):
    record = dataclasses.replace(alignment_record(), durations=np.zeros(12, int))
    write_alignment(tmp_path / "x.h5", record)
    with pytest.raises(TtskitError, match=r"x\.h5: a: has no frames"):
        run("export", tmp_path / "x.h5", "-o", tmp_path / "a.TextGrid")


@pytest.mark.parametrize("column", ["tokens", "token_word", "durations"])
@pytest.mark.parametrize("verb", [["export", "-f", "ctm"], ["doctor"], ["plot"]])
def test_inputs_that_do_not_exist_are_named(tmp_path, verb, column):
    record = alignment_record()
    values = getattr(record, column).copy()
    values[3] = -1 if column == "durations" else 9
    bad = dataclasses.replace(record, id="b", **{column: values})
    path = write_alignment(tmp_path / "x.h5", record, bad)
    with pytest.raises(TtskitError, match=rf"x\.h5: (b: )?{column} holds -?\d"):
        run(*verb, path)
    assert run("verify", path).exit_code == 1
