import pytest

from ttskit.datasets import searched
from ttskit.errors import DatasetError


@pytest.fixture
def talk(tmp_path, tone):
    tone(tmp_path / "talk.wav", seconds=20.0)
    (tmp_path / "talk.txt").write_text("Goed zo. Nog een keer.\n\nNu niet. Tot slot.\n")
    return tmp_path / "talk.wav", tmp_path / "talk.txt"


def test_clips_are_the_sentences_that_were_found_with_a_little_of_the_pauses(talk):
    recording, text = talk
    asked = []

    def find(sentences):
        asked.extend(sentences)
        return [(0, 1.0, 3.0), (1, 3.1, 5.0), (3, 12.0, 14.5)]

    found = searched.read(recording, text, "nl", find)
    assert asked == ["Goed zo.", "Nog een keer.", "Nu niet.", "Tot slot."]
    assert [(clip.id, clip.text) for clip in found.clips] == [
        ("talk_0001", "Goed zo."), ("talk_0002", "Nog een keer."), ("talk_0004", "Tot slot."),
    ]  # fmt: skip
    times = [time for clip in found.clips for time in (clip.start, clip.end)]
    assert times == pytest.approx([0.9, 3.05, 3.05, 5.1, 11.9, 14.6])


def test_what_was_not_found_is_on_record(talk):
    recording, text = talk
    found = searched.read(recording, text, "nl", lambda _: [(0, 1.0, 3.0), (3, 12.0, 14.5)])
    assert found.bad == (
        ("talk_0002", "talk.txt sentence 2: not found in talk.wav: Nog een keer."),
        ("talk_0003", "talk.txt sentence 3: not found in talk.wav: Nu niet."),
    )
    assert "2 of 4 sentences of talk.txt found" in found.notes
    assert "in no sentence, 3 s or more: 9 s at 3 s, 6 s at 14 s" in found.notes


def test_a_text_of_something_else_is_refused(talk):
    recording, text = talk
    with pytest.raises(DatasetError, match=r"talk\.txt: none of its sentences was found in talk"):
        searched.read(recording, text, "nl", lambda _: [])
