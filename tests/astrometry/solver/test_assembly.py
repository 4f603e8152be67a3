"""From observations to a problem, without what cannot be solved."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from small_problem import small_problem

from gcmock.astrometry.directions.displacement import SPEED_OF_LIGHT_KMS
from gcmock.astrometry.directions.ephemeris import observer
from gcmock.astrometry.missions.focal_plane import detector_grid
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.solver.assembly import (
    _from_sun,
    examples,
    read_campaign,
    smallest_eigenvalues,
)
from gcmock.astrometry.solver.priors import References, source_priors
from gcmock.astrometry.solver.problem import Problem, Unknowns
from gcmock.errors import InputError

pytestmark = pytest.mark.usefixtures("interpreted")

CALIBRATION = load_mission("jasmine").calibration.model_copy(update={"min_degree": 3})
N_PRIMARY = 6


PROBLEM, TRUTH, _ = small_problem()


@pytest.fixture
def made() -> tuple[Problem, Unknowns]:
    return PROBLEM, TRUTH


def known_to(*ids):
    """References with some stars, at any epoch."""
    n = len(ids)
    values = np.column_stack([TRUTH.sources[np.sort(ids) - 100, :2], np.ones((n, 3))])
    covariance = np.tile(np.eye(5), (n, 1, 1))
    found = References("some", np.array(sorted(ids), int), values, covariance, np.full(n, 50.0))
    return lambda _: found


ALL = known_to(*range(100, 108))


def folder(made, drop=(), provenance=None, **changed):
    """What `gcmock observe` would have written of a problem; some of its rows left out."""
    problem, truth = made
    n, n_v = problem.n_source, problem.n_visit
    visits = {
        "visit": np.arange(n_v),
        "block": 5 + 3 * problem.visits.block,
        "time": 2033.0 + problem.visits.tau,
        **dict(zip(("ra", "dec", "roll"), truth.attitude.T, strict=True)),
        **{f"{a}_au": v for a, v in zip("xyz", problem.visits.observer_au.T, strict=True)},
        **{f"v{a}_kms": np.full(n_v, 3.0) for a in "xyz"},
    }
    sources = {
        "source_id": 100 + np.arange(n)[::-1],
        "ra": truth.sources[::-1, 0],
        "dec": truth.sources[::-1, 1],
        "phot_hw_mag": 10.0 + np.arange(n)[::-1],
        "primary": np.arange(n)[::-1] < N_PRIMARY,
    }
    star = np.repeat(np.arange(n), np.diff(problem.first))
    rows = {
        "source_id": 100 + star,
        "visit": problem.visit,
        "x": problem.measured[:, 0],
        "y": problem.measured[:, 1],
        "x_error": 1.0 / problem.root_weight[:, 0],
        "y_error": 1.0 / problem.root_weight[:, 1],
    }
    keep = np.array([(s, v) not in drop for s, v in zip(star, problem.visit, strict=True)])
    rows = {name: values[keep] for name, values in rows.items()}
    tables = {"visits.parquet": visits | changed.get("visits", {})}
    tables["sources.parquet"] = sources | changed.get("sources", {})
    return SimpleNamespace(
        path=Path("obs"),
        mission=SimpleNamespace(
            calibration=CALIBRATION, focal_plane=load_mission("jasmine").focal_plane
        ),
        provenance=provenance or {},
        n_observation=int(keep.sum()),
        table=tables.__getitem__,
        observations=lambda: iter([rows]),
    )


def all_of(made, star=None, visit=None, but=()):
    """Pairs of a star or a visit and everything that it meets."""
    problem, _ = made
    return {
        (s, v)
        for s in range(problem.n_source)
        for v in range(problem.n_visit)
        if star in (None, s) and visit in (None, v) and (s, v) not in but
    }


def test_the_problem_is_that_of_the_folder(made):
    problem, truth = made
    found = read_campaign(folder(made), ALL)
    assert found.remarks == ()
    assert found.store.source_id.tolist() == list(range(100, 108))
    assert found.store.n_primary == N_PRIMARY
    assert found.epoch == pytest.approx(2033.0 + problem.visits.tau.mean())
    assert found.block_number.tolist() == [5, 8]
    assert found.hw.tolist() == [10.0 + k for k in range(8)]
    assert (found.radial_velocity == 50.0).all()
    np.testing.assert_array_equal(found.visits.block, problem.visits.block)
    np.testing.assert_allclose(found.visits.velocity, 3.0 / SPEED_OF_LIGHT_KMS)
    assert not found.visits.from_sun_au.any()
    assert not found.visits.aberration
    assert not found.visits.deflection
    assert found.distortion.terms == problem.distortion.terms
    grid = detector_grid(load_mission("jasmine").focal_plane)
    assert found.distortion.half_field == grid.half_field
    for primary, part in ((True, slice(0, N_PRIMARY)), (False, slice(N_PRIMARY, None))):
        mine = found.problem(primary)
        first = problem.first[part.start : (N_PRIMARY if primary else 8) + 1]
        rows = slice(first[0], first[-1])
        np.testing.assert_array_equal(mine.first, first - first[0])
        np.testing.assert_array_equal(mine.visit, problem.visit[rows])
        np.testing.assert_array_equal(mine.measured, problem.measured[rows])
        np.testing.assert_allclose(mine.root_weight, problem.root_weight[rows])
        expected = source_priors(ALL(0.0), found.store.source_id[part])
        np.testing.assert_array_equal(mine.prior.precision, expected.precision)
        start = found.unknowns(primary)
        np.testing.assert_array_equal(start.attitude, truth.attitude)
        assert start.sources.shape == (mine.n_source, 5)
        assert not start.coefficients.any()


def test_start_values_are_those_of_references_or_of_the_catalogue(made):
    _, truth = made
    found = read_campaign(folder(made), known_to(101)).start
    assert found[1].tolist() == [*truth.sources[1, :2], 1.0, 1.0, 1.0]
    np.testing.assert_array_equal(found[[0, 2]][:, :2], truth.sources[[0, 2]][:, :2])
    assert not found[[0, 2]][:, 2:].any()
    hole = {"ra": np.full(8, np.nan)}
    with pytest.raises(InputError, match="some positions are not finite"):
        read_campaign(folder(made, sources=hole), ALL)


def test_who_is_a_primary_star(made):
    found = read_campaign(folder(made), ALL, primary_limit=13.0)
    assert found.store.n_primary == 4
    alone = read_campaign(folder(made), ALL, secondaries=False)
    assert len(alone.store.source_id) == N_PRIMARY
    with pytest.raises(InputError, match="has no primary stars; raise --primary-limit"):
        read_campaign(folder(made), ALL, primary_limit=9.0)


def test_stars_with_few_visits_need_a_reference(made):
    problem, _ = made
    seen = problem.visit[problem.first[7] : problem.first[8]]
    drop = {(7, v) for v in seen[3:]}
    found = read_campaign(folder(made, drop), known_to(*range(100, 107)))
    assert 107 not in found.store.source_id
    assert found.remarks == (
        "1 stars with fewer than 6 visits and no reference left out (source_id 107)",
    )
    assert len(found.hw) == len(found.start) == 7
    kept = read_campaign(folder(made, drop), ALL)
    assert 107 in kept.store.source_id


def test_visits_with_few_primary_stars_are_left_out(made):
    problem, truth = made
    drop = all_of(made, visit=4, but={(0, 4), (1, 4), (6, 4), (7, 4)})
    found = read_campaign(folder(made, drop), ALL)
    assert found.remarks == ("1 visits with fewer than 3 primary stars left out (visit 4)",)
    assert found.visit_number.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(found.attitude, np.delete(truth.attitude, 4, axis=0))
    # Visits are counted anew, without gaps.
    assert sorted(set(found.store.visit)) == list(range(9))
    np.testing.assert_array_equal(found.visits.block, np.delete(problem.visits.block, 4))


def test_one_star_in_one_place_does_not_determine_a_star(made):
    """Visits at one time: position and motion cannot be told apart."""
    problem, _ = made
    visits = {"time": np.full(problem.n_visit, 2033.0)}
    with pytest.raises(InputError, match="whose visits do not determine five parameters left out"):
        read_campaign(folder(made, visits=visits), known_to(100))


def test_what_does_not_fit_is_refused(made):
    with pytest.raises(InputError, match=r"must have the visits 0, 1, 2, \.\.\."):
        read_campaign(folder(made, visits={"visit": np.arange(10) + 1}), ALL)
    drop = {pair for v in range(10) for pair in all_of(made, visit=v, but={(0, v), (1, v)})}
    with pytest.raises(
        InputError, match=r"nothing that can be solved is left: .*10 visits with fewer than 3"
    ):
        read_campaign(folder(made, drop), ALL)


def test_directions_are_as_the_folder_says(made):
    problem, _ = made
    found = read_campaign(folder(made, provenance={"aberration": True, "deflection": True}), ALL)
    assert found.visits.aberration
    assert found.visits.deflection
    time = 2033.0 + problem.visits.tau
    sun = observer(time).position - observer(time).from_sun
    np.testing.assert_allclose(found.visits.from_sun_au, problem.visits.observer_au - sun)
    np.testing.assert_allclose(_from_sun(time, sun), 0.0, atol=1e-15)


def test_smallest_eigenvalues_are_those_of_a_unit_diagonal():
    matrices = np.array([np.diag([1e6, 1e-6]), [[4.0, 3.0], [3.0, 9.0]], [[1.0, 2.0], [2.0, 4.0]],
                         [[1.0, 0.0], [0.0, 0.0]]])  # fmt: skip
    np.testing.assert_allclose(smallest_eigenvalues(matrices), [1.0, 0.5, 0.0, 0.0], atol=1e-15)
    assert smallest_eigenvalues(np.zeros((3, 0, 0))).tolist() == [1.0] * 3


def test_examples_are_five_at_most():
    assert examples("visit", np.arange(2)) == " (visit 0, 1)"
    assert examples("visit", np.arange(9)) == " (visit 0, 1, 2, 3, 4, ...)"
