"""The calibration as a file: columns, errors, images of the map."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from calibrations import STEP, calibration

from gcmock.calibration import calibration_file as module
from gcmock.calibration.calibration_file import (
    LAW_COLUMNS,
    MAP_COLUMNS,
    STAR_COLUMNS,
    check_output,
    law_table,
    map_table,
    record,
    write_calibration,
)
from gcmock.calibration.curves import GROUPS
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs
from gcmock.words.components import COMPONENTS


def test_map_in_magnitudes():
    result = calibration()
    table = map_table(result)
    assert set(table) == {column.name for column in MAP_COLUMNS}
    # The map says 2 mag.
    np.testing.assert_allclose(table["e_jks"], [2.0, 2.2, 2.0])
    np.testing.assert_allclose(table["e_jks_error"], [0.04, 0.04, 0.2])
    np.testing.assert_allclose(table["e_jks_scatter"], [0.1, 0.14, 0.12])
    np.testing.assert_allclose(table["a_ks"], table["e_jks"] * result.law.rows[0][2])
    assert table["source"].tolist() == ["cell", "cell", "map"]
    np.testing.assert_allclose(table["l"], [3.5 * STEP, 3.5 * STEP, 4.5 * STEP])
    ra, dec = galactic_to_icrs(table["l"], table["b"])
    np.testing.assert_allclose(table["ra"], ra)
    np.testing.assert_allclose(table["dec"], dec)


def test_law_with_its_errors():
    table = law_table(calibration())
    assert set(table) == {column.name for column in LAW_COLUMNS}
    assert table["region"].tolist() == ["all"]
    assert table["n_star"].tolist() == [120]
    np.testing.assert_allclose([table["slope"][0], table["offset_h"][0]], [2.1, 0.01])
    np.testing.assert_allclose([table["slope_error"][0], table["offset_h_error"][0]], [0.02, 0.01])
    assumed = law_table(calibration(law_fits={}))
    assert assumed["n_star"].tolist() == [0]
    assert assumed["a_j_error"].tolist() == [0.0]


def test_stars_only_where_neighbours_were_used():
    result = calibration()
    assert all(values.size == 0 for values in module._star_table(result).values())
    local = result.local._replace(n_neighbour=5, neighbour_scatter=0.02)
    table = module._star_table(calibration(local=local))
    assert set(table) == {column.name for column in STAR_COLUMNS}
    # The star that nothing explains is left out.
    np.testing.assert_allclose(table["l"], [0.0, 0.001, 0.003, 0.004, 0.005])
    np.testing.assert_array_equal(table["factor"], local.factor)


def test_weights_of_components_are_those_of_their_group():
    n = len(GROUPS)
    fractions = SimpleNamespace(
        of_group=np.array([1.0, 0.5, 2.0]), covariance=np.diag([0.01, 0.04, 0.09]),
        field=np.array([7]), of_field=np.array([[1.0, 2.0, 3.0]]),
    )  # fmt: skip
    assert n == 3
    table, of_field = module._fraction_tables(SimpleNamespace(fractions=fractions))
    by_name = dict(zip(COMPONENTS, zip(table["weight"], table["weight_error"]), strict=True))
    assert by_name["bar"] == pytest.approx((0.5, 0.1))
    assert by_name["nsd"] == by_name["nsc"] == pytest.approx((2.0, 0.6))
    assert {name: values.tolist() for name, values in of_field.items()} == {
        "field": [7], **{f"weight_{g}": [i + 1.0] for i, g in enumerate(GROUPS)},
    }  # fmt: skip


def test_provenance():
    words = record(calibration(), {"name": "stars.fits", "sha256": "abc"})
    assert words["limits_ks_mag"] == "11 to 15"
    assert words["extinction_law"] == "fitted: stars"
    assert json.loads(words["account"])["without Ks"] == 40
    assert json.loads(words["loo_score"]) == {"0 0": -1.25}
    assert all(isinstance(value, str) for value in words.values())


def test_names_of_outputs(tmp_path):
    with pytest.raises(InputError, match=r"give a name that ends in \.fits"):
        check_output(tmp_path / "map.parquet", overwrite=False)
    path = tmp_path / "map.FITS"
    check_output(path, overwrite=False)
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        check_output(path, overwrite=False)


def test_file(tmp_path):
    path = tmp_path / "map.fits"
    write_calibration(calibration(), path, {"name": "stars.fits", "sha256": "abc"})
    with fits.open(path) as hdus:
        names = [hdu.name for hdu in hdus[1:]]
        assert names == ["CELLS", "STARS", "LAW", "FRACTIONS", "FIELDS", "MAP_E_JKS",
                         "MAP_E_JKS_ERROR", "MAP_E_JKS_SCATTER"]  # fmt: skip
        header = hdus["CELLS"].header
        for i, column in enumerate(MAP_COLUMNS, 1):
            assert header[f"TTYPE{i}"] == column.name
            assert header[f"TUCD{i}"] == column.ucd
            assert header.get(f"TUNIT{i}", "") == column.unit
        assert json.loads(hdus[0].header["GCMOCK"])["content"] == "extinction calibrated from stars"
        assert hdus["LAW"].header["LAWNAME"] == "fitted"
        image = hdus["MAP_E_JKS"]
        cells = hdus["CELLS"].data
        # Every cell is where the world coordinates of the image say; the others are unknown.
        x, y = WCS(image.header).world_to_pixel_values(cells["l"], cells["b"])
        found = image.data[np.rint(y).astype(int), np.rint(x).astype(int)]
        np.testing.assert_allclose(x, np.rint(x), atol=1e-6)
        np.testing.assert_allclose(y, np.rint(y), atol=1e-6)
        np.testing.assert_array_equal(found, cells["e_jks"])
        assert np.isfinite(image.data).sum() == 3
