"""VOTable and ECSV: rows appended to text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from gcmock.io.writers.text import EcsvEncoder, VotableEncoder
from gcmock.words.columns import Column

COLUMNS = (
    Column("id", "int64", "", "meta.id", "Identifier"),
    Column("pm", "float64", "mas/yr", "pos.pm", "Proper motion, with a comma"),
    Column("kind", "U5", "", "meta.code", "Kind"),
)
ENCODERS = {".vot": VotableEncoder, ".ecsv": EcsvEncoder}


def write(path: Path, sizes: list[int]) -> dict[str, np.ndarray]:
    n = sum(sizes)
    kinds = np.resize(["nsd", 'a"b', "c,d", "e f"], n)
    rows = {"id": np.arange(n) + 2**60, "pm": np.arange(n) / 3.0, "kind": kinds}
    encoder, start = ENCODERS[path.suffix](path, COLUMNS, {"a": "b: <&>"}), 0
    for size in sizes:
        encoder.write({name: values[start : start + size] for name, values in rows.items()})
        start += size
    encoder.finish()
    return rows


@pytest.mark.parametrize("suffix", ENCODERS)
@pytest.mark.parametrize("sizes", [[7], [1, 1, 5], [2, 2, 3]])
def test_chunks_leave_no_trace(tmp_path: Path, suffix: str, sizes: list[int]) -> None:
    """Three bytes make four characters of base64: a chunk may end between them."""
    rows = write(tmp_path / f"a{suffix}", sizes)
    write(tmp_path / f"b{suffix}", [sum(sizes)])
    text = (tmp_path / f"a{suffix}").read_text()
    assert text == (tmp_path / f"b{suffix}").read_text()
    table = Table.read(tmp_path / f"a{suffix}")
    for name, values in rows.items():
        np.testing.assert_array_equal(np.asarray(table[name]).astype(values.dtype), values)


@pytest.mark.parametrize("suffix", ENCODERS)
def test_units_and_descriptions(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a{suffix}", [2])
    table = QTable.read(tmp_path / f"a{suffix}")
    assert table["pm"].unit == u.mas / u.yr
    assert table["pm"].info.description == "Proper motion, with a comma"


def test_ecsv_keeps_every_bit_and_nan(tmp_path: Path) -> None:
    values = np.array([0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, np.nan])
    encoder = EcsvEncoder(tmp_path / "a.ecsv", (COLUMNS[1],), {})
    encoder.write({"pm": values})
    encoder.finish()
    found = np.asarray(Table.read(tmp_path / "a.ecsv")["pm"])
    np.testing.assert_array_equal(found, values)
    assert np.signbit(found[3])


def test_ecsv_has_metadata_in_its_header(tmp_path: Path) -> None:
    write(tmp_path / "a.ecsv", [1])
    assert Table.read(tmp_path / "a.ecsv").meta["gcmock"] == {"a": "b: <&>"}


@pytest.mark.parametrize("suffix", ENCODERS)
def test_no_rows(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a{suffix}", [])
    table = Table.read(tmp_path / f"a{suffix}")
    assert (len(table), table.colnames) == (0, ["id", "pm", "kind"])


@pytest.mark.parametrize("suffix", ENCODERS)
def test_closing_twice_is_no_error(tmp_path: Path, suffix: str) -> None:
    encoder = ENCODERS[suffix](tmp_path / f"a{suffix}", COLUMNS, {})
    encoder.close()
    encoder.close()
    assert (tmp_path / f"a{suffix}").stat().st_size > 0
