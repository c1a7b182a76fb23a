"""A DDSP vocoder: every trunk learns, plays what it is told, and is the same in any pieces."""

import numpy as np
import pytest
import torch

from tests.made import PROVENANCE
from tests.models.made import idle, train
from ttskit.dsp.loudness import loudness as measured_loudness
from ttskit.dsp.mel import mel
from ttskit.errors import ArtifactError, AudioError, SettingError
from ttskit.models.ddsp import Course, Ddsp
from ttskit.models.vocoder import mel_settings
from ttskit.networks import collapse, synthesiser
from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts
from ttskit.networks.spectral import loudness
from ttskit.networks.synthesiser import Controls
from ttskit.settings import changed
from ttskit.voices.model import read_model, write_model

RATE, HOP = 8000, 64
FACTS = Facts(sample_rate=RATE, n_fft=256, hop_length=HOP, n_mels=20, fmax=4000.0)
SMALL = {
    "channels": 16,
    "layers": 1,
    "micro": 16,
    "harmonics": 12,
    "noise_bands": 9,
    "guess": {"channels": 8, "layers": 1},
    "spectral": {"n_fft": [256, 64], "loudness": {"last": 0.01}, "entropy": {"last": 0.01}},
}
TRUNKS = ("mlp", "micro-rnn", "gru", "transformer")


def made(**changes):
    torch.manual_seed(0)
    config = changed(changed(Ddsp.Config(), SMALL, "small"), changes, "test")
    return Ddsp(config, FACTS)


def item(frames, pitch, vibrato=0.0):
    """A tone of falling harmonics with a little noise, and all that can be known of it."""
    time = (np.arange(frames * HOP) + 0.5) / RATE
    f0 = pitch * (1 + vibrato * np.sin(2 * np.pi * 5 * time))
    turns = np.cumsum(f0) / RATE
    noise = np.random.default_rng(int(pitch)).normal(0, 0.01, len(time))
    tones = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 9))
    audio = (0.2 * tones + noise).astype(np.float32)
    centres = slice(HOP // 2, None, HOP)
    return {
        "mel": mel(audio, mel_settings(FACTS)),
        "f0": f0[centres],
        "voiced": np.ones(frames, bool),
        "periodicity": np.full(frames, 0.9),
        "loudness": measured_loudness(audio, RATE, HOP),
        "audio": audio,
    }


@pytest.fixture(scope="module")
def batch():
    return collate(["a", "b"], [item(40, 200, 0.02), item(40, 330)])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


ALL_INPUTS = ["mel", "f0", "loudness", "voiced", "periodicity", "delta_f0", "delta_loudness"]


@pytest.mark.parametrize("trunk", TRUNKS)
def test_every_weight_learns(trunk, batch):
    model = made(trunk=trunk, inputs=ALL_INPUTS, residual=0.9, reverb=0.01)
    assert idle(model, batch) == []


@pytest.mark.parametrize("trunk", TRUNKS)
def test_it_learns_two_sounds_by_heart(trunk, batch):
    sums = train(made(trunk=trunk, spectral={"log": {"last": 0.1}}), [batch], 40, 2e-2)
    assert sums[-1] < 0.5 * sums[0]


@pytest.mark.parametrize("trunk", TRUNKS)
@pytest.mark.parametrize("reverb", [0.0, 0.02])
def test_pieces_join_without_a_seam(trunk, reverb, batch, monkeypatch):
    model = made(trunk=trunk, reverb=reverb)
    if reverb:
        torch.nn.init.normal_(model.generator.room, std=0.1)
    frames = {name: value[0] for name, value in batch.fields.items() if name != "audio"}
    whole = torch.cat([*model.stream(frames, seeded())])
    monkeypatch.setattr(synthesiser, "CHUNK", 7)
    pieces = [*model.stream(frames, seeded())]
    assert len(pieces) == 6
    assert whole.abs().max() > 0.01
    torch.testing.assert_close(torch.cat(pieces), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("trunk", TRUNKS)
def test_folding_changes_nothing(trunk, batch):
    model = made(trunk=trunk, residual=0.5)
    before = model.generate(batch, seeded())["audio"]
    model.fold()
    torch.testing.assert_close(model.generate(batch, seeded())["audio"], before, atol=1e-5, rtol=0)


def test_what_is_streamed_is_what_is_trained(batch, monkeypatch):
    """The loss hears the same sound as a listener, but for the noise."""
    model = made()
    silent = lambda like, generator=None: torch.zeros_like(like)  # noqa: ARG005, E731
    monkeypatch.setattr(synthesiser, "white", silent)
    monkeypatch.setattr("ttskit.models.ddsp.white", silent)
    streamed = model.generate(batch)["audio"]
    torch.testing.assert_close(model.copy(batch), streamed, atol=1e-5, rtol=0)


def test_the_seed_alone_is_left_to_chance(batch):
    model = made()
    first, same, other = (model.generate(batch, seeded(seed))["audio"] for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert (first - other).abs().max() > 1e-5


@pytest.mark.parametrize("trunk", TRUNKS)
def test_an_utterance_is_played_the_same_in_any_batch(trunk):
    model = made(trunk=trunk, smoothing={"mode": "onepole"})
    items = [item(12, 200), item(21, 300)]
    together = collate("ab", items)
    alone = collate("a", items[:1])
    long, short = (model.play(one.fields, one.mask("frame")) for one in (together, alone))
    for name, value in short._asdict().items():
        torch.testing.assert_close(
            getattr(long, name)[:1, :12], value, atol=1e-5, rtol=1e-4, msg=name
        )


@pytest.mark.parametrize("trunk", TRUNKS)
@pytest.mark.parametrize("mode", ["none", "onepole", "biquad"])
def test_the_future_does_not_sound(trunk, mode):
    """Frames after t change nothing before t; a frame sounds as far as its neighbours' middles."""
    told = {"trunk": trunk, "causal": True, "residual": 0.9, "inputs": ALL_INPUTS}
    model = made(**told, smoothing={"mode": mode, "cutoff": 10.0})
    one = {name: torch.tensor(value).float() for name, value in item(40, 200).items()}
    frames = {name: value for name, value in one.items() if name != "audio"}
    later = {name: torch.cat([value[:25], value[25:] * 0.9 - 1]) for name, value in frames.items()}
    here, there = (torch.cat([*model.stream(x, seeded())]) for x in (frames, later))
    torch.testing.assert_close(here[: 24 * HOP], there[: 24 * HOP], atol=1e-6, rtol=0)
    assert not torch.allclose(here[25 * HOP :], there[25 * HOP :], atol=1e-4)


def test_a_told_f0_is_what_sounds(batch):
    frames = {name: value[0] for name, value in batch.fields.items() if name != "audio"}
    model = made()
    model.generator.head.entry.bias.data[1] += 8  # the fundamental
    for pitch in (220.0, 310.0):
        told = {**frames, "f0": torch.full_like(frames["f0"], pitch)}
        sound = torch.cat([*model.stream(told, seeded())])
        spectrum = torch.fft.rfft(sound * torch.hann_window(len(sound)), 8000).abs()
        assert abs(int(spectrum.argmax()) - pitch) < 2


def test_only_voiced_frames_have_harmonics(batch):
    model = made()
    unvoiced = batch.with_fields(voiced=torch.zeros_like(batch["voiced"]))
    played = model.play(unvoiced.fields, batch.mask("frame"))
    still = played._replace(noise=torch.zeros_like(played.noise))
    assert not synthesiser.render(still, torch.zeros_like(batch["audio"]), RATE, HOP).any()
    gateless = made(gated=False, inputs=["mel", "f0"]).play(unvoiced.fields, batch.mask("frame"))
    assert (gateless.voiced == 1).all()


def test_controls_that_are_told_are_played_as_they_are(batch):
    model = made(reverb=0.01)
    frames = {name: value[0] for name, value in batch.fields.items() if name != "audio"}
    told = model.controls(frames)
    assert told["voiced"].dtype == torch.bool
    said = torch.cat([*model.stream(frames, seeded())])
    played = torch.cat([*model.stream(told, seeded())])
    assert torch.equal(said, played)


def test_what_is_not_known_is_guessed_from_the_mel(batch):
    model = made(inputs=["mel", "f0", "voiced", "loudness"])
    assert model.lacks(("mel",)) == ()
    model.initialise(batch)
    train(model, [batch], 60, 1e-2)
    mask = batch.mask("frame")
    guess = model.generator.guess(model.normal(batch["mel"]), mask)
    assert torch.log2(guess["f0"] / batch["f0"])[:, 5:-5].abs().mean() < 0.15
    assert (guess["voiced"] == 1).all()
    assert (guess["loudness"] - batch["loudness"])[:, 5:-5].abs().mean() < 3
    heard = model.generate(collate("a", [{"mel": item(40, 200)["mel"]}]), seeded())["audio"]
    assert heard.shape == (1, 40 * HOP)


def test_what_is_told_wins_over_a_guess(batch):
    frames = {name: batch[name][0] for name in ("mel", "f0")}
    model = made()
    told = model.controls(frames)
    assert torch.equal(told["f0"], frames["f0"])
    guess = model.generator.guess(batch["mel"][:1], batch.mask("frame")[:1])
    assert torch.equal(told["voiced"], guess["voiced"][0] > 0)


def test_there_is_no_copy_where_there_is_no_recording():
    copied = made(reverb=0.01).copy(collate("ab", [item(12, 200), item(21, 300)]))
    assert not copied[0, 12 * HOP :].any()
    assert copied[1, 12 * HOP :].any()


def test_what_cannot_be_known_is_named():
    model = made(inputs=["f0", "loudness"], gated=False, guess={"channels": 0})
    assert model.lacks(("mel",)) == ("f0", "loudness")
    assert model.lacks(("f0", "loudness")) == ()
    assert model.lacks(Controls._fields) == ()
    assert set(Ddsp.needs(model.config)) == {"f0", "loudness", "audio"}


@pytest.mark.parametrize("mode", ["onepole", "biquad"])
@pytest.mark.parametrize("target", ["amplitude", "noise", "distribution", "logits"])
def test_smoothing_calms_its_target_alone(mode, target, batch):
    told = {"mode": mode, "coefficient": 0.8, "cutoff": 5.0, "targets": [target]}
    rough, calm = (
        made(trunk="mlp", smoothing=one).play(batch.fields, batch.mask("frame"))
        for one in ({}, told)
    )
    target = {"logits": "distribution"}.get(target, target)
    for name in ("amplitude", "noise", "distribution"):
        moves = [getattr(x, name).diff(dim=1).abs().mean() for x in (rough, calm)]
        assert moves[1] < 0.7 * moves[0] if name == target else moves[1] == moves[0]
        assert (getattr(calm, name) >= 0).all()


def test_a_residual_is_a_sum_of_changes(batch):
    model, plain = made(trunk="mlp", residual=1.0), made(trunk="mlp")
    plain.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        model.generator.changes.entry.weight.zero_()
        model.generator.changes.entry.bias.zero_()
        model.generator.changes.entry.bias[0] = 0.1
    summed, still = (x.play(batch.fields, batch.mask("frame")) for x in (model, plain))
    grown = torch.logit(summed.amplitude / 2) - torch.logit(still.amplitude / 2)
    assert (grown.diff(dim=1) > 0).all()


def test_the_loudness_of_the_loss_is_that_of_features():
    audio = np.stack([item(60, pitch)["audio"] for pitch in (150, 400)])
    found = loudness(torch.from_numpy(audio), RATE, HOP)
    for one, levels in zip(audio, found, strict=True):
        np.testing.assert_allclose(levels, measured_loudness(one, RATE, HOP), atol=0.01)


def test_a_course_goes_from_one_weight_to_another():
    course = Course(0.0, 2.0, 0.25, 0.75)
    assert [course.at(x) for x in (0, 0.25, 0.5, 0.75, 1)] == [0, 0, 1, 2, 2]
    assert Course(3.0, 3.0).at(0.5) == 3
    assert Course(1.0, 2.0).at(0.0) == 1


def test_a_weight_of_zero_says_nothing(batch):
    terms = made(spectral={"loudness": {"last": 0.0}, "mel": 2.0}).loss(batch, 1.0)
    assert set(terms) == {"stft", "log_stft", "mel", "entropy", "guess"}


def test_entropy_tells_one_harmonic_from_many():
    one, all_alike = torch.eye(8)[None, :1], torch.full((1, 1, 8), 1 / 8)
    assert synthesiser.entropy(one).item() == pytest.approx(0, abs=1e-5)
    assert synthesiser.entropy(all_alike).item() == pytest.approx(1)
    two = torch.tensor([0.5, 0.5, 0, 0, 0, 0, 0, 0])[None, None]
    assert synthesiser.entropy(two).item() == pytest.approx(1 / 3, abs=1e-5)


def test_the_harmonics_of_a_recording_are_measured(batch):
    """The tone has 8 harmonics that fall as 1/k."""
    played = made().play(batch.fields, batch.mask("frame"))
    shares = collapse.measured(batch["audio"], played, FACTS)[1, 10:-10].mean(0)
    expected = 1 / torch.arange(1, 9)
    torch.testing.assert_close(shares[:8], expected / expected.sum(), atol=0.05, rtol=0)


def test_collapse_is_watched_in_numbers_and_pictures(batch):
    numbers, pictures = made().watch(batch)
    assert {"entropy", "entropy_recording", "top_share", "amplitude_range", "flux"} <= set(numbers)
    assert all(np.isfinite(value) for value in numbers.values())
    assert pictures["harmonics"].values.shape == (12, 40)
    assert pictures["noise"].values.shape == (9, 40)
    assert set(pictures["gains"].lines) == {"harmonics", "noise"}


def test_one_harmonic_alone_has_no_entropy(batch):
    model = made()
    model.generator.head.entry.bias.data[1] += 50
    model.generator.head.entry.bias.data[2:13] -= 50
    assert model.watch(batch)[0]["entropy"] < 0.01
    assert model.watch(batch)[0]["top_share"] > 0.99


def test_critics_play_as_with_other_vocoders(batch):
    adversary = {"from_progress": 0.5, "periods": [2], "n_fft": [256], "channels": 2}
    model = made(adversary=adversary)
    model.prepare()
    assert list(model.players()) == ["generator", "critic"]
    assert "adversarial" in model.terms(batch, 0.6, "generator")
    assert set(model.terms(batch, 0.6, "critic")) == {"real", "copy"}
    assert not any(name.startswith("critics") for name in model.kept())


def test_harmonics_are_counted_by_the_lowest_f0():
    assert made(harmonics=0, f0_min=100.0).generator.head.sizes[1] == 40
    assert made(harmonics=0, f0_min=20.0).generator.head.sizes[1] == 120


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(SettingError, match=r"smoothing\.cutoff is 63 Hz, needs less than 62\.5"):
        made(smoothing={"mode": "biquad", "cutoff": 63.0})


OLD = """
channels = 16
layers = 1
harmonics = 12
noise_bands = 9
[guess]
channels = 8
layers = 1
"""


def test_a_model_from_before_newer_settings_has_their_defaults(tmp_path, batch):
    model = made()
    write_model(tmp_path / "old.h5", model, model.kept(), OLD, PROVENANCE)
    again = read_model(tmp_path / "old.h5").module()
    assert (again.config.residual, again.config.smoothing.mode) == (0.0, "none")
    first, second = (one.generate(batch, seeded())["audio"] for one in (model, again))
    torch.testing.assert_close(first, second)


def test_weights_that_are_missing_are_named(tmp_path):
    model = made()
    weights = {name: value for name, value in model.kept().items() if "head" not in name}
    write_model(tmp_path / "old.h5", model, weights, OLD, PROVENANCE)
    with pytest.raises(ArtifactError, match=r"old\.h5: lacks the weights generator\.head\.entry\."):
        read_model(tmp_path / "old.h5").module()
    newer = OLD.replace("channels = 16", "residual = 0.9\nchannels = 16", 1)
    write_model(tmp_path / "new.h5", model, model.kept(), newer, PROVENANCE)
    with pytest.raises(ArtifactError, match=r"lacks the weights generator\.changes\.entry\.bias"):
        read_model(tmp_path / "new.h5").module()


def test_a_transformer_refuses_what_is_too_long(monkeypatch):
    monkeypatch.setattr("ttskit.models.ddsp.ATTENDED", 30)
    frames = {name: torch.tensor(item(31, 200)[name]).float() for name in ("mel", "f0", "voiced")}
    with pytest.raises(AudioError, match="has 31 frames, a transformer can attend to 30"):
        [*made(trunk="transformer").stream(frames)]
    assert [*made(trunk="gru").stream(frames)]


def test_a_transformer_says_what_its_attention_needs():
    long, short = ({"frame": frames, "sample": frames * HOP} for frames in (8000, 4000))
    model = made(trunk="transformer", channels=32)
    grown = model.memory(4, long) / model.memory(4, short)
    assert 2.5 < grown <= 4
    assert made(trunk="gru").memory(4, long) == 2 * made(trunk="gru").memory(4, short)
