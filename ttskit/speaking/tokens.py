"""Texts spelt as Tokens, one utterance at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ttskit.errors import TextError

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Tokens
    from ttskit.speaking.texts import UtteranceText
    from ttskit.text.spelling import Speller


REVISION = 1


def utterance(said: UtteranceText, speller: Speller) -> Tokens:
    """Spell one text."""
    import numpy as np

    from ttskit.artifacts.kinds import Tokens

    spelling = speller.spell(said.text)
    if not spelling.words:
        raise TextError(f"has no word that could be spoken: {said.text!r:.60}")
    numbers = {symbol: number for number, symbol in enumerate(speller.table)}
    return Tokens(
        id=said.id,
        speaker=said.speaker,
        text=said.text,
        language=speller.language,
        tokens=np.array([numbers[symbol] for symbol in spelling.tokens]),
        token_word=np.array(spelling.token_word),
        words=np.array(spelling.words, dtype=object),
        spans=np.array(spelling.spans),
        guessed=np.array(spelling.guessed),
        dropped=", ".join(str(drop) for drop in spelling.drops),
    )


def note_dropped(path: Path) -> None:
    """Say which characters are not spoken, of Tokens or what was made of them."""
    from ttskit import progress
    from ttskit.artifacts import kinds

    if not path.exists():
        return
    reader = kinds.read(path)
    dropped = zip(reader.ids, reader.table("dropped"), strict=False)  # where the column is
    silent = [(id, told) for id, told in dropped if told]
    for id, told in silent[:5]:
        progress.note(f"{id}: not spoken: {told}")
    if silent[5:]:
        progress.note(f"and in {len(silent) - 5} more; see the column `dropped`")
