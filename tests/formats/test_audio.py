import os
import re
import struct
import subprocess
import sys
import tracemalloc
import wave
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal

from tests.interrupts import ctrl_c_everywhere
from ttskit.dsp.samples import BENT, bent, normalise_peak, resample, silence, to_int16, trim
from ttskit.errors import AudioError
from ttskit.formats import audio
from ttskit.speaking.output import open_sound


def sine(frequency, rate, seconds=1.0):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def speechlike(rate, seconds, seed=0):
    """Noise in bursts: no two moments are alike, so that a wrong place shows."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * rate))
    return (0.1 * noise * np.abs(sine(1.5, rate, seconds))).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.AIFF", "x.au", "x.caf", "x.w64"])
def test_reads_what_is_stored_without_loss(tmp_path, name, rate):
    samples = np.round(speechlike(rate, 0.3) * 32768) / 32768
    soundfile.write(tmp_path / name, samples, rate, subtype="PCM_16")
    found, found_rate = audio.read(tmp_path / name)
    assert (found_rate, found.dtype, found.shape) == (rate, np.float32, samples.shape)
    np.testing.assert_array_equal(found, samples)
    assert audio.info(tmp_path / name) == (rate, 1, len(samples))


def test_several_channels_become_their_mean(tmp_path):
    stereo = np.stack([speechlike(16000, 0.2, 1), speechlike(16000, 0.2, 2)], axis=1)
    soundfile.write(tmp_path / "x.wav", stereo, 16000, subtype="FLOAT")
    np.testing.assert_allclose(audio.read(tmp_path / "x.wav")[0], stereo.mean(axis=1), atol=1e-8)
    assert audio.info(tmp_path / "x.wav").channels == 2


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.ogg", "x.mp3"])
def test_a_part_equals_that_part_of_the_whole(tmp_path, name, capfd, monkeypatch):
    monkeypatch.setattr(audio, "DECODED", 100_000)  # so that there are several
    rate = 22050
    soundfile.write(tmp_path / name, speechlike(rate, 20), rate)
    whole, _ = audio.read(tmp_path / name)
    decoded, _ = soundfile.read(tmp_path / name, dtype="float32")
    np.testing.assert_allclose(whole, decoded, atol=1e-6)
    for start in np.random.default_rng(0).uniform(0, 19, size=40):
        part, _ = audio.read(tmp_path / name, start, start + 0.5)
        first = round(start * rate)
        np.testing.assert_allclose(part, whole[first : round((start + 0.5) * rate)], atol=1e-6)
    np.testing.assert_allclose(
        audio.read(tmp_path / name, start=19)[0], whole[19 * rate :], atol=1e-6
    )
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-1, 0.5, "from -1 to 0.5 s is not a part"),
        (0.5, 0.5, "from 0.5 to 0.5 s is not a part"),
        (0, 2, "from 0 to 2 s is beyond its end at 1.000 s"),
        (1.05, 1.08, "from 1.05 to 1.08 s is beyond its end"),
    ],
)
def test_a_part_outside_of_the_file_is_refused(tmp_path, start, end, message):
    soundfile.write(tmp_path / "x.wav", speechlike(8000, 1), 8000)
    with pytest.raises(AudioError, match=message):
        audio.read(tmp_path / "x.wav", start, end)
    assert len(audio.read(tmp_path / "x.wav", 0.5, 1.05)[0]) == 4000


@pytest.mark.parametrize(("rate", "gigabytes"), [(22050, 4.0), (768_000, 1.5), (8, 0.1)])
def test_a_recording_that_declares_more_than_an_hour_is_refused_unread(tmp_path, rate, gigabytes):
    path = tmp_path / "x.wav"
    size = round(gigabytes * 1e9)
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    with path.open("wb") as file:
        file.write(b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + form)
        file.write(b"data" + struct.pack("<I", size))
        file.truncate(44 + size)  # sparse: it takes no room on the disk
    assert audio.info(path).frames == size // 2
    with pytest.raises(AudioError, match=rf"x.wav: lasts {size // 2 / rate:.0f} s at {rate} Hz"):
        audio.read(path)
    with pytest.raises(AudioError, match=r"entirely silent from 1\.0 to 2\.0 s"):
        audio.read(path, 1.0, 2.0)


def test_many_channels_take_the_memory_of_one(tmp_path):
    samples = np.repeat(speechlike(8000, 20)[:, None], 64, axis=1)
    soundfile.write(tmp_path / "x.wav", samples, 8000, subtype="FLOAT")
    tracemalloc.start()
    mono, _ = audio.read(tmp_path / "x.wav")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_allclose(mono, samples[:, 0], atol=1e-6)
    assert peak < samples.nbytes / 2


def without_length(path):
    soundfile.write(path, speechlike(8000, 1), 8000, format="FLAC")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # 36 bits of the header count the samples
    content[22:26] = bytes(4)
    path.write_bytes(content)


def zeros(path):
    soundfile.write(path, np.zeros(800), 8000)


def without_samples(path):
    soundfile.write(path, np.zeros(0), 8000)


def cancelling(path):
    tone = sine(100, 8000, 0.1) / 2
    soundfile.write(path, np.stack([tone, -tone], axis=1), 8000, subtype="FLOAT")


def with_value(value):
    def make(path):
        samples = speechlike(8000, 1)
        samples[4000] = value
        soundfile.write(path, samples, 8000, subtype="FLOAT")

    return make


def nothing(path):
    assert not path.exists()


def a_link(path):
    path.symlink_to("nowhere.wav")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, "cannot be read: No such file"),
        (a_link, "cannot be read: a link that leads nowhere"),
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: path.write_bytes(b""), r"empty \(0 bytes\)"),
        (lambda path: path.write_text("hello"), "not audio that libsndfile reads"),
        (without_samples, r"empty \(a header, but no samples\)"),
        (without_length, "its header does not say how long it is, as of a stream"),
        (zeros, "entirely silent; needs a recording of speech"),
        (cancelling, "its channels cancel each other"),
        (with_value(np.nan), "NaN or infinity at 0.5000 s"),
        (with_value(-np.inf), "NaN or infinity at 0.5000 s"),
    ],
)
def test_a_recording_that_cannot_be_used_is_named(tmp_path, make, message):
    path = tmp_path / "x.wav"
    make(path)
    with pytest.raises(AudioError, match=f"^{re.escape(str(path))}: .*{message}") as caught:
        audio.read(path)
    assert "\n" not in str(caught.value)


def test_silence_within_a_recording_is_named_with_its_place(tmp_path):
    samples = np.concatenate([speechlike(8000, 1), np.zeros(8000)])
    soundfile.write(tmp_path / "x.wav", samples, 8000)
    with pytest.raises(AudioError, match=r"entirely silent from 1\.5 to 2\.0 s"):
        audio.read(tmp_path / "x.wav", 1.5, 2.0)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64"])
def test_a_file_cut_in_half_is_refused(tmp_path, suffix, capfd):
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, speechlike(22050, 5), 22050)
    audio.read(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"cut short|malformed"):
        audio.read(path)
    assert capfd.readouterr().err == ""


def test_an_ogg_that_ends_between_two_pages_is_refused(tmp_path):
    path = tmp_path / "x.ogg"
    soundfile.write(path, speechlike(22050, 5), 22050)
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"OggS")])
    with pytest.raises(AudioError, match="cut short: the last page"):
        audio.read(path)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF024])
def test_a_wav_that_was_written_to_a_pipe_is_read(tmp_path, size):
    soundfile.write(tmp_path / "x.wav", speechlike(8000, 1), 8000)
    content = bytearray((tmp_path / "x.wav").read_bytes())
    content[4:8] = content[40:44] = size.to_bytes(4, "little")
    (tmp_path / "x.wav").write_bytes(content)
    assert len(audio.read(tmp_path / "x.wav")[0]) == 8000


@pytest.mark.parametrize("rates", [(44100, 22050), (16000, 22050), (8000, 22050), (48000, 16000)])
def test_a_resampled_sine_is_the_sine(rates):
    found = resample(sine(1000, rates[0]).astype(np.float32), *rates)
    middle = slice(rates[1] // 10, -rates[1] // 10)
    assert np.abs(found - sine(1000, rates[1]))[middle].max() < 1e-5


def test_resampling_agrees_with_a_polyphase_filter():
    wave = sine(300, 44100) + sine(2000, 44100) / 2 + sine(5000, 44100) / 4
    found = resample(wave.astype(np.float32), 44100, 22050)
    expected = signal.resample_poly(wave, 1, 2, window=("kaiser", 14.0))
    assert np.abs(found - expected)[2000:-2000].max() < 2e-3


def test_resampling_keeps_nothing_above_the_new_band():
    found = resample(sine(15000, 44100).astype(np.float32), 44100, 22050)
    assert np.abs(found[2000:-2000]).max() < 1e-5


@pytest.mark.parametrize("length", [0, 1, 2, 3, 999, 1000, 1001, 44101])
@pytest.mark.parametrize("rates", [(44100, 22050), (8000, 22050), (22050, 16000), (16000, 16000)])
def test_resampling_has_the_length_that_it_promises(length, rates):
    found = resample(np.ones(length, np.float32), *rates)
    assert len(found) == int(length * rates[1] / rates[0] + 0.5)
    assert found.dtype == np.float32


def test_16_bit_rounds_and_counts_what_is_beyond_full_scale():
    samples = np.array([0, 0.6 / 32768, -0.6 / 32768, 1, -1, 1.1, -2], np.float32)
    found, clipped = to_int16(samples)
    assert found.tolist() == [0, 1, -1, 32767, -32768, 32767, -32768]
    assert (found.dtype, clipped) == (np.int16, 2)
    every = np.arange(-32768, 32768).astype(np.int16)
    assert to_int16((every / 32768).astype(np.float32))[0].tolist() == every.tolist()


def test_peaks_are_bent_without_a_corner_and_stay_within_full_scale():
    straight = np.linspace(-0.8, 0.8, 99, dtype=np.float32)
    assert (bent(straight) == straight).all()
    loud = np.linspace(0.8, 1.6, 801, dtype=np.float32)
    slopes = np.diff(bent(loud)) / np.diff(loud)
    assert slopes[0] == pytest.approx(1, abs=0.01)
    assert (np.diff(slopes) < 1e-3).all()
    assert slopes.min() > 0
    assert bent(loud).max() < 1
    assert bent(np.array([1, -1], np.float32)) == pytest.approx([BENT, -BENT])
    assert 0.8 < BENT < 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_nan_is_refused_as_a_sample(wrong):
    with pytest.raises(AudioError, match="not of numbers throughout"):
        to_int16(np.array([0, wrong], np.float32))


def test_the_reason_why_a_folder_is_unwritable_is_named():
    with pytest.raises(OSError, match="No such file"), open_sound(Path("/proc/x.wav"), 8000):
        pass


def test_the_peak_is_what_was_asked_for():
    found = normalise_peak(np.array([0.1, -0.2], np.float32), -6.0)
    np.testing.assert_allclose(found, [10 ** (-6 / 20) / 2, -(10 ** (-6 / 20))], rtol=1e-6)
    assert normalise_peak(np.zeros(3, np.float32), 0).tolist() == [0, 0, 0]
    with pytest.raises(AudioError, match="at most 0"):
        normalise_peak(found, 1.0)


@pytest.mark.parametrize("level", [1.0, 0.01])
@pytest.mark.parametrize("noise", [0, 1e-4, 1e-3, 1e-2])
def test_trim_finds_the_speech_in_silence_and_in_noise(level, noise):
    rate = 22050
    samples = noise * np.random.default_rng(0).normal(size=3 * rate)
    samples[rate : 2 * rate] += 0.3 * sine(200, rate)
    samples[rate + rate // 3 : rate + rate // 2] *= 0.01  # a pause, which stays
    samples = (level * samples).astype(np.float32)
    found = trim(samples, rate, pad=0.1)
    assert len(found) / rate == pytest.approx(1.2, abs=0.04)
    first = (found.ctypes.data - samples.ctypes.data) // samples.itemsize
    assert first / rate == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("floor", "loud", "silent"),
    [(-90, -20, -60), (-50, -20, -44), (-32, -20, -30), (-25, -20, -30)],
)
def test_silent_is_40_db_below_the_loud_or_near_the_floor(floor, loud, silent):
    levels = np.repeat(np.array([floor, loud], float), 50)
    assert silence(levels) == pytest.approx((silent, floor))


@pytest.mark.parametrize("samples", [sine(200, 16000), speechlike(16000, 0.01), np.zeros(16000)])
def test_trim_leaves_audio_without_silence(samples):
    samples = samples.astype(np.float32)
    assert trim(samples, 16000) is samples


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".WAV"])
def test_writes_the_same_bytes_each_time(tmp_path, suffix):
    samples = speechlike(22050, 4)
    for name in "ab":
        assert audio.write(tmp_path / (name + suffix), samples, 22050) == 0
    written = (tmp_path / f"a{suffix}").read_bytes()
    assert written == (tmp_path / f"b{suffix}").read_bytes()
    found, rate = audio.read(tmp_path / f"a{suffix}")
    assert (rate, len(found)) == (22050, len(samples))
    error = np.abs(found - samples)
    assert error.max() <= (0.6 / 32768 if suffix != ".ogg" else 0.5)
    assert np.corrcoef(found, samples)[0, 1] > 0.85
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_writes_wav_that_the_standard_library_reads(tmp_path):
    assert audio.write(tmp_path / "x.wav", np.array([0, 1.5, -0.5], np.float32), 8000) == 1
    with wave.open(str(tmp_path / "x.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert np.frombuffer(file.readframes(9), "<i2").tolist() == [0, 32767, -16384]
    whole = np.array([1, 2, 3], np.int16)
    audio.write(tmp_path / "x.wav", whole, 8000)
    assert (audio.read(tmp_path / "x.wav")[0] * 32768).tolist() == [1, 2, 3]


def test_a_failed_write_of_audio_keeps_the_old_file(tmp_path, monkeypatch):
    audio.write(tmp_path / "x.wav", speechlike(8000, 1), 8000)
    before = (tmp_path / "x.wav").read_bytes()

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(AudioError, match=r"x\.wav: cannot be written: No space left on device"):
        audio.write(tmp_path / "x.wav", speechlike(8000, 2), 8000)
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]
    assert (tmp_path / "x.wav").read_bytes() == before


@pytest.mark.parametrize("suffix", audio.WRITABLE)
def test_ctrl_c_is_obeyed_wherever_it_comes_while_audio_is_encoded(suffix):
    """An exception in what libsndfile calls back would be lost, and tear the file."""
    samples = np.arange(100_000, dtype=np.int16)
    obeyed = list(
        ctrl_c_everywhere(lambda: audio.encode(samples, 16000, suffix), within="soundfile.py")
    )
    assert len(obeyed) > 10
    assert all(obeyed)


@pytest.mark.parametrize("name", ["x", "x.m4a", "x.pcm"])
def test_an_unknown_suffix_lists_the_known(tmp_path, name):
    with pytest.raises(AudioError, match=r"give one of \.wav, \.flac, \.ogg"):
        audio.write(tmp_path / name, speechlike(8000, 1), 8000)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AudioError, match="cannot be written: No such file or directory"):
        audio.write(tmp_path / "nowhere/x.wav", speechlike(8000, 1), 8000)


USE = """
import sys
import tracemalloc
sys.path[:0] = sys.argv[1:]
from ttskit.dsp import engines
torchaudio = engines.torchaudio()
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fake(folder, extension):
    """A torchaudio that imports its extension as the real one does."""
    (folder / "torchaudio").mkdir()
    (folder / "torchaudio/__init__.py").write_text(
        "from torchaudio._extension import _IS_TORCHAUDIO_EXT_AVAILABLE as extended\n"
    )
    (folder / "torchaudio/_extension.py").write_text(extension)
    return folder


def test_a_torchaudio_that_imports_is_used_as_it_is(tmp_path):
    fake(tmp_path, "_IS_TORCHAUDIO_EXT_AVAILABLE = True\n")
    found = run(USE + "print(torchaudio.extended, torchaudio._extension.__file__)", tmp_path)
    assert found.stdout.split() == ["True", str(tmp_path / "torchaudio/_extension.py")]


def test_a_torchaudio_whose_extension_does_not_load_goes_without(tmp_path):
    fake(tmp_path, "raise OSError('libcudart.so.13: cannot open shared object file')\n")
    code = USE + (
        "print(torchaudio.extended)\n"
        "from torchaudio import _extension\n"
        "try: _extension.fail_if_no_align(len)()\n"
        "except RuntimeError as error: print(error)\n"
    )
    found = run(code, tmp_path)
    assert found.stdout.splitlines() == [
        "False",
        "this function needs torchaudio's compiled extension",
    ]


def test_a_torchaudio_that_is_not_installed_is_an_import_error(tmp_path):
    (tmp_path / "torchaudio.py").write_text("raise ModuleNotFoundError('no torchaudio')")
    assert "ModuleNotFoundError: no torchaudio" in run(USE, tmp_path).stderr


@pytest.mark.skipif(not util.find_spec("torchaudio"), reason="torchaudio is not installed")
def test_the_installed_torchaudio_resamples():
    code = USE + (
        "import torch\n"
        "wave = torch.sin(torch.arange(1600) * 0.1)\n"
        "print(len(torchaudio.functional.resample(wave, 16000, 8000)))\n"
        "print(torchaudio.transforms.MelSpectrogram(16000)(wave).shape[0])\n"
    )
    found = run(code)
    assert (found.stdout.split(), found.stderr) == (["800", "128"], "")


@pytest.mark.parametrize("suffix", audio.WRITABLE)
def test_a_write_that_libsndfile_does_not_report_is_noticed(tmp_path, monkeypatch, suffix):
    """The disk is full while the file is closed: what was written last is missing."""
    close = soundfile.SoundFile.close

    def torn(file):
        name, is_open = file.name, not file.closed
        close(file)
        if is_open and file.mode == "w":
            where = name if isinstance(name, int) else os.open(name, os.O_RDWR)
            os.ftruncate(where, os.fstat(where).st_size // 2)

    monkeypatch.setattr(soundfile.SoundFile, "close", torn)
    path = tmp_path / f"x{suffix}"
    samples = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)
    with pytest.raises(AudioError, match="cannot be written as a whole"):
        audio.write(path, samples, 8000)
    with pytest.raises(AudioError, match="cannot be written as a whole"):  # noqa: SIM117
        with open_sound(path, 8000) as write:
            write(samples)
    assert not path.exists()
