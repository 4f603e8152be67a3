"""How a text table is written: separator, names, units, and where its rows begin."""

from __future__ import annotations

import gzip

import pytest

from gcmock.errors import InputError
from gcmock.io.readers.dialect import BLANK, dialect_of, is_gzip, kind_of_text, text_head
from gcmock.io.readers.opening import open_table

ROW = "1.5,2.5,x\n"


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "table.txt"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("head", "separator", "units"),
    [
        ("ra,dec,name\n", ",", {}),
        ("\ufeffra,dec,name\n", ",", {}),
        ("# a comment\n\nra,dec,name\n", ",", {}),
        ("ra;dec;name\n", ";", {}),
        ("ra\tdec\tname\n", "\t", {}),
        ("ra|dec |name\n", "|", {}),
        (" ra  dec name\n", BLANK, {}),
        ("# ra dec name\n", BLANK, {}),
        ("#ra,dec,name\n", ",", {}),
        ("ra,dec,name\ndeg,deg,\n", ",", {"ra": "deg", "dec": "deg"}),
        ("# ra dec name\n# deg mas/yr ---\n", BLANK, {"ra": "deg", "dec": "mas/yr"}),
        ("# by A\n# ra dec name\n# made with care\n", BLANK, {}),
        ("# ra dec name\n# made on a day of rain\n", BLANK, {}),
        ("ra;dec;name\ndeg;deg; \n---;---;---\n", ";", {"ra": "deg", "dec": "deg"}),
    ],
)
def test_every_dialect(tmp_path, head, separator, units):
    rows = ROW.replace(",", separator) * 2
    path = written(tmp_path, head + rows)
    found = dialect_of(path)
    assert found.separator == separator
    assert found.names == ("ra", "dec", "name")
    assert found.units == units
    assert path.read_bytes()[found.start :].decode() == rows


def test_separator_is_the_one_that_cuts_all_lines_alike(tmp_path):
    found = dialect_of(written(tmp_path, 'ra;"a,b";c\n1;2,5;3\n1;2;3\n'))
    assert found.names == ("ra", "a,b", "c")


def test_latin_1_is_read_and_compressed_files_too(tmp_path):
    assert dialect_of(written(tmp_path, "ra,größe\n1,2\n", "latin-1")).names == ("ra", "größe")
    path = tmp_path / "table.gz"
    path.write_bytes(gzip.compress(b"ra,dec\n1,2\n"))
    assert is_gzip(path)
    assert text_head(path) == b"ra,dec\n1,2\n"
    assert dialect_of(path).start == len("ra,dec\n")


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("", "utf-8", "the table has no rows"),
        ("ra,dec\n", "utf-8", "the table has no rows"),
        ("1.0,2.0\n3.0,4.0\n", "utf-8", r"no line with the names .* the first line is '1.0,2.0'"),
        ("ra,dec\n1,2\n", "utf-16", "is UTF-16 text; save it as UTF-8"),
        ("ra,ra\n1,2\n", "utf-8", "ra"),
    ],
)
def test_one_line_for_what_is_no_table(tmp_path, text, encoding, words):
    with pytest.raises(InputError, match=words):
        dialect_of(written(tmp_path, text, encoding))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        text_head(tmp_path / "absent.csv")
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"ra,dec\n" * 1000)[:-12])
    with pytest.raises(InputError, match="damaged: the compressed file ends too early"):
        text_head(path)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"# %ECSV 1.0\n", "ecsv"),
        (b"Title: x\nByte-by-byte Description of file: t\n", "mrt"),
        (b"x\nByte-by-byte Description of file: t\n", "cds"),
        (b"\\fixlen = T\n| ra | dec |\n| double | double |\n  1    2\n  1    2\n 3 4\n", "ipac"),
        (b"|ra|dec|\n|1|2|\n|1|2|\n|1|2|\n|1|2|\n", "csv"),
        (b"ra,dec\n1,2\n", "csv"),
    ],
)
def test_kinds_of_text(head, kind):
    assert kind_of_text(head) == kind


def test_borders_and_counts_of_rows_are_no_rows(tmp_path):
    """Tables of TOPCAT and of databases."""
    border = "+-----+------+---+\n"
    rows = "| 1.5 | 2.5  | x |\n| 2.5 | 3.5  |   |\n"
    (tmp_path / "a.txt").write_text(f"{border}| ra  | dec  | n |\n{border}{rows}{border}")
    (tmp_path / "b.txt").write_text(
        " ra | dec | n \n----+-----+---\n 1.5|2.5|x\n 2.5| 3.5|\n(2 rows)\n"
    )
    for name in ("a.txt", "b.txt"):
        source = open_table(tmp_path / name)
        (chunk,) = source.chunks(10)
        assert {n: v.tolist() for n, v in chunk.items()} == {
            "ra": [1.5, 2.5], "dec": [2.5, 3.5], "n": ["x", ""],
        }  # fmt: skip
