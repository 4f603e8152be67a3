"""The true distortion."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.polynomial.legendre import legval2d

from gcmock.astrometry.directions.geometry import distortion_basis, distortion_terms
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations.distortion import (
    as_matrices,
    calibration_table,
    true_distortion,
)
from gcmock.astrometry.observations.folder import CALIBRATION_COLUMNS


def mission(**keys):
    calibration = load_mission("jasmine").calibration.model_copy(update=keys)
    return SimpleNamespace(calibration=calibration)


def values(blocks):
    return np.array([list(block.values()) for block in blocks])


def test_blocks_have_a_common_part_and_their_own():
    settings = {"common_mas": 50.0, "block_mas": 0.0}
    common = values(true_distortion(mission(**settings), 4, 1))
    assert (common == common[0]).all()
    own = values(true_distortion(mission(common_mas=0.0, block_mas=5.0), 4, 1))
    both = values(true_distortion(mission(common_mas=50.0, block_mas=5.0), 4, 1))
    np.testing.assert_allclose(both, common + own, atol=1e-12)
    many = values(true_distortion(mission(common_mas=0.0, block_mas=5.0), 300, 1))
    assert many.std() == pytest.approx(5.0, rel=0.04)
    assert many.mean() == pytest.approx(0.0, abs=5.0 * 4.0 / np.sqrt(many.size))


def test_terms_above_the_degree_are_drawn_for_each_block():
    settings = {"degree": 2, "true_degree": 4, "common_mas": 50.0, "block_mas": 0.0}
    blocks = true_distortion(mission(**settings, mismodelled_mas=2.0), 200, 1)
    assert tuple(blocks[0]) == distortion_terms(4)
    total = np.array([term.degree_x + term.degree_y for term in blocks[0]])
    found = values(blocks)
    assert (found[:, total <= 2] == found[0, total <= 2]).all()
    assert found[:, total > 2].std() == pytest.approx(2.0, rel=0.05)


def test_blocks_do_not_depend_on_their_number():
    few, many = true_distortion(mission(), 2, 7), true_distortion(mission(), 9, 7)
    assert many[:2] == few
    assert true_distortion(mission(), 2, 8) != few


def test_matrices_are_the_same_polynomials():
    block = true_distortion(mission(), 1, 3)[0]
    x, y = np.random.default_rng(1).uniform(-0.01, 0.01, (2, 20))
    basis = distortion_basis(x, y, 0.01, tuple(block))
    for matrix, part in zip(as_matrices(block), basis, strict=True):
        expected = part @ np.array(list(block.values()))
        np.testing.assert_allclose(legval2d(x / 0.01, y / 0.01, matrix), expected, atol=1e-10)


def test_no_distortion():
    blocks = true_distortion(mission(true_degree=0), 3, 1)
    assert blocks == [{}, {}, {}]
    for matrix in as_matrices(blocks[0]):
        assert matrix.tolist() == [[0.0]]
    table = calibration_table(blocks)
    assert [len(values) for values in table.values()] == [0] * 5


def test_the_table_has_a_row_per_block_and_term():
    blocks = true_distortion(mission(), 3, 1)
    table = calibration_table(blocks)
    assert list(table) == [column.name for column in CALIBRATION_COLUMNS]
    expected = [
        (k, *term, value) for k, block in enumerate(blocks) for term, value in block.items()
    ]
    assert list(zip(*table.values(), strict=True)) == expected
