"""What each of the processes of `test_processes` does: trainings, the last one cut short."""

import os
import signal
import sys
from pathlib import Path
from unittest import mock

from torch.nn import Dropout

from ttskit import cli
from ttskit.training import curves
from ttskit.training.configuration import Training


def settings(*assignments):
    """The words of a command line that set them."""
    return [word for one in assignments for word in ("--set", one)]


SETTINGS = [
    "encoder.hidden=8",
    "encoder.filter=8",
    "encoder.layers=1",
    "training.batch=2",
    "training.schedule=constant",
    "training.validation=0",
]
DURATION = ["duration", "alignment.h5", "--set", "predictor.hidden=8"]
DDN = ["decoder", "alignment.h5", "features.h5", "--family", "ddn"]
for one in ("hidden=8", "layers=1", "contour_hidden=8", "pyramid.channels=8", "pyramid.layers=1",
            "refine_from=0.0"):  # fmt: skip
    DDN += ["--set", one]
RANK = int(os.environ.get("RANK", "0"))
# weights that move in proportion to their gradients: rounding stays small
EVEN = ["training.epsilon=1", "training.learning_rate=0.1", "training.clip_norm=0",
        "training.warmup=0"]  # fmt: skip
ADVERSARIAL = ["hidden=8", "layers=1", "contour_hidden=8", "adversary.channels=2",
               "adversary.frames=256", "adversary.from_progress=0"]  # fmt: skip
SMOOTH = {
    "doubled": [*DURATION, *settings(*EVEN)],
    "adversarial": ["decoder", "alignment.h5", "features.h5", *settings(*ADVERSARIAL, *EVEN)],
}


def train(output, steps, happens=lambda: None, what=DURATION):
    """Train by the command line; `happens` is called in the midst of the third update."""

    def rate(self, step, _progress):
        if step == 2:
            happens()
        return self.learning_rate

    words = ["train", *what, "--steps", str(steps), "-o", f"{output}.h5"]
    words += settings(*SETTINGS)
    with (
        mock.patch.object(sys, "argv", ["ttskit", *words]),
        mock.patch.object(Training, "rate", rate),
        mock.patch.object(curves, "save"),
    ):
        try:
            cli.main()
        except SystemExit as exited:
            Path(f"{output}-{RANK}").write_text(str(exited.code))


def interrupt_the_second():
    if RANK == 1:
        signal.raise_signal(signal.SIGINT)


def kill_the_first():
    if RANK == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def kill_the_second_once():
    if RANK == 1 and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        os.kill(os.getpid(), signal.SIGKILL)


def without_dropout():
    """Train without chance, which is another in every process."""
    return mock.patch.object(Dropout, "forward", lambda _, x: x)


def main():
    """Do what is asked of a launch that is not started again."""
    train("whole", 6)
    train("stopped", 3)
    train("stopped", 6)
    train("ddn-whole", 4, what=DDN)
    train("ddn-stopped", 2, what=DDN)
    train("ddn-stopped", 4, what=DDN)
    with without_dropout():
        for name, what in SMOOTH.items():
            train(name, 3, what=what)
    train("interrupted", 6, interrupt_the_second)
    train("killed", 6, kill_the_first)


if __name__ == "__main__" and "restarted" in sys.argv:
    train("restarted", 6, kill_the_second_once, [*DURATION, "--set", "training.save_every=0"])
elif __name__ == "__main__":
    main()
