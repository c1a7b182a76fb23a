"""A blind listening page: who speaks is hidden until the listener has rated every clip.

The page holds the names only in its key, coded so that they can't be read by accident; a clip has
nothing but its place in an order that is drawn anew for each text.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from string import ascii_uppercase

import numpy as np

from ttskit import progress
from ttskit.artifacts import pool
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.errors import TtskitError, UsageError, at
from ttskit.formats import audio
from ttskit.pages import page

GRADES = ((1, "bad"), (2, "poor"), (3, "fair"), (4, "good"), (5, "excellent"))  # ITU-T P.800
MOST = len(ascii_uppercase)  # systems that have letters
KEYS = (
    ("A B C …", "hear a clip"),
    ("1 … 5", "rate the clip heard last"),
    ("space", "stop, hear again"),
    ("← →", "previous, next text"),
)
LEAD = (
    "Several systems say the same text. Listen to each clip as often as you like, and rate how "
    "good the speech is. Which system says which clip is hidden, and changes with every text."
)


@dataclass(frozen=True)
class Trial:
    """A text, and which system says each of its clips, in the order of the page."""

    id: str
    order: Sequence[int]


@dataclass(frozen=True)
class TrialHtml:
    """From a numbered trial to its HTML; it can be pickled."""

    corpora: Sequence[Reader[Corpus]]
    format: str

    def __call__(self, numbered: tuple[int, Trial]) -> str:
        number, trial = numbered
        text = _text(self.corpora[0], trial.id)
        clips = [self._clip(number, place, trial) for place in range(len(trial.order))]
        return (
            f'<article class="trial" tabindex="-1" hidden><p class="text">{escape(text)}</p>\n'
            f'<ol class="clips">\n{"".join(clips)}</ol></article>\n'
        )

    def _clip(self, number: int, place: int, trial: Trial) -> str:
        corpus = self.corpora[trial.order[place]]
        samples = corpus.value(corpus.row(trial.id), "audio")
        with at(corpus.name, trial.id):
            rate = int(corpus.attributes["sample_rate"])
            coded, _ = audio.encode(samples, rate, f".{self.format}")
        grades = "".join(
            f'<label><input type="radio" name="r{number}-{place}" value="{grade}" disabled>'
            f"<b>{grade}</b> {word}</label>"
            for grade, word in GRADES
        )
        source = f"data:audio/{self.format};base64,{b64encode(coded).decode()}"
        return (
            '<li class="clip"><button type="button" class="hear" aria-pressed="false"><kbd></kbd>'
            '<span class="state">not heard yet</span></button>'
            f'<fieldset class="grades"><legend class="unseen"></legend>{grades}</fieldset>'
            f'<audio preload="none" src="{source}"></audio></li>\n'
        )


def trials(corpora: Sequence[Reader[Corpus]], limit: int, seed: int) -> list[Trial]:
    """Draw the texts of a page among those that all systems say, and the order of their clips."""
    if len(corpora) > MOST:
        raise UsageError(f"--blind: {len(corpora)} systems, there are letters for {MOST}")
    ids = [id for id in corpora[0].ids if _said_by_all(id, corpora)]
    if not ids:
        raise TtskitError("--blind: there is no text that all systems say")
    if left_out := len(corpora[0]) - len(ids):
        progress.note(f"{left_out} of {len(corpora[0])} texts are left out: not all say them")
    rng = np.random.default_rng(seed)
    drawn = [ids[at] for at in rng.permutation(len(ids))[:limit]]
    return [Trial(id, rng.permutation(len(corpora)).tolist()) for id in drawn]


def _said_by_all(id: str, corpora: Sequence[Reader[Corpus]]) -> bool:
    """Return whether every system has audio of an utterance, with the same text."""
    if not all(id in one and one.lengths("sample")[one.row(id)] for one in corpora):
        return False
    return len({_text(one, id) for one in corpora}) == 1


def _text(corpus: Reader[Corpus], id: str) -> str:
    return str(corpus.value(corpus.row(id), "text"))


def page_of(
    systems: Mapping[str, Reader[Corpus]], drawn: Sequence[Trial], format: str, jobs: int
) -> Iterator[str]:
    """Yield the page part by part."""
    names, corpora = list(systems), list(systems.values())
    key = {"systems": names, "texts": [(one.id, one.order) for one in drawn]}
    content = json.dumps([key, [one.digest for one in corpora], format])
    digest = sha256(content.encode()).hexdigest()[:16]
    yield page.top("Listening test", LEAD, "blind")
    coded = b64encode(json.dumps(key).encode()).decode()
    yield f'<div id="test" data-page="{digest}" data-key="{coded}">\n{_start(len(drawn))}'
    yield f'<section id="rating" hidden>\n{_progress(len(drawn))}<div id="trials">\n'
    jobs = min(jobs or pool.cores(), len(drawn))
    made = pool.in_order(TrialHtml(corpora, format), enumerate(drawn), jobs)
    with progress.track("page", len(drawn)) as advance:
        for one in made:
            if isinstance(one, pool.Bad):
                raise one.error
            yield one
            advance()
    yield f"</div>\n{_moves()}</section>\n{_end()}</div>\n" + page.bottom("blind")


def _start(count: int) -> str:
    return (
        f'<form id="start"><p>{count} texts. What you have rated is kept in this browser: you may '
        "close the page, and go on later under the same name.</p>\n"
        '<label>your name or number <input id="listener" autocomplete="off" required '
        'maxlength="60"></label> <button type="submit">Begin</button>'
        "<noscript><p>The test needs JavaScript.</p></noscript></form>\n"
    )


def _progress(count: int) -> str:
    lines = "".join(f"<span><kbd>{escape(key)}</kbd> {does}</span>" for key, does in KEYS)
    return (
        '<div class="tools"><output id="where"></output>'
        f'<progress id="done" max="{count}" value="0" aria-label="texts rated"></progress></div>\n'
        f'<p class="keys">{lines}</p>\n<div id="said" class="unseen" role="status"></div>\n'
    )


def _moves() -> str:
    return (
        '<p class="moves"><button type="button" id="back">Back</button>'
        '<button type="button" id="next">Next text</button></p>\n'
        "<details><summary>End the test now</summary><p>This shows which system is which, after "
        "which no clip can be rated any more.</p>"
        '<button type="button" id="stop">End it</button></details>\n'
    )


def _end() -> str:
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("system", "mean", "95 % interval", "texts")
    )
    return (
        '<section id="end" tabindex="-1" hidden><h2>Thank you</h2>\n<p id="summary"></p>\n'
        '<p class="moves"><button type="button" id="export">Export votes</button></p>\n'
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>'
        '<tbody id="means"></tbody></table></div>\n'
        '<p class="hint">Means of your ratings, 1 bad to 5 excellent; intervals by resampling the '
        "texts. Those of several listeners: ttskit report --votes.</p>\n"
        "<details><summary>Begin anew</summary><p>This discards your ratings in this browser: "
        'export them before.</p><button type="button" id="clear">Discard them</button></details>'
        "</section>\n"
    )
