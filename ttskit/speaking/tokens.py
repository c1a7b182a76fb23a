"""Texts spelt as Tokens, one utterance at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ttskit.errors import TextError

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Tokens
    from ttskit.speaking.texts import UtteranceText
    from ttskit.text.spelling import Speller


REVISION = 3


def utterance(item: UtteranceText, speller: Speller) -> Tokens:
    """Spell one text."""
    import numpy as np

    from ttskit.artifacts.kinds import Tokens

    spelling = speller.spell(item.text)
    if not spelling.words:
        raise TextError(f"has no word that could be spoken: {item.text!r:.60}")
    numbers = {symbol: number for number, symbol in enumerate(speller.table)}
    return Tokens(
        id=item.id,
        speaker=item.speaker,
        text=item.text,
        language=speller.language,
        tokens=np.array([numbers[symbol] for symbol in spelling.tokens]),
        token_word=np.array(spelling.token_word),
        words=np.array(spelling.words, dtype=object),
        spans=np.array(spelling.spans),
        guessed=np.array(spelling.guessed),
        dropped=", ".join(str(drop) for drop in spelling.drops),
    )


def note_dropped(path: Path) -> None:
    """Note which characters are not spoken, of Tokens or of an artifact made of Tokens."""
    from ttskit import progress
    from ttskit.artifacts import hdf5, kinds

    if not hdf5.is_there(path):
        return
    reader = kinds.read(path)
    columns = zip(reader.ids, reader.table("dropped"), strict=False)  # no column, no rows
    dropped = [(id, characters) for id, characters in columns if characters]
    for id, characters in dropped[:5]:
        progress.note(f"{id}: not spoken: {characters}")
    if dropped[5:]:
        progress.note(f"and in {len(dropped) - 5} more; see the column `dropped`")
