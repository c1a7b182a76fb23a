"""English against the CMU dictionary, an independent source that ships with `pocketsphinx`."""

import random
from importlib.util import find_spec
from pathlib import Path

import pytest

from ttskit.text.lexicon import Lexicon
from ttskit.text.phonemes import Pronouncer

ARPABET = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "t͡ʃ",
    "D": "d", "DH": "ð", "EH": "ɛ", "ER": "ɚ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h",
    "IH": "ɪ", "IY": "i", "JH": "d͡ʒ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ",
    "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ",
    "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip


def dictionary():
    """Word -> the pronunciations that CMU lists, as IPA without stress."""
    spec = find_spec("pocketsphinx")
    files = (
        sorted(Path(spec.origin).parent.rglob("cmudict-en-us.dict")) if spec and spec.origin else []
    )
    if not files:
        pytest.skip("needs the CMU dictionary: pip install pocketsphinx==5.1.1")
    entries: dict[str, set[str]] = {}
    for line in files[0].read_text().splitlines():
        word, *sounds = line.split()
        word = word.split("(")[0]
        if word.isalpha():
            entries.setdefault(word, set()).add(bare(ARPABET[sound] for sound in sounds))
    return entries


def bare(phonemes):
    """Take off stress; CMU without stress writes AH for both ʌ and ə."""
    return " ".join(phonemes).replace("ˈ", "").replace("ˌ", "").replace("ə", "ʌ")


def test_nine_words_in_ten_agree_with_cmu(record_property):
    entries = dictionary()
    sample = random.Random(0).sample(sorted(entries), 2000)
    pronouncer = Pronouncer("en-us", Lexicon())
    predicted = [pronouncer.pronounce([word], [False])[0] for word in sample]
    agree = [bare(p.phonemes) in entries[w] for w, p in zip(sample, predicted, strict=True)]
    listed = [a for a, p in zip(agree, predicted, strict=True) if not p.guessed]
    share, share_listed = sum(agree) / len(agree), sum(listed) / len(listed)
    record_property("agree with CMU", share)
    assert share > 0.90
    assert share_listed > 0.90
