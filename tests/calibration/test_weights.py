"""Weights of the groups: found with the selection term, jointly with the widths."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.calibration.curves import GROUPS, USUAL_OF_GROUP
from gcmock.calibration.weights import (
    LEAST_STARS,
    LOG_WEIGHT_PRIOR,
    MOST_PARABOLAS,
    SCALES,
    YOUNG_MEANS,
    _best_scale,
    _Objective,
    fit_weights,
    usual_weights,
)

N = len(GROUPS)
OLD = int((USUAL_OF_GROUP == 1.0).sum())
DENSITY = np.array([2.0, 5.0, 4.0, 4.0, 4.0, 4.0])
"""Stars of every group that can be seen, if its weight is one."""

NUCLEAR, BAR = GROUPS.index("nuclear"), GROUPS.index("bar")


def gaussian(x, mean, width):
    return np.exp(-0.5 * ((x - mean) / width) ** 2) / (np.sqrt(2.0 * np.pi) * width)


def sample(weights, n, rng, density=DENSITY, width=0.8):
    """Stars of the groups as `weights` times `density` says, and their evidences.

    A star of group g has a datum x ~ N(g, width) and Z_ig = Λ_g N(x; g, width).
    """
    share = np.asarray(weights) * density
    group = rng.choice(N, n, p=share / share.sum())
    x = rng.normal(group, width)
    z = density * gaussian(x[:, None], np.arange(N), width)
    return z, np.broadcast_to(density, z.shape)


def weights_of(old, young=0.0):
    return np.concatenate([old, np.full(N - OLD, young)])


@pytest.mark.parametrize("true", [(1.0, 1.0, 1.0), (1.0, 1.0, 0.7), (1.0, 0.7, 1.0)])
def test_ratios_are_found(true):
    n = 8000
    z, expected = sample(weights_of(true), n, np.random.default_rng(1))
    found = fit_weights(lambda scale: (z, expected), np.zeros(n), free_scale=False)
    ratio, error = found.ratio
    assert error < 0.1
    assert abs(ratio - true[2] / true[1]) < 3.0 * error
    assert (found.n_star, found.scale) == (n, 1.0)
    assert found.of_group.shape == found.error.shape == (N,)
    assert found.gain >= 0.0
    np.testing.assert_allclose(found.error, np.sqrt(np.diag(found.covariance)))


@pytest.mark.slow
def test_error_bars_are_the_scatter():
    true, pulls = np.array([1.0, 1.2, 0.8]), []
    for seed in range(40):
        z, expected = sample(weights_of(true), 1500, np.random.default_rng(seed))
        ratio, error = fit_weights(
            lambda scale, z=z, expected=expected: (z, expected), np.zeros(1500), free_scale=False
        ).ratio
        pulls.append((ratio - true[2] / true[1]) / error)
    # The prior of the logarithms draws a little.
    assert abs(np.mean(pulls)) < 0.6
    assert 0.6 < np.std(pulls) < 1.3


def test_younger_stars_are_found():
    n, rng = 20_000, np.random.default_rng(5)
    true = np.array([1.0, 1.0, 1.0, 0.15, 0.0, 0.1])
    z, expected = sample(true, n, rng, width=0.4)
    found = fit_weights(lambda scale: (z, expected), np.zeros(n), free_scale=False)
    of_group = found.of_group / found.of_group[NUCLEAR]
    np.testing.assert_allclose(of_group[OLD:], true[OLD:], atol=0.03)
    # Never less than nothing.
    assert (found.of_group > 0.0).all()


def test_younger_stars_have_their_prior_where_nothing_tells():
    """Groups that look alike: nothing is learned of their numbers."""
    n = LEAST_STARS
    z = np.broadcast_to(DENSITY, (n, N)).copy()
    found = fit_weights(lambda scale: (z, z), np.zeros(n), free_scale=False)
    np.testing.assert_allclose(found.of_group[:OLD], 1.0, atol=1e-3)
    for name, mean in YOUNG_MEANS.items():
        (place,) = [i for i, group in enumerate(GROUPS) if group.endswith(f"_{name}")]
        # The mode of a gamma distribution of shape 2 is half of its mean.
        assert found.of_group[place] == pytest.approx(0.5 * mean, rel=1e-3)
    np.testing.assert_allclose(found.error[:OLD], LOG_WEIGHT_PRIOR, rtol=0.02)


def test_selection_matters():
    """With the number of all stars for that of those that can be seen the weights are wrong."""
    rng = np.random.default_rng(2)
    # The nuclear stars of the second half are mostly too faint to be in the sample.
    faint = DENSITY * np.where(np.arange(N) == NUCLEAR, 0.1, 1.0)
    parts = [sample(weights_of(np.ones(OLD)), 3000, rng, d) for d in (DENSITY, faint)]
    z, expected = (np.concatenate(x) for x in zip(*parts, strict=True))
    everything = np.broadcast_to(DENSITY, z.shape)
    right = fit_weights(lambda scale: (z, expected), np.zeros(6000), free_scale=False)
    wrong = fit_weights(lambda scale: (z, everything), np.zeros(6000), free_scale=False)
    assert abs(np.log(right.ratio[0])) < 3.0 * right.ratio[1]
    assert abs(np.log(wrong.ratio[0])) > 5.0 * wrong.ratio[1]


def blurred(true_scale, weights, n, rng, noise=0.6):
    """A bar that is wide and a nuclear disc that is narrow, both blurred by the dust."""
    own = np.array([3.0, 1.0, 0.2, 0.2, 0.2, 0.2])
    centre = np.array([0.0, 0.0, 0.0, 3.0, 5.0, 7.0])
    share = weights * DENSITY
    group = rng.choice(N, n, p=share / share.sum())
    x = rng.normal(centre[group], np.hypot(own[group], true_scale * noise))

    def evidence(scale):
        z = DENSITY * gaussian(x[:, None], centre, np.hypot(own, scale * noise))
        return z, np.broadcast_to(DENSITY, z.shape)

    return evidence


@pytest.mark.slow
@pytest.mark.parametrize("true_scale", [0.45, 1.0, 1.3])
def test_widths_that_are_wrong_are_found_with_the_weights(true_scale):
    """A width that is too large turns bar stars into nuclear ones; jointly both are right."""
    n = 20_000
    true = weights_of(np.ones(OLD))
    evidence = blurred(true_scale, true, n, np.random.default_rng(3))
    joint = fit_weights(evidence, np.zeros(n))
    ratio, error = joint.ratio
    assert joint.scale == pytest.approx(true_scale, rel=0.08)
    # The errors are those under the scale that was found.
    assert abs(ratio - 1.0) < 4.0 * error + 0.15
    fixed = fit_weights(evidence, np.zeros(n), free_scale=False)
    if true_scale < 1.0:
        assert fixed.ratio[0] > 1.15
        assert abs(ratio - 1.0) < 0.4 * (fixed.ratio[0] - 1.0)
    elif true_scale > 1.0:
        assert fixed.ratio[0] < 0.9


@pytest.mark.parametrize("best", [0.03, 0.3, 0.8, 1.0, 1.6, 3.0])
def test_scales_are_walked_to_the_least(best):
    looked = []

    def look(scale):
        looked.append(scale)
        # No parabola, as with many stars: steep towards no scatter.
        x = np.log(scale / best)
        return 1000.0 * (np.exp(-x) + x - 1.0)

    found = _best_scale(look)
    assert found == pytest.approx(min(max(best, SCALES[0]), SCALES[-1]), rel=0.03)
    # Nowhere twice.
    assert len(set(looked)) == len(looked) <= len(SCALES) + MOST_PARABOLAS


def test_a_flat_posterior_is_not_searched_for_long():
    looked = []

    def look(scale):
        looked.append(scale)
        return 0.02 * np.log(scale / 0.9) ** 2

    assert _best_scale(look) == pytest.approx(0.9, rel=1e-6)
    assert len(looked) == 3


def test_outliers_do_not_move_the_weights():
    """A third of the stars are none of these, as the evidence of other cases says."""
    n, rng = 9000, np.random.default_rng(6)
    z, expected = sample(weights_of((1.0, 1.0, 0.7)), n, rng)
    # They look like nuclear stars a little, and are explained far better as outliers.
    junk = rng.random(n) < 1.0 / 3.0
    z = np.where(junk[:, None], 1e-6 * (np.arange(N) == NUCLEAR), z)
    floor = np.where(junk, 1.0, 1e-4)
    found = fit_weights(lambda scale: (z, expected), floor, free_scale=False)
    ratio, error = found.ratio
    assert abs(ratio - 0.7) < 3.0 * error
    blind = fit_weights(lambda scale: (z, expected), np.zeros(n), free_scale=False)
    assert blind.ratio[0] > ratio + 5.0 * error


def test_gradient_is_the_derivative():
    rng = np.random.default_rng(7)
    z, expected = sample(weights_of(np.ones(OLD), 0.1), 200, rng)
    objective = _Objective(z, expected, 0.01 * rng.random(200))
    # Behind the groups stands the number of stars that are none.
    x = rng.normal(0.0, 0.3, N + 1)
    _, gradient = objective(x)
    step = 1e-5
    for i, unit in enumerate(np.eye(N + 1)):
        both = [objective(x + sign * step * unit)[0] for sign in (1.0, -1.0)]
        assert gradient[i] == pytest.approx((both[0] - both[1]) / (2.0 * step), rel=1e-5, abs=1e-4)


def test_order_of_the_stars_does_not_matter():
    n = 2000
    z, expected = sample(weights_of((1.0, 1.0, 0.7)), n, np.random.default_rng(8))
    order = np.random.default_rng(9).permutation(n)
    one = fit_weights(lambda scale: (z, expected), np.zeros(n), free_scale=False)
    other = fit_weights(lambda scale: (z[order], expected), np.zeros(n), free_scale=False)
    np.testing.assert_allclose(one.of_group, other.of_group, rtol=1e-4)


def test_few_stars_keep_what_is_usual():
    def never(scale):
        raise AssertionError("looked at")

    found = fit_weights(never, np.zeros(LEAST_STARS - 1))
    assert found.n_star == 0
    np.testing.assert_array_equal(found.of_group, USUAL_OF_GROUP)
    assert found.scale == 1.0
    assert found.ratio == (1.0, 0.0)
    # A copy of its own.
    usual_weights().of_group[0] = 7.0
    assert USUAL_OF_GROUP[0] == 1.0
