"""CSV tables whose types are known: text keeps every character."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.surveys.read.csv_table import NativeCsvSource, has_names, is_plain_csv


@pytest.mark.parametrize(
    ("content", "plain"),
    [
        (b"ra,dec\n1,2\n", True),
        (b"ra,dec\n", False),
        (b"ra,dec", False),
        (b"PAR1\n1\n", False),
        (b"# %ECSV 1.0\nra\n", False),
        (b"<?xml version='1.0'?>\n<VOTABLE>\n", False),
        (b"ra,\0dec\n1,2\n", False),
        (b"x" * 5000 + b"\n1\n", False),
    ],
)
def test_plain_csv_is_told_from_other_formats(tmp_path, content, plain):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    assert is_plain_csv(path) is plain


def test_no_file_and_a_folder_are_not_csv(tmp_path):
    assert not is_plain_csv(tmp_path / "absent.csv")
    assert not is_plain_csv(tmp_path)
    assert not has_names(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("text", "named"),
    [("ra dec\n", True), ("# ra dec\n\n1 2\n", False), ("-1.5 2\n", False), ("", False)],
)
def test_first_line_that_is_no_comment_has_the_names(tmp_path, text, named):
    path = tmp_path / "table.dat"
    path.write_text(text)
    assert has_names(path) is named


def test_text_and_numbers_are_what_was_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id,flag,mag\n1234567890123456789,022,12.5\n2,  A,\n3,,1e1\n")
    source = NativeCsvSource(path)
    source.read_as({"id": True, "flag": True, "mag": False})
    (chunk,) = source.chunks(10, ["id", "flag", "mag"])
    assert chunk["id"].to_pylist() == ["1234567890123456789", "2", "3"]
    assert chunk["flag"].to_pylist() == ["022", "  A", ""]
    np.testing.assert_array_equal(np.ma.filled(chunk["mag"], np.nan), [12.5, np.nan, 10.0])
    assert source.count_rows() == 3
