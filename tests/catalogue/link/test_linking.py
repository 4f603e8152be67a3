"""Links of a survey to the merged list, in plain Python."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from survey_sources import survey_sources
from uncompiled import uncompile

from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.link.likelihood import N_PATTERNS
from gcmock.catalogue.link.linking import (
    FIRST_MAG,
    N_MAG,
    STEP_MAG,
    default_rates,
    explained_fraction,
    explained_stars,
    field_of,
    finest_fwhm,
    link,
    magnitude_bin,
    moved,
    rank_mag,
)
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.settings.merge import MatchConfig
from gcmock.surveys.definition import load_survey

ORDER = names_of(packaged_order())
VIRAC2, TMASS = ORDER.index("virac2"), ORDER.index("2mass")
FIELD = field_of(MatchConfig(), np.array([-3.0, -5.5]))


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    uncompile(
        monkeypatch,
        "gcmock.catalogue.link.neighbours",
        "gcmock.catalogue.link.likelihood",
        "gcmock.catalogue.link.linking",
        "gcmock.catalogue.link.assignment",
    )


def list_of(sources):
    stars = no_stars(packaged_order())
    stars.add(ORDER.index(sources.survey.name), sources, np.arange(len(sources)))
    return stars


def test_the_reddest_magnitude_counts():
    sources = survey_sources(
        "2mass", [0.0, 3.0, 6.0], phot_j_mag=14.0, phot_ks_mag=[12.0, np.nan, np.nan],
        phot_h_mag=[13.0, 13.5, np.nan],
    )  # fmt: skip
    np.testing.assert_array_equal(rank_mag(sources.side), [12.0, 13.5, 14.0])
    gaia = survey_sources("gaia", [0.0], phot_g_mag=17.0)
    np.testing.assert_array_equal(rank_mag(gaia.side), [17.0])


def test_bins_of_magnitude_end_at_both_sides():
    mag = FIRST_MAG + STEP_MAG * np.array([-5.0, 0.5, 3.5, 1000.0])
    np.testing.assert_array_equal(magnitude_bin(mag), [0, 0, 3, N_MAG - 1])
    np.testing.assert_array_equal(magnitude_bin(np.array([np.nan])), [N_MAG - 1])


def test_stars_move_by_their_own_motion_or_that_of_the_field():
    side = survey_sources(
        "virac2", [0.0, 3.0], pmra=[10.0, np.nan], pmdec=[20.0, np.nan],
        pmra_error=1.0, pmdec_error=1.0,
    ).side  # fmt: skip
    ra, dec = moved(side, 2024.0, FIELD)
    east = (ra - side.ra) * np.cos(np.radians(side.dec)) * 3600.0
    np.testing.assert_allclose(east, [0.1, -0.03], atol=1e-8)
    np.testing.assert_allclose((dec - side.dec) * 3600.0, [0.2, -0.055], atol=1e-8)


def linked(stars, sources):
    density = SimpleNamespace(
        log_density=lambda ra, dec, mag, g: np.full((len(ra), N_PATTERNS), np.log(0.01))
    )
    return link(stars, sources, density, default_rates(), FIELD, 1.0, 0.5)


def test_close_sources_of_like_magnitude_are_linked():
    stars = list_of(survey_sources("virac2", [0.0, 5.0, 20.0], phot_ks_mag=[12.0, 13.0, 12.5]))
    sources = survey_sources(
        "2mass", [0.05, 5.1, 40.0], phot_ks_mag=[12.0, 13.0, 12.0], ra_error=60.0, dec_error=60.0
    )
    found = linked(stars, sources)
    np.testing.assert_array_equal(found.star, [0, 1])
    np.testing.assert_array_equal(found.source, [0, 1])
    assert (found.probability > 0.95).all()
    np.testing.assert_array_equal(found.rival[2:], 0.0)
    np.testing.assert_allclose(found.rival[:2], found.probability)
    assert not found.blended.any()
    np.testing.assert_allclose(found.fraction, 1.0, atol=0.01)


def test_nothing_is_linked_to_nothing():
    sources = survey_sources("2mass", [0.0, 5.0], phot_ks_mag=12.0)
    found = linked(no_stars(packaged_order()), sources)
    assert len(found.star) == len(found.fraction) == 0
    np.testing.assert_array_equal(found.rival, [0.0, 0.0])


def test_finer_stars_explain_the_light_of_a_coarse_source():
    epoch = load_survey("2mass").ref_epoch
    fine = survey_sources("virac2", [0.0, 0.0, 9.0], phot_ks_mag=13.0, ref_epoch=epoch)
    stars = list_of(fine)
    np.testing.assert_array_equal(finest_fwhm(stars), load_survey("virac2").merge.fwhm_arcsec)
    coarse = survey_sources("2mass", [0.0, 30.0], phot_ks_mag=12.0)
    fraction = explained_fraction(coarse, np.arange(2), stars, FIELD)
    light = (10.0 ** (-0.4 * (fine.side.mag[:2, 2] - 12.0))).sum()
    np.testing.assert_allclose(fraction, [light, 0.0], rtol=1e-6)
    # Stars on images as coarse as its own say nothing.
    same = list_of(survey_sources("2mass", [0.0], phot_ks_mag=12.0))
    np.testing.assert_array_equal(explained_fraction(coarse, np.arange(2), same, FIELD), [0.0, 0.0])


def test_a_coarse_star_that_finer_ones_explain_is_no_star():
    stars = list_of(survey_sources("virac2", [0.0, 0.4], phot_ks_mag=12.75))
    coarse = survey_sources("2mass", [0.2, 30.0], phot_ks_mag=12.0)
    stars.add(TMASS, coarse, np.arange(2))
    np.testing.assert_array_equal(explained_stars(stars, FIELD, 0.7), [False, False, True, False])
    assert not explained_stars(stars, FIELD, 1.5).any()
    assert len(explained_stars(no_stars(packaged_order()), FIELD, 0.7)) == 0
