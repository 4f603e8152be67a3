"""Published tables go through the readers as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from astropy.table import Table

from gcmock.surveys.read.open_survey import open_survey
from gcmock.surveys.source_table import Quality


@pytest.fixture(scope="module")
def real_dir() -> Path:
    folder = Path(__file__).resolve().parents[4] / "shared" / "real"
    if not folder.is_dir():
        pytest.skip(f"no published tables in {folder}")
    return folder


def read(path: Path) -> dict[str, np.ndarray]:
    table = pa.concat_tables(open_survey(path).chunks())
    return {name: table[name].to_numpy() for name in table.column_names}


@pytest.mark.parametrize(
    ("name", "n", "missing"),
    [
        ("VVV_LPV_J_A+A_660_A35_tableb2.fits", 1013, {"Jmag": 796, "Hmag": 788, "Ksmag": 0}),
        ("VVV_Miras_J_A+A_660_A35_tableb1.fits", 130, {"Jmag": 79, "Hmag": 45, "Ksmag": 0}),
    ],
)
def test_variables_of_vvv_as_published(real_dir, name, n, missing):
    source = open_survey(real_dir / name)
    assert (source.survey.name, source.n_rows) == ("vvv", n)
    rows, native = read(real_dir / name), Table.read(real_dir / name)
    np.testing.assert_array_equal(rows["ra"], native["RAdeg"])
    np.testing.assert_array_equal(rows["dec"], native["DEdeg"])
    assert rows["source_id"].tolist() == [str(x) for x in native["VVVID"]]
    for column, band in (("Jmag", "j"), ("Hmag", "h"), ("Ksmag", "ks")):
        mask = np.ma.getmaskarray(native[column])
        assert mask.sum() == missing[column]
        values = rows[f"phot_{band}_mag"]
        np.testing.assert_array_equal(np.isnan(values), mask)
        np.testing.assert_array_equal(values[~mask], np.ma.getdata(native[column])[~mask])
    # The tables have no errors.
    assert (rows["quality"] & Quality.ERROR_ASSUMED > 0).all()


def test_variables_in_the_window(real_dir):
    rows = read(real_dir / "vvv_lpv_mira_window.csv")
    assert len(rows["ra"]) == 393
    found = [np.isfinite(rows[f"phot_{band}_mag"]) for band in ("j", "h", "ks")]
    assert [int(f.sum()) for f in found] == [134, 182, 393]
    assert int(np.logical_and.reduce(found).sum()) == 128


def test_gaia_without_most_columns(real_dir, tmp_path):
    path = real_dir / "gaia_dr3_bright_window.csv"
    rows, native = read(path), pyarrow.csv.read_csv(path).to_pandas()
    assert open_survey(path).survey.name == "gaia"
    assert rows["source_id"].tolist() == native["source_id"].astype(str).tolist()
    np.testing.assert_array_equal(rows["phot_g_mag"], native["phot_g_mean_mag"])
    zero = (native["pmra"] == 0) & (native["pmdec"] == 0)
    np.testing.assert_array_equal(np.isnan(rows["pmra"]), zero)
    np.testing.assert_array_equal(np.isnan(rows["pmdec"]), zero)
    # Rows with the mark of a missing proper motion, in a copy.
    native.loc[3:7, ["pmra", "pmdec"]] = 0.0
    native.loc[8, "pmra"] = 0.0
    copy = tmp_path / "gaia.csv"
    native.to_csv(copy, index=False)
    rows = read(copy)
    for name in ("pmra", "pmdec"):
        assert np.flatnonzero(np.isnan(rows[name])).tolist() == [3, 4, 5, 6, 7]


def test_the_columns_of_motions_of_the_gaia_rows_look_like_magnitudes(real_dir):
    """What the docs say of this file: G lies between them, as it does between BP and RP."""
    native = pyarrow.csv.read_csv(real_dir / "gaia_dr3_bright_window.csv").to_pandas()
    assert (native["pmra"] > 0).all()
    assert (native["pmdec"] > 0).all()
    g_mag = native["phot_g_mean_mag"]
    assert ((native["pmra"] > g_mag) & (g_mag > native["pmdec"])).sum() == 599
    assert np.corrcoef(g_mag, native["pmdec"])[0, 1] == pytest.approx(0.90, abs=0.005)
