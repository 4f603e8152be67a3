"""Tables of one's own as those of a survey: names, units, what is needed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from astropy.table import Table

from gcmock.errors import InputError
from gcmock.surveys.definition import load_survey
from gcmock.surveys.own_columns import has_own_columns, with_own_columns
from gcmock.surveys.read.open_survey import open_survey
from gcmock.surveys.source_table import Quality


def read(path, survey, columns):
    source = open_survey(path, with_own_columns(load_survey(survey), columns))
    table = pa.concat_tables(list(source.chunks()))
    return {name: table[name].to_numpy() for name in table.column_names}


COLUMNS = {"ra": "alpha", "dec": "delta", "phot_j_mag": "mj", "phot_ks_mag": "mk"}


@pytest.mark.parametrize("suffix", [".csv", ".fits", ".parquet", ".dat"])
def test_columns_of_an_own_table(tmp_path, suffix):
    table = Table({"alpha": [266.1, 266.2], "delta": [-29.0, -29.1], "mj": [15.0, 99.9]})
    table["mk"], table["ek"] = [12.0, 13.0], [0.02, 0.03]
    path = tmp_path / f"own{suffix}"
    table.write(path, **({"format": "ascii.basic"} if suffix == ".dat" else {}))
    rows = read(path, "vvv", COLUMNS | {"phot_ks_mag_error": "ek"})
    np.testing.assert_array_equal(rows["ra"], [266.1, 266.2])
    np.testing.assert_array_equal(rows["phot_ks_mag_error"], [0.02, 0.03])
    # Without H, and without errors in J.
    assert np.isnan(rows["phot_h_mag"]).all()
    np.testing.assert_array_equal(np.isnan(rows["phot_j_mag"]), [False, True])
    assert (rows["quality"] & Quality.ERROR_ASSUMED != 0).tolist() == [True, False]


def test_other_columns_have_the_names_of_an_archive(tmp_path):
    table = Table({"designation": ["a"], "ra": [266.1], "dec": [-29.0], "K": [12.0]})
    table["j_m"], table["j_msigcom"], table["ph_qual"] = [14.0], [0.02], ["UAA"]
    table["err_maj"] = [0.1]
    table.write(tmp_path / "own.fits")
    rows = read(tmp_path / "own.fits", "2mass", {"phot_ks_mag": "K", "ra_error": "err_maj"})
    assert rows["source_id"].tolist() == ["a"]
    assert np.isnan(rows["phot_j_mag"]).all()
    assert rows["quality"][0] & Quality.UPPER_LIMIT_J
    # Named columns have the units of gcmock: mas, not the arcsec of the archive.
    assert rows["ra_error"].tolist() == [0.1]


def test_galactic_and_sexagesimal_positions(tmp_path):
    table = Table({"gl": [0.0], "gb": [0.0], "K": [12.0]})
    table.write(tmp_path / "galactic.csv")
    names = {"l": "gl", "b": "gb", "phot_ks_mag": "K"}
    rows = read(tmp_path / "galactic.csv", "sirius", names)
    assert (rows["ra"][0], rows["dec"][0]) == pytest.approx((266.40499, -28.93617), abs=1e-4)
    table = Table({"RA": ["17:45:40.04"], "DE": ["-29:00:28.1"], "K": [12.0]})
    table.write(tmp_path / "base60.csv")
    names = {"ra": "RA", "dec": "DE", "phot_ks_mag": "K"}
    rows = read(tmp_path / "base60.csv", "sirius", names)
    assert (rows["ra"][0], rows["dec"][0]) == pytest.approx((266.41683, -29.00781), abs=1e-4)


def test_what_is_wrong_is_said(tmp_path):
    survey = load_survey("vvv")
    assert with_own_columns(survey, {}) is survey
    assert has_own_columns(with_own_columns(survey, COLUMNS))
    assert not has_own_columns(survey)
    with pytest.raises(InputError, match=r"phot_k_mag: unknown column; did you mean 'phot_ks_mag'"):
        with_own_columns(survey, {"phot_k_mag": "K"})
    Table({"alpha": [266.1], "delta": [-29.0]}).write(tmp_path / "empty.csv")
    with pytest.raises(InputError, match=r"(?s)not a table of vvv.*also needs: mj"):
        read(tmp_path / "empty.csv", "vvv", {"ra": "alpha", "dec": "delta", "phot_j_mag": "mj"})
