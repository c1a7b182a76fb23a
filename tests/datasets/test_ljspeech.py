import re

import pytest

from ttskit.datasets import understand
from ttskit.errors import DatasetError


@pytest.fixture
def corpus(tmp_path, tone, say):
    """Make a corpus of a table and of audio files, by their paths."""

    def make(table, *paths):
        say(tmp_path / "metadata.csv", table)
        for path in paths:
            tone(tmp_path / path)
        return tmp_path

    return make


def test_reads_ids_and_texts_in_the_order_of_the_table(corpus):
    found = understand(corpus('b|Say "b", please.\r\na|A.\r\n', "wavs/a.wav", "wavs/b.wav"))
    assert found.format == "ljspeech"
    assert [(clip.id, clip.text) for clip in found.clips] == [
        ("b", 'Say "b", please.'),
        ("a", "A."),
    ]
    assert found.bad == ()


@pytest.mark.parametrize("place", ["wavs/", "wav/", "ogg/", "flac/", "audio/", ""])
@pytest.mark.parametrize("suffix", ["wav", "FLAC", "ogg", "mp3"])
def test_finds_audio_in_the_usual_places_and_formats(corpus, place, suffix):
    found = understand(corpus("a.b|A.", f"{place}a.b.{suffix}"))
    assert [(clip.id, clip.audio) for clip in found.clips] == [
        ("a.b", found.root / f"{place}a.b.{suffix}")
    ]


def test_finds_a_decomposed_file_name_by_its_composed_id(corpus):
    found = understand(corpus("é|A.", "wavs/e\u0301.wav"))
    assert [clip.id for clip in found.clips] == ["é"]


def test_the_first_column_may_be_the_name_of_a_file(corpus):
    found = understand(corpus("wavs/a.wav|A.\nb.wav|B.", "wavs/a.wav", "wavs/b.wav"))
    assert [clip.id for clip in found.clips] == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "speakers"),
    [
        (["Dr. X came.|Doctor X came.", "No.|No."], ["", ""]),  # as in LJSpeech
        (["zero|george", "zero|lucas", "one|george", "one|lucas"], ["george", "lucas"] * 2),
        (["0|zero", "1|one", "0|zero", "1|one"], [""] * 4),  # a text always has the same third
        (["Hello there.|anna", "Good day.|ben"], ["anna", "ben"]),
        (["zero|anna", "one|anna"], ["anna", "anna"]),
        (["Hello|hello"], [""]),
        (["你好|你好", "再见|再见"], ["", ""]),
    ],
)
def test_a_speaker_column_is_told_from_a_normalised_text(corpus, rows, speakers):
    table = "\n".join(f"{number}|{row}" for number, row in enumerate(rows))
    found = understand(corpus(table, *(f"wavs/{number}.wav" for number in range(len(rows)))))
    assert [clip.speaker for clip in found.clips] == speakers
    assert [clip.text for clip in found.clips] == [row.split("|")[0] for row in rows]
    third = "the speaker" if speakers[0] else "a normalised text"
    assert f"the third column of metadata.csv is {third}" in found.notes[1]


def test_every_row_that_cannot_be_used_is_reported(corpus, say):
    table = "a|A.\nb|B.|\nc|\nd|D.|x|y\n/|E.\nf|F.\ng|\x07\nh|H\x92s.\n" + "i" * 201 + "|I.\nj|J."
    root = corpus(
        table, *(f"wavs/{name}.wav" for name in ["a", "b", "c", "d", "g", "h", "i" * 201])
    )
    say(root / "wavs/j.wav", "")
    found = understand(root)
    assert [clip.id for clip in found.clips] == ["a"]
    assert dict(found.bad) == {
        "b": "metadata.csv line 2: has 3 columns, the others have 2",
        "c": "metadata.csv line 3: the text is empty",
        "d": "metadata.csv line 4: has 4 columns, the others have 2",
        "metadata.csv line 5": found.bad[3][1],
        "f": "metadata.csv line 6: no audio f.* in wavs, wav, ogg, flac, audio, clips or beside "
        "the table",
        "g": "metadata.csv line 7: character 1 of the text is U+0007, which is not text",
        "h": "metadata.csv line 8: character 2 of the text is U+0092, which is not text",
        "metadata.csv line 9": f"id '{'i' * 40}'... is longer than 200 bytes",
        "j": "metadata.csv line 10: wavs/j.wav: empty (0 bytes)",
    }
    assert "metadata.csv names audio that is not there: 2 utterances (metadata.csv line 5, f)" in (
        found.notes
    )


def test_audio_without_text_is_noted(corpus):
    found = understand(corpus("a|A.", *(f"wavs/{name}.wav" for name in "abcdef")))
    assert found.notes[1:] == (
        "metadata.csv has no text for 5 audio files (b.wav, c.wav, d.wav and 2 more)",
    )


def test_a_second_recording_of_an_id_is_noted(corpus):
    found = understand(corpus("a|A.", "wavs/a.wav", "flac/a.flac"))
    assert found.clips[0].audio.name == "a.wav"
    assert "not read: 1 file (flac/a.flac)" in found.notes[-1]


def test_an_id_that_occurs_twice_is_refused_with_both_places(corpus):
    with pytest.raises(
        DatasetError,
        match=r"id a occurs twice, in metadata.csv line 1 and in "
        r"metadata.csv line 3; ids must differ",
    ):
        understand(corpus("a|A.\nb|B.\na|C.", "wavs/a.wav", "wavs/b.wav"))


def test_bad_utf8_is_named_by_its_line(corpus):
    path = corpus("a|A.\nb|é\n".encode("latin-1"), "a.wav", "b.wav") / "metadata.csv"
    with pytest.raises(DatasetError, match=re.escape(f"{path}: line 2: byte 0xe9 is not UTF-8")):
        understand(path)


def test_a_byte_order_mark_is_not_part_of_the_first_id(corpus):
    found = understand(corpus("\ufeffa|A.", "a.wav"))
    assert [clip.id for clip in found.clips] == ["a"]


def test_a_table_of_one_column_is_refused(corpus):
    with pytest.raises(DatasetError, match=r"no line has the 2 or 3 columns of id\|text"):
        understand(corpus("a\nb\n", "a.wav"), format="ljspeech")
