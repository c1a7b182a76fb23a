"""Mel-cepstra: the minimum itself, spectra whose cepstra are known, SPTK's warping."""

import numpy as np
import pytest

from ttskit.dsp import mcep

BINS = 257


def modelled(cepstrum, warping):
    """The power spectrum of a mel-cepstrum."""
    frequency = mcep.warped(np.linspace(0, np.pi, BINS), warping)
    return np.exp(2 * cepstrum @ np.cos(np.arange(cepstrum.shape[1])[:, None] * frequency))


def criterion(power, cepstrum, warping):
    weight = np.ones(BINS)
    weight[[0, -1]] = 0.5
    ratio = power / modelled(cepstrum, warping)
    return (ratio - np.log(ratio)) @ weight / weight.sum()


def test_the_cepstra_of_a_model_spectrum_are_recovered():
    rng = np.random.default_rng(0)
    known = rng.normal(size=(20, 13)) / (1 + np.arange(13))
    assert mcep.mel_cepstrum(modelled(known, 0.4), 12, 0.4) == pytest.approx(known, abs=1e-8)


def test_no_other_cepstrum_fits_a_noisy_spectrum_better():
    rng = np.random.default_rng(0)
    power = modelled(rng.normal(size=(8, 13)), 0.4) * rng.exponential(size=(8, BINS)) ** 2
    cepstrum = mcep.mel_cepstrum(power, 12, 0.4)
    least = criterion(power, cepstrum, 0.4)
    for size in (1e-3, 1e-1, 1):
        for _ in range(50):
            other = cepstrum + size * rng.normal(size=cepstrum.shape)
            assert (criterion(power, other, 0.4) > least).all()


def test_the_estimate_is_unbiased():
    rng = np.random.default_rng(0)
    known = np.array([[0.5, 1.0, -0.5, 0.2]])
    power = modelled(known, 0.4) * rng.exponential(size=(2000, BINS))  # as of Gaussian noise
    cepstrum = mcep.mel_cepstrum(power, 3, 0.4).mean(axis=0)
    assert cepstrum == pytest.approx(known[0], abs=0.01)  # logs of noise alone are 0.29 too low


def test_gain_changes_the_first_coefficient_only():
    power = np.random.default_rng(0).exponential(size=(5, BINS))
    plain, loud = (mcep.mel_cepstrum(power * gain, 24, 0.455) for gain in (1, 100))
    assert loud[:, 1:] == pytest.approx(plain[:, 1:], abs=1e-9)
    assert loud[:, 0] - plain[:, 0] == pytest.approx(np.log(10))


@pytest.mark.parametrize(
    ("rate", "warping"), [(8000, 0.312), (16000, 0.41), (22050, 0.455), (44100, 0.544)]
)
def test_the_warping_agrees_with_sptk(rate, warping):
    assert mcep.mel_warping(rate) == warping


def test_warping_fixes_both_ends():
    assert mcep.warped(np.array([0, np.pi]), 0.5) == pytest.approx([0, np.pi])
