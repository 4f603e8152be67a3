"""A second synthetic band, like a broad band of a near-infrared Gaia, beside Hw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gcmock.dust.laws import load_law
from gcmock.posterior import reference
from gcmock.posterior.engine import Posterior
from gcmock.posterior.kinds import set_aside
from gcmock.posterior.observations import Observations
from gcmock.random import star_key

pytestmark = pytest.mark.long

PLACE = 0.31, -0.23
REDDENING = 3.6


@pytest.fixture(scope="module")
def relations(model):
    """Bluer than Hw, and bent the other way."""
    bluer = replace(model.relations["hw"], coefficients=(0.95, -0.05, 0.004), scatter_mag=0.03)
    return {"hw": model.relations["hw"], "gnir": bluer}


@pytest.fixture(scope="module")
def posterior(model, relations) -> Posterior:
    floor = model.config.photometry.error_floor_mag
    return Posterior(
        model.sightlines, model.grid, model.populations, model.law, relations, floor, model.motion
    )


def star(relations, bands, seed=0) -> Observations:
    """A reddened giant in the bands with these places."""
    rng = np.random.default_rng(seed)
    kappa = load_law("wang_chen_2019").rows[0]
    jhk = np.array([-4.6, -5.3, -5.5]) + 14.5 + kappa * rng.normal(REDDENING, 0.3)
    mag = np.append(jhk, [r.mag(jhk[0], jhk[1]) for r in relations.values()])
    mag += rng.normal(0.0, 0.05, mag.size)
    mag[[b not in bands for b in range(mag.size)]] = np.nan
    nan, one = np.full(1, np.nan), np.ones(1)
    return Observations(
        PLACE[0] * one, PLACE[1] * one, mag[None], np.full((1, mag.size), 0.05), nan, nan,
        REDDENING * one, 0.1 * one,
    )  # fmt: skip


def by_reference(model, posterior, relations, data):
    lines, index = model.sightlines.get(data.l_deg, data.b_deg)
    s = index[0]
    shape = lines.dust.at(s).value(model.grid.centre_pc)
    sightline = reference.Sightline(
        lines.prior[s, :, :11].T.astype(float), data.e_jks_rc[0] * shape, data.tau[0] * shape,
        model.law.rows[0],
    )  # fmt: skip
    one = reference.Star(data.mag[0], np.sqrt(posterior.variance(data)[0]))
    sets = model.populations
    return reference.joint(
        one, sightline, sets.populations, sets.of_component, model.grid, relations
    )


@pytest.mark.parametrize("bands", [(4,), (2, 4), (0, 4), (1, 2, 4), (0, 1, 2, 4), (1, 2, 3)])
def test_posterior_agrees_with_the_reference(model, posterior, relations, bands) -> None:
    data = star(relations, bands, seed=len(bands))
    expected = by_reference(model, posterior, relations, data)
    for exact in (True, False):
        found, log_evidence = posterior.joint(data, exact=exact)
        assert 0.5 * np.abs(found[0] - expected / expected.sum()).sum() < 0.02
        assert log_evidence[0] == pytest.approx(np.log(expected.sum()), abs=0.15)


def test_stars_without_the_band_are_as_before(model, posterior, relations) -> None:
    data = star(relations, (1, 2, 3))
    keys = star_key(3, np.arange(1))[:, None]
    summary, draws = posterior.infer(data, keys)
    narrow = data._replace(mag=data.mag[:, :4], mag_error=data.mag_error[:, :4])
    expected, drawn = model.posterior.infer(narrow, keys)
    for a, b in zip(summary, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(draws.mag[..., :4], drawn.mag)
    j, h = draws.mag[..., 0], draws.mag[..., 1]
    np.testing.assert_array_equal(draws.mag[..., 4], relations["gnir"].mag(j, h))


def test_drawn_magnitudes_keep_what_was_observed(posterior, relations) -> None:
    data = star(relations, (2, 4))
    data = data._replace(mag_error=np.full((1, 5), 0.01))
    keys = np.stack([star_key(3, np.arange(1), r) for r in range(200)], axis=1)
    _, draws = posterior.infer(data, keys)
    pull = (draws.mag[0, :, 4] - data.mag[0, 4]) / 0.01
    assert 0.5 < pull.std() < 1.5
    j, h = draws.mag[..., 0], draws.mag[..., 1]
    np.testing.assert_array_equal(draws.mag[..., 3], relations["hw"].mag(j, h))


def test_of_two_synthetic_magnitudes_the_more_precise_is_used(posterior, relations) -> None:
    both = star(relations, (2, 3, 4))
    both.mag_error[0, 3] = 0.5
    aside = set_aside(both.mag, posterior.variance(both))
    assert aside.tolist() == [[False, False, False, True, False]]
    alone = both._replace(mag=np.where(aside, np.nan, both.mag))
    np.testing.assert_array_equal(posterior.joint(both)[0], posterior.joint(alone)[0])
