"""Which language texts are likely in, by their commonest words and by their script.

Small words that everybody uses are two in five of a text, and most of them are of one language
alone; so a few lines are enough, and neither a model nor a lexicon is needed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ttskit.text.languages import CHARACTERS, LANGUAGES

MOST_GUESSED = 0.2  # of the words of texts, before it is said so loudly
_LOOKED_AT = 20_000  # words; more say no more
_LEAST = 5  # common words of a language, so that it is likely
_SHARE = 0.15  # of the words of the texts
_AHEAD = 1.5  # times as many as of the language that they are taken for

# name -> code, or "" for one that has no phonemes here, and common words
_COMMON = {
    "English": ("en-us", "the of and to in is was that it he for with his on as at by she had not "
                "are but be this have from they you were which all an their will would"),
    "Dutch": ("nl", "de het een en van ik te dat die in is niet zijn op aan met als voor er maar "
              "om hem dan zou wat mijn men dit zo door over ze zich bij ook tot je mij uit naar "
              "heb hoe heeft hebben deze want nog geen wij was"),
    "German": ("de-de", "der die und in den von zu das mit sich des auf für ist im dem nicht ein "
               "eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch "
               "wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch ich"),
    "French": ("fr-fr", "le la les de des et à un une est en que qui dans pour pas sur au il elle "
               "je ne ce se plus par avec son sa ses du nous vous mais ou où cette était leur"),
    "Spanish": ("es-es", "el la los las de del y a un una es en que por con no su para se lo como "
                "más pero sus le ya o fue este ha sí porque esta son entre cuando muy sin sobre"),
    "Italian": ("it-it", "il lo la i gli le di del della e un una è in che per con non si da come "
                "più ma anche sono nel alla dei al questo ha era suo mi ci sua loro quando"),
    "Portuguese": ("pt", "o a os as de do da dos das e um uma é em que por com não se para mais "
                   "como mas foi ao ele no na seu sua ou ser quando muito nos já está eu também"),
    "Swedish": ("sv-se", "och i att det som en på är av för med till den har de inte om ett han "
                "men var jag sig från vi så kan när man eller under hon ut nu där då skulle"),
    "Catalan": ("ca-ce", "el la els les de del i a un una és en que per amb no es al dels com més "
                "però seu seva va ser o ha hi aquest aquesta són molt quan també sense"),
    "Czech": ("cs-cz", "a se v na je že o s z do to i pro jako za by ale jeho po při si které byl "
              "od jsem tak jsou který když už jen nebo aby není ke být ho"),
    "Luxembourgish": ("lb", "an den d'r dat ass op vun fir mat eng en déi als och net et um zu "
                      "huet awer sech ginn hunn vum ze sinn no wéi hien bei nach"),
    "Swahili": ("sw", "na ya wa kwa ni katika la za hii hiyo kuwa lakini pia huu cha yake wake "
                "au si kama sana yao hivyo watu baada mtu moja"),
    "Danish": ("", "og i at det er en til på som med for de af den ikke han har var der et jeg "
               "sig men fra blev om vi kan hun efter også eller ud hvad nu meget"),
    "Norwegian": ("", "og i det er en til på som med for av den ikke han har var jeg at et men "
                  "fra ble om vi kan hun etter også eller ut hva nå meg deg seg"),
    "Finnish": ("", "ja on ei että se oli hän mutta kun niin joka ole myös kuin tai sen ovat nyt "
                "jos vain minä sinä mitä hänen olen"),
    "Polish": ("", "i w na z się nie do to że jest o jak po co ale od za przez czy tak już dla "
               "jego ma tylko był jej są te które być"),
    "Turkish": ("", "ve bir bu da de için ile çok daha ne var gibi olarak ama o ben sen kadar "
                "olan değil mi sonra en her şey"),
    "Romanian": ("", "și în de la a un o cu că nu este pe din se mai pentru ce sunt care au fost "
                 "ca sau dar lui ei îi"),
    "Hungarian": ("", "a az és hogy nem is egy van volt csak meg ez de mint már ki még el ha "
                  "fel azt ezt lesz nagy"),
}  # fmt: skip
# script -> code or "", and name
_SCRIPTS = (
    (r"[а-яё]", "ru-ru", "Russian"),
    (r"[پچژگ]", "fa", "Persian"),
    (r"[ء-ي]", "ar", "Arabic"),
    (r"[α-ωά-ώ]", "", "Greek"),
    (r"[א-ת]", "", "Hebrew"),
    (r"[ぁ-んァ-ヶ]", "", "Japanese"),
    (r"[가-힣]", "", "Korean"),
    (r"[一-鿿]", "", "Chinese"),
    (r"[अ-ह]", "", "Hindi"),
    (r"[ก-ฮ]", "", "Thai"),
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class Likely(NamedTuple):
    """A language that texts are likely in."""

    name: str
    code: str  # "" if it has no phonemes here

    @property
    def option(self) -> str:
        """What to give as --language."""
        if not self.code:
            return CHARACTERS
        return LANGUAGES[self.code].package


def detected(texts: Iterable[str], taken_for: str = "en-us") -> Likely | None:
    """Return the language that texts are likely in; None if it is the one they are taken for.

    None, too, where nothing is likely: too few words, or none of a language that is known.

    >>> detected(["De man zei dat het niet om hem ging, maar om zijn huis."])
    Likely(name='Dutch', code='nl')
    """
    words = _words(texts)
    if not words:
        return None
    if script := _by_script(words):
        return None if script.code == taken_for else script
    counts = {name: _common(words, common) for name, (_, common) in _COMMON.items()}
    best = max(counts, key=lambda name: counts[name])
    code = _COMMON[best][0]
    own = next((counts[name] for name, (code_, _) in _COMMON.items() if code_ == taken_for), 0)
    enough = counts[best] >= max(_LEAST, _SHARE * sum(words.values()))
    if code == taken_for or not enough or counts[best] < _AHEAD * own:
        return None
    return Likely(best, code)


def _words(texts: Iterable[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    for text in texts:
        words.update(_WORD.findall(text.lower().replace("’", "'")))
        if words.total() > _LOOKED_AT:
            break
    return words


def _common(words: Counter[str], common: str) -> int:
    return sum(words[word] for word in set(common.split()))


def _by_script(words: Counter[str]) -> Likely | None:
    """Return the language of a script that most letters are of, other than the Latin one."""
    letters = "".join(words.elements())
    most = 0.5 * len(letters)
    other = sum(letter >= "\u0370" for letter in letters)  # Greek, and all that follows
    if other < most:
        return None
    for pattern, code, name in _SCRIPTS:
        if re.search(pattern, letters):
            return Likely(name, code)
    return None


def doubts(texts: Iterable[str], language: str, guessed: int, words: int) -> str:
    """Return what is doubtful about texts that were spelt in a language; "" if nothing is.

    >>> doubts(["De man zei dat het niet om hem ging."], "en-us", 6, 8)
    '6 of 8 words are guessed, and the texts look like Dutch: spell them with --language nl'
    """
    if language == CHARACTERS or guessed <= MOST_GUESSED * words:
        return ""
    counts = f"{guessed} of {words} words are guessed"
    if likely := detected(texts, language):
        looks = f"and the texts look like {likely.name}"
        return f"{counts}, {looks}: spell them with --language {likely.option}"
    return (
        f"{counts}, more than a fifth: is it {language}? Their pronunciations are to be looked "
        "through: `ttskit text --unknown`"
    )
