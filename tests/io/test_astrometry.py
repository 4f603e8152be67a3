"""Astrometry of observed stars: what counts as measured."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.gaia_zero_point import parallax_zero_point
from gcmock.io.astrometry import observed_astrometry, remarks_on_zero_point
from gcmock.io.columns import ColumnMatch
from gcmock.io.read_summary import ReadSummary
from gcmock.words.flags import MatchFlag


def read(summary=None, at=(0.0, 0.0), of_gaia=False, **columns):
    chunk = {name: np.array(values, float) for name, values in columns.items()}
    n = len(next(iter(chunk.values())))
    matches = {name: ColumnMatch(name) for name in chunk}

    def galactic():
        return np.full(n, at[0]), np.full(n, at[1])

    summary = summary or ReadSummary()
    return observed_astrometry("t", chunk, matches, n, galactic, summary, of_gaia=of_gaia)


def test_zeros_without_errors_are_no_measurements():
    summary = ReadSummary()
    found = read(
        summary,
        parallax=[0.0, 0.0, 1.0],
        parallax_error=[np.nan, 0.1, 0.1],
        pmra=[0.0, 0.0, 1.0],
        pmdec=[0.0, 2.0, 2.0],
        pmra_error=[1.0, 1.0, 1.0],
        radial_velocity=[0.0, 0.0, 50.0],
        radial_velocity_error=[np.nan, 1.0, 1.0],
        pmra_pmdec_corr=[0.2, -1.0, 1.5],
    )
    np.testing.assert_array_equal(found["parallax"], [np.nan, 0.0, 1.0])
    np.testing.assert_array_equal(found["pmra"], [np.nan, 0.0, 1.0])
    np.testing.assert_array_equal(found["pmra_error"], [np.nan, 1.0, 1.0])
    np.testing.assert_array_equal(found["radial_velocity"], [np.nan, 0.0, 50.0])
    np.testing.assert_array_equal(found["pmra_pmdec_corr"], [0.2, -1.0, np.nan])
    assert np.isnan(found["ruwe"]).all()
    assert summary.missing["pmra"] == summary.missing["parallax"] == 1
    assert "ruwe" not in summary.missing


def test_motions_along_galactic_axes_are_turned():
    """A turn of the axes does not change the length of a motion."""
    found = read(at=(30.0, -2.0), pml=[3.0, -1.0], pmb=[4.0, 0.5])
    length = np.hypot(found["pmra"], found["pmdec"])
    np.testing.assert_allclose(length, np.hypot([3.0, -1.0], [4.0, 0.5]))


def test_equatorial_motions_come_first():
    found = read(pml=[3.0], pmb=[4.0], pmra=[1.0], pmdec=[2.0])
    assert (found["pmra"].item(), found["pmdec"].item()) == pytest.approx((1.0, 2.0))


def test_one_axis_alone_does_not_hide_motions_along_galactic_ones():
    found = read(pml=[3.0], pmb=[4.0], pmra=[100.0], pmra_error=[0.1])
    np.testing.assert_allclose(np.hypot(found["pmra"], found["pmdec"]), 5.0)
    assert np.isnan(found["pmra_error"]).all()


GAIA = {
    "phot_g_mean_mag": [15.0, 15.0, np.nan],
    "nu_eff_used_in_astrometry": [1.4, np.nan, 1.4],
    "pseudocolour": [np.nan, 1.4, np.nan],
    "ecl_lat": [-5.0, -5.0, -5.0],
    "astrometric_params_solved": [31, 95, 31],
}


def test_the_zero_point_of_gaia_is_removed_where_it_is_known():
    """Five parameters, six, and neither a colour nor a magnitude."""
    pytest.importorskip("zero_point", reason="gaiadr3-zeropoint is not installed")
    measured = {"parallax": [0.3, 0.3, 0.3], "parallax_error": [0.05, 0.05, 0.05]}
    found = read(of_gaia=True, **measured, **GAIA)["parallax"]
    expected = parallax_zero_point(*(np.array(values, float) for values in GAIA.values()))
    np.testing.assert_allclose(found[:2], 0.3 - expected[:2])
    assert found[2] == 0.3
    np.testing.assert_array_equal(read(**measured, **GAIA)["parallax"], 0.3)


def test_the_zero_point_of_a_merged_catalogue_is_removed_once():
    """The list counts as without it where nine parallaxes in ten are."""
    pytest.importorskip("zero_point", reason="gaiadr3-zeropoint is not installed")
    gaia = {name: [values[0]] * 10 for name, values in GAIA.items()}
    measured = {"parallax": [0.3] * 10, "parallax_error": [0.05] * 10}
    flags = [int(MatchFlag.ZERO_POINT | MatchFlag.BLENDED)] * 9 + [int(MatchFlag.BLENDED)]
    summary = ReadSummary()
    found = read(summary, of_gaia=True, match_flags=flags, **measured, **gaia)["parallax"]
    np.testing.assert_array_equal(found[:9], 0.3)
    assert found[9] > 0.3
    assert (summary.n_parallax, summary.n_zero_point_removed) == (10, 10)
    assert summary.zero_point_removed
    for removed, all_but_few in ((10, True), (9, False)):
        summary, flags = ReadSummary(), [128] * removed + [0] * (10 - removed)
        read(summary, match_flags=flags, **measured)
        assert summary.zero_point_removed == all_but_few
    summary = ReadSummary()
    read(summary, match_flags=[np.nan, 128.0], parallax=[np.nan] * 2)
    assert not summary.zero_point_removed


def test_the_zero_point_is_said():
    matches = {name: ColumnMatch(name) for name in ("parallax", *GAIA)}
    (remark,) = remarks_on_zero_point(matches, True)
    assert "zero" in remark
    assert not remarks_on_zero_point(matches, False)
    del matches["pseudocolour"]
    assert not remarks_on_zero_point(matches, True)
