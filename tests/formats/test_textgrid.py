"""TextGrids: what is written is what Praat reads, and what Praat cannot read is an error."""

import parselmouth
import pytest

from ttskit.errors import TtskitError
from ttskit.formats import textgrid
from ttskit.formats.timeline import Interval


def test_labels_survive_praat(tmp_path):
    labels = ['say "x"', r"\sw{}", "ə~ʃ d͡ʒ", "日本", "<&>"]
    intervals = [Interval(n, n + 1, label, n) for n, label in enumerate(labels)]
    path = tmp_path / "~ö 'x.TextGrid"
    path.write_text(textgrid.text({"phones": intervals}, len(labels)), encoding="utf-8")
    assert [one.label for one in textgrid.read(path)["phones"]] == labels


def test_a_file_that_is_not_a_textgrid_is_an_error(tmp_path):
    path = tmp_path / "x.TextGrid"
    whole = textgrid.text({"phones": [Interval(0.0, 1.0, "a", 0)]}, 1.0).encode()
    pitch = b'File type = "ooTextFile"\nObject class = "PitchTier"\n\n0\n1\n0\n'
    for contents in (b"", b"hello", whole[: len(whole) // 2], pitch, b"\x89HDF\r\n" + bytes(600)):
        path.write_bytes(contents)
        with pytest.raises(TtskitError, match=r"Praat cannot read it|needs a TextGrid") as error:
            textgrid.read(path)
        assert "\n" not in str(error.value)


def test_only_interval_tiers_are_read(tmp_path):
    path = tmp_path / "x.TextGrid"
    parselmouth.TextGrid(0.0, 1.0, ["phones", "events"], ["events"]).save(str(path))
    assert textgrid.read(path) == {"phones": [(0.0, 1.0, "", 1)]}
