"""Random tables in every format: what is read is what was meant, or is refused in one line."""

from __future__ import annotations

import gzip
import warnings
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import Angle, SkyCoord
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table
from astropy.units import UnrecognizedUnit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.io.observed import ObservedCatalogue, read_observed
from gcmock.io.tables import in_memory
from gcmock.settings.build import Config

NAN = np.nan


@dataclass(frozen=True)
class Quantity:
    """What a column can mean, and how files write it: names, units with their size, marks."""

    low: float
    high: float
    names: tuple[str, ...]
    units: tuple[tuple[str, float], ...]
    marks: tuple[float, ...] = (NAN, 1e20, -9.999995e8, -99999.0, -9999.99)


MOTION_UNITS = (
    *(("", 1.0), ("mas/yr", 1.0), ("mas.yr-1", 1.0), ("MAS/YR", 1.0), ("[mas/yr]", 1.0)),
    *(("arcsec/yr", 1e3), ("uas/yr", 1e-3), ("mas yr**-1", 1.0), ("deg/yr", 3.6e6)),
    # Not plain multiples: refused.
    *(("dex", 0.0), ("mas", 0.0), ("furlong", 0.0)),
)
MAG_UNITS = (
    *(("", 1.0), ("mag", 1.0), ("Mag", 1.0), ("[mag]", 1.0), ("magnitude", 1.0), ("mmag", 1e-3)),
    *(("mag(Vega)", 1.0), ("dex", 0.0), ("mag(AB)", 0.0), ("Jy", 0.0)),
)
MAG_MARKS = (NAN, 99.9, -99.999, 49.99, 99.99, -9.999995e8, 1e20, 88.88)
QUANTITIES = {
    "phot_j_mag": Quantity(9.0, 20.0, ("phot_j_mag", "PHOT_J_MAG"), MAG_UNITS, MAG_MARKS),
    "phot_ks_mag": Quantity(8.0, 18.0, ("phot_ks_mag", "Phot_Ks_mag"), MAG_UNITS, MAG_MARKS),
    "parallax": Quantity(0.01, 9.0, ("parallax", "Plx", "PARALLAX"), (("", 1.0), ("mas", 1.0),
                         ("marcsec", 1.0), ("[mas]", 1.0), ("arcsec", 1e3), ("mag", 0.0))),
    "pmra": Quantity(-30.0, -1.0, ("pmra", "pmRA"), MOTION_UNITS),
    "pmdec": Quantity(1.0, 30.0, ("pmdec", "pmDE"), MOTION_UNITS),
    "radial_velocity": Quantity(10.0, 400.0, ("radial_velocity", "HRV"), (("", 1.0),
                                ("km/s", 1.0), ("km.s-1", 1.0), ("m/s", 1e-3), ("KM/S", 1.0))),
    "ref_epoch": Quantity(1990.0, 2030.0, ("ref_epoch",), (("", 1.0), ("yr", 1.0), ("a", 1.0),
                          ("d", -1.0), ("MJD", -1.0)), (NAN, -9999.0)),
}  # fmt: skip
FORMATS = ("comma", "tab", "blanks", "bars", "csv.gz", "ecsv", "votable", "fits", "parquet",
           "ipac", "mrt", "skycoord", "base60", "pandas", "polars", "pyarrow")  # fmt: skip
IDS = (
    [1, 2, 3, 4],
    [2**62 + 1, 2**62 + 2, 2**62 + 3, 5],
    ["007", "08", "1E3", "0x1F"],
    ["a", "bc", "d e", "NGC 1"],
    [7.0, 8.0, 9.0, 10.0],
    [2.0**60, 2.0**60 + 4096, 1.0, 2.0],
)


@st.composite
def columns(draw):
    """Return columns as they are written and as they are meant, and the units."""
    n = draw(st.integers(1, 4))
    written, meant, units, sizes = {}, {}, {}, {}
    ids = draw(st.sampled_from(IDS))[:n]
    written["source_id"], meant["source_id"] = np.array(ids), ids
    for name, low, high in (("ra", 266.0, 267.0), ("dec", -29.5, -28.5)):
        values = draw(st.lists(st.floats(low, high), min_size=n, max_size=n))
        written[name] = meant[name] = np.array(values)
    chosen = draw(st.sets(st.sampled_from(sorted(QUANTITIES)), min_size=1))
    for name in sorted(chosen | {"phot_ks_mag"}):
        quantity = QUANTITIES[name]
        value = st.floats(quantity.low, quantity.high).map(lambda x: round(x, 6))
        values = np.array(draw(st.lists(value, min_size=n, max_size=n)))
        unit, size = draw(st.sampled_from(quantity.units))
        mark = draw(st.sampled_from(quantity.marks))
        missing = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
        spelling = draw(st.sampled_from(quantity.names))
        numbers = values / (size or 1.0)
        if size < 0:
            numbers = 51544.5 + (values - 2000.0) * 365.25
        # Marks of magnitudes are magnitudes.
        factor = size if name.startswith("phot") and size > 0 else 1.0
        written[spelling] = np.where(missing, mark / factor, numbers)
        meant[name] = np.where(missing, NAN, values)
        units[spelling], sizes[spelling] = unit, size
    return written, meant, units, sizes


def write(written, units, form, folder):
    """Return the table as a file, or in memory; without units where the format has none."""
    names = list(written)
    if form == "base60":
        written = dict(written)
        for name, hours in (("ra", True), ("dec", False)):
            angle = Angle(written[name], "deg")
            unit = "hourangle" if hours else "deg"
            written[name] = np.array(angle.to_string(unit=unit, sep=":", precision=11, pad=True))
        form = "comma"
    if form in ("comma", "tab", "blanks", "bars", "csv.gz"):
        separator = {"tab": "\t", "blanks": "  ", "bars": "|"}.get(form, ",")
        rows = [names]
        if form != "blanks":
            rows.append([units.get(name, "") for name in names])
        if form == "blanks" or not any(rows[1]):
            rows = rows[:1]

        def field(value):
            text = repr(value.item()) if not isinstance(value, np.str_) else str(value)
            return f'"{text}"' if form == "blanks" and " " in text else text

        rows += [[field(written[name][i]) for name in names] for i in range(len(written["ra"]))]
        text = "".join(separator.join(row) + "\n" for row in rows)
        path = folder / {"tab": "t.tsv", "blanks": "t.dat", "bars": "t.txt",
                         "csv.gz": "t.csv.gz"}.get(form, "t.csv")  # fmt: skip
        path.write_bytes(gzip.compress(text.encode()) if form == "csv.gz" else text.encode())
        return path
    if form in ("parquet", "pyarrow"):
        fields = [pa.field(x, pa.array(v).type, metadata={"unit": units.get(x, "")})
                  for x, v in written.items()]  # fmt: skip
        table = pa.table(list(map(pa.array, written.values())), schema=pa.schema(fields))
        if form == "pyarrow":
            return table
        pq.write_table(table, folder / "t.parquet")
        return folder / "t.parquet"
    if form in ("pandas", "polars"):
        return pytest.importorskip(form).DataFrame(written)
    table = Table({x: MaskedColumn(v, mask=v != v) for x, v in written.items()})
    if form == "skycoord":
        table["where"] = SkyCoord(table["ra"].data, table["dec"].data, unit="deg")
        table.remove_columns(["ra", "dec"])
    if form in ("skycoord", "mrt"):
        for name, unit in units.items():
            if unit:
                table[name].unit = UnrecognizedUnit(unit)
        if form == "skycoord":
            return table
        table.write(folder / "t.mrt", format="ascii.mrt", overwrite=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            back = Table.read(folder / "t.mrt", format="ascii.mrt")
        for name in set(back.colnames) & set(table.colnames):
            if table[name].dtype.kind == "f":
                a, b = (np.ma.filled(t[name].astype(float), np.nan) for t in (back, table))
                if not np.allclose(a, b, rtol=1e-12, atol=0.0, equal_nan=True):
                    raise ValueError("astropy writes 8.5 beside 1e20 as 8")
        return folder / "t.mrt"
    path = folder / {"votable": "t.vot", "ipac": "t.tbl"}.get(form, f"t.{form}")
    if form == "fits":
        hdu = fits.BinTableHDU(Table(written))
        for i, name in enumerate(hdu.columns.names, 1):
            if units.get(name):
                hdu.header[f"TUNIT{i}"] = units[name]
        hdu.writeto(path, overwrite=True)
        return path
    if form == "votable":
        from_table(table).to_xml(str(path))
        text = path.read_text()
        for name, unit in units.items():
            text = text.replace(
                f'name="{name}"', f'name="{name}" unit="{unit}"' if unit else f'name="{name}"'
            )
        path.write_text(text)
        return path
    for name, unit in units.items():
        if unit:
            # The bracket of the CDS is a logarithm to astropy, and stays text here.
            table[name].unit = UnrecognizedUnit(unit)
    table.write(path, format=f"ascii.{form}", overwrite=True)
    return path


@pytest.mark.long
@pytest.mark.parametrize("form", FORMATS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=columns())
def test_what_is_read_is_what_was_meant_or_is_refused(tmp_path, form, data):
    written, meant, units, sizes = data
    try:
        table = write(written, units, form, tmp_path)
    except (ValueError, TypeError):
        # astropy refuses to write some of the units.
        return
    has_units = form not in ("blanks", "pandas", "polars")
    if not has_units and any(size != 1.0 for size in sizes.values()):
        # A unit that the format does not hold cannot be known.
        return
    stars, error = read(table)
    if stars is None:
        inexact = written["source_id"].dtype.kind == "f" and (written["source_id"] > 2.0**53).any()
        assert "\n" not in error
        assert 0.0 in sizes.values() or inexact or _may_be_refused(form, units, error), error
        return
    assert 0.0 not in sizes.values()
    found_ids = [str(x) for x in stars.source_id]
    expected_ids = [str(int(x)) if isinstance(x, float) else str(x) for x in meant["source_id"]]
    if form not in ("comma", "tab", "bars", "csv.gz", "blanks", "mrt", "base60"):
        assert found_ids == expected_ids
    else:
        assert found_ids in (expected_ids, [str(x) for x in meant["source_id"]])
    found = {name: getattr(stars, name) for name in meant if hasattr(stars, name)}
    found |= {"phot_j_mag": stars.mag[:, 0], "phot_ks_mag": stars.mag[:, 2]}
    # Sexagesimal positions have as many digits as are written.
    place = {"ra": 2e-9, "dec": 2e-9} if form == "base60" else {}
    for name, values in meant.items():
        if name == "source_id":
            continue
        if name == "ref_epoch":
            values = np.where(np.isnan(values), 2016.0, values)
        close = place.get(name, 1e-9)
        np.testing.assert_allclose(found[name], values, rtol=close, atol=close, err_msg=name)


def read(table):
    """Return the stars of a table, or None and why it is refused."""
    try:
        if hasattr(table, "suffix"):
            catalogue = read_observed(table, Config())
        else:
            catalogue = ObservedCatalogue(in_memory(table), Config())
        (stars,) = catalogue.chunks()
    except InputError as error:
        return None, str(error)
    return stars, ""


def _may_be_refused(form, units, error):
    """Whether a table may be refused although all of its units are known."""
    # The bracket is a logarithm to astropy in VOTable and MRT, and IPAC has no quotes.
    bracket = form in ("votable", "mrt") and any(unit.startswith("[") for unit in units.values())
    return bracket or (form == "ipac" and "damaged" in error)
