from __future__ import annotations

import numpy as np
import pytest
from small_sky import table_of, to_sky

from gcmock.catalogue.cell.astrometry import attach_astrometry
from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.cell.sources import make_sources, stored_columns
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.gaia_zero_point import parallax_zero_point
from gcmock.surveys.definition import load_survey

ORDER = names_of(packaged_order())


def one_source(survey, **values):
    ra, dec = to_sky(np.array([10.0]), np.array([10.0]))
    columns = {"source_id": ["a"], "ra": ra, "dec": dec, "ref_epoch": 2016.0, "ruwe": 1.0}
    columns |= {"pmra": -3.0, "pmdec": -5.0, "parallax": 0.3, "phot_ks_mag": 12.0}
    table = table_of(columns | values, 1).select(list(stored_columns(load_survey(survey))))
    return make_sources(load_survey(survey), table, np.ones(1, bool))


def attached(gaia, virac2):
    stars = no_stars(packaged_order())
    surveys = {ORDER.index("virac2"): virac2, ORDER.index("gaia"): gaia}
    stars.add(0, virac2, np.zeros(1, np.int64))
    stars.link[0, 1] = 0
    found = attach_astrometry(stars, surveys)
    return found, ORDER[found.origin[0]]


def errors(value):
    return {f"{name}_error": value for name in ("pmra", "pmdec", "parallax")}


def test_the_smaller_error_wins():
    gaia = one_source("gaia", radial_velocity=12.0, **errors(0.1))
    found, origin = attached(gaia, one_source("virac2", pmra=-3.3, **errors(0.5)))
    assert origin == "gaia"
    assert found.columns["pmra"][0] == -3.0
    gaia = one_source("gaia", radial_velocity=12.0, **errors(0.9))
    found, origin = attached(gaia, one_source("virac2", pmra=-3.3, **errors(0.5)))
    assert origin == "virac2"
    assert found.columns["pmra"][0] == -3.3
    assert found.columns["radial_velocity"][0] == 12.0
    assert not found.zero_point[0]


def test_a_bad_fit_loses():
    gaia = one_source("gaia", ruwe=3.0, **errors(0.1))
    assert attached(gaia, one_source("virac2", **errors(0.5)))[1] == "virac2"
    both_bad = one_source("virac2", ruwe=5.0, **errors(0.5))
    assert attached(gaia, both_bad)[1] == "gaia"


def test_positions_without_motions_give_none():
    gaia = one_source("gaia", pmra=np.nan, pmdec=np.nan, parallax=np.nan)
    assert attached(gaia, one_source("virac2", **errors(0.5)))[1] == "virac2"


def test_the_zero_point_of_gaia():
    pytest.importorskip("zero_point", reason="gaiadr3-zeropoint is not installed")
    gaia = one_source(
        "gaia",
        phot_g_mag=15.0,
        nu_eff_used_in_astrometry=1.4,
        ecl_lat=-5.0,
        astrometric_params_solved=31,
        **errors(0.05),
    )
    result, _ = attached(gaia, one_source("virac2", **errors(0.5)))
    shift = parallax_zero_point(
        np.array([15.0]), np.array([1.4]), np.array([np.nan]), np.array([-5.0]), np.array([31.0])
    )
    assert result.zero_point[0]
    assert result.columns["parallax"][0] == pytest.approx(0.3 - shift[0])


def test_no_zero_point_without_its_inputs():
    result, _ = attached(one_source("gaia", **errors(0.05)), one_source("virac2", **errors(0.5)))
    assert not result.zero_point[0]
    assert result.columns["parallax"][0] == 0.3
