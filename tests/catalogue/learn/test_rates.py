"""Fractions of stars that have a partner, and the relation of G."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.cell.sources import make_sources
from gcmock.catalogue.learn import rates
from gcmock.catalogue.learn.rates import fit_g_relation
from gcmock.catalogue.order import packaged_order
from gcmock.surveys.definition import load_survey


def test_relation_of_g_is_found_among_outliers():
    """G - J = 0.4 + 2.2 (J - Ks), with one in ten anywhere."""
    rng = np.random.default_rng(4)
    n = 400
    ks, colour = rng.uniform(11, 14, n), rng.uniform(0.5, 4.0, n)
    g_mag = ks + colour + 0.4 + 2.2 * colour + rng.normal(0, 0.3, n)
    g_mag[:40] = rng.uniform(14, 21, 40)
    where = np.zeros(n)
    common = {"source_id": [str(k) for k in range(n)], "ra": 266.0 + np.arange(n) / 3600.0}
    common |= {"dec": where - 29.0, "ref_epoch": where + 2016.0}
    common |= {"n_epochs": np.ones(n, np.int32), "quality": np.zeros(n, np.int32)}
    infrared = pa.table(common | {"phot_j_mag": ks + colour, "phot_ks_mag": ks})
    every = np.ones(n, bool)
    surveys = {
        0: make_sources(load_survey("virac2"), infrared, every),
        1: make_sources(load_survey("gaia"), pa.table(common | {"phot_g_mag": g_mag}), every),
    }
    stars = no_stars(packaged_order())
    stars.add(0, surveys[0], np.arange(n))
    stars.link[:, 1], stars.probability[:, 1] = np.arange(n), 1.0
    j_mag, _, ks_mag = surveys[0].side.mag.T
    offset, slope, scatter = fit_g_relation(stars, surveys)
    away = g_mag[40:] - j_mag[40:] - offset - slope * (j_mag - ks_mag)[40:]
    assert abs(np.median(away)) < 0.06
    assert slope == pytest.approx(2.2, abs=0.15)
    assert scatter == pytest.approx(0.33, abs=0.08)
    stars.probability[:, 1] = 0.5
    assert fit_g_relation(stars, surveys) is None


def test_fractions_are_drawn_to_the_mean_where_there_are_few():
    whole = np.array([3] * 100 + [5] * 4)
    some = np.array([3] * 80 + [5])
    fraction = rates._fraction(some, whole)
    mean = 82.0 / 106.0
    assert fraction[3] == pytest.approx((80 + 4 * mean) / 104)
    assert fraction[5] == pytest.approx((1 + 4 * mean) / 8)
    np.testing.assert_allclose(np.delete(fraction, [3, 5]), mean)
    nobody = np.empty(0, np.int64)
    np.testing.assert_allclose(rates._fraction(nobody, nobody), 0.5)
    # Nothing is ever certain.
    assert rates._fraction(np.full(999, 3), np.full(999, 3)).max() == 0.98


def test_the_depth_is_that_of_its_place_or_of_its_magnitude():
    n = 200
    found = np.arange(n) % 2 == 0
    place = np.zeros(n, np.int64), np.where(found, 0, 4), np.full(n, 7)
    depth = rates._depth(place, found)
    assert depth[0, 0, 7] == pytest.approx((100 + 4 * depth[1, 0, 7]) / 104)
    assert depth[0, 4, 7] == pytest.approx(4 * depth[1, 0, 7] / 104)
    assert depth[1, 0, 7] == pytest.approx(0.5, abs=0.01)
