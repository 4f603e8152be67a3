"""Windows on the sky and their division into patches."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_map import small_map

from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.errors import InputError, OutsideModelError
from gcmock.mock.sky import PatchLayout, check_window, layout, make_patches, window_cells
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.sightline import FINE_RADIUS_DEG, SQUARE_DEGREE_SR
from gcmock.words.components import COMPONENTS

SKY = small_map(40, 20, l_min_deg=-0.5, b_min_deg=-0.25)


def model(sky: ExtinctionMap, map_value: str = "subcell", centre: float = 50.0) -> SimpleNamespace:
    """What patches are made of: a galaxy of constant density whose centre is at l = b."""
    sun = SimpleNamespace(sgr_a_l_deg=centre, sgr_a_b_deg=centre)

    def number_density(l_deg, b_deg, distance_pc):
        return np.ones((np.size(distance_pc), len(COMPONENTS))) * 0.01

    return SimpleNamespace(
        map_value=map_value,
        profile_scatter=0.0,
        extinction_map=sky,
        galaxy=SimpleNamespace(sun=sun, number_density=number_density),
        grid=DistanceGrid(np.array([1000.0, 2000.0, 4000.0])),
        config=SimpleNamespace(
            extinction=SimpleNamespace(map_value=map_value, dust_scale_height_pc=164.0)
        ),
        reddening=lambda l_deg, b_deg: (l_deg + 10.0, b_deg + 20.0),
        law=SimpleNamespace(kappa=lambda l_deg, b_deg: np.column_stack([l_deg, l_deg, b_deg])),
    )


@pytest.mark.parametrize(
    ("l_range", "b_range", "words"),
    [
        ((0.1, -0.1), (0.0, 0.1), "is empty; give the lower border first"),
        ((0.1, 0.1), (0.0, 0.1), "is empty"),
        ((0.0, 0.1), (0.1, 0.1), "is empty"),
        ((0.0, np.nan), (0.0, 0.1), "the borders must be numbers"),
        ((0.0, 0.1), (-np.inf, 0.1), "the borders must be numbers"),
        ((0.0, 400.0), (0.0, 0.1), r"expected l in -180 \.\.\. 360 and b in -90 \.\.\. 90 deg"),
        ((0.0, 0.1), (0.0, 91.0), "expected l in"),
    ],
)
def test_bad_windows(l_range, b_range, words: str) -> None:
    with pytest.raises(InputError, match=rf"^window l = .*: .*{words}"):
        check_window(SKY, l_range, b_range)


@pytest.mark.parametrize(
    ("l_range", "b_range"),
    [((-0.51, 0.1), (0.0, 0.1)), ((0.0, 0.51), (0.0, 0.1)), ((0.0, 0.1), (-0.3, 0.1)),
     ((0.0, 0.1), (0.0, 0.26))],
)  # fmt: skip
def test_windows_beyond_the_map_name_its_borders(l_range, b_range) -> None:
    with pytest.raises(OutsideModelError, match=r"-0\.5 <= l < 0\.5, -0\.25 <= b < 0\.25 deg"):
        check_window(SKY, l_range, b_range)


def test_the_whole_map_is_a_window() -> None:
    window = check_window(SKY, (359.5, 0.5), (-0.25, 0.25))
    np.testing.assert_allclose(window, [-0.5, 0.5, -0.25, 0.25])
    assert window_cells(SKY, window).tolist() == list(range(SKY.mean.size))


def test_windows_may_cross_the_centre() -> None:
    assert check_window(SKY, (359.9, 0.1), (0.0, 0.1))[:2] == pytest.approx((-0.1, 0.1))


border = st.integers(-100, 100)


@settings(max_examples=30, deadline=None)
@given(*(st.tuples(border, border).filter(lambda pair: pair[0] < pair[1]) for _ in range(2)))
def test_cells_of_a_window_are_those_that_it_touches(l_steps, b_steps) -> None:
    """Borders in steps of a sub-cell: the cells of all sub-cells in the window, and no others."""
    half = 0.5 * np.array(b_steps)
    window = check_window(SKY, np.array(l_steps) * 0.005, half.clip(-50, 50) * 0.005)
    l_mid = np.arange(l_steps[0], l_steps[1]) * 0.005 + 0.0025
    b_low, b_high = half.clip(-50, 50) * 0.005
    n_step = round((b_high - b_low) / 0.0025)
    b_mid = b_low + 0.0025 * np.arange(n_step) + 0.00125
    inside = np.unique(SKY.cell_index(*(a.ravel() for a in np.meshgrid(l_mid, b_mid))))
    assert window_cells(SKY, window).tolist() == inside.tolist()


def test_cells_are_patches_unless_the_reddening_changes_inside() -> None:
    sky = small_map(4, 4, divided=(5,))
    found = layout(model(sky), np.array([4, 5]))
    assert found.side_deg.tolist() == [0.025] + [0.005] * 25
    corners = np.array([found.l_low_deg[1:], found.b_low_deg[1:]]).reshape(2, 5, 5)
    np.testing.assert_allclose(corners[0][:, 0], 0.025 + 0.005 * np.arange(5))
    np.testing.assert_allclose(corners[1][0], 0.025 + 0.005 * np.arange(5))
    assert np.unique(found.identity).size == 26


def test_means_of_cells_need_no_division() -> None:
    sky = small_map(4, 4, divided=(5,))
    found = layout(model(sky, map_value="cell_mean"), np.array([4, 5]))
    assert found.side_deg.tolist() == [0.025, 0.025]


def test_cells_near_the_centre_are_divided_because_their_lines_of_sight_are() -> None:
    assert FINE_RADIUS_DEG > 0.05
    found = layout(model(small_map(4, 4), centre=0.05), np.arange(16))
    assert found.side_deg.tolist() == [0.005] * 25 * 16


def test_patches_do_not_depend_on_their_neighbours() -> None:
    sky = small_map(4, 4, divided=(5, 9))
    whole = layout(model(sky), np.arange(16))
    alone = layout(model(sky), np.array([9]))
    assert set(alone.identity) < set(whole.identity)
    assert np.unique(whole.identity).size == whole.identity.size


def test_areas_of_patches_are_those_of_the_sphere() -> None:
    where = PatchLayout(np.array([1]), np.array([0.0]), np.array([60.0]), np.array([1.0]))
    low, high = where.sin_b
    np.testing.assert_allclose([low[0], high[0]], np.sin(np.radians([60.0, 61.0])))
    patches = make_patches(model(SKY), where, seed=1)
    assert patches.area_deg2[0] == pytest.approx(np.cos(np.radians(60.5)), rel=1e-4)


def test_patches_share_lines_of_sight_and_have_their_own_reddening() -> None:
    sky = small_map(4, 4, divided=(5,))
    where = layout(model(sky), np.array([4, 5]))
    patches = make_patches(model(sky), where, seed=1)
    assert patches.sightline.tolist() == [0] + [1] * 25
    assert patches.prior.shape == (2, len(COMPONENTS), 2)
    volume = SQUARE_DEGREE_SR * np.array([1500.0**2 * 1000.0, 3000.0**2 * 2000.0])
    np.testing.assert_allclose(patches.prior[0, 0], 0.01 * volume)
    middle = where.b_low_deg + 0.5 * where.side_deg
    np.testing.assert_allclose(patches.tau, middle + 20.0)
    np.testing.assert_allclose(patches.kappa_ks, middle)
    assert np.unique(patches.key).size == 26
    other = make_patches(model(sky), where, seed=2)
    assert not set(other.key) & set(patches.key)
