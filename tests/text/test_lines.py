"""Lines of text, and files that are none."""

import codecs
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttskit.errors import TextError
from ttskit.text.lines import decode, decode_lines, read_lines, split_lines


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"))))
def test_lines_are_read_back_with_their_numbers(texts):
    content = "".join(f"{text}\n" for text in texts).encode()
    lines = split_lines(content, "x")
    assert [line.text for line in lines] == [text.removeprefix("\ufeff") for text in texts[:1]] + (
        texts[1:]
    )
    assert [line.place for line in lines] == [f"x:{number + 1}" for number in range(len(texts))]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("last", ["", "end"])
def test_marks_and_line_ends_are_no_part_of_the_text(tmp_path, end, mark, last):
    path = tmp_path / "x.txt"
    path.write_bytes(mark + f"é{end}{end}\u2028{end}{last}".encode())
    texts = ["é", "", "\u2028", *([last] if last else [])]
    assert [line.text for line in read_lines(path)] == texts
    assert [line.text for line in split_lines(path.read_bytes(), "x")] == texts


def test_a_text_as_a_whole_keeps_its_line_ends():
    assert decode(codecs.BOM_UTF8 + "é\r\n\n".encode(), "x") == "é\r\n\n"


def test_a_file_of_nothing_has_no_line():
    assert split_lines(b"", "x") == split_lines(codecs.BOM_UTF8, "x") == []


def test_a_line_is_out_before_the_next_is_in():
    lines = iter([b"one\n", b"\xff\n"])
    assert next(decode_lines(lines, "x")).text == "one"
    assert next(lines) == b"\xff\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ok\nbäd\n".encode("latin1"), r"x:2: byte 0xe4 is not UTF-8; .*iconv -f latin1 -t utf-8"),
        ("text".encode("utf-16"), r"x: is UTF-16, .*iconv -f utf-16 -t utf-8"),
        ("text".encode("utf-16-be"), r"x: is UTF-16, .*iconv -f utf-16 -t utf-8"),
        ("text".encode("utf-16-le"), r"x: is UTF-16, .*iconv -f utf-16 -t utf-8"),
        ("text".encode("utf-32"), r"x: is UTF-32, .*iconv -f utf-32 -t utf-8"),
        (b"\x89HDF\r\n\x1a\n\0\0", "x: is HDF5, as artifacts are; needs text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "x: is a picture; needs text"),
        (b"\x1f\x8b\x08\0", "x: is compressed by gzip; needs text"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "x: is audio; needs text"),
        (np.arange(250, dtype="<f4").tobytes(), "x:1: .*is binary; needs text"),
    ],
)
def test_a_file_that_is_no_text_in_utf_8_is_called_what_it_is(content, message):
    with pytest.raises(TextError, match=f"^{message}") as caught:
        split_lines(content, "x")
    assert "\n" not in str(caught.value)
    assert "latin1" not in str(caught.value) or "0xe4" in str(caught.value)
    with pytest.raises(TextError) as streamed:
        list(decode_lines(io.BytesIO(content), "x"))
    assert str(streamed.value) == str(caught.value)


def test_a_text_may_begin_like_a_name_of_a_format():
    assert [line.text for line in split_lines(b"RIFF and PK are four letters", "x")]


@pytest.mark.parametrize(
    ("name", "message"), [("none", "none: No such file"), ("", "is a directory; give the files")]
)
def test_a_path_that_is_no_file_is_named(tmp_path, name, message):
    with pytest.raises(TextError, match=message):
        list(read_lines(tmp_path / name))
