"""Files and figures of a comparison of a solution with the truth."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from gcmock.astrometry.comparison.tables import GOALS
from gcmock.astrometry.observations.folder import PARAMETERS
from gcmock.io.readers.opening import open_table
from gcmock.reporting import comparison as module
from gcmock.reporting.comparison import (
    ERROR_COLUMNS,
    error_map,
    parallax_by_magnitude,
    pulls,
    recognised,
    write,
)
from gcmock.words.columns import Column


@pytest.fixture
def axis():
    return Figure().add_subplot()


@pytest.fixture
def comparison():
    rng = np.random.default_rng(1)
    n = 500
    sigma = np.full((n, 5), 0.5)
    errors = SimpleNamespace(
        source_id=np.arange(n), component=np.full(n, "nsd"), hw=np.full(n, 13.0),
        primary=np.arange(n) < 100, error=np.full((n, 5), 7.0), sigma=sigma,
        without_modes=sigma * rng.standard_normal((n, 5)),
    )  # fmt: skip
    by_magnitude = {
        "phot_hw_mag": np.array([10.25, 12.25]),
        "parallax_formal": np.array([0.01, 0.02]),
        "parallax_robust": np.array([0.015, 0.025]),
    }
    grid = {
        "east": np.array([-0.5, 0.5]),
        "north": np.array([0.0, 1.0]),
        "parallax_residual": np.array([0.02, -0.03]),
        "parallax_residual_error": np.array([0.01, 0.01]),
    }
    return SimpleNamespace(errors=errors, tables={"by_magnitude": by_magnitude, "map": grid})


def test_parallax_in_microarcseconds_with_the_goal(axis, comparison):
    parallax_by_magnitude(axis, comparison)
    lines = {line.get_label(): line for line in axis.lines}
    np.testing.assert_allclose(lines["from the formal errors"].get_ydata(), [10.0, 20.0])
    np.testing.assert_allclose(lines["solution - truth"].get_ydata(), [15.0, 25.0])
    faint, goal = GOALS["parallax"]
    x, y = lines["goal of the whole mission"].get_data()
    assert list(x) == [10.25, faint]
    assert list(y) == [1e3 * goal] * 2
    assert axis.get_yscale() == "log"


def test_pulls_are_densities(axis, comparison):
    pulls(axis, comparison)
    lines = {line.get_label(): line for line in axis.lines}
    assert set(lines) == {"normal", *PARAMETERS}
    for name in PARAMETERS:
        x, density = lines[name].get_data()
        assert density.sum() * (x[1] - x[0]) == pytest.approx(1.0)
        # Formal errors that are right give the normal distribution.
        assert density.max() == pytest.approx(0.4, abs=0.15)
    assert lines["normal"].get_ydata().max() == pytest.approx(1.0 / np.sqrt(2.0 * np.pi))


def test_residuals_in_units_of_their_error(comparison):
    figure = Figure()
    axis = figure.add_subplot()
    error_map(figure, axis, comparison)
    (points,) = axis.collections
    np.testing.assert_allclose(points.get_array(), [2.0, -3.0])
    np.testing.assert_allclose(points.get_offsets(), [[-0.5, 0.0], [0.5, 1.0]])
    assert axis.get_xlim()[0] > axis.get_xlim()[1]
    assert figure.axes[1].get_ylabel() == "mean parallax residual / its error"


def test_separation(axis, comparison):
    comparison.tables["separation"] = {
        "measure": ["parallax", "all"], "hw_max": [12.5, 14.5], "found_50": [0.2, 0.4],
        "purity_50": [0.6, 0.8],
    }  # fmt: skip
    recognised(axis, comparison)
    found, pure = axis.containers
    assert [bar.get_height() for bar in found] == [0.2, 0.4]
    assert [bar.get_height() for bar in pure] == [0.6, 0.8]
    ticks = [tick.get_text() for tick in axis.get_xticklabels()]
    assert ticks == ["parallax\nHw < 12.5", "all\nHw < 14.5"]


def test_no_separation_without_stars(axis, comparison):
    recognised(axis, comparison)
    assert axis.texts[0].get_text() == "too few stars of the nuclear disc"
    assert not axis.containers


def test_files(comparison, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "draw_comparison", lambda *_: None)
    monkeypatch.setattr(module, "dumps", lambda *_: "{}\n")
    # The other tables have many columns, and tests of their own.
    for stem, name in (("by_magnitude", "BY_MAGNITUDE_COLUMNS"), ("map", "MAP_COLUMNS")):
        columns = [Column(key, "float64", "", "", key) for key in comparison.tables[stem]]
        monkeypatch.setattr(module, name, columns)
    files = write(comparison, tmp_path / "out", overwrite=False)
    assert [path.name for path in files] == [
        "by_magnitude.parquet", "comparison.json", "errors.parquet", "map.parquet",
    ]  # fmt: skip
    assert all(path.is_file() for path in files)
    source = open_table(tmp_path / "out" / "errors.parquet")
    assert source.columns == tuple(column.name for column in ERROR_COLUMNS)
    (rows,) = source.chunks(1000)
    np.testing.assert_array_equal(rows["parallax_difference"], 7.0)
    np.testing.assert_array_equal(rows["pmdec_error"], 0.5)
    np.testing.assert_array_equal(rows["ra_residual"], comparison.errors.without_modes[:, 0])
    assert source.units["pmra_error"] == "mas/yr"
    assert source.units["parallax_error"] == "mas"
