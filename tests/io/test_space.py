"""Outputs that do not fit on a disk are refused before the work."""

import pytest

from gcmock.errors import InputError
from gcmock.io.space import check_space


def test_what_fits_is_written(tmp_path):
    check_space(tmp_path / "a.parquet", 10, 100, "")
    check_space(tmp_path / "no" / "folder" / "a.parquet", 1e30, 100, "")


def test_what_does_not_fit_is_refused_with_advice(tmp_path):
    with pytest.raises(InputError, match=r"about 1,000,000,000,000,000 rows .* are free: fewer x"):
        check_space(tmp_path / "a.parquet", 1e15, 220, "fewer x")
