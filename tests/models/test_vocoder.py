"""What every vocoder that learns must do."""

import numpy as np
import pytest
import torch

from ttskit.dsp.mel import mel
from ttskit.models.bigvgan import Bigvgan
from ttskit.models.hifigan import Hifigan
from ttskit.models.istft import Istft
from ttskit.models.vocoder import mel_settings
from ttskit.networks.batch import collate
from ttskit.networks.critics import Adversary
from ttskit.networks.facts import Facts
from ttskit.settings import changed

FACTS = Facts(sample_rate=8000, n_fft=256, hop_length=64, n_mels=20, fmax=4000.0)
CRITICS = Adversary(from_progress=0.5, periods=(2, 3), n_fft=(256,), channels=2)
KINDS = {"istft": Istft, "hifigan": Hifigan, "bigvgan": Bigvgan}
SMALL = {
    "istft": {"channels": 32, "hidden": 64, "layers": 2},
    "hifigan": {
        "channels": 16,
        "rates": (8, 8),
        "kernels": (16, 15),
        "block_kernels": (3, 5),
        "dilations": (1, 3, 1, 2),
    },
    "bigvgan": {
        "channels": 16,
        "rates": (16, 4),
        "kernels": (32, 8),
        "block_kernels": (3,),
        "dilations": (1, 3),
    },
}


def made(name, facts=FACTS, **changes):
    torch.manual_seed(0)
    kind = KINDS[name]
    return kind(kind.Config(**{"adversary": CRITICS, **SMALL[name], **changes}), facts)


@pytest.fixture(params=SMALL)
def name(request):
    return request.param


def sound(frames, pitch):
    time = np.arange(frames * 64) / 8000
    noise = np.random.default_rng(int(pitch)).normal(0, 0.01, len(time))
    return (0.3 * np.sin(2 * np.pi * pitch * time) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def batch():
    audio = [sound(40, pitch) for pitch in (250, 400)]
    items = [{"mel": mel(one, mel_settings(FACTS)), "audio": one} for one in audio]
    return collate(["a", "b"], items)


def sums(model, batch, progress, player):
    return sum(model.terms(batch, progress, player).values())


def test_every_weight_learns(name, batch):
    model = made(name)
    model.prepare()
    for player, module in model.players().items():
        model.zero_grad()
        sums(model, batch, 1.0, player).backward()
        idle = [key for key, p in module.named_parameters() if p.grad is None or not p.grad.any()]
        assert idle == [], player


def test_it_learns_a_short_sound_by_heart(name, batch):
    model = made(name)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3, (0.8, 0.99))
    losses = []
    for _ in range(40):
        loss = sum(model.loss(batch, 0.0).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_audio_has_exactly_the_samples_of_its_frames(name):
    model = made(name)
    for frames in (1, 2, 7):
        assert model(torch.zeros(2, frames, 20)).shape == (2, frames * 64)


def test_an_utterance_sounds_the_same_in_any_batch(name):
    model = made(name)
    items = [{"mel": np.random.default_rng(n).normal(size=(n, 20))} for n in (5, 9)]
    together = model.generate(collate("ab", items))["audio"]
    alone = model.generate(collate("a", items[:1]))["audio"]
    assert together.shape == (2, 9 * 64)
    torch.testing.assert_close(together[0, : 5 * 64], alone[0])
    assert not together[0, 5 * 64 :].any()


@pytest.mark.parametrize("chunk", [7, 64])
def test_chunks_join_without_a_seam(name, chunk, monkeypatch):
    model = made(name)
    for parameter in model.parameters():  # as loud as after training
        parameter.data.mul_(3 if parameter.dim() > 2 else 1)
    mel = torch.randn(100, 20)
    whole = model(mel[None])[0].detach()
    monkeypatch.setattr(type(model), "chunk", chunk)
    pieces = [*model.stream({"mel": mel})]
    assert len(pieces) == -(-100 // chunk)
    assert whole.abs().max() > 0.01
    torch.testing.assert_close(torch.cat(pieces), whole, atol=1e-5, rtol=0)


def test_reach_is_what_a_sample_depends_on(name):
    """Neither less, which would be heard, nor much more, which would be slow."""
    model = made(name).double()
    mel = torch.randn(1, 101, 20, dtype=torch.double, requires_grad=True)
    model(mel)[0, 50 * 64 : 51 * 64].square().sum().backward()
    seen = mel.grad[0].any(-1).nonzero()
    reach = max(50 - seen.min(), seen.max() - 50)
    assert reach <= model.reach <= reach + 3


def test_what_is_kept_has_no_critics_and_makes_the_same_sound(name, batch):
    model = made(name)
    model.prepare()
    model.mel_mean += 1
    again = made(name)
    torch.nn.init.zeros_(again.mel_mean)
    again.load_state_dict(model.kept())
    torch.testing.assert_close(again(batch["mel"]), model(batch["mel"]))
    assert len(model.state_dict()) > len(model.kept())


def test_folded_weights_sound_the_same(name, batch):
    model = made(name)
    whole = model(batch["mel"])
    model.fold()
    assert not any("parametrizations" in key for key in model.state_dict())
    torch.testing.assert_close(model(batch["mel"]), whole, atol=1e-5, rtol=0)


def test_mel_is_normalised_by_the_statistics_of_the_data(name, batch):
    statistics = {"mel_mean": np.full(20, 2.0), "mel_deviation": np.full(20, 3.0)}
    facts = Facts(**{**vars(FACTS), "statistics": statistics})
    heard = made(name, facts)(batch["mel"] * 3 + 2)
    torch.testing.assert_close(heard, made(name)(batch["mel"]), atol=1e-5, rtol=0)


def test_critics_play_from_their_part_of_the_training_on(name, batch):
    model = made(name)
    assert list(model.players()) == ["generator"]
    model.prepare()
    assert list(model.players()) == ["generator", "critic"]
    assert model.terms(batch, 0.49, "critic") == {}
    assert set(model.terms(batch, 0.49, "generator")) == {"mel", "stft", "log_stft"}
    assert {"adversarial", "features"} < set(model.terms(batch, 0.5, "generator"))
    assert set(model.terms(batch, 0.5, "critic")) == {"real", "copy"}
    assert (model.judged(0.49), model.judged(0.5)) == (True, False)


def test_without_critics_there_is_one_player(name, batch):
    model = made(name, adversary=Adversary())
    model.prepare()
    assert list(model.players()) == ["generator"]
    assert set(model.terms(batch, 1.0, "generator")) == {"mel", "stft", "log_stft"}
    assert model.judged(1.0)


def test_one_can_watch_the_copy_of_an_utterance(name, batch):
    _, pictures = made(name).watch(batch)
    assert pictures["copy"].values.shape == (20, 40)


def test_padding_of_recordings_costs_nothing(name):
    """Beyond the end of a recording its copy is silent too."""
    model = made(name)
    item = {"mel": np.zeros((40, 20)), "audio": np.zeros(40 * 64)}
    short = {"mel": np.zeros((4, 20)), "audio": np.zeros(4 * 64)}
    batch = collate("ab", [item, short])
    assert not model.copy(batch)[1, 4 * 64 :].any()


@torch.no_grad()
def test_a_clip_costs_the_same_whatever_it_is_batched_with(name):
    """But for its last window, of which it sees the silence beyond."""
    model = made(name)
    clips = [sound(200, 250), sound(40, 400)]
    items = [{"mel": mel(one, mel_settings(FACTS)), "audio": one} for one in clips]
    both = model.loss(collate(["a", "b"], items), 0.0)
    apart = [model.loss(collate(["a"], [item]), 0.0) for item in items]
    shares = {"mel": (200 / 240, 40 / 240)}
    for term, value in both.items():
        share = shares.get(term, (0.5, 0.5))
        wanted = sum(part * float(own[term]) for part, own in zip(share, apart, strict=True))
        assert float(value) == pytest.approx(wanted, rel=0.1), term


def test_presets_are_settings_that_fit(name):
    kind = KINDS[name]
    for told in kind.presets.values():
        settings = kind.Config()
        for key, value in told.items():
            for part in reversed(key.split(".")):
                value = {part: value}
            if not key.startswith("training."):
                settings = changed(settings, value, "preset")
        assert kind(settings, Facts()).reach < 40
