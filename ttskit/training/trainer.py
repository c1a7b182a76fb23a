"""The trainer: one loop for every role and family.

An update takes `accumulate` batches and trains every player of the model in turn.  Losses are
means over all utterances of the update, on any number of processes.  Random numbers follow from
the seed and the number of the update, and checkpoints hold all other state, so a training that
was killed resumes bit by bit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from ttskit import progress, wording
from ttskit.artifacts import signals
from ttskit.errors import SettingError, TrainingError
from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Picture
from ttskit.training import (
    batches,
    checkpoint,
    curves,
    generators,
    monitor,
    processes,
    rows,
    snapshots,
)
from ttskit.training.averaged import Averaged
from ttskit.training.beside import Beside
from ttskit.training.checkpoint import Checkpoint, State
from ttskit.training.configuration import Training
from ttskit.training.examples import Examples
from ttskit.training.goal import Goal
from ttskit.training.update import Players
from ttskit.training.validation import Validation, validate
from ttskit.voices.model import write_model

MOST_HELD_OUT = 64  # utterances


@dataclass
class Trainer:
    """A training: a model, its data, settings and length, and the run folder."""

    model: Family
    examples: Examples
    training: Training
    goal: Goal
    seed: int
    folder: Path
    config: str  # TOML, to be written with the model
    provenance: Mapping[str, Any]
    device: str = "cpu"
    state: State = field(default_factory=State)
    # rows of the training and of the validation utterances
    rows: np.ndarray = field(init=False)
    held_out: np.ndarray = field(init=False)
    # set up by `run`, in every process
    fabric: Fabric = field(init=False)
    order: batches.Order = field(init=False)
    players: Players = field(init=False)
    averaged: Averaged = field(init=False)
    _beside: Beside = field(default_factory=Beside, init=False)  # which writes checkpoints
    _drawn: float = field(default=0.0, init=False)  # when pictures were last drawn
    _saved: float = field(default_factory=time.monotonic, init=False)  # when a checkpoint was

    def __post_init__(self) -> None:
        texts, share = self.examples.texts, self.training.validation
        held_out = batches.held_out(texts, share, MOST_HELD_OUT, self.seed)
        self.rows, self.held_out = np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def run(self) -> Path:
        """Train, and return the path of the best model."""
        self.fabric = processes.launched(self.device, self.training.precision)
        if not self._first:
            progress.hush()  # only the first process prints
        if processes.emulates(self.training.precision, self.device):
            progress.note(
                f"training.precision is {self.training.precision}, for which this processor has no "
                "instructions: a step takes many times as long as in 32-true"
            )
        with signals.held() as stop:
            self._prepare()
            path = self.folder / "log.jsonl" if self._first else Path(os.devnull)
            display = monitor.Display(f"train {self.model.role}", self.goal.steps)
            with monitor.Log(path, self.state.step) as log, display.shown():
                self._train(log, display, stop)
        stop.obey(
            f"interrupted; {self.folder} keeps {wording.count(self.state.step, 'update')}: the "
            "same command goes on from there"
        )
        self._picture({}, final=True)
        processes.wait(self.fabric)
        return self.folder / "best.h5"

    @property
    def _first(self) -> bool:
        """Whether this is the first process, the only one that writes files."""
        return self.fabric.is_global_zero

    def _prepare(self) -> None:
        """Restore the last checkpoint, or initialise the model for the first update."""
        size = self.fabric.world_size
        torch.manual_seed(self.seed)
        if self.training.snapshot_every and type(self.model).sample is Family.sample:
            raise SettingError(f"training.snapshot_every: {self.model.role} makes no snapshots")
        if self.training.segment and not self.examples.divisible:
            raise SettingError(f"training.segment: {self.model.role} learns from whole utterances")
        if len(self.rows) < size:
            there = wording.count(len(self.rows), "utterance")
            raise TrainingError(f"{there}: too few for {size} processes")
        self.model.prepare()
        self.model.to(self.fabric.device)
        lengths = self.examples.lengths[self.rows]
        self.order = batches.Order(lengths, self.training.batch * size, self.seed, size)
        self.players = Players(self.fabric, self.model, self.training)
        self.averaged = Averaged(self.model, self.training.ema)
        self.model.train()
        last, states = self.folder / "last.h5", dict[str, Tensor]()
        if last.exists():
            parts = self.model, self.averaged.weights, self.players.optimizers
            self.state, states = checkpoint.load(last, *parts)
            progress.note(f"{self.folder}: going on after update {self.state.step}")
        else:
            with torch.no_grad():  # by whole batches, so that all processes agree
                self.model.initialise(self._beginning())
        generators.restore(self.fabric, states, self.seed, self.state.step)
        self._warn_of_memory()

    def _train(self, log: monitor.Log, display: monitor.Display, stop: signals.Held) -> None:
        settings, state = self.training, self.state
        done, stopped, due = self._agreed(stop)
        first = state.step * settings.accumulate
        with (
            closing(self._beside),
            closing(batches.ahead(self.batch, count(first))) as ready,
        ):
            while done < 1 and not stopped:
                row = self._update(ready, done)
                done, stopped, due = self._agreed(stop)
                log.write(row)
                display.update(row, done)
                if state.step % settings.validate_every == 0 or done >= 1:
                    self._show(self._validate(done), log, display)
                    if settings.patience and state.stale >= settings.patience:
                        progress.note(f"no better for {state.stale} validations: stopping early")
                        break
                if settings.snapshot_every and state.step % settings.snapshot_every == 0:
                    self._snapshot()
                if settings.keep_every and state.step % settings.keep_every == 0:
                    with self.averaged.in_place():
                        self._write(f"model-{state.step:06}.h5")
                if due:
                    self.save()
            self.save()
            self._beside.finish()
        processes.wait(self.fabric)  # nobody leaves before it is written

    def _show(self, results: Validation, log: monitor.Log, display: monitor.Display) -> None:
        """Log and display a validation, and redraw the pictures if the last ones are old."""
        if row := results.row():
            log.write({"step": self.state.step, **row})
        if results.terms:
            display.validated({**results.terms, "loss": results.loss})
        if time.monotonic() - self._drawn > monitor.REDRAWN:
            self._picture(results.pictures)
            self._drawn = time.monotonic()

    def _agreed(self, stop: signals.Held) -> tuple[float, bool, bool]:
        """Return the share of the training that is done, whether to stop, and whether to save.

        All processes agree; a signal that one of them has received stops all.
        """
        self._beside.check()
        done = self.goal.reached(self.state.step, self.state.seconds)
        due = time.monotonic() - self._saved > self.training.save_every
        done, number, any_due = processes.most(self.fabric, [done, stop.number, due])
        if number:
            stop.number = int(number)
        return done, bool(number), bool(any_due)

    def _update(self, ready: Iterator[Batch], done: float) -> dict[str, float]:
        """Take one update, and return the row of the log."""
        began = time.perf_counter()
        update = list(islice(ready, self.training.accumulate))
        waited = time.perf_counter() - began
        row = self.players.update(update, self.state.step, done)
        self.state.step += 1
        self.averaged.follow(self.state.step)
        copies = self.model.copies(done)
        row |= rows.copy(copies, self.model, self.players.optimizers, self.averaged.weights)
        took = time.perf_counter() - began
        self.state.seconds += took
        place = {"step": self.state.step, "seconds": self.state.seconds}
        times = {"step_seconds": took, "data_seconds": waited}
        return {**place, **row, **times, "memory_mb": processes.memory(self.fabric)}

    def batch(self, number: int) -> Batch:
        """Return a batch of this process by its number."""
        rows = self.order.rows(number)[self.fabric.global_rank :: self.fabric.world_size]
        return self._load(self.rows[rows], number)

    def _beginning(self) -> Batch:
        """Return the first batches of all processes as one, as many as the model begins with."""
        most = self.training.segment or max(self.examples.lengths)
        rows, frames = list[np.ndarray](), 0
        for number in range(self.order.per_epoch):
            rows.append(self.order.rows(number))
            frames += int(self.order.lengths[rows[-1]].clip(max=most).sum())
            if frames >= self.model.beginning:
                break
        return self._load(self.rows[np.concatenate(rows)], 0)

    def _load(self, rows: np.ndarray, number: int) -> Batch:
        batch = self.examples.batch(rows, self.training.segment, (self.seed, number))
        return batch.to(self.fabric.device)

    def _validate(self, done: float) -> Validation:
        """Validate, and write the model if it is the best so far.

        Processes share the batches, if there are as many; the first of all has the first batch.
        """
        size, held_out = self.training.batch, len(self.held_out) > 0
        rows = self.held_out if held_out else self.rows[:size]
        starts, fabric = range(0, len(rows), size), None
        if held_out and len(starts) >= self.fabric.world_size > 1:
            starts, fabric = starts[self.fabric.global_rank :: self.fabric.world_size], self.fabric
        loaded = [self._load(rows[at : at + size], 0) for at in starts]
        with self.averaged.in_place():
            step = self.state.step
            results = validate(self.model, loaded, self.seed, step, held_out=held_out, among=fabric)
            counts = held_out and self.model.judged(done)
            if self.state.judge(results.loss, self.training.least_gain if counts else None):
                self._write("best.h5")
        return results

    def _write(self, name: str) -> None:
        """Write the current model into the run folder."""
        if self._first:
            write_model(
                self.folder / name,
                self.model,
                self.model.kept(),
                self.config,
                self.provenance,
                steps=self.state.step,
                validation=[self.examples.ids[row] for row in self.held_out],
            )

    def save(self) -> None:
        """Begin to write the checkpoint from which a later run resumes; training goes on."""
        states = generators.states(self.fabric)
        if self._first:
            last = Checkpoint.of(
                self.state,
                self.model,
                self.averaged.weights,
                self.players.optimizers,
                states,
                self.provenance,
            )
            self._beside.begin(partial(last.save, self.folder / "last.h5"))
        self._saved = time.monotonic()

    def _snapshot(self) -> None:
        """Write output and pictures of one utterance, a validation utterance if there is any."""
        if not self._first:
            return
        row = int((self.held_out if len(self.held_out) else self.rows)[0])
        batch = self.examples.batch([row], 0, (self.seed, 0)).to(self.fabric.device)
        with self.averaged.in_place():
            outputs = self.model.sample(batch)
            seen = validate(self.model, [batch], self.seed, self.state.step, held_out=False)
        curves.keep(self.folder, seen.pictures, self.state.step)
        names = self.examples.names(row)
        snapshots.save(
            self.folder, self.state.step, names, outputs, self.model.facts, self.provenance
        )

    def _picture(self, pictures: Mapping[str, Picture], *, final: bool = False) -> None:
        if self._first:
            curves.save(self.folder, pictures, self.state.step, final=final)

    def _warn_of_memory(self) -> None:
        lengths = dict.fromkeys(("frame", "token", "sample"), 0)
        longest = self.rows[np.argsort(self.examples.lengths[self.rows])[-1:]]
        batch = self.examples.batch(longest, self.training.segment, (0, 0))
        lengths |= {axis: int(value.max()) for axis, value in batch.lengths.items()}
        needed, free = self.model.memory(self.training.batch, lengths), processes.free_memory()
        if needed > 0.8 * free:
            progress.note(
                f"a batch of the longest utterances may need {needed / 1e9:.1f} GB, "
                f"{free / 1e9:.1f} GB are free: lower training.batch (and raise "
                "training.accumulate), or leave long utterances out by `ttskit select "
                "--max-seconds`"
            )
