"""What a measurement may be besides a clean one: one table, read everywhere.

A new case is a row of `CASES`; columns, numbers and the mixture of the posterior follow from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gcmock.words.bands import BANDS, LINEAR_BANDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Case(NamedTuple):
    """A case of measurement.

    Attributes
    ----------
    name : str
        Key in tables.
    column : str
        Its probability is counted in the column ``p_<column>``; of the clean one in none.
    mag : tuple of float
        Added in quadrature to the errors of the bands of `gcmock.words.bands.BANDS` [mag].
    tau : float
        Added in quadrature to the scatter of E(J-Ks) at the distance of the map's red clump [mag].
    parallax : float
        Factor on the error of the parallax.
    fraction : float
        Fraction of stars where nothing was learned; widths of priors are a factor of three.
    """

    name: str
    column: str
    mag: tuple[float, ...]
    tau: float
    parallax: float
    fraction: float


MISMATCH_MAG: Final = 0.8
"""Width of the magnitudes of another source about those of the star [mag]: a source that is matched
by chance is most often of the survey's faint end, where the star itself is as well."""

BLEND_MAG: Final = 0.15
"""Typical light of unresolved stars, in each band by itself [mag]: the swallowed star has another
colour."""

OUTLIER_MAG: Final = 0.5
"""Width of what is neither [mag]."""

DUSTY_MAG: Final = 0.8
"""Scatter of E(J-Ks) from dust of the star's own [mag]. J - Ks of the 134 long-period variables of
Nikzat et al. 2022 (A&A 660, A35) with both magnitudes scatter by 1.1 mag about that of a giant
behind the dust of the map, the map's own error included."""

BAD_PARALLAX: Final = 6.0
"""Factor on the error of a parallax that is no good solution."""


def _one_band(band: str) -> tuple[float, ...]:
    return tuple(MISMATCH_MAG if name == band else 0.0 for name in BANDS)


_N: Final = len(BANDS)

CASES: Final = (
    Case("clean", "", (0.0,) * _N, 0.0, 1.0, 0.0),
    *(Case(f"mismatch_{b}", "mismatch", _one_band(b), 0.0, 1.0, 0.003) for b in LINEAR_BANDS),
    Case("blend", "blend", (BLEND_MAG,) * _N, 0.0, 1.0, 0.03),
    Case("dusty", "dusty", (0.0,) * _N, DUSTY_MAG, 1.0, 0.003),
    Case("outlier", "outlier", (OUTLIER_MAG,) * _N, 0.0, BAD_PARALLAX, 0.003),
    Case("parallax", "outlier", (0.0,) * _N, 0.0, BAD_PARALLAX, 0.01),
)
"""All cases, in the order of every `n_case` axis; the clean one has what the others leave."""

CLEAN: Final = 0
N_CASE: Final = len(CASES)

CASE_COLUMNS: Final = {
    "mismatch": "one magnitude belongs to another source",
    "blend": "light of another star in all bands",
    "dusty": "dust of the star's own",
    "outlier": "measurements that are neither, or a bad parallax",
}
"""Columns with the probabilities of what is not clean, without ``p_``, and what they mean."""


def usual_fractions() -> NDArray[np.float64]:
    """Return the fractions where nothing was learned, shape (n_case,)."""
    # Words are asked by the command line, which answers before numpy is there.
    import numpy as np

    fraction = np.array([case.fraction for case in CASES])
    fraction[CLEAN] = 1.0 - fraction.sum()
    return fraction
