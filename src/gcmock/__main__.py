"""Run the command line: ``python -m gcmock``."""

from gcmock.cli import main

main()
