"""Of the tables of a file the one with a position is read, or the one that is named."""

from pathlib import Path

import pytest

from gcmock.errors import InputError
from gcmock.io.readers.choice import (
    ANY,
    Candidate,
    Choice,
    choose,
    chosen_in,
    has_position,
    split_choice,
)

FIELDS = Candidate(1, "FIELDS", ("field", "n"), 2)
STARS = Candidate(2, "", ("RAJ2000", "DEJ2000"), 1000)
OTHERS = Candidate(3, "OTHERS", ("l", "b"), None)
FILE = Path("t.fits")


def test_a_choice_follows_the_name_of_a_file(tmp_path):
    path = tmp_path / "t.fits"
    path.touch()
    assert split_choice(f"{path}[2]") == (path, "2")
    assert split_choice(str(path)) == (path, "")
    assert split_choice(tmp_path / "absent.fits[2]") == (tmp_path / "absent.fits[2]", "")
    odd = tmp_path / "t.fits[2]"
    odd.touch()
    assert split_choice(odd) == (odd, "")


def test_positions():
    assert has_position(("RA", "Dec"), {})
    assert has_position(("l", "b"), {})
    assert not has_position(("L", "B"), {})
    assert has_position(("x", "y"), {"ra": "x", "dec": "y"})
    assert not has_position(("ra", "dec"), {"ra": "x"})


def test_the_one_with_a_position():
    best, remarks = choose(FILE, [FIELDS, STARS], ANY)
    assert best is STARS
    assert remarks == (
        "of t.fits the table [2], 1,000 rows is read; it holds others: [1] 'FIELDS', 2 rows",
    )
    assert choose(FILE, [FIELDS], ANY) == (FIELDS, ())


def test_the_one_that_is_named():
    for which in ("3", "others"):
        assert choose(FILE, [STARS, OTHERS], Choice(which)) == (OTHERS, ())
    with pytest.raises(InputError, match="has no table '4'; there are"):
        choose(FILE, [STARS, OTHERS], Choice("4"))
    with pytest.raises(InputError, match=r"2 tables hold positions: .*t\.fits\[2\]"):
        choose(FILE, [STARS, OTHERS], ANY)


def test_what_a_recorded_name_chooses():
    assert chosen_in("stars.fits[2]") == "2"
    assert chosen_in("stars.fits[ NEW ]") == "NEW"
    assert chosen_in("stars.fits") == ""
