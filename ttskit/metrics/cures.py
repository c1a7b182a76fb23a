"""Cures: what to do about each kind of finding of `doctor`."""

from __future__ import annotations

CURES = {
    "clipping": "what is cut off is lost: record again at a lower level, or leave out",
    "silence": "at the ends: `ttskit corpus --trim`; in the middle: cut the recording in two, or "
    "leave out",
    "length": "cut it into sentences: keep subtitles or labels with their times beside the "
    "recording, which `ttskit corpus` reads",
    "level": "`ttskit corpus --peak -3` brings all recordings to one level",
    "speech rate": "listen: correct the text where it is not what is said, or leave out",
    "octave jumps": "few do no harm; many: `ttskit features --f0 crepe-full`",
    "other speaker": "listen: name the speakers (`ttskit corpus --speaker`, a column, folders), or "
    "leave out",
    "alignment": "listen: correct the text where it is not what is said, or leave out",
    "duration": "listen: a word may be missing from the text, or a silence from its punctuation",
    "pause in word": "listen: a word may be missing from the text, or its phonemes may be wrong",
    "pronunciation": "listen, and correct it in a lexicon: `--lexicon FILE` writes one, which "
    "`ttskit tokens --lexicon FILE` reads",
    "little data": "record sentences with it; else words with it may sound wrong",
    "no data": "words with these will sound wrong, if any has them: record sentences with them",
    "language": "name the language: `ttskit tokens --language`",
}
# after which an utterance is better left out until somebody has listened to it
SPOILING = ("clipping", "speech rate", "other speaker", "alignment")
