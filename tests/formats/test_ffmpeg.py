"""m4a and aac: read through ffmpeg where it is installed, refused in one line where it is not."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from ttskit.datasets import understand
from ttskit.errors import AudioError
from ttskit.formats import audio, ffmpeg

RATE = 22050
installed = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def tone(seconds=1.0, hertz=440):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def coded(path, samples=None):
    """Encode samples, or a second of a tone, as AAC."""
    wav = path.with_suffix(".wav")
    soundfile.write(wav, tone() if samples is None else samples, RATE)
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", wav, "-b:a", "128k", path], check=True)
    wav.unlink()
    return path


@pytest.fixture(autouse=True)
def nothing_decoded():
    ffmpeg._decode.cache_clear()


@installed
def test_an_m4a_has_the_samples_that_were_coded(tmp_path):
    path = coded(tmp_path / "-x.M4A")
    samples, rate = audio.read(path)
    assert rate == RATE
    middle = slice(RATE // 4, 3 * RATE // 4)
    assert np.abs(samples[: len(tone())] - tone())[middle].max() < 0.01
    assert audio.info(path).rate == RATE


@installed
def test_a_raw_stream_of_aac_is_read(tmp_path):
    samples, rate = audio.read(coded(tmp_path / "x.aac"))
    peak = np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples)
    assert peak == pytest.approx(440, abs=2)


@installed
def test_parts_are_those_of_the_whole_and_it_is_decoded_once(tmp_path):
    path = coded(tmp_path / "x.m4a")
    whole, _ = audio.read(path)
    part, _ = audio.read(path, 0.25, 0.5)
    assert np.array_equal(part, whole[round(0.25 * RATE) : round(0.5 * RATE)])
    assert ffmpeg._decode.cache_info().misses == 1


@installed
def test_a_file_that_changed_is_decoded_again(tmp_path):
    path = coded(tmp_path / "x.m4a")
    audio.read(path)
    coded(path, tone(0.5))
    assert audio.info(path).frames < 0.6 * RATE


@installed
@pytest.mark.parametrize("suffix", [".m4a", ".aac"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, suffix):
    path = coded(tmp_path / f"x{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 3] if suffix == ".m4a" else b"hello" * 100)
    with pytest.raises(AudioError, match="damaged, cut short or not AAC") as caught:
        audio.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@installed
@pytest.mark.parametrize("suffix", [".m4a", ".aac"])
def test_a_playlist_is_not_followed_to_other_files(tmp_path, suffix):
    coded(tmp_path / "secret.aac")
    path = tmp_path / f"x{suffix}"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.aac\n#EXT-X-ENDLIST\n")
    with pytest.raises(AudioError, match="damaged, cut short or not AAC"):
        audio.read(path)


def test_without_ffmpeg_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (tmp_path / "x.m4a").write_bytes(b"....ftypM4A ")
    with pytest.raises(AudioError) as caught:
        audio.read(tmp_path / "x.m4a")
    assert str(caught.value) == (
        f"{tmp_path / 'x.m4a'}: .m4a is read through ffmpeg, which is not installed: "
        "install it, or convert the file to wav or flac"
    )


def test_an_m4a_beside_its_text_is_a_pair(tmp_path):
    (tmp_path / "x.m4a").write_bytes(b"....ftypM4A ")
    (tmp_path / "x.txt").write_text("One.")
    assert [clip.audio.name for clip in understand(tmp_path).clips] == ["x.m4a"]
