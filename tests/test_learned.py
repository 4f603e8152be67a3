"""Calibrated reddening: what a calibration makes of the map, and how its file is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from gcmock.learned import (
    FALLBACK_SCATTER,
    FIELDS_IN_B,
    Learned,
    field_number,
    load_calibration,
)
from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.errors import InputError
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.components import COMPONENTS, MERGED_GROUPS

N = len(COMPONENTS)
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


def calibration(**changes: object) -> Learned:
    """Cells 3 and 40 are calibrated; no star refines them."""
    plain = Learned(
        "c.fits", "0", "subcell", LAW, np.array([3, 40]), np.array([0.9, 1.2]),
        np.array([0.05, 0.1]), np.zeros((0, 2)), np.zeros((5, 0)), np.linspace(1.0, 2.0, N),
        np.zeros(0, np.int64), np.zeros((0, N)),
    )  # fmt: skip
    return replace(plain, **changes)


@pytest.mark.parametrize(("cell", "factor", "scatter"), [(3, 0.9, 0.05), (40, 1.2, 0.1)])
def test_calibrated_cells(cell: int, factor: float, scatter: float) -> None:
    """Both are relative to the reddening of the map, whose own scatter no longer counts."""
    given = np.array([2.5]), np.array([0.7])
    e_jks, tau = calibration().apply(SKY, *centre(cell), *given)
    np.testing.assert_allclose([e_jks[0], tau[0]], [factor * 2.5, scatter * 2.5])


@pytest.mark.parametrize("cell", [0, 4, 41, 255])
def test_elsewhere_the_map_holds_with_seven_percent_in_quadrature(cell: int) -> None:
    e_jks, tau = calibration().apply(SKY, *centre(cell), np.array([2.0]), np.array([0.3]))
    assert e_jks[0] == 2.0
    assert tau[0] == pytest.approx(np.hypot(0.3, FALLBACK_SCATTER * 2.0))


def test_outside_the_map_nothing_is_known() -> None:
    nan = np.full(1, np.nan)
    e_jks, tau = calibration().apply(SKY, np.array([-5.0]), np.array([0.1]), nan, nan)
    assert np.isnan([e_jks, tau]).all()


def test_stars_refine_their_surroundings() -> None:
    """A star by its neighbours; a place within the radius with the star; beyond it, the cell."""
    l_deg, b_deg = centre(3)
    place = np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg])
    refined = calibration(place=place, star=np.array([[1.1], [0.02], [1.3], [0.03], [0.002]]))
    l_deg = l_deg + np.array([0.0, 0.001, 0.003])
    e_jks, tau = refined.apply(SKY, l_deg, np.full(3, b_deg[0]), np.full(3, 2.0), np.full(3, 0.5))
    np.testing.assert_allclose(e_jks, [2.2, 2.6, 1.8])
    np.testing.assert_allclose(tau, [0.04, 0.06, 0.1])


def test_stars_do_not_reach_cells_that_are_not_calibrated() -> None:
    l_deg, b_deg = centre(4)
    place = np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg])
    refined = calibration(place=place, star=np.array([[1.1], [0.02], [1.3], [0.03], [1.0]]))
    e_jks, _ = refined.apply(SKY, l_deg, b_deg, np.array([2.0]), np.array([0.5]))
    assert e_jks[0] == 2.0


def test_numbers_of_fields() -> None:
    """Squares of 8 x 8 cells: the number in l times 100 000 and that in b."""
    cells = np.array([0, 7, 8, 7 * 16 + 7, 8 * 16, 15 * 16 + 15])
    expected = [0, 0, 1, 0, FIELDS_IN_B, FIELDS_IN_B + 1]
    assert field_number(SKY, cells).tolist() == expected


def test_weights_of_components_are_those_of_the_field_where_it_has_some() -> None:
    own = np.linspace(3.0, 4.0, N)
    used = calibration(field=np.array([1]), field_weights=own[None])
    l_deg, b_deg = SKY.cell_centre(np.array([8, 0, 255]))
    found = used.component_weights(SKY, l_deg, b_deg)
    np.testing.assert_array_equal(found, [own, used.weights, used.weights])
    np.testing.assert_array_equal(
        calibration().component_weights(SKY, l_deg, b_deg), np.tile(used.weights, (3, 1))
    )


GROUP = np.array([[name in of for of in MERGED_GROUPS.values()].index(True) for name in COMPONENTS])


def tables() -> dict[str, Table]:
    """Content of a file whose cells are out of order."""
    rows = {"cell": [40, 3], "factor": [1.2, 0.9], "scatter": [0.1, 0.05]}
    cells = Table(rows)
    cells.meta["MAPVALUE"] = "subcell"
    star = {name: [value] for name, value in zip(
        ("factor", "scatter", "factor_all", "scatter_all", "radius"),
        (1.1, 0.02, 1.3, 0.03, 0.002), strict=True,
    )}  # fmt: skip
    law = Table({f"a_{band}": [1.5 - 0.5 * i] for i, band in enumerate(LINEAR_BANDS)})
    law.meta["LAWNAME"] = "fitted"
    return {
        "CELLS": cells,
        "STARS": Table({"l": [60.0], "b": [60.0], **star}),
        "LAW": law,
        "FRACTIONS": Table(
            {"component": COMPONENTS, "group": GROUP, "weight": np.linspace(1.0, 2.0, N)}
        ),
        "FIELDS": Table(
            {"field": [7], **{f"weight_{g}": [2.0 + i] for i, g in enumerate(MERGED_GROUPS)}}
        ),
    }


def write(path: Path, content: dict[str, Table]) -> Path:
    hdus = [fits.BinTableHDU(table, name=name) for name, table in content.items()]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


def test_files_are_read(tmp_path: Path) -> None:
    found = load_calibration(write(tmp_path / "c.fits", tables()))
    assert found.cell.tolist() == [3, 40]
    assert found.factor.tolist() == [0.9, 1.2]
    assert found.scatter.tolist() == [0.05, 0.1]
    assert found.map_value == "subcell"
    assert found.law.name == "calibrated (fitted)"
    assert found.law.rows.tolist() == [[1.5, 1.0, 0.5]]
    np.testing.assert_allclose(found.place, [[60.0 * np.cos(np.radians(60.0)), 60.0]])
    assert found.star[:, 0].tolist() == [1.1, 0.02, 1.3, 0.03, 0.002]
    np.testing.assert_array_equal(found.weights, np.linspace(1.0, 2.0, N))
    np.testing.assert_array_equal(found.field_weights, [2.0 + GROUP])
    assert len(found.sha256) == 64


def test_one_law_or_one_for_each_quadrant(tmp_path: Path) -> None:
    content = tables()
    content["LAW"] = Table(content["LAW"][[0] * len(QUADRANTS)])
    assert len(load_calibration(write(tmp_path / "q.fits", content)).law.rows) == len(QUADRANTS)
    content["LAW"] = Table(content["LAW"][[0, 0]])
    with pytest.raises(InputError, match="is not a calibration: the table LAW has 2 rows"):
        load_calibration(write(tmp_path / "two.fits", content))


def test_other_components_are_refused(tmp_path: Path) -> None:
    content = tables()
    names = ("halo", *COMPONENTS[1:])
    content["FRACTIONS"]["component"] = names
    with pytest.raises(InputError, match=r"components halo, thin2.*but those.*calibrate again"):
        load_calibration(write(tmp_path / "c.fits", content))


def test_what_is_no_calibration_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_calibration(tmp_path / "none.fits")
    (tmp_path / "text.fits").write_text("no FITS")
    with pytest.raises(InputError, match=r"is not a calibration: .* Give the FITS file"):
        load_calibration(tmp_path / "text.fits")
    content = tables()
    del content["STARS"]
    with pytest.raises(InputError, match=r"is not a calibration: .*STARS"):
        load_calibration(write(tmp_path / "part.fits", content))


def test_files_that_change_are_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "c.fits", tables())
    first = load_calibration(path)
    assert load_calibration(str(path)) is first
    content = tables()
    content["CELLS"].add_row([99, 1.0, 0.1])
    path.unlink()
    assert load_calibration(write(path, content)).cell.tolist() == [3, 40, 99]
