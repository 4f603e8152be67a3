"""Rough Gaia magnitudes of stars with J and Ks."""

from __future__ import annotations

import numpy as np

from gcmock.arrays import Floats
from gcmock.mock.survey import gaia_g_mag
from gcmock.words.bands import KS, J

BP_RP_PER_J_KS = 2.2
"""BP - RP per J - Ks. A red-clump giant has 1.2 and 0.67, A_V = 1 mag adds 0.42 and 0.17: between
1.8 and 2.5; an assumption, as is `G_RP_PER_BP_RP`."""

G_RP_PER_BP_RP = 0.5


def gaia_mag(mag: Floats) -> Floats:
    """Estimate G, BP, RP [mag] from J, H, Ks [mag], shape (n_star, 3) both.

    G = J + 2.5 (J - Ks), see `gcmock.mock.survey.gaia_g_mag`.
    """
    colour = BP_RP_PER_J_KS * (mag[:, J] - mag[:, KS])
    g = gaia_g_mag(mag[:, J], mag[:, KS])
    rp = g - G_RP_PER_BP_RP * colour
    return np.column_stack([g, rp + colour, rp])
