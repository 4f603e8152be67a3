"""Errors of a solution, its common modes and its chi-squares."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astrometry_errors import errors_of
from catalogues import true_stars, write_catalogue

from gcmock.astrometry.comparison.compare import (
    Comparison,
    _errors,
    _mode_rows,
    _star_chi2,
    dumps,
)
from gcmock.astrometry.observations.folder import PARAMETERS
from gcmock.astrometry.solver.modes import FRAME_MODES, amplitudes, patterns
from gcmock.astrometry.solver.priors import moved_sources
from gcmock.astrometry.solver.problem import shifted_sources
from gcmock.astrometry.solver.solution import parameter_columns
from gcmock.errors import InputError
from gcmock.io.provenance import creator

EPOCH = 2033.0


def solution(values, covariance, source_id, **account):
    """A solution of some stars."""
    n = len(source_id)
    table = parameter_columns(values, covariance) | {
        "source_id": source_id,
        "ref_epoch": np.full(n, EPOCH),
        "primary": np.arange(n) % 2 == 0,
        "used_reference": np.arange(n) % 3 == 0,
    }
    account = {"observations_provenance": {"realisation": 0}} | account
    return SimpleNamespace(account=account, stars=lambda: table)


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    stars = true_stars(60)
    path = write_catalogue(tmp_path_factory.mktemp("mock") / "mock.parquet", stars)
    values = np.column_stack([stars[name] for name in PARAMETERS])
    return path, stars, moved_sources(values, stars["radial_velocity"], EPOCH - 2016.0)


def test_errors_are_solution_minus_truth_at_the_epoch(mock):
    path, stars, true = mock
    rng = np.random.default_rng(1)
    rows = rng.permutation(60)[:40]
    error = rng.standard_normal((40, 5))
    covariance = np.tile(np.diag([1.0, 4.0, 1.0, 0.25, 1.0]), (40, 1, 1))
    solved = solution(shifted_sources(true[rows], error), covariance, stars["source_id"][rows])
    found, amplitude = _errors(solved, path)
    np.testing.assert_array_equal(found.source_id, stars["source_id"][rows])
    np.testing.assert_allclose(found.error, error, atol=1e-5)
    np.testing.assert_array_equal(found.hw, stars["phot_hw_mag"][rows])
    np.testing.assert_allclose(found.sigma, np.tile([1.0, 2.0, 1.0, 0.5, 1.0], (40, 1)))
    assert set(found.component) == {"nsd"}
    # What is left has no common mode, with the weights of the covariances.
    modes = {name: p for name, p in patterns(found.true).items() if name in FRAME_MODES}
    weight = np.linalg.inv(found.covariance)
    left = amplitudes(found.without_modes, modes, weight)
    np.testing.assert_allclose(left, 0.0, atol=1e-8 * np.abs(amplitude).max())
    np.testing.assert_allclose(amplitude, amplitudes(found.error, modes, weight))


def test_a_common_shift_is_a_mode(mock):
    path, stars, true = mock
    moved = shifted_sources(true, np.tile([0.0, 0.0, 0.3, 0.0, 0.0], (60, 1)))
    solved = solution(moved, np.tile(np.eye(5), (60, 1, 1)), stars["source_id"])
    found, amplitude = _errors(solved, path)
    assert amplitude[list(FRAME_MODES).index("parallax")] == pytest.approx(0.3)
    assert np.abs(found.without_modes).max() < 1e-6


def test_another_mock_is_refused(mock, tmp_path):
    path, stars, true = mock
    ids = stars["source_id"].copy()
    ids[5] = 10**9
    solved = solution(true, np.tile(np.eye(5), (60, 1, 1)), ids)
    with pytest.raises(InputError, match=r"lacks 1 of the 60 solved stars \(first: source_id 10"):
        _errors(solved, path)
    other = solution(true, np.tile(np.eye(5), (60, 1, 1)), stars["source_id"],
                     observations_provenance={"realisation": 1})  # fmt: skip
    with pytest.raises(InputError, match="lacks 60 of the 60"):
        _errors(other, path)


def test_modes_with_and_without_weights():
    errors = errors_of(300)
    account = {"modes": [{"name": name, "error": 0.1 * k} for k, name in enumerate(FRAME_MODES)]}
    removed = np.arange(7.0)
    rows = _mode_rows(SimpleNamespace(account=account), errors, removed)
    assert [row["name"] for row in rows] == list(FRAME_MODES)
    assert [row["removed"] for row in rows] == removed.tolist()
    found = patterns(errors.true[errors.primary])
    expected = amplitudes(errors.error[errors.primary], found)
    for k, row in enumerate(rows):
        assert row["primary_stars"] == pytest.approx(expected[k])
        assert row["primary_stars_error"] == pytest.approx(0.1 * k)


def test_chi2_of_groups_of_stars():
    errors = errors_of(3000)
    errors = replace(errors, without_modes=2.0 * errors.error)
    rows = {row["stars"]: row for row in _star_chi2(errors)}
    primary, known = errors.primary, errors.used_reference
    assert rows["primary"]["n"] == primary.sum()
    assert rows["primary, no reference"]["n"] == (primary & ~known).sum()
    assert rows["secondary"]["n"] == (~primary).sum()
    for row in rows.values():
        # The errors have their stated covariance: one, with its scatter.
        assert row["as_is"] == pytest.approx(1.0, abs=5.0 * np.sqrt(2.0 / (5 * row["n"])))
        assert row["without_modes"] == pytest.approx(4.0 * row["as_is"])
    alone = _star_chi2(replace(errors, primary=np.ones(3000, bool)))
    assert [row["stars"] for row in alone] == ["primary", "primary, no reference"]


def test_the_account_is_json():
    errors = errors_of(50)
    account = {"solution": "s", "mock": "m", "reference": "none", "n_star": 50, "n_primary": 7,
               "chi2": [{"stars": "primary", "as_is": 1.25}]}  # fmt: skip
    found = Comparison(account, errors, {}, (Path("a.json"),))
    assert json.loads(dumps(found)) == {"creator": creator(), **account}
    words = dict(found.listing())
    assert words["chi2 per degree, primary"] == "1.25"
    assert words["star"] == "50"
    assert words["files"] == "a.json"
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(replace(found, account={"chi2": np.nan}))
