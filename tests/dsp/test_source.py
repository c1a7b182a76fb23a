"""Audio from mel and pitch: what was planted is in it."""

import numpy as np
import pytest
import torch

from ttskit.dsp import speechlike
from ttskit.dsp.mel import MelSettings, filters, mel
from ttskit.dsp.melpitch import line
from ttskit.dsp.source import HIGHEST, excitation, pulses, source

RATE, HOP = 22050, 256
SETTINGS = MelSettings()


@pytest.fixture(autouse=True)
def one_thread():
    """On a busy machine torch's threads wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def spectrum(audio):
    return np.abs(np.fft.rfft(audio * np.hanning(len(audio))))


def constant(f0: float, frames: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(frames, f0, np.float32), np.ones(frames, bool)


def buzz(f0: float, frames: int) -> np.ndarray:
    return pulses(torch.full((1, frames), f0), SETTINGS)[0].numpy()


def test_pulses_are_the_sum_of_their_cosines():
    f0 = np.linspace(180, 240, 40).astype(np.float32)
    found = pulses(torch.from_numpy(f0)[None], SETTINGS)[0].numpy()
    pitch = np.interp((np.arange(40 * HOP) + 0.5) / HOP - 0.5, np.arange(40), f0)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    total = np.zeros(len(phase))
    for k in range(1, int(HIGHEST / 180) + 1):
        total += np.where(k * pitch <= HIGHEST, np.cos(k * phase), 0)
    np.testing.assert_allclose(found, total * np.sqrt(4 * pitch / RATE), atol=2e-3)


def test_pulses_have_the_power_of_white_noise_below_their_highest():
    found = spectrum(buzz(220.0, 200)) ** 2
    noise = spectrum(np.random.default_rng(0).standard_normal(200 * HOP)) ** 2
    top = int(HIGHEST / RATE * 200 * HOP)
    assert found[:top].mean() == pytest.approx(noise[:top].mean(), rel=0.15)


def test_f0_goes_along_a_line_where_unvoiced():
    voiced = np.array([0, 1, 0, 0, 1, 0], bool)
    found = line(np.array([0, 100, 0, 0, 160, 0], np.float32), voiced)
    np.testing.assert_allclose(found, [100, 100, 120, 140, 160, 160])
    assert np.isfinite(line(np.zeros(3, np.float32), np.zeros(3, bool))).all()


def test_a_voiced_sound_has_its_peaks_at_the_harmonics():
    log_mel = torch.from_numpy(mel(0.1 * buzz(300.0, 86), SETTINGS))
    audio = source(log_mel, *constant(300.0, 86), SETTINGS, np.random.default_rng(0), 0).numpy()
    found = spectrum(audio)
    hertz = np.arange(len(found)) * RATE / len(audio)
    for k in range(1, 14):
        near = np.abs(hertz - 300 * k) < 150
        assert abs(hertz[near][found[near].argmax()] - 300 * k) < 5
    off = np.abs(hertz - 300 * np.rint(hertz / 300))
    low = (hertz > 150) & (hertz < 3000)
    assert found[low & (off < 5)].mean() > 10 * found[low & (off > 100)].mean()


def test_the_excitation_has_harmonics_below_and_noise_above():
    """Peaks stand out by the harmonics of 300 Hz up to 4 kHz, and no more from 7 kHz on."""
    wave = torch.from_numpy(buzz(300.0, 86))[None]
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal(wave.shape, np.float32))
    parts = excitation(wave, noise, torch.ones(1, 86, dtype=torch.bool), SETTINGS)
    found = (parts.harmonic + parts.noisy)[0].abs().numpy()
    hertz = np.arange(found.shape[1]) * RATE / SETTINGS.n_fft
    off = np.abs(hertz - 300 * np.rint(hertz / 300))

    def contrast(low, high):
        band = (hertz > low) & (hertz < high)
        return (
            np.square(found[:, band & (off < 40)]).mean()
            / np.square(found[:, band & (off > 110)]).mean()
        )

    assert contrast(500, 3500) > 20
    assert contrast(7100, 10_900) < 1.3


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(3)
    return speechlike.synthesise(speechlike.sounds("salvi noma, ketu", rng), rng, RATE)[0]


def test_the_copy_comes_closer_to_the_mel_round_by_round(speech):
    from ttskit.dsp.melpitch import pitch

    target = mel(speech, SETTINGS)

    def error(rounds):
        rng = np.random.default_rng(0)
        audio = source(torch.from_numpy(target), *pitch(target, SETTINGS), SETTINGS, rng, rounds)
        assert audio.shape == (len(target) * HOP,)
        return np.abs(mel(audio.numpy(), SETTINGS) - target).mean()

    errors = [error(rounds) for rounds in (0, 2, 8)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.25


def test_above_fmax_it_goes_on_as_loud_as_in_the_uppermost_bands():
    noise = np.random.default_rng(0).normal(0, 0.1, 86 * HOP).astype(np.float32)
    target = torch.from_numpy(mel(noise, SETTINGS))
    for voiced in (False, True):
        f0 = np.full(86, 200, np.float32)
        audio = source(target, f0, np.full(86, voiced), SETTINGS, np.random.default_rng(0))
        level = [
            np.sqrt((spectrum(audio.numpy())[int(a) : int(b)] ** 2).mean())
            for a, b in ((7000, 8000), (8500, 10500))
        ]
        assert level[1] == pytest.approx(level[0], rel=0.25)


def test_continued_filters_begin_with_the_filters_and_leave_no_bin_below_half_the_rate_silent():
    for settings in (SETTINGS, MelSettings(16000, 512, 128, 40, 60.0, 7600.0)):
        bank = filters(settings, continued=True)
        np.testing.assert_array_equal(bank[:, : settings.n_mels], filters(settings))
        first = int((settings.fmax or 0) / settings.sample_rate * settings.n_fft)
        assert (bank[first:-1].sum(axis=1) > 0).all()
    full = MelSettings(8000, 256, 64, 20)  # already up to half the rate
    assert filters(full, continued=True).shape == filters(full).shape


@pytest.mark.parametrize("frames", [0, 1, 2, 5])
def test_short_and_silent_ones_stay_tame(frames):
    log_mel = torch.full((frames, 80), float(np.log(1e-5)))
    for voiced in (False, True):
        f0 = np.full(frames, 200, np.float32)
        audio = source(log_mel, f0, np.full(frames, voiced), SETTINGS, np.random.default_rng(0))
        assert audio.shape == (frames * HOP,)
        assert np.abs(audio.numpy()).max(initial=0.0) < 1e-2


def test_the_seed_decides():
    log_mel = torch.randn(20, 80, generator=torch.Generator().manual_seed(0))
    first, same, other = (
        source(log_mel, *constant(200, 20), SETTINGS, np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
