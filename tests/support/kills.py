"""Run something in a process that is killed at a chosen call of the system."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

CALLS = ("replace", "fsync", "unlink", "rmdir", "mkdir")
KILLED = 99


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Run something in a child that dies before its `number`-th call; return whether it did.

    The calls are those that change names on the disk, or wait for it.
    """

    def doomed() -> None:
        _die_at(number)
        work()

    code = os.waitstatus_to_exitcode(os.waitpid(_in_child(doomed), 0)[1])
    assert code in (0, KILLED), "the run failed before it was killed"
    return code == KILLED


def calls_of(work: Callable[[], object]) -> int:
    """Run something in a child; return how many calls it makes at which it could be killed."""
    reading, writing = os.pipe()

    def counted() -> None:
        made = _die_at(0)
        work()
        os.write(writing, str(next(made) - 1).encode())

    child = _in_child(counted)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the run failed"
    return int(said)


def _in_child(work: Callable[[], object]) -> int:
    """Run something in a child of this process, and return its number."""
    if not hasattr(os, "fork"):
        pytest.skip("needs a system that can fork")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def _die_at(number: int) -> Iterator[int]:
    from gcmock.io import disk

    calls = count(1)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            if next(calls) == number:
                os._exit(KILLED)
            return function(*given, **more)

        return call

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    disk._exchange = deadly(disk._exchange)
    return calls


def at_every_call(work: Callable[[], object], prepare: Callable[[], object]) -> Iterator[int]:
    """Yield after every kill of something that is prepared anew each time."""
    for number in count(1):
        prepare()
        if not killed_at(number, work):
            assert number > 1, "it calls nothing"
            return
        yield number
