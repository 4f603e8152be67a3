"""Standard streams that are closed, full, or of an encoding that lacks characters."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Final

_STREAMS: Final = (("stdin", "r", "strict"), ("stdout", "w", "replace"))


def prepare_streams() -> None:
    """Make sure that the standard streams exist, and that they take every character.

    A closed one leads nowhere from now on: the first file that is opened would otherwise get its
    number, and what is printed. Errors keep the escapes that Python prints.
    """
    for number, (name, mode, errors) in enumerate((*_STREAMS, ("stderr", "w", "backslashreplace"))):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is the one that is missing.
            os.open(os.devnull, os.O_RDWR)
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, mode, errors=errors, closefd=False))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)


def let_go_of_stdout() -> None:
    """Keep Python from complaining at its end of an output that takes nothing any more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
