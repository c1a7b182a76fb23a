"""The processes and devices of a training: a single process, or those of torchrun."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from ttskit.errors import TrainingError
from ttskit.networks.batch import Batch

_PROCESSES: list[tuple[int, int]] = []  # machine and number of the system, by rank
CPUINFO = Path("/proc/cpuinfo")


def emulates(precision: str, device: str) -> bool:
    """Whether a processor computes in this precision without instructions for it, so slowly.

    Linux lists the instructions; of other systems it is not known.
    """
    if device != "cpu" or not precision.startswith("bf16"):
        return False
    try:
        return "bf16" not in CPUINFO.read_text(encoding="utf-8")
    except OSError:
        return False


def launched(device: str, precision: str) -> Fabric:
    """Return Lightning Fabric on a device; under torchrun, as one of its processes."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=device.split(":")[0],
        devices=[int(device.split(":")[1])] if ":" in device else local,
        num_nodes=max(1, processes // local),
        strategy="ddp" if processes > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
    )
    _connect_again(device)
    fabric.launch()
    if fabric.world_size > 1:
        own = torch.tensor([_host(), os.getpid()], device=fabric.device)
        _PROCESSES[:] = gathered(fabric, own).tolist()
    return fabric


def _connect_again(device: str) -> None:
    """Connect processes that torchrun has started again, by names of their own.

    torchrun keeps its store through restarts, with the addresses of the processes that have ended.
    """
    count = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    if count == "0" or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return
    from torch import distributed

    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    kept = distributed.TCPStore(host, port)  # type: ignore[attr-defined]
    store = distributed.PrefixStore(f"restart {count}", kept)  # type: ignore[attr-defined]
    distributed.init_process_group(
        "nccl" if device.startswith("cuda") else "gloo",
        store=store,
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
    )


def total_counts(fabric: Fabric, update: Sequence[Batch]) -> dict[str, float]:
    """Return the counts of all batches of an update, on all processes."""
    totals: dict[str, float] = {}
    for batch in update:
        totals = added(totals, batch.own_counts())
    return summed(fabric, totals)


def most(fabric: Fabric, values: Sequence[float]) -> list[float]:
    """Return the highest of each value over all processes."""
    return _reduced(fabric, values, "max") if fabric.world_size > 1 else [*values]


def gathered(fabric: Fabric, value: Tensor) -> Tensor:
    """Return the values of all processes on the CPU, (process, ...)."""
    if fabric.world_size == 1:
        return value[None].cpu()
    own = value.to(fabric.device)
    values = [torch.empty_like(own) for _ in range(fabric.world_size)]
    with talking():
        torch.distributed.all_gather(values, own)
    return torch.stack(values).cpu()


def wait(fabric: Fabric) -> None:
    """Wait until all processes are here."""
    with talking():
        fabric.barrier()


def summed(fabric: Fabric, values: Mapping[str, float]) -> dict[str, float]:
    """Return the sums of numbers over all processes, in one message."""
    if fabric.world_size == 1 or not values:
        return dict(values)
    return dict(zip(values, _reduced(fabric, [*values.values()], "sum"), strict=True))


def _reduced(fabric: Fabric, values: Sequence[float], operation: str) -> list[float]:
    own = torch.tensor(values, dtype=torch.float64, device=fabric.device)
    with talking():
        together: list[float] = fabric.all_reduce(own, reduce_op=operation).tolist()  # type: ignore[union-attr]
        return together


@contextmanager
def talking() -> Iterator[None]:
    """Say in one line that another process has ended, where a message to it fails."""
    try:
        yield
    except RuntimeError as error:  # of any backend
        raise TrainingError(
            f"{_ended()} of this training has ended, so this one ends too: the same command "
            "goes on from the last checkpoint"
        ) from error


def _ended() -> str:
    """Return which process has ended, as far as this machine knows."""
    for _ in range(20):  # its connections close a moment before it has ended
        for rank, (host, pid) in enumerate(_PROCESSES):
            if host == _host() and not _lives(pid):
                return f"process {rank}"
        time.sleep(0.05)
    return (
        "another process"
        if all(host == _host() for host, _ in _PROCESSES)
        else ("a process on another machine")
    )


def _lives(pid: int) -> bool:
    """Return whether a process of this machine runs; one that has ended may still be listed."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:  # no such list of processes here, or it is not ours
        return True
    return state not in "ZX"


def _host() -> int:
    """Return a number of this machine."""
    return zlib.crc32(platform.node().encode())


def added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Return the sums of numbers of the same name; missing ones count as 0."""
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}


def memory(fabric: Fabric) -> float:
    """Return the peak memory of this process in MB."""
    if fabric.device.type == "cuda":
        return torch.cuda.max_memory_allocated(fabric.device) / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def free_memory() -> float:
    """Return the free memory in bytes."""
    try:
        with open("/proc/meminfo") as file:  # noqa: PTH123 (a file of the kernel)
            sizes = dict(line.split(":") for line in file)
        return float(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
