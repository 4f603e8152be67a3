"""Observations in memory, by star."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.astrometry.solver.store import read_store
from gcmock.errors import InputError

pytestmark = pytest.mark.usefixtures("interpreted")

IDS = np.array([30, 10, 20])  # two primary stars, a secondary
KNOWN = np.array([10, 20, 30, 99])  # and one that is not solved
ROWS = {
    "source_id": np.array([10, 20, 99, 30, 10, 10, 20]),
    "visit": np.array([0, 0, 0, 1, 1, 2, 3]),
    "x": np.arange(7.0),
    "y": 10.0 + np.arange(7.0),
    "x_error": np.full(7, 0.5),
    "y_error": np.full(7, 0.25),
}


def folder(rows=ROWS, size=3):
    def observations():
        for start in range(0, len(rows["x"]), size):
            yield {name: values[start : start + size] for name, values in rows.items()}

    n = len(rows["x"])
    return SimpleNamespace(path=Path("obs"), n_observation=n, observations=observations)


def changed(name, row, value):
    values = ROWS[name].copy()
    values[row] = value
    return folder(ROWS | {name: values})


@pytest.mark.parametrize("size", [1, 3, 100])
def test_observations_are_put_to_their_stars(size):
    told = []
    found = read_store(folder(size=size), IDS, 2, 4, lambda *now: told.append(now), known=KNOWN)
    assert found.first.tolist() == [0, 1, 4, 6]
    assert found.visit.tolist() == [1, 0, 1, 2, 0, 3]
    assert found.measured[:, 0].tolist() == [3, 0, 4, 5, 1, 6]
    np.testing.assert_array_equal(found.measured[:, 1], found.measured[:, 0] + 10.0)
    assert found.root_weight.tolist() == [[2.0, 4.0]] * 6
    assert found.n_primary == 2
    # All rows are read twice.
    assert told[-1] == (14, 14)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_what_is_kept(seed):
    rng = np.random.default_rng(seed)
    store = read_store(folder(), IDS, 2, 4, None, known=KNOWN)
    source, visit = rng.uniform(size=3) < 0.6, rng.uniform(size=4) < 0.6
    found = store.kept(source, visit)
    expected = [
        (identifier, v, x)
        for k, identifier in enumerate(IDS)
        for v, x in zip(
            store.visit[store.first[k] : store.first[k + 1]],
            store.measured[store.first[k] : store.first[k + 1], 0],
            strict=True,
        )
        if source[k] and visit[v]
    ]
    of = np.repeat(found.source_id, np.diff(found.first))
    assert list(zip(of, found.visit, found.measured[:, 0], strict=True)) == expected
    np.testing.assert_array_equal(found.source_id, IDS[source])
    assert found.n_primary == source[:2].sum()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("visit", 4, "observations of visits that visits.parquet lacks"),
        ("visit", -1, "observations of visits that visits.parquet lacks"),
        ("x", np.nan, r"1 observations have a bad x \(first: source_id 30, visit 1\)"),
        ("y", np.inf, r"1 observations have a bad y \(first: source_id 30"),
        ("x_error", 0.0, "bad x_error .*errors must be positive"),
        ("y_error", np.nan, "bad y_error"),
    ],
)
def test_bad_observations_are_named(name, value, words):
    with pytest.raises(InputError, match=words):
        read_store(changed(name, 3, value), IDS, 2, 4, None, known=KNOWN)


def test_observations_of_other_stars_are_refused():
    with pytest.raises(InputError, match=r"of 1 stars that .* lacks \(first: source_id 99\)"):
        read_store(folder(), IDS, 2, 4, None, known=IDS)


def test_observations_count_once():
    with pytest.raises(InputError, match="star 10 is observed more than once in one visit"):
        read_store(changed("visit", 5, 1), IDS, 2, 4, None, known=KNOWN)
