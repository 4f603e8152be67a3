"""Sections of a mission: what they refuse, and in which words."""

from __future__ import annotations

import pytest

from gcmock.errors import InputError
from gcmock.settings import mission
from gcmock.settings.base import Section, validated

LIMITS = {"band": "hw", "bright": 9.5, "faint": 14.5, "primaries": 12.5}
ORBIT = {
    "start": 2030.0,
    "years": 3.0,
    "sun_angle_deg": [45.0, 135.0],
    "target_l_b_deg": [0.0, 0.0],
    "altitude_km": 600.0,
    "local_time_h": 6.0,
    "roll_range_rad": 0.1,
}
DISTORTION = {
    "degree": 3,
    "true_degree": 4,
    "block_days": 30.0,
    "common_mas": 50.0,
    "block_mas": 5.0,
}
GAIA = {"epoch": 2016.0, "g_max": 20.0, "release": "dr4", "correlations": [0.0] * 10}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"l_deg": [-1.4, 0.7], "b_deg": [-0.6, 0.6]},
        {"fields": [[0.0, 0.0], [1.0, -0.2]], "field_size_deg": [0.5, 0.3]},
    ],
)
def test_windows_are_all_of_the_sky_a_rectangle_or_fields(values: dict) -> None:
    found = validated(mission.MissionWindow, values, "here")
    assert (found.l_deg is None) == ("l_deg" not in values)
    assert len(found.fields) == len(values.get("fields", ()))


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        ("MissionWindow", {"l_deg": [-1.0, 1.0]}, "l_deg and b_deg go together"),
        ("MissionWindow", {"b_deg": [-1.0, 1.0]}, "l_deg and b_deg go together"),
        ("MissionWindow", {"fields": [[0.0, 0.0]]}, "fields need field_size_deg, and exclude"),
        (
            "MissionWindow",
            {
                "fields": [[0, 0]],
                "field_size_deg": [1, 1],
                "l_deg": [-1, 1],
                "b_deg": [-1, 1],
            },
            "fields need field_size_deg, and exclude",
        ),
        ("MissionWindow", {"l_deg": [1, -1], "b_deg": [-1, 1]}, "the smaller value first"),
        ("MissionWindow", {"l_deg": [-1, 1], "b_deg": [1, 1]}, "the smaller value first"),
        ("MissionMagnitudes", LIMITS | {"band": "z"}, "band = 'z': expected one of j, h, ks, hw"),
        ("MissionMagnitudes", LIMITS | {"bright": 14.5}, "bright must be smaller than faint"),
        ("Schedule", ORBIT | {"local_time_h": 24.0}, "local_time_h = 24.0: expected less than 24"),
        ("Schedule", ORBIT | {"years": 0.0}, "years = 0.0: expected greater than 0"),
        ("Schedule", ORBIT | {"cell_deg": 0.005}, "expected greater than 0.005"),
        ("MissionCalibration", DISTORTION | {"degree": 11}, "degree = 11: expected less than or"),
        ("MissionCalibration", DISTORTION | {"block_days": 0}, "block_days = 0: expected greater"),
        ("Exposures", {"exposure_s": 12.5, "per_visit": 32768, "fields_per_orbit": 4}, "32767"),
        ("Outliers", {"fraction": 1.0}, "fraction = 1.0: expected less than 1"),
        ("Reference", GAIA | {"correlations": [0.0] * 9}, "correlations.*at least 10 items"),
        ("Reference", GAIA | {"release": "dr6"}, "release = 'dr6': expected 'dr3', 'dr4' or 'dr5'"),
        ("Attitude", {"pointing_error_mas": -1.0, "roll_error_arcsec": 1.0}, "greater than or"),
        ("MissionDirections", {"aberation": True}, "did you mean 'aberration'"),
        ("InputCatalogue", {}, "position_error_mas: is missing"),
    ],
)
def test_wrong_settings_are_explained(section: str, values: dict, words: str) -> None:
    with pytest.raises(InputError, match=f"(?s)here: .*{words}"):
        validated(getattr(mission, section), values, "here")


@pytest.mark.parametrize("band", ["j", "h", "ks", "hw", "f146", "gaianir"])
def test_bands_that_are_kept_or_predicted_have_limits(band: str) -> None:
    assert validated(mission.MissionMagnitudes, LIMITS | {"band": band}, "here").band == band


def test_what_is_not_given() -> None:
    """A schedule of the whole mission, whose flat field does not average down in a visit."""
    schedule = validated(mission.Schedule, ORBIT, "here")
    assert (schedule.visits, schedule.seasons, schedule.margin_deg) == (0, 0, 0.0)
    terms = validated(mission.MissionCalibration, DISTORTION, "here")
    assert (terms.min_degree, terms.mismodelled_mas) == (1, 1.0)
    assert validated(mission.Outliers, {}, "here").fraction == 0.0
    directions = validated(mission.MissionDirections, {}, "here")
    assert (directions.aberration, directions.deflection) == (False, False)
    assert mission.Centroid.model_fields["flat_floor"].default == "per_visit"


def test_every_key_of_every_section_is_described() -> None:
    sections = Section.__subclasses__()
    sections = [section for section in sections if section.__module__ == mission.__name__]
    assert len(sections) >= 10
    for section in sections:
        for key, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{key}"
