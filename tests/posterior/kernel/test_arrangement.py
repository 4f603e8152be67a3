"""Coordinates of nodes, and places in rows of blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.posterior.kernel.arrangement import (
    KEY_BANDS,
    RowLayout,
    arrange,
    coordinate_rows,
    coordinates,
    no_rows,
)

KAPPA = np.array([1.5, 0.9, 0.5])


class Relation:
    def hw_mag(self, j, h):
        return h + 0.75 * (j - h)

    mag = hw_mag


@pytest.mark.parametrize("mask", [mask for mask, key in KEY_BANDS.items() if len(key) == 2])
def test_distance_and_reddening_move_one_coordinate_each(mask):
    rows = coordinate_rows(mask, KAPPA)
    # A distance moves W alone, by as much; reddening moves c alone, by as much.
    np.testing.assert_allclose(rows @ np.ones(3), [1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(rows @ KAPPA, [0.0, 1.0, 0.0], atol=1e-12)
    unused = [band for band in range(3) if not mask & 1 << band]
    assert not rows[:, unused].any()
    assert rows[2].any() == (mask == 7)


def test_single_bands_and_none():
    np.testing.assert_array_equal(coordinate_rows(2, KAPPA)[0], [0.0, 1.0, 0.0])
    assert not coordinate_rows(2, KAPPA)[1:].any()
    for mask in (0, 8, 11):
        assert not coordinate_rows(mask, KAPPA).any()


def test_coordinates_with_hw():
    mag = np.array([[1.0, 2.0], [0.5, 1.0], [0.25, 0.5]])
    hw = Relation().hw_mag(mag[0], mag[1])
    for mask, second in {8: -1, 9: 0, 10: 1, 12: 2}.items():
        found = coordinates(mask, mag, KAPPA, Relation())
        np.testing.assert_allclose(found[0], hw)
        np.testing.assert_allclose(found[1], hw - mag[second] if second >= 0 else 0.0 * hw)
        np.testing.assert_allclose(found[2], mag[0] - mag[1])
    np.testing.assert_allclose(
        coordinates(7, mag, KAPPA, Relation()), coordinate_rows(7, KAPPA) @ mag
    )


LAYOUT = RowLayout(0, 1, 0.0, 0.5, 0.5, -1.0, 0.25, 6, 9)


@settings(max_examples=20)
@given(st.integers(1, 120), st.integers(0, 10**6))
def test_every_place_keeps_its_weight_in_its_row_and_bin(n, seed):
    rng = np.random.default_rng(seed)
    place = np.stack([rng.uniform(0, 3, n), rng.uniform(-1, 1.2, n), rng.normal(size=n)])
    weight = rng.random((2, n)).astype(np.float32)
    group = rng.integers(0, 3, n)
    rows, position = arrange(place, weight, group, 3, LAYOUT)
    assert np.unique(position).size == n
    block, lane = np.divmod(position, 16)
    np.testing.assert_allclose(rows.block[block, :3, lane], place.T, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(rows.block[block, 3:, lane], weight.T)
    # Padding weighs nothing.
    assert rows.block[:, 3:].sum() == pytest.approx(weight.sum(), rel=1e-5)
    i = np.floor(place[0] / 0.5 + 1e-6).astype(int)
    k = np.floor((place[1] + 1.0) / 0.25 + 1e-6).astype(int)
    first = rows.first
    assert (position >= first[group, i, k]).all()
    assert (position < first[group, i, k + 1]).all()
    # Rows begin with whole blocks.
    assert not (first[:, :, 0] % 16).any()
    for row in range(LAYOUT.n_row):
        here = i == row
        if here.any():
            fraction = weight.sum(axis=0)[here].astype(float)
            mean = np.average(place[2][here], weights=fraction)
            assert rows.q_mean[row] == pytest.approx(mean, abs=1e-6)
            spread = np.sqrt(np.average((place[2][here] - mean) ** 2, weights=fraction))
            assert rows.q_half[row] == pytest.approx(2.0 * spread, abs=1e-6)
        if (i >= row).any():
            assert rows.c_top[row] == -1.0 + 0.25 * (k[i >= row].max() + 1)
        if (i <= row).any():
            assert rows.c_bottom[row] == -1.0 + 0.25 * k[i <= row].min()


def test_nothing():
    rows = no_rows()
    assert rows.block.shape[0] == 0
    assert rows.first.shape[1] == rows.q_mean.size == 0
