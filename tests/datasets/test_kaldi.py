import pytest

from ttskit.datasets import understand
from ttskit.errors import DatasetError


@pytest.fixture
def recipe(tmp_path, tone, say):
    """Make data/train of a recipe with the lists that are given; its audio is in downloads."""

    def make(**lists):
        for name in "ab":
            tone(tmp_path / f"downloads/{name}.wav")
        for name, content in lists.items():
            say(tmp_path / "data/train" / name.replace("_", "."), content)
        return tmp_path / "data/train"

    return make


def rows(found):
    return [(c.id, c.text, c.speaker, c.audio.name, c.start, c.end) for c in found.clips]


def test_lists_are_joined_by_id_in_the_order_of_text(recipe):
    path = recipe(
        wav_scp="a downloads/a.wav\nb\tdownloads/b.wav\r\n",
        text="b  Said by Ben. \r\na Said by Ann.\n",
        utt2spk="a ann\nb ben\n",
        spk2utt="ann a\nben b\n",
    )
    found = understand(path)
    assert found.notes == ("read as kaldi: has wav.scp and text",)
    assert found.bad == ()
    assert rows(found) == [
        ("b", "Said by Ben.", "ben", "b.wav", None, None),
        ("a", "Said by Ann.", "ann", "a.wav", None, None),
    ]


def test_segments_are_parts_of_recordings_and_minus_one_is_the_end(recipe):
    path = recipe(
        wav_scp="a downloads/a.wav\n",
        text="a-1 One.\na-2 Two.\n",
        segments="a-1 a 0 0.08\na-2 a 0.08 -1\n",
    )
    found = understand(path)
    assert rows(found) == [
        ("a-1", "One.", "", "a.wav", 0.0, 0.08),
        ("a-2", "Two.", "", "a.wav", 0.08, None),
    ]


def test_absolute_paths_outside_of_the_folder_are_read(recipe, tmp_path):
    path = recipe(wav_scp=f"a {tmp_path}/downloads/a.wav\n", text="a One.\n")
    assert understand(path).clips[0].audio == tmp_path / "downloads/a.wav"


def test_a_command_is_refused_and_not_run(recipe, tmp_path):
    path = recipe(
        wav_scp=f"a downloads/a.wav\nb touch {tmp_path}/ran; cat downloads/b.wav | sox - - |\n",
        text="a One.\nb Two.\n",
    )
    found = understand(path)
    assert [clip.id for clip in found.clips] == ["a"]
    assert found.bad == (
        (
            "b",
            "wav.scp line 2: is a command, which is not run; "
            "write what it makes to a file and name that",
        ),
    )
    assert not (tmp_path / "ran").exists()


def test_whatever_one_list_has_and_another_lacks_is_reported(recipe):
    path = recipe(
        wav_scp="a downloads/a.wav\nb downloads/b.wav\nc downloads/c.wav\ne\n",
        text="a\nc Three.\nd Four.\ne Five.\n",
    )
    found = understand(path, "kaldi")
    assert found.clips == ()
    assert dict(found.bad) == {
        "a": "text line 1: the text is empty",
        "b": "wav.scp line 2: no line of text",
        "c": "wav.scp line 3: no file downloads/c.wav",
        "d": "text line 3: no line of wav.scp",
        "e": "wav.scp line 4: no file ",
    }


def test_segments_that_cannot_be_used_are_reported(recipe):
    path = recipe(
        wav_scp="a downloads/a.wav\n",
        text="".join(f"s{number} Text.\n" for number in range(1, 6)),
        segments="s1 a 0 soon\ns2 a 1\ns3 z 0 1\ns4 a 2 1\ns6 a 0 1\n",
    )
    assert dict(understand(path).bad) == {
        "s1": "segments line 1: 'a 0 soon' is not a recording, its start and its end in seconds",
        "s2": "segments line 2: 'a 1' is not a recording, its start and its end in seconds",
        "s3": "text line 3: no line of wav.scp for z",
        "s4": "text line 4: ends at 1.0 s, but starts at 2.0 s",
        "s5": "text line 5: no line of segments",
        "s6": "segments line 5: no line of text",
    }


def test_an_id_listed_twice_is_refused(recipe):
    path = recipe(wav_scp="a downloads/a.wav\n", text="a One.\na Two.\n")
    with pytest.raises(DatasetError, match=r"text: listed twice: 1 id \(a on line 2\); ids must"):
        understand(path)


def test_utterances_that_are_their_own_speakers_have_none(recipe):
    path = recipe(
        wav_scp="a downloads/a.wav\nb downloads/b.wav\n",
        text="a One.\nb Two.\n",
        utt2spk="a a\nb b\n",
    )
    found = understand(path)
    assert [clip.speaker for clip in found.clips] == ["", ""]
    assert "utt2spk names each utterance as its speaker: read as no speaker" in found.notes


def test_a_folder_without_texts_is_of_no_known_format(recipe):
    with pytest.raises(DatasetError, match=r"kaldi needs a folder with wav\.scp and text"):
        understand(recipe(wav_scp="a downloads/a.wav\n"))


def test_the_lack_of_a_list_is_named(recipe):
    with pytest.raises(DatasetError, match=r"text: cannot be read: No such file"):
        understand(recipe(wav_scp="a downloads/a.wav\n"), "kaldi")
