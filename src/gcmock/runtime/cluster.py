"""Where the work is done: processes on this machine, or a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from gcmock.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

LOCAL: Final = "local"
"""Name of the scheduler that starts worker processes on this machine."""

_SECONDS_TO_CONNECT: Final = 30


def check_installed(*modules: str) -> None:
    """Check that optional libraries are there.

    Raises
    ------
    InputError
        If one is not; it says how to install them.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise InputError(
            f"HATS catalogues need {', '.join(missing)}, not installed here: "
            "pip install 'gcmock[hats]'"
        )


@contextmanager
def connect(scheduler: str, workers: int) -> Iterator[Client]:
    """Start or find workers, and leave them when the context ends.

    Parameters
    ----------
    scheduler : str
        ``"local"``, or the address of a running scheduler, such as ``"tcp://10.0.0.1:8786"``.
    workers : int
        Processes, one thread each, if they are started here; a cluster has its own.

    Yields
    ------
    distributed.Client

    Raises
    ------
    InputError
        If Dask is not installed, or no scheduler answers.
    """
    check_installed("distributed")
    from distributed import Client, LocalCluster

    if scheduler == LOCAL:
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                # A partition needs a known amount of memory: nothing to spill, nothing to restart.
                memory_limit=0,
                silence_logs=logging.CRITICAL,
                preload=["gcmock.runtime.worker"],
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=_SECONDS_TO_CONNECT)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"no Dask scheduler at {scheduler!r}: {error}; expected 'local' or an address such as "
            "tcp://10.0.0.1:8786"
        ) from error
    with client:
        yield client
