"""One training from request to model: its run folder, its lock, and the result."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ttskit import wording
from ttskit.artifacts import atomic, hdf5, lock
from ttskit.artifacts.differences import differences
from ttskit.errors import ArtifactError, TrainingError, UsageError, at

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader
    from ttskit.training.examples import Examples
    from ttskit.training.goal import Goal
    from ttskit.training.trainer import Trainer
    from ttskit.voices.model import Model

REVISION = 1
LAST = "last.h5"  # the checkpoint in a run folder
HEADER = "header.json"  # of a run folder: inputs and settings of every run that may go on there


@dataclass(frozen=True)
class Request:
    """What to train: everything that affects the model except its data and the length."""

    role: str
    family: str
    config: Any  # of the family, with the table `training`
    seed: int = 0
    limit: int | None = None
    init: Path | None = None


def train(
    readers: Sequence[Reader[Any]],
    output: Path,
    request: Request,
    goal: Goal,
    *,
    device: str = "cpu",
    restart: bool = False,
    renew: bool = False,
    dry_run: bool = False,
    skip_bad: bool = False,
    without: Collection[str] = (),
) -> None:
    """Train a model and write it to `output`, or resume where an earlier run stopped.

    With `restart` it starts over, with `renew` only where inputs or settings are others; so it does
    where a finished training was of others, as every artifact is made anew then.
    Utterances in `without` are left out; so are those that cannot be aligned, with `skip_bad`.
    """
    from ttskit import progress
    from ttskit.artifacts import build, streams
    from ttskit.training import checkpoint
    from ttskit.voices.model import MODEL, check_device, read_model

    needs = _needs(readers, request)
    if not goal.steps and not goal.minutes:
        raise typer.BadParameter("how long? --steps or --minutes", param_hint="--steps")
    start = read_model(request.init, role=request.role) if request.init else None
    provenance = _provenance(request, readers, start, asdict(goal))
    streams.replaceable(streams.writable(output), MODEL, [start.container.digest] if start else [])
    if not restart and build.is_made(output, MODEL, provenance):
        progress.note(f"{output}: up to date")
        return
    examples = _examples(readers, needs, request, output, skip_bad, without)
    check_device(device)
    run = _Run(output, request, goal, start, _provenance(request, readers, start, {}), provenance)
    others = (run.folder / LAST).exists() and not _alike(run.folder, run.shared)
    if others and not restart and not renew and _finished(output, run.folder):
        what = _differing(run.folder / HEADER, run.shared)
        progress.note(f"{output}: of other inputs or settings{what}: trained anew")
        renew = True
    done = 0 if others or restart else checkpoint.step(run.folder / LAST)
    beyond = bool(goal.steps) and done > (goal.steps or 0)
    if beyond and not (restart or renew):
        raise TrainingError(
            f"{output}: has had {wording.count(done, 'update')}, more than --steps {goal.steps}: "
            "ask for as many or more, or begin anew with --restart"
        )
    restart = restart or (renew and (others or beyond))
    if dry_run:
        if not restart:
            _check_folder(run.folder, run.shared)
        if not restart and done:
            progress.note(f"{output}: would go on after update {done} in {run.folder}")
            return
        count = wording.count(len(examples), "utterance")
        progress.note(f"{output}: would be trained on {count} in {run.folder}")
        return
    with _run_folder(run.folder, run.shared, restart):
        run(examples, device)


def _needs(readers: Sequence[Reader[Any]], request: Request) -> tuple[str, ...]:
    """Return the fields to train on; refuse inputs that lack one or that are not needed."""
    from ttskit.models import find
    from ttskit.training.examples import fitting

    family = find(request.family, request.role)
    needs = family.needs(request.config)
    if not needs:
        raise TrainingError(f"{request.family} has nothing to learn: name it where it is used")
    if not request.init and family.continues(request.config):
        raise TrainingError(
            f"{request.family}: with these settings a part stays as it begins: add --init MODEL, "
            "one that is trained"
        )
    fitting(readers, needs, f"the {request.role} {request.family}")
    return needs


def _examples(
    readers: Sequence[Reader[Any]],
    needs: Sequence[str],
    request: Request,
    output: Path,
    skip_bad: bool,
    without: Collection[str],
) -> Examples:
    """Return the utterances to train on; those that the family cannot align are bad ones."""
    from ttskit.artifacts.build import refuse_bad
    from ttskit.models import find
    from ttskit.training.examples import Examples, joined, kinds_of, too_short

    family, bad = find(request.family, request.role), dict[str, str]()
    if family.aligns(request.config) and "durations" not in needs:
        features, spelt = (
            next(reader for kind in kinds_of(name) for reader in readers if reader.kind is kind)
            for name in ("mel", "tokens")
        )
        ids = [id for id in joined(readers)[: request.limit] if id not in without]
        bad = too_short(features, spelt, ids, family.step(request.config))
        if _first_process() or not skip_bad:
            refuse_bad(bad, len(ids), features.name, str(output), skip_bad)
    return Examples(readers, needs, request.limit, {*without, *bad})


@dataclass(frozen=True)
class _Run:
    """One training whose inputs and settings are known to fit."""

    output: Path
    request: Request
    goal: Goal
    start: Model | None  # to begin from
    shared: Mapping[str, Any]  # provenance of every run that may go on in the same folder
    provenance: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        place = wording.workplace(self.output)
        return place.with_name(place.name + ".run")

    def __call__(self, examples: Examples, device: str) -> None:
        """Train on examples, and write the best model."""
        import torch

        from ttskit.models import find
        from ttskit.settings import to_toml
        from ttskit.training.begin import begin_from
        from ttskit.training.trainer import Trainer

        request = self.request
        torch.manual_seed(request.seed)
        module = find(request.family, request.role)(request.config, examples.facts())
        if self.start:
            begin_from(self.start, module)
        trainer = Trainer(
            module,
            examples,
            request.config.training,
            self.goal,
            request.seed,
            self.folder,
            to_toml(request.config, comments=False),
            self.provenance,
            device,
        )
        _note_circumstances(self.folder, trainer, request)
        best = trainer.run()
        if _first_process():
            _deliver(best, self.output, trainer)


def _provenance(
    request: Request, readers: Sequence[Reader[Any]], start: Model | None, goal: Mapping[str, Any]
) -> dict[str, Any]:
    from ttskit.settings import to_toml

    options = {
        "role": request.role,
        "family": request.family,
        "config": to_toml(request.config, comments=False),
        "seed": request.seed,
        "limit": request.limit,
        "init": start.container.digest if start else None,
        **goal,
    }
    digests = sorted(digest for reader in readers for digest in reader.digests)
    return {"stage": "train", "revision": REVISION, "options": options, "inputs": digests}


@contextmanager
def _run_folder(folder: Path, same: Mapping[str, Any], restart: bool) -> Iterator[None]:
    """Lock the run folder of a training, and empty it if the training starts over."""
    if not _first_process():
        yield
        return
    folder.mkdir(exist_ok=True)
    with at(folder):
        held = lock.hold(folder, "another training is at work there")
    with held:
        atomic.sweep(folder)
        if not restart:
            _check_folder(folder, same)
        if restart or not (folder / LAST).exists():
            for stale in folder.iterdir():
                if stale.name != lock.NAME and stale.is_file():
                    stale.unlink()
        atomic.write_text(folder / HEADER, _header(same))
        yield


def _header(same: Mapping[str, Any]) -> str:
    return json.dumps(same, sort_keys=True, ensure_ascii=False)


def _check_folder(folder: Path, same: Mapping[str, Any]) -> None:
    """Refuse to resume a training of other inputs or settings."""
    if (folder / LAST).exists() and not _alike(folder, same):
        raise ArtifactError(
            f"{folder}: holds a training of other inputs or settings"
            f"{_differing(folder / HEADER, same)};"
            " add --restart to throw it away, or choose another output"
        )


def _alike(folder: Path, same: Mapping[str, Any]) -> bool:
    """Tell whether a run folder is of the same inputs and settings."""
    header = folder / HEADER
    return header.exists() and header.read_text(encoding="utf-8") == _header(same)


def _differing(header: Path, same: Mapping[str, Any]) -> str:
    """Say in what the request differs from a header: settings by name, old and new value."""
    try:
        shown = differences(json.loads(header.read_text(encoding="utf-8")), same)
    except (OSError, ValueError, AttributeError):
        shown = ""
    return f" ({shown})" if shown else ""


def _finished(output: Path, folder: Path) -> bool:
    """Whether what a run folder holds is finished: the output is the model of its training."""
    from ttskit.training import checkpoint

    try:
        header = json.loads((folder / HEADER).read_text(encoding="utf-8"))
        provenance = hdf5.open_container(output).provenance
    except (OSError, ValueError, ArtifactError):
        return False
    options = provenance.get("options", {})
    alike = {name: options.get(name) for name in header["options"]}
    steps = options.get("steps") or checkpoint.step(folder / LAST)
    whole = checkpoint.step(folder / LAST) <= steps
    return whole and {**provenance, "options": alike} == header


def _note_circumstances(folder: Path, run: Trainer, request: Request) -> None:
    """Write settings, command and versions into the run folder, for people to read."""
    import platform

    import torch

    from ttskit import __version__
    from ttskit.settings import to_toml

    if not _first_process():
        return
    (folder / "resolved.toml").write_text(to_toml(request.config), encoding="utf-8")
    circumstances = {
        "command": sys.argv,
        "role": request.role,
        "family": request.family,
        "seed": request.seed,
        "parameters": sum(p.numel() for p in run.model.parameters()),
        "utterances": len(run.examples),
        "device": run.device,
        "threads": torch.get_num_threads(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "machine": platform.platform(),
        "versions": {"ttskit": __version__, "torch": torch.__version__,
                     "python": platform.python_version()},
    }  # fmt: skip
    (folder / "meta.json").write_text(json.dumps(circumstances, indent=2) + "\n", encoding="utf-8")


def _deliver(best: Path, output: Path, run: Trainer) -> None:
    """Write the best model to the output, and report the result of the training."""
    from ttskit import progress
    from ttskit.voices.model import read_model, write_model

    model, state = read_model(best), run.state
    write_model(
        output,
        run.model,
        model.weights(),
        run.config,
        run.provenance,  # of this run: the best model may be of one with another goal
        steps=state.best_step,
        validation=model.table("validation"),
        loss=state.best if len(run.held_out) else None,
    )
    message = f"{output}: {wording.count(state.step, 'update')} in {wording.clock(state.seconds)}"
    if len(run.held_out):
        message += f", best after {state.best_step} (validation: {state.best:.4g})"
    else:
        message += ", the last weights: no utterance is held out to tell which are best"
    progress.note(message)


def _first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def request_of(
    role: str,
    family: str | None,
    preset: str | None,
    config: Path | None,
    assignments: Sequence[str],
) -> Request:
    """Return the request of the options; the default family is the first one of the role."""
    from ttskit.models import FAMILIES
    from ttskit.training.configuration import resolved

    if role not in FAMILIES:
        raise UsageError(f"no role {role!r}; there is {', '.join(FAMILIES)}")
    name = family or next(iter(FAMILIES[role]))
    return Request(role, name, resolved(name, preset, config, assignments, role))
