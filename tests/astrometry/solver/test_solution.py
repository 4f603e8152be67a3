"""The folder of a solution."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gcmock.astrometry.observations.folder import PARAMETERS, correlation_names
from gcmock.astrometry.solver.solution import (
    SOLUTION,
    SOLUTION_TABLES,
    SolutionSet,
    covariance_matrices,
    open_solution,
    parameter_columns,
    write_tables,
)
from gcmock.errors import InputError


def tables(n=3):
    """Tables of all columns with numbers that differ."""
    found = {}
    for name, columns in SOLUTION_TABLES.items():
        found[name] = {c.name: (np.arange(n) + k).astype(c.dtype) for k, c in enumerate(columns)}
    return found


def test_covariances_are_kept_as_errors_and_correlations():
    rng = np.random.default_rng(1)
    root = rng.standard_normal((4, 5, 9)) * (10.0 ** np.arange(-2, 3))[:, None]
    covariance = root @ root.transpose(0, 2, 1)
    table = parameter_columns(rng.standard_normal((4, 5)), covariance)
    np.testing.assert_allclose(covariance_matrices(table), covariance, rtol=1e-13)
    np.testing.assert_allclose(table["pmra_error"], np.sqrt(covariance[:, 3, 3]))
    for i, j, name in correlation_names():
        c = covariance
        expected = c[:, i, j] / np.sqrt(c[:, i, i] * c[:, j, j])
        np.testing.assert_allclose(table[name], expected)
        assert (np.abs(table[name]) <= 1.0).all()
    assert set(PARAMETERS) <= set(table)


def test_tables_are_read_as_they_were_written(tmp_path):
    account = {"observations": "obs", "reference": "none", "n_star": 3}
    write_tables(tmp_path, tables(), account)
    found = open_solution(tmp_path)
    assert found.account == account
    for name, columns in tables().items():
        for column, values in columns.items():
            np.testing.assert_array_equal(found.table(name)[column], values)


def test_numbers_that_are_none_do_not_get_into_the_account(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_tables(tmp_path, tables(), {"chi2": np.nan})


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"is not a solution \(no solution\.json, sources"):
        open_solution(tmp_path)
    write_tables(tmp_path, tables(), {})
    (tmp_path / SOLUTION).write_text("{")
    with pytest.raises(InputError, match="damaged or not readable"):
        open_solution(tmp_path)
    (tmp_path / SOLUTION).write_text(json.dumps({}))
    (tmp_path / "attitude.parquet").unlink()
    with pytest.raises(InputError, match=r"\(no attitude\.parquet\); give the output of gcmock"):
        open_solution(tmp_path)
    with pytest.raises(InputError):
        SolutionSet(tmp_path, {}).table("attitude.parquet")
