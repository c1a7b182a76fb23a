"""Dask clusters of real processes, which end with the test that starts them."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path


def started(stack, *words):
    """Start a scheduler or a worker."""
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = sys.executable, "-m", "dask", *words, "--no-dashboard"
    null = subprocess.DEVNULL
    one = subprocess.Popen(command, env=os.environ | path, stdout=null, stderr=null)
    stack.callback(one.wait)
    stack.callback(one.terminate)
    return one


@contextmanager
def running(facts):
    """Yield a scheduler, a function that starts a worker, and the address; `facts` is a file."""
    with ExitStack() as stack:
        at_home = "--host", "127.0.0.1", "--port", "0", "--scheduler-file", facts
        scheduler = started(stack, "scheduler", *map(str, at_home))

        def worker(*options):
            words = "worker", "--scheduler-file", str(facts), "--nthreads", "1"
            return started(stack, *words, *(options or ("--no-nanny",)))

        while not (facts.exists() and facts.stat().st_size):
            assert scheduler.poll() is None
            time.sleep(0.05)
        yield scheduler, worker, json.loads(facts.read_text())["address"]
