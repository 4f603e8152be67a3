"""Pulls of the drawn reddening: sums that do not depend on order, and what they say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.mock.pulls import LEAST_STARS, added, pull_of, pulls_in_words, pulls_of
from gcmock.model import load_model
from gcmock.posterior.observations import Observations


def stars(n: int, factor: float = 1.0, width: float = 1.0, seed: int = 1):
    """Observations in two fields, and draws whose reddening is `factor` times that of the map."""
    model = load_model()
    rng = np.random.default_rng(seed)
    l_deg = np.where(np.arange(n) % 2, 0.31, -0.75)
    b_deg = np.full(n, -0.23)
    e, tau = np.full(n, 2.5), np.full(n, 0.25)
    nan = np.full(n, np.nan)
    mag = np.full((n, 4), 12.0)
    data = Observations(l_deg, b_deg, mag, 0.05 * np.ones((n, 4)), nan, nan, e, tau)
    distance = rng.uniform(3000.0, 9000.0, (n, 3))
    lines, index = model.sightlines.get(l_deg, b_deg)
    shape = np.stack([lines.dust.at(i).value(d) for i, d in zip(index, distance, strict=True)])
    drawn = (factor * e[:, None] + width * tau[:, None] * rng.normal(size=(n, 3))) * shape
    return data, SimpleNamespace(distance_pc=distance, e_jks=drawn), model


def test_right_reddening_has_mean_0_and_width_1():
    found = pulls_of(*stars(2000))
    assert len(found) == 2
    for sums in found.values():
        pull = pull_of(sums)
        assert pull.n_star == 1000
        assert abs(pull.significance) < 3.0
        assert pull.sd == pytest.approx(1.0, abs=0.05)


def test_a_map_that_is_off_and_a_wider_scatter_show():
    off = pull_of(next(iter(pulls_of(*stars(2000, factor=1.05)).values())))
    assert off.mean == pytest.approx(0.5, abs=0.06)
    assert off.significance > 10.0
    wide = pull_of(next(iter(pulls_of(*stars(2000, width=1.5)).values())))
    assert wide.sd == pytest.approx(1.5, abs=0.08)


def test_order_and_partitions_change_nothing():
    data, draws, model = stars(300)
    parts = {}
    for rows in np.array_split(np.random.default_rng(2).permutation(300), 5):
        some = SimpleNamespace(distance_pc=draws.distance_pc[rows], e_jks=draws.e_jks[rows])
        parts = added(parts, pulls_of(data.take(rows), some, model))
    assert parts == pulls_of(data, draws, model)


def test_words_name_the_field_that_is_furthest_off():
    data, draws, model = stars(400)
    draws.e_jks[data.l_deg > 0] *= 1.2
    words = pulls_in_words(pulls_of(data, draws, model))
    assert "furthest off in the field at l 0.4, b -0.2" in words
    few, _, _ = stars(LEAST_STARS - 1)
    assert pulls_in_words(pulls_of(few, SimpleNamespace(
        distance_pc=draws.distance_pc[: LEAST_STARS - 1], e_jks=draws.e_jks[: LEAST_STARS - 1]
    ), model)) == ""  # fmt: skip
    assert pulls_in_words({}) == ""


def test_a_list_that_was_cut_has_no_pulls():
    data, draws, _ = stars(60)
    cut = load_model(config={"selection.limits": ["j-h > 2.1"]})
    assert pulls_of(data, draws, cut) == {}


def test_stars_without_magnitudes_are_left_out():
    data, draws, model = stars(10)
    data.mag[:] = np.nan
    assert pulls_of(data, draws, model) == {}
    assert pull_of((0, 0, 0, 0)) == (0, 0.0, 0.0, 0.0)
