"""Harmonics against sums written out sample by sample in float64."""

import numpy as np
import pytest
import torch

from ttskit.dsp import grid
from ttskit.dsp.harmonic import audible, cycles, distribution, harmonics


def controls(frames, count, seed=0, low=90.0, high=700.0):
    """Random f0 (1, T), amplitudes (1, T), distributions (1, T, K) and phases (1, K), float64."""
    g = torch.Generator().manual_seed(seed)
    f0 = low + (high - low) * torch.rand(1, frames, generator=g, dtype=torch.double)
    amplitude = torch.rand(1, frames, generator=g, dtype=torch.double)
    weights = torch.rand(1, frames, count, generator=g, dtype=torch.double)
    return f0, amplitude, weights, torch.rand(1, count, generator=g, dtype=torch.double)


def integrated(f0, sample_rate, hop_length):
    """f0 (T,) at every sample, and its integral up to there in cycles, by trapezia."""
    samples = len(f0) * hop_length
    at = np.arange(0, samples, 0.5)  # centres lie on samples or between two
    line = np.interp(at, grid.centres(len(f0), hop_length), f0).astype(np.longdouble)
    steps = np.concatenate([[0], (line[1:] + line[:-1]) / 4 / sample_rate])
    return line[::2], np.cumsum(steps)[::2]


def spelt_out(f0, amplitude, weights, phase, sample_rate, hop_length):
    """The definition: every harmonic a sine of its own, weighed by Hann windows of two hops."""
    line, turned = integrated(f0, sample_rate, hop_length)
    frames, samples = np.arange(-1, len(f0) + 1), np.arange(len(line))
    away = (samples[:, None] - (frames + 0.5) * hop_length) / hop_length  # (sample, frame)
    windows = np.where(np.abs(away) < 1, 0.5 + 0.5 * np.cos(np.pi * away), 0)
    levels = windows @ np.pad(amplitude[:, None] * weights, ((1, 1), (0, 0)), "edge")
    k = np.arange(1, weights.shape[1] + 1)
    sines = np.sin(2 * np.pi * (turned[:, None] * k + phase).astype(float))
    return (levels * sines * (line[:, None] * k < sample_rate / 2)).sum(1).astype(float)


@pytest.mark.parametrize("hop_length", [64, 45])
def test_audio_is_the_sum_of_sines(hop_length):
    f0, amplitude, weights, phase = controls(12, 20)  # 700 Hz: half of them cross half the rate
    audio = harmonics(f0, amplitude, weights, 16000, hop_length, phase)
    row = [x[0].numpy() for x in (f0, amplitude, weights, phase)]
    wanted = spelt_out(row[0], row[1], row[2], row[3], 16000, hop_length)
    np.testing.assert_allclose(audio[0], wanted, atol=1e-9)
    single = (f0.float(), amplitude.float(), weights.float())
    rounded = harmonics(*single, 16000, hop_length, phase.float())
    assert rounded.dtype == torch.float32
    np.testing.assert_allclose(rounded[0], wanted, atol=2e-4)


def test_440_hz_has_its_peak_at_440_hz():
    f0, amplitude = torch.full((1, 100), 440.0), torch.full((1, 100), 0.5)
    audio = harmonics(f0, amplitude, torch.ones(1, 100, 1), 16000, 160)
    spectrum = torch.fft.rfft(audio[0]).abs() / 8000  # one second: a bin is 1 Hz
    assert spectrum.argmax() == 440
    assert spectrum[440] == pytest.approx(0.5, abs=1e-4)
    assert audio[0, 0] == 0


def test_harmonics_above_half_the_rate_do_not_alias():
    f0 = torch.linspace(3000, 5000, 80)[None]  # the second harmonic crosses 8 kHz on its way
    weights = torch.tensor([0.0, 1.0]).expand(1, 80, 2)
    audio = harmonics(f0, torch.ones(1, 80), weights, 16000, 200)[0]
    crossing = 80 * 200 // 2
    assert audio[: crossing - 100].abs().max() > 0.9
    assert not audio[crossing + 100 :].any()


def test_a_distribution_is_over_audible_harmonics():
    f0 = torch.tensor([[100.0, 3999.9, 4000.0, 9000.0, 0.0]])
    heard = audible(f0, 80, 16000)
    assert heard.sum(-1).tolist() == [[79, 2, 1, 0, 0]]
    shares = distribution(torch.rand(1, 5, 80) + 0.1, f0, 16000)
    assert torch.equal(shares > 0, heard)
    torch.testing.assert_close(shares.sum(-1), torch.tensor([[1.0, 1, 1, 0, 0]]))


def test_frames_without_f0_are_silent_and_fades_keep_their_f0():
    f0 = torch.tensor([[200.0] * 5 + [0.0] * 4 + [300.0] * 5], dtype=torch.double)
    amplitude, one = torch.ones_like(f0), torch.ones(1, 14, 1, dtype=torch.double)
    audio = harmonics(f0, amplitude, one, 16000, 100)[0].numpy()
    assert not audio[551:850].any()
    turned = 2 * np.pi * 200 * np.arange(550) / 16000
    fade = 0.5 + 0.5 * np.cos(np.pi * np.clip(np.arange(550) - 450, 0, 100) / 100)
    np.testing.assert_allclose(audio[:550], fade * np.sin(turned), atol=1e-9)
    at = cycles(f0, 16000, 100)[0].numpy()
    # 200 Hz up to the centre at 5.5 hops, then still, then 300 Hz from the centre at 8.5.
    np.testing.assert_allclose(at[[5, 8, 9]] % 1, [550 / 80 % 1, 550 / 80 % 1, 0.75])


def test_chunks_join_to_the_whole():
    f0, amplitude, weights, phase = controls(40, 12, low=400)
    f0[:, 15:20] = 0  # across the edge of a chunk
    whole = harmonics(f0, amplitude, weights, 16000, 60, phase)
    at, chunks, ahead = cycles(f0, 16000, 60), [], None
    for first in range(0, 40, 8):
        cut = slice(max(0, first - 1), first + 8 + 1)
        own = (f0[:, cut], amplitude[:, cut], weights[:, cut])
        audio = harmonics(*own, 16000, 60, phase, at[:, cut])
        chunks.append(audio[:, (first - cut.start) * 60 : (first - cut.start + 8) * 60])
        # Or without the whole: each goes on from where its first frame was in the one before.
        continued = cycles(own[0], 16000, 60, ahead)
        torch.testing.assert_close(continued, at[:, cut])
        ahead = continued[:, 7 + first - cut.start]
    torch.testing.assert_close(torch.cat(chunks, 1), whole)


def test_clips_of_a_batch_are_independent():
    one, other = (controls(6, 8, seed)[:3] for seed in (0, 1))
    f0, amplitude, weights = (torch.cat(pair) for pair in zip(one, other, strict=True))
    together = harmonics(f0, amplitude, weights, 16000, 50)
    for row, (f0, amplitude, weights) in enumerate((one, other)):
        alone = harmonics(f0, amplitude, weights, 16000, 50)
        torch.testing.assert_close(together[row : row + 1], alone)


def test_the_phase_is_exact_after_ten_minutes():
    frames = 60_000
    f0 = (220 * 2 ** (np.sin(np.arange(frames) / 7) / 3)).astype(np.float32)
    _, wanted = integrated(f0, 2000, 20)
    at = cycles(torch.from_numpy(f0)[None], 2000, 20)
    off = at[0].numpy() - wanted[10::20]
    assert np.abs(off - np.round(off)).max() < 1e-8  # cycles, of 130,000
    last = (torch.from_numpy(f0)[None, -20:], torch.ones(1, 20), torch.ones(1, 20, 1))
    audio = harmonics(*last, 2000, 20, at=at[:, -20:])[0]
    tail = np.sin(2 * np.pi * (wanted[-390:] % 1).astype(float))
    np.testing.assert_allclose(audio[-390:], tail, atol=1e-6)


def test_gradients_agree_with_finite_differences():
    f0, amplitude, weights, phase = controls(4, 3, low=900, high=1500)
    f0[0, 2] = 0
    arguments = [x.requires_grad_() for x in (f0, amplitude, weights, phase)]

    def rendered(f0, amplitude, weights, phase):
        voiced = f0 * torch.tensor([1, 1, 0, 1.0])
        return harmonics(voiced, amplitude, weights, 8000, 5, phase)

    assert torch.autograd.gradcheck(rendered, arguments)


def test_no_frames_give_no_audio():
    empty = torch.zeros(2, 0)
    assert harmonics(empty, empty, torch.zeros(2, 0, 4), 8000, 80).shape == (2, 0)
