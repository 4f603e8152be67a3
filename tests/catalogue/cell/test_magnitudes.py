from __future__ import annotations

import numpy as np
import pytest
from small_sky import table_of, to_sky

from gcmock.catalogue.cell.magnitudes import choose_magnitudes
from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.cell.sources import make_sources, stored_columns
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.photometric_systems import to_2mass
from gcmock.settings.merge import MergePhotometryConfig
from gcmock.stars.bands import load_relation
from gcmock.surveys.definition import load_survey
from gcmock.surveys.source_table import Quality
from gcmock.words.flags import MatchFlag

ORDER = names_of(packaged_order())


def sources_of(survey, mag, error=0.02, quality=0):
    """One source of a survey with J, H, Ks."""
    ra, dec = to_sky(np.array([10.0]), np.array([10.0]))
    columns = {"source_id": ["a"], "ra": ra, "dec": dec, "ref_epoch": 2010.0}
    columns |= {"n_epochs": 1, "quality": quality}
    for band, value in zip(("j", "h", "ks"), mag, strict=True):
        columns |= {f"phot_{band}_mag": value, f"phot_{band}_mag_error": error}
    table = table_of(columns, 1).select(list(stored_columns(load_survey(survey))))
    return make_sources(load_survey(survey), table, np.ones(1, bool))


def chosen(surveys, config=None, **options):
    """Magnitudes of one star that these surveys have."""
    stars = no_stars(packaged_order())
    numbers = {ORDER.index(name): sources for name, sources in surveys.items()}
    first = min(numbers)
    stars.add(first, numbers[first], np.zeros(1, np.int64))
    for number in numbers:
        stars.link[0, number] = 0
    for name in options.pop("blended", ()):
        stars.blended[0, ORDER.index(name)] = True
    found = choose_magnitudes(stars, numbers, config or MergePhotometryConfig(), **options)
    return found, [ORDER[k] if k >= 0 else "" for k in found.origin[0]]


def test_the_smallest_error_wins_among_those_that_can_be_trusted():
    surveys = {
        "virac2": sources_of("virac2", (16.0, 14.0, 13.2), 0.01),
        "sirius": sources_of("sirius", (16.0, 14.0, 13.2), 0.05),
    }
    found, origin = chosen(surveys)
    assert origin == ["virac2"] * 3
    expected = to_2mass("vista", [[16.0, 14.0, 13.2]])[0][0]
    np.testing.assert_allclose(found.mag[0], expected)


def test_saturated_stars_come_from_2mass():
    """VIRAC2 gives too faint a magnitude with a tiny error; that of 2MASS shows it."""
    surveys = {
        "virac2": sources_of("virac2", (13.5, 12.4, 11.9), 0.005),
        "2mass": sources_of("2mass", (12.9, 10.6, 9.5), 0.03),
    }
    found, origin = chosen(surveys)
    assert origin == ["virac2", "2mass", "2mass"]
    assert not found.flags[0] & MatchFlag.SATURATED
    lone, origin = chosen({"virac2": sources_of("virac2", (10.0, 9.8, 9.5), 0.005)})
    assert origin == ["virac2"] * 3
    assert lone.flags[0] & MatchFlag.SATURATED


def test_faint_stars_do_not_come_from_2mass():
    surveys = {
        "2mass": sources_of("2mass", (16.5, 14.6, 13.9), 0.02),
        "sirius": sources_of("sirius", (16.5, 14.7, 14.0), 0.06),
    }
    assert chosen(surveys)[1] == ["sirius"] * 3
    bright = {
        name: sources_of(name, (12.0, 11.2, 10.9), 0.02 + 0.03 * (name == "sirius"))
        for name in surveys
    }
    assert chosen(bright)[1] == ["2mass"] * 3


def test_doubtful_bands_come_from_another_survey_if_there_is_one():
    """The flag is of a band: the others of the same survey are as good as ever."""
    mark = int(Quality.DOUBTFUL_H)
    surveys = {
        "2mass": sources_of("2mass", (12.0, 11.2, 10.9), 0.02, mark),
        "sirius": sources_of("sirius", (12.0, 11.2, 10.9), 0.05),
    }
    found, origin = chosen(surveys)
    assert origin == ["2mass", "sirius", "2mass"]
    assert not found.flags[0] & MatchFlag.DOUBTFUL
    found, origin = chosen({"2mass": surveys["2mass"]})
    assert origin == ["2mass"] * 3
    assert found.flags[0] & MatchFlag.DOUBTFUL
    everywhere = sources_of("2mass", (12.0, 11.2, 10.9), 0.02, int(Quality.ON_EXTENDED))
    assert chosen({"2mass": everywhere, "sirius": surveys["sirius"]})[1] == ["sirius"] * 3


def test_blended_magnitudes_are_the_last_choice():
    surveys = {
        "2mass": sources_of("2mass", (13.0, 11.9, 11.4), 0.01),
        "sirius": sources_of("sirius", (13.1, 12.0, 11.5), 0.08),
    }
    assert chosen(surveys, blended=("2mass",))[1] == ["sirius"] * 3
    found, origin = chosen({"2mass": surveys["2mass"]}, blended=("2mass",))
    assert origin == ["2mass"] * 3
    assert found.flags[0] & MatchFlag.BLENDED
    assert chosen(surveys, blended=("2mass",), smallest_error=True)[1] == ["2mass"] * 3


def test_marks_of_the_survey_count():
    marked = sources_of("sirius", (13.0, 12.0, 11.5), 0.01, int(Quality.BLENDED))
    surveys = {"sirius": marked, "virac2": sources_of("virac2", (13.1, 12.1, 11.9), 0.05)}
    assert chosen(surveys)[1] == ["virac2"] * 3


def test_hw_by_the_relation_of_the_photometric_system():
    mag = np.array([16.0, 14.0, 13.2])
    for survey, name in (("virac2", "yano2021_vvv"), ("sirius", "yano2021_sirius")):
        relation = load_relation("hw", name)
        found, _ = chosen({survey: sources_of(survey, mag, 0.03)})
        assert found.synthetic["hw"][0][0] == pytest.approx(float(relation.mag(16.0, 14.0)))
        d_j, d_h = relation.derivatives(16.0, 14.0)
        error = np.sqrt((0.03**2) * (d_j**2 + d_h**2) + relation.scatter_mag**2)
        assert found.synthetic["hw"][1][0] == pytest.approx(float(error))
    config = MergePhotometryConfig(hw_relation="kawata2024")
    found, _ = chosen({"virac2": sources_of("virac2", mag)}, config)
    j, h = to_2mass("vista", [mag])[0][0][:2]
    assert found.synthetic["hw"][0][0] == pytest.approx(
        float(load_relation("hw", "kawata2024").mag(j, h))
    )


def test_without_j_there_is_no_hw():
    found, origin = chosen({"virac2": sources_of("virac2", (np.nan, 14.0, 13.2))})
    assert np.isnan(found.synthetic["hw"][0][0])
    assert found.flags[0] & MatchFlag.HW_NO_J
    assert origin[0] == ""
    assert found.detections[0] == 0b110


def test_surveys_that_disagree_are_flagged():
    surveys = {
        "virac2": sources_of("virac2", (16.0, 14.0, 13.2)),
        "sirius": sources_of("sirius", (16.0, 14.0, 12.2)),
    }
    assert chosen(surveys)[0].flags[0] & MatchFlag.DISCORDANT
    surveys["sirius"] = sources_of("sirius", (16.0, 14.0, 13.1))
    assert not chosen(surveys)[0].flags[0] & MatchFlag.DISCORDANT
