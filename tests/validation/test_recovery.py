"""A catalogue against a known truth, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_rows import mock_rows

from gcmock.validation.recovery import (
    compare_with_truth,
    nuclear_probability,
    reliability_bins,
    stated_probability,
)


def test_probabilities_of_groups():
    rows = mock_rows(["thin1", "nsd"], p_own=[0.5, 0.25])
    rows["p_thick"] += [0.25, 0.0]
    rows["p_nsc"] += [0.0, 0.5]
    np.testing.assert_allclose(stated_probability(rows, "disc"), [0.75, 0.0])
    np.testing.assert_allclose(nuclear_probability(rows), [0.0, 0.75])


def test_probabilities_keep_their_precision():
    rows = mock_rows(["nsd"], p_own=0.1)
    rows = {name: values.astype("f4") for name, values in rows.items() if name.startswith("p_")}
    found = nuclear_probability(rows)
    assert found.dtype == np.float64


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=60))
def test_reliability_keeps_the_sums(stars):
    p, true = (np.array(x) for x in zip(*stars, strict=True))
    mean_p, fraction, count = reliability_bins(p, true)
    assert count.sum() == p.size
    assert (mean_p * count).sum() == pytest.approx(p.sum())
    assert (fraction * count).sum() == pytest.approx(true.sum())
    assert (count > 0).all()
    # Means of bins of a tenth rise from bin to bin.
    assert (np.diff(mean_p) > 0).all()


def test_certain_stars_are_in_the_last_bin():
    mean_p, _, count = reliability_bins(np.array([0.95, 1.0, 0.0]), np.array([True, True, False]))
    np.testing.assert_allclose(mean_p, [0.0, 0.975])
    np.testing.assert_array_equal(count, [1, 2])


def test_numbers_by_hand():
    mock = mock_rows(["nsd"] * 4 + ["bar"] * 4, p_own=[0.75] * 4 + [1.0] * 4)
    # Quantiles are at 6, 7, 8, 9 and 10 kpc.
    truth = {
        "component": np.array(["nsd"] * 3 + ["bar"] * 5),
        "distance_pc": np.array([5000.0, 6500, 7500, 7999, 8500, 9500, 10500, 8001]),
    }
    observed = {}
    for band, pull in zip(("j", "h", "ks"), (1.0, 2.0, np.nan), strict=True):
        name = f"phot_{band}_mag"
        observed[f"{name}_error"] = np.full(8, 0.25)
        observed[name] = mock[name] + 0.25 * pull * np.tile([1.0, -1.0], 4)
    observed["phot_ks_mag"] = mock["phot_ks_mag"] + np.array([0.0, np.nan] * 4)
    found = compare_with_truth(truth, observed, mock)
    assert found.true_fraction == {"disc": 0.0, "bar": 0.625, "nsd": 0.375, "nsc": 0.0}
    assert found.inferred_fraction["nsd"] == pytest.approx(0.375)
    assert found.fraction_error["nsd"] == pytest.approx(np.sqrt(4 * 0.75 * 0.25) / 8)
    assert found.below_quantile == (0.125, 0.25, 0.5, 0.75, 0.875)
    assert found.coverage == 0.5
    assert found.brier == pytest.approx((3 * 0.0625 + 0.5625) / 8)
    assert found.base_brier == pytest.approx(0.375 * 0.625)
    assert found.ece == pytest.approx(0.0)
    assert found.pull == {"j": pytest.approx(1.0), "h": pytest.approx(2.0), "ks": 0.0}
