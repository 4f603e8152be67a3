"""Log-odds of candidate links against their formula, in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from uncompiled import uncompile

from gcmock.catalogue.link import likelihood
from gcmock.catalogue.link.likelihood import (
    N_PATTERNS,
    FieldStatistics,
    SharedLight,
    SourceAstrometry,
)

NAN = np.nan
ERROR, SIGMA, WIDE, TAIL = 0.05, 0.003, 0.4, 0.1
MOTION = np.array([-0.003, -0.0055])


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    uncompile(monkeypatch, "gcmock.catalogue.link.neighbours", "gcmock.catalogue.link.likelihood")


def one(north=0.0, mag=(NAN, NAN, NAN), g=NAN, epoch=2014.0, motion=(NAN, NAN), motion_error=NAN):
    """One source, some arcseconds north of a place."""
    return SourceAstrometry(
        np.array([266.4]),
        np.array([-29.0 + north / 3600.0]),
        np.array([epoch]),
        np.full((1, 2), ERROR),
        np.array([motion], dtype=float),
        np.full((1, 2), motion_error),
        np.array([mag], dtype=float),
        np.full((1, 3), 0.03),
        np.array([g]),
    )


def field():
    return FieldStatistics(
        MOTION,
        np.full(2, SIGMA),
        np.full(3, 0.04),
        np.array([TAIL, -0.1, 0.8]),
        np.array([3.0, 4.0, 4.4]),
        np.array([1.3, 1.6, 1.8]),
        np.full(3, NAN),
    )


def odds(star, source, *, density=0.0, shared=False, mag=None, fraction=1.0):
    light = SharedLight(
        np.array([shared]),
        star.mag if mag is None else mag,
        np.zeros((1, 2)),
        np.array([fraction]),
        np.array([WIDE]),
    )
    zero = np.zeros(1, np.int64)
    rows = np.full((1, N_PATTERNS), density)
    detected, new = np.array([0.7]), np.array([-0.2])
    return likelihood.log_odds(zero, zero, star, source, field(), light, rows, detected, new)[0]


def test_positions_alone():
    variance = 2 * ERROR**2
    parts = [
        fraction * np.prod(norm.pdf([0.0, 0.1], scale=np.sqrt(variance + extra)))
        for fraction, extra in ((1 - TAIL, 0.0), (TAIL, WIDE**2))
    ]
    expected = np.log(sum(parts)) + 2.0 + 0.7 + 0.2
    assert odds(one(), one(north=0.1), density=-2.0) == pytest.approx(expected)


def test_magnitudes_multiply_the_density_of_their_bands():
    variance, extra = 0.03**2 + 0.03**2 + 0.04**2, 0.8**2
    place = norm.pdf(0.0, scale=np.sqrt(2) * ERROR) ** 2
    wide = norm.pdf(0.0, scale=np.hypot(np.sqrt(2) * ERROR, WIDE)) ** 2
    clean = (1 - TAIL) * place * norm.pdf(0.1, scale=np.sqrt(variance))
    tail = TAIL * wide * norm.pdf(0.1 + 0.1, scale=np.sqrt(variance + extra))
    found = odds(one(mag=(NAN, NAN, 12.0)), one(mag=(15.0, NAN, 12.1)))
    assert found == pytest.approx(np.log(clean + tail) + 0.7 + 0.2)


def test_the_field_moves_between_two_epochs():
    """A star is expected where the mean motion takes it, by as much as motions differ."""
    years = 20.0
    at = odds(one(), one(north=MOTION[1] * years, epoch=2014.0 + years))
    here = odds(one(), one(epoch=2014.0 + years))
    assert at > here
    variance = 2 * ERROR**2 + (SIGMA * years) ** 2
    east = MOTION[0] * years
    parts = [
        fraction * np.prod(norm.pdf([east, 0.0], scale=np.sqrt(variance + extra)))
        for fraction, extra in ((1 - TAIL, 0.0), (TAIL, WIDE**2))
    ]
    assert at == pytest.approx(np.log(sum(parts)) + 0.7 + 0.2)


def test_equal_motions_speak_for_a_link_and_unequal_ones_against_it():
    star = one(motion=(0.004, 0.003), motion_error=0.0003)
    none = odds(star, one())
    assert odds(star, one(motion=(0.004, 0.003), motion_error=0.0003)) > none + 3.0
    away = odds(star, one(motion=(-0.004, -0.009), motion_error=0.0003))
    # One in ten motions is worse than it says.
    assert away == pytest.approx(none + np.log(0.1))


def test_a_colour_of_g_that_stars_have_is_better_than_another():
    usual = odds(one(mag=(14.0, NAN, 12.0)), one(g=17.0))
    odd = odds(one(mag=(14.0, NAN, 12.0)), one(g=14.4))
    assert usual - odd == pytest.approx(0.5 * 2.0**2)
    assert odds(one(g=17.0), one(mag=(14.0, NAN, 12.0))) == pytest.approx(usual)


def test_the_fainter_star_of_a_blend_is_not_the_source():
    star, source = one(mag=(NAN, NAN, 12.0)), one(mag=(NAN, NAN, 11.0))
    together = np.array([[NAN, NAN, 11.0]])
    alone = odds(star, source)
    brighter = odds(star, source, shared=True, mag=together, fraction=0.6)
    fainter = odds(star, source, shared=True, mag=together, fraction=0.4)
    assert brighter > max(alone, fainter) + 2.0


def test_what_is_no_number_is_never_linked():
    assert odds(one(north=NAN), one()) < -1e8


def light_of(x, ks, beam=1.0):
    n = len(x)
    mag = np.full((n, 3), NAN)
    mag[:, 2] = ks
    start, found = np.arange(n + 1) * n, np.tile(np.arange(n), n)
    dec = -29.0 + np.asarray(x) / 3600.0
    return likelihood.shared_light(start, found, np.full(n, 266.4), dec, mag, beam)


def test_two_equal_stars_at_one_place_are_twice_as_bright():
    shared, mag, shift, fraction = light_of([0.0, 0.0], [12.0, 12.0])
    assert shared.all()
    np.testing.assert_allclose(mag[:, 2], 12.0 - 2.5 * np.log10(2.0))
    assert np.isnan(mag[:, :2]).all()
    np.testing.assert_allclose(shift, 0.0)
    np.testing.assert_allclose(fraction, 0.5)


def test_neighbours_draw_the_position_and_far_ones_do_not():
    shared, mag, shift, fraction = light_of([0.0, 0.8, 60.0], [12.0, 12.5, 12.0])
    np.testing.assert_array_equal(shared, [True, True, False])
    assert 0.0 < shift[0, 1] < 0.8
    assert -0.8 < shift[1, 1] < 0.0
    assert fraction[0] > fraction[1]
    assert (mag[2, 2], fraction[2]) == (12.0, 1.0)
