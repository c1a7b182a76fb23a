import gzip
import json

import pytest

from ttskit.datasets import understand
from ttskit.errors import DatasetError


def cut(name="a", text="One.", start=0.0, seconds=0.2, file=None, **others):
    """Return a cut as Lhotse writes it, of one supervision."""
    supervision = {"id": f"{name}-sup", "recording_id": name, "start": 0.0, "duration": seconds}
    source = {"type": "file", "channels": [0], "source": file or f"audio/{name}.wav"}
    return {
        "id": name,
        "start": start,
        "duration": seconds,
        "channel": 0,
        "supervisions": [{**supervision, "channel": 0, "text": text, "speaker": "ann"}],
        "recording": {
            "id": name,
            "sources": [source],
            "sampling_rate": 16000,
            "num_samples": 3200,
            "duration": 0.2,
            "channel_ids": [0],
        },
        "type": "MonoCut",
        **others,
    }


@pytest.fixture
def save(tmp_path, tone):
    """Save cuts, with audio/a.wav and audio/b.wav beside them."""

    def write(*cuts, name="cuts.jsonl"):
        for stem in "ab":
            tone(tmp_path / f"audio/{stem}.wav")
        lines = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in cuts)
        path = tmp_path / name
        content = lines.encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


def rows(found):
    return [(c.id, c.text, c.speaker, c.audio.name, c.start, c.end) for c in found.clips]


@pytest.mark.parametrize("name", ["cuts.jsonl", "cuts_train.jsonl.gz"])
def test_cuts_are_read_from_the_file_or_its_folder(save, name):
    path = save(cut("b", "Two."), cut("a", "One.", start=0.05, seconds=0.1), name=name)
    for source in (path, path.parent):
        found = understand(source)
        assert (found.format, found.bad) == ("lhotse", ())
        assert rows(found) == [
            ("b", "Two.", "ann", "b.wav", 0.0, 0.2),
            ("a", "One.", "ann", "a.wav", 0.05, 0.15),
        ]


def test_each_supervision_of_a_cut_is_an_utterance_at_its_time_in_the_recording(save):
    said = [
        {"id": "x", "start": -0.02, "duration": 0.07, "text": "One."},
        {"id": "y", "start": 0.05, "duration": 0.05, "text": "Two.", "speaker": "ben"},
    ]
    found = understand(save(cut("a", start=0.1, seconds=0.1, supervisions=said)))
    assert rows(found) == [
        ("x", "One.", "", "a.wav", 0.08, 0.15),
        ("y", "Two.", "ben", "a.wav", 0.15, 0.2),
    ]


def test_paths_are_found_from_a_folder_above_and_outside(save, tmp_path, tone):
    tone(tmp_path / "elsewhere/c.wav")
    (tmp_path / "data").mkdir()
    path = save(cut(), cut("c", file=f"{tmp_path}/elsewhere/c.wav"), name="data/cuts.jsonl")
    assert [clip.audio.resolve() for clip in understand(path).clips] == [
        tmp_path / "audio/a.wav",
        tmp_path / "elsewhere/c.wav",
    ]


def test_the_source_with_the_channel_of_the_cut_is_read(save):
    made = cut()
    sources = [{"type": "file", "channels": [n], "source": f"audio/{'ab'[n]}.wav"} for n in (0, 1)]
    made["recording"]["sources"] = sources
    made["channel"] = 1
    assert understand(save(made)).clips[0].audio.name == "b.wav"


def test_a_mean_of_channels_is_noted(save):
    made = cut()
    made["recording"]["sources"][0]["channels"] = [0, 1]
    assert (
        "of recordings with several channels, of which the mean is read: 1 cut"
        in understand(save(made)).notes
    )


def test_every_cut_that_cannot_be_used_is_reported(save):
    url, changed = cut("url"), cut("changed")
    url["recording"]["sources"][0] |= {"type": "url", "source": "https://example.org/a.wav"}
    changed["recording"]["transforms"] = [{"name": "Speed", "kwargs": {"factor": 1.1}}]
    found = understand(
        save(
            cut(),
            cut("gone"),
            cut("empty", "", file="audio/a.wav"),
            cut("silent", supervisions=[]),
            cut("features", recording=None),
            cut("mixed", type="MixedCut"),
            cut("late", start="soon", file="audio/a.wav"),
            cut("long", seconds=-1.0, file="audio/a.wav"),
            url,
            changed,
            "[1]",
            "{",
            {"id": "odd"},
        )
    )
    assert [clip.id for clip in found.clips] == ["a"]
    bad = dict(found.bad)
    assert {name: reason.partition(": ")[2] for name, reason in bad.items() if "." not in name} == {
        "gone": "no file audio/gone.wav",
        "empty": "the text is empty",
        "silent": "has no supervision, which holds the text",
        "features": "has no recording, only features; needs cuts with recordings",
        "mixed": "is a MixedCut, needs MonoCut or MultiCut",
        "late": "is not a cut: ValueError could not convert string to float: 'soon'",
        "long": "-1.0 is not a time; needs seconds from the start of the file",
        "url": "its recording is of type url, needs a file",
        "changed": "its recording is changed by Speed; save the audio of the cuts first",
        "odd": "has no supervision, which holds the text",
    }
    assert bad["cuts.jsonl line 11"] == "is not a JSON object with named values"
    assert bad["cuts.jsonl line 12"].startswith("is not JSON: ")


def test_two_files_of_cuts_in_a_folder_are_to_be_chosen_from(save):
    save(cut(), name="cuts_train.jsonl")
    path = save(cut("b"), name="cuts_dev.jsonl")
    with pytest.raises(DatasetError, match=r"has 2 files \(cuts_dev.jsonl, cuts_train.jsonl\) of"):
        understand(path.parent)


def test_a_file_that_is_cut_short_is_named_by_its_last_whole_line(save):
    path = save(
        *(cut(f"x{number}", file="audio/a.wav") for number in range(2000)), name="c.jsonl.gz"
    )
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DatasetError, match=r"c.jsonl.gz: after line \d+: cannot be decompressed"):
        understand(path, "lhotse")


def test_a_manifest_with_named_columns_is_not_cuts(save):
    path = save({"audio_filepath": "audio/a.wav", "text": "One.", "duration": 0.2})
    assert understand(path).format == "manifest"
