"""Stars that nothing explains: drawn round what was observed, and nowhere far off."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.model import Model
from gcmock.posterior.observations import Observations
from gcmock.posterior.unexplained import draw_unexplained
from gcmock.random import star_key
from gcmock.words.bands import BANDS, KS, H, J

N_DRAW = 40


def star(mag: tuple[float, float, float], error: float = 0.05) -> Observations:
    full = np.full((1, len(BANDS)), np.nan)
    full[0, :3] = mag
    nan = np.full(1, np.nan)
    return Observations(
        np.array([0.31]), np.array([-0.23]), full, np.where(np.isfinite(full), error, np.nan),
        nan, nan.copy(), np.array([3.6]), np.array([0.1]),
    )  # fmt: skip


def drawn(model: Model, data: Observations):
    keys = np.stack([star_key(1, np.arange(data.n_star), r) for r in range(N_DRAW)], axis=1)
    summary, draws = model.posterior.infer(data, keys)
    before = [x.copy() for x in (*summary, *draws)]
    draw_unexplained(data, keys, summary, draws, model.posterior)
    return summary, draws, before


@pytest.mark.parametrize("mag", [(10.0, 14.0, 12.0), (16.0, 12.4, 13.9), (22.0, 12.0, 10.0)])
def test_magnitudes_are_those_observed_within_their_errors(model: Model, mag) -> None:
    data = star(mag)
    summary, draws, _ = drawn(model, data)
    assert summary.inflation[0] > 0
    pull = (data.mag[0, :3] - draws.mag[0, :, :3]) / 0.05
    assert (np.abs(pull) < 5.0).all()
    assert 0.7 < pull.std() < 1.3
    # Hw was not observed: that of the model.
    assert np.isfinite(draws.mag[0, :, 3]).all()


def test_a_red_star_is_not_pushed_to_the_far_end(model: Model) -> None:
    """A bright variable with dust of its own, 5 mag redder in J - Ks than the map allows."""
    summary, draws, before = drawn(model, star((22.0, 12.0, 10.0)))
    # With errors that are inflated and nothing else it would be.
    far = before[len(summary) + 2]
    assert np.quantile(far, 0.9) > 14_000.0
    assert summary.inflation[0] > 0
    assert (draws.distance_pc > 15_000.0).mean() < 0.1
    assert summary.distance_quantile_pc[0, 4] < 15_000.0
    assert summary.probability[0].sum() == pytest.approx(1.0, abs=1e-4)


def test_other_stars_stay_as_they_are(model: Model) -> None:
    data = star((17.3, 14.2, 12.6))
    summary, draws, before = drawn(model, data)
    assert summary.inflation[0] == 0
    for mine, old in zip((*summary, *draws), before, strict=True):
        np.testing.assert_array_equal(mine, old)


def test_bands_that_were_not_observed_are_those_of_the_model(model: Model) -> None:
    data = star((14.0, np.nan, 18.0))
    summary, draws, _ = drawn(model, data)
    assert summary.inflation[0] > 0
    assert np.abs(draws.mag[0, :, KS] - 18.0).max() < 0.3
    assert np.abs(draws.mag[0, :, J] - 14.0).max() < 0.3
    assert np.isfinite(draws.mag[0, :, H]).all()
