"""Subtitles as passages that begin at their times."""

import re

import pytest

from ttskit.errors import TextError
from ttskit.text.lines import InputLine
from ttskit.text.subtitles import read

SRT = """1
00:00:01,000 --> 00:00:02,500
Hello there,
- <i>world</i>.

2
00:01:02,250 --> 01:00:00,000 X1:40
{\\an8}R&amp;D
"""
VTT = """WEBVTT - of a talk
Kind: captions

NOTE a comment
of two lines

STYLE
::cue { color: red }

00:01.500 --> 00:02.000 align:start
<v Ann>One <00:00:01.700><b>two</b>

intro
01:00:00.000 --> 01:00:01.000
Three
"""


def cues(text):
    lines = [InputLine(f"a:{n}", line) for n, line in enumerate(text.split("\n"), 1)]
    return [(one.text, *one.cue) for one in read(lines, "a") if one.cue]


def test_subrip_is_read_with_its_numbers():
    assert cues(SRT) == [
        ("Hello there, - world.", "1", 1.0, "a:1"),
        ("R&D", "2", 62.25, "a:6"),
    ]


def test_webvtt_is_read_without_comments_styles_and_markup():
    assert cues(VTT) == [("One two", "1", 1.5, "a:10"), ("Three", "intro", 3600.0, "a:13")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n00:00:01 --> 00:00:02\nHi", "a:2: '00:00:01 --> 00:00:02' is no time of a cue"),
        ("Hi there.\nYou.", "a:2: 'You.' is no time of a cue: needs the like of 00:00:01,000"),
        ("1\n00:00:02,000 --> 00:00:01,000\nHi", "a:2: the cue ends before it begins"),
        (
            "00:00:02.000 --> 00:00:03.000\nA\n\n00:00:01.000 --> 00:00:03.000\nB",
            "a:4: begins before the cue before it",
        ),
        ("WEBVTT\n\n", "a: has no cue"),
    ],
)
def test_what_is_no_cue_is_refused_with_its_line(text, message):
    with pytest.raises(TextError, match=re.escape(message)):
        cues(text)
