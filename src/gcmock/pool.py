"""Threads: how many there are, and work in them that comes back in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD: Final = 2


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Apply a function in threads and yield the results in the order of the items.

    At most a few results wait at a time, so that the memory is bounded. When the consumer stops
    early or a call fails, what has not begun is dropped. Items are taken in the thread of the
    caller.

    Parameters
    ----------
    function : callable
        Called once for every item.
    items : iterable
        What it is called with.
    workers : int
        Threads; with 1 there are none beside the caller's.

    Yields
    ------
    result
        Of each item, in order.

    Examples
    --------
    >>> list(in_order(abs, [-3, 2, -1], workers=2))
    [3, 2, 1]
    """
    if workers == 1:
        yield from map(function, items)
        return
    queue: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                queue.append(pool.submit(function, item))
                while len(queue) >= _AHEAD * workers or (queue and queue[0].done()):
                    yield queue.popleft().result()
            while queue:
                yield queue.popleft().result()
        finally:
            for job in queue:
                job.cancel()


@contextmanager
def beside(function: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Call a function in a thread of its own, beside what the context does.

    Parameters
    ----------
    function : callable
        Without arguments.

    Yields
    ------
    concurrent.futures.Future
        Its ``result()`` waits for the function.
    """
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(function)
