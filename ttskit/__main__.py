"""`python -m ttskit` is `ttskit`."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to keep

from ttskit.cli import main

if __name__ == "__main__":
    main()
