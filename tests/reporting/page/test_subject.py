"""What sections are written from: the window, maps for tables, quantiles of distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_rows import mock_rows, subject_of

from gcmock.reporting.page.subject import quantiles
from gcmock.reporting.page.tally import DISTANCE


def grid(n_l, n_b, step=0.1):
    """Stars on a grid of positions, the first at l = -0.349, b = 0.051."""
    l_deg, b_deg = np.meshgrid(
        -0.349 + step * np.arange(n_l), 0.051 + step * np.arange(n_b), indexing="ij"
    )
    return mock_rows(["bar"] * l_deg.size, l=l_deg.ravel() % 360.0, b=b_deg.ravel())


def test_window_holds_all_stars():
    subject = subject_of(grid(4, 3))
    l_low, l_high, b_low, b_high = subject.window
    step = subject.tally.extent.sky[0].step
    assert l_low <= -0.349 < -0.049 < l_high
    assert b_low <= 0.051 < 0.251 < b_high
    assert max(-0.349 - l_low, l_high + 0.049, 0.051 - b_low, b_high - 0.251) <= step * (1 + 1e-9)


def test_figures_have_the_shape_of_the_window():
    wide, tall = subject_of(grid(10, 2)), subject_of(grid(2, 10))
    assert wide.sky_size[0] == tall.sky_size[1] == 5.4
    assert wide.sky_size[1] == 1.8
    assert tall.sky_size[0] == 2.4
    l_low, l_high, b_low, b_high = subject_of(grid(5, 5)).window
    ratio = (b_high - b_low) / (l_high - l_low)
    assert subject_of(grid(5, 5)).sky_size == pytest.approx((5.4, 3.85 * ratio + 0.6))


def test_coarse_map_keeps_every_star():
    rows = grid(12, 5)
    rows["a_ks"] = np.arange(rows["l"].size) / 10.0
    axes, total, number = subject_of(rows).coarse_map("a_ks")
    assert number.sum() == 60
    assert total.sum() == pytest.approx(rows["a_ks"].sum())
    assert number.shape == (axes[0].n, axes[1].n)
    assert max(number.shape) <= 8
    # Every cell is the sum of the stars between its edges.
    signed = (rows["l"] + 180.0) % 360.0 - 180.0
    for i in range(axes[0].n):
        column = axes[0].place(signed) == i
        assert total[i].sum() == pytest.approx(rows["a_ks"][column].sum())


def test_quantiles_of_one_bin_and_of_none():
    histogram = np.zeros(DISTANCE.n)
    assert np.isnan(quantiles(histogram, (0.5, 0.9))).all()
    histogram[319] = 7.0
    low, high = DISTANCE.edges[319], DISTANCE.edges[320]
    assert all(low <= q <= high for q in quantiles(histogram, (0.05, 0.5, 0.95)))


@settings(max_examples=25)
@given(st.lists(st.floats(0.1, 19.9), min_size=20, max_size=60))
def test_quantiles_are_those_of_the_distances(distances):
    histogram = np.bincount(DISTANCE.place(distances), minlength=DISTANCE.n)[: DISTANCE.n]
    found = quantiles(histogram.astype(float), (0.25, 0.5, 0.75))
    assert found == sorted(found)
    for level, value in zip((0.25, 0.5, 0.75), found, strict=True):
        below = (np.array(distances) < value + DISTANCE.step).mean()
        above = (np.array(distances) > value - DISTANCE.step).mean()
        assert below >= level
        assert above >= 1.0 - level - 1.0 / len(distances)
