"""Run the command line: ``python -m gcmock``."""

from gcmock.cli.app import main

# Worker processes import the main module, and must not run the command again.
if __name__ == "__main__":
    main()
