"""Settings of a training from a preset, a file and assignments."""

import pytest

from ttskit.errors import SettingError, TextError
from ttskit.training.configuration import resolved


def from_file(folder, content, *assignments):
    (folder / "x.toml").write_bytes(content)
    return resolved("attention", "tiny", folder / "x.toml", assignments)


def test_assignments_overrule_the_file_and_the_file_the_preset(tmp_path):
    config = from_file(tmp_path, b"hidden = 7\nspace = 8\n[training]\nbatch = 3\n", "space=9")
    assert (config.embedding, config.hidden, config.space) == (64, 7, 9)
    assert (config.training.batch, config.training.learning_rate) == (3, 1e-3)


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfhidden = 7\n", b"# a\r\nhidden = 7\r\n", "# größer\nhidden = 7".encode()],
    ids=["byte order mark", "CRLF", "umlauts"],
)
def test_a_file_from_any_editor_is_read(content, tmp_path):
    assert from_file(tmp_path, content).hidden == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# größer\nhidden = 7".encode("latin-1"), r"x\.toml:1: byte 0xf6 is not UTF-8; .*iconv"),
        ("hidden = 7".encode("utf-16"), r"x\.toml: is UTF-16"),
        (b"\x89HDF\r\n\x1a\n", r"x\.toml: is HDF5, as artifacts are; needs text"),
        (b"hidden = ", r"x\.toml: is not TOML"),
    ],
    ids=["latin-1", "UTF-16", "HDF5", "not TOML"],
)
def test_a_file_that_is_not_toml_in_utf_8_is_refused_with_its_place(content, message, tmp_path):
    with pytest.raises((SettingError, TextError), match=message):
        from_file(tmp_path, content)
