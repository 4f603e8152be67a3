"""What worker processes do when they start."""

from __future__ import annotations

import signal

from gcmock.runtime.worker import dask_setup


def test_workers_leave_ctrl_c_to_the_process_that_started_the_run():
    before = signal.getsignal(signal.SIGINT)
    try:
        dask_setup(None)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
