"""Rough Gaia magnitudes of stars with J and Ks, and the errors that Gaia has at them."""

from __future__ import annotations

from typing import Final

import numpy as np

from gcmock.arrays import Floats
from gcmock.words.bands import KS, J

BP_RP_PER_J_KS: Final = 2.2
"""BP - RP per J - Ks. A red-clump giant has 1.2 and 0.67, A_V = 1 mag adds 0.42 and 0.17: between
1.8 and 2.5; an assumption, as is `G_RP_PER_BP_RP`."""

G_RP_PER_BP_RP: Final = 0.5
"""G - RP per BP - RP."""


def gaia_g_mag(j_mag: Floats, ks_mag: Floats) -> Floats:
    """Estimate G from J and Ks: J + 2.5 (J - Ks).

    Good to about half a magnitude for the foreground; an assumption.

    Parameters
    ----------
    j_mag, ks_mag : ndarray, shape (...)
        Magnitudes [mag].

    Returns
    -------
    ndarray, shape (...)
        [mag].
    """
    return j_mag + 2.5 * (j_mag - ks_mag)


def gaia_mag(mag: Floats) -> Floats:
    """Estimate G, BP and RP; G as `gaia_g_mag`.

    Parameters
    ----------
    mag : ndarray, shape (n_star, 3)
        J, H, Ks [mag].

    Returns
    -------
    ndarray, shape (n_star, 3)
        G, BP, RP [mag].
    """
    colour = BP_RP_PER_J_KS * (mag[:, J] - mag[:, KS])
    g = gaia_g_mag(mag[:, J], mag[:, KS])
    rp = g - G_RP_PER_BP_RP * colour
    return np.column_stack([g, rp + colour, rp])


def gaia_parallax_error(g_mag: Floats) -> Floats:
    """Return the standard error of a good parallax of Gaia DR3.

    sqrt(40 + 800 z + 30 z²) µas with z = 10^(0.4 (max(G, 13) - 15)), of the science performance
    page of ESA: 0.08 mas at G = 17, 0.6 mas at G = 20.

    Parameters
    ----------
    g_mag : ndarray, shape (...)
        G [mag].

    Returns
    -------
    ndarray, shape (...)
        [mas].
    """
    z = 10.0 ** (0.4 * (np.maximum(g_mag, 13.0) - 15.0))
    return 1e-3 * np.sqrt(40.0 + 800.0 * z + 30.0 * z**2)
