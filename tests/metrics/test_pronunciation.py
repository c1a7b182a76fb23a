"""Words that were spelt wrong on purpose, in signals like speech: they alone are found."""

from typing import Any

import numpy as np
import pytest

from tests.factory import GRID, PROVENANCE
from ttskit.artifacts.kinds import Alignment, Features
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.dsp import flatstart, mel, speechlike
from ttskit.dsp.mel import MelSettings
from ttskit.metrics import pronunciation
from ttskit.text.lexicon import Lexicon
from ttskit.text.phonemes import Pronouncer

LETTERS = [*"aeioulmnrsftk"]
TABLE = ["<pad>", "<begin>", "<end>", "#", *LETTERS]
SILENT = np.isin(TABLE, TABLE[:4])
WORDS = [
    "kusemi",
    "moriak",
    "talesu",
    "fanilo",
    "olatir",
    "nerofa",
    "simuka",
    "refalo",
    "tikosa",
    "lumeni",
    "arosik",
    "ifelot",
    "kanemo",
    "suriat",
    "omikel",
    "fulera",
]
WRONG = {"kusemi": "kusafo"}  # a word, and as what it is spelt


def spelt(words):
    tokens, owners = [1], [-1]
    for number, word in enumerate(words):
        tokens += [3] * bool(number) + [TABLE.index(letter) for letter in WRONG.get(word, word)]
        owners += [-1] * bool(number) + [number] * len(word)
    return np.array([*tokens, 2]), np.array([*owners, -1])


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """Features of thirty sentences, and their Alignment by the wrong spelling."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("pronunciation")
    said = {f"u{number}": list(rng.choice(WORDS, 3, replace=False)) for number in range(40)}
    mels = {}
    for id, words in said.items():
        audio, _ = speechlike.synthesise(speechlike.sounds(" ".join(words), rng), rng, 22050)
        mels[id] = mel.mel(audio, MelSettings())
    spoken = [(id, mels[id], spelt(words)[0]) for id, words in said.items()]
    *_, (model, _) = flatstart.fit(spoken, SILENT, 8)
    header: dict[str, Any] = {"provenance": PROVENANCE, "tables": {"symbols": TABLE}}
    grid = {"sample_rate": 22050, "hop_length": 256}
    with (
        Writer(folder / "a.h5", Alignment, attributes=grid, **header) as alignment,
        Writer(folder / "f.h5", Features, provenance=PROVENANCE, attributes=GRID) as features,
    ):
        for id, bands, tokens in spoken:
            durations, scores = flatstart.align(model, bands, tokens, SILENT, id)
            text = " ".join(said[id])
            alignment.append(
                Alignment(
                    id=id,
                    speaker="",
                    text=text,
                    language="characters",
                    tokens=tokens,
                    token_word=spelt(said[id])[1],
                    words=np.array(said[id], dtype=object),
                    spans=np.zeros((3, 2), int),
                    durations=durations,
                    token_score=scores,
                    score=scores @ durations / durations.sum(),
                )
            )
            none = dict.fromkeys(("f0", "periodicity", "loudness", "energy"), np.zeros(len(bands)))
            columns = {"mel": bands, "voiced": np.zeros(len(bands), bool), **none}
            features.append(Features(id=id, speaker="", text=text, **columns))
        alignment.seal(list(said))
        features.seal(list(said))
    return Reader(folder / "a.h5", Alignment), Reader(folder / "f.h5", Features)


def candidates(word):
    """The right spelling, the wrong one of this word, and one that is wrong for every word."""
    return [tuple(word), tuple(WRONG.get(word, word)), tuple(word[::-1])]


def test_a_word_that_is_spelt_wrong_is_found_and_mended(artifacts):
    alignment, features = artifacts
    found = pronunciation.suspects(alignment, features, candidates, 50)
    assert [(one.word, one.symbols, one.better) for one in found] == [
        ("kusemi", tuple("kusafo"), tuple("kusemi"))
    ]
    place = found[0].places[0]
    record = alignment[place.id]
    first = np.flatnonzero(record.token_word == list(record.words).index("kusemi"))[0]
    assert place.start == record.durations[:first].sum()
    assert len(found[0].places) == min(
        pronunciation.PLACES, sum("kusemi" in one.words for one in alignment.values())
    )


def test_a_word_that_nothing_fits_is_found_without_a_candidate(artifacts):
    alignment, features = artifacts
    found = pronunciation.suspects(alignment, features, lambda _: [], 2)
    assert (found[0].word, found[0].better) == ("kusemi", ())


def test_the_candidates_of_a_word_are_those_of_the_lexicons_and_the_guess():
    found = Pronouncer("nl", Lexicon()).candidates("mooi")
    assert len(found) == len(set(found)) >= 2
    assert all(phonemes and "" not in phonemes for phonemes in found)
    unknown = Pronouncer("nl", Lexicon()).candidates("grofstruikje")
    assert len(unknown) == 1
