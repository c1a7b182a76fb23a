"""The exchange of gradients between processes, which goes on during the backward pass.

Gradients come from the last layer to the first.  Whenever a bucket of them is complete, its sum
over all processes is asked for, in the same order by all, and the backward pass goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed, nn

from ttskit.training.processes import talking

BUCKET = 4 << 20  # bytes of gradients that are sent at once


@contextmanager
def summed(parameters: Iterable[nn.Parameter], bucket: int = BUCKET) -> Iterator[None]:
    """Replace gradients by their sums over all processes while a backward pass inside goes on.

    All processes must have gradients of the same parameters, and take the same number of them.
    """
    exchange = _Exchange(buckets([p for p in parameters if p.requires_grad], bucket))
    try:
        yield
    finally:
        exchange.detach()
    exchange.finish()


def buckets(parameters: list[nn.Parameter], most: int) -> list[list[nn.Parameter]]:
    """Return parameters in groups of about `most` bytes, the last ones first."""
    groups: list[list[nn.Parameter]] = []
    size = most
    for parameter in reversed(parameters):
        if size >= most:
            groups.append([])
            size = 0
        groups[-1].append(parameter)
        size += parameter.nbytes
    return groups


class _Exchange:
    """Buckets of parameters, which of them are complete, and the messages under way."""

    def __init__(self, groups: list[list[nn.Parameter]]) -> None:
        self._groups = groups
        self._missing = [len(group) for group in groups]
        self._messages: list[tuple[list[Tensor], Tensor, Any]] = []
        self._hooks = [
            parameter.register_post_accumulate_grad_hook(  # type: ignore[no-untyped-call]
                partial(self._came, number)
            )
            for number, group in enumerate(groups)
            for parameter in group
        ]

    def detach(self) -> None:
        """Hear of no further gradients."""
        for hook in self._hooks:
            hook.remove()

    def finish(self) -> None:
        """Send what is left, as of parameters without a gradient, and wait for all sums."""
        while len(self._messages) < len(self._groups):
            self._send()
        for gradients, together, work in self._messages:
            if work is None:
                continue
            with talking():
                work.wait()
            parts = torch.split(together, [one.numel() for one in gradients])
            for gradient, part in zip(gradients, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

    def _came(self, number: int, _parameter: Tensor) -> None:
        self._missing[number] -= 1
        while len(self._messages) < len(self._groups) and not self._missing[len(self._messages)]:
            self._send()

    def _send(self) -> None:
        """Ask for the sums of the next bucket."""
        group = self._groups[len(self._messages)]
        gradients = [one.grad for one in group if one.grad is not None]
        if not gradients:
            self._messages.append(([], torch.empty(0), None))
            return
        together = torch.cat([one.reshape(-1) for one in gradients])
        with talking():
            work = distributed.all_reduce(together, async_op=True)
        self._messages.append((gradients, together, work))
