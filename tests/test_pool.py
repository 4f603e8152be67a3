"""Work in threads that comes back in order, with bounded memory."""

from __future__ import annotations

import threading
import time

import pytest

from gcmock.pool import available_cores, beside, in_order


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_keep_the_order(workers: int) -> None:
    def slow_at_first(i: int) -> int:
        time.sleep(0.02 if i == 0 else 0.0)
        return i * i

    assert list(in_order(slow_at_first, range(30), workers)) == [i * i for i in range(30)]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_little_is_begun_ahead(workers: int) -> None:
    begun: list[int] = []
    results = in_order(lambda i: begun.append(i) or i, range(1000), workers)
    for _ in range(10):
        next(results)
        assert len(begun) <= 1000 // 2
        time.sleep(0.001)
    results.close()
    n = len(begun)
    time.sleep(0.01)
    assert len(begun) == n < 1000


def test_threads_work_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)
    assert list(in_order(lambda i: both.wait() >= 0, range(4), 2)) == [True] * 4


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_come_through(workers: int) -> None:
    def fail(i: int) -> int:
        if i == 7:
            raise ValueError("seven")
        return i

    results = in_order(fail, range(100), workers)
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(ValueError, match="seven"):
        next(results)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_has_not_begun_is_dropped_after_a_failure(workers: int) -> None:
    begun: list[int] = []

    def fail(i: int) -> None:
        begun.append(i)
        raise ValueError("at once")

    with pytest.raises(ValueError, match="at once"):
        list(in_order(fail, range(1000), workers))
    assert len(begun) <= 2 * workers


def test_one_worker_stays_in_the_thread_of_the_caller() -> None:
    own = threading.get_ident()
    assert list(in_order(lambda _: threading.get_ident(), range(3), 1)) == [own] * 3


def test_a_function_beside() -> None:
    gate = threading.Event()
    with beside(lambda: gate.wait(10)) as answer:
        gate.set()
        assert answer.result() is True
    with pytest.raises(ZeroDivisionError), beside(lambda: 1 // 0) as answer:
        answer.result()


def test_cores() -> None:
    assert available_cores() >= 1
