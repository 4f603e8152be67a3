"""Small native tables of every survey, written from its definition."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from astropy.table import Table

from gcmock.surveys.definition import load_survey


def native_table(survey: str, spelling: str, n: int = 12, seed: int = 1) -> Table:
    """Plausible rows with every column of a spelling, in its native units and types."""
    rng = np.random.default_rng(seed)
    table = Table()
    for column in load_survey(survey).spelling(spelling).columns:
        dtype = np.dtype(column.dtype)
        if column.role == "source_id":
            text = [f"1745{i:04d}-2900{i:03d}" for i in range(n)]
            values = text if dtype.kind == "U" else 4_057_701_830_728_920_064 + np.arange(n)
        elif column.role == "ra":
            values = rng.uniform(266.0, 267.0, n)
        elif column.role == "dec":
            values = rng.uniform(-29.5, -28.5, n)
        elif dtype.kind == "U":
            letters = {"photometric_quality": "AAA", "read_flag": "222", "blend_flag": "111"}
            values = np.full(n, letters.get(column.role, "000"))
        elif column.role == "ref_epoch":
            values = np.full(n, 2451545.0 if column.unit == "d" else 2014.25)
        elif column.role == "astrometric_params":
            values = np.full(n, 5)
        elif column.role == "astrometric_params_solved":
            values = np.full(n, 31)
        elif column.role.endswith("n_epochs"):
            values = np.full(n, 25)
        elif column.role.endswith(("_mag", "_mag_2")):
            values = rng.uniform(12.5, 16.0, n)
        elif column.role.endswith("flux_over_error"):
            values = rng.uniform(10.0, 100.0, n)
        elif "error" in column.role or column.role.endswith("scatter"):
            values = rng.uniform(0.02, 0.06, n)
        elif column.role == "ruwe":
            values = np.full(n, 1.0)
        else:
            values = rng.normal(size=n)
        if column.role.endswith(("_bits", "_flag", "duplicate")) and dtype.kind == "i":
            values = np.zeros(n)
        table[column.name] = np.asarray(values).astype(dtype)
        if column.unit and dtype.kind == "f":
            table[column.name].unit = column.unit
    return table


def write(table: Table, path: Path) -> Path:
    """Write a table in the format of the suffix; CSV and Parquet as archives do, without units."""
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(to_arrow(table), path)
    elif path.suffix == ".parquet":
        pq.write_table(to_arrow(table), path)
    elif path.suffix == ".vot":
        with warnings.catch_warnings():
            # A name such as 2MASS gets an identifier of its own.
            warnings.simplefilter("ignore")
            table.write(path, format="votable")
    else:
        table.write(path)
    return path


def to_arrow(table: Table) -> pa.Table:
    """Masked values become null."""
    columns = {}
    for name in table.colnames:
        column = table[name]
        mask = np.ma.getmaskarray(column)
        data = np.ma.getdata(column)
        columns[name] = pa.array(
            data.tolist() if data.dtype.kind in "US" else np.asarray(data), mask=mask
        )
    return pa.table(columns)


def sirius_line(
    ra: str, dec: str, magnitudes: tuple[float, float, float], plate: str = "F1"
) -> str:
    """Return a line of the SIRIUS text layout, with the blanks of aligned columns."""
    bands = [
        f"{512.1:8.3f} {300.7:8.3f} {mag:8.4f} {0.02:7.4f}" if mag else " 0.000  0.000  0.0000  0.0"
        for mag in magnitudes
    ]
    return f"   0.012345  -0.054321 {ra} {dec}  {'  '.join(bands)}  {plate}\n"
