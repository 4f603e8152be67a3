"""Systematic offsets of surveys, and the stars that they are measured with."""

from __future__ import annotations

import numpy as np
import pytest
from small_sky import LOOKS, make_sky
from survey_sources import survey_sources
from uncompiled import uncompile

from gcmock.catalogue.cell.sources import make_sources, stored_columns
from gcmock.catalogue.healpix import centre_of, pixel_of
from gcmock.catalogue.learn.offsets import (
    ORDER,
    SGR_A_MOTION_MASYR,
    OffsetMap,
    bright_sources,
    mean_motion,
    measure_offsets,
)
from gcmock.surveys.definition import load_survey
from gcmock.surveys.source_table import Quality


@pytest.mark.long
def test_offsets_that_were_put_in_are_found():
    sky = make_sky(seed=9, size=0.2)
    bright = {}
    for name, table in sky.tables.items():
        table = table.select(list(stored_columns(load_survey(name))))
        bright[name] = bright_sources(
            make_sources(load_survey(name), table, np.ones(table.num_rows, bool))
        )
    motion = mean_motion(bright)
    np.testing.assert_allclose(motion, (-3.0, -5.5), atol=0.3)
    found = measure_offsets(bright, motion)
    for name in ("2mass", "sirius"):
        record = found[name].record
        np.testing.assert_allclose(record["position_offset_mas"], LOOKS[name].offset_mas, atol=12.0)
    # 2MASS magnitudes of crowded stars are a little too bright.
    np.testing.assert_allclose(
        found["sirius"].record["zero_point_mag"], LOOKS["sirius"].zero_point, atol=0.05
    )
    where = found["sirius"].position.at(np.array([266.9]), np.array([-28.5]))
    np.testing.assert_allclose(where[0] * 1000.0, LOOKS["sirius"].offset_mas, atol=25.0)


def test_offsets_of_one_field_go_over_into_those_of_the_rest():
    place = centre_of(pixel_of(np.array([266.4]), np.array([-29.0]), ORDER), ORDER)
    pixels = pixel_of(*place, ORDER)
    field = OffsetMap(pixels, np.array([[0.1, 0.2], [0.5, 0.6]]))
    np.testing.assert_allclose(field.at(*place), [[0.1, 0.2]])
    np.testing.assert_allclose(field.at(np.array([260.0]), np.array([-25.0])), [[0.5, 0.6]])
    none = OffsetMap(np.empty(0, np.int64), np.array([[0.5, 0.6]]))
    np.testing.assert_array_equal(none.at(np.zeros(3), np.zeros(3)), [[0.5, 0.6]] * 3)


def test_bright_sources_are_neither_saturated_nor_faint():
    ks = [10.9, 11.0, 14.4, 14.5, 12.0, np.nan]
    quality = np.array([0, 0, 0, 0, int(Quality.SATURATED), 0])
    sources = survey_sources("2mass", np.arange(6.0), phot_ks_mag=ks, quality=quality)
    assert bright_sources(sources).ids.to_pylist() == ["2mass-1", "2mass-2"]
    gaia = survey_sources("gaia", np.arange(2.0), phot_g_mag=[17.4, 17.5])
    assert bright_sources(gaia).ids.to_pylist() == ["gaia-0"]


def test_the_mean_motion_is_that_of_measured_stars_or_of_sgr_a():
    def moving(n):
        pm = np.linspace(-4.0, -2.0, n)
        errors = {"pmra_error": 0.1, "pmdec_error": 0.1}
        return {"virac2": survey_sources("virac2", np.arange(n), pmra=pm, pmdec=2 * pm, **errors)}

    np.testing.assert_allclose(mean_motion(moving(21)), (-3.0, -6.0))
    np.testing.assert_array_equal(mean_motion(moving(19)), SGR_A_MOTION_MASYR)


def test_few_common_stars_give_no_offset(monkeypatch):
    uncompile(monkeypatch, "gcmock.catalogue.link.neighbours")
    x = 3.0 * np.arange(19)
    bright = {
        "2mass": survey_sources("2mass", x, phot_ks_mag=13.0),
        "sirius": survey_sources("sirius", x + 0.1, phot_ks_mag=13.0),
    }
    found = measure_offsets(bright, np.zeros(2))
    record = found["2mass"].record | found["sirius"].record
    assert record["position_stars"] == 19
    for one in found.values():
        np.testing.assert_array_equal(one.position.values, [[0.0, 0.0]])
        np.testing.assert_array_equal(one.zero_point.values, [[0.0, 0.0, 0.0]])
