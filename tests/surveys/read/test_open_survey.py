"""Tables of every survey, spelling and format come out as the common table."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.coordinates import Angle
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st
from survey_tables import native_table, sirius_line, to_arrow, write

from gcmock.errors import InputError
from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.read.open_survey import open_survey
from gcmock.surveys.read.quality_flags import letters
from gcmock.surveys.read.text_table import squeeze
from gcmock.surveys.source_table import SOURCE_NAMES, Quality

TABLES = [
    (name, spelling.name)
    for name in survey_names()
    for spelling in load_survey(name).spellings
    if name != "sirius"
]


def read(path: Path, survey: str | None = None, n_rows: int = 1000) -> dict[str, np.ndarray]:
    """All rows of a table, by column; text as an array of objects."""
    table = pa.concat_tables(open_survey(path, survey).chunks(n_rows))
    assert tuple(table.column_names) == SOURCE_NAMES
    return {name: table[name].to_numpy() for name in SOURCE_NAMES}


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".csv", ".parquet", ".ecsv"])
@pytest.mark.parametrize(("survey", "spelling"), TABLES, ids=lambda x: x)
def test_every_spelling_in_every_format(tmp_path, survey, spelling, suffix):
    table = native_table(survey, spelling)
    path = write(table, tmp_path / f"table{suffix}")
    source = open_survey(path)
    assert (source.survey.name, source.spelling.name) == (survey, spelling)
    assert source.n_rows == len(table)
    rows = read(path, n_rows=5)
    by_role = source.spelling.by_role
    if "source_id" in by_role:
        native = table[by_role["source_id"].name]
        assert rows["source_id"].tolist() == [str(x) for x in native]
    for name in ("ra", "dec", "parallax", "pmra", "pmdec", "phot_ks_mag", "phot_g_mag"):
        if name in by_role:
            native = np.asarray(table[by_role[name].name], dtype=float)
            # Text formats keep all digits of float32, but not the same float64.
            np.testing.assert_allclose(rows[name], native, rtol=1e-6, err_msg=name)
    magnitudes = [n for n in ("phot_j_mag", "phot_h_mag", "phot_ks_mag", "phot_g_mag")]
    for name in magnitudes:
        assert np.array_equal(np.isfinite(rows[name]), rows[f"{name}_error"] > 0)
    for name in ("ra_error", "dec_error", "ref_epoch"):
        assert (rows[name] > 0).all()
    assert rows["n_epochs"].dtype == rows["quality"].dtype == np.int32


def test_units_of_the_file_take_precedence(tmp_path):
    table = native_table("virac2", "eso")
    table["parallax"] = (table["parallax"].quantity).to(u.arcsec)
    table["ra"] = np.radians(table["ra"].value) * u.rad
    path = write(table, tmp_path / "virac2.fits")
    plain = read(write(native_table("virac2", "eso"), tmp_path / "plain.fits"))
    rows = read(path)
    np.testing.assert_allclose(rows["parallax"], plain["parallax"], rtol=1e-6)
    np.testing.assert_allclose(rows["ra"], plain["ra"], rtol=1e-14)
    # Words that are no units of the standards, but are used.
    words = to_arrow(native_table("virac2", "eso"))
    fields = [
        field.with_metadata({"unit": {"ra": "degrees", "ref_epoch": "Julian years"}[field.name]})
        if field.name in ("ra", "ref_epoch")
        else field
        for field in words.schema
    ]
    pq.write_table(words.cast(pa.schema(fields)), tmp_path / "words.parquet")
    np.testing.assert_array_equal(read(tmp_path / "words.parquet")["ref_epoch"], 2014.25)
    # Units of the definition where the file has none: arcsec to mas.
    gnc = native_table("gnc", "vizier")
    rows = read(write(gnc, tmp_path / "gnc.csv"))
    np.testing.assert_allclose(rows["ra_error"], 1000.0 * gnc["e_RAdeg"], rtol=1e-12)


def test_virac2_errors_are_those_of_the_mean(tmp_path):
    table = native_table("virac2", "eso", 4)
    table["phot_j_std_mag"] = np.float32([0.2, 0.2, -1.0, np.nan])
    table["phot_j_n_epochs"] = np.int32([16, 1, 9, 9])
    table["duplicate"] = np.int16([0, 1, 0, 0])
    table["astfit_params"] = np.int16([5, 5, 2, 5])
    rows = read(write(table, tmp_path / "virac2.fits"))
    np.testing.assert_allclose(rows["phot_j_mag_error"], [0.05, 0.077, 0.077, 0.077], rtol=1e-6)
    marked = rows["quality"] & Quality.ERROR_ASSUMED > 0
    assert marked.tolist() == [False, True, True, True]
    assert (rows["quality"] & Quality.DUPLICATE > 0).tolist() == [False, True, False, False]
    for name in ("parallax", "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error"):
        assert np.isnan(rows[name]).tolist() == [False, False, True, False], name
    assert rows["n_epochs"].tolist() == [66, 51, 59, 59]


def test_twomass_flags(tmp_path):
    table = native_table("2mass", "irsa", 8)
    table["ph_qual"] = ["AAA", "UAA", "AAA", "AXA", "AAA", "AAA", "AAA", "AAA"]
    table["rd_flg"] = ["222", "022", "226", "292", "322", "222", "222", "222"]
    table["cc_flg"] = ["000", "000", "000", "000", "0d0", "00c", "000", "000"]
    table["bl_flg"] = ["111", "011", "111", "111", "111", "111", "121", "111"]
    table["mp_flg"] = np.int16([0, 0, 0, 0, 0, 0, 0, 1])
    expected = [
        Quality(0),
        Quality.UPPER_LIMIT_J,
        Quality.UPPER_LIMIT_KS,
        Quality(0),
        Quality.SATURATED | Quality.DOUBTFUL_H,
        Quality.BLENDED,
        Quality.BLENDED,
        Quality.EXTENDED,
    ]
    # In CSV a flag of digits looks like a number: 022 must not become 22.
    for name in ("flags.fits", "flags.csv", "flags.parquet"):
        rows = read(write(table, tmp_path / name))
        assert [Quality(int(q)) for q in rows["quality"]] == expected, name
        assert np.isnan(rows["phot_j_mag"]).tolist() == [i == 1 for i in range(8)]
        assert np.isnan(rows["phot_j_mag_error"]).tolist() == [i == 1 for i in range(8)]
        assert np.isnan(rows["phot_h_mag"]).tolist() == [i == 3 for i in range(8)]
        assert np.isnan(rows["phot_ks_mag"]).tolist() == [i == 2 for i in range(8)]
        np.testing.assert_allclose(rows["ref_epoch"], 2000.0)
        # What is doubtful has a larger error, and is kept.
        error = np.where(np.arange(8) == 4, np.hypot(table["h_msigcom"], 0.1), table["h_msigcom"])
        error[3] = np.nan
        np.testing.assert_allclose(rows["phot_h_mag_error"], error, rtol=1e-6)


def test_twomass_error_ellipse(tmp_path):
    table = native_table("2mass", "irsa", 3)
    table["err_maj"], table["err_min"] = np.float32(0.3), np.float32(0.1)
    table["err_ang"] = np.float32([0.0, 90.0, 45.0])
    rows = read(write(table, tmp_path / "2mass.fits"))
    both = np.sqrt((300.0**2 + 100.0**2) / 2)
    np.testing.assert_allclose(rows["ra_error"], [100.0, 300.0, both], rtol=1e-5)
    np.testing.assert_allclose(rows["dec_error"], [300.0, 100.0, both], rtol=1e-5)


def test_galacticnucleus_has_99_for_none_and_no_identifiers(tmp_path):
    table = native_table("gnc", "vizier", 3)
    table.remove_column("ID")
    table["Jmag"][1], table["e_Jmag"][1] = 99.0, 99.0
    rows = read(write(table, tmp_path / "gnc.csv"))
    assert np.isnan(rows["phot_j_mag"]).tolist() == [False, True, False]
    assert np.isnan(rows["phot_j_mag_error"]).tolist() == [False, True, False]
    assert not (rows["quality"] & Quality.ERROR_ASSUMED).any()
    assert rows["source_id"][0] == f"{table['RAdeg'][0]:.7f}{table['DEdeg'][0]:+.7f}"


def test_vvv_error_bits_count_where_there_is_a_magnitude(tmp_path):
    table = native_table("vvv", "dr2", 6)
    table["Jperrbits"] = np.int32([0, 16, 65536, 64, 64, -99999999])
    table["Jmag3"] = MaskedColumn(table["Jmag3"], mask=[False] * 4 + [True, False])
    rows = read(write(table, tmp_path / "vvv.vot"))
    expected = [0, Quality.BLENDED, Quality.SATURATED, Quality.DOUBTFUL_J, 0, 0]
    assert rows["quality"].tolist() == expected


def test_vvv_dr4_takes_the_second_visit_where_the_first_is_missing(tmp_path):
    table = native_table("vvv", "dr4", 2)
    table["J1ap3"] = np.float32([14.0, np.nan])
    table["J2ap3"], table["e_J2ap3"] = np.float32(14.5), np.float32(0.03)
    rows = read(write(table, tmp_path / "vvv.fits"))
    np.testing.assert_allclose(rows["phot_j_mag"], [14.0, 14.5])
    assert rows["phot_j_mag_error"][1] == pytest.approx(0.03)


def test_gaia_errors_and_missing_motions(tmp_path):
    table = native_table("gaia", "gaia", 4)
    table["phot_g_mean_flux_over_error"] = np.float32(100.0)
    table["astrometric_params_solved"] = np.int16([31, 3, 95, 31])
    table["pmra"], table["pmdec"] = [1.0, 1.0, 0.0, 0.0], [2.0, 2.0, 0.0, -1.0]
    table["ruwe"] = np.float32([1.5, 1.5, 1.0, 1.0])
    rows = read(write(table, tmp_path / "gaia.fits"))
    expected = 2.5 * np.log10(1.01)
    np.testing.assert_allclose(rows["phot_g_mag_error"], expected, rtol=1e-6)
    assert np.isnan(rows["pmra"]).tolist() == [False, True, True, False]
    assert np.isnan(rows["pmra_error"]).tolist() == [False, True, True, False]
    assert np.isnan(rows["parallax"]).tolist() == [False, True, False, False]
    assert (rows["quality"] & Quality.BAD_ASTROMETRY > 0).tolist() == [True, False, False, False]


def test_sirius_text(tmp_path):
    lines = [
        sirius_line("17:45:40.0409", "-29:00:28.118", (15.0, 13.0, 12.0)),
        sirius_line("17 45 41.5", "-00 30 00.0", (0.0, 13.5, 12.5)),
        "\n",
        sirius_line("17:45:42.25", "+00:00:01.5", (0.0, 1e-9, 8.5), plate="F1234-5"),
    ]
    path = tmp_path / "sirius_WGCCatAll.dat"
    path.write_text("".join(lines))
    source = open_survey(path)
    assert (source.survey.name, source.n_rows) == ("sirius", 3)
    rows = read(path, n_rows=2)
    ra = Angle(["17h45m40.0409s", "17h45m41.5s", "17h45m42.25s"]).deg
    dec = Angle(["-29d00m28.118s", "-0d30m0s", "0d0m1.5s"]).deg
    np.testing.assert_allclose(rows["ra"], ra, rtol=1e-14)
    np.testing.assert_allclose(rows["dec"], dec, rtol=1e-13)
    assert rows["source_id"].tolist() == ["0", "1", "2"]
    np.testing.assert_array_equal(rows["phot_j_mag"], [15.0, np.nan, np.nan])
    np.testing.assert_array_equal(rows["phot_h_mag"], [13.0, 13.5, np.nan])
    assert rows["quality"].tolist() == [0, 0, Quality.SATURATED]


@pytest.mark.slow
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["1.5", "-28", "+7", "17:45:40"]), min_size=1, max_size=4),
        max_size=6,
    ),
    blanks=st.lists(st.sampled_from([" ", "   ", "\t", " \t"]), min_size=4, max_size=4),
)
def test_squeezed_lines_have_the_fields_of_the_line(rows, blanks):
    text = "".join(
        blanks[0] + "".join(f + blanks[i % 4] for i, f in enumerate(row)) + "\r\n\n" for row in rows
    )
    lines = squeeze(text.encode()).decode().splitlines()
    expected = [" ".join(row).replace(":", " ").replace("+", "").split() for row in rows]
    assert [line.split(" ") for line in lines] == expected


def test_sirius_blocks_join_at_any_byte(tmp_path, monkeypatch):
    lines = [
        sirius_line("17:45:40.0", "-29:00:28.1", (15.0, 13.0, 10 + i / 100)) for i in range(50)
    ]
    path = tmp_path / "sirius.dat"
    path.write_text("".join(lines).rstrip("\n"))
    whole = read(path)
    for block in (7, 100, 1000):
        monkeypatch.setattr("gcmock.surveys.read.text_table._BLOCK", block)
        parts = read(path)
        assert open_survey(path).n_rows == 50
        np.testing.assert_array_equal(parts["phot_ks_mag"], whole["phot_ks_mag"])
        assert parts["source_id"].tolist() == [str(i) for i in range(50)]


def test_a_damaged_line_is_reported(tmp_path):
    good = sirius_line("17:45:40.0", "-29:00:28.1", (15.0, 13.0, 12.0))
    path = tmp_path / "sirius.dat"
    path.write_text(good * 3 + "1.0 2.0 3.0\n" + good)
    with pytest.raises(InputError, match=r"not in the SIRIUS text layout of 21 numbers.*got 3"):
        read(path)
    path.write_text("1.0 2.0 3.0\n")
    with pytest.raises(InputError, match=r"line 1 has 3 numbers, but the SIRIUS text layout has"):
        open_survey(path)


def test_flags_as_numbers_and_as_text_are_the_same():
    text = letters(np.array(["022", "AAA", ""]))
    assert text[0].tolist() == [ord("0"), ord("2"), ord("2")]
    number = letters(np.ma.MaskedArray([22, 0, 5], mask=[False, False, True]))
    np.testing.assert_array_equal(number[0], text[0])
    assert not (number[2] == ord("0")).any()


def test_a_folder_of_tables_is_one_table(tmp_path):
    for i in range(3):
        write(native_table("virac2", "eso", 4, seed=i), tmp_path / f"part{i}.fits")
    source = open_survey(tmp_path)
    assert (source.survey.name, source.n_rows) == ("virac2", 12)
    assert len(read(tmp_path)["ra"]) == 12
    write(native_table("gaia", "gaia"), tmp_path / "part9.fits")
    with pytest.raises(InputError, match=r"part9.fits: is gaia .* but .*part0.fits is virac2"):
        open_survey(tmp_path)


def test_errors_show_what_was_found_and_expected(tmp_path):
    table = native_table("virac2", "eso")
    table.rename_column("pmde", "mudec")
    path = write(table, tmp_path / "virac2.fits")
    for survey in (None, "virac2"):
        with pytest.raises(InputError) as caught:
            open_survey(path, survey)
        message = str(caught.value)
        assert "found the columns: sourceid, ra, de, " in message
        assert "nearest: virac2 as 'eso' writes it, which also needs: pmde" in message
        assert "definitions/virac2.toml" in message
    with pytest.raises(InputError, match="not a table of gaia"):
        open_survey(path, "gaia")
    with pytest.raises(InputError, match="unknown survey 'ukidss'"):
        open_survey(path, "ukidss")
    with pytest.raises(InputError, match="no such file"):
        open_survey(tmp_path / "nothing.fits")
    for survey in (None, "sirius"):
        with pytest.raises(InputError, match=r"nothing.dat: no such file"):
            open_survey(tmp_path / "nothing.dat", survey)
    table = native_table("virac2", "eso")
    table["parallax"].unit = "km"
    write(table, tmp_path / "km.fits")
    with pytest.raises(InputError, match=r"'parallax' has the unit 'km', but parallax needs mas"):
        open_survey(tmp_path / "km.fits")
    table = native_table("virac2", "eso")
    table.replace_column("ra", ["17h45m40s"] * len(table))
    write(table, tmp_path / "text.fits")
    with pytest.raises(InputError, match=r"'ra' has the unit 'deg', but holds text such as"):
        read(tmp_path / "text.fits")
    Table({"ra": [1.0], "dec": [2.0]}).write(tmp_path / "other.fits")
    with pytest.raises(InputError, match="name the survey"):
        open_survey(tmp_path / "other.fits")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no tables"):
        open_survey(tmp_path / "empty")


def test_csv_that_is_none_is_reported(tmp_path):
    path = tmp_path / "gaia.csv"
    path.write_text("")
    with pytest.raises(InputError, match="the file is empty"):
        open_survey(path)
    path.write_text("source_id,ra,dec,phot_g_mean_mag\n")
    with pytest.raises(InputError, match="no rows"):
        open_survey(path)
    path.write_text("source_id,ra,dec,phot_g_mean_mag\n1,266.0,-29.0,twelve\n")
    with pytest.raises(InputError, match="invalid value 'twelve'"):
        read(path)
    path.write_text("source_id,ra,ra,phot_g_mean_mag\n1,266.0,-29.0,12.0\n")
    with pytest.raises(InputError, match="column 'ra' occurs more than once"):
        open_survey(path)
    write(native_table("gaia", "gaia"), tmp_path / "gaia.fits").rename(path)
    with pytest.raises(InputError, match="the suffix says CSV, but the content is a FITS file"):
        open_survey(path)


def test_csv_keeps_identifiers_and_empty_fields(tmp_path):
    path = tmp_path / "gaia.csv"
    path.write_text(
        "source_id,ra,dec,phot_g_mean_mag,parallax\n"
        "4057701830728920064,266.0,-29.0,12.5,\n"
        "4057701830728920065,266.1,-29.1,null,0.5\n"
    )
    rows = read(path)
    assert rows["source_id"].tolist() == ["4057701830728920064", "4057701830728920065"]
    np.testing.assert_array_equal(rows["phot_g_mag"], [12.5, np.nan])
    np.testing.assert_array_equal(rows["parallax"], [np.nan, 0.5])
    assert open_survey(path).n_rows == 2


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (np.array([1.0, np.nan]), "is missing in row 1"),
        (np.array([2423798114524060506.0, 1.0]), "may have lost digits"),
        (np.ma.MaskedArray([999999, 1], mask=[True, False]), "is missing in row 0"),
    ],
)
def test_identifiers_are_exact_or_refused(tmp_path, ids, words):
    path = tmp_path / "gaia.fits"
    columns = {name: np.ones(2) for name in ("ra", "dec", "parallax", "parallax_error")}
    for name in ("pmra", "pmra_error", "pmdec", "pmdec_error", "ra_error", "dec_error"):
        columns[name] = np.ones(2)
    for band in ("g", "bp", "rp"):
        columns[f"phot_{band}_mean_mag"] = np.ones(2) * 15
        columns[f"phot_{band}_mean_flux_over_error"] = np.ones(2) * 15
    columns |= {"ref_epoch": np.full(2, 2016.0), "ruwe": np.ones(2)}
    for required in load_survey("gaia").spellings[0].required:
        columns.setdefault(required.name, np.ones(2))
    Table({**columns, "source_id": np.ma.array(ids)}).write(path)
    with pytest.raises(InputError, match=words):
        list(open_survey(path, "gaia").chunks())


@pytest.mark.parametrize("suffix", [".tsv", ".csv.gz"])
def test_text_tables_of_other_kinds(tmp_path, suffix):
    """Flags and identifiers stay text, whatever the separator."""
    table = native_table("2mass", "vizier", 6)
    table.write(tmp_path / "t.csv", format="ascii.csv")
    csv = (tmp_path / "t.csv").read_text()
    path = tmp_path / f"u{suffix}"
    if suffix == ".tsv":
        path.write_text(csv.replace(",", "\t"))
    else:
        path.write_bytes(gzip.compress(csv.encode()))
    (expected,) = open_survey(tmp_path / "t.csv", "2mass").chunks()
    (found,) = open_survey(path, "2mass").chunks()
    for name in SOURCE_NAMES:
        np.testing.assert_array_equal(found[name].to_numpy(), expected[name].to_numpy())
