"""Ctrl-C at any call of a Python function that one chooses, of those that C code calls, too."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType
from unittest import mock


def ctrl_c_everywhere(work: Callable[[], object], within: str = "") -> Iterator[bool]:
    """Do some work again and again, each time with Ctrl-C at a later call in it.

    Yields whether the signal was raised, or else heard of by the hook that sends it again; ends
    when no call of the work is left.  Python looks for signals where a function begins; `within`
    is the file of the functions that matter, all by default.
    """
    for number in count(1):
        left, heard = number, list[bool]()

        def trace(frame: FrameType, *_: object):
            nonlocal left
            left -= frame.f_code.co_filename.endswith(within)
            if left == 0:
                left = -1
                signal.raise_signal(signal.SIGINT)

        def hook(error, heard=heard):
            heard.append(error.exc_type is KeyboardInterrupt)

        before = sys.gettrace()
        with mock.patch.object(sys, "unraisablehook", hook):
            try:
                sys.settrace(trace)
                work()
            except KeyboardInterrupt:
                heard.append(True)
            finally:
                sys.settrace(before)
        if left >= 0:
            return
        yield any(heard)
