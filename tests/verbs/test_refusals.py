"""What cannot be right is refused in one line before any work: settings, options, lists."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

import gcmock
from gcmock.errors import InputError


def refused(call, *given, **named) -> str:
    """Return the message of a refusal of bounded length."""
    with pytest.raises(InputError) as found:
        call(*given, **named)
    words = str(found.value)
    assert len(words) < 3000
    return words


@pytest.mark.parametrize(
    "sections",
    [
        {"model": {"r0_pc": 1.0}},
        {"model": {"r0_pc": 1e308}},
        {"distance": {"min_pc": 1e-300}},
        {"distance": {"max_pc": 1e308}},
        {"distance": {"max_pc": 1e9}},
        {"extinction": {"dust_scale_height_pc": 1e-300}},
        {"extinction": {"residual_scatter_mag": 100.0}},
        {"photometry": {"error_floor_mag": 1e308}},
        {"photometry": {"default_error_mag": -1.0}},
        {"run": {"realisations": 10**24}},
        {"run": {"workers": 10**9}},
        {"run": {"workers": -1}},
        {"run": {"chunk_size": 0}},
        {"columns": {"phot_j_mag": "phot_ks_mag"}},
    ],
    ids=str,
)
def test_settings_have_ranges(stars_file, tmp_path, sections) -> None:
    refused(gcmock.build, stars_file, tmp_path / "m.parquet", **sections)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{"realisations": 1.5}, {"workers": -1}, {"workers": 10**9}])
def test_options_are_whole_numbers_of_a_range(stars_file, tmp_path, options) -> None:
    refused(gcmock.build, stars_file, tmp_path / "m.parquet", **options)


def test_true_stars_are_not_observed(mock_file, tmp_path) -> None:
    assert "mock catalogue" in refused(gcmock.build, mock_file, tmp_path / "m.parquet")


def test_more_stars_than_anybody_wants(tmp_path) -> None:
    """The number is estimated first."""
    window = {"l": (-1.0, 1.0), "b": (-1.0, 1.0)}
    words = refused(gcmock.simulate, **window, ks_max=26.0, output=tmp_path / "s.parquet")
    assert "max-rows" in words or "max_rows" in words
    assert not list(tmp_path.iterdir())


def test_the_report_is_of_its_own_input(mock_file, few_stars, tmp_path) -> None:
    other = few_stars(20, seed=9)
    other["source_id"] += 10**6
    other.write(tmp_path / "other.parquet")
    refused(
        gcmock.report, mock_file, tmp_path / "r.html", input=tmp_path / "other.parquet", sample=1
    )
    assert not (tmp_path / "r.html").exists()


def test_a_list_that_teaches_nothing_is_no_calibration(tmp_path) -> None:
    """Stars of one colour and magnitude, or with nothing asked to be learned."""
    n = 60
    table = Table({"l": np.full(n, 0.3), "b": np.full(n, -0.2), "phot_ks_mag": np.full(n, 12.0)})
    table.write(tmp_path / "one.parquet")
    refused(gcmock.calibrate, tmp_path / "one.parquet", tmp_path / "c.fits")
    assert not (tmp_path / "c.fits").exists()
