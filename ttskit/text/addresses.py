"""Web and e-mail addresses, files and paths: where every sign is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ttskit.text.rules import Rule, letters

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
_TOP = "com|org|net|edu|gov|io|uk|us|de|nl|eu|co|info|ai|dev|app|fr|ca|tv|me|be|at|ch"
_FILE = (
    "txt|pdf|docx?|xlsx?|pptx?|csv|tsv|json|ya?ml|toml|xml|html?|css|jsx?|tsx?|py|md|rs|go|sh|exe|"
    "zip|tar|gz|png|jpe?g|gif|svg|mp3|mp4|wav|flac|ogg|log|ini|cfg|h5|cpp|php|sql|bat|iso"
)
_PARTS = re.compile(r"[^\W\d_]+|\d+|.")
_SHORT = 4  # letters of a part that is named letter by letter unless it is a word


@dataclass(frozen=True)
class Naming:
    """How a language names what addresses are made of.

    signs : sign -> its name
    words : of one or two letters, and yet read as words
    figures : the words of a run of figures
    known : whether the lexicon has a word
    """

    signs: Mapping[str, str]
    words: Collection[str]
    figures: Callable[[str], list[str]]
    known: Callable[[str], bool]

    def read(self, address: str) -> list[str]:
        """Return the words of an address, without its `https://`."""
        reading: list[str] = []
        for part in _PARTS.findall(re.sub(r"^[a-z]+://", "", address)):
            if part in self.signs:
                reading += self.signs[part].split()
            elif part.isdecimal():
                reading += self.figures(part)
            elif self._spells(part):
                reading += letters(part)
            else:
                reading.append(part)
        return reading

    def _spells(self, part: str) -> bool:
        """Whether letters are named one by one: `www`, `usr`, not `me` or `bar`."""
        if len(part) < 3:
            return part.lower() not in self.words or part.isupper()
        vowels = re.search("[aeiouyäëïöü]", part.lower())
        return not vowels or (len(part) <= _SHORT and not self.known(part.lower()))


def rules(naming: Naming) -> list[Rule]:
    """Return the rules that read addresses, paths and names of files."""
    return [
        Rule(pattern, lambda match: naming.read(match[0]))
        for pattern in (
            rf"[\w.+-]{{1,64}}@{_LABEL}(?:\.{_LABEL}){{1,8}}",
            r"(?:[a-z]{2,10}://|www\.)[^\s<>\"“”()]{0,1000}[\w/]",
            rf"{_LABEL}(?:\.{_LABEL}){{0,6}}\.(?:{_TOP})"
            r"(?:/[\w./?=&#%~-]{0,500}[\w/])?(?![\w.]*\w)",
            rf"[A-Za-z][\w-]{{0,60}}(?:\.[A-Za-z][\w-]{{0,20}}){{0,3}}\.(?:{_FILE})(?!\w|\.\w)",
            r"(?<!\S)[A-Z]:\\[\w.\\-]{0,200}",
            r"(?<![^\s(\"'])(?:~|\.{1,2})?(?:/[\w.-]{1,60}){1,20}(?<=\w)",
            r"(?<!\S)~/(?!\w)",
        )
    ]
