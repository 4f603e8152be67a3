"""Proper motions and parallaxes of simulated surveys: the stated errors are the true ones."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_sky import clean, lonely

from gcmock.mock.survey import SurveyModel
from gcmock.surveys.simulated.astrometry import (
    correlated,
    gaia_astrometry,
    virac2_astrometry,
    virac2_errors,
)
from gcmock.surveys.simulated.observe import observe

EPOCH = 2016.0


def test_virac2_errors_are_those_quoted():
    motion, position = virac2_errors(np.array([11.0, 12.5, 14.0, 16.0, 15.0, 10.0, 30.0]))
    assert motion == pytest.approx([0.37, 0.37, 0.37, 1.5, np.sqrt(0.37 * 1.5), 0.74, 30.0])
    assert position[:4] == pytest.approx([1.0, 1.0, 1.0, 5.0])


def test_virac2_solutions_have_the_stated_errors_but_for_the_bad_ones():
    n = 4000
    stars = lonely(n, [15.0, 13.5, 13.0], pmra=np.full(n, -3.0), parallax=np.full(n, 0.12))
    found = observe(stars, clean("virac2", overlap_arcsec=0.0), 1, EPOCH)
    got = virac2_astrometry(found, np.full(n, 200.0))
    good = got["ruwe"] < 1.5
    assert 1.0 - good.mean() == pytest.approx(0.03, abs=0.01)
    for name, truth in (("pmra", -3.0), ("pmdec", 0.0), ("parallax", 0.12)):
        pull = (got[name] - truth) / got[f"{name}_error"]
        assert pull[good].std() == pytest.approx(1.0, abs=0.04)
        assert pull[~good].std() == pytest.approx(3.0, rel=0.2)
    few = virac2_astrometry(found, np.full(n, 5.0))
    assert np.isnan(few["pmra"]).all()
    assert (few["astrometric_params"] == 2).all()


def test_correlated_numbers():
    rng = np.random.default_rng(0)
    rho = np.broadcast_to([0.4, -0.3, 0.2], (200_000, 3))
    got = np.corrcoef(correlated(rng.standard_normal((200_000, 3)), rho).T)
    assert got[np.triu_indices(3, 1)] == pytest.approx([0.4, -0.3, 0.2], abs=0.01)


def test_gaia_solutions():
    n = 4000
    # J - Ks = 0.4: G = 17 and 20.5.
    for j_mag, fraction in ((16.0, 0.02), (19.5, 0.27)):
        stars = lonely(n, [j_mag, j_mag - 0.3, j_mag - 0.4], parallax=np.full(n, 1.0))
        found = observe(stars, clean("gaia"), 1, EPOCH)
        got = gaia_astrometry(found, -0.03, SurveyModel())
        missing = np.isnan(got["parallax"])
        assert missing.mean() == pytest.approx(fraction, abs=0.03)
        assert (got["astrometric_params_solved"][missing] == 3).all()
        assert np.isnan(got["pmra"][missing]).all()
        good = ~missing & (got["ruwe"] < 1.5)
        pull = ((got["parallax"] - 0.97) / got["parallax_error"])[good]
        assert pull.std() == pytest.approx(1.0, abs=0.04)
        assert pull.mean() == pytest.approx(0.0, abs=0.06)
        six = got["astrometric_params_solved"] == 95
        np.testing.assert_array_equal(six, np.isfinite(got["pseudocolour"]))
