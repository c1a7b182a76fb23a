import pytest

from ttskit.datasets import understand
from ttskit.errors import DatasetError


def test_reads_speakers_and_prefers_the_first_microphone(tmp_path, tone, say):
    top = tmp_path / "wav48_silence_trimmed"
    for name in ("p225/p225_001_mic1", "p225/p225_001_mic2", "s5/s5_002_mic2"):
        tone(top / f"{name}.flac", rate=48000)
    say(tmp_path / "txt/p225/p225_001.txt", "Please call Stella.\n")
    say(tmp_path / "txt/s5/s5_002.txt", "Ask her.\n")
    say(tmp_path / "speaker-info.txt", "ID AGE\np225 23 F\np280 20 F\ns5 20 F\n")
    found = understand(tmp_path)
    assert (found.format, found.bad) == ("vctk", ())
    assert [(c.id, c.speaker, c.text, c.audio.name) for c in found.clips] == [
        ("p225_001", "p225", "Please call Stella.", "p225_001_mic1.flac"),
        ("s5_002", "s5", "Ask her.", "s5_002_mic2.flac"),
    ]
    assert found.notes[1:] == (
        "two microphones, the first is read: 1 utterance (p225_001)",
        "no first microphone, the second is read: 1 utterance (s5_002)",
        "speaker-info.txt lists without recordings: 1 speaker (p280)",
    )


def test_recordings_without_text_and_texts_without_recording_are_reported(tmp_path, tone, say):
    for number in (1, 2):
        tone(tmp_path / f"wav48/p315/p315_00{number}.wav", rate=48000)
    say(tmp_path / "txt/p315/p315_002.txt", "Two.")
    say(tmp_path / "txt/p315/p315_003.txt", "Three.")
    found = understand(tmp_path)
    assert [clip.id for clip in found.clips] == ["p315_002"]
    assert found.bad == (
        ("p315_001", "p315/p315_001: no txt/p315/p315_001.txt"),
        ("p315_003", "p315/p315_003: no wav48/p315/p315_003.*"),
    )


def test_another_folder_is_refused_with_what_vctk_needs(tmp_path):
    with pytest.raises(DatasetError, match="vctk needs the folders txt/ and"):
        understand(tmp_path, "vctk")
