import json
import re

import pytest

from ttskit.datasets import understand
from ttskit.errors import DatasetError


@pytest.fixture
def manifest(tmp_path, tone, say):
    """Make a manifest, with audio/a.wav and audio/b.wav beside it."""

    def make(name, content):
        for stem in "ab":
            tone(tmp_path / f"audio/{stem}.wav")
        return say(tmp_path / name, content)

    return make


def rows(found):
    return [(c.id, c.text, c.speaker, c.start, c.end) for c in found.clips]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", 'Text,Audio,id\n"One, ""two""\nthree.",audio/a.wav,x\nB.,audio/b.wav,y\n'),
        ("m.csv", '\ufeff"text";"audio";"id"\r\n"One, ""two"" three.";audio/a.wav;x\r\nB.;b.wav;y'),
        ("m.tsv", 'path\tsentence\tid\na.wav\tOne, "two" three.\tx\nb.wav\tB.\ty\n'),
        ("metadata.csv", 'audio_file|text|id\na.wav|One, "two" three.|x\nb.wav|B.|y\n'),
        (
            "m.jsonl",
            json.dumps({"audio_filepath": "a.wav", "text": 'One, "two" three.', "id": "x"})
            + "\n\n"
            + json.dumps({"id": "y", "text": "B.", "audio_filepath": "audio/b.wav"}),
        ),
    ],
)
def test_columns_are_read_by_name_with_any_delimiter(manifest, name, content):
    path = manifest(name, content)
    for source in (path, path.parent):
        found = understand(source)
        assert (found.format, found.bad) == ("manifest", ())
        assert rows(found) == [
            ("x", 'One, "two" three.', "", None, None),
            ("y", "B.", "", None, None),
        ]


def test_quotes_in_a_tsv_are_text_and_noted(manifest):
    found = understand(manifest("m.tsv", 'path\tsentence\na.wav\t"No," he said.\nb.wav\t"Yes."\n'))
    assert [clip.text for clip in found.clips] == ['"No," he said.', '"Yes."']
    assert 'm.tsv: texts that begin and end with ", which is read as text: 1' in found.notes


def test_the_id_defaults_to_the_name_of_the_audio(manifest, tmp_path):
    content = (
        f"audio,text,speaker,start,end,age\n{tmp_path}/audio/a.wav,A.,7,0.05,,9\nb.wav,B.,8,,0.1,9"
    )
    found = understand(manifest("m.csv", content))
    assert rows(found) == [("a", "A.", "7", 0.05, None), ("b", "B.", "8", None, 0.1)]
    assert "m.csv: columns that are not read: age" in found.notes


def test_every_row_that_cannot_be_used_is_reported(manifest):
    content = (
        "audio,text,id,start,end\na.wav,A.,a,,\nb.wav,B.,b\nc.wav,C.,c,,\n,D.,d,,\n"
        "a.wav,E.,e,soon,\na.wav,,f,,\na.wav,G.,g,2,1\na.wav,H.,h,-1,1\na.wav,I.,i,nan,1"
    )
    found = understand(manifest("m.csv", content))
    assert [clip.id for clip in found.clips] == ["a"]
    assert dict(found.bad) == {
        "m.csv line 3": "has 3 columns, the header 5",
        "c": "m.csv line 4: no file c.wav",
        "d": "m.csv line 5: names no audio",
        "e": "m.csv line 6: soon is not a time in seconds",
        "f": "m.csv line 7: the text is empty",
        "g": "m.csv line 8: ends at 1.0 s, but starts at 2.0 s",
        "h": "m.csv line 9: -1.0 is not a time; needs seconds from the start of the file",
        "i": "m.csv line 10: nan is not a time; needs seconds from the start of the file",
    }


def test_lines_that_are_not_json_objects_are_reported(manifest):
    content = '{"audio": "a.wav", "text": "A."}\n[1]\n{"audio"\n{"audio": "b.wav"}\n' + "[" * 100000
    found = understand(manifest("m.jsonl", content))
    assert [clip.id for clip in found.clips] == ["a"]
    assert [id for id, _ in found.bad] == [
        "m.jsonl line 2",
        "m.jsonl line 3",
        "b",
        "m.jsonl line 5",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.csv", "a.wav,Hello.\n", "no column names the audio: has a.wav, Hello., needs one of"),
        ("m.csv", "audio,words\na.wav,Hello.\n", "no column names the text: has audio, words"),
        ("m.csv", 'audio,text\na.wav,"A.\nb.wav,B.', "line 2: unexpected end of data; is a quot"),
        ("m.csv", "audio,text,text\na.wav,A,A\n", "two columns are named 'text'"),
        ("m.csv", "", "no column names the audio"),
        ("m.csv", "audio,text\n", "has no utterances"),
        (
            "m.csv",
            "audio,text\na.wav,A\na.wav,B",
            "id a occurs twice, in m.csv line 2 and in m.csv",
        ),
        ("m.csv", "audio,text\na.wav,A".encode("utf-16"), "is UTF-16, needs text in UTF-8"),
        ("m.jsonl", '{"text": "A."}', "no column names the audio: has text"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(manifest, name, content, message):
    with pytest.raises(DatasetError, match=re.escape(message)):
        understand(manifest(name, content), "manifest")


def test_several_manifests_are_refused(manifest):
    manifest("one.csv", "audio,text\na.wav,A.\n")
    path = manifest("two.csv", "audio,text\nb.wav,B.\n")
    with pytest.raises(DatasetError, match=r"has 2 manifests \(one.csv, two.csv\); name the one"):
        understand(path.parent)
    assert [clip.id for clip in understand(path).clips] == ["b"]


def test_a_column_names_the_split_of_each_row(manifest):
    found = understand(manifest("m.csv", "audio,text,split\na.wav,A.,test\nb.wav,B.,train\n"))
    assert [clip.id for clip in found.part("test").clips] == ["a"]
    assert len(found.clips) == 2


def test_parts_of_nemo_end_after_their_duration_and_are_numbered(manifest):
    lines = [
        {"audio_filepath": "audio/a.wav", "offset": 0.0, "duration": 0.1, "text": "A."},
        {"audio_filepath": "audio/a.wav", "offset": 0.1, "duration": 0.05, "text": "B."},
        {"audio_filepath": "audio/b.wav", "duration": 9.0, "text": "C.", "speaker": 7},
        {"audio_filepath": "audio/a.wav", "offset": 0.1, "duration": "long", "text": "D."},
    ]
    found = understand(manifest("m.jsonl", "\n".join(map(json.dumps, lines))))
    assert rows(found) == [
        ("a_0001", "A.", "", 0.0, 0.1),
        ("a_0002", "B.", "", 0.1, pytest.approx(0.15)),
        ("b", "C.", "7", None, None),
    ]
    assert dict(found.bad) == {"a_0003": "m.jsonl line 4: long is not a time in seconds"}


def test_a_duration_without_a_start_is_that_of_the_file_and_not_read(manifest):
    found = understand(manifest("m.csv", "file_name,transcription,duration\na.wav,A.,0.1\n"))
    assert rows(found) == [("a", "A.", "", None, None)]
    assert "m.csv: columns that are not read: duration" in found.notes


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", "file_name,transcription\ndata/x.wav,X.\n../audio/a.wav,A.\n"),
        (
            "metadata.jsonl",
            '{"file_name": "data/x.wav", "text": "X."}\n'
            '{"file_name": "../audio/a.wav", "text": "A."}',
        ),
    ],
)
def test_an_audio_folder_of_hugging_face_is_a_manifest(manifest, tmp_path, tone, name, content):
    tone(tmp_path / "train/data/x.wav")
    found = understand(manifest(f"train/{name}", content).parent)
    assert (found.format, found.bad) == ("manifest", ())
    assert [(clip.id, clip.text) for clip in found.clips] == [("x", "X."), ("a", "A.")]


def splits(found):
    return [(clip.id, found.parts[clip.id]) for clip in found.clips]


@pytest.mark.parametrize("place", ["", "data/"])
def test_a_metadata_of_each_folder_is_a_split(say, tone, tmp_path, place):
    for split, stems in (("test", "c"), ("train", "ab")):
        rows = [f"{stem}.wav,{stem.upper()}." for stem in stems]
        say(tmp_path / f"{place}{split}/metadata.csv", "\n".join(["file_name,text", *rows]))
        for stem in stems:
            tone(tmp_path / f"{place}{split}/{stem}.wav")
    found = understand(tmp_path)
    assert (found.format, found.bad) == ("manifest", ())
    assert splits(found) == [("c", "test"), ("a", "train"), ("b", "train")]
    assert [clip.id for clip in found.part("test").clips] == ["c"]


def test_shards_are_parts_of_their_split(say, tone, tmp_path):
    for number, (split, stem) in enumerate((("train", "a"), ("train", "b"), ("dev_other", "c"))):
        row = json.dumps({"audio": f"../audio/{stem}.wav", "text": f"{stem}."})
        count = 2 if split == "train" else 1
        say(tmp_path / f"data/{split}-{number % count:05}-of-{count:05}.jsonl", row)
        tone(tmp_path / f"audio/{stem}.wav")
    assert splits(understand(tmp_path)) == [("c", "dev_other"), ("a", "train"), ("b", "train")]


def test_ids_that_splits_share_have_the_split_before_them(manifest, tmp_path):
    manifest("train.csv", "audio,text\na.wav,A.\nb.wav,B.\n")
    manifest("valid.csv", "audio,text\na.wav,A.\n")
    expected = [("train_a", "train"), ("b", "train"), ("valid_a", "valid")]
    assert splits(understand(tmp_path)) == expected


def test_rows_that_cannot_be_read_belong_to_their_split(manifest, tmp_path):
    manifest("train.csv", "audio,text\na.wav,A.\n")
    manifest("test.csv", "audio,text\nnone.wav,B.\nb.wav,B.\n")
    ((id, reason),) = understand(tmp_path).part("test").bad
    assert (id, reason) == ("none", "test.csv line 2: no file none.wav")
