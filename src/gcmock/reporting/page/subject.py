"""Everything that the sections of a report are written from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gcmock.arrays import Floats
from gcmock.model import Model
from gcmock.reporting.page.bins import Axis, merged
from gcmock.reporting.page.observed import ObservedTally
from gcmock.reporting.page.remeasured import Remeasured
from gcmock.reporting.page.tally import DISTANCE, Tally
from gcmock.reporting.page.truth import TruthComparison
from gcmock.reporting.plots.catalogue import crop, map_factor
from gcmock.settings.build import PhotometryConfig

_TABLE_SIDE = 8


@dataclass(frozen=True)
class Subject:
    """A catalogue with what is known of it.

    Attributes
    ----------
    name : str
        File or folder.
    tally : Tally
    model : Model
        That of the catalogue.
    photometry : PhotometryConfig
        How the catalogue took magnitudes and errors.
    metadata : dict of str to str
        Provenance of the catalogue.
    observed : ObservedTally, optional
        Its input.
    comparison : TruthComparison, optional
        With a known truth.
    extra : dict of str to str
        Names of the input and of the truth.
    remeasured : Remeasured, optional
        Drawn stars measured again, beside what was measured of them.
    """

    name: str
    tally: Tally
    model: Model
    photometry: PhotometryConfig
    metadata: dict[str, str]
    observed: ObservedTally | None = None
    comparison: TruthComparison | None = None
    extra: dict[str, str] = field(default_factory=dict)
    remeasured: Remeasured | None = None

    @property
    def window(self) -> tuple[float, float, float, float]:
        """Smallest and largest l and b of cells with stars [deg]."""
        part = crop(self.tally.sky["stars"])
        (l_low, l_high), (b_low, b_high) = (
            (axis.edges[p.start], axis.edges[p.stop])
            for axis, p in zip(self.tally.extent.sky, part, strict=True)
        )
        return float(l_low), float(l_high), float(b_low), float(b_high)

    @property
    def sky_size(self) -> tuple[float, float]:
        """Size of the figure of a map [inch], by the shape of the window."""
        l_low, l_high, b_low, b_high = self.window
        ratio = (b_high - b_low) / (l_high - l_low)
        if ratio <= 1.15:
            return 5.4, float(np.clip(3.85 * ratio + 0.6, 1.8, 5.6))
        return float(np.clip(4.5 / ratio + 1.5, 2.4, 5.6)), 5.4

    def coarse_map(self, name: str) -> tuple[tuple[Axis, Axis], Floats, Floats]:
        """Return sums and stars of a map in a few cells, for a table."""
        stars = self.tally.sky["stars"]
        n = max(stars.shape)
        factor = next((f for f in (12, 24, 48, 60) if n / f <= _TABLE_SIDE), 60)
        factor = max(factor, map_factor(stars, 16.0))
        padded = [
            np.pad(a, [(0, -m % factor) for m in a.shape]) for a in (self.tally.sky[name], stars)
        ]
        total, number = (merged(a, factor) for a in padded)
        axes = tuple(Axis(a.low, a.step * factor, -(-a.n // factor)) for a in self.tally.extent.sky)
        return (axes[0], axes[1]), total, number


def quantiles(histogram: Floats, levels: tuple[float, ...]) -> list[float]:
    """Quantiles of drawn distances [kpc] from their counts (n_distance,)."""
    total = np.cumsum(histogram)
    if total[-1] <= 0:
        return [float("nan")] * len(levels)
    return [float(np.interp(q * total[-1], total, DISTANCE.edges[1:])) for q in levels]
