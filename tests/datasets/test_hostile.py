import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ttskit.datasets import digest, understand
from ttskit.errors import TtskitError

TEXTS = st.text(st.characters() | st.sampled_from('ab|,;\t\n\r"/.{}[]'), max_size=60)
TIMES = st.none() | st.floats() | st.integers() | st.text(max_size=2) | st.booleans()
NAMES = st.sampled_from(
    ["words", "word", "text", "start", "end", "segments", "alignment", "characters"]
    + [f"character_{edge}_times_seconds" for edge in ("start", "end")]
)
VALUES = st.recursive(
    TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
BYTES = st.one_of(
    st.binary(max_size=60),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: ("audio,text,id\na.wav," + text).encode("utf-8", "surrogatepass")),
    VALUES.map(lambda value: json.dumps(value).encode()),
)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("metadata.csv", "ljspeech"),
        ("a.txt", "pairs"),
        ("etc/txt.done.data", "pairs"),
        ("a.csv", "manifest"),
        ("a.tsv", "manifest"),
        ("a.jsonl", "manifest"),
        ("a.json", "recording"),
    ],
)
def test_any_file_is_read_or_refused_in_one_line(tmp_path, tone, name, format):
    tone(tmp_path / "a.wav", seconds=1)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(BYTES)
    def check(content):
        path.write_bytes(content)
        for asked in (format, None):
            said = []
            try:
                found = understand(tmp_path, asked)
            except TtskitError as error:
                said = [str(error)]
            else:
                digest(found)
                said = [*found.notes, *(word for pair in found.bad for word in pair)]
                assert found.clips or found.bad
            assert [text for text in said if not text.isprintable()] == []

    check()
