"""Which stars are looked at again: the least expected ones, among stars of the same kind."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.posterior.doubt import (
    CENTRES,
    FRACTION,
    LEAST_STARS,
    brightness,
    class_of,
    doubted,
    learn_doubt,
    log_expected,
    no_doubt,
)
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.words.bands import BANDS, KS, H, J


def stars(n: int, seed: int = 1) -> Observations:
    rng = np.random.default_rng(seed)
    mag = np.full((n, len(BANDS)), np.nan)
    mag[:, KS] = rng.uniform(9.0, 15.0, n)
    mag[:, H] = mag[:, KS] + 1.0
    mag[:, J] = mag[:, KS] + 3.0
    nan, zero = np.full(n, np.nan), np.zeros(n)
    return Observations(zero, zero, mag, 0.05 + 0.0 * mag, nan, nan.copy(), zero + 2.0, zero)


def test_expected_numbers_do_not_depend_on_units() -> None:
    """Evidences per magnitude times the volume that the errors fill."""
    data = stars(5)
    data.parallax[0], data.parallax_error[0] = 0.1, 0.2
    variance = np.full((5, len(BANDS)), 0.04)
    found = log_expected(data, np.full(5, -3.0), variance)
    of_band = np.log(np.sqrt(2.0 * np.pi) * 0.2)
    np.testing.assert_allclose(found[1:], -3.0 + 3.0 * of_band)
    # A parallax error of as much, in mas, is a fourth factor.
    assert found[0] == pytest.approx(-3.0 + 4.0 * of_band)
    # In units of 0.1 mag the evidence is smaller by 10 per band, and the errors larger by as much.
    other = log_expected(data, np.full(5, -3.0) - 3.0 * np.log(10.0), 100.0 * variance)
    np.testing.assert_allclose(other, found)


def test_classes_are_sets_of_measurements() -> None:
    data = stars(4)
    data.mag[1, J] = np.nan
    data.parallax[2] = 0.1
    motion = MeasuredMotion.missing(4)
    motion.pm_l[3] = -3.0
    code = class_of(data._replace(motion=motion))
    assert len(set(code.tolist())) == 4
    assert class_of(data)[3] == code[0]
    assert class_of(data)[0] == code[0]


def test_stars_are_compared_at_their_reddest_magnitude() -> None:
    data = stars(3)
    data.mag[1, KS] = np.nan
    data.mag[2] = np.nan
    found = brightness(data)
    assert found[:2].tolist() == [data.mag[0, KS], data.mag[1, H]]
    assert np.isnan(found[2])


def test_the_stated_fraction_is_doubted_at_every_magnitude() -> None:
    n = 20_000
    data = stars(n)
    rng = np.random.default_rng(2)
    # Bright stars are rarer: one limit for all would doubt all of them.
    expected = 0.7 * data.mag[:, KS] + rng.gumbel(0.0, 1.0, n)
    doubt = learn_doubt(data, expected)
    fresh = stars(n, 3)
    out = doubted(doubt, fresh, 0.7 * fresh.mag[:, KS] + rng.gumbel(0.0, 1.0, n))
    for low in range(9, 15):
        inside = (fresh.mag[:, KS] >= low) & (fresh.mag[:, KS] < low + 1)
        assert abs(out[inside].mean() - FRACTION) < 0.05, low


def test_every_class_has_its_own_limit() -> None:
    n = 2000
    data = stars(n)
    data.mag[::2, J] = np.nan
    expected = np.where(np.arange(n) % 2 == 0, 0.0, 100.0) + np.random.default_rng(4).normal(size=n)
    doubt = learn_doubt(data, expected)
    assert doubt.code.size == 2
    assert (np.diff(doubt.code) > 0).all()
    assert doubt.limit.shape == (2, CENTRES.size)
    out = doubted(doubt, data, expected)
    assert abs(out[::2].mean() - FRACTION) < 0.04
    assert abs(out[1::2].mean() - FRACTION) < 0.04


def test_unknown_classes_are_doubted() -> None:
    few = stars(LEAST_STARS - 1)
    assert learn_doubt(few, np.zeros(few.n_star)).code.size == 0
    assert doubted(no_doubt(), few, np.full(few.n_star, 1e9)).all()
    many = stars(500)
    doubt = learn_doubt(many, np.zeros(500))
    few.mag[:, J] = np.nan
    assert doubted(doubt, few, np.full(few.n_star, 1e9)).all()
    assert not doubted(doubt, many, np.full(500, 1e9)).any()


def test_what_nothing_explains_is_doubted_and_does_not_spoil_the_limit() -> None:
    data = stars(400)
    expected = np.random.default_rng(5).normal(size=400)
    # Fewer than are doubted anyway.
    expected[:20] = -np.inf
    doubt = learn_doubt(data, expected)
    assert np.isfinite(doubt.limit).all()
    assert doubted(doubt, data, expected)[:20].all()


def test_order_does_not_matter() -> None:
    data = stars(3000)
    expected = np.random.default_rng(6).normal(size=3000)
    order = np.random.default_rng(7).permutation(3000)
    one, other = learn_doubt(data, expected), learn_doubt(data.take(order), expected[order])
    np.testing.assert_array_equal(one.code, other.code)
    np.testing.assert_array_equal(one.limit, other.limit)


def test_no_stars() -> None:
    nothing = stars(0)
    assert doubted(no_doubt(), nothing, np.zeros(0)).shape == (0,)
    assert learn_doubt(nothing, np.zeros(0)).code.size == 0
