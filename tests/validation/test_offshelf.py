"""The catalogue's own stars against those of the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.validation import offshelf as module
from gcmock.validation.fields import CatalogueField, CatalogueFields
from gcmock.validation.offshelf import offshelf_checks
from gcmock.words.bands import BANDS
from gcmock.words.components import PROBABILITIES


def table(n, p_bar, distance, pm, seed):
    """Rows of which a known part is of the bar, with motions of dispersion 1 and 2 mas/yr."""
    rng = np.random.default_rng(seed)
    return {
        "l": np.zeros(n),
        "component": np.where(np.arange(n) < p_bar * n, "bar", "nsd"),
        **{name: np.zeros(n) for name in PROBABILITIES},
        "p_bar": np.full(n, p_bar),
        "p_nsd": np.full(n, 1.0 - p_bar),
        "pm_l": pm + rng.standard_normal(n),
        "pm_b": 2.0 * rng.standard_normal(n),
        "distance_pc": distance + 500.0 * rng.standard_normal(n),
    }


def fields(n=4000, m=2000):
    mag = np.full((n, len(BANDS)), 13.0)
    mag[: n // 2] = 18.0
    mock = table(n, 0.5, 8000.0, -3.0, 1)
    model = table(m, 0.25, 7500.0, -2.0, 2) | {"mag": np.full((m, len(BANDS)), 13.0)}
    field = CatalogueField((0.0, 1.0), (0.0, 1.0), {"mag": mag}, mock, model)
    return CatalogueFields((field,), "ks", (10.0, 15.0), False, np.ones(len(BANDS)))


def test_stars_between_the_limits():
    first = offshelf_checks(fields())[0]
    assert first.quantity == "stars, 10 <= ks < 15"
    # Half of the mock lies beyond the faint limit; as many remain as of the model.
    assert first.value == 2000
    assert first.expected == "model 2,000: +0, +0.0 sigma"
    assert first.verdict == "info"


def test_differences_in_standard_errors():
    found = {check.quantity: check for check in offshelf_checks(fields())}
    fraction = found["fraction of bar"]
    assert fraction.value == pytest.approx(0.5)
    error = np.sqrt((0.25 + 0.25 * 0.75) / 2000)
    assert fraction.expected == f"model 0.25: +0.25, {0.25 / error:+.1f} sigma"
    mean = found["mean pm_l cos b"]
    assert mean.value == pytest.approx(-3.0, abs=0.1)
    sigma = float(mean.expected.split(", ")[1].removesuffix(" sigma"))
    assert sigma == pytest.approx(-1.0 / np.sqrt(2.0 / 2000), rel=0.1)
    median = found["distance, 50 % quantile"]
    assert (median.unit, median.value) == ("pc", pytest.approx(8000.0, abs=50.0))
    spread = found["dispersion of pm_b"]
    assert abs(float(spread.expected.split(", ")[1].removesuffix(" sigma"))) < 4.0


def test_too_few_stars_are_counted_only():
    assert len(offshelf_checks(fields(n=60, m=49))) == 1
    assert len(offshelf_checks(fields(n=60, m=500))) == 1


@settings(max_examples=5)
@given(st.integers(0, 10**6))
def test_error_of_a_standard_deviation(seed):
    """For Gaussians it is sigma / sqrt(2 n)."""
    values = 3.0 * np.random.default_rng(seed).standard_normal(20_000)
    assert module._error_of_std(values) == pytest.approx(3.0 / np.sqrt(40_000), rel=0.1)


def test_error_of_a_quantile_of_uniform_values():
    values = np.linspace(0.0, 100.0, 10_001)
    # sqrt(q (1 - q) / n) of the range.
    found = module._error_of_quantile(values, 16.0)
    assert found == pytest.approx(100.0 * np.sqrt(0.16 * 0.84 / 10_001), rel=1e-3)
