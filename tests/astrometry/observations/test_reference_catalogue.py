"""What Gaia would have seen: motion to its epoch, covariances, who is listed."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.time import Time
from moving_stars import UAS, as_skycoord, random_stars, unit_vectors

from gcmock.astrometry.directions.geometry import MAS, tangent_offset
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations.folder import PARAMETERS, REFERENCE_COLUMNS, correlation_names
from gcmock.astrometry.observations.reference_catalogue import (
    ERROR_RATIO,
    TIME_FACTOR,
    correlation_matrix,
    moved_to_reference,
    reference_catalogue,
)
from gcmock.errors import InputError
from gcmock.mock.survey import SurveyModel

REFERENCE = load_mission("jasmine").reference


def changed(**keys):
    return REFERENCE.model_copy(update=keys)


def catalogue(n=40, noise=True, seed=1, **keys):
    stars = random_stars(n)
    g_mag = np.linspace(12.0, 22.0, n)
    table = reference_catalogue(np.arange(n) * 3, stars, g_mag, changed(**keys), seed, noise=noise)
    return stars, g_mag, table


def test_correlations_are_put_in_their_places():
    values = tuple(0.01 * (k + 1) for k in range(10))
    matrix = correlation_matrix(changed(correlations=values))
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(matrix.diagonal(), 1.0)
    for value, (i, j, name) in zip(values, correlation_names(), strict=True):
        assert matrix[i, j] == value
        assert name == f"{PARAMETERS[i]}_{PARAMETERS[j]}_corr"


def test_impossible_correlations_are_refused():
    with pytest.raises(InputError, match="not positive definite; use values nearer to zero"):
        correlation_matrix(changed(correlations=(0.9, 0.9, 0, 0, -0.9, 0, 0, 0, 0, 0)))


@pytest.mark.parametrize("release", ["dr3", "dr4", "dr5"])
def test_errors_follow_from_magnitude_and_release(release):
    _, g_mag, table = catalogue(noise=False, release=release)
    g = table["phot_g_mean_mag"]
    np.testing.assert_array_equal(g, g_mag[g_mag <= REFERENCE.g_max])
    expected = TIME_FACTOR[release] * SurveyModel().parallax_error(g)
    for name, ratio in zip(PARAMETERS, ERROR_RATIO[release], strict=True):
        np.testing.assert_allclose(table[f"{name}_error"], ratio * expected)
    assert set(table) == {column.name for column in REFERENCE_COLUMNS}


def test_references_without_noise_are_the_moved_stars():
    stars, g_mag, table = catalogue(noise=False)
    true = moved_to_reference(stars, REFERENCE.epoch)
    for name in PARAMETERS:
        np.testing.assert_allclose(table[name], getattr(true, name)[g_mag <= 20.0], rtol=1e-13)
    assert (table["ref_epoch"] == REFERENCE.epoch).all()


def test_errors_are_a_function_of_star_and_seed():
    """A star has the same errors whoever else is in the catalogue, with full correlation."""
    stars, g_mag, table = catalogue()
    some = np.arange(0, 20, 3)
    fewer = type(stars)(*(values[some] for values in stars))
    again = reference_catalogue(some * 3, fewer, g_mag[some], REFERENCE, 1)
    for name in table:
        np.testing.assert_array_equal(again[name], table[name][some])
    _, _, other = catalogue(seed=2)
    assert (other["parallax"] != table["parallax"]).all()


def test_whitened_errors_are_standard_normal():
    stars = random_stars(4000)
    strong = changed(correlations=(0.6, 0.4, -0.6, 0.3, 0.2, -0.3, 0.1, -0.3, 0.2, -0.1))
    table = reference_catalogue(np.arange(4000), stars, np.full(4000, 15.0), strong, 3)
    true = moved_to_reference(stars, strong.epoch)
    xi, eta = tangent_offset(table["ra"], table["dec"], true.ra, true.dec)
    delta = np.column_stack(
        [xi / MAS, eta / MAS, *(table[name] - getattr(true, name) for name in PARAMETERS[2:])]
    )
    delta /= np.column_stack([table[f"{name}_error"] for name in PARAMETERS])
    white = np.linalg.solve(np.linalg.cholesky(correlation_matrix(strong)), delta.T)
    np.testing.assert_allclose(np.cov(white), np.eye(5), atol=5.0 / np.sqrt(4000))
    np.testing.assert_allclose(white.mean(axis=1), 0.0, atol=5.0 / np.sqrt(4000))


def test_moved_parameters_agree_with_astropy():
    stars = random_stars()
    found = moved_to_reference(stars, 2035.0)
    then = as_skycoord(stars).apply_space_motion(Time(2035.0, format="jyear", scale="tcb"))
    apart = unit_vectors(found.ra, found.dec) - unit_vectors(then.ra.deg, then.dec.deg)
    assert np.sqrt((apart**2).sum(axis=1)).max() < 0.02 * UAS
    np.testing.assert_allclose(found.parallax, 1000.0 / then.distance.to_value("pc"), rtol=5e-8)
    np.testing.assert_allclose(found.pmra, then.pm_ra_cosdec.to_value("mas/yr"), atol=1e-5)
    np.testing.assert_allclose(found.pmdec, then.pm_dec.to_value("mas/yr"), atol=1e-5)
    velocity = then.radial_velocity.to_value("km/s")
    np.testing.assert_allclose(found.radial_velocity, velocity, atol=1e-2)
    assert (found.ref_epoch == 2035.0).all()


def test_moving_there_and_back_restores_the_parameters():
    stars = random_stars()
    back = moved_to_reference(moved_to_reference(stars, 2040.0), 2016.0)
    for name in ("ra", "dec", "parallax", "pmra", "pmdec", "radial_velocity"):
        np.testing.assert_allclose(getattr(back, name), getattr(stars, name), atol=1e-9, rtol=1e-11)
