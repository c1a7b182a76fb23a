"""Error rates against brute force; measures of other packages on signals, where these are there."""

import json
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from tests.factory import run
from tests.metrics.signals import RATE, noisy, pair, speech
from ttskit.dsp.samples import resample
from ttskit.errors import TextError, TtskitError
from ttskit.metrics import distillmos, intelligibility, judge, mos, speaker, stoi
from ttskit.metrics.registry import MEASURES


def edits(text, heard):
    """The fewest edits, by their definition."""

    @cache
    def least(i, j):
        if not i or not j:
            return i + j
        changed = least(i - 1, j - 1) + (text[i - 1] != heard[j - 1])
        return min(changed, least(i - 1, j) + 1, least(i, j - 1) + 1)

    return least(len(text), len(heard))


def test_error_rates_count_the_fewest_edits():
    rng = np.random.default_rng(0)
    for _ in range(200):
        text, heard = ("".join(rng.choice(list("abc"), rng.integers(low, 9))) for low in (1, 0))
        assert intelligibility.rate(text, heard) == pytest.approx(edits(text, heard) / len(text))


def test_a_text_without_words_has_no_error_rate():
    with pytest.raises(TextError, match="no word"):
        intelligibility.rate([], ["a"])


class Deaf(intelligibility.Recogniser):
    """Hears what it is told."""

    def __init__(self, heard, language="en"):
        from ttskit.text.spelling import Speller

        self.heard, self._speller = heard, Speller(language)

    def transcribe(self, _):
        return self.heard


def test_texts_are_normalised_on_both_sides():
    found = intelligibility.evaluate(
        np.zeros(9),
        "Dr. Smith's 21 cats, at $5.",
        Deaf("doctor Smith's twenty-one cats at five dollars"),
        "",
    )
    assert (found["wer"], found["cer"]) == (0, 0)
    assert found["heard"] == "doctor smith's twenty one cats at five dollars"
    assert (found["words"], found["characters"]) == (8, len(found["heard"]))


def test_the_second_recogniser_has_error_rates_of_its_own():
    evaluate = MEASURES["wer_base"].evaluate
    found = evaluate(np.zeros(9), "one two three four", Deaf("one three five"))
    assert found["wer_base"] == 2 / 4
    assert "wer" not in found


@pytest.mark.parametrize("name", ["wer", "wer_base"])
def test_a_recogniser_finds_no_word_in_silence(name):
    measure = MEASURES[name]
    if not measure.installed:
        pytest.skip(f"{name} needs {', '.join(measure.packages.values())}")
    recogniser = intelligibility.Recogniser(measure.settings)
    scores = measure.evaluate(np.zeros(16_000), "one two", recogniser)
    assert scores[name] >= 1  # Whisper may invent words


def test_words_that_are_missing_are_errors():
    found = intelligibility.evaluate(np.zeros(9), "one two three four", Deaf("one three five"), "")
    assert found["wer"] == 2 / 4
    found = intelligibility.evaluate(np.zeros(9), "one two", Deaf(""), "")
    assert (found["wer"], found["cer"], found["heard"]) == (1, 1, "")


def test_stoi_falls_with_noise_and_needs_the_same_timing():
    pytest.importorskip("pystoi")
    audio, settings = speech(), stoi.Settings()
    same, loud = (stoi.evaluate(pair(audio, other), settings) for other in (audio, noisy(audio, 0)))
    assert same == pytest.approx({"stoi": 1, "estoi": 1}, abs=1e-6)
    assert loud["stoi"] < 0.95
    assert np.isnan(stoi.evaluate(pair(audio, audio[: -RATE // 5]), settings)["stoi"])


def test_plcmos_is_the_same_each_time():
    pytest.importorskip("speechmos")
    audio = resample(speech(), RATE, mos.SAMPLE_RATE)
    first, second = (mos.evaluate(audio, mos.Listeners(mos.Settings())) for _ in range(2))
    assert first == second
    assert 1 < first["plcmos"] < 5


@pytest.mark.skipif(find_spec("distillmos") is None, reason="needs distillmos")
def test_distillmos_is_the_same_each_time_at_any_level():
    audio = resample(speech(), RATE, distillmos.SAMPLE_RATE)
    listener = distillmos.Listener(distillmos.Settings())
    found = distillmos.evaluate(audio, listener)
    assert found == distillmos.evaluate(audio, distillmos.Listener(distillmos.Settings()))
    assert found == pytest.approx(distillmos.evaluate(0.3 * audio, listener), rel=1e-3)
    assert 1 < found["distillmos"] < 5


def test_a_voice_has_similarity_one_to_itself():
    pytest.importorskip("resemblyzer")
    audio = resample(speech(), RATE, speaker.SAMPLE_RATE)
    encoder = speaker.Encoder(speaker.Settings())
    found = speaker.evaluate(audio, audio, encoder)
    assert found["speaker_similarity"] == pytest.approx(1, abs=1e-5)


def test_the_multilingual_recogniser_is_set_to_the_language():
    found = judge.heard_in({name: MEASURES[name] for name in ("mcd", "wer", "wer_base")}, "nl")
    assert [*found] == ["mcd", "wer_base"]
    assert found["wer_base"].settings.language == "nl"
    english = judge.heard_in({"wer": MEASURES["wer"]}, "en-us")
    assert english["wer"] == MEASURES["wer"]  # so its hash is that of earlier scores


def test_the_ranker_heard_listens_with_a_recogniser_of_the_language(monkeypatch):
    monkeypatch.setattr(type(MEASURES["wer"]), "installed", True)
    opened = []

    def opens(settings):
        opened.append((settings.model, settings.language))
        return Deaf("eenentwintig", settings.language)

    monkeypatch.setattr(intelligibility, "Recogniser", opens)
    assert intelligibility.listener("nl")(np.zeros(100), 22050, "21") == 0
    intelligibility.listener("en-us")
    assert opened == [("base", "nl"), ("tiny.en", "en")]
    with pytest.raises(TtskitError, match="no recogniser for characters"):
        intelligibility.listener("characters")


def test_a_language_without_a_recogniser_is_named():
    with pytest.raises(TtskitError, match="no recogniser for Polish: intelligibility not measured"):
        judge.heard_in({"wer": MEASURES["wer"]}, "Polish")
    with pytest.raises(TtskitError, match="wer: no recogniser for de-de; wer_base has one"):
        judge.heard_in({"wer": MEASURES["wer"]}, "de-de")


def test_transcripts_are_normalised_in_their_language():
    german = Deaf("einundzwanzig Katzen", "de")
    assert intelligibility.evaluate(np.zeros(9), "21 Katzen", german, "")["wer"] == 0


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "language"), [("nathalie", "nl"), ("kerstin", "de-de"), ("LJSpeech-1.1", "en-us")]
)
def test_recordings_in_another_language_are_understood(corpora, tmp_path, name, language):
    if not MEASURES["wer_base"].installed:
        pytest.skip("needs Whisper base")
    run("corpus", corpora / name, "--limit", 3, "-o", tmp_path / "c.h5", "--jobs", 1)
    words = ("evaluate", tmp_path / "c.h5", "--measures", "wer_base", "--jobs", 1, "--json")
    found = json.loads(run(*words, "--language", language).stdout)
    assert found["wer_base"]["mean"] < 0.4
    assert found == json.loads(run(*words).stdout)  # the texts look like it
