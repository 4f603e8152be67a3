"""Maps of a few cells, for tests to which the sky does not matter."""

from __future__ import annotations

import numpy as np

from gcmock.dust.extinction_map import ExtinctionMap


def small_map(
    n_l: int = 16,
    n_b: int = 16,
    l_min_deg: float = 0.0,
    b_min_deg: float = 0.0,
    divided: tuple[int, ...] = (),
) -> ExtinctionMap:
    """Map of cells of 0.025 deg with E(J-Ks) = 2 mag.

    Parameters
    ----------
    n_l, n_b : int
        Cells along l and b.
    l_min_deg, b_min_deg : float
        Lower borders [deg].
    divided : tuple of int
        Cells (flat index) with sub-cells, of 1.00, 1.01 ... 1.24 mag.
    """
    return ExtinctionMap(
        mean=np.full((n_l, n_b), 2.0),
        subcell=np.tile(np.arange(1000, 1250, 10, dtype=np.uint16), (len(divided), 1)),
        subcell_cell=np.array(divided, np.int64),
        l_min_deg=l_min_deg,
        b_min_deg=b_min_deg,
        step_deg=0.025,
        subcell_per_mag=1000,
    )
