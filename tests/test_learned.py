"""What was learned: what it makes of the map and of the model, and how its file is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.errors import InputError
from gcmock.learned import (
    FIELDS_IN_B,
    MAP_FACTOR_ERROR,
    MAP_SCATTER_MAG,
    PROFILE_SCATTER,
    USUAL_WEIGHTS,
    Learned,
    field_number,
    learned_from,
    load_learned,
    nothing_learned,
)
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.cases import CASES, usual_fractions
from gcmock.words.components import COMPONENTS, PARTS

N = len(PARTS)
SKY = ExtinctionMap(
    mean=np.full((16, 16), 2.0),
    subcell=np.zeros((0, 25), np.uint16),
    subcell_cell=np.zeros(0, np.int64),
    l_min_deg=0.0,
    b_min_deg=0.0,
    step_deg=0.025,
    subcell_per_mag=1000,
)
LAW = ExtinctionLaw("mine", np.array([[1.5, 0.9, 0.5]]), "nowhere")


def centre(cell: int) -> tuple[np.ndarray, np.ndarray]:
    return SKY.cell_centre(np.array([cell]))


def learned(**changes: object) -> Learned:
    """Cells 3 and 40 were learned; no star refines them."""
    plain = replace(
        nothing_learned("subcell", LAW, np.linspace(1.0, 2.0, N)),
        cell=np.array([3, 40]), factor=np.array([0.9, 1.2]), scatter=np.array([0.05, 0.1]),
    )  # fmt: skip
    return replace(plain, **changes)


def of_map(e_jks: float, scatter: float) -> float:
    """Scatter where nothing was learned [mag]."""
    return float(np.sqrt(scatter**2 + (MAP_FACTOR_ERROR * e_jks) ** 2 + MAP_SCATTER_MAG**2))


@pytest.mark.parametrize(("cell", "factor", "scatter"), [(3, 0.9, 0.05), (40, 1.2, 0.1)])
def test_cells_that_were_learned(cell: int, factor: float, scatter: float) -> None:
    """Both are relative to the reddening of the map, whose own scatter no longer counts."""
    given = np.array([2.5]), np.array([0.7])
    e_jks, tau = learned().reddening(SKY, *centre(cell), *given)
    np.testing.assert_allclose([e_jks[0], tau[0]], [factor * 2.5, scatter * 2.5])
    assert learned().knows(SKY, *centre(cell)).all()


@pytest.mark.parametrize("cell", [0, 4, 41, 255])
def test_elsewhere_the_map_holds_with_what_maps_are_wrong_by(cell: int) -> None:
    e_jks, tau = learned().reddening(SKY, *centre(cell), np.array([2.0]), np.array([0.3]))
    assert e_jks[0] == 2.0
    assert tau[0] == pytest.approx(of_map(2.0, 0.3))
    assert not learned().knows(SKY, *centre(cell)).any()


def test_outside_the_map_nothing_is_known() -> None:
    nan = np.full(1, np.nan)
    e_jks, tau = learned().reddening(SKY, np.array([-5.0]), np.array([0.1]), nan, nan)
    assert np.isnan([e_jks, tau]).all()


def test_stars_refine_their_surroundings() -> None:
    """A star by its neighbours; a place within the radius with the star; beyond it, the cell."""
    l_deg, b_deg = centre(3)
    place = np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg])
    refined = learned(place=place, star=np.array([[1.1], [0.02], [1.3], [0.03], [0.002]]))
    l_deg = l_deg + np.array([0.0, 0.001, 0.003])
    given = np.full(3, b_deg[0]), np.full(3, 2.0), np.full(3, 0.5)
    e_jks, tau = refined.reddening(SKY, l_deg, *given)
    np.testing.assert_allclose(e_jks, [2.2, 2.6, 1.8])
    np.testing.assert_allclose(tau, [0.04, 0.06, 0.1])


def test_stars_do_not_reach_cells_that_were_not_learned() -> None:
    l_deg, b_deg = centre(4)
    place = np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg])
    refined = learned(place=place, star=np.array([[1.1], [0.02], [1.3], [0.03], [1.0]]))
    e_jks, _ = refined.reddening(SKY, l_deg, b_deg, np.array([2.0]), np.array([0.5]))
    assert e_jks[0] == 2.0


def test_numbers_of_fields() -> None:
    """Squares of 8 x 8 cells: the number in l times 100 000 and that in b."""
    cells = np.array([0, 7, 8, 7 * 16 + 7, 8 * 16, 15 * 16 + 15])
    expected = [0, 0, 1, 0, FIELDS_IN_B, FIELDS_IN_B + 1]
    assert field_number(SKY, cells).tolist() == expected


def test_nothing_learned_is_the_prior_everywhere() -> None:
    nothing = nothing_learned("cell_mean", LAW)
    l_deg, b_deg = SKY.cell_centre(np.array([3, 255]))
    e_jks, tau = nothing.reddening(SKY, l_deg, b_deg, np.full(2, 2.0), np.zeros(2))
    np.testing.assert_array_equal(e_jks, 2.0)
    np.testing.assert_allclose(tau, of_map(2.0, 0.0))
    assert not nothing.knows(SKY, l_deg, b_deg).any()
    assert (nothing.map_value, nothing.law) == ("cell_mean", LAW)
    assert nothing.profile_scatter == PROFILE_SCATTER
    assert (nothing.weights[: len(COMPONENTS)] == 1.0).all()
    assert not nothing.weights[len(COMPONENTS) :].any()
    np.testing.assert_array_equal(nothing.case_fraction, usual_fractions())
    assert (nothing.error_scale == 1.0).all()
    assert (nothing.zero_point_mas, nothing.parallax_scale) == (0.0, 1.0)
    # A copy: what is done to it is not done to the next.
    assert nothing.weights is not USUAL_WEIGHTS
    with pytest.raises(ValueError, match="read-only"):
        USUAL_WEIGHTS[0] = 2.0


def tables() -> dict[str, Table]:
    """Content of a file whose cells are out of order."""
    rows = {"cell": [40, 3], "factor": [1.2, 0.9], "scatter": [0.06, 0.05]}
    cells = Table(rows | {"factor_error": [0.08, 0.0]})
    cells.meta["MAPVALUE"] = "subcell"
    star = {name: [value] for name, value in zip(
        ("factor", "scatter", "factor_all", "scatter_all", "radius"),
        (1.1, 0.02, 1.3, 0.03, 0.002), strict=True,
    )}  # fmt: skip
    law = Table({f"a_{band}": [1.5 - 0.5 * i] for i, band in enumerate(LINEAR_BANDS)})
    law.meta["LAWNAME"] = "fitted"
    names = [part.name for part in PARTS]
    return {
        "CELLS": cells,
        "STARS": Table({"l": [60.0], "b": [60.0], **star}),
        "LAW": law,
        "PARTS": Table({"part": names, "weight": np.linspace(1.0, 2.0, N)}),
        "DUST": Table({"profile_scatter": [0.45]}),
        "CASES": Table({"case": [case.name for case in CASES], "fraction": usual_fractions()}),
        "ERRORS": Table({"scale": [1.1, 1.2, 1.3], "floor": [0.0, 0.01, 0.02]}),
        "PARALLAX": Table(
            {"zero_point": [-0.03], "zero_point_error": [0.004], "error_scale": [1.25]}
        ),
        "MOTION": Table(
            {"offset": [0.3, -0.1], "offset_error": [0.1, 0.12], "error_scale": [1.4, 1.4]}
        ),
        "SELECTION": Table({"limit": ["j-h > 2.1 +- 0.07"], "gain": [12.0]}),
        "DOUBT": Table({"class": [28], "limit": [[-1.0, -2.0]]}),
    }


def write(path: Path, content: dict[str, Table]) -> Path:
    hdus = [fits.BinTableHDU(table, name=name) for name, table in content.items()]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


def test_files_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "c.fits", tables())
    found = load_learned(path)
    assert found.cell.tolist() == [3, 40]
    assert found.factor.tolist() == [0.9, 1.2]
    # The error of the mean is part of it.
    np.testing.assert_allclose(found.scatter, [0.05, 0.1])
    assert found.map_value == "subcell"
    assert found.law.name == "learned (fitted)"
    assert found.law.rows.tolist() == [[1.5, 1.0, 0.5]]
    np.testing.assert_allclose(found.place, [[60.0 * np.cos(np.radians(60.0)), 60.0]])
    assert found.star[:, 0].tolist() == [1.1, 0.02, 1.3, 0.03, 0.002]
    np.testing.assert_array_equal(found.weights, np.linspace(1.0, 2.0, N))
    assert found.profile_scatter == 0.45
    np.testing.assert_array_equal(found.error_scale, [1.1, 1.2, 1.3])
    np.testing.assert_array_equal(found.error_floor_mag, [0.0, 0.01, 0.02])
    np.testing.assert_array_equal(found.case_fraction, usual_fractions())
    assert (found.zero_point_mas, found.parallax_scale) == (-0.03, 1.25)
    assert found.zero_point_error_mas == 0.004
    assert (found.frame_masyr.tolist(), found.motion_scale) == ([0.3, -0.1], 1.4)
    assert found.frame_error_masyr.tolist() == [0.1, 0.12]
    assert [str(limit) for limit in found.limits] == ["j-h > 2.1 +- 0.07"]
    assert found.doubt_class.tolist() == [28]
    assert found.doubt_limit.tolist() == [[-1.0, -2.0]]
    assert len(found.sha256) == 64
    # From its bytes as well.
    again = learned_from(path.read_bytes(), "bytes")
    assert again.sha256 == found.sha256
    np.testing.assert_array_equal(again.star, found.star)


def test_one_law_or_one_for_each_quadrant(tmp_path: Path) -> None:
    content = tables()
    content["LAW"] = Table(content["LAW"][[0] * len(QUADRANTS)])
    assert len(load_learned(write(tmp_path / "q.fits", content)).law.rows) == len(QUADRANTS)
    content["LAW"] = Table(content["LAW"][[0, 0]])
    with pytest.raises(InputError, match=r"is not what was learned.*: the table LAW has 2 rows"):
        load_learned(write(tmp_path / "two.fits", content))


@pytest.mark.parametrize(("table", "column"), [("PARTS", "part"), ("CASES", "case")])
def test_other_parts_and_cases_are_refused(tmp_path: Path, table: str, column: str) -> None:
    content = tables()
    content[table][column] = ["halo", *content[table][column][1:]]
    words = rf"has the {column}s halo, .*but those of the model are .*calibrate again"
    with pytest.raises(InputError, match=words):
        load_learned(write(tmp_path / "c.fits", content))


def test_what_is_something_else_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_learned(tmp_path / "none.fits")
    (tmp_path / "text.fits").write_text("no FITS")
    with pytest.raises(InputError, match=r"is not what was learned .*: .* Give the FITS file"):
        load_learned(tmp_path / "text.fits")
    content = tables()
    del content["PARTS"]
    with pytest.raises(InputError, match=r"PARTS.*those of gcmock 0\.1 must be made again"):
        load_learned(write(tmp_path / "part.fits", content))


def test_files_that_change_are_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "c.fits", tables())
    first = load_learned(path)
    assert load_learned(str(path)) is first
    content = tables()
    content["CELLS"].add_row([99, 1.0, 0.1, 0.0])
    path.unlink()
    assert load_learned(write(path, content)).cell.tolist() == [3, 40, 99]
