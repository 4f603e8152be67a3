"""Errors of solved stars as a comparison has them, with the sizes that are stated."""

from __future__ import annotations

import numpy as np

from gcmock.astrometry.comparison.compare import Errors


def errors_of(n: int = 2000, seed: int = 1, **changed) -> Errors:
    """Stars of the nuclear disc and of the bulge, with correlated normal errors."""
    rng = np.random.default_rng(seed)
    hw = rng.uniform(10.0, 14.5, n)
    component = np.where(rng.uniform(size=n) < 0.4, "nsd", "bar")
    true = np.column_stack(
        [266.4 + rng.uniform(-0.3, 0.3, n), -28.9 + rng.uniform(-0.3, 0.3, n),
         0.12 + 0.01 * rng.standard_normal(n), rng.normal(0, 1, n), rng.normal(-5, 1, n)]
    )  # fmt: skip
    true[component == "bar", 3:] += rng.normal(0, 3, ((component == "bar").sum(), 2))
    size = 0.02 * 10 ** (0.2 * (hw - 10.0))[:, None] * np.array([1.0, 1.0, 1.0, 0.5, 0.5])
    correlation = np.full((5, 5), 0.2) + 0.8 * np.eye(5)
    covariance = correlation * size[:, :, None] * size[:, None, :]
    error = rng.standard_normal((n, 5)) @ np.linalg.cholesky(correlation).T * size
    measured = true.copy()
    measured[:, 2:] += error[:, 2:]
    values = {
        "source_id": np.arange(n), "ra": true[:, 0], "dec": true[:, 1], "hw": hw,
        "component": component, "primary": hw < 12.5, "used_reference": rng.uniform(size=n) < 0.1,
        "measured": measured, "true": true, "error": error, "without_modes": error,
        "covariance": covariance,
    }  # fmt: skip
    return Errors(**(values | changed))
