"""Fractions of stars that are detected, by capture and recapture."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.catalogue.healpix import pixel_area_arcsec2
from gcmock.catalogue.learn.completeness import (
    COMPLETENESS_FILE,
    MERGED,
    N_BINS,
    load_completeness,
    measure_completeness,
)
from gcmock.catalogue.order import linking_order, names_of
from gcmock.errors import InputError
from gcmock.frames import icrs_to_galactic
from gcmock.settings.merge import MergeConfig, SurveyInput
from gcmock.words.bands import KS, SURVEY_BANDS

CONFIG = MergeConfig(
    survey=tuple(SurveyInput(name=name, path=name) for name in ("virac2", "2mass", "gaia"))
)
ORDER = names_of(linking_order(CONFIG))
RA, DEC = 266.4, -29.0
BIN = 12
"""The bin of Ks = 12.1, from 12.0 to 12.5."""


def chunk_of(ra, both, only_virac2, only_2mass):
    """Stars of Ks = 12.1 at one place, by the surveys that have them in Ks."""
    virac2, tmass = (1 << (3 * ORDER.index(name) + KS) for name in ("virac2", "2mass"))
    bits = np.repeat([virac2 | tmass, virac2, tmass], [both, only_virac2, only_2mass])
    n = len(bits)
    chunk = {"ra": np.full(n, ra), "dec": np.full(n, DEC), "detections": bits.astype(np.int32)}
    chunk |= {f"phot_{band}_mag": np.full(n, np.nan) for band in SURVEY_BANDS}
    return chunk | {"phot_ks_mag": np.full(n, 12.1)}


@pytest.fixture(scope="module")
def measured():
    return measure_completeness([chunk_of(RA, 40, 20, 6), chunk_of(RA, 20, 0, 4)], CONFIG)


def test_each_survey_is_judged_by_the_stars_of_the_other(measured):
    assert measured.surveys == ("virac2", "2mass", MERGED)
    here = measured.value[:, KS, 0, BIN]
    virac2, tmass = 60 / 70, 60 / 80
    np.testing.assert_allclose(here, [virac2, tmass, 1 - (1 - virac2) * (1 - tmass)])
    np.testing.assert_array_equal(measured.sample[:2, KS, 0, BIN], [70, 80])
    np.testing.assert_array_equal(measured.found[:2, KS, 0, BIN], [60, 60])
    assert np.isnan(measured.value[:, :KS]).all()
    area = pixel_area_arcsec2(measured.order) / 3600.0**2
    np.testing.assert_allclose(measured.density, 90 / area)


def test_small_pixels_are_drawn_to_the_whole_window():
    found = measure_completeness([chunk_of(RA, 100, 0, 0), chunk_of(RA + 2, 1, 1, 0)], CONFIG)
    row = 0 if found.sample[1, KS, 0, BIN] == 2 else 1
    prior, mean = CONFIG.completeness.prior_stars, 101 / 102
    assert found.value[1, KS, 2, BIN] == pytest.approx(mean)
    assert found.value[1, KS, row, BIN] == pytest.approx((1 + prior * mean) / (2 + prior))


def test_a_pixel_that_a_survey_has_not_looked_at_has_none():
    found = measure_completeness([chunk_of(RA, 100, 0, 0), chunk_of(RA + 2, 0, 50, 0)], CONFIG)
    row = 0 if found.found[1, KS, 0, BIN] == 0 else 1
    assert found.value[1, KS, row, BIN] == 0.0


def test_the_probability_between_bins_and_beyond_them(measured):
    merged = measured.value[2, KS, 0, BIN]
    mag = np.array([8.0, 12.25, 12.5, 12.75, np.nan])
    l_deg, b_deg = (np.repeat(one, 5) for one in icrs_to_galactic(np.array([RA]), np.array([DEC])))
    found = measured.probability(l_deg, b_deg, mag)
    np.testing.assert_allclose(found, [merged, merged, merged / 2, 0.0, 0.0])
    # Where there is no star, the whole window counts.
    away = measured.probability(l_deg + 3.0, b_deg, mag, survey="2mass")
    np.testing.assert_allclose(away[:2], 60 / 80)
    with pytest.raises(InputError, match="no completeness of 'vvv' in 'ks': the map has the surv"):
        measured.probability(l_deg, b_deg, mag, survey="vvv")
    with pytest.raises(InputError, match="in j, h, ks"):
        measured.probability(l_deg, b_deg, mag, band="hw")


def test_a_map_comes_back_as_it_was_written(measured, tmp_path):
    measured.write(tmp_path / COMPLETENESS_FILE, {"config": "settings"})
    again = load_completeness(tmp_path)
    assert (again.order, again.surveys) == (measured.order, measured.surveys)
    assert again.value.shape == (3, 3, 2, N_BINS)
    for name in ("pixels", "value", "density"):
        np.testing.assert_array_equal(getattr(again, name), getattr(measured, name))
    known = np.isfinite(measured.value)
    np.testing.assert_array_equal(again.sample[known], measured.sample[known])
    np.testing.assert_array_equal(again.found[known], measured.found[known])


def test_a_map_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file; gcmock merge writes it"):
        load_completeness(tmp_path)
