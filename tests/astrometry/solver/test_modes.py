"""Common modes: patterns against rotations, quotients against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from small_problem import small_problem, vector

from gcmock.astrometry.directions.geometry import MAS, tangent_offset, triad
from gcmock.astrometry.solver.grouping import direction_centre
from gcmock.astrometry.solver.instrument_first import Arrow
from gcmock.astrometry.solver.modes import (
    FAMILIES,
    FRAME_MODES,
    WEAK_MODES,
    amplitudes,
    compensated,
    diagonal_of,
    named_modes,
    named_vectors,
    patterns,
)
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import source_shift

CENTRE = (266.4, -28.9)


def stars(n=50, seed=1):
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [266.4 + rng.uniform(-1, 1, n), -28.9 + rng.uniform(-1, 1, n), rng.uniform(0, 1, n),
         rng.normal(0, 5, (n, 2))]
    )  # fmt: skip


def axis_of(name):
    p, q, r = np.array(triad(*CENTRE)).reshape(3, 3)
    return {"offset_ra": q, "motion_ra": q, "offset_dec": -p, "motion_dec": -p}.get(name, r)


@pytest.mark.parametrize("name", FAMILIES["orientation"])
def test_orientations_rotate_positions_and_motions(name):
    sources, angle = stars(), 1e3 * MAS
    p, q, r = np.array(triad(sources[:, 0], sources[:, 1])).reshape(3, 3, -1)
    turn = Rotation.from_rotvec(angle * axis_of(name))
    x, y, z = turn.apply(r.T).T
    ra, dec = np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arcsin(z))
    motion = turn.apply((p * sources[:, 3] + q * sources[:, 4]).T).T
    p1, q1, _ = np.array(triad(ra, dec)).reshape(3, 3, -1)
    rotated = np.column_stack(
        [ra, dec, sources[:, 2], (p1 * motion).sum(axis=0), (q1 * motion).sum(axis=0)]
    )
    found = patterns(sources, CENTRE)[name]
    # Per mas; per radian about the centre, where the arm of the lever is an angle.
    expected = source_shift(rotated, sources) / (angle / MAS)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("name", FAMILIES["spin"])
def test_spins_are_orientations_that_grow(name):
    sources = stars()
    found = patterns(sources, CENTRE)
    orientation = FAMILIES["orientation"][FAMILIES["spin"].index(name)]
    np.testing.assert_array_equal(found[name][:, 3:], found[orientation][:, :2])
    assert not found[name][:, :3].any()


def test_parallaxes_and_scales():
    sources = stars()
    found = patterns(sources)
    assert list(found) == [*FRAME_MODES, *WEAK_MODES]
    np.testing.assert_array_equal(found["parallax"], [[0, 0, 1, 0, 0]] * len(sources))
    offsets = np.column_stack(
        tangent_offset(*sources[:, :2].T, *direction_centre(*sources[:, :2].T))
    )
    np.testing.assert_array_equal(found["scale"][:, :2], offsets)
    np.testing.assert_array_equal(found["scale_rate"][:, 3:], offsets)
    assert not found["scale"][:, 2:].any()


def test_positions_alone_have_patterns():
    sources = stars()
    sources[:, 3:] = 0.0
    for name, pattern in patterns(sources[:, :2], CENTRE).items():
        np.testing.assert_array_equal(pattern, patterns(sources, CENTRE)[name])


def test_amplitudes_are_found_again():
    sources = stars()
    found = patterns(sources)
    true = np.arange(1.0, 10.0)
    shift = np.einsum("k,kni->ni", true, np.array(list(found.values())))
    np.testing.assert_allclose(amplitudes(shift, found), true, rtol=1e-9)
    rng = np.random.default_rng(2)
    root = rng.standard_normal((len(sources), 5, 5))
    weight = root @ root.transpose(0, 2, 1)
    np.testing.assert_allclose(amplitudes(shift, found, weight), true, rtol=1e-6)
    # With weights it is generalised least squares.
    noisy = shift + rng.standard_normal(shift.shape)
    some = {name: found[name] for name in ("offset_ra", "parallax", "scale")}
    rows = np.einsum("nji,knj->nik", root, np.array(list(some.values()))).reshape(-1, 3)
    right = np.einsum("nji,nj->ni", root, noisy).ravel()
    expected = np.linalg.lstsq(rows, right, rcond=None)[0]
    np.testing.assert_allclose(amplitudes(noisy, some, weight), expected, rtol=1e-8)


@pytest.fixture(scope="module")
def small(interpreted):
    problem, _, start = small_problem()
    lin = Linearisation(problem, start)
    design, _ = lin.dense_design()
    return problem, lin, lin.blocks(), design


def test_diagonal(small):
    _, _, blocks, design = small
    np.testing.assert_allclose(vector(diagonal_of(blocks)), (design**2).sum(axis=0), rtol=1e-9)


def test_the_instrument_hides_a_mode_as_well_as_it_can(small):
    problem, lin, blocks, design = small
    pattern = patterns(lin.unknowns.sources)["parallax"]
    found = compensated(lin, Arrow(blocks), pattern)
    n, rows = 5 * problem.n_source, 2 * problem.n_observation
    stars_, instrument = design[:rows, :n], design[:rows, n:]
    expected = np.linalg.lstsq(instrument, -stars_ @ pattern.ravel(), rcond=None)[0]
    np.testing.assert_array_equal(found.sources, pattern)
    np.testing.assert_allclose(found.instrument, expected, atol=1e-7 * np.abs(expected).max())


def test_eigenvalues_are_rayleigh_quotients(small):
    problem, lin, blocks, design = small
    rows = 2 * problem.n_observation
    for mode in named_modes(lin, blocks, Arrow(blocks)):
        z = vector(mode.shift)
        for value, part in ((mode.eigenvalue, design), (mode.observed, design[:rows])):
            expected = ((part @ z) ** 2).sum() / ((part * z) ** 2).sum()
            assert value == pytest.approx(expected, rel=1e-6, abs=1e-15)
        if mode.name in (*FAMILIES["orientation"], *FAMILIES["spin"]):
            assert mode.observed < 1e-12


def test_vectors_have_the_names_of_what_they_consist_of():
    rng = np.random.default_rng(3)
    members = [name for family in FAMILIES.values() for name in family]
    scale = rng.uniform(0.5, 2.0, 40)
    basis = np.linalg.qr(rng.standard_normal((40, 40)))[0]
    modes = {name: basis[:, k] * scale for k, name in enumerate(members)}
    at = {name: basis[:, k] for k, name in enumerate(members)}
    vectors = np.column_stack(
        [
            at["rotation"],
            0.6 * at["scale"] + 0.8 * at["parallax"],
            0.2 * at["scale"] + np.sqrt(0.96) * at["spin"],
            basis[:, 30],
        ]
    )
    found = named_vectors(vectors, modes, scale)
    assert found == ["orientation", "parallax zero point + scale", "spin", "other"]
