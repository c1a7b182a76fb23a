"""CREPE against torchcrepe on the same frames, and against signals whose pitch is known."""

import os
from pathlib import Path

import numpy as np
import pytest

from ttskit.dsp import crepe, crepe_kernels, crepe_network, engines, pitch
from ttskit.errors import TtskitError

RATE, HOP = 22_050, 256


@pytest.fixture(scope="module")
def torchcrepe():
    return engines.torchcrepe()


@pytest.fixture(scope="module")
def tiny():
    return crepe.Crepe("tiny")


@pytest.fixture(scope="module")
def full():
    return crepe.Crepe("full")


def sine(f0, rate=RATE):
    """A sine that follows f0 (sample,) Hz."""
    return (0.3 * np.sin(2 * np.pi * np.cumsum(f0) / rate)).astype(np.float32)


def pulses(f0, rate=RATE):
    """A band-limited pulse train with the spectral tilt of a voice."""
    phase = 2 * np.pi * np.cumsum(f0) / rate
    parts = [np.cos(k * phase) * (k * f0 < 0.45 * rate) / k for k in range(1, 81)]
    return (0.1 * sum(parts)).astype(np.float32)


def vibrato(centre, seconds=1.5):
    time = np.arange(int(seconds * RATE)) / RATE
    return centre * 2 ** (0.5 / 12 * np.sin(2 * np.pi * 5 * time))


def noise(seconds=1.5, level=0.1):
    rng = np.random.default_rng(0)
    return (level * rng.normal(size=int(seconds * RATE))).astype(np.float32)


def cents(f0, truth):
    """Error of f0 (frame,) against the truth (sample,) at the frames' centres."""
    at = (2 * np.arange(len(f0)) + 1) * HOP // 2
    return 1200 * np.log2(f0 / truth[at])


def mixed_frames(count):
    """Normalised frames of tones, pulses, noise and a nearly silent stretch."""
    rng = np.random.default_rng(1)
    time = np.arange(1024) / crepe.SAMPLE_RATE
    f0 = rng.uniform(50, 550, (count, 1))
    frames = np.sin(2 * np.pi * f0 * time) + 0.5 * np.sin(4 * np.pi * f0 * time)
    frames[1::3] += rng.normal(size=frames[1::3].shape)
    frames[2::3] = np.sign(frames[2::3]) * 1e-6
    frames[0, :600] = 0
    return crepe.normalise(frames.astype(np.float32))


@pytest.mark.parametrize("n", [384, 160, 96, 64, 32, 16])
def test_transforms_agree_with_numpy(n):
    rng = np.random.default_rng(n)
    signals = rng.normal(size=(n, 2, crepe_kernels.LANES)).astype(np.float32)
    angle = -2 * np.pi * np.arange(n) / n
    roots = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    x, y = signals.ravel().copy(), np.empty(signals.size, np.float32)
    spectrum, _ = getattr(crepe_kernels, f"fft{n}")(x, y, roots)
    expected = np.fft.fft(signals[:, 0] + 1j * signals[:, 1], axis=0)
    expected = np.stack([expected.real, expected.imag], axis=1)
    assert spectrum.reshape(signals.shape) == pytest.approx(expected, abs=1e-5 * np.sqrt(n))


@pytest.mark.parametrize("width", [32, 128])
def test_products_agree_with_numpy(width):
    rng = np.random.default_rng(width)
    a = rng.normal(size=(3, 12, 64)).astype(np.float32)
    w = rng.normal(size=(3, 2, 64, width)).astype(np.float32)
    out = np.ones((3, 2, 12, width), np.float32)
    getattr(crepe_kernels, f"multiply{width}")(a, w, out)
    assert out == pytest.approx(1 + a[:, None] @ w, abs=1e-4)


@pytest.mark.parametrize(("capacity", "count"), [("tiny", 131), ("full", 20)])
def test_activations_agree_with_torchcrepe(capacity, count, torchcrepe, request):
    import torch

    frames = mixed_frames(count)
    with torch.inference_mode():
        expected = torchcrepe.infer(torch.from_numpy(frames), capacity).numpy()
    activations = request.getfixturevalue(capacity).activations(frames)
    assert expected.max() > 0.5
    assert np.abs(activations - expected).max() < 1e-5


def test_the_plain_network_agrees_with_torchcrepe(torchcrepe):
    import torch

    frames = mixed_frames(20)
    with torch.inference_mode():
        expected = torchcrepe.infer(torch.from_numpy(frames), "tiny").numpy()
    activations = crepe.Crepe("tiny", plain=True).activations(frames)
    assert np.abs(activations - expected).max() < 1e-5


def test_frames_are_normalised_as_torchcrepe_does(torchcrepe):
    import torch

    wav = sine(vibrato(150), crepe.SAMPLE_RATE)
    expected = next(torchcrepe.preprocess(torch.from_numpy(wav)[None], crepe.SAMPLE_RATE, 160))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(wav, 512), 1024)[::160]
    assert crepe.normalise(windows) == pytest.approx(expected.numpy(), abs=1e-5)


def test_a_frame_does_not_depend_on_the_others(tiny):
    frames = mixed_frames(131)
    together = tiny.activations(frames)
    for part in (slice(0, 1), slice(5, 18), slice(40, 131)):
        assert (tiny.activations(frames[part]) == together[part]).all()


def test_results_are_bit_equal_for_any_number_of_threads(tiny):
    frames = mixed_frames(131)
    assert (crepe.Crepe("tiny", threads=3).activations(frames) == tiny.activations(frames)).all()


def test_skipping_silent_frames_changes_no_result(tiny):
    frames = mixed_frames(12)
    frames[4:7] = 0
    computed = crepe_network.FastNetwork(crepe_network.weights("tiny"))(frames)
    assert (tiny.activations(frames) == computed).all()
    assert (crepe.normalise(np.full((2, 1024), 0.1, np.float32)) == 0).all()


@pytest.mark.parametrize(
    ("decoder", "name"), [("argmax",) * 2, ("weighted", "weighted_argmax"), ("viterbi",) * 2]
)
@pytest.mark.parametrize(("fmin", "fmax"), [(50, 550), (100, 300), (32, 2006)])
def test_pitch_agrees_with_torchcrepe_without_dither(
    decoder, name, fmin, fmax, torchcrepe, tiny, monkeypatch
):
    import torch

    activations = tiny.follow(np.concatenate([pulses(vibrato(140)), noise(0.5)]), RATE, HOP)
    monkeypatch.setattr(torchcrepe.convert, "dither", lambda cents: cents)
    if hasattr(torchcrepe.decode.weighted_argmax, "weights"):
        del torchcrepe.decode.weighted_argmax.weights
    f0, periodicity = torchcrepe.postprocess(
        torch.from_numpy(activations.T.copy())[None],
        fmin,
        fmax,
        getattr(torchcrepe.decode, name),
        return_periodicity=True,
    )
    estimate, sure = crepe.decode(activations, decoder, fmin, fmax)
    assert np.abs(1200 * np.log2(estimate / f0[0].numpy())).max() < 0.1
    assert (sure == periodicity[0].numpy()).all()


def test_pitch_differs_from_torchcrepe_by_its_dither_at_most(torchcrepe, tiny):
    import torch

    activations = tiny.follow(pulses(vibrato(140)), RATE, HOP)
    f0 = torchcrepe.postprocess(torch.from_numpy(activations.T.copy())[None], 50, 550)[0].numpy()
    estimate, _ = crepe.decode(activations, "viterbi")
    assert np.abs(1200 * np.log2(estimate / f0)).max() < 20.1


@pytest.mark.parametrize(
    ("rate", "hop"), [(22_050, 256), (16_000, 160), (48_000, 512), (44_100, 1)]
)
def test_centres_are_exact_to_half_a_sample(rate, hop):
    frames = 200_000
    exact = (np.arange(frames) + 0.5) * hop * 16_000 / rate
    assert np.abs(crepe.centres(frames, rate, hop) - exact).max() <= 0.5 + 1e-6


def test_only_whole_hops_have_frames(tiny):
    for samples in (0, 255, 256, 1000):
        assert tiny.follow(np.zeros(samples, np.float32), RATE, HOP).shape == (samples // HOP, 360)


def test_chunks_join_without_a_seam(tiny):
    wav = pulses(vibrato(200))
    assert (tiny.follow(wav, RATE, HOP, chunk=31) == tiny.follow(wav, RATE, HOP)).all()


def test_a_minute_of_chirps_does_not_drift(tiny):
    """Pitch rises and falls by 600 cents a second, so a lag of f0 shows as an error."""
    time = np.arange(60 * RATE) / RATE
    octaves = np.abs((time / 4) % 2 - 1)  # a triangle: 4 s up, 4 s down
    truth = 100 * 4 ** (octaves * 0.5 * 2)
    f0, _ = crepe.decode(tiny.follow(sine(truth), RATE, HOP))
    at = (2 * np.arange(len(f0)) + 1) * HOP // 2
    slope = 1200 * np.gradient(np.log2(truth))[at] * RATE  # cents a second
    error = cents(f0, truth)

    def lag(part):
        return (error[part] @ slope[part]) / (slope[part] @ slope[part])

    eight = int(8 * RATE / HOP)
    first, last = lag(slice(10, eight)), lag(slice(-eight - 345, -10))
    assert abs(first) < 0.002
    assert abs(last - first) < 0.0005
    assert np.median(np.abs(error)) < 8


@pytest.mark.parametrize("f0", [50, 80, 120, 200, 310, 430, 545])
def test_the_pitch_of_sines_is_found(f0, tiny):
    truth = np.full(RATE, float(f0))
    estimate, periodicity = crepe.decode(tiny.follow(sine(truth), RATE, HOP))
    # near fmin the mean is cut off on one side
    assert np.median(np.abs(cents(estimate, truth))) < (25 if f0 == 50 else 15)
    assert pitch.voicing(periodicity).mean() > 0.95


@pytest.mark.parametrize("f0", [55, 80, 120, 200, 330, 500])
@pytest.mark.parametrize("capacity", ["tiny", "full"])
def test_the_pitch_of_pulse_trains_with_vibrato_is_found(f0, capacity, request):
    truth = vibrato(f0, 0.6)
    network = request.getfixturevalue(capacity)
    estimate, periodicity = crepe.decode(network.follow(pulses(truth), RATE, HOP))
    error = np.abs(cents(estimate, truth))
    assert np.median(error) < 12
    assert np.mean(error > 50) < 0.05
    assert pitch.voicing(periodicity).mean() > 0.95


@pytest.mark.parametrize("capacity", ["tiny", "full"])
def test_noise_and_silence_are_unvoiced(capacity, request):
    network = request.getfixturevalue(capacity)
    for wav in (noise(), noise(level=1e-4), np.zeros(RATE, np.float32)):
        _, periodicity = crepe.decode(network.follow(wav, RATE, HOP))
        assert pitch.voicing(periodicity).mean() < 0.05


def test_voiced_stretches_are_those_of_the_signal(tiny):
    wav = np.concatenate([noise(0.5, 0.01), pulses(vibrato(150, 0.7)), noise(0.5, 0.01)])
    _, periodicity = crepe.decode(tiny.follow(wav, RATE, HOP))
    voiced = np.flatnonzero(pitch.voicing(periodicity)) * HOP / RATE
    assert abs(voiced[0] - 0.5) < 0.03
    assert abs(voiced[-1] - 1.2) < 0.03


def test_invalid_arguments_are_refused_in_one_line(tiny):
    with pytest.raises(TtskitError, match="full or tiny"):
        crepe.Crepe("huge")
    with pytest.raises(TtskitError, match="fmin must be the lower"):
        crepe.bin_range(300, 200)
    with pytest.raises(TtskitError, match="CREPE knows pitch from 31"):
        crepe.bin_range(3000, 4000)
    with pytest.raises(TtskitError, match="no decoder"):
        crepe.decode(np.zeros((1, 360), np.float32), "best")  # type: ignore[arg-type]
    with pytest.raises(TtskitError, match="not numbers"):
        tiny.follow(np.array([0.0, np.nan]), RATE, 1)


def test_a_range_of_pitch_is_cut_to_that_of_the_network():
    assert crepe.bin_range(1, 1e5) == (0, 360)


@pytest.mark.corpora
def test_activations_of_real_speech_agree_with_torchcrepe(torchcrepe, full):
    import soundfile
    import torch

    if "TTSKIT_CORPORA" not in os.environ:
        pytest.skip("TTSKIT_CORPORA is not set: no real recordings")
    path = sorted((Path(os.environ["TTSKIT_CORPORA"]) / "kathleen").rglob("*.flac"))[0]
    wav, rate = soundfile.read(path, dtype="float32")
    signal = np.pad(crepe.resample(wav, rate), 512)
    places = crepe.centres(len(wav) // 256, rate, 256)[::8]
    frames = crepe.normalise(np.lib.stride_tricks.sliding_window_view(signal, 1024)[places])
    with torch.inference_mode():
        expected = torchcrepe.infer(torch.from_numpy(frames), "full").numpy()
    assert np.abs(full.activations(frames) - expected).max() < 1e-5
