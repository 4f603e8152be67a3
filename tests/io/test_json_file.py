"""JSON objects that others may have changed."""

import pytest

from gcmock.errors import InputError
from gcmock.io.json_file import checked_object, read_object

KEYS = {"name": str, "n": int, "share": (int, float), "more": dict}
GOOD = '{"name": "a", "n": 3, "share": 0.5, "more": {}}'


def test_what_is_right_is_returned(tmp_path):
    (tmp_path / "a.json").write_text(GOOD)
    assert read_object(tmp_path / "a.json", KEYS)["n"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected an object of JSON, found a list"),
        ("null", "found nothing"),
        ("3", "found a number"),
        ("", "damaged or not readable"),
        (GOOD[:20], "damaged or not readable"),
        ("[" * 100_000, "damaged or not readable"),
        ("1" * 5000, "damaged or not readable"),
        (GOOD.replace("0.5", "NaN"), "NaN is no number of JSON"),
        (GOOD.replace("3", "true"), "n = True is true or false"),
        (GOOD.replace('"a"', "[1]"), r"name = \[1\] is a list"),
        (GOOD.replace('"n"', '"m"'), "has no 'n'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=rf"a\.json: .*{message}"):
        read_object(tmp_path / "a.json", KEYS)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_object(tmp_path / "none.json", {})
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="damaged or not readable"):
        read_object(tmp_path / "a.json", {})


def test_parts_of_an_object_are_checked_alike():
    with pytest.raises(InputError, match="record: modes: damaged: has no 'name'"):
        checked_object("record: modes", {}, {"name": str})
