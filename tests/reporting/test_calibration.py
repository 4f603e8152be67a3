"""A calibration in the terminal and as a picture, from one made by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from calibrations import calibration
from matplotlib.figure import Figure

from gcmock.calibration.curves import GROUPS
from gcmock.calibration.measurements import usual_measurements
from gcmock.calibration.weights import usual_weights
from gcmock.errors import InputError
from gcmock.reporting import calibration as module
from gcmock.reporting.calibration import (
    check_figure,
    comparison,
    complete_cells,
    draw_calibration,
    print_calibration,
)
from gcmock.reporting.figure_file import save_figure


def lines_of(capsys):
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_cells_with_stars_on_all_sides():
    # The cells of a map of 5 x 5 with one hole in the corner.
    full = np.ones((5, 5), int)
    full[0, 0] = 0
    result = SimpleNamespace(
        cell=np.arange(25),
        n_observed=full.ravel(),
        footprint=None,
        model=SimpleNamespace(extinction_map=SimpleNamespace(mean=np.zeros((5, 5)))),
    )
    found = complete_cells(result).reshape(5, 5)
    expected = np.zeros((5, 5), bool)
    expected[1:4, 1:4] = True
    expected[1, 1] = False
    # Rows of the map follow one another; those at its edge count as complete with their neighbours.
    np.testing.assert_array_equal(found[1:4, 1:4], expected[1:4, 1:4])
    assert not found[0].any()
    assert not found[4].any()


def test_ratio_to_the_published_map_is_of_own_cells_alone():
    result = calibration()
    ratio, spread = comparison(result)
    own = result.fit.factor[result.source == 0]
    # The published map says what the map of the calibration says.
    assert ratio == pytest.approx(own.mean())
    assert spread == pytest.approx(own.std())


def test_account(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    print_calibration(calibration())
    lines = lines_of(capsys)
    for line in (
        "rows 1,000 rows",
        "rows 40 without Ks",
        "stars 6 calibrate",
        "stars 1 that no reddening explains, left out",
        "limits 11 <= Ks < 15 mag",
        "cells 2 calibrated by cell",
        "cells 1 calibrated by region",
        "factor 1.050 mean over cells, standard deviation 0.050, typical error 0.020",
        "local: neighbours add nothing to the cells (score -1.2500 nat a star)",
        "counts: no cell lies inside the region, with stars all around: not compared",
        "3.0 s, 2 stars/s",
    ):
        assert line in lines
    # The law was fitted: numbers with their errors.
    law = next(line for line in lines if line.startswith("all 120"))
    assert "(0.010)" in law
    assert not any(line.startswith("numbers of stars") for line in lines)


def test_law_that_is_assumed(capsys):
    print_calibration(calibration(law_fits={}))
    law = next(line for line in lines_of(capsys) if line.startswith("all "))
    assert law.startswith("all assumed")
    assert "(" not in law


def test_neighbours_and_numbers_of_stars():
    local = SimpleNamespace(
        n_neighbour=5, neighbour_scatter=0.02, score={(0, 0.0): -1.25, (5, 0.02): -1.0}
    )
    found = module._local(SimpleNamespace(local=local))
    assert found.startswith("local: 5 neighbours, scatter 0.02")
    assert "+0.2500 nat a star" in found
    weights = usual_weights()._replace(error=np.full(len(GROUPS), 0.1), n_star=500, scale=0.7)
    words = module._fractions(SimpleNamespace(weights=weights))
    assert words.startswith("numbers of stars: disc 1.000 +- 0.100, ")
    assert "nsd_thin3 0.000 +- 0.100" in words
    assert words.endswith("widths of the reddening x 0.70")


def test_what_measurements_are():
    found = usual_measurements()
    words = module._measurements(SimpleNamespace(measurements=found))
    assert words.startswith("measurements: errors x 1.00; clean 0.9")
    assert "blend 0.0300" in words
    assert "parallaxes" not in words
    motions = found.motions._replace(n_star=700, frame_masyr=np.array([0.31, -0.02]), scale=1.25)
    moving = module._measurements(SimpleNamespace(measurements=found._replace(motions=motions)))
    assert moving.endswith(
        "; frame of 700 proper motions +0.31 +- 0.20 and -0.02 +- 0.20 mas/yr in l and b, their "
        "errors x 1.25"
    )
    found = found._replace(n_parallax=1200, zero_point_mas=-0.04, zero_point_error_mas=0.002)
    words = module._measurements(SimpleNamespace(measurements=found))
    assert "zero point of 1,200 parallaxes -0.040 +- 0.002 mas" in words


@pytest.mark.parametrize("name", ["map.svg", "map", "map.fits"])
def test_pictures_are_png_or_pdf(name, tmp_path):
    with pytest.raises(InputError, match=f"{name}: a picture is a PNG or PDF file"):
        check_figure(tmp_path / name, overwrite=False)


def test_existing_picture_is_kept(tmp_path):
    path = tmp_path / "map.PNG"
    check_figure(path, overwrite=False)
    save_figure(Figure(), path)
    with pytest.raises(InputError, match="exists already"):
        check_figure(path, overwrite=False)
    check_figure(path, overwrite=True)
    path.write_text("mine")
    with pytest.raises(InputError, match="not written by gcmock"):
        check_figure(path, overwrite=True)


@pytest.mark.slow
def test_picture(monkeypatch):
    saved = []
    monkeypatch.setattr(module, "save_figure", lambda *what: saved.append(what))
    result = calibration()
    draw_calibration(result, Path("map.png"))
    ((figure, _),) = saved
    by_title = {axis.get_title(): axis for axis in figure.axes if axis.get_title()}
    assert list(by_title) == [
        "E(J-Ks) [mag]",
        "over Surot et al. 2020",
        "scatter in a cell, over E",
        "standard error, over E",
        # No cell has neighbours on all sides.
        "stars observed over expected: none",
        "law (effective)",
    ]
    (points,) = by_title["E(J-Ks) [mag]"].collections
    shown = result.source < 2
    np.testing.assert_allclose(points.get_array(), (result.fit.factor * result.e_map)[shown])
    (ratio,) = by_title["over Surot et al. 2020"].collections
    low, high = ratio.get_clim()
    # White is equality.
    assert low + high == pytest.approx(2.0)
    law = by_title["law (effective)"]
    (bars,) = law.containers
    found = np.array(bars.lines[0].get_ydata(), float)
    np.testing.assert_allclose(found, result.law.rows[0])
    assert [text.get_text() for text in law.get_legend().texts] == ["all"]
