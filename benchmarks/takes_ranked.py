"""What candidates and rankers buy: error rates of the takes that each ranker chooses.

    python benchmarks/takes_ranked.py make TOKENS.h5 FOLDER COUNT TEMPERATURE MODEL ...
    ttskit evaluate FOLDER/takes.h5 --measures wer_base,distillmos -o FOLDER/scores.h5
    python benchmarks/takes_ranked.py table FOLDER FOLDER/scores.h5

`make` speaks every text COUNT times by a chain of models (from tokens to audio), with an aligner
and perhaps a ranker beside it, and keeps the takes and what every ranker says of them.  `table`
shows what the takes are worth that are chosen among the first 1, 2, 4 ..., with 95 % intervals by
the bootstrap over texts; takes with a fault are left out where others have none.  The oracle knows
the measure.  An error rate above 1, that of a recogniser in a loop, counts as 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import ttskit
from ttskit.artifacts.build import Recipe, Running, build
from ttskit.artifacts.kinds import Corpus, Tokens
from ttskit.artifacts.reader import Reader
from ttskit.dsp.samples import bent, to_int16
from ttskit.metrics.intelligibility import listener
from ttskit.speaking.acoustics import Cascade, Manner, seed_of
from ttskit.speaking.candidates import RANKERS, Choice, Judges
from ttskit.speaking.realignment import Script
from ttskit.voices.join import JUDGES
from ttskit.voices.voice import chosen

HEARD = ("wer", "wer_base")  # means of these are over words
SUMS = ({"align": 1.0, "duration": 1.0}, {"heard": 1.0, "align": 1.0}, {"heard": 1.0, "clvp": 1.0})
ROUNDS = 10_000  # of the bootstrap


def spoken(texts: Reader[Tokens], id: str) -> Script:
    """Return what is to be said."""
    one = texts[id]
    return Script(id, one.speaker, one.text, one.tokens, one.token_word, tuple(one.words))


def take(name: str, judges: Judges, texts: Reader[Tokens], manner: Manner, folder: Path) -> Corpus:
    """Return one take of a text as a recording, and write what judges say of it."""
    id, _, number = name.rpartition("~")
    script = spoken(texts, id)
    fields = judges.cascade.run(id, {"tokens": script.tokens}, manner, seed_of(0, name))
    verdict, _ = judges._verdict(int(number), script, fields)
    row = {"take": int(number), "scores": verdict.scores, "fault": verdict.fault}
    (folder / "verdicts" / f"{name}.json").write_text(json.dumps(row))
    audio, _ = to_int16(bent(fields["audio"]))
    return Corpus(id=name, speaker=script.speaker, text=script.text, audio=audio)


def make(tokens: str, folder: Path, count: int, temperature: float, paths: Sequence[str]) -> None:
    """Write the takes of all texts, and the verdicts on them."""
    models = [*chosen(paths).values()]
    chain = [model for model in models if model.role not in JUDGES]
    beside = [model for model in models if model.role in JUDGES]
    cascade = Cascade(chain, "audio", ("tokens",))
    able = Judges(cascade, Choice(1, {}, beside, listener))._able
    judges = Judges(cascade, Choice(1, dict.fromkeys(filter(able, RANKERS), 1.0), beside, listener))
    texts, manner = Reader(Path(tokens), Tokens), Manner(knobs={"temperature": temperature})
    (folder / "verdicts").mkdir(parents=True, exist_ok=True)
    names = {f"{id}~{n}": f"{id}~{n}" for n in range(count) for id in texts.ids}
    options = {"count": count, "temperature": temperature}
    digests = [*texts.digests, *(model.container.digest for model in models)]
    attributes = {"sample_rate": judges.cascade.facts.sample_rate}
    how = Recipe("compare", 1, Corpus, options, digests, attributes)
    one = partial(take, judges=judges, texts=texts, manner=manner, folder=folder)
    build(folder / "takes.h5", how, names, one, Running(1), source=tokens)


def verdicts(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what judges say of the takes of each text, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in (folder / "verdicts").glob("*.json"):
        found.setdefault(path.stem.rpartition("~")[0], []).append(json.loads(path.read_text()))
    return {id: sorted(rows, key=lambda row: row["take"]) for id, rows in sorted(found.items())}


# from the id and the takes of a text to how high each of them is valued
Value: TypeAlias = Callable[[str, list[dict[str, Any]]], np.ndarray]


def choices(
    known: set[str], measures: dict[str, Any], takes: set[str]
) -> Iterator[tuple[str, Value]]:
    """Yield the name of what chooses, and its values: rankers that are known, sums, oracles.

    There is no oracle of what was not measured of all `takes`.
    """
    for weights in (*({name: 1.0} for name in RANKERS), *SUMS):
        if known.issuperset(weights):
            yield "+".join(weights), partial(_ranked, weights=weights)
    for measure, values in measures.items():
        if values.keys() >= takes:
            yield f"oracle of {measure}", partial(_known, values=values, down=measure in HEARD)


def _ranked(
    id: str,  # noqa: ARG001
    takes: list[dict[str, Any]],
    weights: dict[str, float],
) -> np.ndarray:
    """Return the sum of scores, in deviations over the takes that have no fault."""
    faulty = np.array([bool(row["fault"]) for row in takes])
    fit = ~faulty | faulty.all()
    total = np.zeros(len(takes))
    for name, weight in weights.items():
        scores = np.array([row["scores"][name] for row in takes])
        total += weight * (scores - scores[fit].mean()) / max(float(scores[fit].std()), 1e-9)
    return total


def _known(
    id: str, takes: list[dict[str, Any]], values: dict[str, float], down: bool
) -> np.ndarray:
    own = np.array([values[f"{id}~{row['take']}"] for row in takes])
    return -own if down else own


def table(folder: Path, paths: Sequence[str]) -> None:
    """Print, for what chooses and how many takes there are, the mean of every measure."""
    measures, words = measured(paths)
    rows = verdicts(folder)
    most = len(next(iter(rows.values())))
    known = set[str].intersection(*({*row["scores"]} for own in rows.values() for row in own))
    takes = {f"{id}~{row['take']}" for id, own in rows.items() for row in own}
    for name, value in choices(known, measures, takes):
        for count in (2**power for power in range(most.bit_length())):
            best = [_best(id, own[:count], value) for id, own in rows.items()]
            means = [
                f"{measure} {_mean(values, best, words if measure in HEARD else {})}"
                for measure, values in measures.items()
                if all(one in values for one in best)
            ]
            print(f"{name:20} {count:3}  {'  '.join(means)}")
    faults = sum(bool(row["fault"]) for own in rows.values() for row in own)
    print(f"{faults} of {len(takes)} takes have a fault")


def _mean(values: dict[str, float], best: list[str], words: dict[str, float]) -> str:
    """Return the mean over some takes, by their words, and its interval, as text."""
    own, weights = (np.array([of.get(one, 1.0) for one in best]) for of in (values, words))
    if words:
        own = np.minimum(own, 1)
    drawn = np.random.default_rng(0).integers(0, len(best), (ROUNDS, len(best)))
    means = (own * weights)[drawn].sum(1) / weights[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{(own * weights).sum() / weights.sum():.4f} ({low:.4f} to {high:.4f})"


def measured(paths: Sequence[str]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return the measures of each take by their names, and how many words it has."""
    measures, words = dict[str, dict[str, float]](), dict[str, float]()
    for scores in map(ttskit.read, paths):
        for name in {spec.name for spec in scores.columns} & {*HEARD, "distillmos"}:
            own = dict(zip(scores.ids, scores.column(name).tolist(), strict=True))
            measures.setdefault(name, {}).update(own)
        for name in {spec.name for spec in scores.columns} & {"words", "words_base"}:
            words |= dict(zip(scores.ids, scores.column(name).tolist(), strict=True))
    return measures, words


def _best(id: str, takes: list[dict[str, Any]], value: Value) -> str:
    """Return the take of the highest value, of those without a fault if there is any."""
    faulty = np.array([bool(row["fault"]) for row in takes])
    values = np.where(faulty & ~faulty.all(), -np.inf, value(id, takes))
    return f"{id}~{takes[int(values.argmax())]['take']}"


if __name__ == "__main__":
    verb, *given = sys.argv[1:]
    if verb == "make":
        make(given[0], Path(given[1]), int(given[2]), float(given[3]), given[4:])
    else:
        table(Path(given[0]), given[1:])
