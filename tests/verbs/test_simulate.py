"""simulate: tables with units, files, surveys."""

from __future__ import annotations

import astropy.units as u
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

import gcmock
from gcmock.errors import InputError, OutsideModelError

WINDOW = {"l": (0.3, 0.32), "b": (-0.2, -0.18)}


@pytest.fixture(scope="module")
def stars():
    return gcmock.simulate(**WINDOW, ks_max=12.0, seed=3)


def test_a_table_with_units(stars):
    assert isinstance(stars, QTable)
    assert stars["distance_pc"].unit == u.pc
    assert stars["pmra"].unit == u.mas / u.yr
    assert stars["phot_ks_mag"].info.description
    assert stars.meta["gcmock"]["seed"] == "3"
    assert stars["phot_ks_mag"].max() <= 12.0 * u.mag


def test_all_ways_to_say_it(stars):
    corners = SkyCoord([0.3, 0.32] * u.deg, [-0.2, -0.18] * u.deg, frame="galactic")
    model = gcmock.load_model()
    for found in (
        gcmock.simulate(l=corners.l, b=corners.b, ks_max=12 * u.mag, run={"seed": 3}),
        gcmock.simulate(model, (0.3, 0.32), (-0.2, -0.18), ks_max=12.0, seed=3, workers=1),
        gcmock.simulate(model, l=[18, 19.2] * u.arcmin, b=WINDOW["b"], ks_max=12.0, seed=3),
    ):
        assert (found["source_id"] == stars["source_id"]).all()
        assert (found["distance_pc"] == stars["distance_pc"]).all()


def test_files(stars, tmp_path, shown):
    output = tmp_path / "stars.parquet"
    done = gcmock.simulate(**WINDOW, ks_max=12.0, seed=3, output=output)
    shown(done, output, len(stars))
    found = QTable.read(output)
    assert (found["distance_pc"] == stars["distance_pc"]).all()
    assert found.meta["gcmock"] == stars.meta["gcmock"]


def test_surveys_in_memory_and_on_disk(tmp_path, stars):
    survey, truth = gcmock.simulate(**WINDOW, ks_max=12.0, seed=3, survey=True)
    assert (truth["source_id"] == stars["source_id"]).all()
    assert survey["phot_ks_mag"].unit == u.mag
    output = tmp_path / "survey.parquet"
    done = gcmock.simulate(**WINDOW, ks_max=12.0, seed=3, survey=True, output=output)
    assert done.truth == tmp_path / "survey_truth.parquet"
    assert done.n_rows == len(survey)
    found = QTable.read(output)
    assert (found["phot_ks_mag"] == survey["phot_ks_mag"]).all()
    assert found.meta["gcmock"] == survey.meta["gcmock"]
    assert len(QTable.read(done.truth)) == len(truth)


def test_native_tables(tmp_path, shown):
    done = gcmock.simulate(**WINDOW, ks_max=12.0, surveys="2mass,gaia", output=tmp_path / "sky")
    shown(done, tmp_path / "sky", f"{done.n_rows['2mass']:,}")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"l": None}, "give the window as l="),
        ({"l": (1, 0)}, "is empty"),
        ({"ks_max": "faint"}, "ks_max = 'faint': expected one number in mag"),
        ({"survey": True, "surveys": "gaia"}, "--survey and --surveys: give one"),
        ({"surveys": "gaia"}, "native tables are written to a folder"),
        ({"completeness": "map.parquet"}, "is for --survey"),
        ({"model": 3}, "model: expected a model of gcmock.load_model, got int"),
        ({"modle": {}}, "gcmock.simulate has no option 'modle'"),
    ],
)
def test_errors(options, words):
    with pytest.raises(InputError, match=words):
        gcmock.simulate(**{**WINDOW, **options})


def test_outside_the_map():
    with pytest.raises(OutsideModelError, match="reaches beyond the extinction map"):
        gcmock.simulate(l=(20, 21), b=(0, 1))


def test_a_model_has_its_settings():
    model = gcmock.load_model()
    with pytest.raises(InputError, match="a model has its settings"):
        gcmock.simulate(model, **WINDOW, run={"seed": 3})
    with pytest.raises(InputError, match="give config instead of model"):
        gcmock.simulate(model, **WINDOW, surveys="gaia", output="sky")
