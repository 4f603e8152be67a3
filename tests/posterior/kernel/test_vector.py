"""Sums over blocks of sixteen places, against the same formula in numpy and double precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from gcmock.posterior.kernel.vector import (
    LANES,
    LEAST_EXPONENT,
    N_POPULATION,
    add_blocks,
    add_listed,
    list_blocks,
    weigh_blocks,
)

STAR = ("w", "c", "q", "gamma", "delta", "inv_q", "beta", "inv_w", "inv_c")


@njit
def add(block, first, last, total, scale, star):
    add_blocks(
        block, first, last, total, scale,
        star[0], star[1], star[2], star[3], star[4], star[5], star[6], star[7], star[8],
    )  # fmt: skip


@njit
def add_list(block, firsts, listed, total, star):
    n = 0
    for first in firsts:
        list_blocks(listed, n, first)
        n += 2
    add_listed(
        block, listed, n, total,
        star[0], star[1], star[2], star[3], star[4], star[5], star[6], star[7], star[8],
    )  # fmt: skip


@njit
def weigh(block, first, last, out, begin, star):
    weigh_blocks(
        block, first, last, out, begin,
        star[0], star[1], star[2], star[3], star[4], star[5], star[6], star[7], star[8],
    )  # fmt: skip


def likelihood(block: np.ndarray, star: np.ndarray) -> np.ndarray:
    """Likelihood of every place, shape (n_block, 16)."""
    s = dict(zip(STAR, star.astype(float), strict=True))
    w, c, q = (block[:, i].astype(float) for i in range(3))
    dq = s["q"] - q
    y = s["c"] - c - s["delta"] * dq
    z = s["w"] - w - s["gamma"] * dq - s["beta"] * y
    exponent = -(dq**2) * s["inv_q"] - z**2 * s["inv_w"] - y**2 * s["inv_c"]
    return 2.0 ** np.maximum(exponent, LEAST_EXPONENT)


def random_blocks(rng: np.random.Generator, n_block: int, n_weight: int) -> np.ndarray:
    block = rng.normal(size=(n_block, 3 + n_weight, LANES))
    block[:, 3:] = np.abs(block[:, 3:])
    return block.astype(np.float32)


def random_star(rng: np.random.Generator) -> np.ndarray:
    star = rng.normal(size=9)
    star[[5, 7, 8]] = np.exp(rng.uniform(-3.0, 3.0, 3))
    return star.astype(np.float32)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_block=st.integers(0, 7))
def test_add_blocks_equals_numpy(seed: int, n_block: int) -> None:
    rng = np.random.default_rng(seed)
    block, star = random_blocks(rng, 9, N_POPULATION), random_star(rng)
    total = np.zeros((N_POPULATION, LANES), np.float32)
    add(block, 1, 1 + n_block, total, np.float32(0.5), star)
    part = block[1 : 1 + n_block]
    expected = 0.5 * (likelihood(part, star)[:, None] * part[:, 3:]).sum(axis=0)
    np.testing.assert_allclose(total, expected, rtol=2e-4, atol=1e-20)
    add(block, 1, 1 + n_block, total, np.float32(0.5), star)  # adds to what is there
    np.testing.assert_allclose(total, 2.0 * expected, rtol=2e-4, atol=1e-20)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), firsts=st.lists(st.integers(0, 7), max_size=5))
def test_listed_blocks_are_added_in_turn(seed: int, firsts: list[int]) -> None:
    """Two blocks from each of some places, which may repeat."""
    rng = np.random.default_rng(seed)
    block, star = random_blocks(rng, 9, N_POPULATION), random_star(rng)
    total, expected = np.zeros((2, N_POPULATION, LANES), np.float32)
    listed = np.full(2 * len(firsts) + LANES, -1, np.int32)
    add_list(block, np.array(firsts, np.int64), listed, total, star)
    for first in firsts:
        add(block, first, first + 2, expected, np.float32(1.0), star)
    np.testing.assert_array_equal(total, expected)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_block=st.integers(0, 5), begin=st.integers(0, 2))
def test_weigh_blocks_equals_numpy(seed: int, n_block: int, begin: int) -> None:
    rng = np.random.default_rng(seed)
    block, star = random_blocks(rng, 6, 1), random_star(rng)
    out = np.full(8 * LANES, -1.0, np.float32)
    weigh(block, 1, 1 + n_block, out, begin, star)
    part = block[1 : 1 + n_block]
    expected = (likelihood(part, star) * part[:, 3]).ravel()
    end = begin * LANES + expected.size
    np.testing.assert_allclose(out[begin * LANES : end], expected, rtol=2e-4, atol=1e-20)
    assert np.all(out[end:] == -1.0)
    assert np.all(out[: begin * LANES] == -1.0)


def test_powers_of_two() -> None:
    """The polynomial against numpy, over the whole range of exponents, floor included."""
    x = np.linspace(-100.0, 0.0, 10 * LANES)
    block = np.zeros((10, 4, LANES), np.float32)
    block[:, 0] = np.sqrt(-x).reshape(10, LANES)
    block[:, 3] = 1.0
    out = np.empty(10 * LANES, np.float32)
    star = np.zeros(9, np.float32)
    star[7] = 1.0
    weigh(block, 0, 10, out, 0, star)
    exact = 2.0 ** -(block[:, 0].astype(float).ravel() ** 2)
    np.testing.assert_allclose(out[exact > 2.0**-79.9], exact[exact > 2.0**-79.9], rtol=1e-4)
    assert out.min() == pytest.approx(2.0**-80, rel=1e-4)
