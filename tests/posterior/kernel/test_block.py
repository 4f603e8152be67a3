"""The loop over stars: second looks, inflated errors, and what is left when nothing helps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from uncompiled import uncompile

from gcmock.posterior.kernel import block
from gcmock.posterior.kernel.star import INFLATION_MAG
from gcmock.posterior.results import empty_draws, empty_summary

N_TRY = 2 * INFLATION_MAG.size
SHARED = SimpleNamespace(
    bins=None, sightlines=SimpleNamespace(prior=["of the first", "of the second"])
)


@pytest.fixture
def calls(monkeypatch):
    """What the loop asked for, with everything but the loop replaced."""
    found = SimpleNamespace(evaluated=[], prior=[], drawn=[], succeed=0)
    uncompile(monkeypatch, "gcmock.posterior.kernel.block")

    def evaluate(stars, i, mask, inflation, exact, shared, work):
        found.evaluated.append((i, inflation, exact))
        return (8.0 if len(found.evaluated) > found.succeed else 0.0), "star", "variance"

    def without_photometry(bins, prior, work):
        found.prior.append(prior)
        return 2.0

    def draw(stars, i, key, mask, star, variance, total, shared, work, mag):
        found.drawn.append((key, mask, total))
        mag[:] = key
        return 1, 2, 8000.0, 2.5

    def summarise(bins, work, total, probability, quantile):
        probability[:], quantile[:] = 0.5, 7000.0
        if work is not None:
            work.support, work.mass = (1, 3), np.array([9.0, 2.0, 6.0, 9.0])
        return 7500.0

    for replaced in (evaluate, without_photometry, draw, summarise):
        monkeypatch.setattr(block, replaced.__name__, replaced)
    return found


def run(mask=7, row=2, work=None, mass=None):
    """One star, which has the third place of four."""
    stars = SimpleNamespace(sightline=np.array([1]))
    summary, draws = empty_summary(4, 2), empty_draws(4, 2, 3)
    for array in (*summary, *draws):
        array.fill(-9)
    keys = np.arange(8).reshape(4, 2)
    mass = np.zeros((0, 4)) if mass is None else mass
    block.run(stars, np.array([row]), mask, SHARED, work, keys, summary, draws, mass)
    return summary, draws


def test_a_star_that_the_model_explains(calls):
    summary, draws = run()
    assert calls.evaluated == [(0, 0, False)]
    assert summary.inflation.tolist() == [-9, -9, 0, -9]
    assert summary.log_evidence[2] == pytest.approx(np.log(8.0))
    assert summary.distance_mean_pc[2] == 7500.0
    assert draws.component[2].tolist() == [1, 1]
    assert draws.node[2].tolist() == [2, 2]
    assert draws.e_jks[2].tolist() == [2.5, 2.5]
    np.testing.assert_array_equal(draws.mag[2], [[4.0] * 3, [5.0] * 3])
    # The places of other stars are not touched.
    assert (np.delete(draws.mag, 2, axis=0) == -9).all()
    assert calls.drawn == [(4, 7, 8.0), (5, 7, 8.0)]


def test_masses_are_kept_where_there_is_room_for_them(calls):
    """Of the bins that hold any, over their sum; the places of other stars are not touched."""
    mass = np.zeros((4, 4))
    run(work=SimpleNamespace(), mass=mass)
    np.testing.assert_array_equal(mass[2], [0.0, 2.0 / 8.0, 6.0 / 8.0, 0.0])
    assert not np.delete(mass, 2, axis=0).any()


@pytest.mark.parametrize(("failures", "expected"), [(0, 1.0), (1, 2.0), (2, 0.0)])
def test_evidences_look_twice_and_never_at_larger_errors(monkeypatch, failures, expected):
    uncompile(monkeypatch, "gcmock.posterior.kernel.block")
    work, asked = SimpleNamespace(evidence=np.zeros(16)), []

    def evaluate(stars, i, mask, inflation, exact, shared, work):
        asked.append((i, inflation, exact))
        found = len(asked) > failures
        work.evidence[:] = len(asked) if found else 0.0
        return float(found), "star", "variance"

    monkeypatch.setattr(block, "evaluate", evaluate)
    out = np.zeros((4, 3))
    stars = SimpleNamespace(e_jks_rc=np.zeros(1))
    block.evidences(stars, np.array([2]), 7, SHARED, work, out)
    assert asked == [(0, 0, False), (0, 0, True)][: failures + 1]
    assert out[2].tolist() == [expected] * 3
    assert not np.delete(out, 2, axis=0).any()


@pytest.mark.parametrize("failures", range(1, N_TRY))
def test_second_look_comes_before_larger_errors(calls, failures):
    calls.succeed = failures
    summary, _ = run()
    expected = [(0, k // 2, k % 2 == 1) for k in range(failures + 1)]
    assert calls.evaluated == expected
    assert summary.inflation[2] == failures // 2
    assert not calls.prior


def test_a_star_that_nothing_explains_gets_the_prior_of_its_sightline(calls):
    calls.succeed = N_TRY
    summary, _ = run()
    assert calls.prior == ["of the second"]
    assert summary.inflation[2] == INFLATION_MAG.size
    assert summary.log_evidence[2] == pytest.approx(np.log(2.0))
    # Its magnitudes say nothing: it is drawn as one without any.
    assert [mask for _, mask, _ in calls.drawn] == [0, 0]


def test_draw_tries_again_and_then_takes_a_node_of_the_prior(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.block")
    attempts = []

    def draw_node(*given):
        attempts.append(given)
        return 5 if len(attempts) == wanted else -1

    replaced = {
        "reddening_of": lambda *_: SimpleNamespace(
            dust=SimpleNamespace(scatter=0.0), e_jks_rc=2.0, tau_rc=0.1
        ),
        "draw_component_and_bin": lambda *_: (3, 7),
        "draw_distance": lambda *_: 1000.0,
        "profile": lambda *_: 0.5,
        "draw_node": draw_node,
        "node_of_prior": lambda *_: 11,
        "draw_reddening": lambda *given: given[6],
        "true_magnitudes": lambda *given: given[-1].fill(given[6]),
        "uniform_scalar": lambda key, counter: counter,
        "standard_normal": lambda *_: 0.0,
    }
    for name, function in replaced.items():
        monkeypatch.setattr(block, name, function)
    stars = SimpleNamespace(parallax=[0.0], parallax_error=[1.0], mag=[None])
    shared = SimpleNamespace(
        law=None, bins=None, groups=np.arange(16), sightlines=None, table=None,
        model_variance=None, nodes=SimpleNamespace(mag=np.zeros((3, 12))),
    )  # fmt: skip

    work = SimpleNamespace(limits=SimpleNamespace(n_limit=[0]))

    def draw(mask):
        attempts.clear()
        mag = np.zeros(3)
        found = block.draw(stars, 0, 9, mask, None, None, 1.0, shared, work, mag)
        # A distance modulus of 10, and half of the reddening at the red clump.
        np.testing.assert_array_equal(mag, 10.0)
        return found, len(attempts)

    wanted = 2
    assert draw(7) == ((3, 5, 1000.0, 1.0), 2)
    wanted = -1
    assert draw(7) == ((3, 11, 1000.0, 1.0), block.MAX_ATTEMPTS)
    # Every attempt has random numbers of its own.
    assert len({given[-1] for given in attempts}) == block.MAX_ATTEMPTS
    assert draw(0) == ((3, 11, 1000.0, 1.0), 0)
