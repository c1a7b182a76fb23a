"""The trainer: one loop for every role and family.

An update takes `accumulate` batches; every player of the model has its turn; losses are means
over all that an update sees, on however many processes.  All that is left to chance follows from
the seed and the number of the update, and a checkpoint holds the rest: a training that was
killed goes on as if nothing had happened.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ttskit import progress, trained
from ttskit.errors import Interrupted, SettingError, TrainingError
from ttskit.models.batch import Batch
from ttskit.models.family import Family
from ttskit.training import batches, checkpoint, curves, monitor, processes, snapshots
from ttskit.training.checkpoint import State
from ttskit.training.configuration import Training
from ttskit.training.examples import Examples
from ttskit.training.goal import Goal

MOST_HELD_OUT = 64  # utterances
STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Trainer:
    """A training: the model, its data, how, for how long, and the folder that it is kept in."""

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

    def run(self) -> Path:
        """Train, and return the path of the best model."""
        fabric = processes.launched(self.device, self.training.precision)
        self._main = fabric.is_global_zero
        with self._stopping_between_updates():
            self._prepare(fabric)
            log = self.folder / "log.jsonl" if self._main else Path(os.devnull)
            self.display = monitor.Display(f"train {self.model.role}", self.goal.steps)
            with monitor.Log(log, self.state.step) as self.log, self.display.shown():
                self._train(fabric)
        if self._main:
            self._picture({})
        fabric.barrier()
        return self.folder / "best.h5"

    def _prepare(self, fabric: Fabric) -> None:
        """Set everything up as it was at the last checkpoint, or for the first update."""
        rank, size = fabric.global_rank, fabric.world_size
        torch.manual_seed(self.seed)
        if self.training.snapshot_every and type(self.model).sample is Family.sample:
            raise SettingError(f"training.snapshot_every: {self.model.role} makes no snapshots")
        if self.training.segment and not self.examples.divisible:
            raise SettingError(f"training.segment: {self.model.role} learns from whole utterances")
        self.model.prepare()
        self.model.to(fabric.device)
        held = batches.held_out(
            self.examples.texts, self.training.validation, MOST_HELD_OUT, self.seed
        )
        self.held_out, self.rows = np.flatnonzero(held), np.flatnonzero(~held)
        if len(self.rows) < size:
            raise TrainingError(f"{len(self.rows)} utterances are too few for {size} processes")
        lengths = self.examples.lengths[self.rows]
        self.order = batches.Order(lengths, self.training.batch * size, self.seed, size)
        self._share = slice(rank, None, size)
        self.optimizers = {
            player: optimizer(module, self.training)
            for player, module in self.model.players().items()
        }
        self.averaged: dict[str, Tensor] = {}
        if self.training.ema:
            self.averaged = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        self.model.train()
        last = self.folder / "last.h5"
        if last.exists():
            self.state = checkpoint.load(last, self.model, self.averaged, self.optimizers)
            progress.note(f"{self.folder}: going on after update {self.state.step}")
        else:
            self._first()
        self._warn_of_memory()
        if rank:
            torch.manual_seed(hash((self.seed, self.state.step, rank)))

    def _first(self) -> None:
        """Set weights from data, the same on every process."""
        rows = self.rows[self.order.rows(0)]
        with torch.no_grad():
            self.model.initialise(self._made(rows, 0))

    def _train(self, fabric: Fabric) -> None:
        number = self.state.step * self.training.accumulate
        ready = batches.ahead(self._batch, count(number))
        self._saved = time.monotonic()
        drawn, every = 0.0, self.training.snapshot_every
        while (done := self._progress(fabric)) < 1 and not self._stop:
            began, self._backward = time.perf_counter(), 0.0
            update = [next(ready) for _ in range(self.training.accumulate)]
            waited = time.perf_counter() - began
            row = self._update(fabric, update, done)
            took = time.perf_counter() - began
            self.state.seconds += took
            row |= {
                "step_seconds": took,
                "data_seconds": waited,
                "backward_seconds": self._backward,
                "memory_mb": processes.memory(fabric),
            }
            fraction = self.goal.reached(self.state.step, self.state.seconds)
            if self._main:
                self.log.write({"step": self.state.step, "seconds": self.state.seconds, **row})
                self.display.update({"step": self.state.step, **row}, fraction)
            if self.state.step % self.training.validate_every == 0 or fraction >= 1:
                pictures = self._validate()
                if self._main and time.monotonic() - drawn > monitor.REDRAWN:
                    self._picture(pictures)
                    drawn = time.monotonic()
                if self.training.patience and self.state.stale >= self.training.patience:
                    progress.note(f"no better for {self.state.stale} validations: stopping early")
                    break
            if every and self.state.step % every == 0 and self._main:
                self._snapshot()
            if time.monotonic() - self._saved > self.training.save_every:
                self.save()
        ready.close()  # type: ignore[attr-defined]
        self.save()

    def _progress(self, fabric: Fabric) -> float:
        done = self.goal.reached(self.state.step, self.state.seconds)
        if fabric.world_size > 1:
            done = float(fabric.broadcast(done))
        return done

    def _batch(self, number: int) -> Batch:
        """Make a batch of this process ready, by its number."""
        rows = self.rows[self.order.rows(number)[self._share]]
        return self._made(rows, number)

    def _made(self, rows: np.ndarray, number: int) -> Batch:
        made = self.examples.batch(rows, self.training.segment, (self.seed, number))
        return made.to(self.model_device())

    def model_device(self) -> torch.device:
        return next(iter(self.model.parameters())).device

    def _update(self, fabric: Fabric, update: Sequence[Batch], done: float) -> dict[str, float]:
        """Let every player take its step, and return what there is to log."""
        counts = processes.total_counts(fabric, update)
        shared = [replace(batch, counts=counts) for batch in update]
        rate = self.training.rate(self.state.step, done)
        row = {"progress": done, "learning_rate": rate, "loss": 0.0, "gradient": 0.0}
        for player, optimizer in self.optimizers.items():
            module = self.model.players()[player]
            terms = self._gradients(fabric, shared, done, player)
            if not terms:
                continue
            prefix = f"{player}/" if len(self.optimizers) > 1 else ""
            row |= {f"loss/{prefix}{name}": value for name, value in terms.items()}
            row["loss"] += sum(terms.values())
            norm = self._clip(module)
            row[f"{prefix}gradient"] = norm
            row["gradient"] = max(row["gradient"], norm)
            if not np.isfinite(row["loss"]) or not np.isfinite(norm):
                self._refuse(update, done, player)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        self.state.step += 1
        self._average()
        return row

    def _gradients(
        self, fabric: Fabric, update: Sequence[Batch], done: float, player: str
    ) -> dict[str, float]:
        """Leave the gradients of a player's loss with its weights; return the loss by its terms."""
        module = self.model.players()[player]
        self.optimizers[player].zero_grad(set_to_none=True)
        others = [p for name, one in self.model.players().items() if name != player
                  for p in one.parameters() if p.requires_grad]  # fmt: skip
        for parameter in others:
            parameter.requires_grad_(False)
        sums: dict[str, Tensor] = {}
        for batch in update:
            with fabric.autocast():
                terms = self.model.terms(batch, done, player)
            if terms:
                began = time.perf_counter()
                fabric.backward(torch.stack(list(terms.values())).sum())
                self._backward += time.perf_counter() - began
            for name, value in terms.items():
                sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value.detach()
        for parameter in others:
            parameter.requires_grad_(True)
        if fabric.world_size > 1 and sums:
            processes.reduce(fabric, [p.grad for p in module.parameters() if p.grad is not None])
            processes.reduce(fabric, list(sums.values()))
        return {name: float(value) for name, value in sums.items()}

    def _clip(self, module: nn.Module) -> float:
        """Clip the gradients of a module and return how long they were together."""
        parameters = [p for p in module.parameters() if p.grad is not None]
        norm = nn.utils.clip_grad_norm_(parameters, self.training.clip_norm or float("inf"))
        if self.training.clip_value:
            nn.utils.clip_grad_value_(parameters, self.training.clip_value)
        return float(norm)

    @torch.no_grad()
    def _refuse(self, update: Sequence[Batch], done: float, player: str) -> None:
        """Name the utterances whose loss is not a number."""
        guilty = []
        for batch in update:
            for row in range(len(batch)):
                terms = self.model.terms(batch.only(row), done, player)
                if not all(torch.isfinite(value).all() for value in terms.values()):
                    guilty.append(batch.ids[row])
        named = guilty or [id for batch in update for id in batch.ids]
        says = "has" if len(named) == 1 else "have"
        where = f"{', '.join(named)} {says}" if guilty else f"one of {', '.join(named)} has"
        raise TrainingError(
            f"update {self.state.step + 1}: {where} a loss or a gradient that is not a number: "
            "look at them with `ttskit verify` and `ttskit plot`, or train with a lower "
            f"training.learning_rate; {self.folder} keeps what was trained"
        )

    def _average(self) -> None:
        if not self.averaged:
            return
        weight = 1 - min(self.training.ema, (1 + self.state.step) / (10 + self.state.step))
        now = [p.detach() for p in self.model.parameters()]
        torch._foreach_lerp_(list(self.averaged.values()), now, weight)

    @torch.no_grad()
    def _validate(self) -> dict[str, Any]:
        """Measure the loss on what is held out; keep the model if it is the best so far."""
        rows = self.held_out if len(self.held_out) else self.rows[: self.training.batch]
        cuts = range(0, len(rows), self.training.batch)
        made = [self._made(rows[start : start + self.training.batch], 0) for start in cuts]
        with self._finished_weights(), torch.random.fork_rng():
            torch.manual_seed(self.seed)
            row = self._measured(made) if len(self.held_out) else {}
            numbers, pictures = self.model.watch(made[0])
        loss = row.get("held_out/loss", 0.0)
        told = {name.removeprefix("held_out/"): value for name, value in row.items()}
        self.display.validated({n.removeprefix("loss/"): v for n, v in told.items()})
        row |= {f"watch/{name}": value for name, value in numbers.items()}
        if self._main and row:
            self.log.write({"step": self.state.step, **row})
        done = self.goal.reached(self.state.step, self.state.seconds)
        judged = len(self.held_out) and self.model.judged(done)
        if loss < self.state.best - self.training.least_gain or not judged:
            self.state.best, self.state.best_step, self.state.stale = loss, self.state.step, 0
            self._keep()
        else:
            self.state.stale += 1
        return pictures

    def _measured(self, made: Sequence[Batch]) -> dict[str, float]:
        """Return the terms of the loss on what is held out."""
        totals: dict[str, float] = {}
        for batch in made:
            totals = processes.added(totals, batch.own_counts())
        row: dict[str, float] = {}
        for batch in made:
            terms = self.model.loss(replace(batch, counts=totals), 1.0)
            row = processes.added(row, {f"held_out/loss/{k}": float(v) for k, v in terms.items()})
        row["held_out/loss"] = sum(row.values())
        if not np.isfinite(row["held_out/loss"]):
            self._refuse(made, 1.0, next(iter(self.optimizers)))
        return row

    @contextmanager
    def _finished_weights(self) -> Iterator[None]:
        """Put the averaged weights, if there are any, in the place of the others for a while."""
        own = dict(self.model.named_parameters())
        trained_ones = {name: own[name].detach().clone() for name in self.averaged}
        self._set(self.averaged)
        self.model.eval()
        yield
        self._set(trained_ones)
        self.model.train()

    @torch.no_grad()
    def _set(self, values: Mapping[str, Tensor]) -> None:
        own = dict(self.model.named_parameters())
        for name, value in values.items():
            own[name].copy_(value)

    def _keep(self) -> None:
        """Write the model as it is now as the best one."""
        if not self._main:
            return
        with self._finished_weights():
            trained.write(
                self.folder / "best.h5",
                self.model,
                self.model.kept(),
                self.config,
                self.provenance,
                steps=self.state.step,
                validation=[self.examples.ids[row] for row in self.held_out],
            )

    def save(self) -> None:
        """Write the checkpoint that a later run goes on from."""
        self._saved = time.monotonic()
        if self._main:
            checkpoint.save(
                self.folder / "last.h5",
                self.state,
                self.model,
                self.averaged,
                self.optimizers,
                self.provenance,
            )

    def _snapshot(self) -> None:
        """Keep what the model makes now of one utterance, one that is held out if there is any."""
        row = int((self.held_out if len(self.held_out) else self.rows)[0])
        batch = self.examples.batch([row], 0, (self.seed, 0)).to(self.model_device())
        with self._finished_weights():
            made = self.model.sample(batch)
        names = self.examples.names(row)
        snapshots.save(self.folder, self.state.step, names, made, self.model.facts, self.provenance)

    def _picture(self, pictures: Mapping[str, Any]) -> None:
        curves.save(self.folder, pictures, self.state.step)

    @contextmanager
    def _stopping_between_updates(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM wait until an update is whole; a second one does not wait."""
        self._stop = 0

        def note(number: int, _frame: Any) -> None:
            if self._stop:
                raise KeyboardInterrupt
            self._stop = number

        if threading.current_thread() is not threading.main_thread():
            yield  # signals are the main thread's
            return
        before = {number: signal.signal(number, note) for number in STOPS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._stop:
            if self._stop == signal.SIGTERM:
                sys.exit(143)
            raise Interrupted(
                f"interrupted; {self.folder} keeps {self.state.step} updates: the same command "
                "goes on from there"
            )

    def _warn_of_memory(self) -> None:
        lengths = dict.fromkeys(("frame", "token", "sample"), 0)
        rows = self.rows[np.argsort(self.examples.lengths[self.rows])[-self.training.batch :]]
        longest = self.examples.batch(rows[-1:], self.training.segment, (0, 0))
        lengths |= {axis: int(value.max()) for axis, value in longest.lengths.items()}
        needed, free = self.model.memory(self.training.batch, lengths), processes.free_memory()
        if needed > 0.8 * free:
            progress.note(
                f"a batch of the longest utterances may need {needed / 1e9:.1f} GB, "
                f"{free / 1e9:.1f} GB are free: lower training.batch (and raise "
                "training.accumulate), or leave long utterances out by `ttskit select "
                "--max-seconds`"
            )


def optimizer(module: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Return the optimizer of a player; only matrices decay."""
    kind = torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam
    parameters = [p for p in module.parameters() if p.requires_grad]
    return kind(
        [
            {
                "params": [p for p in parameters if p.dim() > 1],
                "weight_decay": training.weight_decay,
            },
            {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=training.learning_rate,
        betas=(training.beta1, training.beta2),
        eps=training.epsilon,
        fused=True,
    )
