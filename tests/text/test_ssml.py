"""SSML as passages of plain text."""

from pathlib import Path

import pytest

from ttskit.errors import TextError
from ttskit.text.ssml import Passage, Prosody, Surroundings, read


def passages(inner):
    return read(f"<speak>{inner}</speak>", "x")


def texts(inner):
    return [passage.text for passage in passages(inner)]


def nested(setting, times):
    return f"<speak>{f'<prosody {setting}>' * times}a{'</prosody>' * times}</speak>"


def test_white_space_becomes_one_space():
    assert texts("\n  one\n <p>two <s>three</s></p>four ") == ["one ", "two ", "three", "four "]


def test_paragraphs_are_marked_and_sentences_are_not():
    spoken = passages("a<s>b</s><p>c</p>d")
    assert [passage.paragraph for passage in spoken] == [False, False, True, True]


def test_a_break_is_silence_before_what_follows_and_breaks_add_up():
    spoken = passages("a<break time='250ms'/><break time='1.5s'/>b<break strength='x-strong'/>")
    assert [(one.text, one.gap) for one in spoken] == [("a", None), ("b", 1.75), ("", 1.2)]


def test_prosody_multiplies_rates_and_ranges_and_adds_semitones_and_decibels():
    (passage,) = passages(
        "a<prosody rate='120%' pitch='+2st' volume='+6dB' range='+50%'>b"
        "<prosody rate='fast' pitch='-1st' volume='soft' range='x-high'>c</prosody>d</prosody>e"
    )
    outer = Prosody(1.2, 2.0, 6.0, span=1.5)
    inner = Prosody(1.2 * 1.5, 1.0, 0.0, span=3.0)
    assert passage.text == "abcde"
    assert passage.runs == ((1, outer), (2, inner), (3, outer), (4, Prosody()))


def test_emphasis_is_slower_louder_and_higher_and_reduced_the_contrary():
    (passage,) = passages(
        "a<prosody rate='50%'><emphasis>b</emphasis></prosody>"
        "<emphasis level='reduced'>c</emphasis>d"
    )
    *_, (_, strong), (_, reduced), (_, plain) = passage.runs
    assert strong.rate < 0.5
    assert strong.volume > 0 < strong.lift
    assert reduced.rate > 1
    assert reduced.volume < 0 > reduced.lift
    assert plain == Prosody()


def test_marks_stand_before_the_character_that_follows_and_never_behind_the_text():
    first, second = passages(
        "<mark name='a'/>One. <mark name='b'/>Two <mark name='c'/><s><mark name='d'/>Three</s>"
        " <mark name='e'/>"
    )
    assert first.marks == ((0, "a"), (5, "b"), (8, "c"))
    assert second.marks == ((0, "d"), (5, "e"))


def test_what_cannot_be_spoken_is_left_out_with_a_note_if_asked_for():
    notes: list[str] = []
    text = "<speak>a<voice name='x'>b<desc>c</desc></voice><audio/><p lang='de'>d</p></speak>"
    found = read(text, "x", around=Surroundings(note=notes.append), lenient=True)
    assert [one.text for one in found] == ["ab", "d"]
    assert [note.split(": ", 1)[1] for note in notes] == [
        "no voice 'x': there is no other voice here: left out",
        "no element <desc>: left out",
        "no element <audio>, as no recordings are played here: left out",
        "<p> has no attribute lang: left out",
    ]
    assert notes[0].startswith("x:1:9: ")


def staged(inner, lenient=False):
    """Read with the voices `ann`, who speaks English, and `jan`, and the recording `bell.wav`."""
    notes = list[str]()

    def language(name):
        if name not in ("ann", "jan"):
            raise TextError(f"no voice {name}; there is ann, jan")
        return "nl" if name == "jan" else "en-us"

    def recording(source):
        if source != "bell.wav":
            raise TextError(f"{source}: no such file")
        return Path(source)

    around = Surroundings(language, recording, notes.append)
    return read(f"<speak>{inner}</speak>", "x", True, around, lenient), notes


def test_voices_change_within_each_other_and_come_back():
    found, _ = staged("a <voice name='ann'>b<s>c</s> <voice name='jan'>d</voice> e</voice> f")
    voices = [(one.text.strip(), one.voice) for one in found]
    assert voices == [("a", ""), ("b", "ann"), ("c", "ann"), ("d", "jan"), ("e", "ann"), ("f", "")]


def test_a_voice_reads_in_its_own_language():
    third = "<say-as interpret-as='ordinal'>3</say-as>"
    found, _ = staged(f"{third}<voice name='jan'>{third}</voice>{third}")
    assert [one.text for one in found] == ["3rd", "3.", "3rd"]


def test_prosody_holds_across_a_change_of_voice():
    found, _ = staged("<prosody rate='fast'>a<voice name='ann'>b</voice></prosody>")
    assert [one.runs for one in found] == [((0, Prosody(rate=1.5)),)] * 2


def test_a_recording_takes_the_place_of_its_text_and_the_pause_before_it():
    found, notes = staged("a<break time='1s'/><audio src='bell.wav'>ding <s>dong</s></audio>b")
    assert [(one.text, one.gap, one.audio) for one in found] == [
        ("a", None, None), ("", 1.0, Path("bell.wav")), ("b", None, None)
    ]  # fmt: skip
    assert notes == []


def test_the_text_of_a_recording_that_is_missing_is_spoken_with_a_note():
    found, notes = staged("a<audio src='no.wav'>ding</audio>b")
    assert [one.text for one in found] == ["a", "ding", "b"]
    assert notes == ["x:1:33: no.wav: no such file: its text is spoken instead"]


def test_a_missing_recording_without_text_is_refused_or_left_out():
    with pytest.raises(TextError, match=r"x:1:29: no.wav: no such file; --lenient leaves it out"):
        staged("<audio src='no.wav'> </audio>")
    _, notes = staged("a<audio src='no.wav'/>", lenient=True)
    assert notes == ["x:1:30: no.wav: no such file: left out"]


def test_marks_behind_a_recording_stand_at_the_end_of_the_last_text():
    found, _ = staged("one <audio src='bell.wav'/><mark name='m'/>")
    assert found[0].marks == ((3, "m"),)


def test_an_octave_is_twice_the_pitch():
    (passage,) = passages("<prosody pitch='+100%'>a</prosody>")
    assert passage.runs[0][1].pitch == pytest.approx(12)


@pytest.mark.parametrize(
    ("inner", "reading"),
    [
        ("<phoneme alphabet='ipa' ph='h ə l ˈoʊ'>hello</phoneme>", "[[h ə l ˈoʊ]]"),
        ("<sub alias='World Wide Web'>WWW</sub>", "World Wide Web"),
        ("<say-as interpret-as='characters'>NaSA</say-as>", "N.A.S.A."),
        ("<say-as interpret-as='digits'>421</say-as>", "4 2 1"),
        ("<say-as interpret-as='ordinal'>3</say-as>", "3rd"),
        ("<say-as interpret-as='ordinal'>12</say-as>", "12th"),
        ("<say-as interpret-as='date' format='ymd'>2024-05-03</say-as>", "2024-05-03"),
    ],
)
def test_elements_replace_their_text_by_its_reading(inner, reading):
    assert texts(inner) == [reading]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<speak>a\n<b", "x:2:"),
        ("plain", "x:1:1: not SSML"),
        ("<speak>a<p>b</speak>", "mismatched tag"),
        ("<p>a</p>", "x:1:1: begins with <p>, needs <speak>"),
        ("<speak>\n <voice>a</voice></speak>", "x:2:2: <voice> needs the attribute name"),
        ("<speak><voice name='a'>a</voice></speak>", "no voice 'a': there is no other voice here"),
        ("<speak><audio src='a.wav'/></speak>", "no element <audio>, as no recordings are played"),
        ("<speak><w>a</w></speak>", "no element <w>; there is speak, p, s, break, prosody, emph"),
        ("<speak><emphasis level='loud'>a</emphasis></speak>", "level is 'loud', needs one of"),
        ("<speak><mark/>a</speak>", "<mark> needs the attribute name"),
        ("<speak><prosody speed='2'>a</prosody></speak>", "no attribute speed; there is rate"),
        ("<speak><prosody rate='often'>a</prosody></speak>", "rate is 'often', needs one of"),
        ("<speak><prosody pitch='200Hz'>a</prosody></speak>", "pitch is '200Hz', needs one of"),
        ("<speak><prosody range='10Hz'>a</prosody></speak>", "range is '10Hz', needs one of"),
        ("<speak><prosody range='500%'>a</prosody></speak>", "range is '500%', needs one of"),
        (nested("range='200%'", 3), "ranges within each other make 8, at most 4 times"),
        ("<speak><prosody volume='70'>a</prosody></speak>", "volume is '70', needs one of"),
        ("<speak><break time='soon'/></speak>", "break time is 'soon', needs the like of 500ms"),
        ("<speak>" + "<break time='1800s'/>" * 3 + "</speak>", "breaks in a row last 5400 s"),
        (nested("rate='x-slow'", 4), "rates within each other make 0.0625, needs 0.1 to 10"),
        (nested("rate='x-fast'", 4), "rates within each other make 16"),
        (nested("pitch='-10st'", 3), "pitches within each other make -30st, at most 24"),
        (nested("volume='+30dB'", 2), "volumes within each other make +60dB, at most 40"),
        ("<speak><sub>a</sub></speak>", "<sub> needs the attribute alias"),
        ("<speak><sub alias='a'><s>b</s></sub></speak>", "<s> cannot be within <sub>"),
        ("<speak><say-as interpret-as='poem'>a</say-as></speak>", "cannot read as 'poem'"),
        ("<speak><phoneme ph='x]]'>a</phoneme></speak>", "is not in the alphabet ipa"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><speak>&b;</speak>", "has a document type"),
        ("<speak>&b;</speak>", "undefined entity"),
    ],
)
def test_bad_markup_is_named_with_line_and_column(text, message):
    with pytest.raises(TextError, match=r"^x:\d+:\d+: ") as caught:
        read(text, "x")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_document_has_no_passage():
    assert read("<speak/>", "x") == []
    assert passages("a") == [Passage("a", place="x:1")]
