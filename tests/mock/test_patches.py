"""Stars of patches: nodes in the order of their magnitudes, draws that follow the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock import random
from gcmock.dust.profile import DustProfile, profile_at, profile_value
from gcmock.mock import patches as module
from gcmock.mock.patches import INDEX_STEP_MAG, Drawn, Patches, bright_first, draw_patches
from gcmock.random import star_key
from gcmock.stars.populations import PopulationNodes, PopulationSet

EDGES = np.array([1000.0, 4000.0, 8000.0, 9000.0])


def population(ks: list[float], weight: list[float]) -> PopulationNodes:
    ks_mag = np.array(ks)
    n = np.arange(float(len(ks)))
    mags = np.column_stack([ks_mag + 1.0, ks_mag + 0.2, ks_mag])
    return PopulationNodes(np.array(weight), mags, 1.0 + n, 5.0 + n, 0.1 * n)


POPULATIONS = PopulationSet(
    "mine",
    (population([3.0, -5.0, 0.0], [0.6, 0.1, 0.2]), population([1.0, -2.0], [0.5, 0.25])),
    (0, 1),
)
NODES = bright_first(POPULATIONS)
GROUPS = np.array([0, 1])


def sky(n_patch: int = 1, e_jks: float = 2.0, tau: float = 0.0, area: float = 1.0) -> Patches:
    """Patches of one line of sight with 100, 200, 300 and 10, 20, 30 stars per square degree."""
    prior = np.array([[[100.0, 200.0, 300.0], [10.0, 20.0, 30.0]]])
    return Patches(
        prior,
        DustProfile(np.array([1e9]), np.array([8000.0 / 1e9]), np.zeros(1)),
        np.zeros(n_patch, np.int64),
        np.full(n_patch, e_jks),
        np.full(n_patch, tau),
        np.full(n_patch, 0.5),
        np.full(n_patch, area),
        star_key(1, np.arange(n_patch)),
    )


def wrapping_mix(z: np.uint64) -> np.uint64:
    """As in the kernel, where 64 bits wrap without a warning."""
    with np.errstate(over="ignore"):
        return random._mix(z)


def wrapping_uniform(key: np.uint64, counter: int) -> float:
    with np.errstate(over="ignore"):
        return random.uniform_scalar.py_func(key, counter)


@pytest.fixture(autouse=True)
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop as Python runs it: nothing is compiled for a few hundred stars."""
    monkeypatch.setattr(module, "_draw", module._draw.py_func)
    for name in ("_normal", "_node_at"):
        monkeypatch.setattr(module, name, getattr(module, name).py_func)
    monkeypatch.setattr(module, "_dust_of", profile_at)
    monkeypatch.setattr(module, "_profile", profile_value)
    monkeypatch.setattr(module, "uniform_scalar", wrapping_uniform)
    monkeypatch.setattr(random, "_mix_scalar", wrapping_mix)


def draw(where: Patches, ks_max: float = 99.0) -> Drawn:
    return draw_patches(where, NODES, GROUPS, EDGES, ks_max)


def test_nodes_are_sorted_within_their_population() -> None:
    assert NODES.start.tolist() == [0, 3, 5]
    assert NODES.mag[:, 2].tolist() == [-5.0, 0.0, 3.0, -2.0, 1.0]
    np.testing.assert_allclose(NODES.cumulative, [0.1, 0.3, 0.9, 0.25, 0.75])
    assert NODES.mass_init.tolist() == [2.0, 3.0, 1.0, 2.0, 1.0]
    assert NODES.age_gyr.tolist() == [6.0, 7.0, 5.0, 6.0, 5.0]
    assert NODES.mag_min == -5.0


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.floats(-5.0, 3.0), st.sampled_from([0, 1]))
def test_the_look_up_never_misses_a_node(limit: float, which: int) -> None:
    """The step above a limit holds all nodes that are brighter, and few more."""
    step = int(np.floor((limit - NODES.mag_min) / INDEX_STEP_MAG)) + 1
    ks = NODES.mag[NODES.start[which] : NODES.start[which + 1], 2]
    n = NODES.n_brighter[which, step]
    assert (ks[n:] >= limit).all()
    assert (ks[:n] < limit + INDEX_STEP_MAG * 1.001).all()
    cumulative = NODES.cumulative[NODES.start[which] : NODES.start[which + 1]]
    assert NODES.brighter[which, step] == (cumulative[n - 1] if n else 0.0)


@pytest.mark.slow
def test_numbers_are_those_of_the_prior() -> None:
    """Stars that have magnitudes, by component and bin, with the scatter of a Poisson process."""
    drawn = draw(sky(20))
    bins = np.digitize(drawn.distance_pc, EDGES) - 1
    for c, total in ((0, 0.9), (1, 0.75)):
        for i in range(3):
            expected = 20 * total * (1 + i) * (100.0, 10.0)[c]
            found = ((drawn.component == c) & (bins == i)).sum()
            assert abs(found - expected) < 4.0 * np.sqrt(expected), (c, i)
    fraction = (drawn.node[drawn.component == 0] == 2).mean()
    assert fraction == pytest.approx(0.6 / 0.9, abs=0.02)
    assert set(drawn.node[drawn.component == 1]) == {3, 4}


def test_distances_are_uniform_in_a_bin_and_places_in_the_patch() -> None:
    drawn = draw(sky(8))
    for values, low, width in (
        (drawn.distance_pc[drawn.distance_pc > 8000.0], 8000.0, 1000.0),
        (drawn.along_l, 0.0, 1.0),
        (drawn.along_b, 0.0, 1.0),
    ):
        part = (values - low) / width
        assert part.min() > 0.0
        assert part.max() < 1.0
        assert part.mean() == pytest.approx(0.5, abs=4.0 * np.sqrt(1.0 / 12.0 / values.size))


def test_limits_keep_the_stars_that_are_brighter() -> None:
    """Ks = M + 5 log10(D / 10 pc) + kappa E: the survivors are those of the unlimited sky."""
    expected, found = 0.0, draw(sky(30), ks_max=14.0)
    ks = NODES.mag[found.node, 2] + 5.0 * np.log10(found.distance_pc) - 5.0 + 0.5 * found.e_jks
    assert (ks < 14.0).all()
    distance = np.linspace(*EDGES[[0, -1]], 80_001)
    per_bin = np.array([[100.0, 200.0, 300.0], [10.0, 20.0, 30.0]])
    at = np.clip(np.digitize(distance, EDGES) - 1, 0, 2)
    ext = 0.5 * 2.0 * distance / 8000.0
    for node, ks_abs in enumerate(NODES.mag[:, 2]):
        c, weight = (0, (0.1, 0.2, 0.6)[node]) if node < 3 else (1, (0.25, 0.5)[node - 3])
        seen = ks_abs + 5.0 * np.log10(distance) - 5.0 + ext < 14.0
        density = per_bin[c][at] / np.diff(EDGES)[at] * seen
        expected += 30 * weight * density.mean() * (EDGES[-1] - EDGES[0])
    assert abs(found.node.size - expected) < 4.0 * np.sqrt(expected)


def test_reddening_grows_with_the_distance_and_scatters() -> None:
    plain = draw(sky())
    np.testing.assert_allclose(plain.e_jks, 2.0 * plain.distance_pc / 8000.0, rtol=1e-5)
    wide = draw(sky(5, tau=0.3))
    at_clump = wide.e_jks / (wide.distance_pc / 8000.0)
    assert at_clump.mean() == pytest.approx(2.0, abs=0.025)
    assert at_clump.std() == pytest.approx(0.3, rel=0.06)
    assert (draw(sky(1, e_jks=0.1, tau=1.0)).e_jks >= 0.0).all()


def test_a_patch_is_a_function_of_its_key() -> None:
    both = draw(sky(2, tau=0.3))
    second = sky(2, tau=0.3)
    alone = draw(second._replace(**{
        name: getattr(second, name)[1:]
        for name in ("sightline", "e_jks_rc", "tau", "kappa_ks", "area_deg2", "key")
    }))  # fmt: skip
    kept = both.take(both.patch == 1)
    assert kept.patch.size > 100
    for name in Drawn._fields[1:]:
        np.testing.assert_array_equal(getattr(kept, name), getattr(alone, name), err_msg=name)


def test_numbers_in_a_patch_are_unique_and_small_patches_may_be_empty() -> None:
    drawn = draw(sky(3, area=0.1))
    pairs = set(zip(drawn.patch.tolist(), drawn.number.tolist(), strict=True))
    assert len(pairs) == drawn.patch.size > 0
    assert draw(sky(2, area=1e-9)).patch.size == 0
    assert draw(sky(2), ks_max=-20.0).patch.size == 0
