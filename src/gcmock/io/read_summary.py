"""What was read of a table, and what it lacks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.words.bands import BANDS

MOST: Final = 0.9
"""If Gaia's zero point is removed from more than this fraction of parallaxes, it is removed."""


@dataclass
class ReadSummary:
    """What was read so far.

    Parameters
    ----------
    n_rows : int
    missing : Counter of str
        Missing values by column, for the columns that the file has.
    marked : Counter of str
        Those of them that are numbers, taken for marks of missing values (99.999, -9.999995e8).
    error_assumed : Counter of str
        Magnitudes that got the default error, by magnitude column.
    bands : Counter of str
        Stars by band; a star counts once in every band that it has.
    band_sets : Counter of str
        Stars by the set of bands they have, such as ``"h+ks"``; ``"none"`` without any.
    n_parallax : int
        Stars with a parallax.
    n_zero_point_removed : int
        Those of them from whose parallax the zero point of Gaia was removed, here or before.
    """

    n_rows: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)
    error_assumed: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)
    band_sets: Counter[str] = field(default_factory=Counter)
    n_parallax: int = 0
    n_zero_point_removed: int = 0

    @property
    def n_no_photometry(self) -> int:
        """Number of stars without any magnitude."""
        return self.band_sets["none"]

    def add(self, other: ReadSummary) -> None:
        """Add what was read elsewhere."""
        self.n_rows += other.n_rows
        self.missing.update(other.missing)
        self.marked.update(other.marked)
        self.error_assumed.update(other.error_assumed)
        self.bands.update(other.bands)
        self.band_sets.update(other.band_sets)
        self.n_parallax += other.n_parallax
        self.n_zero_point_removed += other.n_zero_point_removed

    @property
    def zero_point_removed(self) -> bool:
        """Whether the zero point of Gaia was removed from almost all parallaxes."""
        return self.n_zero_point_removed > MOST * max(self.n_parallax, 1)

    def add_bands(self, present: NDArray[np.bool_]) -> None:
        """Count the bands of stars: `present` is (n_star, n_band)."""
        self.bands.update({band: int(n) for band, n in zip(BANDS, present.sum(axis=0)) if n})
        codes, counts = np.unique(present @ (1 << np.arange(len(BANDS))), return_counts=True)
        for code, count in zip(codes.tolist(), counts.tolist()):
            names = [band for i, band in enumerate(BANDS) if code >> i & 1]
            self.band_sets["+".join(names) or "none"] += count
