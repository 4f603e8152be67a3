"""Areas of the cells of a calibration: whole, or as far as the catalogue covers them."""

from __future__ import annotations

import numpy as np

from gcmock.arrays import Floats
from gcmock.footprint import Footprint, footprint_of_list
from gcmock.model import Model
from gcmock.posterior.observations import Observations
from gcmock.settings.footprint import FootprintConfig


def area_of_cells(
    model: Model, settings: FootprintConfig, stars: Observations, l_deg: Floats, b_deg: Floats
) -> tuple[Footprint | None, Floats]:
    """Return the footprint of a catalogue and the area of cells in it.

    Parameters
    ----------
    model : Model
        Its map has the cells.
    settings : FootprintConfig
        ``[footprint]``; cells are whole if it gives none.
    stars : Observations
        From which the footprint is guessed if the settings say so.
    l_deg, b_deg : ndarray, shape (n_cell,)
        Centres of the cells [deg].

    Returns
    -------
    footprint : Footprint or None
    area : ndarray, shape (n_cell,)
        [deg2]
    """
    step = model.extinction_map.step_deg
    footprint = footprint_of_list(settings, stars.l_deg, stars.b_deg)
    whole = step**2 * np.cos(np.radians(b_deg))
    if footprint is None:
        return None, whole
    return footprint, whole * footprint.covered(l_deg, b_deg, step)
