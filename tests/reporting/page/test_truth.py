"""A catalogue against a known truth."""

from __future__ import annotations

import numpy as np
import pytest
from mock_rows import Rows, mock_rows

from gcmock.errors import InputError
from gcmock.reporting.page.sample import RowSample
from gcmock.reporting.page.truth import CATALOGUE_COLUMNS, compare_sample
from gcmock.words.components import GROUPS


def sample_of(rows):
    found = RowSample(100, CATALOGUE_COLUMNS)
    found.add(rows)
    return found


def truth(source_id, component, distance_pc):
    return Rows({"source_id": source_id, "component": component, "distance_pc": distance_pc})


def test_numbers_by_hand():
    """Four stars of the nuclear disc with P = 0.75, of which one truly is of the bar."""
    rows = mock_rows(["nsd"] * 4, p_own=0.75)
    known = truth([3, 2, 1, 0], ["bar", "nsd", "nsd", "nsc"], [5000.0, 7500.0, 8500.0, 12000.0])
    found = compare_sample(sample_of(rows), known)
    # Quantiles are at 6, 7, 8, 9 and 10 kpc.
    np.testing.assert_allclose(found.below, [0.25, 0.25, 0.5, 0.75, 0.75])
    assert found.coverage == 0.5
    assert found.n_star == 4
    np.testing.assert_allclose((found.mean_p, found.fraction, found.number), [[0.75], [0.75], [4]])
    assert found.ece == pytest.approx(0.0)
    assert found.brier == pytest.approx((3 * 0.25**2 + 0.75**2) / 4)
    assert found.base_brier == pytest.approx(0.75 * 0.25)
    places = {name: i for i, name in enumerate(GROUPS)}
    expected = np.zeros((4, 4))
    for name, n in (("bar", 1), ("nsd", 2), ("nsc", 1)):
        expected[places[name], places["nsd"]] = 0.75 * n
        expected[places[name], places["bar"]] = 0.25 * n
    np.testing.assert_allclose(found.confusion, expected)


def test_stars_without_a_truth_are_left_out():
    rows = mock_rows(["nsd", "bar", "bar"])
    found = compare_sample(sample_of(rows), truth([77, 1], ["nsd", "bar"], [1.0, 2.0]))
    assert found.n_star == 1
    assert found.brier == 0.0


def test_other_tables_are_refused():
    sample = sample_of(mock_rows(["bar"]))
    with pytest.raises(InputError, match="no table of true stars: it lacks component"):
        compare_sample(sample, Rows({"source_id": [1], "distance_pc": [1.0]}))
    with pytest.raises(InputError, match=r"none of the stars of the catalogue \(by source_id\)"):
        compare_sample(sample, truth([99], ["bar"], [1.0]))
