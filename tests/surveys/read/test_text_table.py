"""Blank-separated lines without a header."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.surveys.definition import NativeColumn, Spelling
from gcmock.surveys.read.text_table import TextSource, squeeze

SPELLING = Spelling(
    name="test",
    header=False,
    columns=(
        NativeColumn(role="ra", name="RA", unit="hourangle", dtype="U14"),
        NativeColumn(role="dec", name="DEC", unit="deg", dtype="U14"),
        NativeColumn(role="phot_ks_mag", name="K", unit="mag"),
        NativeColumn(role="photometric_quality", name="Q", unit="", dtype="U3"),
    ),
)


def opened(tmp_path, text):
    path = tmp_path / "table.dat"
    path.write_text(text)
    return TextSource(path, "test", SPELLING)


def test_sexagesimal_numbers_signs_and_text(tmp_path):
    source = opened(
        tmp_path, "17:45:40.2 -00:30:36.0 +12.5 AAU\n  12 0 0   +01 15 0.0\t-1.5   022  \n\n"
    )
    (chunk,) = source.chunks(10)
    np.testing.assert_allclose(chunk["RA"], [266.4175, 180.0])
    np.testing.assert_allclose(chunk["DEC"], [-0.51, 1.25])
    np.testing.assert_array_equal(chunk["K"], [12.5, -1.5])
    assert [str(x) for x in chunk["Q"]] == ["AAU", "022"]
    assert source.units == {"RA": "deg", "DEC": "deg"}
    assert source.count_rows() == 2


def test_chunks_have_the_size_and_the_columns_asked_for(tmp_path):
    source = opened(tmp_path, "".join(f"1 2 3 4 5 6 {k} A\n" for k in range(5)))
    chunks = list(source.chunks(2, ["K"]))
    assert [chunk["K"].tolist() for chunk in chunks] == [[0.0, 1.0], [2.0, 3.0], [4.0]]
    assert all(set(chunk) == {"K"} for chunk in chunks)


def test_errors_say_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match=r"line 1 has 3 numbers, but the test text layout has 8"):
        opened(tmp_path, "1 2 3\n")
    with pytest.raises(InputError, match="the file is empty"):
        opened(tmp_path, "\n \n")
    with pytest.raises(InputError, match="no such file"):
        TextSource(tmp_path / "absent.dat", "test", SPELLING)
    source = opened(tmp_path, "1 2 3 4 5 6 7 A\n1 2 3 4 5 6 bright A\n")
    with pytest.raises(InputError, match=r"within the lines after 0: .*bright"):
        list(source.chunks(10))


BLANKS = st.sampled_from([" ", "   ", "\t", " \t "])
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", " \n "])
FIELDS = st.lists(st.sampled_from(["1", "-2.5", "+3", "A+"]), min_size=1, max_size=4)


@settings(max_examples=50)
@given(st.lists(FIELDS, min_size=1, max_size=4), BLANKS, ENDS)
def test_squeezed_lines_have_one_blank_between_fields(rows, blank, end):
    block = "".join(blank.join(row) + end for row in rows).encode()
    found = [line.split(b" ") for line in squeeze(block).splitlines()]
    assert found == [[field.removeprefix("+").encode() for field in row] for row in rows]
