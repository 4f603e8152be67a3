"""The lattice of a star: the coarsest that its Gaussian resolves."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from uncompiled import uncompile

from gcmock.posterior.kernel import steps as module
from gcmock.posterior.kernel.arrangement import coordinate_rows
from gcmock.posterior.kernel.lattice import STEPS_C, STEPS_COLOUR, STEPS_Q, STEPS_W, TILTS
from gcmock.posterior.kernel.structures import Law

LAW = Law(np.array([1.5, 0.9, 0.5]), np.array([0.8, -0.03, 0.0]), 3)
MAG = np.array([17.0, 14.2, 12.7, 15.9])


@pytest.fixture(autouse=True)
def python(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.steps", "gcmock.posterior.kernel.terms")


def choose(mask, sigma, mag=MAG, tau=0.1):
    """Steps of one star with the same error in all bands."""
    table = SimpleNamespace(coordinates=coordinate_rows(mask & 7, LAW.kappa), fineness=1.0)
    stars = SimpleNamespace(
        mag=mag[None], variance=np.full((1, 4), sigma**2), e_jks_rc=np.array([2.5]),
        tau=np.array([tau]),
    )  # fmt: skip
    out = np.full((1, 4), 99)
    run = getattr(module.choose_steps, "py_func", module.choose_steps)
    run(mask, table, stars, LAW, out)
    return out[0].tolist()


@pytest.mark.parametrize("k", range(-1, 5))
def test_largest_step_below_a_limit(k):
    steps = np.array([0.1, 0.2, 0.4, 0.8, 1.6])
    assert module._largest(steps, (steps[k] if k >= 0 else 0.05) * 1.01) == k


def test_without_photometry_there_is_nothing_to_resolve():
    assert choose(0, 0.1) == [0, STEPS_C.size - 1, STEPS_Q.size - 1, 0]


def test_single_band_takes_its_error():
    found = choose(4, 0.05)
    assert STEPS_W[found[0]] <= module.PER_SIGMA[0, 0] * 0.05 < STEPS_W[found[0] + 1]
    assert found[1:] == [STEPS_C.size - 1, STEPS_Q.size - 1, 0]
    # Errors below the finest step: summed over nodes.
    assert choose(4, 0.001) == [-1, -1, -1, 0]


@pytest.mark.parametrize("mask", [3, 5, 6, 7])
def test_steps_grow_with_the_errors(mask):
    found = np.array([choose(mask, sigma) for sigma in (0.02, 0.05, 0.1, 0.3)])
    resolved = found[found[:, 0] >= 0]
    assert len(resolved) >= 2
    assert (np.diff(resolved[:, :2], axis=0) >= 0).all()
    assert ((found[:, 3] >= 0) & (found[:, 3] < TILTS.size)).all()


def test_an_outlier_in_q_is_summed_over_nodes():
    mag = MAG.copy()
    mag[1] += 1.0
    assert choose(7, 0.05)[0] >= 0
    assert choose(7, 0.05, mag) == [-1, -1, -1, 0]


def test_synthetic_band_alone_and_with_another():
    alone = choose(8, 0.1)
    assert alone[2] == STEPS_COLOUR.size - 1
    assert STEPS_W[alone[0]] <= module.PER_SIGMA[0, 0] * 0.1
    beside = choose(12, 0.1)
    assert STEPS_C[beside[1]] <= module.COLOUR_PER_SIGMA * 0.1
    # The other band makes the synthetic one more certain.
    assert beside[0] <= alone[0]
