"""What a file holds besides one table of numbers: other tables, folders, vectors, odd types."""

import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info
from astropy.table import QTable, Table
from astropy.time import Time

from gcmock.errors import InputError
from gcmock.io.observed import ObservedCatalogue, read_observed
from gcmock.io.readers.opening import open_table
from gcmock.io.tables import in_memory
from gcmock.settings.build import Config, load_config

FIELDS = {"field": np.array(["a", "b"]), "n": np.array([1, 2])}


def stars(n=4, first=0, **more):
    rows = np.arange(first, first + n)
    plain = {"ra": 266.0 + rows / 10, "dec": -29.0 + rows / 10, "phot_ks_mag": 10.0 + rows}
    return plain | more


def hdu(columns, name=""):
    return fits.BinTableHDU(Table(columns), name=name)


def read(path, **columns):
    catalogue = read_observed(path, load_config(None, {"columns": columns}))
    parts = list(catalogue.chunks(3))
    return catalogue, np.concatenate([part.mag[:, 2] for part in parts])


def test_the_table_with_a_position_is_read(tmp_path):
    path = tmp_path / "t.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu(FIELDS, "FIELDS"), hdu(stars())]).writeto(path)
    catalogue, mag = read(path)
    assert len(mag) == 4
    assert catalogue.remarks == [
        "of t.fits the table [2], 4 rows is read; it holds others: [1] 'FIELDS', 2 rows"
    ]
    for which in ("1", "fields"):
        source = open_table(f"{path}[{which}]")
        assert source.columns == ("field", "n")
        assert source.path == path
    with pytest.raises(InputError, match=r"has no table '3'; there are: \[1\] 'FIELDS'"):
        open_table(f"{path}[3]")


def test_two_tables_with_positions_are_a_question(tmp_path):
    path = tmp_path / "t.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu(stars(3)), hdu(stars(5), "B")]).writeto(path)
    with pytest.raises(InputError, match=r"2 tables hold positions: .*\"t\.fits\[1\]\""):
        open_table(path)
    assert open_table(f"{path}[b]").n_rows == 5


def test_names_of_the_settings_tell_the_table(tmp_path):
    path = tmp_path / "t.fits"
    mine = {"alpha": [266.0], "delta": [-29.0], "phot_ks_mag": [10.0]}
    fits.HDUList([fits.PrimaryHDU(), hdu(FIELDS), hdu(mine)]).writeto(path)
    _, mag = read(path, ra="alpha", dec="delta")
    assert mag == [10.0]


def test_votables(tmp_path):
    path = tmp_path / "t.vot"
    file = from_table(Table(FIELDS))
    other = from_table(Table(stars())).resources[0]
    other.infos.append(Info(name="QUERY_STATUS", value="OVERFLOW"))
    file.resources.append(other)
    file.to_xml(str(path))
    catalogue, mag = read(path)
    assert len(mag) == 4
    assert "the table [1]" in catalogue.remarks[0]
    assert "QUERY_STATUS OVERFLOW" in catalogue.remarks[1]
    other.infos[0].value = "ERROR"
    file.to_xml(str(path))
    with pytest.raises(InputError, match="error of a service"):
        open_table(path)


def test_arrays_of_length_one(tmp_path):
    path = tmp_path / "t.vot"
    Table(stars()).write(path, format="votable")
    text = path.read_text().replace('name="phot_ks_mag"', 'name="phot_ks_mag" arraysize="1"')
    path.write_text(text)
    np.testing.assert_array_equal(read(path)[1], stars()["phot_ks_mag"])


@pytest.mark.parametrize("suffix", ["parquet", "fits", "vot", "ecsv"])
def test_duplicated_names(tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    columns = stars(x=np.zeros(4))
    if suffix == "parquet":
        arrays = [pa.array(values) for values in columns.values()]
        pq.write_table(pa.table(arrays, names=["ra", "dec", "phot_ks_mag", "dec"]), path)
    elif suffix == "fits":
        Table(columns).write(path)
        with fits.open(path, mode="update") as hdus:
            hdus[1].header["TTYPE4"] = "dec"
    elif suffix == "ecsv":
        Table(columns).write(path)
        path.write_text(
            path.read_text().replace("name: x", "name: dec").replace("mag x", "mag dec")
        )
    else:
        Table(columns).write(path, format="votable")
        path.write_text(path.read_text().replace('name="x"', 'name="dec"'))
    with pytest.raises(InputError, match=rf"t\.{suffix}: column 'dec' occurs more than once"):
        open_table(path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones((4, 2)), "several (numbers|values) a row"),
        ([{"a": 1.0}] * 4, "structures"),
        ([True] * 4, "true and false"),
        (["12.1"] * 4, "text, not numbers"),
    ],
)
def test_columns_without_one_number_a_row(tmp_path, values, words):
    path = tmp_path / "t.parquet"
    values = pa.array(values.tolist() if isinstance(values, np.ndarray) else values)
    pq.write_table(pa.table(stars() | {"phot_j_mag": values}), path)
    with pytest.raises(InputError, match=f"'phot_j_mag' .*{words}"):
        read(path)
    # A column that is not used may hold anything.
    pq.write_table(pa.table(stars() | {"other": values}), path)
    assert len(read(path)[1]) == 4


def test_scaled_integers_and_their_nulls(tmp_path):
    path = tmp_path / "t.fits"
    stored = np.array([-32768, 12500, 13000, -32768], dtype=np.int16)
    table = hdu(stars(4, phot_j_mag=stored, count=np.array([200, 7, 7, 9], dtype=np.uint8)))
    names = table.columns.names
    for key, value in (("TSCAL", 0.001), ("TNULL", -32768)):
        table.header[f"{key}{names.index('phot_j_mag') + 1}"] = value
    table.header[f"TNULL{names.index('count') + 1}"] = 7
    table.header[f"TZERO{names.index('count') + 1}"] = -128
    table.writeto(path)
    (found,) = open_table(path).chunks(10)
    np.testing.assert_allclose(found["phot_j_mag"], [np.nan, 12.5, 13.0, np.nan])
    np.testing.assert_array_equal(found["count"], [72.0, np.nan, np.nan, -119.0])


def test_ascii_tables_of_fits(tmp_path):
    path = tmp_path / "t.fits"
    columns = [
        fits.Column(name="ra", format="F8.3", array=np.array([266.1, 266.2, 266.3])),
        fits.Column(name="dec", format="F8.3", array=np.array([-29.1, -29.2, -29.3])),
        fits.Column(name="phot_ks_mag", format="F8.3", null="none", array=np.array([12.0, 9.0, 9])),
    ]
    fits.TableHDU.from_columns(columns).writeto(path)
    content = path.read_bytes()
    assert content.count(b"   9.000") == 2
    content = content.replace(b"   9.000", b"    none", 1).replace(b"   9.000", b"        ", 1)
    path.write_bytes(content)
    np.testing.assert_array_equal(read(path)[1], [12.0, np.nan, np.nan])


def test_rows_of_the_wrong_width(tmp_path):
    path = tmp_path / "t.fits"
    Table(stars()).write(path)
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b"NAXIS1  =                   24", b"NAXIS1  =                   20")
    )
    with pytest.raises(InputError, match=r"damaged.*20 bytes \(NAXIS1\).*24"):
        open_table(path)


def test_types_of_arrow(tmp_path):
    path = tmp_path / "t.parquet"
    table = pa.table(
        stars(3)
        | {
            "source_id": pa.array(
                [decimal.Decimal(2**60 + i) for i in range(3)], pa.decimal128(20)
            ),
            "phot_j_mag": pa.array([decimal.Decimal("12.125"), None, decimal.Decimal("13")]),
            "phot_h_mag": pa.array([12.5, None, 12.5], pa.float32()).dictionary_encode(),
            "name": pa.array(["a", None, "b"], pa.large_string()),
        }
    )
    pq.write_table(table, path)
    (found,) = read_observed(path, Config()).chunks()
    assert found.source_id.tolist() == [2**60, 2**60 + 1, 2**60 + 2]
    np.testing.assert_array_equal(found.mag[:, 0], [12.125, np.nan, 13.0])
    np.testing.assert_array_equal(found.mag[:, 1], [12.5, np.nan, 12.5])


def write_part(path, first, n=2, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(stars(n, first) | more), path)


def test_parts_that_differ(tmp_path):
    for i, unit in enumerate(["mas/yr", "arcsec/yr"]):
        QTable(stars(2, 2 * i) | {"pmra": [1.0, 2.0] * u.Unit(unit)}).write(
            tmp_path / f"{i}.parquet"
        )
    with pytest.raises(InputError, match=r"1\.parquet: column 'pmra' has the unit 'arcsec / yr'"):
        read(tmp_path)
    # Two spellings of one unit are the same.
    for i in range(2):
        write_part(tmp_path / f"{i}.parquet", 2 * i, source_id=np.array([1, 2]) + 2 * i)
    write_part(tmp_path / "1.parquet", 2, source_id=np.array(["3", "4"]))
    with pytest.raises(InputError, match="source_id is text in some parts and numbers in others"):
        read(tmp_path)


def observed(table, **columns):
    (found,) = ObservedCatalogue(in_memory(table), load_config(None, {"columns": columns})).chunks()
    return found


def test_sky_coordinates_and_times():
    plain = stars()
    sky = SkyCoord(plain["ra"], plain["dec"], unit="deg").galactic
    table = QTable({"where": sky, "phot_ks_mag": plain["phot_ks_mag"] * u.mag})
    table["ref_epoch"] = Time(np.full(4, 2010.5), format="jyear")
    found = observed(table)
    np.testing.assert_allclose(found.ra, plain["ra"], rtol=0, atol=1e-9)
    assert (found.ref_epoch == 2010.5).all()
    moving = SkyCoord(
        plain["ra"] * u.deg,
        plain["dec"] * u.deg,
        pm_ra_cosdec=np.full(4, 3.0) * u.mas / u.yr,
        pm_dec=np.full(4, -5.0) * u.mas / u.yr,
    )
    found = observed(QTable({"where": moving, "phot_ks_mag": plain["phot_ks_mag"]}))
    np.testing.assert_allclose(found.pmra, 3.0)


def test_frames():
    pd = pytest.importorskip("pandas")
    names = pd.DataFrame(stars() | {"source_id": [7, 8, 9, 10]})
    np.testing.assert_array_equal(observed(names.set_index("source_id")).source_id, [7, 8, 9, 10])
    np.testing.assert_array_equal(
        observed(names.set_index("source_id", drop=False)).source_id, [7, 8, 9, 10]
    )
    wrong = names.set_index("source_id", drop=False)
    wrong.index = wrong.index + 1
    with pytest.raises(InputError, match="an index and a column 'source_id' that differ"):
        observed(wrong)
    frame = pd.DataFrame(np.ones((2, 4)), columns=["ra", "dec", "phot_ks_mag", "dec"])
    with pytest.raises(InputError, match=r"(?i)duplicate"):
        observed(frame)


@pytest.mark.slow
def test_polars():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(stars() | {"source_id": ["a", "b", "c", "d"]})
    assert observed(frame).source_id.tolist() == ["a", "b", "c", "d"]
    assert observed(frame.lazy()).source_id.tolist() == ["a", "b", "c", "d"]


def test_other_tables_in_memory():
    with pytest.raises(InputError, match="expected an astropy Table, a pandas or polars"):
        in_memory([1, 2])
