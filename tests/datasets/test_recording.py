import itertools
import json
import random
import re

import pytest

from ttskit.datasets import recording, understand
from ttskit.datasets.transcription import Word
from ttskit.errors import DatasetError
from ttskit.formats import textgrid
from ttskit.formats.timeline import Interval

WORDS = [
    ("Hello", 0.5, 0.9),
    ("there,", 1.0, 1.3),
    ("Anna.", 1.35, 1.8),
    ("Good", 2.4, 2.6),
    ("day.", 2.7, 3.0),
]


@pytest.fixture
def speech(tmp_path, tone):
    """Make a recording of four seconds with a transcription beside it."""

    def make(content, seconds=4.0, name="speech.wav", transcription="speech_transcription.json"):
        tone(tmp_path / name, seconds=seconds)
        (tmp_path / transcription).write_text(
            content if isinstance(content, str) else json.dumps(content)
        )
        return tmp_path / name

    return make


def as_words(words, key="word"):
    return {"words": [{key: text, "start": start, "end": end} for text, start, end in words]}


def as_characters(words):
    """Characters of evenly divided words, and a space in every pause."""
    rows = []
    for (text, start, end), after in zip(words, [*words[1:], None], strict=True):
        step = (end - start) / len(text)
        rows += [(c, start + i * step, start + (i + 1) * step) for i, c in enumerate(text)]
        rows += [(" ", end, after[1])] if after else []
    characters, starts, ends = map(list, zip(*rows, strict=True))
    return {
        "characters": characters,
        "character_start_times_seconds": starts,
        "character_end_times_seconds": ends,
    }


def as_segments(words, inner=True):
    segments = []
    for part in (words[:3], words[3:]):
        text = " " + " ".join(word for word, _, _ in part)
        segment = {"text": text, "start": part[0][1], "end": part[-1][2]}
        # as Whisper does: a space before each word
        segments.append(
            segment | (as_words([(" " + w, s, e) for w, s, e in part]) if inner else {})
        )
    return {"segments": segments}


BARE = [(text.strip(",."), start, end) for text, start, end in WORDS]
SHAPES = {
    "words": as_words(WORDS),
    "words without punctuation": as_words(BARE) | {"text": "Hello there, Anna. Good day."},
    "texts": as_words(WORDS, "text"),
    "characters": as_characters(WORDS),
    "nested characters": {"text": "...", "alignment": as_characters(WORDS)},
}
SEGMENTS = {
    "segments with words": as_segments(WORDS),
    "segments": as_segments(WORDS, inner=False),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("given", ["speech.wav", "speech_transcription.json", ""])
def test_reads_every_shape_of_transcription(speech, shape, given):
    found = understand(speech(SHAPES[shape]).parent / given)
    assert (found.format, found.bad) == ("recording", ())
    assert [clip.text for clip in found.clips] == ["Hello there, Anna. Good day."]
    clip = found.clips[0]
    assert (clip.id, clip.start, clip.end) == (
        "speech_0001",
        pytest.approx(0.4),
        pytest.approx(3.1),
    )


@pytest.mark.parametrize("shape", SEGMENTS)
def test_segments_stay_as_they_are(speech, shape):
    found = understand(speech(SEGMENTS[shape]))
    assert [clip.text for clip in found.clips] == ["Hello there, Anna.", "Good day."]
    assert [(clip.start, clip.end) for clip in found.clips] == [
        (pytest.approx(0.4), pytest.approx(1.9)),
        (pytest.approx(2.3), pytest.approx(3.1)),
    ]


def test_a_segment_that_is_too_long_is_cut_between_its_words(speech):
    words = [("One", 0, 1), ("two", 1.9, 3), ("three.", 3, 4), ("Four", 4.3, 5), ("five.", 5, 6)]
    inner = [{"word": w, "start": s, "end": e} for w, s, e in words]
    text = " ".join(w for w, _, _ in words)
    whole = {"segments": [{"text": text, "start": 0, "end": 6, "words": inner}]}
    found = recording.read(speech(whole, seconds=6), longest=5)
    assert [clip.text for clip in found.clips] == ["One two three.", "Four five."]
    del whole["segments"][0]["words"]
    found = recording.read(speech(whole, seconds=6), longest=5)
    assert [clip.text for clip in found.clips] == [text]


SRT = """\ufeff1\r
00:00:00,500 --> 00:00:01,800\r
<i>Hello there,</i>\r
Anna.\r
\r
2\r
00:00:02,400 --> 00:00:03,000\r
{\\an8}Good day.\r
"""
VTT = """WEBVTT

NOTE 00:01 is no cue

STYLE
::cue { color: red }

first
00:00.500 --> 00:01.800 align:start
<v Ann>Hello there, Anna.

00:00:02.400 --> 00:00:03.000
<v.loud Ben &amp; Co>Good <b>day</b>.</v>
"""
LABELS = "0.500000\t1.800000\tHello there, Anna.\n\\\t100\t200\n2.4\t3,0\tGood day.\n"
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT><TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1800"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2400"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3000"/>
<TIME_SLOT TIME_SLOT_ID="ts5"/></TIME_ORDER>
<TIER TIER_ID="b" PARTICIPANT="Ben"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2"
TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4"><ANNOTATION_VALUE>Good day.</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3"
TIME_SLOT_REF1="ts4" TIME_SLOT_REF2="ts5"><ANNOTATION_VALUE>untimed</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="Ann"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1"
TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>Hello there, Anna.</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="translation" PARENT_REF="Ann"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4"
ANNOTATION_REF="a1"><ANNOTATION_VALUE>Hallo.</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>
"""
TIMES = {
    "speech.srt": (SRT, ["", ""]),
    "speech.en.vtt": (VTT, ["Ann", "Ben & Co"]),
    "speech.txt": (LABELS, ["", ""]),
    "speech.eaf": (EAF, ["Ann", "Ben"]),
}


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("whole", [True, False])
def test_times_of_other_programs_are_read(speech, name, whole):
    content, speakers = TIMES[name]
    path = speech(content, transcription=name)
    found = understand(path.parent if whole else path)
    assert (found.format, found.bad) == ("recording", ())
    assert [(clip.text, clip.speaker) for clip in found.clips] == [
        ("Hello there, Anna.", speakers[0]),
        ("Good day.", speakers[1]),
    ]
    assert (found.clips[1].start, found.clips[1].end) == pytest.approx((2.3, 3.1))


def grid_of(tiers):
    return textgrid.text(
        {name: [Interval(a, b, label, 0) for a, b, label in tier] for name, tier in tiers.items()},
        4.0,
    )


def test_a_textgrid_is_read_by_sentences_words_or_speakers(speech):
    rows = [(0.5, 1.8, "Hello there, Anna."), (2.4, 3.0, "Good day.")]
    words = [(start, end, text) for text, start, end in WORDS]
    for tiers, speakers in (
        ({"utterances": rows, "words": words}, ["", ""]),
        ({"Ann": rows[:1], "Ben": rows[1:], "words": []}, ["Ann", "Ben"]),
    ):
        path = speech(grid_of(tiers), transcription="speech.TextGrid")
        clips = understand(path).clips
        assert [clip.text for clip in clips] == [text for _, _, text in rows]
        assert [clip.speaker for clip in clips] == speakers
    path = speech(grid_of({"words": words, "phones": []}), transcription="speech.TextGrid")
    assert [clip.text for clip in understand(path).clips] == ["Hello there, Anna. Good day."]


def test_speakers_may_overlap(speech):
    rows = {"Ann": [(0.5, 3.0, "A long sentence.")], "Ben": [(1.0, 1.5, "Yes.")]}
    clips = understand(speech(grid_of(rows), transcription="speech.TextGrid")).clips
    assert [(clip.start, clip.end) for clip in clips] == [
        (pytest.approx(0.4), 3.0),
        (1.0, pytest.approx(1.6)),
    ]


def test_many_recordings_have_their_own_times(speech):
    path = speech(SRT, transcription="speech.srt")
    speech(LABELS, name="other.wav", transcription="other.txt")
    speech("", name="bare.wav", transcription="readme.md")
    found = understand(path.parent)
    ids = [clip.id for clip in found.clips]
    assert sorted(ids) == ["other_0001", "other_0002", "speech_0001", "speech_0002"]
    assert "without a transcription, not read: 1 recording (bare.wav)" in found.notes


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("speech.srt", "nothing", "has no sentence with times; needs cues of SubRip"),
        ("speech.txt", "0.5\t1.0\ta\nwhat?\n", "speech.txt:2: is no label; needs start TAB stop"),
        ("speech.eaf", "<a>", "is not XML"),
        ("speech.eaf", '<!DOCTYPE a [<!ENTITY b "c">]><a/>', "declares entities"),
        ("speech.srt", "1\n00:01:00,0 --> 00:01:02,0\na", "but the recording at 4"),
        ("speech.srt", "1\n00:00:02,0 --> 00:00:01,0\na", "ends at 1.0 s, before it starts"),
    ],
)
def test_times_that_cannot_be_used_are_named(speech, name, content, message):
    with pytest.raises(DatasetError, match=re.escape(message)) as caught:
        understand(speech(content, transcription=name))
    assert name in str(caught.value)


def test_cuts_behind_a_sentence_rather_than_at_a_longer_pause(speech):
    words = [("One", 0, 1), ("two", 1.9, 3), ("three.", 3, 4), ("Four", 4.3, 5), ("five.", 5, 6)]
    found = recording.read(speech(as_words(words), seconds=6), longest=5)
    assert [clip.text for clip in found.clips] == ["One two three.", "Four five."]
    assert [(clip.start, clip.end) for clip in found.clips] == [
        (0, pytest.approx(4.1)),
        (pytest.approx(4.2), 6),
    ]


def test_a_clip_without_a_pause_is_not_cut_and_noted(speech):
    words = [(f"w{i}", i, i + 0.9) for i in range(8)] + [("end.", 8.5, 9)]
    found = recording.read(speech(as_words(words), seconds=10), longest=3)
    assert [len(clip.text.split()) for clip in found.clips] == [8, 1]
    assert "no pause of 0.2 s in 3 s, so longer: 1 clip (speech_0001)" in found.notes


def test_silence_is_always_cut_and_left_out(speech):
    words = [("One.", 0.5, 1), ("Two.", 3, 3.5)]
    found = recording.read(speech(as_words(words)))
    assert [(clip.text, clip.start, clip.end) for clip in found.clips] == [
        ("One.", 0.4, 1.1),
        ("Two.", 2.9, 3.6),
    ]
    assert "2.6 s of 4.0 s are pauses, in no clip" in found.notes


def test_a_word_without_times_is_kept_with_its_neighbours(speech):
    content = as_words([("In", 0.5, 0.7), ("2014", None, None), ("he", 1.9, 2.0)])
    del content["words"][1]["start"]
    found = understand(speech(content))
    assert [clip.text for clip in found.clips] == ["In 2014 he"]
    assert "without times, kept with their neighbours: 1 word (2014)" in found.notes


@pytest.mark.parametrize("seed", range(20))
def test_every_word_is_in_one_clip_and_no_cut_within_a_word(seed):
    rng = random.Random(seed)
    words, time = [], rng.uniform(0, 1)
    for index in range(rng.randrange(1, 80)):
        end = time + rng.uniform(0.05, 1)
        words.append(Word(f"w{index}" + rng.choice(["", "", ",", "."]), time, end))
        time = end + rng.choice([0, 0, 0.1, 0.25, 0.5, 1.5])
    spans = recording.cut(words, time, longest=5, pause=0.2, silence=1, margin=0.1)
    assert [word for first, last in spans for word in words[first:last]] == words
    for (_, last), (first, _) in itertools.pairwise(spans):
        assert words[first].start - words[last - 1].end >= 0.2 - 1e-9
    for first, last in spans:
        pauses = [b.start - a.end for a, b in itertools.pairwise(words[first:last])]
        assert max(pauses, default=0) < 1
        length = words[last - 1].end - words[first].start
        assert length <= 5 or max(pauses, default=0) < 0.2


def test_the_cuts_have_the_lowest_cost_of_all():
    rng = random.Random(1)
    words, time = [], 0.0
    for _ in range(9):
        words.append(Word(rng.choice(["a", "b,", "c."]), time, time + 1))
        time += 1.3
    found = recording.cut(words, time, longest=4, pause=0.2, silence=9, margin=0)

    def cost(spans):
        total = 0.0
        for first, last in spans:
            length = words[last - 1].end - words[first].start
            total += (1 - length / 4) ** 2 if length <= 4 else 1e9
            price = {".": 0, ",": 0.5}.get(words[last - 1].text[-1], 1)
            total += price if last < len(words) else 0
        return total

    def ways(first):
        if first == len(words):
            yield []
        for last in range(first + 1, len(words) + 1):
            for rest in ways(last):
                yield [(first, last), *rest]

    assert cost(found) == pytest.approx(min(map(cost, ways(0))))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ({"text": "x", "language": "en"}, "has text, language; needs {"),
        ({"words": []}, "has no words with times"),
        ({"words": [{"start": 1}]}, "words[0] has no word; has start"),
        ({"words": ["x"]}, "words[0] is not an object"),
        (as_words([("x", "1", 2)]), "words[0] ('x') has the time '1', which is not a number"),
        (as_words([("x", 0, float("nan"))]), "words[0] ('x') has the time nan"),
        (as_words([("x", 10**400, 2)]), "has the time 1000"),
        (as_words([("x", -0.5, 2)]), "words[0] ('x') has the negative time -0.5 s"),
        (as_words([("x", 2, 1)]), "word 1 (x) ends at 1.0 s, before it starts at 2.0 s"),
        (as_words([("x", 2, 3), ("y", 1, 2)]), "word 2 (y) starts at 1.0 s, but the word in front"),
        (
            as_words([("x", 2, 3), ("y", 3, 70)]),
            "word 2 (y) ends at 70.0 s, but the recording at 4",
        ),
        ({"characters": ["a"]}, "must be lists of one length, have [1, -1, -1]"),
        (as_characters([("ab", 2.0, 1.0)]), "character 1 ('a') has times out of order"),
    ],
)
def test_a_transcription_that_cannot_be_used_is_named(speech, content, message):
    path = speech(content)
    with pytest.raises(DatasetError, match=re.escape(message)) as caught:
        understand(path)
    assert str(path.with_name("speech_transcription.json")) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recording_without_transcription_says_what_it_needs(tmp_path, tone):
    with pytest.raises(DatasetError, match="no recording with a transcription of its name; needs"):
        understand(tone(tmp_path / "speech.wav"), "recording")


def test_two_transcriptions_of_one_recording_are_refused(speech):
    path = speech(SHAPES["words"])
    speech(SHAPES["words"], transcription="speech.json")
    with pytest.raises(
        DatasetError, match=r"could be speech.wav with speech.json, speech.wav with"
    ):
        understand(path)


@pytest.mark.parametrize("options", [{"longest": 0}, {"pause": 2}, {"margin": -1}])
def test_contradictory_limits_of_cuts_are_refused(speech, options):
    with pytest.raises(DatasetError, match="needs 0 < pause <= silence"):
        recording.read(speech(SHAPES["words"]), **options)
