"""Posterior and prior predictive checks: whether mock and model look like the catalogue.

The mock was drawn given the observations. Observed again, with fresh noise, it must fall into the
same bins as the catalogue; only stars that change the bin are evidence: a weak test. The strong one
draws stars from the model alone, through the errors and the completeness of the survey.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gcmock.arrays import Floats
from gcmock.validation import scores
from gcmock.validation.fields import CatalogueFields
from gcmock.validation.result import LIMITATIONS, Check, below, likely, noted
from gcmock.words.bands import BANDS, COLOUR_INDICES, SYNTHETIC_BANDS, H, J
from gcmock.words.flags import Flag

UNEXPLAINED_FRACTION: Final = 1e-3
"""Stars that are flagged as unexplained: 1e-4 of those of a right model (docs/method.md)."""

_MAG_STEP, _COLOUR_STEP = 0.5, 0.2


def predictive_checks(fields: CatalogueFields) -> list[Check]:
    """Compare catalogue, mock and model, field by field.

    Parameters
    ----------
    fields : CatalogueFields

    Returns
    -------
    list of Check
    """
    return [*_posterior(fields), *_prior(fields)]


def _posterior(fields: CatalogueFields) -> list[Check]:
    """Residuals, and bins of the mock that is observed again."""
    seen = np.concatenate([f.observed["mag"] for f in fields.fields])
    error = np.concatenate([f.observed["error"] for f in fields.fields])
    true = np.concatenate([f.mock["mag"] for f in fields.fields])
    flags = np.concatenate([f.mock["flags"] for f in fields.fields])
    strange = (flags & int(Flag.UNEXPLAINED)) != 0
    limitation = LIMITATIONS["seen"]
    checks = [
        below("predictive", "posterior: fraction of stars that nothing explains",
              float(strange.mean()), UNEXPLAINED_FRACTION, "docs/results.md",
              limitation=LIMITATIONS["nsc"], n=strange.size)
    ]  # fmt: skip
    for i, band in enumerate(BANDS):
        good = np.isfinite(seen[:, i]) & (error[:, i] > 0) & ~strange
        if band in SYNTHETIC_BANDS and fields.fractions[[J, H]].min() > 0.5:
            continue
        if good.sum() < 50:
            continue
        pull = (seen[good, i] - true[good, i]) / error[good, i]
        n = int(good.sum())
        checks.append(
            below("predictive", f"posterior: KS distance of (observed - true)/error, {band}",
                  scores.ks_uniform(ndtr(pull)), scores.ks_limit(n), "Kolmogorov-Smirnov",
                  limitation=limitation, n=n)
        )  # fmt: skip
    rng = np.random.default_rng(17)
    again = true + rng.normal(0.0, 1.0, true.shape) * np.where(np.isfinite(error), error, np.nan)
    start = 0
    for number, field in enumerate(fields.fields, 1):
        n = field.observed["mag"].shape[0]
        part = slice(start, start + n)
        start += n
        for words, first, second, step in _quantities(fields, seen[part], again[part]):
            both = np.isfinite(first) & np.isfinite(second) & ~strange[part]
            if both.sum() < 50:
                continue
            value, dof = scores.marginal_homogeneity(
                _bins(first[both], step), _bins(second[both], step)
            )
            checks.append(
                likely("predictive", f"posterior, field {number}, {words}: chi2 = {value:.1f} for "
                       f"{dof}", scores.chi2_p_value(value, dof), "Stuart 1955: stars that change "
                       "the bin", limitation=limitation, n=int(both.sum()))
            )  # fmt: skip
    return checks


def _bins(values: Floats, step: float) -> NDArray[np.int64]:
    """Bins of equal width, with open ends."""
    low, high = 10.0, 10.0 + 12 * step
    if step < _MAG_STEP:
        low, high = 0.0, 25 * step
    return np.digitize(values, np.arange(low, high, step)).astype(np.int64)


def _quantities(
    fields: CatalogueFields, first: Floats, second: Floats
) -> list[tuple[str, Floats, Floats, float]]:
    """Magnitude and colour of two tables of magnitudes (n, n_band)."""
    main = BANDS.index(fields.band)
    found = [(fields.band, first[:, main], second[:, main], _MAG_STEP)]
    colour = _colour(fields)
    if colour is not None:
        a, b = (BANDS.index(name) for name in colour)
        found.append(
            ("-".join(colour), first[:, a] - first[:, b], second[:, a] - second[:, b], _COLOUR_STEP)
        )
    return found


def _colour(fields: CatalogueFields) -> tuple[str, str] | None:
    """Return the colour that most stars have."""
    fraction = {
        (a, b): min(fields.fractions[BANDS.index(a)], fields.fractions[BANDS.index(b)])
        for a, b in COLOUR_INDICES
    }
    best = max(fraction, key=lambda pair: fraction[pair])
    return best if fraction[best] > 0.5 else None


def _prior(fields: CatalogueFields) -> list[Check]:
    """Compare counts per magnitude and colour against stars of the model alone."""
    low, high = fields.limits
    main = BANDS.index(fields.band)
    limitation = LIMITATIONS["fit"] if fields.with_map else LIMITATIONS["complete"]
    edges = np.arange(low, high + 1e-9, 0.25)
    colour = _colour(fields)
    checks = []
    for number, field in enumerate(fields.fields, 1):
        seen, model = field.observed["mag"], field.model["mag"]
        a, b = (np.histogram(x[:, main], edges)[0].astype(float) for x in (seen, model))
        total = float(a.sum() / max(b.sum(), 1.0))
        n = int(a.sum())
        name = f"prior, field {number}"
        checks.append(
            noted("predictive", f"{name}: observed / model, {low:g} <= {fields.band} < {high:g}",
                  total, f"{a.sum():,.0f} / {b.sum():,.0f}", limitation=limitation, n=n)
        )  # fmt: skip
        value, dof = scores.two_sample(*_merged(a, b))
        checks.append(
            likely("predictive", f"{name}, counts per {fields.band}: chi2 = {value:.1f} for {dof}",
                   scores.chi2_p_value(value, dof), "Poisson", limitation=limitation, n=n)
        )  # fmt: skip
        if colour is None:
            continue
        i, j = (BANDS.index(x) for x in colour)
        # The colour of the whole sample where the second band has gaps that no map explains.
        complete = fields.with_map or min(fields.fractions[i], fields.fractions[j]) > 0.98
        a, b = (
            np.histogram(
                (x[:, i] - x[:, j])[(x[:, main] >= low) & (x[:, main] < high)],
                np.arange(-1.0, 8.0, 0.2),
            )[0].astype(float)
            for x in (seen, model)
        )
        value, dof = scores.two_sample(*_merged(a, b), free_scale=True)
        p_value = scores.chi2_p_value(value, dof)
        words = f"{name}, shape of {'-'.join(colour)}: chi2 = {value:.1f} for {dof}"
        n = int(a.sum())
        if complete:
            checks.append(
                likely("predictive", words, p_value, "Poisson", limitation=limitation, n=n)
            )
        else:
            checks.append(
                noted("predictive", f"{words}, p-value", p_value, limitation=limitation, n=n)
            )
    return checks


def _merged(first: Floats, second: Floats, least: float = 10.0) -> tuple[Floats, Floats]:
    """Join neighbouring bins until each has `least` stars of both together."""
    owner, current, held = np.zeros(first.size, np.int64), 0, 0.0
    for i, number in enumerate(first + second):
        owner[i] = current
        held += number
        if held >= least:
            current, held = current + 1, 0.0
    # What is left at the end is too little for a bin of its own.
    owner = np.minimum(owner, max(current - 1, 0))
    joined = [np.bincount(owner, x).astype(np.float64) for x in (first, second)]
    return joined[0], joined[1]
