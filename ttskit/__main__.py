"""`python -m ttskit` is `ttskit`."""

from ttskit.cli import main

main()
