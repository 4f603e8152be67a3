"""Random numbers: the same in numpy and numba, uniform, independent, never 0 or 1."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gcmock.random import star_key, uniform, uniform_scalar

N = 100_000
uint64 = st.integers(0, 2**64 - 1)


@numba.njit
def _uniform_array(keys, counters):
    out = np.empty(len(keys))
    for i in range(len(keys)):
        out[i] = uniform_scalar(keys[i], counters[i])
    return out


@pytest.mark.slow
@settings(deadline=None)  # the first call compiles
@given(st.lists(uint64, min_size=1, max_size=20), st.integers(0, 2**40), st.integers(1, 5))
def test_numba_gives_the_same_bits(keys, counter, k):
    key = np.array(keys, dtype=np.uint64)
    expected = uniform(key, counter, k)
    for j in range(k):
        counters = np.full(len(key), counter + j)
        np.testing.assert_array_equal(_uniform_array(key, counters), expected[:, j])
    assert uniform_scalar(key[0], counter) == expected[0, 0]


def test_counter_may_differ_by_star():
    key = star_key(1, np.arange(4))
    counters = np.array([0, 5, 2, 9])
    each = [uniform(key[i : i + 1], int(c), 2)[0] for i, c in enumerate(counters)]
    np.testing.assert_array_equal(uniform(key, counters, 2), each)


def test_numbers_are_fixed_for_ever():
    """A change of these values changes every catalogue: raise the version if you must."""
    key = star_key(1, np.array([4057701830728920064]), 0)
    assert key.dtype == np.uint64
    assert [f"{x:.15f}" for x in uniform(key, 0, 2)[0]] == [
        "0.492547345904776",
        "0.439835891391807",
    ]


@pytest.mark.parametrize(
    "vary",
    [
        lambda: uniform(star_key(1, np.arange(N)), 0)[:, 0],
        lambda: uniform(star_key(1, np.array([7])), 0, N)[0],
        lambda: np.array([uniform(star_key(1, [7], r), 3)[0, 0] for r in range(5000)]),
        lambda: np.array([uniform(star_key(s, [7]), 3)[0, 0] for s in range(5000)]),
        lambda: uniform(star_key(1, np.arange(N).astype(str)), 0)[:, 0],
    ],
    ids=["ids", "counters", "realisations", "seeds", "text ids"],
)
def test_uniform_along_every_axis(vary):
    u = vary()
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4 / np.sqrt(len(u))
    bins = np.histogram2d(u[:-1:2], u[1::2], bins=16, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(bins.ravel()).pvalue > 1e-3


def test_streams_of_neighbours_are_independent():
    ids = np.arange(N)
    base = uniform(star_key(1, ids, 0), 0)[:, 0]
    others = {
        "seed": uniform(star_key(2, ids, 0), 0)[:, 0],
        "realisation": uniform(star_key(1, ids, 1), 0)[:, 0],
        "counter": uniform(star_key(1, ids, 0), 1)[:, 0],
        "id": uniform(star_key(1, ids + 1, 0), 0)[:, 0],
    }
    for name, other in others.items():
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / np.sqrt(N), name
        assert not np.any(base == other), name


@given(uint64, st.integers(0, 2**60))
def test_open_interval(key, counter):
    u = uniform(np.array([key], dtype=np.uint64), counter)[0, 0]
    assert 0.0 < u < 1.0


def test_extreme_bits_stay_inside(monkeypatch):
    import gcmock.random

    for bits in (0, 2**64 - 1):
        monkeypatch.setattr(
            gcmock.random, "_mix", lambda z, bits=bits: np.full_like(z, np.uint64(bits))
        )
        u = uniform(np.zeros(1, dtype=np.uint64), 0)[0, 0]
        assert 0.0 < u < 1.0


def test_keys_depend_on_the_value_not_on_its_storage():
    ids = np.array([1, 2**62 + 1, 5])
    np.testing.assert_array_equal(star_key(3, ids), star_key(3, ids.astype(np.uint64)))
    np.testing.assert_array_equal(star_key(3, [1, 5]), star_key(3, np.array([1, 5], np.int16)))
    names = np.array(["a", "star 12", "é"])
    expected = star_key(3, names)
    np.testing.assert_array_equal(star_key(3, names.astype(object)), expected)
    np.testing.assert_array_equal(star_key(3, np.char.encode(names, "utf-8")), expected)
    np.testing.assert_array_equal(star_key(3, names[::-1])[::-1], expected)


def test_keys_are_distinct():
    keys = [star_key(s, np.arange(20_000), r) for s in (0, 1) for r in (0, 1, 2)]
    assert len(np.unique(np.concatenate(keys))) == 120_000


def test_float_ids_are_refused():
    with pytest.raises(TypeError, match="float64"):
        star_key(1, np.array([1.0]))
