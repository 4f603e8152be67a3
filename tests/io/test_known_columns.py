"""Columns of gcmock's own tables, held against what they can be."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table

from gcmock.errors import InputError
from gcmock.io.known_columns import CheckedSource, check_columns, check_units
from gcmock.io.readers.opening import open_table
from gcmock.words.columns import OUTPUT_COLUMNS, SOURCE_ID, Column, columns_by_name

KNOWN = columns_by_name(OUTPUT_COLUMNS)


def check(name, values, **options):
    check_columns("file", {name: np.ma.asarray(values)}, [KNOWN[name]], **options)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("p_nsd", ["a", "b"], "column 'p_nsd' holds values of the type <U1, but numbers"),
        ("l", [1.0, np.nan], "l is missing in row 11"),
        ("l", np.ma.masked_array([1.0, 2.0], [True, False]), "l is missing in row 10"),
        ("distance_pc", [1.0, -3.0], "distance_pc = -3 in row 11 .* expected 0.001 to"),
        ("vx", [1.0, 1e300], r"vx = 1e\+300 in row 11"),
        ("p_bar", [0.5, 1.5], "p_bar = 1.5"),
        ("realisation", [0.5, 1.0], "but integers are expected"),
        ("component", [1, 2], "but text are expected"),
    ],
)
def test_what_cannot_be_is_named_with_its_row(name, values, message):
    with pytest.raises(InputError, match=rf"^file: .*{message}"):
        check(name, values, first_row=10)


def test_what_can_be_passes():
    check("p_nsd", [0.0, 1.0 + 1e-8])
    check("p_nsd", [0, 1])
    check("log_evidence", [np.nan, -1e6], may_miss=["log_evidence"])
    check_columns("file", {"source_id": np.array(["a"])}, [SOURCE_ID])
    check_columns("file", {"source_id": np.array([2**63], np.uint64)}, [SOURCE_ID])


def test_units_are_those_that_gcmock_writes():
    column = Column("parallax", "float64", "mas", "", "")
    check_units("file", {"parallax": "mas"}, [column])
    check_units("file", {}, [column])
    for unit in ("arcsec", "km", "nonsense"):
        with pytest.raises(InputError, match="parallax"):
            check_units("file", {"parallax": unit}, [column])


def test_a_source_is_checked_while_it_is_read():
    chunks = [{"l": np.zeros(2), "other": np.zeros(2)}, {"l": np.array([0.0, np.inf])}]
    source = SimpleNamespace(
        path="file", n_rows=4, columns=("l",), units={}, chunks=lambda *_: iter(chunks)
    )
    with pytest.raises(InputError, match="l = inf in row 3"):
        list(CheckedSource(source).chunks(2))


def test_a_source_in_other_units_is_refused(tmp_path):
    table = Table({"ra": [1.0], "distance_pc": [8.0]})
    table["distance_pc"].unit = "kpc"
    table.write(tmp_path / "t.ecsv")
    with pytest.raises(InputError, match="'distance_pc' is in kpc, but pc is expected"):
        CheckedSource(open_table(tmp_path / "t.ecsv"))
