"""Names that no file can have are found before any work."""

import pytest

from gcmock.errors import InputError
from gcmock.io.file_names import check_input_name, check_output_name


def test_names_that_can_be_used(tmp_path):
    for name in ("a.parquet", "ä" * 100, "n" * 200, "no/such/folder/x.fits"):
        check_input_name(tmp_path / name)
        check_output_name(tmp_path / name)
    check_input_name(tmp_path / ("n" * 255))


@pytest.mark.parametrize("name", ["n" * 256, "ä" * 128, "nul\0", "/".join(["n" * 200] * 30)])
def test_names_that_cannot(tmp_path, name):
    for check in (check_input_name, check_output_name):
        with pytest.raises(InputError, match=r"has a name of|cannot be used"):
            check(tmp_path / name)


def test_an_output_needs_room_for_the_mark_of_what_is_being_written(tmp_path):
    with pytest.raises(InputError, match="has a name of 230 bytes; at most 215 can be used"):
        check_output_name(tmp_path / ("n" * 230))
