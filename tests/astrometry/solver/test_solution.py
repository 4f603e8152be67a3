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
        for column, values in found[name].items():
            if column.endswith("_corr"):
                values *= 1e-3
        if "ref_epoch" in found[name]:
            found[name]["ref_epoch"] += 2000.0
    return found


ACCOUNT = {
    "observations": "obs",
    "observations_provenance": {"realisation": 0},
    "reference": "none",
    "primary_limit": None,
    "modes": [{"name": "spin_x", "error": None}],
    "n_star": 3,
}


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


@pytest.mark.slow
def test_tables_are_read_as_they_were_written(tmp_path):
    write_tables(tmp_path, tables(), ACCOUNT)
    found = open_solution(tmp_path)
    assert found.account == ACCOUNT
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


@pytest.mark.parametrize("key", [key for key in ACCOUNT if key != "n_star"])
@pytest.mark.parametrize("value", ["gone", [1], {"a": 1}, True])
def test_an_account_of_another_form_is_refused(tmp_path, key, value):
    account = {**ACCOUNT, key: value}
    if value == "gone":
        del account[key]
    write_tables(tmp_path, tables(), account)
    with pytest.raises(InputError, match=key):
        open_solution(tmp_path)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("parallax", np.nan, "parallax is missing in row 1"),
        ("ra_error", 0.0, "errors and correlations that are no covariance"),
        ("ra_dec_corr", 1.0, "no covariance"),
        ("ra_dec_corr", 7.0, "ra_dec_corr = 7"),
        ("pmra", 1e300, r"pmra = 1e\+300"),
        ("source_id", 2, "source_id that are integers, each once"),
    ],
)
def test_stars_that_cannot_be_solved_ones_are_refused(tmp_path, column, value, message):
    broken = tables()
    broken["sources.parquet"][column][1] = value
    write_tables(tmp_path, broken, ACCOUNT)
    with pytest.raises(InputError, match=message):
        open_solution(tmp_path).stars()


def test_a_solution_without_stars_is_refused(tmp_path):
    write_tables(tmp_path, tables(0), ACCOUNT)
    with pytest.raises(InputError, match="has no stars"):
        open_solution(tmp_path).stars()
