"""Observed stars: columns found, units converted, gaps counted, bad rows named."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic
from gcmock.io.observed import ObservedStars, read_observed
from gcmock.settings.build import Config, load_config
from gcmock.words.flags import Flag

NAN = np.nan


def stars(n=6, **columns):
    rng = np.random.default_rng(3)
    table = Table(
        {
            "source_id": np.arange(n) + 2**60,
            "ra": 266.4 + 0.1 * rng.random(n),
            "dec": -29.0 + 0.1 * rng.random(n),
            "phot_ks_mag": np.linspace(10, 12, n),
            "phot_ks_mag_error": np.full(n, 0.02),
        }
    )
    for name, values in columns.items():
        if values is None:
            del table[name]
        else:
            table[name] = values
    return table


def save(table, tmp_path, name="t.fits"):
    path = tmp_path / name
    options = {"format": "votable"} if name.endswith(".vot") else {}
    table.write(path, overwrite=True, **options)
    return path


def read(table, tmp_path, overrides=None, name="t.fits", size=4):
    catalogue = read_observed(save(table, tmp_path, name), load_config(None, overrides))
    chunks = list(catalogue.chunks(size))
    return catalogue, ObservedStars(*(np.concatenate(parts) for parts in zip(*chunks)))


@pytest.mark.parametrize("name", ["t.fits", "t.parquet", "t.ecsv", "t.vot", "t.csv"])
def test_every_format_gives_the_same_stars(tmp_path, name):
    table = stars()
    table["phot_j_mag"] = MaskedColumn(np.linspace(14, 15, 6), mask=[0, 1, 0, 0, 0, 1])
    catalogue, found = read(table, tmp_path, name=name)
    np.testing.assert_array_equal(found.row, np.arange(6))
    np.testing.assert_array_equal(found.source_id, table["source_id"])
    np.testing.assert_array_equal(found.ra, table["ra"])
    np.testing.assert_array_equal(found.mag[:, 2], table["phot_ks_mag"])
    np.testing.assert_array_equal(found.mag[:, 0], table["phot_j_mag"].filled(NAN))
    assert found.mag.shape == found.mag_error.shape == (6, 4)
    assert found.n_star == catalogue.n_rows == catalogue.summary.n_rows == 6
    assert catalogue.summary.missing["phot_j_mag"] == 2
    assert catalogue.summary.bands == {"ks": 6, "j": 4}
    assert catalogue.summary.band_sets == {"j+ks": 4, "ks": 2}


def test_given_coordinates_are_kept_and_the_others_computed(tmp_path):
    table = stars()
    _, found = read(table, tmp_path)
    np.testing.assert_array_equal(found.dec, table["dec"])
    l_deg, b_deg = icrs_to_galactic(table["ra"], table["dec"])
    np.testing.assert_array_equal(found.l, l_deg)
    np.testing.assert_array_equal(found.b, b_deg)

    only_galactic = stars(ra=None, dec=None, GLON=np.mod(l_deg, 360.0), glat=b_deg)
    _, found = read(only_galactic, tmp_path)
    np.testing.assert_array_equal(found.l, np.mod(l_deg, 360.0))
    ra, _ = galactic_to_icrs(np.mod(l_deg, 360.0), b_deg)
    np.testing.assert_array_equal(found.ra, ra)

    both = stars(l=np.round(l_deg, 4), b=np.round(b_deg, 4))
    _, found = read(both, tmp_path)
    np.testing.assert_array_equal(found.l, both["l"])
    np.testing.assert_array_equal(found.ra, both["ra"])


def test_coordinates_that_disagree(tmp_path):
    table = stars()
    l_deg, b_deg = icrs_to_galactic(table["ra"], table["dec"])
    b_deg[4] += 0.1
    with pytest.raises(InputError, match=r"0\.1 deg apart in row 4"):
        read(stars(l=l_deg, b=b_deg), tmp_path)


@pytest.mark.parametrize("names", [("RAJ2000", "DEJ2000"), ("RA_ICRS", "DE_ICRS"), ("RA", "DEC")])
def test_aliases(tmp_path, names):
    table = stars()
    table.rename_columns(["ra", "dec"], names)
    _, found = read(table, tmp_path)
    np.testing.assert_array_equal(found.ra, table[names[0]])


def test_two_possible_columns(tmp_path):
    table = stars(ra=None, RA=np.full(6, 266.0), RAJ2000=np.full(6, 266.0))
    with pytest.raises(InputError, match=r"'RA' and 'RAJ2000' could both be ra"):
        read(table, tmp_path)


def test_chosen_names(tmp_path):
    table = stars()
    table.rename_columns(["phot_ks_mag", "source_id"], ["Ksmag", "id"])
    overrides = {"columns": {"phot_ks_mag": "Ksmag", "source_id": "id"}}
    _, found = read(table, tmp_path, overrides)
    np.testing.assert_array_equal(found.mag[:, 2], table["Ksmag"])
    np.testing.assert_array_equal(found.source_id, table["id"])
    with pytest.raises(InputError, match=r"no column 'Kmag'.*phot_ks_mag.*closest: 'Ksmag'"):
        read(table, tmp_path, {"columns": {"phot_ks_mag": "Kmag"}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ra": None}, "no position: needs columns ra and dec"),
        ({"ra": None, "ra_": np.zeros(6)}, r"no position.*closest: 'ra_'"),
        ({"phot_ks_mag": None, "K": np.zeros(6)}, r'\[columns\] phot_ks_mag = "K"'),
        ({"phot_ks_mag": None, "phot_kss_mag": np.zeros(6)}, r"closest: 'phot_kss_mag'"),
        ({"phot_j_mag_ab": np.zeros(6)}, "'phot_j_mag_ab' is in the AB system"),
        ({"ra": np.array(["seventeen"] * 6)}, r"'ra' \(ra\) holds text.*'seventeen'"),
    ],
)
def test_columns_that_cannot_be_used(tmp_path, change, words):
    with pytest.raises(InputError, match=words) as caught:
        read(stars(**change), tmp_path)
    assert str(caught.value).startswith(str(tmp_path))


def test_lookalikes_are_remarked(tmp_path):
    table = stars(phot_h_magn=np.zeros(6), J=np.zeros(6), phot_g_mean_mag=np.zeros(6))
    catalogue, _ = read(table, tmp_path)
    assert len(catalogue.remarks) == 2
    assert '[columns] phot_h_mag = "phot_h_magn"' in catalogue.remarks[0]
    assert '[columns] phot_j_mag = "J"' in catalogue.remarks[1]


@pytest.mark.parametrize(
    ("name", "unit", "scale"),
    [
        ("ra", "rad", np.pi / 180),
        ("ra", "hourangle", 1 / 15),
        ("parallax", "arcsec", 1e-3),
        ("parallax", "uas", 1e3),
        ("pmra", "arcsec/yr", 1e-3),
        ("phot_ks_mag", "mmag", 1e3),
    ],
)
def test_units_are_converted(tmp_path, name, unit, scale):
    table = stars(parallax=np.full(6, 0.12), pmra=np.full(6, -6.4), pmdec=np.full(6, 2.0))
    _, expected = read(table, tmp_path)
    table[name] = table[name] * scale
    table[name].unit = unit
    _, found = read(table, tmp_path, name="t.ecsv")
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def with_units(path, unit, name="phot_ks_mag"):
    """Write a Parquet file whose unit astropy would not accept."""
    table = stars(pmra=np.ones(6))
    arrays = {n: pa.array(np.asarray(table[n])) for n in table.colnames}
    fields = [
        pa.field(n, a.type, metadata={"unit": unit} if n == name else None)
        for n, a in arrays.items()
    ]
    pq.write_table(pa.table(list(arrays.values()), schema=pa.schema(fields)), path)
    return path


@pytest.mark.parametrize("unit", ["mag", "Vegamag", "mag(Vega)", "VEGA mag"])
def test_vega_units(tmp_path, unit):
    path = with_units(tmp_path / "t.parquet", unit)
    (found,) = read_observed(path, Config()).chunks()
    np.testing.assert_array_equal(found.mag[:, 2], stars()["phot_ks_mag"])


@pytest.mark.parametrize("unit", ["mas.yr**-1", "mas yr-1", "mas/yr", "mas / yr"])
def test_spellings_of_a_unit_do_not_touch_the_values(tmp_path, unit):
    catalogue = read_observed(with_units(tmp_path / "t.parquet", unit, "pmra"), Config())
    assert catalogue.matches["pmra"].factor == 1.0


@pytest.mark.parametrize(
    ("unit", "name", "words"),
    [
        ("ABmag", "phot_ks_mag", "ABmag, but phot_ks_mag must be Vega"),
        ("mag(AB)", "phot_ks_mag", "must be Vega"),
        ("STmag", "phot_ks_mag", "must be Vega"),
        ("Jy", "phot_ks_mag", "needs mag"),
        ("kpc", "ra", "has the unit 'kpc', but ra needs deg"),
        ("furlong", "dec", "unknown unit 'furlong'; dec needs deg"),
    ],
)
def test_wrong_units(tmp_path, unit, name, words):
    path = with_units(tmp_path / "t.parquet", unit, name)
    with pytest.raises(InputError) as caught:
        read_observed(path, Config())
    assert words in str(caught.value)


def test_missing_magnitudes_and_errors(tmp_path):
    mag = [12.0, 99.0, -999.0, NAN, np.inf, 12.0, 12.0, 12.0, 99.999, 9999.0]
    error = [0.02, 0.02, 0.02, 0.02, 0.02, 0.0, -1.0, NAN, 99.0, 0.1]
    table = stars(10, phot_ks_mag=np.array(mag), phot_ks_mag_error=np.array(error))
    catalogue, found = read(table, tmp_path, {"photometry.default_error_mag": 0.07})
    present = np.array([1, 0, 0, 0, 0, 1, 1, 1, 0, 0], dtype=bool)
    np.testing.assert_array_equal(np.isfinite(found.mag[:, 2]), present)
    np.testing.assert_array_equal(found.mag_error[present, 2], [0.02, 0.07, 0.07, 0.07])
    assert np.isnan(found.mag_error[~present]).all()
    assert np.isnan(found.mag_error[:, [0, 1, 3]]).all()
    assumed = Flag.ERROR_ASSUMED.value
    none = Flag.NO_PHOTOMETRY.value
    expected = [0, none, none, none, none, assumed, assumed, assumed, none, none]
    assert found.flags.tolist() == expected
    assert catalogue.summary.missing == {"phot_ks_mag": 6, "phot_ks_mag_error": 4}
    assert catalogue.summary.error_assumed == {"phot_ks_mag": 3}
    assert catalogue.summary.n_no_photometry == 6


def test_summary_starts_again_with_every_pass(tmp_path):
    catalogue, _ = read(stars(), tmp_path)
    list(catalogue.chunks(1))
    assert catalogue.summary.n_rows == 6


def test_missing_astrometry(tmp_path):
    table = stars(
        7,
        parallax=np.array([0.1, 0.0, 0.0, -999.0, NAN, -0.3, 0.2]),
        parallax_error=np.array([0.02, NAN, 0.1, 0.1, 0.1, 0.1, 0.0]),
        pmra=np.array([0.0, 0.0, 1.0, NAN, -9999.0, 1.0, 99.999]),
        pmdec=np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]),
        pmra_error=np.full(7, 0.1),
        ruwe=np.array([1.0, 0.0, -1.0, 99.0, 1.4, 1.3, 1.0]),
    )
    catalogue, found = read(table, tmp_path)
    np.testing.assert_array_equal(found.parallax, [0.1, NAN, 0.0, NAN, NAN, -0.3, 0.2])
    np.testing.assert_array_equal(found.parallax_error, [0.02, NAN, 0.1, 0.1, 0.1, 0.1, NAN])
    np.testing.assert_array_equal(found.pmra, [NAN, 0.0, 1.0, NAN, NAN, 1.0, NAN])
    np.testing.assert_array_equal(found.pmdec, [NAN, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(np.isnan(found.pmra_error), [1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(found.ruwe, [1.0, NAN, NAN, NAN, 1.4, 1.3, 1.0])
    assert np.isnan(found.pmdec_error).all()
    assert "pmdec_error" not in catalogue.summary.missing
    assert catalogue.summary.missing["parallax"] == 3
    assert catalogue.summary.missing["pmra"] == 4


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ra", 360.1, "ra = 360.1 in row 4"),
        ("ra", -0.1, "ra = -0.1 in row 4"),
        ("dec", 90.5, "dec = 90.5 in row 4"),
        ("dec", NAN, "dec is missing in row 4"),
    ],
)
def test_impossible_positions(tmp_path, name, value, words):
    table = stars()
    table[name][4] = value
    with pytest.raises(InputError, match=words):
        read(table, tmp_path)


def test_duplicates_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("gcmock.io.observed._SCAN_ROWS", 2)
    table = stars()
    table["source_id"][5] = table["source_id"][1]
    with pytest.raises(InputError, match=rf"{2**60 + 1} in rows 1 and 5"):
        read(table, tmp_path)
    names = np.array(["a", "b", "c", "a", "b", "e"])
    with pytest.raises(InputError, match=r"2 source_id .*rows 1 and 4"):
        read(stars(source_id=names), tmp_path)


def test_identifiers_of_every_type(tmp_path):
    catalogue, found = read(stars(source_id=None), tmp_path)
    np.testing.assert_array_equal(found.source_id, np.arange(6))
    assert catalogue.source_id_column.dtype == "int64"

    names = np.array(["a", "b 2", "ccc", "d", "e", "f"])
    catalogue, found = read(stars(source_id=names), tmp_path)
    np.testing.assert_array_equal(found.source_id, names)
    assert catalogue.source_id_column.dtype == "U3"

    whole = np.arange(6, dtype=float)
    _, found = read(stars(source_id=whole), tmp_path)
    assert found.source_id.dtype == np.int64

    big = np.arange(6, dtype=np.uint64) + np.uint64(2**63)
    catalogue, found = read(stars(source_id=big), tmp_path)
    assert catalogue.source_id_column.dtype == "U19"
    assert found.source_id[1] == str(2**63 + 1)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (MaskedColumn(np.arange(6), mask=[0, 0, 0, 1, 0, 0]), "source_id is missing in row 3"),
        (np.array(["a", "b", "", "d", "e", "f"]), "source_id is missing in row 2"),
        (np.array([0, 1, NAN, 3, 4, 5]), "source_id is missing in row 2"),
        (np.array([0, 1, 2, 3, 2.0**60, 5]), "may have lost digits.* in row 4"),
        (np.array([True, False] * 3), "must be integers or text"),
    ],
)
def test_identifiers_that_cannot_be_used(tmp_path, ids, words):
    with pytest.raises(InputError, match=words):
        read(stars(source_id=ids), tmp_path, name="t.parquet")


@pytest.mark.slow
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(size=st.integers(1, 30), data=st.data())
def test_chunks_do_not_matter(tmp_path, size, data):
    mags = st.one_of(st.floats(5, 20), st.sampled_from([99.0, NAN, -999.0]))
    mag = np.array(data.draw(st.lists(mags, min_size=20, max_size=20)))
    table = stars(20, phot_ks_mag=mag, phot_h_mag=mag[::-1])
    whole_catalogue, whole = read(table, tmp_path, name="t.parquet", size=100)
    catalogue, found = read(table, tmp_path, name="t.parquet", size=size)
    for a, b in zip(found, whole):
        np.testing.assert_array_equal(a, b)
    assert catalogue.summary == whole_catalogue.summary


def test_take():
    found = ObservedStars(*(np.arange(5) for _ in ObservedStars._fields))
    assert found.take(np.array([3, 1])).source_id.tolist() == [3, 1]
    assert found.take(np.arange(5) > 2).n_star == 2


REAL = {
    "jasmine_hw_catalogue.parquet": ({}, {"hw": 200_999}),
    "vvv_lpv_mira_window.csv": (
        {"source_id": "vvv_id", "phot_j_mag": "J", "phot_h_mag": "H", "phot_ks_mag": "Ks"},
        {"ks": 205, "h+ks": 54, "j+ks": 6, "j+h+ks": 128},
    ),
    "VVV_LPV_J_A+A_660_A35_tableb2.fits": ({"phot_ks_mag": "Ksmag"}, {"ks": 1013}),
    "VVV_Miras_J_A+A_660_A35_tableb1.fits": (
        {"source_id": "VVVID", "phot_ks_mag": "Ksmag"},
        {"ks": 130},
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(shared_dir, name):
    path = shared_dir / "real" / name
    if not path.exists():
        pytest.skip(f"no {path}")
    columns, expected = REAL[name]
    catalogue = read_observed(path, load_config(None, {"columns": columns}))
    n_star = sum(chunk.n_star for chunk in catalogue.chunks())
    assert n_star == catalogue.n_rows == sum(expected.values())
    assert catalogue.summary.band_sets == expected


def test_epochs_of_the_rows(tmp_path):
    table = stars(ref_epoch=np.array([2000.0, 2016.0, NAN, 2014.0, -9999.0, 2010.5]))
    catalogue, found = read(table, tmp_path, {"input.ref_epoch": 2015.5})
    np.testing.assert_array_equal(found.ref_epoch, [2000.0, 2016.0, 2015.5, 2014.0, 2015.5, 2010.5])
    assert catalogue.summary.missing["ref_epoch"] == 2
    _, found = read(stars(), tmp_path)
    assert (found.ref_epoch == 2016.0).all()
    table["ref_epoch"] = 57388.0
    with pytest.raises(InputError, match=r"epoch 57388.*it is 2015\.999"):
        read(table, tmp_path)
    table["ref_epoch"].unit = "d"
    _, found = read(table, tmp_path)
    np.testing.assert_allclose(found.ref_epoch, 2015.9986, atol=1e-4)


def test_marks_are_counted(tmp_path):
    table = stars(
        phot_j_mag=np.array([0.0, -1.0, 49.99, 12.0, -9.999995e8, 12.0]),
        phot_j_mag_error=np.array([0.0, -1.0, 0.03, 0.03, 0.03, -99.999]),
        pmra=np.array([-9.999995e8, 1e20, -9999.99, -3.0, -3.0, -3.0], dtype=np.float32),
    )
    catalogue, found = read(table, tmp_path)
    np.testing.assert_array_equal(np.isfinite(found.mag[:, 0]), [0, 0, 0, 1, 0, 1])
    assert catalogue.summary.marked == {"phot_j_mag": 4, "phot_j_mag_error": 3, "pmra": 3}
    assert catalogue.summary.error_assumed == {"phot_j_mag": 1}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([2**24 + 2, 1, 2, 3, 4, 5], dtype=np.float32), "may have lost digits"),
        (np.array([True, False] * 3), "must be integers or text"),
        (MaskedColumn(np.arange(6), mask=[0, 0, 1, 0, 0, 0]), "is missing in row 2"),
        (np.array([1.0, 2, 3, NAN, 5, 6]), "is missing in row 3"),
        (np.array([1.0, 2, 3, np.inf, 5, 6]), "may have lost digits"),
    ],
)
def test_inexact_identifiers(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        read(stars(source_id=values), tmp_path)


def test_identifiers_in_the_output(tmp_path):
    catalogue, _ = read(stars(source_id=[f"étoile {i}" for i in range(6)]), tmp_path, name="t.ecsv")
    catalogue.check_output(tmp_path / "o.parquet")
    with pytest.raises(InputError, match=r"o\.fits: a FITS or VOTable file holds ASCII"):
        catalogue.check_output(tmp_path / "o.fits")


def test_numbers_that_are_none(tmp_path):
    with pytest.raises(InputError, match="true and false"):
        read(stars(phot_j_mag=np.array([True] * 6)), tmp_path)


def test_sexagesimal_positions(tmp_path):
    table = stars(ra=[f"17 45 4{i}.5" for i in range(6)], dec=["-29:00:28.1"] * 6)
    _, found = read(table, tmp_path)
    np.testing.assert_allclose(found.ra, 266.41875 + np.arange(6) / 240, rtol=1e-14)
    np.testing.assert_allclose(found.dec, -29.00780556, rtol=1e-9)
    table["ra"].unit = "deg"
    with pytest.raises(InputError, match="has the unit 'deg', but holds text"):
        read(table, tmp_path, name="t.ecsv")
