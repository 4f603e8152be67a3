"""Reference stars: motion to the epoch, covariances, files that cannot be used."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_stars import random_stars

from gcmock.astrometry.directions.displacement import displacement
from gcmock.astrometry.directions.geometry import MAS, offset_direction, tangent_offset
from gcmock.astrometry.observations.folder import PARAMETERS, correlation_names
from gcmock.astrometry.observations.reference_catalogue import moved_to_reference
from gcmock.astrometry.solver.priors import (
    EXACT_ERROR,
    References,
    load_references,
    moved_sources,
    propagated_priors,
    source_priors,
)
from gcmock.astrometry.solver.problem import shifted_sources, source_shift
from gcmock.astrometry.solver.solution import parameter_columns
from gcmock.errors import InputError


def some_references(n=4):
    rng = np.random.default_rng(3)
    values = np.column_stack([rng.uniform(266, 267, n), rng.uniform(-29, -28, n),
                              rng.uniform(0, 1, n), rng.normal(0, 4, (n, 2))])  # fmt: skip
    root = rng.standard_normal((n, 5, 8)) * np.array([1.0, 0.5, 0.1, 0.2, 0.05])[:, None]
    velocity = rng.normal(0, 100, n)
    return References(
        "some", 10 * (1 + np.arange(n)), values, root @ root.transpose(0, 2, 1), velocity
    )


def test_places_of_stars():
    known = some_references()
    ids = np.array([40, 5, 10, 45, 30])
    assert known.places(ids).tolist() == [3, -1, 0, -1, 2]
    assert known.has(ids).tolist() == [True, False, True, False, True]
    found = known.radial_velocity_of(ids)
    np.testing.assert_array_equal(found[[0, 2, 4]], known.radial_velocity[[3, 0, 2]])
    assert (found[[1, 3]] == 0.0).all()
    none = load_references("none", SimpleNamespace(path=Path()), 2030.0)
    assert none.places(ids).tolist() == [-1] * 5
    assert (none.radial_velocity_of(ids) == 0.0).all()


def test_priors_are_inverse_covariances():
    known = some_references()
    prior = source_priors(known, np.array([20, 7, 40]))
    for row, k in ((0, 1), (2, 3)):
        np.testing.assert_array_equal(prior.mean[row], known.values[k])
        product = prior.precision[row] @ known.covariance[k]
        np.testing.assert_allclose(product, np.eye(5), atol=1e-9)
        np.testing.assert_array_equal(prior.precision[row], prior.precision[row].T)
    assert not prior.precision[1].any()
    assert np.isfinite(prior.mean).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 500), years=st.floats(-50.0, 50.0))
def test_two_ways_to_move_stars_agree(seed, years):
    stars = random_stars(20, seed)
    values = np.column_stack([getattr(stars, name) for name in PARAMETERS])
    found = moved_sources(values, stars.radial_velocity, years)
    other = moved_to_reference(stars, 2016.0 + years)
    expected = np.column_stack([getattr(other, name) for name in PARAMETERS])
    off = source_shift(found, expected)
    assert np.abs(off[:, :2]).max() < 1e-6
    np.testing.assert_allclose(off[:, 2:], 0.0, atol=1e-9)


def test_covariances_grow_with_time():
    """Without curvature a position gains the error of the motion times the years."""
    values = np.array([[266.0, 0.0, 1e-6, 0.0, 0.0]])
    covariance = np.diag([1.0, 4.0, 0.25, 0.01, 0.04])[None]
    same, found = propagated_priors(values, covariance, np.zeros(1), np.array([10.0]))
    np.testing.assert_allclose(same, values)
    expected = np.diag([2.0, 8.0, 0.25, 0.01, 0.04])
    expected[0, 3] = expected[3, 0] = 0.1
    expected[1, 4] = expected[4, 1] = 0.4
    np.testing.assert_allclose(found[0], expected, rtol=1e-6, atol=1e-9)


def reference_table(known, epoch=2017.5, **changed):
    table = {"source_id": known.source_id, "ref_epoch": np.full(len(known.values), epoch)}
    return table | parameter_columns(known.values, known.covariance) | changed


def load(tmp_path, table, epoch=2017.5, name="references.ecsv"):
    path = tmp_path / name
    Table(table).write(path, overwrite=True)
    return load_references(str(path), SimpleNamespace(path=tmp_path), epoch)


def test_references_of_a_file(tmp_path):
    known = some_references()
    order = [2, 0, 3, 1]
    table = {name: values[order] for name, values in reference_table(known).items()}
    found = load(tmp_path, table)
    np.testing.assert_array_equal(found.source_id, known.source_id)
    np.testing.assert_allclose(source_shift(found.values, known.values), 0.0, atol=1e-6)
    np.testing.assert_allclose(found.covariance, known.covariance, rtol=1e-7)
    assert (found.radial_velocity == 0.0).all()
    later = load(tmp_path, table, 2030.0)
    expected, covariance = propagated_priors(
        known.values, known.covariance, np.zeros(4), np.full(4, 12.5)
    )
    np.testing.assert_allclose(source_shift(later.values, expected), 0.0, atol=1e-6)
    np.testing.assert_allclose(later.covariance, covariance, rtol=1e-7)


def test_stars_without_five_parameters_are_no_references(tmp_path):
    known = some_references()
    hole = np.array([1.0, np.nan, 2.0, 3.0])
    found = load(tmp_path, reference_table(known, parallax=hole))
    assert found.source_id.tolist() == [10, 30, 40]
    with pytest.raises(InputError, match=r"has no star with five parameters.*--reference none"):
        load(tmp_path, reference_table(known, parallax=np.full(4, np.nan)))


def test_bad_reference_files_are_named(tmp_path):
    known = some_references()
    table = reference_table(known)
    without = {k: v for k, v in table.items() if k not in ("pmra_error", "ra_dec_corr")}
    with pytest.raises(InputError, match="needs the columns pmra_error, ra_dec_corr"):
        load(tmp_path, without)
    with pytest.raises(InputError, match="source_id must be integers"):
        load(tmp_path, table | {"source_id": np.array(["a", "b", "c", "d"])})
    with pytest.raises(InputError, match="a source_id occurs more than once"):
        load(tmp_path, table | {"source_id": np.array([1, 2, 2, 3])})
    with pytest.raises(InputError, match=r"1 stars have errors .* \(first: source_id 30\)"):
        load(tmp_path, table | {"ra_error": np.array([1.0, 1.0, 0.0, 1.0])})
    with pytest.raises(InputError, match=r"ra_error = -1 in row 2"):
        load(tmp_path, table | {"ra_error": np.array([1.0, 1.0, -1.0, 1.0])})
    with pytest.raises(InputError, match=r"ref_epoch is missing for 1 stars .* source_id 30\)"):
        load(tmp_path, table | {"ref_epoch": np.array([2016.0, 2016.0, np.nan, 2016.0])})
    names = {name: np.array([0.0, 0.99, 0.0, 0.0]) for _, _, name in correlation_names()}
    names["ra_dec_corr"] = np.array([0.0, -0.99, 0.0, 0.0])
    with pytest.raises(InputError, match=r"no covariance \(first: source_id 20\)"):
        load(tmp_path, table | names)


def test_exact_references_are_the_truth_of_those_listed(tmp_path):
    known = some_references()
    order = [3, 1, 0, 2]
    truth = dict(zip(PARAMETERS, known.values[order].T, strict=True))
    truth |= {"source_id": known.source_id[order], "ref_epoch": np.full(4, 2016.0)}
    truth["radial_velocity"] = known.radial_velocity[order]
    listed = {"source_id": np.array([40, 20, 999])}
    tables = {"truth/sources.parquet": truth, "reference_gaia_like.parquet": listed}
    folder = SimpleNamespace(path=tmp_path, table=tables.__getitem__)
    everyone = load_references("exact", folder, 2032.0)
    assert everyone.source_id.tolist() == [10, 20, 30, 40]
    (tmp_path / "reference_gaia_like.parquet").touch()
    found = load_references("exact", folder, 2032.0)
    assert found.source_id.tolist() == [20, 40]
    expected = moved_sources(known.values, known.radial_velocity, 16.0)[[1, 3]]
    np.testing.assert_array_equal(found.values, expected)
    np.testing.assert_array_equal(found.covariance, [EXACT_ERROR**2 * np.eye(5)] * 2)
    np.testing.assert_array_equal(found.radial_velocity, known.radial_velocity[[1, 3]])
    tables["reference_gaia_like.parquet"] = {"source_id": np.array([999])}
    with pytest.raises(InputError, match="the reference catalogue has no stars"):
        load_references("exact", folder, 2032.0)


def test_propagated_covariance_is_that_of_moved_draws():
    rng = np.random.default_rng(1)
    values = np.array([[266.4, -28.9, 2.0, 30.0, -20.0]])
    root = rng.standard_normal((5, 5)) * 0.1
    covariance = (root @ root.T)[None]
    years, velocity = np.array([15.0]), np.array([50.0])
    moved, found = propagated_priors(values, covariance, velocity, years)
    draws = rng.standard_normal((20000, 5)) @ np.linalg.cholesky(covariance[0]).T
    many = shifted_sources(np.repeat(values, 20000, axis=0), draws)
    ends = source_shift(
        moved_sources(many, np.full(20000, 50.0), 15.0), np.repeat(moved, 20000, axis=0)
    )
    sample = np.cov(ends, rowvar=False)
    scale = np.sqrt(found[0].diagonal())
    np.testing.assert_allclose(sample / scale[:, None] / scale, found[0] / scale[:, None] / scale,
                               atol=0.04)  # fmt: skip


def test_motion_to_another_epoch_agrees_with_the_linear_model():
    """Directions from parameters at another epoch are those of the original parameters."""
    values = np.array([[266.4, -28.9, 5.0, 300.0, -200.0], [10.0, 60.0, 0.1, -3.0, 2.0]])
    velocity = np.array([80.0, -30.0])
    moved = moved_sources(values, velocity, 16.0)
    back = moved_sources(moved, np.zeros(2), -16.0)
    assert np.abs(source_shift(back, values)).max() < 0.2  # radial motion left out on the way back
    for t in (-5.0, 20.0):
        east, north, radial = displacement(*values[:, 2:].T, velocity, t, 0.0, 0.0, 0.0)
        expected = offset_direction(
            values[:, 0], values[:, 1], east / (1 + radial), north / (1 + radial)
        )
        # The radial velocity is that of the original epoch: 1e-3 micro-arcsec for these stars.
        e, n, r = displacement(*moved[:, 2:].T, velocity, t - 16.0, 0.0, 0.0, 0.0)
        found = offset_direction(moved[:, 0], moved[:, 1], e / (1 + r), n / (1 + r))
        xi, eta = tangent_offset(*found, *expected)
        assert np.hypot(xi, eta).max() / MAS < 1e-3
