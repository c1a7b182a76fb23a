"""What users of Piper, espeak and Kokoro type first, as docs/say.md lists it."""

import re
import shlex
from pathlib import Path

import pytest

from tests.factory import answer

PAGE = Path(__file__).parents[2] / "docs/say.md"
ROW = re.compile(r"\| (?:Piper|espeak|Kokoro) \| `(.+)` \| (?:`(.+)`|spoken) \|")
TYPED = ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_all_three_have_some():
    assert len(TYPED) >= 10


@pytest.mark.parametrize(("typed", "answered"), TYPED)
def test_what_they_type_is_answered(typed, answered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("hello.txt").write_text("Hello there.")
    done = answer(*shlex.split(typed)[1:], stdin=b"")
    assert answered in done.stderr.decode()
    if not answered:
        assert done.returncode == 0
        assert Path("hello.wav").stat().st_size > 10_000
