"""Blocks of stars: their size, their bands, and what the kernels are given."""

import numpy as np

from gcmock.posterior.blocks import BLOCK, bands_of, blocks_of, stars_of
from gcmock.posterior.kernel.lattice import Steps
from gcmock.posterior.kinds import StarKind
from gcmock.posterior.observations import Observations
from gcmock.words.bands import BANDS, N_LINEAR

KIND = StarKind(7, 0, Steps(-1, -1, -1, 0), 0)


def observations(n):
    rng = np.random.default_rng(1)
    mag = rng.normal(14.0, 1.0, (n, len(BANDS)))
    return Observations(
        rng.random(n), rng.random(n), mag, np.full_like(mag, 0.05), rng.random(n), rng.random(n),
        rng.random(n), rng.random(n),
    )  # fmt: skip


def test_every_star_is_in_one_block():
    members = np.arange(3, 3 + 2 * BLOCK + 5)
    blocks = blocks_of(members)
    assert [block.size for block in blocks] == [BLOCK, BLOCK, 5]
    np.testing.assert_array_equal(np.concatenate(blocks), members)
    assert blocks_of(members[:0]) == []


def test_kernels_see_the_linear_bands_and_one_synthetic():
    np.testing.assert_array_equal(bands_of(KIND), range(N_LINEAR + 1))


def test_stars_are_those_of_the_rows():
    data, rows = observations(20), np.array([4, 11, 2])
    variance = data.mag_error**2
    stars = stars_of(data, variance, np.arange(20), rows, KIND)
    np.testing.assert_array_equal(stars.mag, data.mag[rows][:, : N_LINEAR + 1])
    np.testing.assert_array_equal(stars.variance, variance[rows][:, : N_LINEAR + 1])
    np.testing.assert_array_equal(stars.sightline, rows)
    np.testing.assert_array_equal(stars.tau, data.tau[rows])
    assert stars.mag.flags.c_contiguous
    assert np.isnan(stars.motion.pm_l).all()
