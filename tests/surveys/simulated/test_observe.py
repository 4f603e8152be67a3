"""What a simulated survey measures of skies made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_sky import changed, clean, lonely, stars_at

from gcmock.photometric_systems import from_2mass
from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.simulated.artefacts import FARTHEST_ARCSEC, ArtefactKind, ghosts, noise_peaks
from gcmock.surveys.simulated.blocks import BLOCK_MARGIN_ARCSEC
from gcmock.surveys.simulated.fields import N_COPIES, apparitions, fields_of, in_footprint
from gcmock.surveys.simulated.observe import observe

EPOCH = 2016.0
QUIET = {
    "zero_point_mag": (0.0, 0.0, 0.0),
    "field_offset_mas": 0.0,
    "overlap_arcsec": 0.0,
    "depth_scatter_mag": 0.0,
}
SYSTEMS = {"2mass": "2mass", "virac2": "vista", "vvv": "vista", "sirius": "sirius", "gnc": "hawki"}


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_lonely_stars_are_measured_with_the_stated_errors(name):
    survey = clean(name, **QUIET, boxes_deg=())
    stars = lonely(4000, [14.0, 13.5, 13.0])
    found = observe(stars, survey, 1, EPOCH)
    assert found.identity.tolist() == stars.identity.tolist()
    native, scatter = from_2mass(SYSTEMS[name], stars.mag)
    pull = (found.mag - found.true_mag) / found.error
    np.testing.assert_allclose((found.true_mag - native).std(axis=0), scatter[0], rtol=0.05)
    assert np.abs(pull.mean(axis=0)).max() < 0.06
    np.testing.assert_allclose(pull.std(axis=0), 1.0, atol=0.04)
    if survey.instrument.position_mas:
        north = 3.6e6 * (found.dec - stars.dec) / found.position_error
        east = 3.6e6 * (found.ra - stars.ra) * np.cos(np.radians(stars.dec)) / found.position_error
        assert north.std() == pytest.approx(1.0, abs=0.04)
        assert east.std() == pytest.approx(1.0, abs=0.04)


def test_surveys_of_one_system_share_the_deviations_of_a_star():
    stars = lonely(500, [14.0, 13.5, 13.0])
    one, two, three = (
        observe(stars, clean(n, **QUIET), 1, EPOCH) for n in ("vvv", "virac2", "sirius")
    )
    np.testing.assert_allclose(one.true_mag, two.true_mag)
    apart = one.true_mag - three.true_mag
    assert (apart.std(axis=0) > 0.03).all()


def test_half_of_the_stars_are_seen_at_the_limit():
    survey = clean("sirius", **QUIET, known_mag=0.0)
    limit = np.array(survey.instrument.limit_mag)
    native, _ = from_2mass("sirius", limit[None])
    found = observe(lonely(4000, 2.0 * limit - native[0]), survey, 1, EPOCH)
    assert found.key.size / 4000 == pytest.approx(1.0 - 0.5**3, abs=0.03)
    np.testing.assert_allclose(np.isfinite(found.mag).mean(axis=0), 0.5 / 0.875, atol=0.04)
    assert np.nanmedian(found.error) == pytest.approx(np.hypot(0.2, 0.02), rel=0.01)


def test_blended_stars_are_one_source_with_all_the_light():
    pair = stars_at([0.2, 0.2], [0.1, 0.1 + 0.4 / 3600.0], [[15.0, 14.0, 13.0]] * 2)
    pair.mag[1] += 1.0
    found = observe(pair, clean("sirius", **QUIET), 1, EPOCH)
    assert found.identity.tolist() == [1]
    assert found.n_stars.tolist() == [2]
    one, two = (
        observe(pair.take(np.array([k])), clean("sirius", **QUIET), 1, EPOCH) for k in (0, 1)
    )
    flux = [10.0 ** (-0.4 * each.true_mag[0]) for each in (one, two)]
    fraction = flux[0][2] / (flux[0][2] + flux[1][2])
    assert fraction == pytest.approx(1.0 / (1.0 + 10**-0.4), abs=0.05)
    assert found.fraction[0] == pytest.approx(fraction)
    np.testing.assert_allclose(found.true_mag[0], -2.5 * np.log10(flux[0] + flux[1]))
    # Same random numbers, same errors but for the light: the centre has moved to the second star.
    moved = np.hypot((found.ra - one.ra) * np.cos(np.radians(one.dec)), found.dec - one.dec)
    assert 3600.0 * moved[0] == pytest.approx(0.4 * (1.0 - fraction), abs=2e-3)


def test_stars_move_between_the_epochs_of_the_surveys():
    stars = lonely(400, [14.0, 13.0, 12.5], pmra=np.full(400, 300.0), pmdec=np.full(400, -200.0))
    for name in ("2mass", "sirius", "gnc"):
        survey = clean(name, **QUIET, boxes_deg=())
        found = observe(stars, survey, 1, EPOCH)
        years = found.fields.epoch - EPOCH
        assert (years >= survey.instrument.epoch[0] - EPOCH).all()
        east = 3.6e6 * (found.ra - stars.ra) * np.cos(np.radians(stars.dec))
        north = 3.6e6 * (found.dec - stars.dec)
        tolerance = 4.0 * survey.instrument.position_mas / np.sqrt(400)
        assert (east - 300.0 * years).mean() == pytest.approx(0.0, abs=tolerance)
        assert (north + 200.0 * years).mean() == pytest.approx(0.0, abs=tolerance)


def test_saturated_stars_are_too_faint_and_the_brightest_lost():
    survey = clean("vvv", **QUIET)
    found = observe(lonely(300, [11.0, 11.0, 11.0], 60.0), survey, 1, EPOCH)
    assert found.saturated.all()
    assert (found.mag - 11.0).mean() == pytest.approx(0.5, abs=0.05)
    assert not observe(lonely(30, [9.0, 9.0, 9.0], 60.0), survey, 1, EPOCH).key.size


@pytest.mark.parametrize("name", survey_names())
def test_the_order_of_the_stars_does_not_matter(name):
    rng = np.random.default_rng(8)
    n = 3000
    mag = rng.uniform(9.0, 17.0, (n, 1)) + np.array([2.5, 0.8, 0.0])
    stars = stars_at(rng.uniform(0.1, 0.14, n), rng.uniform(-0.1, -0.06, n), mag)
    shuffled = rng.permutation(n)
    one = observe(stars, load_survey(name), 3, EPOCH)
    two = observe(stars.take(shuffled), load_survey(name), 3, EPOCH)
    assert one.key.size > 0
    order_1, order_2 = np.argsort(one.key), np.argsort(two.key)
    np.testing.assert_array_equal(one.key[order_1], two.key[order_2])
    for field in ("mag", "ra", "dec", "fraction", "kind"):
        a, b = getattr(one, field)[order_1], getattr(two, field)[order_2]
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_another_seed_is_another_observation_of_the_same_stars():
    stars = lonely(50, [14.0, 13.0, 12.5])
    one, two = (observe(stars, clean("sirius"), seed, EPOCH) for seed in (1, 2))
    np.testing.assert_array_equal(one.identity, two.identity)
    assert not (one.mag == two.mag).any()


def test_fields_share_their_offsets_and_overlaps_repeat_stars():
    survey = clean("sirius", overlap_arcsec=60.0)
    rng = np.random.default_rng(2)
    l, b = rng.uniform(-0.5, 0.5, (2, 5000))
    row, copy = apparitions(l, b, survey.instrument)
    assert np.bincount(copy, minlength=N_COPIES)[0] == 5000
    fraction = 60.0 / 3600.0 / survey.instrument.field_deg[0]
    assert (copy == 1).sum() / 5000 == pytest.approx(fraction, rel=0.15)
    assert (copy == 3).sum() / 5000 == pytest.approx(fraction**2, rel=0.5)
    fields = fields_of(l[row], b[row], copy, survey.instrument, 1)
    plate, of = np.unique(fields.identity, return_inverse=True)
    assert plate.size > 50
    for values in (fields.zero_point[:, 2], fields.depth, fields.east, fields.epoch):
        first = np.zeros(plate.size)
        first[of] = values
        np.testing.assert_array_equal(first[of], values)
    assert fields.zero_point.std() == pytest.approx(0.03, rel=0.25)
    assert fields.depth.std() == pytest.approx(0.15, rel=0.3)
    assert fields.along_l.min() >= 0.0
    assert fields.along_l.max() <= 3600.0 * survey.instrument.field_deg[0] + 60.0
    # A star that appears twice is in two fields.
    twice = row[copy == 1]
    other = np.isin(row, twice) & (copy == 0)
    assert (fields.identity[other] != fields.identity[copy == 1]).all()


def test_duplicates_have_noise_of_their_own():
    stars = lonely(2500, [14.0, 13.0, 12.5])
    found = observe(stars, clean("sirius", overlap_arcsec=90.0), 1, EPOCH)
    again = np.flatnonzero(found.copy == 1)
    assert again.size > 50
    first = np.searchsorted(found.identity, found.identity[again])
    assert (found.copy[first] == 0).all()
    assert (found.mag[first] != found.mag[again]).all()
    assert (np.abs(found.dec[first] - found.dec[again]) * 3.6e6 < 1000.0).all()


def test_footprints():
    sirius, gaia = (load_survey(name).instrument for name in ("sirius", "gaia"))
    l, b = np.array([0.0, 2.9, 3.1]), np.array([0.0, 0.99, 0.0])
    assert in_footprint(l, b, sirius).tolist() == [True, True, False]
    assert in_footprint(l, b, gaia).all()


def test_ghosts_belong_to_bright_stars():
    survey = load_survey("vvv")
    stars = lonely(400, [10.0, 9.0, 8.0], 100.0)
    found = ghosts(stars, stars.mag[:, 2], survey.instrument, 1)
    mean = survey.instrument.ghosts * 10 ** (0.2 * (survey.instrument.ghost_mag - 8.0))
    assert found.kind.tolist() == [ArtefactKind.GHOST] * found.kind.size
    assert found.kind.size / 400 == pytest.approx(mean, rel=0.05)
    assert np.unique(found.identity).size == found.identity.size
    apart = np.hypot(found.x[:, None] - stars.x, found.y[:, None] - stars.y).min(axis=1)
    assert apart.max() <= FARTHEST_ARCSEC + 1e-6 < BLOCK_MARGIN_ARCSEC
    fainter = np.where(np.isfinite(found.mag), found.mag - stars.mag[0], 5.0)
    assert ((fainter >= 4.0) & (fainter <= 8.0)).all()
    faint = ghosts(stars, np.full(400, 12.0), survey.instrument, 1)
    assert faint.kind.size == 0


def test_noise_peaks_have_one_band_near_the_limit():
    survey = changed("sirius", noise_per_deg2=3e5)
    stars = lonely(900, [14.0, 13.0, 12.0])
    limit = np.broadcast_to(np.array(survey.instrument.limit_mag), (900, 3))
    found = noise_peaks(stars, limit, survey.instrument, 1)
    assert (np.isfinite(found.mag).sum(axis=1) == 1).all()
    area = (30.0 * 15.0 / 3600.0) ** 2
    assert found.kind.size / area == pytest.approx(3e5, rel=0.15)
    seen = observe(stars, survey, 1, EPOCH)
    assert (seen.kind == ArtefactKind.NOISE).sum() > 0.8 * found.kind.size
    single = np.isfinite(seen.mag[(seen.kind == ArtefactKind.NOISE) & (seen.n_stars == 1)]).sum(
        axis=1
    )
    assert (single == 1).all()
