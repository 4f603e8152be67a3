"""What the command line says and returns when a command fails."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gcmock.cli.streams import let_go_of_stdout
from gcmock.errors import DiskError, GcmockError, InputError, few_lines, shortened

if TYPE_CHECKING:
    from gcmock.cli.log import RunLog

BAD_INPUT, INTERRUPTED, FAILED = InputError.exit_code, 130, GcmockError.exit_code

TRACEBACK: Final = "GCMOCK_TRACEBACK"
"""Environment variable with which an error that nobody has foreseen is printed in full."""

_LINES: Final = 12


def code_of(error: OSError) -> int:
    """Exit code of an error of the system."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    return DiskError.exit_code if error.errno in full else FAILED


def flush(log: RunLog | None) -> int:
    """Write what was printed; return the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        let_go_of_stdout()
    except OSError as error:
        let_go_of_stdout()
        return fail(f"the output cannot be printed: {error.strerror}", code_of(error), log)
    return 0


def fail(message: str, code: int, log: RunLog | None = None) -> int:
    """Print an error, one line each, and note it in the log; return the exit code."""
    lines = [f"gcmock: error: {line}" for line in few_lines(message.splitlines(), _LINES)]
    # A terminal that is gone or a disk that is full shows nothing.
    with suppress(OSError):
        print("\n".join(lines), file=sys.stderr, flush=True)
    if log is not None:
        for line in lines:
            log.line(line)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        return code
    let_go_of_stdout()
    return code


def report_defect(error: Exception, log: RunLog | None) -> int:
    """Report an error that nobody has foreseen, in one line; all of it goes to the log."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    if log is not None:
        log.line("".join(traceback.format_exception(error)).rstrip())
    elif os.environ.get(TRACEBACK):
        with suppress(OSError):
            traceback.print_exception(error)
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return fail(
        f"a defect of gcmock: {shortened(reason, 300)} ({Path(where.filename).name}, line "
        f"{where.lineno}); please report it with the command, its input and what --log FILE notes",
        FAILED,
        log,
    )
