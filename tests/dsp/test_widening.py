"""Widening of deviations, against scipy's transform."""

import numpy as np
import pytest
from scipy.fft import dct, idct

from ttskit.dsp.widening import cosines, widening

RNG = np.random.default_rng(0)


def cepstra(log_mel):
    return dct(log_mel, axis=-1, norm="ortho")


def test_the_basis_is_that_of_the_orthonormal_transform():
    values = RNG.normal(size=(5, 12))
    np.testing.assert_allclose(values @ cosines(12), cepstra(values), atol=1e-12)


def mels(scale, count=4):
    """Log-mels whose cepstrum deviates by `scale`, a factor a coefficient."""
    made = RNG.normal(size=(count, 300, 12)) * scale
    return [idct(one + np.arange(12), axis=-1, norm="ortho").astype(np.float32) for one in made]


def test_predictions_vary_as_recordings_do_afterwards():
    true, flat = mels(np.linspace(1, 3, 12)), mels(np.linspace(1, 0.5, 12))
    found = widening(true, flat)
    wide = cepstra(np.concatenate([found(one) for one in flat]))
    np.testing.assert_allclose(wide.std(0), cepstra(np.concatenate(true)).std(0), rtol=1e-3)
    np.testing.assert_allclose(wide.mean(0), cepstra(np.concatenate(flat)).mean(0), atol=1e-4)


def test_each_coefficient_is_moved_by_its_share():
    """By brute force: transform, scale, transform back."""
    true, flat = mels(2.0), mels(1.0)
    a, b = (cepstra(np.concatenate(one)) for one in (true, flat))
    for share in (0.5, 1.5):
        factor = 1 + share * (a.std(0) / b.std(0) - 1)
        expected = idct(b.mean(0) + (cepstra(flat[0]) - b.mean(0)) * factor, axis=-1, norm="ortho")
        found = widening(true, flat, share)(flat[0])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_share_of_nothing_changes_nothing():
    flat = mels(1.0)
    np.testing.assert_allclose(widening(mels(2.0), flat, 0.0)(flat[0]), flat[0], atol=1e-5)


def test_a_coefficient_that_never_varies_stays_finite():
    flat = [np.zeros((10, 12), np.float32)]
    assert np.isfinite(widening(mels(1.0), flat)(flat[0])).all()


@pytest.mark.parametrize("parts", [1, 7])
def test_statistics_do_not_depend_on_how_frames_are_cut(parts):
    true, flat = (np.concatenate(mels(scale)) for scale in (2.0, 1.0))
    whole = widening([true], [flat])
    cut = widening(np.array_split(true, parts), np.array_split(flat, parts))
    np.testing.assert_allclose(cut.factor, whole.factor, rtol=1e-5)
