"""The symbol table of each language: fixed, so that models of one language share it.

The phonemes are those of gruut's lexicon and grapheme-to-phoneme model of the language, as gruut
writes and splits them.  Stress (in Swedish: tone) is part of the symbol: `æ`, `ˈæ` and `ˌæ` are
three symbols, because that is how the lexicon marks it and a model then needs no rule about
what the mark belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ttskit.errors import TextError

PAD, BEGIN, END, BOUNDARY = "<pad>", "<begin>", "<end>", "#"
PUNCTUATION = (*'.,!?;:…—()"', "¿", "¡")
SPECIAL = (PAD, BEGIN, END, BOUNDARY, *PUNCTUATION)
CHARACTERS = "characters"
HASH = "＃"  # how a `#` of the text is written in `characters`, where `#` is the boundary
_STRESS = "ˈ ˌ"


def words(written: str) -> frozenset[str]:
    """Return the words of a list written as one string."""
    return frozenset(written.split())


@dataclass(frozen=True, slots=True)
class Language:
    """What is fixed about one language that gruut has data for.

    `plain` phonemes stand without a mark; `marked` ones also with each mark of `marks` before
    them.  `letters` are those that the grapheme-to-phoneme model has learnt.
    """

    name: str
    package: str
    plain: str
    marked: str = ""
    marks: str = ""
    letters: str = "abcdefghijklmnopqrstuvwxyz"

    def symbols(self) -> tuple[str, ...]:
        """Return the table: special symbols first, then every phoneme in each of its forms."""
        forms = [
            mark + phoneme for phoneme in self.marked.split() for mark in ("", *self.marks.split())
        ]
        return tuple(dict.fromkeys([*SPECIAL, *self.plain.split(), *forms]))


_EN = Language(
    "en-us",
    "en",
    plain="b d d͡ʒ f h j k l m n p s t t͡ʃ v w z ð ŋ ɡ ɹ ʃ ʒ θ",
    marked="aɪ aʊ eɪ i oʊ u æ ɑ ɔ ɔɪ ə ɚ ɛ ɪ ʊ ʌ",
    marks=_STRESS,
    letters="'abcdefghijklmnopqrstuvwxyz",
)
_NL = Language(
    "nl",
    "nl",
    plain="",
    marked="a aː b c d e eː f h i iː j k l m n o oː p s t u uː v w x y yː z ø ŋ œy œː ɑ ɑu ɑː "
    "ɔ ɔː ə ɛ ɛi ɛː ɡ ɣ ɪ ɱ ɹ ʃ ʏ ʏː ʒ ʔ",
    marks=_STRESS,
    letters="'-abcdefghijklmnopqrstuvwxyzäèéëï",
)
_DE = Language(
    "de-de",
    "de",
    plain="a aɪ̯ aʊ̯ aː b d d͡ʒ eː f g h iː j k l m n oː p p͡f s t t͡s t͡ʃ uː v x yː z ãː ç õː øː ŋ œ ɐ "
    "ɔ ɔʏ̯ ə ɛ ɛː ɛ̃ː ɪ ʁ ʃ ʊ ʏ ʒ ʔ χ",
    letters="abcdefghijklmnopqrstuvwxyzäöü",
)
_AR = Language(
    "ar",
    "ar",
    plain="a aj aw aː b d dˤ dˤˤ d͡ʒ f h i iː j k l m n q r s sˤ sˤˤ t tˤ tˤˤ u uː w x z ð ðˤ ðˤˤ ħ "
    "ɣ ʃ ʔ ʕ θ",
    letters="ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652",
)
_CA = Language(
    "ca-ce",
    "ca",
    plain="b d dz dʒ f g i j k l m n p r s t ts tʃ uw v w y z ð ŋ ɣ ɲ ɾ ʃ ʎ ʒ β",
    marked="a e i o u ɔ ə ɛ",
    marks="'",
    letters="'-abcdefghijklmnopqrstuvxyz·àçèíïòóúü",
)
_CS = Language(
    "cs-cz",
    "cs",
    plain="a au̯ aː b c d d͡ʒ eu̯ f iː j k l m n o ou̯ oː p r r̝ s t t͡s t͡ʃ u uː v x z ɛ ɛː ɟ ɡ ɦ ɪ ɲ ʃ "
    "ʒ ʔ",
    letters="abcdefghijklmnoprstuvwxyzáéíóúýčďěňřšťůž",
)
_ES = Language(
    "es-es",
    "es",
    plain="a ai au b d e ei eu f g i k l m n o oi ou p r s t t͡ʃ u wa we wi wo x ɲ ɾ ʎ ʝ θ",
    letters="abcdefghijklmnopqrstuvxyzáéíñóúü",
)
_FA = Language(
    "fa",
    "fa",
    plain="b d d͡ʒ e̞ f g h iː j k l m n o p s t t͡ʃ uː v x z æ ɒː ɢ ɾ ʃ ʒ ʔ",
    letters="آابتجحخدذرزسشصضطظعغفقلمنهوپچژکگی\u200c",
)
_FR = Language(
    "fr-fr",
    "fr",
    plain="a b d e f i j k l m n o p s t u v w y z ø ŋ œ œ̃ ɑ̃ ɔ ɔ̃ ə ɛ ɛ̃ ɡ ɥ ɲ ʁ ʃ ʒ",
    letters="'-abcdefghijklmnopqrstuvwxyzàâçèéêëîïôûœ",
)
_IT = Language(
    "it-it",
    "it",
    plain="ŋ ɱ",
    marked="a b d d͡z d͡ʒ e f i j k l m n o p r s t t͡s t͡ʃ u v w z ɔ ɛ ɡ ɲ ʃ ʎ",
    marks=_STRESS,
    letters="-abcdefghijklmnopqrstuvwxyzàéìù",
)
_LB = Language(
    "lb",
    "lb",
    plain="aː b d dʒ e eː f g h i iə iː j k l m n o oɪ oː p s t u uə uː v w y yː z æ æːɪ æːʊ ŋ œː "
    "ɐ "
    "ɑ ɑɪ ɑʊ ɑ̃ː ɕ ə əʊ ɛː ɛ̃ː ɜɪ ʀ ʁ ʃ ʑ ʒ ʦ χ",
    letters="abcdefghijklmnopqrstuvwxyzäèéêëöü",
)
_PT = Language(
    "pt",
    "pt",
    plain="b d e ej ew f i iw j k l m n o oj ow p s t u uj v w z õ õj̃ ĩ ũ ũj̃ ɐ ɐj ɐw ɐ̃ ɐ̃j̃ "
    "ɐ̃w̃ ɔ ɔj ɛ ɛj ɛw ɡ ɲ ɹ ɾ ʁ ʃ ʎ ʒ ẽ ẽj̃",
    letters="abcdefghijklmnopqrstuvwxyzáâãçèéêíóôõúü",
)
_RU = Language(
    "ru-ru",
    "ru",
    plain="a aː b bʲ d dʲ e eː f fʲ i iː j k kʲ l lʲ m mʲ n nʲ o oː p pʲ r rʲ s sʲ t tʲ t͡s t͡ɕ u "
    "uː v vʲ x xʲ z zʲ ɕː ɡ ɡʲ ɨ ɨː ʂ ʐ",
    letters="абвгдежзийклмнопрстуфхцчшщъыьэюяё",
)
_SV = Language(
    "sv-se",
    "sv",
    plain="ŋ",
    marked="a b d eː f h iː j k l m n oː p r s t uː v yː øː œ ɑː ɔ ɕ ɛ ɛː ɡ ɧ ɪ ɵ ʉː ʊ ʏ",
    marks="' ² ²'",
    letters="-abcdefghijklmnoprstuvwxyzäåéö",
)
_SW = Language(
    "sw",
    "sw",
    plain="f h i j k l m n p s t t͡ʃ u v w x z ð ɑ ɓ ɔ ɗ ɛ ɠ ɣ ɾ ʃ ʄ θ ᵐɓ ᵑg ᶬv ⁿz ⁿɗ ⁿɗ͡ʒ",
)

LANGUAGES = {
    language.name: language
    for language in (_EN, _NL, _DE, _AR, _CA, _CS, _ES, _FA, _FR, _IT, _LB, _PT, _RU, _SV, _SW)
}
_ALIASES = {language.package: name for name, language in LANGUAGES.items()} | {
    "en-gb": "en-us",
    "nl-nl": "nl",
    "nl-be": "nl",
    "lb-lb": "lb",
    "es-mx": "es-es",
    "pt-br": "pt",
    "pt-pt": "pt",
}


def resolve(language: str) -> str:
    """Return the one name of a language: `en`, `en_US` and `EN-us` are all `en-us`."""
    name = language.lower().replace("_", "-")
    name = _ALIASES.get(name, name)
    if name != CHARACTERS and name not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES))
        raise TextError(
            f"language {language!r} has no phonemes here; choose one of {known}, "
            f"or --language {CHARACTERS}"
        )
    return name


def folder(language: str) -> Path:
    """Return where gruut's data of `language` is installed; say how to install it if it is not."""
    from importlib.util import find_spec

    known = LANGUAGES[resolve(language)]
    spec = find_spec(f"gruut_lang_{known.package}")
    if spec is None or not spec.submodule_search_locations:
        raise TextError(
            f"language {known.name}: its data is not installed; "
            f"mend it with: pip install 'ttskit[{known.package}]'"
        )
    return Path(spec.submodule_search_locations[0])


def symbols(language: str) -> tuple[str, ...]:
    """Return the fixed symbol table of `language`; a symbol's place is its id."""
    name = resolve(language)
    if name == CHARACTERS:
        raise TextError(
            "language 'characters' has no fixed symbol table: it comes from the texts of a corpus "
            "(ttskit.text.symbols.character_symbols) and is passed on with the model"
        )
    return LANGUAGES[name].symbols()


def character_symbols(texts: Iterable[str], fold: bool = False) -> tuple[str, ...]:
    """Return the table of `characters` for a corpus: whatever its texts are made of, sorted.

    The special symbols come first, as in every other table.  A character that is not in the
    table is not spoken: it is reported as dropped.
    """
    from ttskit.text.spelling import Speller

    speller = Speller(CHARACTERS, fold=fold)
    found = {token for text in texts for token in speller.spell(text).tokens}
    return (*SPECIAL, *sorted(found.difference(SPECIAL)))


def writable(table: Iterable[str]) -> frozenset[str]:
    """Return the symbols of a table that written phonemes may have."""
    return frozenset(table).difference(SPECIAL) | {BOUNDARY}


def parse(phonemes: str, known: frozenset[str]) -> tuple[str, ...]:
    """Split written phonemes into `known` symbols, the `writable` ones of a table.

    Phonemes stand apart (`h ə l ˈoʊ`) or together (`həlˈoʊ`: the longest symbol wins).  A stress
    mark before a consonant (`həˈloʊ`) moves on to the next symbol that can bear it.  Raises
    TextError with the symbol that is not known.
    """
    spelt, stress = list[str](), ""
    for chunk in phonemes.split():
        while chunk:
            if not stress and chunk[0] in "ˈˌ" and not _longest(chunk, known):
                stress, chunk = chunk[0], chunk[1:]
                continue
            symbol = _longest(chunk, known)
            if not symbol:
                raise TextError(_unknown(chunk, known))
            if stress and stress + symbol in known:
                spelt.append(stress + symbol)
                stress = ""
            else:
                spelt.append(symbol)
            chunk = chunk[len(symbol) :]
    if stress:
        raise TextError(f"the stress mark {stress!r} has no vowel after it")
    return tuple(spelt)


def _longest(chunk: str, known: frozenset[str]) -> str:
    return next((chunk[:size] for size in range(5, 0, -1) if chunk[:size] in known), "")


def _unknown(chunk: str, known: frozenset[str]) -> str:
    from difflib import get_close_matches

    bare = chunk.lstrip("ˈˌ")
    near = [symbol for symbol in sorted(known) if symbol.lstrip("ˈˌ²'") in bare and symbol]
    near = get_close_matches(chunk, sorted(known), 3, 0.3) or near[:3]
    hint = f"; near it are {' '.join(near)}" if near else ""
    return f"symbol {chunk!r} is not in the symbol table{hint}"
