"""The reddening map: its cells, sub-cells and borders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.laws import load_law
from gcmock.dust.profile import profile
from gcmock.errors import InputError


@pytest.fixture(scope="module")
def dust_map() -> ExtinctionMap:
    return ExtinctionMap.load()


def small_map() -> ExtinctionMap:
    """Two by two cells around (0, 0); the one at l > 0, b > 0 has sub-cells 1000, 1001 ... mmag."""
    return ExtinctionMap(
        mean=np.array([[1.0, 2.0], [3.0, 4.0]]),
        subcell=np.arange(1000, 1025, dtype=np.uint16)[None],
        subcell_cell=np.array([3]),
        l_min_deg=-0.025,
        b_min_deg=-0.025,
        step_deg=0.025,
        subcell_per_mag=1000,
    )


def test_sub_cells_run_along_latitude_first() -> None:
    small = small_map()
    l_deg, b_deg = np.meshgrid(0.0025 + 0.005 * np.arange(5), 0.0025 + 0.005 * np.arange(5))
    e_jks, _ = small.value(l_deg.T, b_deg.T, "subcell")
    np.testing.assert_allclose(e_jks.ravel(), 1.0 + 1e-3 * np.arange(25))


def test_kinds_of_value() -> None:
    small = small_map()
    l_deg, b_deg = np.array([0.01, -0.01, 1.0]), np.array([0.01, 0.01, 0.0])
    np.testing.assert_allclose(small.value(l_deg, b_deg, "cell_mean")[0], [4.0, 2.0, np.nan])
    e_jks, scatter = small.value(l_deg, b_deg, "subcell_mean")
    np.testing.assert_allclose(e_jks, [1.012, 2.0, np.nan])
    np.testing.assert_allclose(scatter, [1e-3 * np.std(np.arange(25)), 0.0, np.nan])
    np.testing.assert_allclose(small.value(l_deg, b_deg, "subcell")[1], [0.0, 0.0, np.nan])
    with pytest.raises(InputError, match="subcell_mean"):
        small.value(0.0, 0.0, "median")  # type: ignore[arg-type]


def test_shape_and_range(dust_map: ExtinctionMap) -> None:
    assert dust_map.mean.shape == (760, 360)
    assert len(dust_map.subcell_cell) == 92_774
    assert 0.05 < dust_map.mean.min() < dust_map.mean.max() < 5.4
    assert dust_map.subcell.max() == 5633


def test_known_reddening(dust_map: ExtinctionMap) -> None:
    """Values that genulens 2.0.0a4 returns; on a border it takes the smaller coordinates."""
    l_deg = np.array([0.0, 0.0, 0.5, -0.7, 0.9, 1.0]) - 1e-4
    b_deg = np.array([0.0, -0.2, 0.1, -0.6, 0.9, -2.0]) - 1e-4
    e_jks, _ = dust_map.value(l_deg, b_deg, "subcell")
    np.testing.assert_array_equal(e_jks, [4.671, 4.279, 3.564, 3.207, 1.296, 0.377])


def test_the_mean_column_is_below_the_mean_of_the_sub_cells(dust_map: ExtinctionMap) -> None:
    l_deg, b_deg = dust_map.cell_centre(dust_map.subcell_cell)
    ratio = (
        dust_map.value(l_deg, b_deg, "subcell_mean")[0]
        / dust_map.value(l_deg, b_deg, "cell_mean")[0]
    )
    assert ratio.mean() == pytest.approx(1.018, abs=0.001)
    assert np.median(ratio) == pytest.approx(1.010, abs=0.001)


def test_coverage_and_any_turn_of_longitude(dust_map: ExtinctionMap) -> None:
    l_deg = np.array([359.3, 0.3, 9.49, -9.51, 9.5, np.nan, 0.0])
    b_deg = np.array([0.1, 0.1, -4.49, 0.0, 0.0, 0.0, 4.51])
    np.testing.assert_array_equal(dust_map.inside(l_deg, b_deg), [True] * 3 + [False] * 4)
    np.testing.assert_array_equal(
        dust_map.value(l_deg[:2], b_deg[:2])[0], dust_map.value(l_deg[:2] - 360.0, b_deg[:2])[0]
    )
    np.testing.assert_array_equal(dust_map.cell_index(l_deg, b_deg)[3:], -1)


def test_cell_centres_are_in_their_cells(dust_map: ExtinctionMap) -> None:
    cells = np.arange(dust_map.mean.size)
    l_deg, b_deg = dust_map.cell_centre(cells)
    np.testing.assert_array_equal(dust_map.cell_index(l_deg, b_deg), cells)
    np.testing.assert_allclose([l_deg[0], b_deg[0]], [-9.4875, -4.4875])
    assert np.isnan(dust_map.cell_centre(-1)).all()
    assert not dust_map.has_subcells(-1)


def test_read_only_and_shared(dust_map: ExtinctionMap) -> None:
    assert ExtinctionMap.load() is dust_map
    with pytest.raises(ValueError, match="read-only"):
        dust_map.mean[0, 0] = 1.0


@pytest.mark.parametrize("kind", ["subcell", "cell_mean"])
def test_extinction_of_genstars_stars(dust_map: ExtinctionMap, shared_dir: Path, kind: str) -> None:
    """A_Ks of every star = kappa E s(D): this fixes kappa and the order of the sub-cells."""
    name = {"subcell": "stars_subcell", "cell_mean": "stars_cellmean"}[kind]
    stars = pq.read_table(shared_dir / "reference" / f"{name}.parquet")
    l_deg, b_deg, distance_pc, a_ks = (
        stars[column].to_numpy() for column in ("l", "b", "distance_pc", "a_ks")
    )
    e_jks, _ = dust_map.value(l_deg, b_deg, kind)
    centre = dust_map.cell_centre(dust_map.cell_index(l_deg, b_deg))
    kappa_ks = load_law("wang_chen_2019").rows[0, 2]
    predicted = kappa_ks * e_jks * profile(*centre, distance_pc)
    np.testing.assert_allclose(a_ks, predicted, atol=0.001)
