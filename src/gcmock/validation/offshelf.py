"""The catalogue's own stars against stars of the model off the shelf, in the same fields."""

from __future__ import annotations

from typing import Any

import numpy as np

from gcmock.arrays import Columns, Floats
from gcmock.validation.fields import CatalogueFields
from gcmock.validation.result import LIMITATIONS, Check, noted
from gcmock.words.bands import BANDS
from gcmock.words.components import GROUPS


def offshelf_checks(fields: CatalogueFields) -> list[Check]:
    """Say where the mock and stars simulated from the model alone differ, and by how much.

    Both are cut at the same observed magnitudes, the stars of the model behind the errors and the
    completeness of the survey. Differences are what the data say; there is no verdict.

    Parameters
    ----------
    fields : CatalogueFields

    Returns
    -------
    list of Check
        The value is that of the mock; beside it that of the model and the difference in standard
        errors.
    """
    low, high = fields.limits
    main = BANDS.index(fields.band)

    def cut(tables: list[tuple[Columns, Floats]]) -> Columns:
        parts = []
        for table, mag in tables:
            kept = (mag[:, main] >= low) & (mag[:, main] < high)
            parts.append({name: values[kept] for name, values in table.items()})
        common = set(parts[0]).intersection(*parts[1:])
        return {name: np.concatenate([part[name] for part in parts]) for name in common}

    mock = cut([(f.mock, f.observed["mag"]) for f in fields.fields])
    model = cut([(f.model, f.model["mag"]) for f in fields.fields])
    n, m = mock["l"].size, model["l"].size
    limitation = LIMITATIONS["fit"]
    checks = [
        _line(f"stars, {low:g} <= {fields.band} < {high:g}", float(n), float(m),
              np.sqrt(n + m), limitation, n)
    ]  # fmt: skip
    if min(n, m) < 50:
        return checks
    for group, names in GROUPS.items():
        p = np.sum([mock[f"p_{name}"] for name in names], axis=0, dtype=np.float64)
        fraction = float(np.isin(model["component"], names).mean())
        error = np.sqrt((p * (1 - p)).sum() / n**2 + p.var() / n + fraction * (1 - fraction) / m)
        checks.append(
            _line(f"fraction of {group}", float(p.mean()), fraction, error, limitation, n)
        )
    for name, words, unit in (
        ("pm_l", "pm_l cos b", "mas/yr"), ("pm_b", "pm_b", "mas/yr"),
    ):  # fmt: skip
        a, b = mock[name], model[name]
        error = np.sqrt(a.var() / n + b.var() / m)
        checks.append(
            _line(f"mean {words}", float(a.mean()), float(b.mean()), error, limitation, n, unit)
        )
        checks.append(
            _line(f"dispersion of {words}", float(a.std()), float(b.std()),
                  np.hypot(_error_of_std(a), _error_of_std(b)), limitation, n, unit)
        )  # fmt: skip
    a, b = mock["distance_pc"], model["distance_pc"]
    for q in (16, 50, 84):
        of_a, of_b = float(np.percentile(a, q)), float(np.percentile(b, q))
        error = np.hypot(_error_of_quantile(a, q), _error_of_quantile(b, q))
        checks.append(_line(f"distance, {q} % quantile", of_a, of_b, error, limitation, n, "pc"))
    return checks


def _line(
    words: str, mock: float, model: float, error: Any, limitation: str, n: int, unit: str = ""
) -> Check:
    """One quantity of both, with the difference in standard errors."""
    sigma = (mock - model) / max(float(error), 1e-12)
    expected = f"model {model:,.4g}: {mock - model:+.3g}, {sigma:+.1f} sigma"
    return noted("offshelf", words, mock, expected, unit=unit, limitation=limitation, n=n)


def _error_of_std(values: Floats) -> float:
    """Return the standard error of a standard deviation, from the fourth moment."""
    x = values - values.mean()
    variance = x.var()
    return float(np.sqrt(max((x**4).mean() - variance**2, 0.0) / (4.0 * variance * x.size)))


def _error_of_quantile(values: Floats, percent: float) -> float:
    """Return the standard error of a quantile: half the range of the ranks that chance covers."""
    width = 100.0 * np.sqrt(percent / 100.0 * (1 - percent / 100.0) / values.size)
    low, high = np.percentile(values, [max(percent - width, 0), min(percent + width, 100)])
    return float(0.5 * (high - low))
