"""The merged list while it grows."""

from __future__ import annotations

import numpy as np
from survey_sources import survey_sources

from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.order import names_of, packaged_order

ORDER = names_of(packaged_order())
VIRAC2, TMASS = ORDER.index("virac2"), ORDER.index("2mass")


def begun(**columns):
    """A list of two stars that VIRAC2 began."""
    virac2 = survey_sources("virac2", [0.0, 5.0, 9.0], phot_ks_mag=[12.0, 13.0, 14.0], **columns)
    stars = no_stars(packaged_order())
    stars.add(VIRAC2, virac2, np.array([0, 2]))
    return stars, virac2


def test_a_star_begins_with_one_certain_source():
    assert len(no_stars(packaged_order())) == 0
    stars, virac2 = begun()
    assert len(stars) == 2
    np.testing.assert_array_equal(stars.link[:, VIRAC2], [0, 2])
    assert (np.delete(stars.link, VIRAC2, axis=1) == -1).all()
    np.testing.assert_array_equal(stars.probability[:, VIRAC2], 1.0)
    assert np.isnan(np.delete(stars.probability, VIRAC2, axis=1)).all()
    np.testing.assert_array_equal(stars.side.ra, virac2.side.ra[[0, 2]])
    np.testing.assert_array_equal(stars.primary, VIRAC2)
    np.testing.assert_array_equal(stars.position_from, VIRAC2)


def attach(stars, sources, blended=False):
    stars.attach(TMASS, sources, np.array([0]), np.array([0]), np.array([0.8]), np.array([blended]))


def test_the_better_position_is_taken_over_with_its_epoch():
    stars, virac2 = begun()
    worse = survey_sources("2mass", [0.1], ra_error=80.0, dec_error=80.0, ref_epoch=2000.0)
    attach(stars, worse)
    assert stars.position_from[0] == VIRAC2
    assert stars.side.ra[0] == virac2.side.ra[0]
    stars, _ = begun(ra_error=500.0, dec_error=500.0)
    attach(stars, worse)
    np.testing.assert_array_equal(stars.position_from, [TMASS, VIRAC2])
    assert stars.side.ra[0] == worse.side.ra[0]
    assert stars.side.epoch[0] == 2000.0
    assert (stars.link[0, TMASS], stars.probability[0, TMASS]) == (0, 0.8)


def test_a_blended_magnitude_only_fills_a_gap():
    fine = {"phot_ks_mag_error": 0.001, "phot_j_mag_error": 0.001}
    other = survey_sources("2mass", [0.1], phot_ks_mag=11.8, phot_j_mag=14.0, **fine)
    stars, virac2 = begun(phot_ks_mag_error=0.5)
    attach(stars, other, blended=True)
    assert stars.blended[0, TMASS]
    assert stars.side.mag[0, 2] == virac2.side.mag[0, 2]
    assert stars.side.mag[0, 0] == 14.0
    stars, _ = begun(phot_ks_mag_error=0.5)
    attach(stars, other)
    assert stars.side.mag[0, 2] == 11.8
    assert stars.side.mag_error[0, 2] == other.side.mag_error[0, 2]


def test_a_motion_is_taken_over_if_there_is_none():
    stars, _ = begun()
    gaia = survey_sources(
        "gaia", [0.0], pmra=-3.0, pmdec=-5.0, pmra_error=0.1, pmdec_error=0.1, phot_g_mag=16.0
    )
    number = ORDER.index("gaia")
    stars.attach(number, gaia, np.array([1]), np.array([0]), np.ones(1), np.zeros(1, bool))
    assert np.isnan(stars.side.motion[0]).all()
    np.testing.assert_allclose(stars.side.motion[1], (-0.003, -0.005))
    np.testing.assert_array_equal(stars.side.g_mag, [np.nan, 16.0])
