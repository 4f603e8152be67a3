"""Missing stars: together with a list they are the sky again, and stay away from what is seen."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.special import ndtr

from gcmock.errors import InputError
from gcmock.mock.infill import (
    ListedStars,
    Surroundings,
    check_identifiers,
    missing_stars,
)
from gcmock.mock.simulate import simulate
from gcmock.mock.sky import SkyWindow
from gcmock.model import Model, load_model
from gcmock.random import star_key, uniform

L_RANGE, B_RANGE = (-0.05, 0.05), (0.5, 0.6)
WINDOW = SkyWindow(*L_RANGE, *B_RANGE)
KS_MAX, RADIUS, LIMIT, WIDTH = 15.5, 1.5, 14.5, 0.3


class Sky(NamedTuple):
    """A sky, which of its stars are listed, and the completeness of the list."""

    truth: dict[str, np.ndarray]
    listed: ListedStars
    detection: Callable[..., np.ndarray]


def places(l_deg: np.ndarray, b_deg: np.ndarray) -> np.ndarray:
    """Flat coordinates in a small window [arcsec]."""
    return 3600.0 * np.column_stack([l_deg * np.cos(np.radians(0.55)), b_deg])


def pairs(stars: dict[str, np.ndarray], radius: float) -> int:
    return len(cKDTree(places(stars["l"], stars["b"])).query_pairs(radius))


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def sky(model: Model) -> Sky:
    return surveyed(model, 3)


def surveyed(model: Model, seed: int) -> Sky:
    """A survey that sees no star close to a brighter one of its list, and few faint ones."""
    truth = simulate(model, L_RANGE, B_RANGE, ks_max=KS_MAX, seed=seed)
    mag = truth["phot_ks_mag"]
    seen = uniform(star_key(8 + seed, truth["source_id"]), 0)[:, 0] < ndtr((LIMIT - mag) / WIDTH)
    near = cKDTree(places(truth["l"], truth["b"])).query_pairs(RADIUS, output_type="ndarray")
    faint_first = np.where((mag[near[:, 0]] > mag[near[:, 1]])[:, None], near, near[:, ::-1])
    # From the brightest on: only what is listed hides others.
    for faint, bright in faint_first[np.argsort(mag[faint_first[:, 0]])]:
        seen[faint] &= ~seen[bright]
    listed = ListedStars(
        truth["l"][seen], truth["b"][seen], mag[seen], np.full(int(seen.sum()), RADIUS)
    )
    rng = np.random.default_rng(5)
    somewhere = rng.uniform(*L_RANGE, 40_000), rng.uniform(*B_RANGE, 40_000)
    around = np.sort(Surroundings(listed).brightest(*somewhere))

    def detection(l_deg: np.ndarray, b_deg: np.ndarray, mag: np.ndarray) -> np.ndarray:
        return ndtr((LIMIT - mag) / WIDTH) * (1.0 - np.searchsorted(around, mag) / around.size)

    return Sky(truth, listed, detection)


def added(model: Model, sky: Sky, seed: int = 1, **options: object) -> dict[str, np.ndarray]:
    parts = list(
        missing_stars(model, WINDOW, KS_MAX, sky.detection, sky.listed, seed=seed, **options)
    )
    return {name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]}


@pytest.fixture(scope="module")
def skies(model: Model, sky: Sky) -> list[dict[str, np.ndarray]]:
    return [added(model, sky, seed) for seed in (1, 2, 3)]


@pytest.mark.slow
def test_numbers_are_those_of_the_truth(sky: Sky, skies: list[dict[str, np.ndarray]]) -> None:
    edges = np.array([-np.inf, 12.0, 13.0, 13.5, 14.0, 14.5, 15.0, KS_MAX])
    expected, _ = np.histogram(sky.truth["phot_ks_mag"], edges)
    listed, _ = np.histogram(sky.listed.ks_mag, edges)
    total = listed + np.mean([np.histogram(s["phot_ks_mag"], edges)[0] for s in skies], axis=0)
    # What is missing of the truth has Poisson noise, and so has a mean of three.
    scatter = np.sqrt((expected - listed) * 4.0 / 3.0 + 1.0)
    assert (expected - listed)[-1] > 1000
    assert (np.abs(total - expected) < 3.5 * scatter + 0.03 * expected).all(), (total, expected)


@pytest.mark.slow
def test_close_pairs_are_those_of_the_truth(sky: Sky, skies: list[dict[str, np.ndarray]]) -> None:
    together = [
        {name: np.append(listed, stars[name]) for name, listed in (
            ("l", sky.listed.l_deg), ("b", sky.listed.b_deg)
        )}
        for stars in skies
    ]  # fmt: skip
    for radius in (1.0, 2.0):
        expected = pairs(sky.truth, radius)
        found = np.mean([pairs(stars, radius) for stars in together])
        # Pairs that the list has alone are far fewer: the survey does not resolve them.
        alone = pairs({"l": sky.listed.l_deg, "b": sky.listed.b_deg}, radius)
        assert alone < 0.3 * expected
        assert abs(found - expected) < 3.5 * np.sqrt(expected) + 0.03 * expected


@pytest.mark.slow
def test_none_takes_the_place_of_a_listed_star(
    sky: Sky, skies: list[dict[str, np.ndarray]]
) -> None:
    tree = cKDTree(places(sky.listed.l_deg, sky.listed.b_deg))
    for stars in skies:
        for row, near in enumerate(
            tree.query_ball_point(places(stars["l"], stars["b"]), 0.999 * RADIUS)
        ):
            if near:
                assert sky.listed.ks_mag[near].min() < stars["phot_ks_mag"][row]


@pytest.mark.slow
def test_workers_windows_and_seeds(
    model: Model, sky: Sky, skies: list[dict[str, np.ndarray]]
) -> None:
    again = added(model, sky, workers=2)
    for name, values in skies[0].items():
        np.testing.assert_array_equal(again[name], values)
    # Two halves that end at the border of a cell.
    halves = [
        part
        for l_range in ((-0.05, 0.0), (0.0, 0.05))
        for part, _ in missing_stars(
            model, SkyWindow(*l_range, *B_RANGE), KS_MAX, sky.detection, sky.listed, seed=1
        )
    ]
    ids = np.concatenate([part["source_id"] for part in halves])
    assert set(ids.tolist()) == set(skies[0]["source_id"].tolist())
    assert (ids < 0).all()
    assert np.unique(ids).size == ids.size
    other = added(model, sky, realisation=1)
    assert (other["realisation"] == 1).all()
    assert not np.isin(other["l"], skies[0]["l"]).any()


@pytest.mark.slow
def test_account(model: Model, sky: Sky) -> None:
    accounts = [
        account for _, account in missing_stars(model, WINDOW, KS_MAX, sky.detection, sky.listed)
    ]
    expected = sum(a.n_expected for a in accounts)
    clipped = sum(a.n_clipped for a in accounts)
    n_added = sum(a.n_added for a in accounts)
    assert abs(n_added - expected - clipped) < 4.0 * np.sqrt(expected)
    assert sum(a.n_drawn for a in accounts) > n_added


def test_surroundings() -> None:
    listed = ListedStars(
        np.array([359.9999, 0.0002, 0.1]),
        np.zeros(3),
        np.array([12.0, 10.0, 5.0]),
        np.array([1.0, 1.0, 100.0]),
    )
    around = Surroundings(listed)
    at = np.array([-0.0001, 0.0, 0.00005, 0.0002, 0.01, 0.1 + 90.0 / 3600.0, 0.2])
    found = around.brightest(at, np.zeros(at.size))
    np.testing.assert_array_equal(found, [12.0, 10.0, 10.0, 10.0, np.inf, 5.0, np.inf])


@pytest.mark.parametrize(("name", "value", "words"), [
    ("ks_mag", np.nan, "ks_mag has values that are no numbers"),
    ("radius_arcsec", 0.0, "radius_arcsec must be positive"),
])  # fmt: skip
def test_bad_lists(name: str, value: float, words: str) -> None:
    listed = ListedStars(*(np.ones(2) for _ in range(4)))
    with pytest.raises(InputError, match=words):
        Surroundings(listed._replace(**{name: np.array([1.0, value])}))


@pytest.mark.parametrize("ids", [np.array([3, -1]), np.array(["a", "b"])])
def test_identifiers_that_could_be_confused(ids: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected integers from 0 on"):
        check_identifiers(ids)
    check_identifiers(np.array([0, 2**62]))


@pytest.mark.slow
def test_what_is_refused(model: Model) -> None:
    listed = ListedStars(*(np.empty(0) for _ in range(4)))
    window = SkyWindow(0.0, 0.025, 0.5, 0.525)
    for value in (np.nan, 1.2):
        with pytest.raises(InputError, match="expected probabilities from 0 to 1"):
            list(missing_stars(model, window, 13.0, lambda l, b, m, v=value: m * 0 + v, listed))
    learned = SimpleNamespace(part_weights=lambda l_deg, b_deg: np.ones((1, 99)))
    with pytest.raises(InputError, match="numbers of stars were learned"):
        next(missing_stars(learned, window, 13.0, lambda l, b, m: m * 0, listed))
