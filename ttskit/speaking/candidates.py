"""Candidates: several takes of an utterance, of which judges choose one.

A take in which a word is lost, or something else is said, cannot be chosen.  Of the others, each
ranker gives a score; scores are compared in units of their deviation over the takes, and summed by
weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ttskit.errors import AlignmentError, ArtifactError, TtskitError, UsageError
from ttskit.speaking.acoustics import Cascade, Manner
from ttskit.speaking.realignment import Realigned, Script, realigned
from ttskit.voices.aligner import Neural
from ttskit.voices.join import JUDGES, check_fit
from ttskit.wording import count

if TYPE_CHECKING:
    from ttskit.models.family import Family
    from ttskit.voices.model import Model

Fields: TypeAlias = Mapping[str, np.ndarray]
JUDGING = (*JUDGES, "duration")  # roles that judge, of the chain or of what stands beside it
RANKERS = {  # what each needs, in words
    "clvp": "a ranker, such as clvp, and a chain that makes codes",
    "align": "an aligner",
    "duration": "an aligner, and durations of a duration model",
    "heard": "a chain that makes audio, and the recogniser of the command line",
}
# from samples, their rate and a text to an error rate
Recognise: TypeAlias = Callable[[np.ndarray, int, str], float]


@dataclass(frozen=True)
class Choice:
    """How many candidates there are, and what chooses between them."""

    candidates: int = 1
    weights: Mapping[str, float] = field(default_factory=dict)  # of the rankers
    judges: Sequence[Model] = ()  # in place of those of the voice or chain
    # opens the one of the ranker heard, for a language
    recogniser: Callable[[str], Recognise] | None = None

    def options(self) -> dict[str, Any]:
        """Return what the chosen take depends on, as far as it is not the usual."""
        options = {
            "candidates": self.candidates if self.candidates > 1 else None,
            "rank": dict(self.weights),
            "judges": [model.container.digest for model in self.judges],
        }
        return {name: value for name, value in options.items() if value}


def choice_of(
    candidates: int,
    weights: Mapping[str, float],
    judges: Sequence[Path],
    recogniser: Callable[[str], Recognise] | None = None,
) -> Choice:
    """Return how candidates are chosen, with the files of judges opened."""
    from ttskit.voices.model import read_model

    if not isinstance(candidates, int) or candidates < 1:
        raise TtskitError(f"candidates {candidates!r}: needs a whole number from 1 up")
    models = [read_model(path) for path in judges]
    for model in models:
        if model.role not in JUDGING:
            raise ArtifactError(
                f"{model.name}: is a {model.role}, which judges nothing: needs an aligner, a "
                "ranker or a duration model"
            )
    by_role(models)
    return Choice(candidates, weights, tuple(models), recogniser)


def by_role(models: Sequence[Model]) -> dict[str, Model]:
    """Return judges by their roles; refuse two of one."""
    found: dict[str, Model] = {}
    for model in models:
        if found.setdefault(model.role, model) is not model:
            raise UsageError(
                f"{model.name}: is a second {model.role} beside {found[model.role].name}: give one"
            )
    return found


@dataclass(frozen=True)
class Verdict:
    """What is known of a candidate."""

    candidate: int
    scores: Mapping[str, float]
    fault: str  # why it cannot be chosen, if it cannot
    total: float = 0.0


@dataclass(frozen=True)
class Chosen:
    """The fields of the chosen candidate, and the verdicts on all that were made."""

    fields: Fields
    candidate: int
    verdicts: Sequence[Verdict]

    def account(self) -> dict[str, Any]:
        """Return the candidate, its scores, and why others lost, as JSON can say it."""
        rows = {one.candidate: _row(one) for one in self.verdicts}
        own = rows.pop(self.candidate)
        return {"candidate": self.candidate, **own, "others": [*rows.values()]}


def _row(verdict: Verdict) -> dict[str, Any]:
    scores = {name: round(score, 4) for name, score in verdict.scores.items()}
    row: dict[str, Any] = {"candidate": verdict.candidate, "scores": scores}
    if verdict.fault:
        return {**row, "lost": verdict.fault}
    return {**row, "total": round(verdict.total, 4)}


class Judges:
    """The models that judge the takes of a chain, loaded when they are first needed."""

    def __init__(self, cascade: Cascade, choice: Choice) -> None:
        self.cascade, self.choice = cascade, choice
        own = {role: one for role, one in cascade.beside.items() if role in JUDGING}
        self.models = {**own, **by_role(choice.judges)}
        if self.models:
            check_fit([*cascade.models, *self.models.values()])
        if choice.candidates > 1 and not choice.weights and "aligner" not in self.models:
            raise UsageError(
                f"nothing chooses between {choice.candidates} candidates: add --rank, or an "
                "aligner (--judge), which finds what is lost"
            )
        if "aligner" not in self.models and "durations" not in {*cascade.known, *cascade.makes}:
            raise ArtifactError(
                f"nothing here makes durations: {cascade.models[0].name} does not say when it "
                "speaks which word; add an aligner"
            )
        for name in choice.weights:
            if name not in RANKERS:
                raise UsageError(f"--rank {name}: there is {', '.join(RANKERS)}")
            if not self._able(name):
                raise TtskitError(f"--rank {name}: needs {RANKERS[name]}")

    @property
    def judging(self) -> bool:
        """Whether there is anything to choose by."""
        return bool(self.models or self.choice.weights)

    def _able(self, name: str) -> bool:
        makes, roles = self.cascade.makes, self.models.keys()
        return {
            "clvp": "ranker" in roles and "codes" in makes,
            "align": "aligner" in roles,
            "duration": "aligner" in roles and ("duration" in roles or "durations" in makes),
            "heard": self.choice.recogniser is not None and "audio" in makes,
        }[name]

    @property
    def wanted(self) -> str:
        """The field up to which every candidate is made; the chosen one alone goes on."""
        whole = (
            not self.judging or "heard" in self.choice.weights or "mel" not in self.cascade.makes
        )
        return self.cascade.wanted if whole else "mel"

    def choose(self, script: Script, make: Callable[[int], Fields]) -> Chosen:
        """Return the best of the candidates, which `make` makes by their numbers, from 0.

        Without rankers it is the first one in which nothing is lost.  AlignmentError if there is
        none, with what the last one has lost.
        """
        takes, verdicts = list[Fields](), list[Verdict]()
        for number in range(self.choice.candidates):
            takes.append(make(number))
            verdict, takes[-1] = self._verdict(number, script, takes[-1])
            verdicts.append(verdict)
            if not self.choice.weights and not verdict.fault:
                break
        fit = [one.candidate for one in verdicts if not one.fault]
        if not fit:
            raise AlignmentError(
                f"{verdicts[-1].fault}, in the last of {count(len(verdicts), 'candidate')}: raise "
                "--candidates"
            )
        verdicts = self._ranked(verdicts, fit)
        best = max(fit, key=lambda number: verdicts[number].total)
        return Chosen(takes[best], best, verdicts)

    def _verdict(self, number: int, script: Script, fields: Fields) -> tuple[Verdict, Fields]:
        """Return what judges say of a candidate, and its fields; durations are added."""
        found = self._realigned(script, fields)
        if found is not None and "durations" not in fields:
            fields = {**fields, "durations": found.durations}
        measures: dict[str, Callable[[], float]] = {
            "clvp": lambda: self._match(script, fields),
            "align": lambda: found.score if found else 0.0,
            "duration": lambda: -self._away(script, fields, found),
            "heard": lambda: -self._heard(fields, script.text),
        }
        scores = {name: measures[name]() for name in self.choice.weights}
        return Verdict(number, scores, found.fault if found else ""), fields

    def _ranked(self, verdicts: Sequence[Verdict], fit: Sequence[int]) -> list[Verdict]:
        """Return verdicts with their totals: deviations from the mean of fit ones, by weight."""
        totals = np.zeros(len(verdicts))
        for name, weight in self.choice.weights.items():
            values = np.array([one.scores[name] for one in verdicts])
            spread = values[fit].std()
            totals += weight * (values - values[fit].mean()) / (spread if spread > 1e-9 else 1.0)
        return [
            replace(one, total=float(total)) for one, total in zip(verdicts, totals, strict=True)
        ]

    def _realigned(self, script: Script, fields: Fields) -> Realigned | None:
        if self._aligner is None:
            return None
        return realigned(self._aligner, self._mel(fields), script)

    @cached_property
    def _aligner(self) -> Neural | None:
        model = self.models.get("aligner")
        return Neural(model, self.cascade.device) if model else None

    @cached_property
    def _ranker(self) -> Family:
        return self.models["ranker"].module(self.cascade.device)

    @cached_property
    def _recogniser(self) -> Recognise:
        assert self.choice.recogniser is not None
        return self.choice.recogniser(self.cascade.language)

    @cached_property
    def _durations(self) -> Cascade:
        model = self.models["duration"]
        return Cascade([model], "durations", ("tokens",), self.cascade.device)

    def _mel(self, fields: Fields) -> np.ndarray:
        """Return the mel of a candidate; that of audio is computed."""
        from ttskit.dsp import mel
        from ttskit.models.vocoder import mel_settings

        if "mel" in fields:
            return fields["mel"]
        return mel.mel(fields["audio"], mel_settings(self.models["aligner"].facts))

    def _match(self, script: Script, fields: Fields) -> float:
        import torch

        from ttskit.networks.batch import collate

        inputs = {"tokens": script.tokens, "codes": fields["codes"]}
        with torch.inference_mode():
            batch = collate([script.id], [inputs]).to(self.cascade.device)
            return float(self._ranker.generate(batch)["match"])

    def _away(self, script: Script, fields: Fields, found: Realigned | None) -> float:
        """Return how far durations are from those expected, mean over spoken tokens in octaves."""
        assert found is not None
        if "duration" in self.models:
            known = {"tokens": script.tokens}
            manner = Manner(script.length_scale, speaker=script.speaker)
            expected = self._durations.run(script.id, known, manner, 0)["durations"]
        else:
            expected = fields["durations"]
        octaves = np.log2(found.durations + 1) - np.log2(expected + 1)
        return float(np.abs(octaves[script.token_word >= 0]).mean())

    def _heard(self, fields: Fields, text: str) -> float:
        return self._recogniser(fields["audio"], self.cascade.facts.sample_rate, text)
