"""`analyze`: what a training did, as text, JSON and a page."""

import json

import pytest
from typer.testing import CliRunner

from tests.training.test_analysis import falling, log
from ttskit.cli import app
from ttskit.errors import TtskitError


@pytest.fixture
def run(tmp_path):
    """A model beside the folder of a training that over-fits."""
    folder = tmp_path / "model.h5.run"
    folder.mkdir()
    rows = log(falling(60), [5, 3, 2, 3, 4, 5], **{"loss/mel": 2.0, "loss/pitch": 1.0})
    rows.append({"step": 60, "watch/accuracy/1": 0.5})
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "resolved.toml").write_text("[training]\nclip_norm = 0.5\n")
    (tmp_path / "model.h5").write_bytes(b"")
    return tmp_path / "model.h5"


def invoke(*words):
    return CliRunner().invoke(app, ["analyze", *map(str, words)], catch_exceptions=False)


def test_a_model_and_its_run_folder_say_the_same(run):
    texts = {invoke(path).output for path in (run, run.with_name("model.h5.run"))}
    (text,) = texts
    assert "2 after 30" in text
    assert "of the loss: mel" in text
    assert "over-fitting: the validation loss has risen" in text


def test_json_has_every_field(run):
    result = json.loads(invoke(run, "--json").output)
    assert (result["best_update"], result["clipped"]) == (30, 1.0)
    assert result["components"] == {"mel": pytest.approx(2 / 3), "pitch": pytest.approx(1 / 3)}


def test_the_page_has_every_fact_and_a_chart_of_each_name(run, tmp_path):
    invoke(run, "--page", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "over-fitting: the validation loss has risen" in page
    for name in ("total", "components", "accuracy", "learning_rate", "efficiency"):
        assert f'alt="{name}"' in page
    assert page.count("data:image/png;base64,") == 5


def test_a_model_without_its_run_folder_is_refused(tmp_path):
    (tmp_path / "model.h5").write_bytes(b"")
    with pytest.raises(TtskitError, match=r"model\.h5: no log\.jsonl in it nor in model\.h5\.run"):
        invoke(tmp_path / "model.h5")
    with pytest.raises(TtskitError, match="no such file"):
        invoke(tmp_path / "other.h5")
