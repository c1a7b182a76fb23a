"""Manual pages: the help of every verb, in a form that roff prints as it is."""

import shutil
import subprocess

import pytest

from docs.man import pages, roff
from docs.options import COMMANDS


@pytest.fixture(scope="module")
def written():
    return pages()


def test_the_program_and_every_verb_have_a_page(written):
    assert set(written) == {"ttskit", *(f"ttskit-{verb}" for verb in COMMANDS)}


def test_a_page_has_a_name_a_usage_and_a_section_of_each_group_of_options(written):
    page = written["ttskit-say"]
    assert ".SH NAME\nttskit\\-say \\- Speak text, sentence by sentence\n" in page
    assert ".SH SYNOPSIS\nttskit say [OPTIONS] [TEXT...]\n" in page
    for head in ("ARGUMENTS", "OUTPUT", "EXAMPLES"):
        assert f'.SH "{head}"\n.nf\n' in page
    assert "\\-\\-rate FACTOR" in page


def test_nothing_of_a_help_page_is_taken_for_roff():
    page = roff("x", "Usage: x\n\n  Sum.\n\nOptions:\n.a \\b\n'c\n")
    assert "\n\\&.a \\eb\n\\&'c\n" in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_groff_has_nothing_to_warn_of(written):
    text = "".join(written.values()).encode()
    words = ["groff", "-man", "-ww", "-Tutf8", "-k"]
    done = subprocess.run(words, input=text, capture_output=True, check=True)
    assert done.stderr == b""
    assert b"TTSKIT-SAY(1)" in done.stdout
