"""Terms beside a solution, against the full equations of a small dense problem."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gcmock.astrometry.missions.focal_plane import DetectorGrid
from gcmock.astrometry.solver.bordered import bordered, in_sigma, observation_sums
from gcmock.astrometry.solver.problem import Prior, Shift
from gcmock.astrometry.solver.terms import InstrumentTerms, Term


def test_terms_are_those_of_all_unknowns_at_once():
    rng = np.random.default_rng(1)
    n, k = 40, 2
    design, columns = rng.normal(size=(2 * n, 10)), rng.normal(size=(k, 2, n))
    weight = rng.uniform(0.5, 2.0, (2, n))
    measured = rng.normal(size=(2, n))
    w = weight.ravel()
    normal = design.T * w @ design
    alone = np.linalg.solve(normal, design.T @ (w * measured.ravel()))
    residual = (measured.ravel() - design @ alone).reshape(2, n)

    def packed(vector):
        return Shift(vector[:5].reshape(1, 5), vector[5:8].reshape(1, 3), vector[8:].reshape(1, 2))

    def solve(right):
        return packed(np.linalg.solve(normal, np.r_[right.sources[0], right.instrument]))

    def right(j):
        return packed(design.T @ (w * columns[j].ravel()))

    terms = InstrumentTerms(
        (Term("colour_x", "colour", 2.0), Term("colour_y", "colour", 2.0),
         Term("reference_parallax", "reference_parallax", 0.0)),
        DetectorGrid(1, 1, 1.0, 1.0, 1.0), 3, np.zeros(1), np.zeros(1),
    )  # fmt: skip
    parts = [(np.concatenate([columns, np.zeros((1, 2, n))]), weight, residual)]
    none = Prior(np.zeros((1, 5)), np.zeros((1, 5, 5)))
    zero = packed(np.zeros(10))
    border = bordered(
        terms, observation_sums(parts, 3), lambda j: right(j) if j < 2 else zero, solve, none,
        np.zeros((1, 5)),
    )  # fmt: skip
    whole = np.hstack([design, columns.reshape(k, -1).T])
    matrix = whole.T * w @ whole + np.diag([0.0] * 10 + [0.25] * k)
    exact = np.linalg.solve(matrix, whole.T @ (w * measured.ravel()))
    inverse = np.linalg.inv(matrix)
    assert_allclose(border.values, exact[10:], rtol=1e-9)
    assert_allclose(border.covariance, inverse[10:, 10:], rtol=1e-9)
    moved = border.shift(packed(alone))
    assert_allclose(np.r_[moved.sources[0], moved.instrument], exact[:10], rtol=1e-9)
    own = np.linalg.inv(normal)[:5, :5] + border.added("sources")[0]
    assert_allclose(own, inverse[:5, :5], rtol=1e-9)
    found = border.account()
    assert [row["name"] for row in found["families"]] == ["colour"]
    assert all(row["solved"] for row in found["terms"])


@pytest.mark.parametrize(("chi2", "n", "sigma"), [(9.0, 1, 3.0), (0.0, 3, 0.0), (100.0, 1, 10.0)])
def test_significance_is_that_of_a_gaussian(chi2, n, sigma):
    assert in_sigma(chi2, n) == pytest.approx(sigma, abs=1e-6)


def test_significance_grows_without_bound():
    assert in_sigma(1e6, 5) == pytest.approx(1000.0, rel=1e-3)


def test_what_only_noise_shows_is_not_seen():
    """A term that the other unknowns take up, and solutions that are wrong by a ten-thousandth."""
    rng = np.random.default_rng(2)
    n = 40
    design = rng.normal(size=(2 * n, 10))
    columns = np.stack([design[:, 8].reshape(2, n), rng.normal(size=(2, n))])
    normal = design.T @ design

    def packed(vector):
        return Shift(vector[:5].reshape(1, 5), vector[5:8].reshape(1, 3), vector[8:].reshape(1, 2))

    def solve(right):
        exact = np.linalg.solve(normal, np.r_[right.sources[0], right.instrument])
        return packed(exact * (1.0 + 1e-4))

    measured = rng.normal(size=2 * n)
    residual = measured - design @ np.linalg.solve(normal, design.T @ measured)
    terms = InstrumentTerms(
        (Term("colour_x", "colour", 2.0), Term("magnitude_x", "magnitude", 2.0)),
        DetectorGrid(1, 1, 1.0, 1.0, 1.0), 3, np.zeros(1), np.zeros(1),
    )  # fmt: skip
    sums = observation_sums([(columns, np.ones((2, n)), residual.reshape(2, n))], 2)
    none = Prior(np.zeros((1, 5)), np.zeros((1, 5, 5)))
    border = bordered(
        terms, sums, lambda j: packed(design.T @ columns[j].ravel()), solve, none, np.zeros((1, 5))
    )
    assert border.information[0, 0] < 0.0
    # Its prior is all that is known of it.
    assert_allclose(border.covariance[0, 0], 4.0, rtol=1e-6)
    assert_allclose(border.values[0], 0.0, atol=1e-6)
    assert border.covariance[1, 1] < 0.1
    assert np.isfinite([row["sigma"] for row in border.account()["terms"]]).all()
