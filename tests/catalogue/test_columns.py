"""Columns of the merged catalogue and of what was left out, and the account of a cell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from survey_sources import survey_sources
from uncompiled import uncompile

from gcmock.catalogue.cell.merging import merge_cell
from gcmock.catalogue.cell.pilot import merge_cell_pilot
from gcmock.catalogue.cell.reasons import REAL_LOOKING
from gcmock.catalogue.columns import (
    cell_product,
    check_account,
    merged_columns,
    rejected_columns,
    star_ids,
)
from gcmock.catalogue.order import packaged_order
from gcmock.gaia_zero_point import ZERO_POINT_COLUMNS
from gcmock.settings.merge import MatchConfig, MergeConfig, SurveyInput
from gcmock.surveys.source_table import Quality
from gcmock.words.columns import INPUT_COLUMNS
from gcmock.words.flags import MatchFlag


def test_columns_are_those_of_an_input_and_more():
    order = packaged_order()
    names = [column.name for column in merged_columns(order)]
    assert len(set(names)) == len(names)
    # A merged star is an input as it is, without what says the same in another way.
    other_ways = {"photometric_quality", "pml", "pml_error", "pmb", "pmb_error"}
    other_ways |= {*ZERO_POINT_COLUMNS}
    assert {column.name for column in INPUT_COLUMNS} - set(names) == other_ways
    # The same column has the same unit in both.
    units = {column.name: column.unit for column in INPUT_COLUMNS}
    assert all(units.get(one.name, one.unit) == one.unit for one in merged_columns(order))
    assert {one.id_column for one in order} <= set(names)
    assert [column.name for column in rejected_columns(order)] == [*names, "rejected"]


def test_star_ids_are_positive_and_belong_to_a_survey():
    ids = pa.array([str(k) for k in range(1000)])
    virac2, tmass = star_ids("virac2", ids), star_ids("2mass", ids)
    assert len({*virac2.tolist(), *tmass.tolist()}) == 2000
    assert min(virac2.min(), tmass.min()) >= 0
    np.testing.assert_array_equal(star_ids("virac2", ids.take(pa.array([7]))), virac2[[7]])


def test_an_account_adds_up_or_says_by_how_much_not():
    account = {"read": 10, "linked": 6, "too_faint": 3}
    assert check_account("2mass", account) == 1
    assert check_account("2mass", account | {"blend": 1}) == 0
    with pytest.raises(ValueError, match=r"2mass: unknown entries \['lost'\]"):
        check_account("2mass", account | {"lost": 1})


@pytest.fixture
def product(monkeypatch):
    """Two surveys by the simple rule: one star of both, one of each, and one that is too faint."""
    uncompile(monkeypatch, "gcmock.catalogue.link.neighbours", "gcmock.catalogue.cell.pilot")
    config = MergeConfig(
        survey=(
            SurveyInput(name="virac2", path="-", faint_ks_mag=15.0),
            SurveyInput(name="2mass", path="+"),
        ),
        match=MatchConfig(rule="pilot2023"),
    )
    ks = np.array([12.0, 13.0, 17.0])
    error = {"phot_h_mag_error": 0.02, "phot_ks_mag_error": 0.02}
    virac2 = survey_sources("virac2", [0.0, 9.0, 20.0], phot_ks_mag=ks, phot_h_mag=ks + 1, **error)
    tmass = survey_sources("2mass", [0.2, 40.0], phot_ks_mag=12.0, phot_h_mag=13.0, **error)
    return cell_product(merge_cell_pilot({"virac2": virac2, "2mass": tmass}, config), config)


def test_every_source_of_a_cell_is_in_its_account(product):
    assert product.account == {
        "stars": {"linked": 3},
        "virac2": {"linked": 2, "too_faint": 1},
        "2mass": {"linked": 2},
    }
    names = [column.name for column in merged_columns(product.order)]
    assert list(product.kept) == names
    assert list(product.rejected) == [*names, "rejected"]
    assert product.rejected["rejected"].tolist() == ["too_faint"]
    assert product.rejected["virac2_source_id"].tolist() == ["virac2-2"]


def test_sources_that_look_like_stars_are_counted_when_they_are_left_out(knowledge):
    config = MergeConfig(survey=(SurveyInput(name="2mass", path="-"),))
    error = {"phot_h_mag_error": 0.02, "phot_ks_mag_error": 0.02}
    quality = np.array([0, int(Quality.EXTENDED)], np.int32)
    mag = {"phot_ks_mag": 12.0, "phot_h_mag": 13.0, "quality": quality}
    tmass = survey_sources("2mass", [0.0, 40.0], **mag, **error)
    found = cell_product(merge_cell({"2mass": tmass}, knowledge, config), config)
    assert found.account["2mass"] == {"linked": 1, "extended": 1}
    assert found.account[REAL_LOOKING] == {"2mass: extended": 1}


def test_rows_name_the_sources_that_they_are_from(product):
    kept = product.kept
    assert kept["virac2_source_id"].tolist() == ["virac2-0", "virac2-1", ""]
    assert kept["tmass_source_id"].tolist() == ["2mass-0", "", "2mass-1"]
    own = star_ids("virac2", pa.array(["virac2-0", "virac2-1"]))
    np.testing.assert_array_equal(kept["source_id"][:2], own)
    assert kept["position_source"].tolist() == ["virac2", "virac2", "2mass"]
    alone = kept["match_flags"] & MatchFlag.SINGLE_SURVEY != 0
    np.testing.assert_array_equal(alone, [False, True, True])
    np.testing.assert_array_equal(kept["match_probability"], 1.0)
    # Without J there is no Hw, and no survey that it is from.
    assert np.isnan(kept["phot_hw_mag"]).all()
    assert set(kept["phot_hw_mag_source"]) == {""}
