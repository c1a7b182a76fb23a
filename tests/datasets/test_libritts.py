import pytest

from ttskit.datasets import understand
from ttskit.errors import DatasetError


@pytest.fixture
def corpus(tmp_path, tone, say):
    for speaker, chapter, name in (
        ("103", "1240", "000000_000001"),
        ("14", "208", "000001_000000"),
    ):
        stem = tmp_path / f"train-clean-100/{speaker}/{chapter}/{speaker}_{chapter}_{name}"
        tone(stem.with_suffix(".wav"), rate=24000)
        say(stem.with_suffix(".original.txt"), f"Dr. {speaker}\n")
        say(stem.with_suffix(".normalized.txt"), f"Doctor {speaker}\n")
    return tmp_path


@pytest.mark.parametrize("below", ["", "train-clean-100", "train-clean-100/103"])
def test_reads_the_original_text_and_the_speaker_from_any_level(corpus, below):
    found = understand(corpus / below)
    assert (found.format, found.bad, len(found.notes)) == ("libritts", (), 1)
    clip = found.clips[0]
    assert (clip.id, clip.text, clip.speaker) == ("103_1240_000000_000001", "Dr. 103", "103")
    assert len(found.clips) == (1 if below.endswith("103") else 2)


def test_a_standard_split_is_read_by_its_name(corpus, tone, say):
    for name in ("000002_000000", "000003_000000"):
        stem = corpus / f"test-clean/61/70968/61_70968_{name}"
        tone(stem.with_suffix(".wav"))
    say(stem.with_suffix(".original.txt"), "Three.")
    found = understand(corpus)
    test = found.part("test-clean")
    assert [clip.id for clip in test.clips] == ["61_70968_000003_000000"]
    assert [id for id, _ in test.bad] == ["61_70968_000002_000000"]
    assert len(found.part("train-clean-100").clips) == len(found.clips) - 1 == 2
    with pytest.raises(DatasetError, match="no part 'tset'; there is test-clean, train-clean-100"):
        found.part("tset")
    with pytest.raises(DatasetError, match="no part 'test-clean'; it comes with none"):
        understand(corpus / "test-clean").part("test-clean")


def test_recordings_without_text_and_texts_without_recording_are_reported(corpus, tone, say):
    top = corpus / "train-clean-100/14/208"
    tone(top / "14_208_000002_000000.wav")
    say(top / "14_208_000003_000000.normalized.txt", "Three.")
    tone(top / "14_208_000004_000000.wav")
    say(top / "14_208_000004_000000.normalized.txt", "Four.")
    tone(top / "intro.wav")
    found = understand(corpus)
    place = "train-clean-100/14/208/14_208_00000"
    assert found.bad == (
        ("14_208_000002_000000", f"{place}2_000000: has neither .original.txt nor .normalized.txt"),
        ("14_208_000003_000000", f"{place}3_000000: has a text, but no audio"),
    )
    assert found.clips[-1].text == "Four."
    assert any("the .normalized.txt is read: 2 files" in note for note in found.notes)
    assert any(
        "not read: 1 audio file (train-clean-100/14/208/intro.wav)" in n for n in found.notes
    )
