"""The simple rule of the pilot catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from survey_sources import survey_sources
from uncompiled import uncompile

from gcmock.catalogue.cell.pilot import merge_cell_pilot
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.settings.merge import MergeConfig, SurveyInput

ORDER = names_of(packaged_order())
VIRAC2, TMASS = ORDER.index("virac2"), ORDER.index("2mass")


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    uncompile(monkeypatch, "gcmock.catalogue.link.neighbours", "gcmock.catalogue.cell.pilot")


def merged(x_virac2, ks_virac2, x_2mass, ks_2mass, **limits):
    config = MergeConfig(
        survey=(
            SurveyInput(name="virac2", path="virac2", **limits),
            SurveyInput(name="2mass", path="2mass"),
        )
    )
    cell = {
        "virac2": survey_sources("virac2", x_virac2, phot_ks_mag=ks_virac2),
        "2mass": survey_sources("2mass", x_2mass, phot_ks_mag=ks_2mass),
    }
    return merge_cell_pilot(cell, config)


def test_the_nearest_pair_within_an_arcsecond_is_one_star():
    stars = merged([0.0, 0.8, 20.0], [12.0, 12.0, 12.0], [0.3, 21.2], [12.0, 12.0]).stars
    assert len(stars) == 4
    np.testing.assert_array_equal(stars.link[:, VIRAC2], [0, 1, 2, -1])
    np.testing.assert_array_equal(stars.link[:, TMASS], [0, -1, -1, 1])
    assert stars.probability[0, TMASS] == 1.0


def test_magnitudes_that_differ_by_two_are_two_stars():
    assert len(merged([0.0], [12.0], [0.1], [13.8]).stars) == 1
    assert len(merged([0.0], [12.0], [0.1], [14.3]).stars) == 2


def test_what_has_no_magnitude_or_is_too_faint_is_left_out():
    cell = merged([0.0, 5.0, 9.0], [12.0, np.nan, 17.0], [0.0], [12.0], faint_ks_mag=15.0)
    assert len(cell.stars) == 1
    sources, why = cell.removed[VIRAC2]
    assert sources.ids.to_pylist() == ["virac2-1", "virac2-2"]
    assert why.tolist() == ["no_magnitude", "too_faint"]
    assert cell.core.all()
    assert (cell.reason == "").all()
