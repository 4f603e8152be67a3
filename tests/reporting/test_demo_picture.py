"""The picture of the demonstration: what its panels show."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from mock_rows import mock_rows

from gcmock.reporting import demo_picture as module
from gcmock.reporting.demo_picture import draw_demo
from gcmock.validation.recovery import compare_with_truth
from gcmock.words.components import COLOURS, GROUPS, LABELS


@pytest.fixture
def axis():
    return Figure().add_subplot()


@pytest.fixture(scope="module")
def tables():
    """Truth, survey and catalogue: six stars of the bar at 7 kpc, two of the disc at 8 kpc."""
    rng = np.random.default_rng(2)
    n = 8
    mock = mock_rows(
        ["bar"] * 6 + ["nsd"] * 2, p_own=[1.0] * 6 + [0.75] * 2,
        distance_pc=[7000.0] * 6 + [8000.0] * 2,
        pmra=rng.normal(-3.0, 2.0, n), pmdec=rng.normal(-5.0, 2.0, n),
        l=0.01 * rng.random(n), b=-0.1 * rng.random(n),
    )  # fmt: skip
    truth = {**mock, "distance_pc": np.full(n, 9000.0)}
    observed = {}
    for band, pull in zip(("j", "h", "ks"), (1.0, 2.0, 0.0), strict=True):
        name = f"phot_{band}_mag"
        observed[name] = mock[name] + 0.1 * np.where(np.arange(n) % 2, pull, -pull)
        observed[f"{name}_error"] = np.full(n, 0.1)
    observed["phot_j_mag"][:2] = np.nan
    return truth, observed, mock


def test_rare_groups_are_on_top(tables):
    names = [group.name for group in module._most_first(tables[2])]
    assert names[:2] == ["bar", "nsd"]
    assert set(names) == set(GROUPS)


@pytest.mark.slow
def test_distances_drawn_and_true(axis, tables):
    truth, _, mock = tables
    module._distances(axis, truth, mock)
    bar = next(c for c in axis.containers if c[0].get_label() == LABELS["bar"])
    heights = np.array([patch.get_height() for patch in bar])
    assert heights.sum() == 6
    place = int(heights.argmax())
    patch = bar[place]
    assert patch.get_x() <= 7.0 <= patch.get_x() + patch.get_width()
    assert axis.get_xscale() == axis.get_yscale() == "log"


def test_fractions_inferred_and_true(axis):
    fraction = {"disc": 0.1, "bar": 0.6, "nsd": 0.2, "nsc": 0.1}
    true = {"disc": 0.2, "bar": 0.5, "nsd": 0.3, "nsc": 0.0}
    error = {name: 0.01 * (i + 1) for i, name in enumerate(GROUPS)}
    module._fractions(
        axis, SimpleNamespace(inferred_fraction=fraction, true_fraction=true, fraction_error=error)
    )
    assert [bar.get_height() for bar in axis.patches] == list(fraction.values())
    lines = [c for c in axis.collections if len(c.get_segments()) == 1]
    assert [line.get_segments()[0][0, 1] for line in lines] == list(true.values())
    errors = next(c for c in axis.collections if len(c.get_segments()) == 4)
    half = [0.5 * np.ptp(segment[:, 1]) for segment in errors.get_segments()]
    # Two standard deviations.
    np.testing.assert_allclose(half, [0.02, 0.04, 0.06, 0.08])


def test_calibration_shows_the_reliability(axis, tables):
    truth, observed, mock = tables
    result = compare_with_truth(truth, observed, mock)
    module._calibration(axis, truth, mock, result)
    (bars,) = axis.containers
    np.testing.assert_allclose(bars.lines[0].get_data(), [[0.0, 0.75], [0.0, 1.0]])
    distance = axis.lines[-1]
    np.testing.assert_allclose(distance.get_ydata(), result.below_quantile)
    labels = axis.get_legend_handles_labels()[1]
    assert f"distance: 68 % interval covers {result.coverage:.1%}" in labels
    assert any(f"ECE {result.ece:.3f}" in label for label in labels)


def test_pulls_of_the_bands(axis, tables):
    _, observed, mock = tables
    module._pulls(axis, observed, mock)
    labels = axis.get_legend_handles_labels()[1]
    assert labels[:3] == [
        "J: standard deviation 1.00",
        "H: standard deviation 2.00",
        "Ks: standard deviation 0.00",
    ]
    for line in axis.lines:
        assert line.get_ydata().sum() * 0.2 == pytest.approx(1.0)


def test_whole_picture(tables, tmp_path, monkeypatch):
    truth, observed, mock = tables
    saved = []
    monkeypatch.setattr(module, "save_figure", lambda *what: saved.append(what))
    path = tmp_path / "demo.png"
    draw_demo(path, truth, observed, mock, compare_with_truth(truth, observed, mock))
    ((figure, where),) = saved
    assert where == path
    assert figure.get_suptitle().startswith("gcmock demo: 8 simulated stars")
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [
        "Observed stars",
        "Drawn magnitudes and components",
        "Drawn (filled) and true (lines)",
        "Drawn proper motions",
        "Inferred (bars, 2 sigma) and true (lines)",
        "Calibration",
        "Magnitudes",
    ]
    by_title = {axis.get_title(): axis for axis in figure.axes}
    sky, colours = by_title["Observed stars"], by_title["Drawn magnitudes and components"]
    np.testing.assert_allclose(sky.collections[0].get_array(), [0.0] * 6 + [0.75] * 2)
    # Bright stars above; the bar, which has most stars, is drawn first.
    assert colours.get_ylim()[0] > colours.get_ylim()[1]
    assert [len(c.get_offsets()) for c in colours.collections] == [6, 2, 0, 0]
    assert colours.collections[0].get_label() == LABELS["bar"]
    assert COLOURS["bar"] != COLOURS["nsd"]
