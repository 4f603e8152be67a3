"""The order of linking: surveys of the package, and those of one's own among them."""

from __future__ import annotations

import pytest

from gcmock.catalogue.order import (
    MOST_SURVEYS,
    first_number,
    linking_order,
    names_of,
    packaged_order,
)
from gcmock.errors import InputError
from gcmock.settings.merge import MergeConfig, SurveyInput

MINE = """\
title = "mine"
reference = "none"
photometric_system = "2mass"
ref_epoch = 2010.0
position_error_mas = 50.0
default_error = { j = 0.05, h = 0.05, ks = 0.05 }

[merge]
order = 15
fwhm_arcsec = 1.0
position_floor_mas = 20.0
magnitude_floor_mag = 0.02
source = "a test"

[[spelling]]
name = "mine"
columns = [
  { role = "ra", name = "ra", unit = "deg" },
  { role = "dec", name = "dec", unit = "deg" },
  { role = "phot_ks_mag", name = "k", unit = "mag" },
]
"""


def config_of(*names):
    return MergeConfig(survey=tuple(SurveyInput(name=str(name), path=str(name)) for name in names))


def written(folder, name, text=MINE):
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_surveys_of_the_package_have_their_numbers_in_every_merge():
    known = ("virac2", "gaia", "gnc", "sirius", "vvv", "2mass")
    assert names_of(packaged_order()) == known
    assert names_of(linking_order(config_of("2mass"))) == known


def test_a_survey_of_ones_own_takes_its_place(tmp_path):
    order = linking_order(config_of(written(tmp_path, "mine"), "2mass"))
    assert names_of(order)[:3] == ("virac2", "mine", "gaia")
    assert order[1].id_column == "mine_source_id"
    # A file that changes is read again.
    written(tmp_path, "mine", MINE.replace("order = 15", "order = 70"))
    assert names_of(linking_order(config_of(tmp_path / "mine.toml")))[-1] == "mine"


def test_a_file_can_take_the_place_of_one_of_the_package(tmp_path):
    order = linking_order(config_of(written(tmp_path, "gnc")))
    assert names_of(order).count("gnc") == 1
    assert next(one for one in order if one.name == "gnc").title == "mine"


def test_too_many_and_repeated_columns_are_refused(tmp_path):
    many = [written(tmp_path, f"s{k}") for k in range(MOST_SURVEYS)]
    with pytest.raises(InputError, match="a merge takes up to 10; leave out 6 of your own"):
        linking_order(config_of(*many))
    text = MINE.replace("[merge]\n", '[merge]\nid_column = "gaia_source_id"\n')
    with pytest.raises(InputError, match="id_column of two surveys is gaia_source_id"):
        linking_order(config_of(written(tmp_path, "other", text)))


def test_first_surveys_with_motions():
    order = packaged_order()
    assert first_number(order, [0, 1, 5], infrared=True) == 0
    assert first_number(order, [0, 1, 5], infrared=False) == 1
    assert first_number(order, [2, 5], infrared=True) is None
