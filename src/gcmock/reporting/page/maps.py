"""Maps in words and as tables, for those who cannot see them."""

from __future__ import annotations

import numpy as np

from gcmock.arrays import Floats
from gcmock.reporting.page.bins import merged
from gcmock.reporting.page.content import Numbers, grouped
from gcmock.reporting.page.extent import BLOCK
from gcmock.reporting.page.subject import Subject


def map_words(what: str, subject: Subject, name: str) -> str:
    """Say in words what a map shows: the window and where the largest and smallest values are."""
    axes, total, count = subject.coarse_map(name)
    l_low, l_high, b_low, b_high = subject.window
    value = total / np.maximum(count, 1.0) if name != "stars" else total
    good = count >= max(0.3 * float(np.median(count[count > 0])), 1.0)
    good &= np.isfinite(value)
    area = (
        f"{what}, l from {l_low:.2f} to {l_high:.2f} and b from {b_low:.2f} to {b_high:.2f} degrees"
    )
    if not good.any():
        return f"{area}: no finite value."
    shown = np.where(good, value, np.nan)
    high, low = (np.unravel_index(f(shown), shown.shape) for f in (np.nanargmax, np.nanargmin))
    place = [f"l = {axes[0].centres[i]:.2f}, b = {axes[1].centres[j]:.2f}" for i, j in (high, low)]
    return f"{area}: highest around {place[0]}, lowest around {place[1]} degrees."


def map_table(caption: str, subject: Subject, name: str, *, density: bool = False) -> Numbers:
    """Return a map as a table of a few cells, north up and longitude to the left."""
    axes, total, count = subject.coarse_map(name)
    if density:
        step = subject.tally.extent.sky[0].step
        # Only the part of a cell in which there are stars.
        factor = round(axes[0].step / step)
        stars_there = subject.tally.sky["stars"]
        fine = _area(stars_there, factor) * (step * 60.0) ** 2
        value = total / np.where(fine > 0, fine, np.nan)
        digits = 1
    else:
        value = total / np.where(count > 0, count, np.nan)
        digits = 3
    order = range(axes[0].n - 1, -1, -1)
    rows = [
        (
            f"b = {axes[1].centres[j]:.2f}",
            *("–" if np.isnan(value[i, j]) else grouped(value[i, j], digits) for i in order),
        )
        for j in range(axes[1].n - 1, -1, -1)
    ]
    return Numbers(
        f"{caption}, in cells of {axes[0].step:g} deg",
        ("", *(f"l = {axes[0].centres[i]:.2f}" for i in order)),
        rows,
        hidden=True,
    )


def _area(stars_there: Floats, factor: int) -> Floats:
    """Count the fine cells per coarse cell that lie where the catalogue has stars."""
    block = merged(stars_there, BLOCK) > 0
    fine = np.kron(block, np.ones((BLOCK, BLOCK)))
    padded = np.pad(fine, [(0, -n % factor) for n in fine.shape])
    return merged(padded, factor)
