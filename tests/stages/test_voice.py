"""Voices: packed, described, refused."""

import json
import re
from typing import Any

import h5py
import numpy as np
import pytest

import ttskit
from tests.factory import PROVENANCE, run
from tests.tiny import CARD, facts, write_model, write_voice
from ttskit.artifacts import hdf5
from ttskit.artifacts.kinds import Features, Mels
from ttskit.artifacts.writer import Writer
from ttskit.errors import ArtifactError, TextError, TtskitError, UsageError
from ttskit.models.ddsp import Ddsp
from ttskit.models.glow import Glow
from ttskit.models.istft import Istft
from ttskit.models.plain import Plain
from ttskit.speaking.acoustics import Manner
from ttskit.speaking.chain import Chain
from ttskit.speaking.lines import to_lines
from ttskit.speaking.style import Style
from ttskit.text.ssml import Passage
from ttskit.text.symbols import SPECIAL, symbols
from ttskit.voices import cards, embedded, voice
from ttskit.voices.model import read_model


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "card.md"
    path.write_text(CARD)
    return path


def test_a_voice_tells_what_it_is(tmp_path):
    path = write_voice(tmp_path)
    told = json.loads(run("voice", "info", path, "--json").stdout)
    assert told["name"] == "Nobody"
    assert told["models"] == {"duration": "plain", "decoder": "glow", "vocoder": "istft"}
    page = run("voice", "info", path).stdout
    assert "en-us" in page
    assert "cannot be understood" in page
    assert run("verify", path).stdout == f"{path}: whole\n"
    assert "Nobody" in run("info", path).stdout


def test_matrices_take_half_the_room_and_come_back_as_they_were_but_for_rounding(tmp_path):
    half = voice.read(write_voice(tmp_path))
    full = voice.read(write_voice(tmp_path, "--float32", name="full.h5"))
    assert half.container.size < 0.8 * full.container.size
    for role, model in full.models.items():
        narrow = half.models[role].weights()
        for name, weight in model.weights().items():
            assert narrow[name].dtype == weight.dtype
            assert narrow[name].allclose(weight, rtol=1e-3, atol=1e-6), (role, name)
            assert weight.dim() > 1 or narrow[name].equal(weight)


def test_the_same_voice_has_the_same_bytes(tmp_path):
    first = write_voice(tmp_path).read_bytes()
    inode = (tmp_path / "voice.h5").stat().st_ino
    assert write_voice(tmp_path).read_bytes() == first
    assert (tmp_path / "voice.h5").stat().st_ino == inode  # it was up to date
    (tmp_path / "voice.h5").unlink()
    assert write_voice(tmp_path).read_bytes() == first


def test_a_vocoder_may_be_a_family_that_has_nothing_to_learn(tmp_path):
    found = voice.read(write_voice(tmp_path, vocoder="griffinlim"))
    assert found.models["vocoder"].family == "griffinlim"
    with pytest.raises(TtskitError, match="istft: has to be trained first"):
        write_voice(tmp_path, vocoder="istft")


def test_a_vocoder_of_f0_speaks_where_it_can_guess_it(tmp_path):
    able = write_model(tmp_path / "able.h5", Ddsp, facts())
    found = ttskit.say("Hello.", write_voice(tmp_path, vocoder=able))[0]
    assert len(found) > 1000
    assert np.isfinite(found).all()
    deaf = write_model(tmp_path / "deaf.h5", Ddsp, facts(), guess={"channels": 0}, inputs=["f0"])
    with pytest.raises(
        TtskitError, match=r"f0, which .*deaf\.h5 takes: add a vocoder that guesses it"
    ):
        write_voice(tmp_path, vocoder=deaf)


def test_a_card_of_toml_needs_all_that_is_honest(tmp_path):
    path = tmp_path / "card.toml"
    path.write_text('name = "N"\nlicence = "CC0"\n')
    with pytest.raises(ArtifactError, match=r"card\.toml: lacks data, training, measures, weak"):
        voice.card(path)
    told = dict.fromkeys(voice.CARD, "x")
    path.write_text("\n".join(f'{key} = "{value}"' for key, value in told.items()))
    assert voice.card(path).startswith("# x\n\n## Licence\n\nx\n")
    path = tmp_path / "card.txt"
    path.write_text("no heading")
    with pytest.raises(ArtifactError, match=r"card\.txt: needs the name of the voice"):
        voice.card(path)


def write_mels(folder, kind, name, scale):
    """Log-mels that deviate by `scale`."""
    rng = np.random.default_rng(0)
    grid = {"sample_rate": 22050, "hop_length": 256, "n_fft": 1024, "n_mels": 80}
    options: dict[str, Any] = {
        "attributes": grid | {"fmin": 0.0, "fmax": 8000.0},
        "provenance": PROVENANCE,
        "tables": {"symbols": []} if kind is Mels else {},
    }
    with Writer(folder / name, kind, **options) as writer:
        for id in "ab":
            columns = {"mel": (scale * rng.normal(size=(60, 80)) - 4).astype(np.float32)}
            if kind is Features:
                columns |= {key: np.zeros(60, np.float32) for key in ("f0", "periodicity")}
                columns |= {key: np.zeros(60, np.float32) for key in ("loudness", "energy")}
                columns["voiced"] = np.zeros(60, bool)
            writer.append(kind(id=id, speaker="", text=id, **columns))
        writer.seal([*"ab"])
    return folder / name


def widened(folder, *options):
    recorded = write_mels(folder, Features, "recorded.h5", 2.0)
    predicted = write_mels(folder, Mels, "predicted.h5", 1.0)
    return write_voice(folder, "--widen", recorded, predicted, *options, name="wide.h5")


def test_a_voice_widens_its_mels_as_far_as_recordings_vary(tmp_path):
    path = widened(tmp_path)
    kept = voice.read(path).settings.widening
    assert kept is not None
    np.testing.assert_allclose(kept.factor, 2, rtol=1e-5)
    np.testing.assert_allclose(kept.mean, -4, atol=0.5)
    assert json.loads(run("voice", "info", path, "--json").stdout)["widening"] == 2.0
    assert "widening     2.0" in run("voice", "info", path).stdout
    inode = path.stat().st_ino
    assert widened(tmp_path).stat().st_ino == inode  # it was up to date
    half = voice.read(widened(tmp_path, "--share", 0.5)).settings.widening
    assert half is not None
    np.testing.assert_allclose(half.factor, 1.5, rtol=1e-5)
    plain = voice.read(write_voice(tmp_path)).settings.widening
    assert plain is None


def test_say_speaks_the_widened_mels(tmp_path):
    path = widened(tmp_path)
    wide, plain = (Chain(voice.read(one)) for one in (path, write_voice(tmp_path)))
    (line,) = to_lines([Passage("hello")], wide.voice.speller())
    widening = wide.voice.settings.widening
    assert widening is not None
    known, mean = {"tokens": line.tokens[1:]}, widening.mean
    mels = [one.cascade.run("a", known, Manner(), 0)["mel"] for one in (wide, plain)]
    np.testing.assert_allclose(mels[0] - mean, 2 * (mels[1] - mean), atol=1e-3)
    pieces = [one.speak(line, Style()) for one in (wide, plain)]
    assert not np.array_equal(pieces[0].audio, pieces[1].audio)


def test_what_cannot_be_widened_by_is_refused(tmp_path):
    recorded = write_mels(tmp_path, Features, "recorded.h5", 2.0)
    with pytest.raises(ArtifactError, match=r"is there twice, in .*recorded\.h5 and"):
        write_voice(tmp_path, "--widen", recorded, recorded)
    predicted = write_mels(tmp_path, Mels, "predicted.h5", 1.0)
    other = facts(n_mels=40)
    with pytest.raises(ArtifactError, match=r"recorded\.h5: has n_mels 80"):
        write_voice(tmp_path, "--widen", recorded, predicted, known=other)


def test_a_lexicon_goes_with_the_voice_and_files_win(tmp_path):
    own, mine = tmp_path / "own.tsv", tmp_path / "mine.tsv"
    own.write_text("# ours\ngif\tɡ ˈɪ f\nlug\tl ʌ ɡ\n")
    mine.write_text("gif\td͡ʒ ˈɪ f\n")
    found = voice.read(write_voice(tmp_path, "--lexicon", own))
    assert found.speller().spell("gif").tokens[1:-1] == ("ɡ", "ˈɪ", "f")
    assert found.speller([mine]).spell("gif").tokens[1:-1] == ("d͡ʒ", "ˈɪ", "f")
    assert found.speller([mine]).spell("lug").tokens[1:-1] == ("l", "ʌ", "ɡ")
    own.write_text("gif\tɡ ˈɪ q\n")
    with pytest.raises(TextError, match="'q' is not in the symbol table"):
        write_voice(tmp_path, "--lexicon", own)


def test_a_voice_speaks_emoji_by_their_names_if_it_was_packed_so(tmp_path):
    pytest.importorskip("emoji", reason="pip install 'ttskit[emoji]'")
    packed = {name: write_voice(tmp_path, *words, name=name) for name, words in (
        ("named.h5", ["--emoji"]), ("silent.h5", []),
    )}  # fmt: skip
    read = [voice.read(path).speller().spell("ok 👍").text for path in packed.values()]
    assert read == ["ok thumbs up", "ok"]


def test_models_that_do_not_fit_are_refused_before_anything_is_written(tmp_path, card):
    duration = write_model(tmp_path / "duration.h5", Plain, facts())
    decoder = write_model(tmp_path / "decoder.h5", Glow, facts())
    other = write_model(tmp_path / "other.h5", Istft, facts(hop_length=128))
    for models, says in (
        ([duration, decoder, other], "has hop_length 128"),
        ([duration, decoder], "makes audio, .*: add a vocoder; there is .*duration.h5"),
        ([duration, duration, decoder], "makes durations, which .*duration.h5 makes too"),
        ([duration, decoder, other, "griffinlim"], "audio, which .*other.h5 makes too"),
        ([duration, decoder, tmp_path / "no.h5"], "no such file"),
        ([duration, decoder, "grifinlim"], "no such file; nearest name: griffinlim"),
    ):
        with pytest.raises(TtskitError, match=says):
            run("voice", "pack", *models, "-o", tmp_path / "v.h5", "--card", card)
    assert not (tmp_path / "v.h5").exists()
    assert run("voice", "pack", duration, decoder).exit_code == 2  # without a card


def test_models_of_another_symbol_table_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match=r"other symbols \(\d+\) than en-us has \(\d+\): name"):
        write_voice(tmp_path, known=facts((*SPECIAL, "aː", "b")))


@pytest.mark.parametrize("language", ["nl", "de-de"])
def test_a_model_says_in_which_language_it_was_trained(tmp_path, language):
    write_model(tmp_path / "m.h5", Glow, facts(symbols(language)))
    assert read_model(tmp_path / "m.h5").language == language
    assert re.search(rf"language +{language}\n", run("info", tmp_path / "m.h5").stdout)


def test_the_language_of_a_voice_is_that_of_its_models(tmp_path):
    known = facts((*SPECIAL, *"abcde"))
    with pytest.raises(UsageError, match=r"--language nl: .* was trained on characters; leave"):
        write_voice(tmp_path, "--language", "nl", known=known)
    found = voice.read(write_voice(tmp_path, known=known))
    assert found.language == "characters"
    assert found.speller().spell("bad cap").tokens[1:-1] == tuple("bad#ca")


def test_a_broken_voice_is_one_line(tmp_path):
    path = write_voice(tmp_path)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ArtifactError, match="is cut short at"):
        run("voice", "info", path)
    with pytest.raises(ArtifactError, match="is model, needs a voice"):
        run("voice", "info", tmp_path / "decoder.h5")
    with pytest.raises(TtskitError, match="no such file, nor an embedded voice"):
        run("voice", "info", tmp_path / "nothing.h5")


def test_a_voice_stands_for_each_of_its_models(tmp_path):
    path = write_voice(tmp_path)
    for role in ("duration", "decoder", "vocoder"):
        own, part = read_model(tmp_path / f"{role}.h5"), read_model(path, role=role)
        assert (part.role, part.family, part.facts) == (role, own.family, own.facts)
        assert part.weights().keys() == own.weights().keys()
    with pytest.raises(ArtifactError, match="is a voice without codec; it has duration, decoder"):
        read_model(path, role="codec")


def test_embedded_voices_are_listed_and_found_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "FOLDER", tmp_path)
    with pytest.raises(TtskitError, match="name a file with --voice"):
        embedded.find(None)
    assert run("voice", "list").stdout == ""
    path = write_voice(tmp_path, name="voice.h5")
    for name in ("duration", "decoder", "vocoder"):
        (tmp_path / f"{name}.h5").unlink()
    assert embedded.find(None) == embedded.find("voice") == path
    assert run("voice", "list").stdout == run("voices").stdout == "voice\ten-us\t0.2 MB\n"
    entry = {"name": "voice", "language": "en-us", "megabytes": 0.2}
    assert json.loads(run("voices", "--json").stdout) == entry
    refused = run("voice", "list", path)
    assert (refused.exit_code, "ttskit voice info" in refused.stderr) == (2, True)


def test_a_voice_whose_chain_names_no_model_is_refused(tmp_path):
    path = write_voice(tmp_path)
    with h5py.File(path, "r+") as file:
        file.attrs["chain"] = np.bytes_(" ")
    with pytest.raises(ArtifactError, match="its chain names no model"):
        voice.read(path)


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("# A\n\n## Data\n\nNot stated.\n\n## Licence\n\nCC0\n", "says nothing yet of data"),
        (
            "# A\n\n## Data\n\nRecordings in x, language nl.\n",
            "its data are of the language nl, the models of en-us: is it a copy?",
        ),
        ("# A\n\n## Data\n\nRecordings in x, language en-us.\n", ""),
        ("copied", "are those of the voice kathleen: is it a copy?"),
    ],
)
def test_a_card_that_is_of_another_voice_is_noticed(card, says):
    kathleen = hdf5.open_container(embedded.find("kathleen"))
    if card == "copied":
        card = str(kathleen.attributes["card"])
        assert not list(cards.doubts(card, [kathleen.digest], "en-us"))
    found = list(cards.doubts(card, ["other"], "en-us"))
    assert len(found) == bool(says)
    assert all(says in doubt for doubt in found)
