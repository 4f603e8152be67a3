"""Identifiers of all tiles of a window."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.errors import GcmockError
from gcmock.surveys.fetch.adql import Selection
from gcmock.surveys.fetch.repeats import Repeats


def selection(table="t", identifier="name"):
    columns = ("name", "ra", "dec")
    return Selection(table, columns, "ra", "dec", "ra", "dec", "icrs", 1e-6, identifier)


def collected(tmp_path, *tiles, identifier="name"):
    """All of some tiles: (name, ra) of their rows."""
    found = Repeats()
    for number, rows in enumerate(tiles):
        names, ra = ([row[i] for row in rows] for i in (0, 1))
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"name": names, "ra": ra, "dec": [-29.0] * len(ra)}), path)
        found.add_file(path, selection(identifier=identifier))
    return found


def test_every_source_once(tmp_path):
    collected(tmp_path, [("a", 1.0), ("b", 1.1)], [("c", 1.2)], []).check("service")
    collected(tmp_path, [(1, 1.0)], [(2, 1.2)]).check("service")
    collected(tmp_path, [(None, 1.0)], [(None, 1.2)]).check("service")
    Repeats().check("service")


def test_repeated_rows_are_an_error(tmp_path):
    for tiles in (([("a", 1.0)], [("a", 1.2)]), ([(1, 1.0)], [(1, 1.0)])):
        with pytest.raises(GcmockError, match=r"service: sends 1 sources more than once \(first"):
            collected(tmp_path, *tiles).check("service")


def test_neighbours_may_share_a_name_that_is_made_of_their_position(tmp_path):
    collected(tmp_path, [("a", 1.0)], [("a", 1.0 + 1e-4)]).check("service")
    collected(tmp_path, [("a", 1.0)], [("a", 1.2)], identifier="").check("service")


def test_tables_have_identifiers_of_their_own(tmp_path):
    found = collected(tmp_path, [(1, 1.0)])
    found.add_file(tmp_path / "0.parquet", selection("another"))
    found.check("service")
