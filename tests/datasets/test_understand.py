import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factory import write_corpus
from ttskit.datasets import FORMATS, digest, understand
from ttskit.datasets.manifest import COLUMNS
from ttskit.errors import DatasetError
from ttskit.formats import audio


@pytest.fixture
def corpus(tmp_path, tone, say):
    for name in "ab":
        tone(tmp_path / f"corpus/wavs/{name}.wav")
    say(tmp_path / "corpus/metadata.csv", "a|A.\nb|B.\nc|C.\n")
    return tmp_path / "corpus"


def test_the_error_for_an_unknown_folder_lists_what_formats_need(tmp_path, say):
    say(tmp_path / "x.doc", "?")
    with pytest.raises(DatasetError) as caught:
        understand(tmp_path)
    for name, module in FORMATS.items():
        assert f"{name} needs {module.NEEDS}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("what", ["empty folder", "empty file"])
def test_every_format_refuses_an_empty_path_in_one_line(tmp_path, say, format, what):
    path = say(tmp_path / "x.csv", "") if what == "empty file" else tmp_path
    with pytest.raises(DatasetError) as caught:
        understand(path, format)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_format_lists_the_known(corpus):
    with pytest.raises(DatasetError, match="unknown format ljspech; known are ljspeech, libritts"):
        understand(corpus, "ljspech")


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DatasetError, match="nowhere: no such folder or file"):
        understand(tmp_path / "nowhere")


def test_a_dataset_that_fits_two_formats_is_refused(corpus, say):
    say(corpus / "wavs/a.txt", "A.")
    with pytest.raises(DatasetError, match=r"could be ljspeech \(.*\), or pairs \(wavs/a.wav and"):
        understand(corpus)
    assert understand(corpus, "ljspeech").notes[0] == "read as ljspeech: as asked for"


def test_a_link_that_leads_back_is_named(corpus):
    (corpus / "wavs/again").symlink_to(corpus / "wavs")
    with pytest.raises(DatasetError, match=r"wavs/again: a link that leads back"):
        understand(corpus)


def test_linked_folders_and_files_are_read(corpus, tmp_path):
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/wavs").symlink_to(corpus / "wavs")
    (tmp_path / "linked/metadata.csv").symlink_to(corpus / "metadata.csv")
    (corpus / "wavs/c.wav").symlink_to("nowhere.wav")
    found = understand(tmp_path / "linked")
    assert [clip.id for clip in found.clips] == ["a", "b"]
    assert [id for id, _ in found.bad] == ["c"]
    assert found.bad[0][1].endswith("c.wav: a link that leads nowhere")


def test_a_folder_that_cannot_be_listed_is_named(corpus, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DatasetError, match=r"corpus: cannot be listed: Permission denied"):
        understand(corpus)


def test_a_file_that_may_not_be_read_is_named(corpus, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DatasetError, match=r"metadata\.csv: cannot be read: Permission denied"):
        understand(corpus)
    with pytest.raises(DatasetError, match=r"n{300}: cannot be read: File name too long"):
        understand(corpus / ("n" * 300))


def test_a_file_name_that_is_not_utf8_is_reported(tmp_path, tone):
    tone(tmp_path / "a.wav")
    (tmp_path / "a.txt").write_text("A.")
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9"))
    shutil.copy(tmp_path / "a.wav", strange.with_suffix(".wav"))
    shutil.copy(tmp_path / "a.txt", strange.with_suffix(".txt"))
    found = understand(tmp_path)
    assert [clip.id for clip in found.clips] == ["a"]
    assert found.bad == (("\\udce9.txt", found.bad[0][1]),)
    assert "has a slash or an unprintable character" in found.bad[0][1]


def test_the_digest_depends_on_content_and_not_on_location(corpus, tmp_path, tone, say):
    found = understand(corpus)
    first = digest(found)
    shutil.copytree(corpus, tmp_path / "copy")
    assert digest(understand(tmp_path / "copy")) == first
    assert digest(dataclasses.replace(found, notes=())) == first
    assert digest(dataclasses.replace(found, clips=found.clips[::-1])) != first
    tone(corpus / "wavs/a.wav", seconds=0.3)
    longer = digest(understand(corpus))
    say(corpus / "metadata.csv", "a|A!\nb|B.\nc|C.\n")
    other = digest(understand(corpus))
    say(corpus / "metadata.csv", "a|A!\nb|B.\n")
    assert len({first, longer, other, digest(understand(corpus))}) == 4


def test_understanding_a_dataset_loads_no_heavy_module():
    code = (
        "import sys, ttskit.datasets, ttskit.formats.audio\n"
        "sys.exit(', '.join({'numpy', 'soundfile', 'soxr', 'h5py'} & sys.modules.keys()) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_documentation_names_every_format_and_column():
    text = (Path(__file__).parents[2] / "docs/datasets.md").read_text()
    for name in FORMATS:
        assert f"| `{name}` |" in text
        assert f"\n## {name}\n" in text
    for role, names in COLUMNS.items():
        assert role in text
        assert ", ".join(names) in text


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "format", "clips", "hours", "speakers", "rate"),
    [
        ("kathleen", "pairs", 1563, 1.3215, 1, 22050),
        ("LJSpeech-1.1", "ljspeech", 24, 0.0444, 1, 22050),
        ("nathalie", "ljspeech", 1130, 0.697, 1, None),
        ("kerstin", "ljspeech", 300, 0.3944, 1, None),
        ("digits", "ljspeech", 300, 0.0359, 6, 8000),
    ],
)
def test_real_recordings_are_understood(name, format, clips, hours, speakers, rate):
    if "TTSKIT_CORPORA" not in os.environ:
        pytest.skip("TTSKIT_CORPORA does not say where the real recordings are")
    found = understand(Path(os.environ["TTSKIT_CORPORA"]) / name)
    assert (found.format, len(found.clips), found.bad) == (format, clips, ())
    assert len({clip.speaker for clip in found.clips}) == speakers
    headers = [audio.info(clip.audio) for clip in found.clips]
    seconds = sum(header.frames / header.rate for header in headers)
    assert round(seconds / 3600, 4) == pytest.approx(hours, abs=6e-5)
    assert rate is None or {header.rate for header in headers} == {rate}


def test_an_artifact_is_no_dataset_but_what_is_made_of_one(tmp_path):
    path = write_corpus(tmp_path / "corpus.h5")
    with pytest.raises(DatasetError) as caught:
        understand(path)
    assert str(caught.value) == (
        f"{path}: is an artifact already (corpus): go on with `ttskit features corpus.h5`, or "
        "name the folder or the file that it was made from"
    )
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DatasetError, match=r"is an artifact already$"):
        understand(path)
