"""DDSP: its controls, how they are rendered and streamed, and its losses."""

import numpy as np
import pytest
import torch

from tests.factory import PROVENANCE
from tests.models.tiny_models import make, train
from ttskit.dsp.loudness import loudness as measured_loudness
from ttskit.dsp.mel import mel
from ttskit.errors import ArtifactError, AudioError, SettingError
from ttskit.models.ddsp import Ddsp, ScheduledWeight
from ttskit.models.vocoder import mel_settings
from ttskit.networks import collapse, synthesiser
from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts
from ttskit.networks.spectral import loudness, magnitudes
from ttskit.networks.synthesiser import SynthesiserControls
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
TABLES = ("guess", "spectral")
TRUNKS = ("mlp", "micro-rnn", "gru", "transformer")


def ddsp(**changes):
    return make(Ddsp, merged(SMALL, changes), FACTS)


def merged(settings, changes):
    """Nested settings with some of them changed."""
    both = settings.keys() & changes.keys()
    inner = {key: merged(settings[key], changes[key]) for key in both if key in TABLES}
    return {**settings, **changes, **inner}


def item(frames, pitch, vibrato=0.0):
    """All fields of an utterance: a tone whose harmonics fall as 1/k, and a little noise."""
    time = (np.arange(frames * HOP) + 0.5) / RATE
    f0 = pitch * (1 + vibrato * np.sin(2 * np.pi * 5 * time))
    phase = np.cumsum(f0) / RATE
    noise = np.random.default_rng(int(pitch)).normal(0, 0.01, len(time))
    tones = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 9))
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
@pytest.mark.parametrize("reverb", [0.0, 0.02])
def test_pieces_join_without_a_seam(trunk, reverb, batch, monkeypatch):
    model = ddsp(trunk=trunk, reverb=reverb)
    if reverb:
        torch.nn.init.normal_(model.generator.room, std=0.1)
    frames = {name: value[0] for name, value in batch.fields.items() if name != "audio"}
    whole = torch.cat([*model.stream(frames, seeded())])
    monkeypatch.setattr(synthesiser, "CHUNK", 7)
    pieces = [*model.stream(frames, seeded())]
    assert len(pieces) == 6
    assert whole.abs().max() > 0.01
    torch.testing.assert_close(torch.cat(pieces), whole, atol=1e-5, rtol=0)


def test_training_and_streaming_render_the_same_audio(batch, monkeypatch):
    """But for the noise, the loss sees the audio that is streamed."""
    model = ddsp()
    silent = lambda like, generator=None: torch.zeros_like(like)  # noqa: ARG005, E731
    monkeypatch.setattr(synthesiser, "white", silent)
    monkeypatch.setattr("ttskit.models.ddsp.white", silent)
    streamed = model.generate(batch)["audio"]
    torch.testing.assert_close(model.copy(batch), streamed, atol=1e-5, rtol=0)


@pytest.mark.parametrize("trunk", TRUNKS)
def test_padding_does_not_change_controls(trunk):
    model = ddsp(trunk=trunk, smoothing={"mode": "onepole"})
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
def test_later_frames_do_not_change_earlier_audio(trunk, mode):
    """A frame of a causal model is heard up to the centres of its neighbours, no earlier."""
    settings = {"trunk": trunk, "causal": True, "residual": 0.9, "inputs": ALL_INPUTS}
    model = ddsp(**settings, smoothing={"mode": mode, "cutoff": 10.0})
    one = {name: torch.tensor(value).float() for name, value in item(40, 200).items()}
    frames = {name: value for name, value in one.items() if name != "audio"}
    later = {name: torch.cat([value[:25], value[25:] * 0.9 - 1]) for name, value in frames.items()}
    here, there = (torch.cat([*model.stream(x, seeded())]) for x in (frames, later))
    torch.testing.assert_close(here[: 24 * HOP], there[: 24 * HOP], atol=1e-6, rtol=0)
    assert not torch.allclose(here[25 * HOP :], there[25 * HOP :], atol=1e-4)


def test_audio_has_the_f0_it_is_given(batch):
    frames = {name: value[0] for name, value in batch.fields.items() if name != "audio"}
    model = ddsp()
    model.generator.head.entry.bias.data[1] += 8  # the fundamental
    for pitch in (220.0, 310.0):
        higher = {**frames, "f0": torch.full_like(frames["f0"], pitch)}
        sound = torch.cat([*model.stream(higher, seeded())])
        spectrum = torch.fft.rfft(sound * torch.hann_window(len(sound)), 8000).abs()
        assert abs(int(spectrum.argmax()) - pitch) < 2


def test_unvoiced_frames_have_no_harmonics_if_gated(batch):
    model = ddsp()
    unvoiced = batch.with_fields(voiced=torch.zeros_like(batch["voiced"]))
    controls = model.play(unvoiced.fields, batch.mask("frame"))
    tones = controls._replace(noise=torch.zeros_like(controls.noise))
    assert not synthesiser.render(tones, torch.zeros_like(batch["audio"]), RATE, HOP).any()
    ungated = ddsp(gated=False, inputs=["mel", "f0"]).play(unvoiced.fields, batch.mask("frame"))
    assert (ungated.voiced == 1).all()


def test_given_controls_are_rendered_unchanged(batch):
    model = ddsp(reverb=0.01)
    frames = {name: value[0] for name, value in batch.fields.items() if name != "audio"}
    controls = model.controls(frames)
    assert controls["voiced"].dtype == torch.bool
    predicted = torch.cat([*model.stream(frames, seeded())])
    rendered = torch.cat([*model.stream(controls, seeded())])
    assert torch.equal(predicted, rendered)


def test_missing_fields_are_guessed_from_the_mel(batch):
    model = ddsp(inputs=["mel", "f0", "voiced", "loudness"])
    assert model.lacks(("mel",)) == ()
    model.initialise(batch)
    train(model, [batch], 100, 1e-2)
    mask = batch.mask("frame")
    guess = model.generator.guess(model.normal(batch["mel"]), mask)
    assert torch.log2(guess["f0"] / batch["f0"])[:, 5:-5].abs().mean() < 0.15
    assert (guess["voiced"] == 1).all()
    assert (guess["loudness"] - batch["loudness"])[:, 5:-5].abs().mean() < 3
    audio = model.generate(collate("a", [{"mel": item(40, 200)["mel"]}]), seeded())["audio"]
    assert audio.shape == (1, 40 * HOP)


def test_a_given_field_overrides_the_guess(batch):
    frames = {name: batch[name][0] for name in ("mel", "f0")}
    model = ddsp()
    controls = model.controls(frames)
    assert torch.equal(controls["f0"], frames["f0"])
    guess = model.generator.guess(batch["mel"][:1], batch.mask("frame")[:1])
    assert torch.equal(controls["voiced"], guess["voiced"][0] > 0)


def test_missing_fields_are_named():
    model = ddsp(inputs=["f0", "loudness"], gated=False, guess={"channels": 0})
    assert model.lacks(("mel",)) == ("f0", "loudness")
    assert model.lacks(("f0", "loudness")) == ()
    assert model.lacks(SynthesiserControls._fields) == ()
    assert set(Ddsp.needs(model.config)) == {"f0", "loudness", "audio"}


ENCODED = {
    "inputs": ["f0", "loudness", "z"],
    "gated": False,
    "guess": {"channels": 0},
    "timbre": {"cepstra": 8, "channels": 8, "size": 4},
}


def test_z_needs_a_mel_and_says_so():
    model = ddsp(**ENCODED)
    assert set(Ddsp.needs(model.config)) == {"f0", "loudness", "mel", "audio"}
    assert set(Ddsp.takes(model.config)) == {"f0", "loudness", "mel"}
    assert model.lacks(("f0", "loudness")) == ("mel",)
    assert model.lacks(("f0", "loudness", "mel")) == ()
    assert model.lacks(SynthesiserControls._fields) == ()


def test_z_tells_apart_what_f0_and_loudness_do_not():
    """Two tones of one pitch and loudness: a pure one, and one that becomes its fifth harmonic."""
    turns = 2 * np.pi * 200 / RATE * np.arange(20 * HOP)
    become = np.linspace(0, np.pi / 2, len(turns))
    mixed = np.cos(become) * np.sin(turns) + np.sin(become) * np.sin(5 * turns)
    sounds = [(0.3 * audio).astype(np.float32) for audio in (np.sin(turns), mixed)]
    items = [item(20, 200) | {"mel": mel(audio, mel_settings(FACTS))} for audio in sounds]
    batch = collate("ab", items)

    def fifth(model):
        played = model.play(batch.fields, batch.mask("frame")).distribution
        return played[:, :, 4]

    model = ddsp(**ENCODED, trunk="gru")
    truth = torch.stack([torch.zeros(20), torch.linspace(0, 1, 20)])
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        (fifth(model) - truth).square().mean().backward()
        optimizer.step()
    assert (fifth(model) - truth).abs().mean() < 0.1
    without = fifth(ddsp(**ENCODED | {"inputs": ["f0", "loudness"]}))
    assert torch.equal(without[0], without[1])


@pytest.mark.parametrize("mode", ["onepole", "biquad"])
@pytest.mark.parametrize("target", ["amplitude", "noise", "distribution", "logits"])
def test_smoothing_changes_its_target_alone(mode, target, batch):
    settings = {"mode": mode, "coefficient": 0.8, "cutoff": 5.0, "targets": [target]}
    rough, calm = (
        ddsp(trunk="mlp", smoothing=one).play(batch.fields, batch.mask("frame"))
        for one in ({}, settings)
    )
    target = {"logits": "distribution"}.get(target, target)
    for name in ("amplitude", "noise", "distribution"):
        moves = [getattr(x, name).diff(dim=1).abs().mean() for x in (rough, calm)]
        assert moves[1] < 0.7 * moves[0] if name == target else moves[1] == moves[0]
        assert (getattr(calm, name) >= 0).all()


@pytest.mark.parametrize("head", ["normalized", "softmax-db", "exp-sigmoid"])
def test_a_higher_temperature_makes_harmonics_more_alike(batch, head):
    entropies = []
    for temperature in (0.2, 1.0, 5.0):
        model = ddsp(trunk="mlp", head=head, temperature=temperature)
        controls = model.play(batch.fields, batch.mask("frame"))
        entropies.append(synthesiser.entropy(controls.distribution).mean().item())
    assert entropies == sorted(entropies)
    assert entropies[0] < entropies[-1]


def test_a_residual_accumulates_changes_over_time(batch):
    model, plain = ddsp(trunk="mlp", residual=1.0), ddsp(trunk="mlp")
    plain.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        model.generator.changes.entry.weight.zero_()
        model.generator.changes.entry.bias.zero_()
        model.generator.changes.entry.bias[0] = 0.1
    summed, still = (x.play(batch.fields, batch.mask("frame")) for x in (model, plain))
    grown = torch.logit(summed.amplitude / 2) - torch.logit(still.amplitude / 2)
    assert (grown.diff(dim=1) > 0).all()


def test_the_differentiable_loudness_equals_that_of_features():
    audio = np.stack([item(60, pitch)["audio"] for pitch in (150, 400)])
    levels = loudness(torch.from_numpy(audio), RATE, HOP)
    for one, level in zip(audio, levels, strict=True):
        np.testing.assert_allclose(level, measured_loudness(one, RATE, HOP), atol=0.01)


def test_a_scheduled_weight_is_interpolated_linearly():
    course = ScheduledWeight(0.0, 2.0, 0.25, 0.75)
    assert [course.at(x) for x in (0, 0.25, 0.5, 0.75, 1)] == [0, 0, 1, 2, 2]
    assert ScheduledWeight(3.0, 3.0).at(0.5) == 3
    assert ScheduledWeight(1.0, 2.0).at(0.0) == 1


ONE = {"first": 1.0, "last": 1.0}
WEIGHTS = {"linear": 1.0, "log": ONE, "mel": 1.0, "loudness": ONE, "entropy": ONE, "floor": 1e-5}


@pytest.fixture
def halved(monkeypatch):
    """Copies are the recordings at half the amplitude."""
    monkeypatch.setattr(Ddsp, "rendered", lambda _self, batch, _controls: batch["audio"] / 2)


@pytest.mark.usefixtures("halved")
def test_a_copy_of_half_the_amplitude_has_the_distances_of_a_factor_of_two(batch):
    terms = ddsp(spectral=WEIGHTS).loss(batch, 1.0)
    linear = [magnitudes(batch["audio"], size).mean().item() / 2 for size in (256, 64)]
    assert terms["stft"].item() == pytest.approx(np.mean(linear), rel=1e-3)
    assert terms["log_stft"].item() == pytest.approx(np.log(2), rel=1e-3)
    assert terms["mel"].item() == pytest.approx(np.log(2), rel=1e-2)
    assert terms["loudness"].item() == pytest.approx(20 * np.log10(2), rel=1e-2)


def test_a_lack_of_entropy_is_a_loss_where_it_is_voiced(batch):
    model = ddsp(spectral=WEIGHTS)
    voiced = batch["voiced"].clone()
    voiced[:, :10] = False
    batch = batch.with_fields(voiced=voiced)
    controls = model.play(batch.fields, batch.mask("frame"))
    lack = (1 - synthesiser.entropy(controls.distribution))[:, 10:].sum() / 80
    assert model.loss(batch, 1.0)["entropy"].item() == pytest.approx(lack.item(), rel=1e-4)


@pytest.mark.usefixtures("halved")
@pytest.mark.parametrize(
    ("setting", "term"),
    [("linear", "stft"), ("log", "log_stft"), ("mel", "mel"), ("loudness", "loudness"),
     ("entropy", "entropy")],
)  # fmt: skip
def test_a_weight_scales_its_own_term_alone(setting, term, batch):
    double = {"first": 2.0, "last": 2.0} if WEIGHTS[setting] is ONE else 2.0
    one = ddsp(spectral=WEIGHTS).loss(batch, 1.0)
    other = ddsp(spectral={**WEIGHTS, setting: double}).loss(batch, 1.0)
    for name, value in one.items():
        assert other[name].item() == pytest.approx((1 + (name == term)) * value.item()), name


def test_a_term_with_weight_zero_is_not_computed(batch, monkeypatch):
    monkeypatch.setattr("ttskit.models.ddsp.loudness", None)
    terms = ddsp(spectral={"loudness": {"last": 0.0}, "mel": 2.0}).loss(batch, 1.0)
    assert set(terms) == {"stft", "log_stft", "mel", "entropy", "guess"}


def test_entropy_is_0_for_one_harmonic_and_1_for_equal_ones():
    one, all_alike = torch.eye(8)[None, :1], torch.full((1, 1, 8), 1 / 8)
    assert synthesiser.entropy(one).item() == pytest.approx(0, abs=1e-5)
    assert synthesiser.entropy(all_alike).item() == pytest.approx(1)
    two = torch.tensor([0.5, 0.5, 0, 0, 0, 0, 0, 0])[None, None]
    assert synthesiser.entropy(two).item() == pytest.approx(1 / 3, abs=1e-5)


def test_the_harmonics_of_a_recording_are_measured(batch):
    """The tone has 8 harmonics that fall as 1/k."""
    controls = ddsp().play(batch.fields, batch.mask("frame"))
    shares = collapse.measured(batch["audio"], controls, FACTS)[1, 10:-10].mean(0)
    expected = 1 / torch.arange(1, 9)
    torch.testing.assert_close(shares[:8], expected / expected.sum(), atol=0.05, rtol=0)


def test_collapse_is_shown_in_numbers_and_pictures(batch):
    numbers, pictures = ddsp().watch(batch)
    assert {"entropy", "entropy_recording", "top_share", "amplitude_range", "flux"} <= set(numbers)
    assert all(np.isfinite(value) for value in numbers.values())
    assert pictures["harmonics"].values.shape == (12, 40)
    assert pictures["noise"].values.shape == (9, 40)
    assert set(pictures["gains"].lines) == {"harmonics", "noise"}


@pytest.mark.parametrize("moving", ["amplitude", "noise"])
@torch.no_grad()
def test_the_range_of_gains_is_that_between_quiet_and_loud_frames(moving, batch):
    """Half of the frames of one gain are 40 dB below the others; the other gain is still."""
    still = torch.full((2, 40), 0.1)
    gains = {"amplitude": still, "noise": still}
    gains[moving] = torch.where(torch.arange(40) % 2 == 0, still, still / 100)
    controls = ddsp().play(batch.fields, batch.mask("frame"))
    noise = gains["noise"][..., None].expand(2, 40, 9)
    controls = controls._replace(amplitude=gains["amplitude"], noise=noise)
    numbers = collapse.numbers(batch, controls, batch["audio"], FACTS)
    for name in gains:
        assert numbers[f"{name}_range"] == pytest.approx(40 * (name == moving), abs=0.1)
    line = collapse.pictures(controls, 40)["gains"].lines["noise"]
    assert np.ptp(line) == pytest.approx(40 * (moving == "noise"), abs=0.1)


def test_a_single_harmonic_has_no_entropy(batch):
    model = ddsp()
    model.generator.head.entry.bias.data[1] += 50
    model.generator.head.entry.bias.data[2:13] -= 50
    assert model.watch(batch)[0]["entropy"] < 0.01
    assert model.watch(batch)[0]["top_share"] > 0.99


def test_the_lowest_f0_sets_the_number_of_harmonics():
    assert ddsp(harmonics=0, f0_min=100.0).generator.head.sizes[1] == 40
    assert ddsp(harmonics=0, f0_min=20.0).generator.head.sizes[1] == 120


def test_a_cutoff_above_half_the_frame_rate_is_refused():
    with pytest.raises(SettingError, match=r"smoothing\.cutoff is 63 Hz, needs less than 62\.5"):
        ddsp(smoothing={"mode": "biquad", "cutoff": 63.0})


OLD = """
channels = 16
layers = 1
harmonics = 12
noise_bands = 9
[guess]
channels = 8
layers = 1
"""


def test_an_old_model_has_the_defaults_of_newer_settings(tmp_path, batch):
    model = ddsp()
    write_model(tmp_path / "old.h5", model, model.kept(), OLD, PROVENANCE)
    again = read_model(tmp_path / "old.h5").module()
    assert (again.config.residual, again.config.smoothing.mode) == (0.0, "none")
    first, second = (one.generate(batch, seeded())["audio"] for one in (model, again))
    torch.testing.assert_close(first, second)


def test_missing_weights_are_named(tmp_path):
    model = ddsp()
    weights = {name: value for name, value in model.kept().items() if "head" not in name}
    write_model(tmp_path / "old.h5", model, weights, OLD, PROVENANCE)
    with pytest.raises(ArtifactError, match=r"old\.h5: lacks the weights generator\.head\.entry\."):
        read_model(tmp_path / "old.h5").module()
    newer = OLD.replace("channels = 16", "residual = 0.9\nchannels = 16", 1)
    write_model(tmp_path / "new.h5", model, model.kept(), newer, PROVENANCE)
    with pytest.raises(ArtifactError, match=r"lacks the weights generator\.changes\.entry\.bias"):
        read_model(tmp_path / "new.h5").module()


def test_a_transformer_refuses_utterances_that_are_too_long(monkeypatch):
    monkeypatch.setattr("ttskit.models.ddsp.ATTENDED", 30)
    frames = {name: torch.tensor(item(31, 200)[name]).float() for name in ("mel", "f0", "voiced")}
    with pytest.raises(AudioError, match="has 31 frames, a transformer can attend to 30"):
        [*ddsp(trunk="transformer").stream(frames)]
    assert [*ddsp(trunk="gru").stream(frames)]


def test_memory_of_a_transformer_grows_with_the_square_of_frames():
    long, short = ({"frame": frames, "sample": frames * HOP} for frames in (8000, 4000))
    model = ddsp(trunk="transformer", channels=32)
    grown = model.memory(4, long) / model.memory(4, short)
    assert 2.5 < grown <= 4
    assert ddsp(trunk="gru").memory(4, long) == 2 * ddsp(trunk="gru").memory(4, short)
