"""What a test of the science finds: a number, what is expected of it, and a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from gcmock.footprint import Footprint

Verdict = Literal["pass", "fail", "info", "skip"]

FALSE_ALARM: Final = 1e-3
"""Chance that a right model fails a single statistical test. Every limit follows from it and from
the number of stars."""

LIMITATIONS: Final = {
    "own": "the model against itself: shows errors of the inference, never of the model",
    "genstars": "an independent program, but the same Galactic model and isochrones",
    "seen": "the true magnitudes were drawn given the observed ones: a weak test",
    "fit": "discs and bar were fitted at |b| > 1 deg and are extrapolated to the window",
    "map": "extinction below the sub-cells of the map (0.005 deg) is not known",
    "complete": "no map of completeness: taken as complete between the limits",
    "hw": "relations of Hw to J and H differ by 0.1 to 0.2 mag",
    "nsd_source": "the source is the model that the package tabulates: a test of the table",
    "isochrones": "old, metal-rich stars of the bar against those near the Sun",
    "nsc": "stars of the central parsec (young, Wolf-Rayet) are not in the isochrones",
    "nsd_cut": "the table of the nuclear disc ends at R = 970 pc, |z| = 380 pc",
    "sun": "the solar motion is a setting (sun_velocity_kms)",
}
"""Known limits of the model, shown beside the results that they affect."""


@dataclass(frozen=True)
class Check:
    """One line of the table.

    Attributes
    ----------
    test : str
        Name of the test: "sbc", "genstars", "predictive", "offshelf", "truths" or "counts".
    quantity : str
        What is measured.
    value : float
        What was found; NaN for a test that was not done.
    expected : str
        What is expected of it, with the threshold.
    verdict : {"pass", "fail", "info", "skip"}
    source : str
        Where the expectation comes from: a statistic, or a paper.
    limitation : str
        The known limit of the model that affects it.
    unit : str
    n : int
        Stars, or tiles, that the value rests on; 0 where it does not apply.
    """

    test: str
    quantity: str
    value: float
    expected: str
    verdict: Verdict
    source: str = ""
    limitation: str = ""
    unit: str = ""
    n: int = 0

    def record(self) -> dict[str, Any]:
        """Return the line as JSON understands it; NaN becomes None."""
        words = asdict(self)
        words["value"] = float(self.value) if np.isfinite(self.value) else None
        return words


def below(test: str, quantity: str, value: float, limit: float, source: str, **more: Any) -> Check:
    """Return a check that passes where the value is below a limit."""
    good = bool(np.isfinite(value) and value <= limit)
    expected = f"< {limit:.3g}"
    return Check(test, quantity, value, expected, "pass" if good else "fail", source, **more)


def above(test: str, quantity: str, value: float, limit: float, source: str, **more: Any) -> Check:
    """Return a check that passes where the value is above a limit."""
    good = bool(np.isfinite(value) and value >= limit)
    expected = f"> {limit:.3g}"
    return Check(test, quantity, value, expected, "pass" if good else "fail", source, **more)


def within(
    test: str,
    quantity: str,
    value: float,
    target: float,
    tolerance: float | tuple[float, float],
    source: str,
    **more: Any,
) -> Check:
    """Return a check that passes within a tolerance, below and above, of a target."""
    down, up = tolerance if isinstance(tolerance, tuple) else (tolerance, tolerance)
    good = bool(np.isfinite(value) and target - down <= value <= target + up)
    span = f"{up:.3g}" if np.isclose(down, up) else f"{up:.3g}/-{down:.3g}"
    expected = f"{target:.4g} +- {span}"
    return Check(test, quantity, value, expected, "pass" if good else "fail", source, **more)


def likely(test: str, quantity: str, p_value: float, source: str, **more: Any) -> Check:
    """Return a check that passes where a p-value is above `FALSE_ALARM`."""
    return above(test, f"{quantity}, p-value", p_value, FALSE_ALARM, source, **more)


def noted(test: str, quantity: str, value: float, expected: str = "", **more: Any) -> Check:
    """Return a number that is shown without a verdict."""
    return Check(test, quantity, value, expected, "info", **more)


def on_footprint(test: str, footprint: Footprint) -> Check:
    """Return the line that says which area of the sky is compared."""
    return noted(test, f"area: {footprint.what}", footprint.area_deg2, unit="deg2")


def skipped(test: str, reason: str) -> Check:
    """Return the line of a test that was not done, with the reason."""
    return Check(test, reason, float("nan"), "", "skip")


def failures(checks: Iterable[Check]) -> list[Check]:
    """Return the checks that failed."""
    return [check for check in checks if check.verdict == "fail"]
