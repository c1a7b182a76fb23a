"""The languages: phonemes and letters of each, its names, and where gruut's data for it are.

The phonemes are those of gruut's lexicon and grapheme-to-phoneme model of the language, as gruut
writes and splits them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ttskit.errors import TextError

CHARACTERS = "characters"  # the language without phonemes, for any that is not listed here
_STRESS = "ˈ ˌ"


@dataclass(frozen=True, slots=True)
class Language:
    """A language that gruut has data for.

    `package` names those data: gruut_lang_PACKAGE, and the extra of ttskit that installs it;
    `title` is what the language is called in English.
    `plain` phonemes bear no mark; `marked` ones stand without a mark and with each of `marks`.
    `letters` are those that the grapheme-to-phoneme model was trained on.
    """

    name: str
    package: str
    title: str
    plain: str
    marked: str = ""
    marks: str = ""
    letters: str = "abcdefghijklmnopqrstuvwxyz"

    def phonemes(self) -> tuple[str, ...]:
        """Return every phoneme in each of its forms."""
        marks = ("", *self.marks.split())
        forms = [mark + phoneme for phoneme in self.marked.split() for mark in marks]
        return tuple(dict.fromkeys([*self.plain.split(), *forms]))


_EN = Language(
    "en-us",
    "en",
    "English",
    plain="b d d͡ʒ f h j k l m n p s t t͡ʃ v w z ð ŋ ɡ ɹ ʃ ʒ θ",
    marked="aɪ aʊ eɪ i oʊ u æ ɑ ɔ ɔɪ ə ɚ ɛ ɪ ʊ ʌ",
    marks=_STRESS,
    letters="'abcdefghijklmnopqrstuvwxyz",
)
_NL = Language(
    "nl",
    "nl",
    "Dutch",
    plain="",
    marked="a aː b c d e eː f h i iː j k l m n o oː p s t u uː v w x y yː z ø ŋ œy œː ɑ ɑu ɑː "
    "ɔ ɔː ə ɛ ɛi ɛː ɡ ɣ ɪ ɱ ɹ ʃ ʏ ʏː ʒ ʔ",
    marks=_STRESS,
    letters="'-abcdefghijklmnopqrstuvwxyzäèéëï",
)
_DE = Language(
    "de-de",
    "de",
    "German",
    plain="a aɪ̯ aʊ̯ aː b d d͡ʒ eː f g h iː j k l m n oː p p͡f s t t͡s t͡ʃ uː v x yː z ãː ç õː øː ŋ œ ɐ "
    "ɔ ɔʏ̯ ə ɛ ɛː ɛ̃ː ɪ ʁ ʃ ʊ ʏ ʒ ʔ χ",
    letters="abcdefghijklmnopqrstuvwxyzäöü",
)
_AR = Language(
    "ar",
    "ar",
    "Arabic",
    plain="a aj aw aː b d dˤ dˤˤ d͡ʒ f h i iː j k l m n q r s sˤ sˤˤ t tˤ tˤˤ u uː w x z ð ðˤ ðˤˤ ħ "
    "ɣ ʃ ʔ ʕ θ",
    letters="ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652",
)
_CA = Language(
    "ca-ce",
    "ca",
    "Catalan",
    plain="b d dz dʒ f g i j k l m n p r s t ts tʃ uw v w y z ð ŋ ɣ ɲ ɾ ʃ ʎ ʒ β",
    marked="a e i o u ɔ ə ɛ",
    marks="'",
    letters="'-abcdefghijklmnopqrstuvxyz·àçèíïòóúü",
)
_CS = Language(
    "cs-cz",
    "cs",
    "Czech",
    plain="a au̯ aː b c d d͡ʒ eu̯ f iː j k l m n o ou̯ oː p r r̝ s t t͡s t͡ʃ u uː v x z ɛ ɛː ɟ ɡ ɦ ɪ ɲ ʃ "
    "ʒ ʔ",
    letters="abcdefghijklmnoprstuvwxyzáéíóúýčďěňřšťůž",
)
_ES = Language(
    "es-es",
    "es",
    "Spanish",
    plain="a ai au b d e ei eu f g i k l m n o oi ou p r s t t͡ʃ u wa we wi wo x ɲ ɾ ʎ ʝ θ",
    letters="abcdefghijklmnopqrstuvxyzáéíñóúü",
)
_FA = Language(
    "fa",
    "fa",
    "Persian",
    plain="b d d͡ʒ e̞ f g h iː j k l m n o p s t t͡ʃ uː v x z æ ɒː ɢ ɾ ʃ ʒ ʔ",
    letters="آابتجحخدذرزسشصضطظعغفقلمنهوپچژکگی\u200c",
)
_FR = Language(
    "fr-fr",
    "fr",
    "French",
    plain="a b d e f i j k l m n o p s t u v w y z ø ŋ œ œ̃ ɑ̃ ɔ ɔ̃ ə ɛ ɛ̃ ɡ ɥ ɲ ʁ ʃ ʒ",
    letters="'-abcdefghijklmnopqrstuvwxyzàâçèéêëîïôûœ",
)
_IT = Language(
    "it-it",
    "it",
    "Italian",
    plain="ŋ ɱ",
    marked="a b d d͡z d͡ʒ e f i j k l m n o p r s t t͡s t͡ʃ u v w z ɔ ɛ ɡ ɲ ʃ ʎ",
    marks=_STRESS,
    letters="-abcdefghijklmnopqrstuvwxyzàéìù",
)
_LB = Language(
    "lb",
    "lb",
    "Luxembourgish",
    plain="aː b d dʒ e eː f g h i iə iː j k l m n o oɪ oː p s t u uə uː v w y yː z æ æːɪ æːʊ ŋ œː "
    "ɐ "
    "ɑ ɑɪ ɑʊ ɑ̃ː ɕ ə əʊ ɛː ɛ̃ː ɜɪ ʀ ʁ ʃ ʑ ʒ ʦ χ",
    letters="abcdefghijklmnopqrstuvwxyzäèéêëöü",
)
_PT = Language(
    "pt",
    "pt",
    "Portuguese",
    plain="b d e ej ew f i iw j k l m n o oj ow p s t u uj v w z õ õj̃ ĩ ũ ũj̃ ɐ ɐj ɐw ɐ̃ ɐ̃j̃ "
    "ɐ̃w̃ ɔ ɔj ɛ ɛj ɛw ɡ ɲ ɹ ɾ ʁ ʃ ʎ ʒ ẽ ẽj̃",
    letters="abcdefghijklmnopqrstuvwxyzáâãçèéêíóôõúü",
)
_RU = Language(
    "ru-ru",
    "ru",
    "Russian",
    plain="a aː b bʲ d dʲ e eː f fʲ i iː j k kʲ l lʲ m mʲ n nʲ o oː p pʲ r rʲ s sʲ t tʲ t͡s t͡ɕ u "
    "uː v vʲ x xʲ z zʲ ɕː ɡ ɡʲ ɨ ɨː ʂ ʐ",
    letters="абвгдежзийклмнопрстуфхцчшщъыьэюяё",
)
_SV = Language(
    "sv-se",
    "sv",
    "Swedish",
    plain="ŋ",
    marked="a b d eː f h iː j k l m n oː p r s t uː v yː øː œ ɑː ɔ ɕ ɛ ɛː ɡ ɧ ɪ ɵ ʉː ʊ ʏ",
    marks="' ² ²'",
    letters="-abcdefghijklmnoprstuvwxyzäåéö",
)
_SW = Language(
    "sw",
    "sw",
    "Swahili",
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
    """Return the one name that a language has here.

    >>> resolve("en"), resolve("EN_us"), resolve("pt-BR")
    ('en-us', 'en-us', 'pt')
    """
    name = language.lower().replace("_", "-")
    name = _ALIASES.get(name, name)
    if name != CHARACTERS and name not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES))
        raise TextError(
            f"language {language!r} has no phonemes here; choose one of {known}, "
            f"or --language {CHARACTERS}"
        )
    return name


def installed(language: str) -> bool:
    """Whether the data of a language are installed."""
    try:
        data_folder(language)
    except TextError:
        return False
    return True


def data_folder(language: str) -> Path:
    """Return the folder of gruut's data for `language`.

    Raises TextError with the command that installs the data where they are missing.
    """
    from importlib.util import find_spec

    known = LANGUAGES[resolve(language)]
    spec = find_spec(f"gruut_lang_{known.package}")
    if spec is None or not spec.submodule_search_locations:
        raise TextError(
            f"language {known.name}: its data are not installed; "
            f"install them with: pip install 'ttskit[{known.package}]'"
        )
    return Path(spec.submodule_search_locations[0])
