"""The registry of measures: a new measure is one file and one line."""

import json
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from tests.factory import PROVENANCE, run
from ttskit.artifacts.kinds import Corpus, Scores
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import Number
from ttskit.artifacts.writer import Writer
from ttskit.errors import ArtifactError
from ttskit.metrics.registry import MEASURES

FILE = '''"""Zero crossings: how many times as often the synthesised speech changes its sign."""

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score

SCORES = {
    "crossings_ratio": Score("ratio", "", weight="crossings"),
    "crossings": Score("count", ""),
}


def evaluate(pair, _):
    counts = [(np.diff(np.sign(s.audio)) != 0).sum() for s in (pair.reference, pair.synthesised)]
    return {"crossings_ratio": counts[1] / counts[0], "crossings": counts[0]}


MEASURE = Measure("crossings", "pair", SCORES, evaluate)
'''
RATE = 8000


@pytest.fixture
def crossings(tmp_path, monkeypatch):
    path = tmp_path / "crossings.py"
    path.write_text(FILE)
    spec = spec_from_file_location("crossings", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(MEASURES, "crossings", module.MEASURE)


def write_tones(path, hertz):
    time = np.arange(RATE) / RATE
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": RATE}) as writer:
        for seed in range(2):
            audio = (9000 * np.sin(2 * np.pi * hertz * time + 0.5 + seed)).astype("i2")
            writer.append(Corpus(id=f"u{seed}", speaker="", text="x", audio=audio))
        writer.seal(["u0", "u1"])
    return path


def write_numbers(path, numbers, **values):
    tables = {"measures": ["mcd"], "hashes": ["h"], "settings": ["{}"], "libraries": []}
    with Writer(path, Scores, provenance=PROVENANCE, tables=tables, numbers=numbers) as writer:
        writer.append(Scores(id="a", speaker="", text="x", numbers=values))
        writer.seal(["a"])
    return path


@pytest.mark.usefixtures("crossings")
def test_a_new_measure_is_one_file_and_one_line(tmp_path):
    low, high = write_tones(tmp_path / "low.h5", 100), write_tones(tmp_path / "high.h5", 300)
    scores = tmp_path / "scores.h5"
    words = ("--measures", "crossings,length", "--jobs", 1, "-o", scores, "--json")
    printed = json.loads(run("evaluate", low, high, *words).stdout)
    assert printed["crossings_ratio"]["mean"] == pytest.approx(3, rel=0.01)
    reader = Reader(scores, Scores)
    assert reader.column("crossings").tolist() == pytest.approx([200, 200], abs=1)
    assert [*reader.numbers] == ["length_ratio", "crossings_ratio", "crossings"]
    assert reader.numbers["crossings"] == Number("count", least=0)
    assert run("verify", scores).exit_code == 0
    standing = json.loads(run("why", "u0", scores, "--json").stdout)["artifacts"][0]["scores"]
    assert "crossings_ratio" in [one["number"] for one in standing]
    run("report", low, high, scores, "-o", tmp_path / "page.html")
    assert "crossings_ratio" in (tmp_path / "page.html").read_text()


def test_a_measure_without_its_columns_is_refused_and_others_are_read(tmp_path):
    scores = write_numbers(tmp_path / "x.h5", {"sharpness": Number("acum")}, sharpness=1.5)
    assert run("cat", scores, "--fields", "id,sharpness").stdout == "a\t1.5\n"
    with pytest.raises(ArtifactError, match="has no columns of the measure mcd"):
        run("evaluate", scores)


def test_numbers_without_bounds_are_read_as_scores_always_were(tmp_path):
    columns = {name: Number("dB") for name in ("mcd", "mcd_plain", "mcd_trimmed")}
    scores = write_numbers(tmp_path / "x.h5", columns, mcd=3.0, mcd_plain=4.0, mcd_trimmed=np.nan)
    assert json.loads(run("evaluate", scores, "--json").stdout)["mcd"]["mean"] == 3
    assert run("verify", scores).exit_code == 0


def test_verify_knows_the_bounds_that_a_file_declares(tmp_path):
    scores = write_numbers(tmp_path / "x.h5", {"mcd": Number("dB", least=0)}, mcd=-1.0)
    result = run("verify", scores)
    assert result.exit_code == 1
    assert "a: mcd is -1.0, needs a number from 0.0 to" in result.stderr


def test_bounds_survive_select(tmp_path):
    scores = write_numbers(tmp_path / "x.h5", {"mcd": Number("dB", least=0)}, mcd=1.0)
    run("select", scores, "-o", tmp_path / "y.h5")
    assert Reader(tmp_path / "y.h5", Scores).numbers == {"mcd": Number("dB", least=0)}


def test_a_number_that_is_not_declared_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="a: lsd is not declared"):
        write_numbers(tmp_path / "x.h5", {"mcd": Number("dB")}, mcd=1.0, lsd=2.0)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)
def test_a_measure_declares_all_that_it_is_weighed_by(measure):
    weights = {score.weight for score in measure.scores.values()} - {""}
    assert weights <= measure.scores.keys()


def test_no_two_measures_have_a_score_of_one_name():
    names = [name for measure in MEASURES.values() for name in measure.scores]
    assert len(names) == len(set(names))


def test_the_page_of_evaluate_names_every_score():
    page = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")
    names = {name for one in MEASURES.values() for name in (one.name, *one.scores)}
    assert names <= set(re.findall(r"`(\w+)`", page))
