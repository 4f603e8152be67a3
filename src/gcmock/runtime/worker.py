"""Loaded by worker processes on this machine when they start.

Ctrl-C reaches every process of a terminal. The one that started the run ends its workers; they
need not complain as well.
"""

from __future__ import annotations

import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Let the process that started the run decide when this one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
