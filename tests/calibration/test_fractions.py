"""Weights of the components: found with the selection term, wrong without, refused for few."""

import numpy as np
import pytest

from gcmock.calibration.cells import CellFit
from gcmock.calibration.curves import FACTORS, GROUPS, Curves
from gcmock.calibration.fractions import fit_fractions, no_fractions
from gcmock.errors import InputError

AT_ONE = int(np.argmin(np.abs(FACTORS - 1.0)))


def cells(n_cell):
    ones = np.ones(n_cell)
    return CellFit(
        np.ones(n_cell, np.int64), ones, 0.0 * ones, 0.0 * ones + 1e-3, 0.0 * ones, 0.0 * ones
    )


def sample(weights, n, density, rng, spread=0.8):
    """Stars of the groups as `weights` times `density` says, with evidences that tell a little.

    A star of group g has a datum x ~ N(g, spread) and Z_ig = Λ_g N(x; g, spread).
    """
    fraction = weights * density
    group = rng.choice(len(GROUPS), n, p=fraction / fraction.sum())
    x = rng.normal(group, spread)
    z = density * np.exp(-0.5 * ((x[:, None] - np.arange(3)) / spread) ** 2)
    z /= z.sum(axis=1).max()
    value = np.zeros((n, len(GROUPS), FACTORS.size), np.float16)
    value[:, :, AT_ONE] = z
    return Curves(value, np.zeros(n))


@pytest.mark.parametrize("true", [(1.0, 1.0, 1.0), (1.0, 1.0, 0.7), (1.0, 0.7, 1.0)])
def test_weights_are_found(true):
    rng = np.random.default_rng(1)
    density = np.array([2.0, 5.0, 4.0])
    curves = sample(np.array(true), 8000, density, rng)
    expected = np.repeat(density[None, :, None], FACTORS.size, axis=2)
    found = fit_fractions(
        curves, np.zeros(8000, np.int64), cells(1), expected, np.zeros(1, np.int64)
    )
    ratio, error = found.ratio
    assert error < 0.12
    assert abs(ratio - true[2] / true[1]) < 3.0 * error
    assert found.n_star == 8000


def test_selection_matters():
    """With the number of all stars for that of those that can be seen the weights are wrong."""
    rng = np.random.default_rng(2)
    # The nuclear stars of the second cell are mostly too faint to be in the sample.
    density = np.array([[2.0, 5.0, 4.0], [2.0, 5.0, 0.4]])
    parts = [sample(np.ones(3), 3000, d, rng) for d in density]
    curves = Curves(np.concatenate([p.value for p in parts]), np.zeros(6000))
    of_star = np.repeat([0, 1], 3000)
    expected = np.repeat(density[:, :, None], FACTORS.size, axis=2)
    fields = np.zeros(2, np.int64)
    right = fit_fractions(curves, of_star, cells(2), expected, fields)
    everything = np.repeat(expected[:1], 2, axis=0)
    wrong = fit_fractions(curves, of_star, cells(2), everything, fields)
    assert abs(np.log(right.ratio[0])) < 3.0 * right.ratio[1]
    assert abs(np.log(wrong.ratio[0])) > 5.0 * wrong.ratio[1]


def test_stars_have_the_reddening_of_their_place():
    """Half of the stars lie behind more dust than their cell says: they count where they are."""
    rng = np.random.default_rng(6)
    n, density = 8000, np.array([2.0, 5.0, 4.0])
    curves = sample(np.array([1.0, 1.0, 0.7]), n, density, rng)
    factor = np.where(np.arange(n) % 2 == 0, 1.0, 1.1)
    moved = np.zeros_like(curves.value)
    at = np.rint((factor - FACTORS[0]) / 0.01).astype(int)
    moved[np.arange(n), :, at] = curves.value[:, :, AT_ONE]
    given = np.zeros(n, np.int64), cells(1), np.repeat(density[None, :, None], FACTORS.size, axis=2)
    where = Curves(moved, np.zeros(n)), *given, np.zeros(1, np.int64)
    found = fit_fractions(*where, reddening=(factor, np.zeros(n)))
    plain = fit_fractions(curves, *given, np.zeros(1, np.int64))
    np.testing.assert_allclose(found.of_group, plain.of_group, rtol=1e-3)
    assert abs(fit_fractions(*where).ratio[0] - found.ratio[0]) > 0.02


def test_fields_may_deviate():
    rng = np.random.default_rng(3)
    density = np.array([2.0, 5.0, 4.0])
    parts = [sample(np.array([1.0, 1.0, w]), 6000, density, rng) for w in (0.85, 1.15)]
    curves = Curves(np.concatenate([p.value for p in parts]), np.zeros(12_000))
    of_star = np.repeat([0, 1], 6000)
    expected = np.repeat(density[None, :, None], FACTORS.size, axis=2).repeat(2, axis=0)
    found = fit_fractions(
        curves, of_star, cells(2), expected, np.array([7, 9]), fields_deviate=True
    )
    assert found.field.tolist() == [7, 9]
    assert found.of_field[1, 2] / found.of_field[1, 1] > found.of_field[0, 2] / found.of_field[0, 1]


def test_few_stars_are_refused():
    curves = sample(np.ones(3), 500, np.array([2.0, 5.0, 4.0]), np.random.default_rng(4))
    expected = np.ones((1, len(GROUPS), FACTORS.size))
    with pytest.raises(InputError, match="at least 1000"):
        fit_fractions(curves, np.zeros(500, np.int64), cells(1), expected, np.zeros(1, np.int64))


def test_no_fractions_are_ones():
    assert (no_fractions().of_group == 1.0).all()
    assert no_fractions().n_star == 0
