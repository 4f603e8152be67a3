"""Scatter of the dust in front of stars: stars that follow a width teach it."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.calibration.foreground import SCATTERS, fit_foreground, usual_foreground
from gcmock.calibration.measurements import LEAST_STARS

MEASURED = 0.1
"""Error of the reddening of every star over its reddening."""


def evidence_of(true: float, n: int, seed: int = 1):
    """Stars whose ln s is known to `MEASURED`; ln of the evidence for a scatter."""
    rng = np.random.default_rng(seed)
    away = rng.normal(0.0, np.hypot(true, MEASURED), n)

    def log_evidence(scatter: float):
        variance = scatter**2 + MEASURED**2
        return -0.5 * away**2 / variance - 0.5 * np.log(variance)

    return log_evidence


@pytest.mark.parametrize("true", [0.0, 0.2, 0.5, 0.8])
def test_the_scatter_of_the_stars_is_found(true: float) -> None:
    found = fit_foreground(evidence_of(true, 400), np.full(400, -20.0), 0.003)
    assert found.n_star == 400
    assert abs(found.scatter - true) < max(3.0 * found.error, 0.03)
    assert 0.0 < found.error < 0.1


def test_stars_that_say_nothing_leave_the_prior() -> None:
    found = fit_foreground(lambda scatter: np.zeros(50), np.full(50, -20.0), 0.003)
    assert found.scatter == pytest.approx(SCATTERS[-1] / np.sqrt(6.0), rel=0.01)
    assert found.error == pytest.approx(SCATTERS[-1] / np.sqrt(12.0), rel=0.02)


def test_few_stars_are_not_asked() -> None:
    few = np.zeros(LEAST_STARS - 1)
    assert fit_foreground(lambda scatter: few, few, 0.003) == usual_foreground()


def test_outliers_do_not_widen_it() -> None:
    """Stars that no width explains are outliers."""
    clean = evidence_of(0.0, 400)

    def log_evidence(scatter: float):
        found = clean(scatter)
        found[:20] = -40.0
        return found

    assert fit_foreground(log_evidence, np.full(400, -8.0), 0.003).scatter < 0.05
