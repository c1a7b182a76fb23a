"""The vocoder shaped: what is planted in source and network is in the audio."""

import numpy as np
import pytest
import torch

from ttskit.dsp import speechlike, stft
from ttskit.dsp.mel import MelSettings, mel
from ttskit.dsp.melpitch import line, pitch
from ttskit.dsp.source import Excitation, pulses, source
from ttskit.models.shaped import Shaped
from ttskit.networks.facts import Facts

SETTINGS = MelSettings()
BINS = SETTINGS.n_fft // 2 + 1


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Shaped(Shaped.Config(channels=8, hidden=8, layers=1), Facts()).eval()


@pytest.fixture(scope="module")
def speech():
    """Log-mel, f0 and voicing of a sound like speech."""
    rng = np.random.default_rng(3)
    sounds = speechlike.sounds("salvi noma, ketu", rng)
    log_mel = mel(speechlike.synthesise(sounds, rng, SETTINGS.sample_rate)[0], SETTINGS)
    return log_mel, *pitch(log_mel, SETTINGS)


def spoken(model, fields, rounds=0.0):
    generator = torch.Generator().manual_seed(1)
    return torch.cat([*model.stream(fields, generator, rounds=rounds)])


def test_a_network_that_corrects_nothing_is_the_source(model, speech):
    log_mel, f0, voiced = (torch.from_numpy(values) for values in speech)
    wave = pulses(torch.from_numpy(line(f0.numpy(), voiced.numpy()))[None], SETTINGS)
    noise = np.random.default_rng(0).standard_normal(wave.shape, np.float32)
    spectrum = model(log_mel[None], wave, torch.from_numpy(noise), voiced[None])
    found = stft.audio(spectrum, SETTINGS.n_fft, SETTINGS.hop_length)[0].detach()
    wanted = source(log_mel, f0.numpy(), voiced.numpy(), SETTINGS, np.random.default_rng(0), 0)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("rounds", [0, 2])
def test_chunks_join_exactly(model, speech, rounds):
    torch.nn.init.normal_(model.generator.head.weight, std=0.3)
    fields = {"mel": torch.from_numpy(speech[0])}
    whole = spoken(model, fields, rounds)
    assert len(whole) == len(fields["mel"]) * SETTINGS.hop_length
    model.chunk = 21
    torch.testing.assert_close(spoken(model, fields, rounds), whole, atol=1e-4, rtol=1e-3)


def test_rounds_bring_the_audio_closer_to_the_mel(model, speech):
    torch.nn.init.normal_(model.generator.head.weight, std=0.1)
    fields = {"mel": torch.from_numpy(speech[0])}
    copies = [mel(spoken(model, fields, rounds).numpy(), SETTINGS) for rounds in (0, 2, 8)]
    errors = [np.abs(copy - speech[0]).mean() for copy in copies]
    assert errors == sorted(errors, reverse=True)


def test_outputs_are_gains_of_harmonics_and_noise_and_phases_of_harmonics(model):
    bias = torch.zeros(3, BINS)
    bias[0, 10], bias[1, 20], bias[2, 30] = np.log(2), -np.log(4), np.pi / 2
    model.generator.head.bias.data = bias.flatten()
    parts = Excitation(*torch.randn(2, 1, 5, BINS, dtype=torch.complex64))
    found = model.generator(torch.zeros(1, SETTINGS.n_mels, 5), parts).detach()
    for k, wanted in (
        (10, 2 * parts.harmonic + parts.noisy),
        (20, parts.harmonic + parts.noisy / 4),
        (30, 1j * parts.harmonic + parts.noisy),
        (40, parts.whole),
    ):
        torch.testing.assert_close(found[..., k], wanted[..., k])


def test_a_tone_at_a_bin_advances_by_nothing_and_a_click_in_the_centre_has_no_delay(model):
    def phases(audio):
        whole = stft.spectrum(audio[None].float(), SETTINGS.n_fft, SETTINGS.hop_length)
        return model.generator.seen(Excitation(whole, torch.zeros_like(whole)))[0].chunk(6, -1)

    n = torch.arange(40 * SETTINGS.hop_length)
    _, _, *advance, _, _ = phases(torch.cos(2 * torch.pi * 50 * n / SETTINGS.n_fft))
    torch.testing.assert_close(advance[0][5:-5, 50], torch.ones(30))
    assert advance[1][5:-5, 50].abs().max() < 1e-4
    click = torch.zeros(len(n))
    click[20 * SETTINGS.hop_length + SETTINGS.hop_length // 2] = 1
    *_, cosine, sine = phases(click)
    torch.testing.assert_close(cosine[20, 1:], torch.ones(BINS - 1))
    assert sine[20, 1:].abs().max() < 1e-4


def test_f0_that_is_known_is_spoken(model):
    """The mel is flat, so that no pitch can be read off it."""
    flat, frames = torch.full((86, SETTINGS.n_mels), -3.0), 86

    def contrast(fields):
        """Magnitudes at harmonics of 300 Hz over those between."""
        audio = spoken(model, fields).numpy()
        found = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
        hertz = np.arange(len(found)) * SETTINGS.sample_rate / len(audio)
        off = np.abs(hertz - 300 * np.rint(hertz / 300))
        low = (hertz > 150) & (hertz < 3000)
        return found[low & (off < 5)].mean() / found[low & (off > 100)].mean()

    pitch = {"f0": torch.full((frames,), 300.0), "voiced": torch.ones(frames) > 0}
    assert contrast({"mel": flat}) < 1.3
    assert contrast({"mel": flat, **pitch}) > 2


def test_the_default_has_2_6_million_weights():
    weights = sum(p.numel() for p in Shaped(Shaped.Config(), Facts()).parameters())
    assert weights == pytest.approx(2.57e6, rel=0.02)
