"""The section that subtracts the mock from the data."""

from __future__ import annotations

import numpy as np

from gcmock.arrays import Floats
from gcmock.reporting.page.bins import Axis, merged
from gcmock.reporting.page.content import Numbers, PageSection, Picture, Text, grouped, percent
from gcmock.reporting.page.remeasured import Remeasured
from gcmock.reporting.page.subject import Subject
from gcmock.reporting.page.tally import BRIGHTNESS, COLOUR, DIAGRAMS
from gcmock.reporting.plots import residuals
from gcmock.words.bands import SYNTHETIC_BANDS, band_label, colour_label

LEAST_EXPECTED = 10.0
"""Stars of a bin that is counted among those that deviate or do not."""

FAR = 3.0
"""Deviations that are called large."""


def residual_section(subject: Subject) -> PageSection:
    """Return what is left of the data after the mock is taken off."""
    found = subject.remeasured
    assert found is not None
    blocks: list[Picture | Text | Numbers] = [
        Text(
            f"{grouped(found.n_star)} drawn stars were measured again: each got fresh noise of its "
            "own errors, in the bands in which it was observed. Where model and errors are right, "
            "data and mock differ by less than chance, because every drawn star knows its own "
            "measurement. Red: more stars in the data; blue: more in the mock; grey: no star."
        )
    ]
    for i in (0, 1):
        if found.diagrams[:, i].sum() > 0:
            blocks.append(_diagram(found, i))
    if found.colours.sum() > 0:
        blocks.append(
            Picture(
                "residual_colours",
                "Data minus mock: both colours",
                deviation_words(found.colours[0], found.colours[1], (COLOUR, COLOUR)),
                lambda axis: residuals.residual_colour_colour(axis, found),
                _verdict(*found.colours),
            )
        )
    for band in ("ks", *SYNTHETIC_BANDS):
        centres, data, mock = residuals.counts_of(found, band)
        if centres.size:
            blocks.append(_counts(found, band, centres, data, mock))
    if len(blocks) == 1:
        blocks.append(Text("Too few stars for a comparison."))
    return PageSection("residuals", "Data minus mock", tuple(blocks))


def _diagram(found: Remeasured, i: int) -> Picture:
    data, mock = found.diagrams[:, i]
    blue, red, _ = DIAGRAMS[i]
    return Picture(
        f"residual_{blue}{red}",
        f"Data minus mock: {colour_label(blue, red)}",
        deviation_words(data, mock, (COLOUR, BRIGHTNESS)),
        lambda axis: residuals.residual_colour_magnitude(axis, found, i),
        _verdict(data, mock),
    )


def _counts(found: Remeasured, band: str, centres: Floats, data: Floats, mock: Floats) -> Picture:
    label = band_label(band)
    ratio = data / np.maximum(mock, 1.0)
    half = 0.5 * float(np.diff(centres).min(initial=0.5))
    return Picture(
        f"residual_counts_{band}",
        f"Counts in {label}, data over mock",
        f"Observed stars over drawn stars measured again, by {label}: from {ratio.min():.2f} to "
        f"{ratio.max():.2f}.",
        lambda axis: residuals.residual_counts(axis, found, band),
        "Bars: errors of independent counts.",
        table=Numbers(
            f"Stars per bin of {label}",
            (label, "data", "mock", "ratio"),
            [
                (f"{m - half:.1f} to {m + half:.1f}", grouped(d), grouped(k), f"{r:.2f}")
                for m, d, k, r in zip(centres, data, mock, ratio, strict=True)
            ],
            hidden=True,
        ),
    )


def large_deviations(data: Floats, mock: Floats) -> tuple[int, int]:
    """Return how many bins with enough stars deviate by more than `FAR`, and their number."""
    mean = 0.5 * merged(data + mock, residuals.DIAGRAM_BINS)
    counted = mean >= LEAST_EXPECTED
    far = np.abs(residuals.deviations_of(data, mock)[counted]) > FAR
    return int(far.sum()), int(counted.sum())


def _verdict(data: Floats, mock: Floats) -> str:
    far, n = large_deviations(data, mock)
    if not n:
        return "No bin has ten stars."
    return (
        f"{grouped(far)} of {grouped(n)} bins with ten stars or more ({percent(far / n)}) deviate "
        f"by more than {FAR:g}; of independent stars 3.4 % would by chance."
    )


def deviation_words(data: Floats, mock: Floats, axes: tuple[Axis, Axis]) -> str:
    """Say in words where data and mock deviate most."""
    values = residuals.deviations_of(data, mock)
    centres = [axis.coarser(residuals.DIAGRAM_BINS).centres for axis in axes]
    words = []
    for name, place in (("data", np.nanargmax), ("mock", np.nanargmin)):
        i, j = np.unravel_index(int(place(values)), values.shape)
        words.append(
            f"most in excess in the {name} by {abs(values[i, j]):.1f} at ({centres[0][i]:.1f}, "
            f"{centres[1][j]:.1f}) mag"
        )
    return (
        "Difference of data and mock over the square root of their mean: " + ", ".join(words) + "."
    )
