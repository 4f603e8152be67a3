"""The calibration as a file: columns, errors, images of the map."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from calibrations import STEP, calibration
from small_map import small_map

from gcmock.calibration import calibration_file as module
from gcmock.calibration.calibration_file import (
    LAW_COLUMNS,
    MAP_COLUMNS,
    STAR_COLUMNS,
    check_output,
    law_table,
    learned_of,
    map_table,
    nothing_of,
    record,
    write_calibration,
    write_nothing,
)
from gcmock.calibration.curves import GROUP_OF_PART, GROUPS
from gcmock.calibration.measurements import usual_measurements
from gcmock.calibration.motions import FRAME_PRIOR_MASYR, usual_motions
from gcmock.calibration.parallaxes import ZERO_POINT_PRIOR
from gcmock.calibration.weights import usual_weights
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs
from gcmock.learned import load_learned
from gcmock.posterior.doubt import CENTRES, Doubt
from gcmock.settings.build import load_config
from gcmock.words.cases import usual_fractions
from gcmock.words.components import COMPONENTS, PARTS


def test_map_in_magnitudes():
    result = calibration()
    table = map_table(result)
    assert set(table) == {column.name for column in MAP_COLUMNS}
    # The map says 2 mag.
    np.testing.assert_allclose(table["e_jks"], [2.0, 2.2, 2.0])
    np.testing.assert_allclose(table["e_jks_error"], [0.04, 0.04, 0.2])
    np.testing.assert_allclose(table["e_jks_scatter"], [0.1, 0.14, 0.12])
    np.testing.assert_allclose(table["a_ks"], table["e_jks"] * result.law.rows[0][2])
    assert table["source"].tolist() == ["cell", "cell", "region"]
    np.testing.assert_allclose(table["l"], [3.5 * STEP, 3.5 * STEP, 4.5 * STEP])
    ra, dec = galactic_to_icrs(table["l"], table["b"])
    np.testing.assert_allclose(table["ra"], ra)
    np.testing.assert_allclose(table["dec"], dec)


def test_law_with_its_errors():
    given = calibration()
    table = law_table(given.law, given.law_fits)
    assert set(table) == {column.name for column in LAW_COLUMNS}
    assert table["region"].tolist() == ["all"]
    assert table["n_star"].tolist() == [120]
    np.testing.assert_allclose([table["slope"][0], table["offset_h"][0]], [2.1, 0.01])
    np.testing.assert_allclose([table["slope_error"][0], table["offset_h_error"][0]], [0.02, 0.01])
    assumed = law_table(given.law, {})
    assert assumed["n_star"].tolist() == [0]
    assert assumed["a_j_error"].tolist() == [0.0]


def test_stars_only_where_neighbours_were_used():
    result = calibration()
    assert all(values.size == 0 for values in module._star_table(result).values())
    local = result.local._replace(n_neighbour=5, neighbour_scatter=0.02)
    table = module._star_table(calibration(local=local))
    assert set(table) == {column.name for column in STAR_COLUMNS}
    # The star that nothing explains is left out.
    np.testing.assert_allclose(table["l"], [0.0, 0.001, 0.003, 0.004, 0.005])
    np.testing.assert_array_equal(table["factor"], local.factor)


def rich():
    """A calibration in which everything was learned."""
    n = len(GROUPS)
    weights = usual_weights()._replace(
        of_group=np.linspace(0.5, 1.5, n), error=np.linspace(0.1, 0.2, n), n_star=5
    )
    case_fraction = usual_fractions()[::-1].copy()
    measurements = usual_measurements()._replace(
        error_scale=np.array([1.3, 1.3, 1.3]), case_fraction=case_fraction, zero_point_mas=-0.04,
        parallax_scale=1.2, n_parallax=77,
        motions=usual_motions()._replace(frame_masyr=np.array([0.2, -0.3]), scale=1.1, n_star=300),
        doubt=Doubt(np.array([24, 28]), np.arange(2.0 * CENTRES.size).reshape(2, -1)),
    )  # fmt: skip
    local = calibration().local._replace(n_neighbour=5, radius_deg=np.full(5, 0.003))
    return calibration(weights=weights, measurements=measurements, local=local)


def test_weights_of_parts_are_those_of_their_group():
    one = rich()
    (_, table) = module._tables_of_stars(one.weights, one.measurements, one.foreground)["PARTS"]
    assert table["part"].tolist() == [part.name for part in PARTS]
    of_group = dict(zip(GROUPS, rich().weights.of_group, strict=True))
    by_name = dict(zip(table["part"], table["weight"], strict=True))
    assert by_name["bar"] == of_group["bar"]
    assert by_name["nsd"] == by_name["nsc"] == of_group["nuclear"]
    assert by_name["thin1"] == by_name["thick"] == of_group["disc"]
    for part in PARTS[len(COMPONENTS) :]:
        assert by_name[part.name] == of_group[part.name]


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_is_written_is_what_is_read(tmp_path, in_memory):
    given = rich()
    if in_memory:
        found = learned_of(given)
    else:
        path = tmp_path / "learned.fits"
        write_calibration(given, path, {"name": "stars.fits", "sha256": "abc"}, dated=False)
        found = load_learned(path)
    assert found.map_value == given.config.extinction.map_value
    assert found.cell.tolist() == given.cell.tolist()
    np.testing.assert_allclose(found.factor, given.fit.factor, rtol=1e-6)
    # The mean may be as wrong as it is said to be.
    scatter = np.hypot(given.fit.scatter, given.fit.factor_error)
    np.testing.assert_allclose(found.scatter, scatter, rtol=1e-6)
    np.testing.assert_array_equal(found.law.rows, given.law.rows)
    np.testing.assert_array_equal(found.weights, given.weights.of_group[GROUP_OF_PART])
    np.testing.assert_array_equal(found.case_fraction, given.measurements.case_fraction)
    np.testing.assert_array_equal(found.error_scale, 1.3)
    assert (found.zero_point_mas, found.parallax_scale) == (-0.04, 1.2)
    assert (found.frame_masyr.tolist(), found.motion_scale) == ([0.2, -0.3], 1.1)
    np.testing.assert_array_equal(found.frame_error_masyr, FRAME_PRIOR_MASYR)
    np.testing.assert_array_equal(found.doubt_class, [24, 28])
    np.testing.assert_array_equal(found.doubt_limit, given.measurements.doubt.limit)
    np.testing.assert_allclose(found.star[0], given.local.factor, rtol=1e-6)
    np.testing.assert_allclose(found.star[4], 0.003, rtol=1e-6)
    # The same reddening as the values say, at stars and beside them.
    places = given.stars.data.take(given.stars.first)
    l_deg, b_deg = places.l_deg[given.explained], places.b_deg[given.explained]
    sky = small_map(10, 10)
    cells = dataclasses.replace(found, cell=np.unique(sky.cell_index(l_deg, b_deg)))
    one = np.ones(cells.cell.size)
    cells = dataclasses.replace(cells, factor=one, scatter=0.1 * one)
    e_jks, tau = cells.reddening(sky, l_deg, b_deg, np.full(5, 2.0), np.zeros(5))
    np.testing.assert_allclose(e_jks, 2.0 * given.local.factor, rtol=1e-6)
    np.testing.assert_allclose(tau, 2.0 * given.local.scatter, rtol=1e-6)


@pytest.mark.slow
def test_same_calibration_same_bytes(tmp_path):
    paths = [tmp_path / name for name in ("one.fits", "other.fits")]
    for path in paths:
        write_calibration(rich(), path, {"name": "stars.fits", "sha256": "abc"}, dated=False)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_limits_of_no_class(tmp_path):
    """Usual measurements know no limits: every star is doubted."""
    found = learned_of(calibration())
    assert found.doubt_class.size == 0
    assert found.doubt_limit.shape[0] in (0, 1)


@pytest.mark.slow
def test_a_list_that_says_nothing(tmp_path):
    """Priors, the law of the settings, and the reason, as a file and in memory."""
    path = tmp_path / "nothing.fits"
    source = {"name": "few.fits", "sha256": "abc"}
    config = load_config(None, {"extinction.law": "nishiyama_2009"})
    write_nothing(path, config, source, "few.fits: 10 stars with a colour")
    from_file, in_memory = load_learned(path), nothing_of(config, "10 stars")
    for found in (from_file, in_memory):
        assert found.cell.size == len(found.place) == 0
        assert found.map_value == config.extinction.map_value
        assert found.law.name == "learned (nishiyama_2009)"
        n = len(COMPONENTS)
        assert found.weights.tolist() == [1.0] * n + [0.0] * (len(PARTS) - n)
        np.testing.assert_array_equal(found.case_fraction, usual_fractions())
        assert (found.error_scale == 1.0).all()
        assert (found.zero_point_mas, found.zero_point_error_mas) == ZERO_POINT_PRIOR
        assert (found.parallax_scale, found.limits) == (1.0, ())
        assert (found.frame_masyr.tolist(), found.motion_scale) == ([0.0, 0.0], 1.0)
    with fits.open(path) as hdus:
        words = json.loads(hdus[0].header["GCMOCK"])
    assert words["reason"] == "few.fits: 10 stars with a colour"
    assert words["input_sha256"] == "abc"
    with pytest.raises(InputError, match="exists already"):
        write_nothing(path, config, source, "", overwrite=False)
    write_nothing(path, config, source, "again", overwrite=True)


def test_provenance():
    words = record(calibration(), {"name": "stars.fits", "sha256": "abc"})
    assert words["limits_ks_mag"] == "11 to 15"
    assert words["extinction_law"] == "fitted: stars"
    assert json.loads(words["account"])["without Ks"] == 40
    assert json.loads(words["loo_score"]) == {"0 0": -1.25}
    assert all(isinstance(value, str) for value in words.values())


def test_names_of_outputs(tmp_path):
    with pytest.raises(InputError, match=r"give a name that ends in \.fits"):
        check_output(tmp_path / "map.parquet", overwrite=False)
    path = tmp_path / "map.FITS"
    check_output(path, overwrite=False)
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        check_output(path, overwrite=False)


def test_file(tmp_path):
    path = tmp_path / "map.fits"
    write_calibration(calibration(), path, {"name": "stars.fits", "sha256": "abc"})
    with fits.open(path) as hdus:
        names = [hdu.name for hdu in hdus[1:]]
        assert names == ["CELLS", "STARS", "LAW", "DOUBT", "PARTS", "DUST", "CASES", "ERRORS",
                         "PARALLAX", "MOTION", "SELECTION", "MAP_E_JKS", "MAP_E_JKS_ERROR",
                         "MAP_E_JKS_SCATTER"]  # fmt: skip
        header = hdus["CELLS"].header
        for i, column in enumerate(MAP_COLUMNS, 1):
            assert header[f"TTYPE{i}"] == column.name
            assert header[f"TUCD{i}"] == column.ucd
            assert header.get(f"TUNIT{i}", "") == column.unit
        assert json.loads(hdus[0].header["GCMOCK"])["content"] == "extinction calibrated from stars"
        assert hdus["LAW"].header["LAWNAME"] == "fitted"
        image = hdus["MAP_E_JKS"]
        cells = hdus["CELLS"].data
        # Every cell is where the world coordinates of the image say; the others are unknown.
        x, y = WCS(image.header).world_to_pixel_values(cells["l"], cells["b"])
        found = image.data[np.rint(y).astype(int), np.rint(x).astype(int)]
        np.testing.assert_allclose(x, np.rint(x), atol=1e-6)
        np.testing.assert_allclose(y, np.rint(y), atol=1e-6)
        np.testing.assert_array_equal(found, cells["e_jks"])
        assert np.isfinite(image.data).sum() == 3
