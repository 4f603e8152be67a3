"""Proper motions that a table gives along Galactic axes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gcmock.arrays import Floats
from gcmock.frames import galactic_to_icrs_proper_motion


def icrs_motion(l_deg: Floats, b_deg: Floats, given: Mapping[str, Floats]) -> dict[str, Floats]:
    """Turn proper motions and their errors to ICRS axes.

    Parameters
    ----------
    l_deg, b_deg : ndarray of float64, shape (n_star,)
        Galactic position [deg].
    given : mapping of str to ndarray, shape (n_star,)
        ``pml`` (times cos b) and ``pmb``, and their independent errors ``pml_error`` and
        ``pmb_error``, if there are any [mas/yr].

    Returns
    -------
    dict of str to ndarray, shape (n_star,)
        ``pmra`` (times cos dec), ``pmdec`` and, with errors, ``pmra_error``, ``pmdec_error`` and
        ``pmra_pmdec_corr``.
    """
    pmra, pmdec = galactic_to_icrs_proper_motion(l_deg, b_deg, given["pml"], given["pmb"])
    found = {"pmra": pmra, "pmdec": pmdec}
    if {"pml_error", "pmb_error"} <= given.keys():
        one, none = np.ones_like(l_deg), np.zeros_like(l_deg)
        cos, minus_sin = galactic_to_icrs_proper_motion(l_deg, b_deg, one, none)
        var_l, var_b = given["pml_error"] ** 2, given["pmb_error"] ** 2
        var_ra = cos**2 * var_l + minus_sin**2 * var_b
        var_dec = minus_sin**2 * var_l + cos**2 * var_b
        covariance = cos * minus_sin * (var_l - var_b)
        found["pmra_error"], found["pmdec_error"] = np.sqrt(var_ra), np.sqrt(var_dec)
        found["pmra_pmdec_corr"] = covariance / np.sqrt(var_ra * var_dec)
    return found
