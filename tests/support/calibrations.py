"""A calibration of three cells made by hand, with stand-ins for what is not read."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np

from gcmock.calibration.calibrate import Calibration, Options
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.cells import CellFit
from gcmock.calibration.foreground import usual_foreground
from gcmock.calibration.law import LawFit, power_law
from gcmock.calibration.local_reddening import Local
from gcmock.calibration.measurements import usual_measurements
from gcmock.calibration.weights import usual_weights
from gcmock.dust.laws import ExtinctionLaw
from gcmock.posterior.observations import Observations
from gcmock.settings.build import load_config
from gcmock.words.bands import BANDS

N_B = 10
STEP = 0.025


class Sky:
    """A map of 10 x 10 cells of 0.025 deg whose reddening is 2 mag everywhere."""

    mean = np.full((10, N_B), 2.0)
    step_deg = STEP
    b_min_deg = 0.0

    def cell_centre(self, cell):
        i, j = np.divmod(np.asarray(cell), N_B)
        return (i + 0.5) * STEP, (j + 0.5) * STEP

    def value(self, l_deg, b_deg, kind):
        return np.full(np.shape(l_deg), 2.0), np.zeros(np.shape(l_deg))


def calibration(**parts):
    """Two cells of their own and one of the region; six stars of which five are explained."""
    law = ExtinctionLaw("fitted", power_law(2.1, 0.01, 1.0)[None], "stars")
    fit = LawFit(2.1, 0.01, np.diag([4e-4, 1e-4]), law.rows[0], np.full(3, 0.01), 120, 3.0)
    factor = np.array([1.0, 1.1, 1.0])
    error = np.array([0.02, 0.02, 0.1])
    scatter = np.array([0.05, 0.07, 0.06])
    cells = CellFit(np.array([3, 2, 0]), factor, error, scatter, 0.1 * scatter, np.zeros(3))
    star = np.array([1.0, 1.0, 1.1, 1.1, 1.2])
    zero = np.zeros(5)
    nan = np.full(6, np.nan)
    mag = np.full((6, len(BANDS)), 13.0)
    data = Observations(
        0.001 * np.arange(6), 0.002 * np.arange(6), mag, 0.0 * mag, nan, nan, nan, nan
    )
    account = {"rows": 1000, "without Ks": 40, "calibrate": 6}
    given = Calibration(
        model=SimpleNamespace(extinction_map=Sky(), map_value="subcell"),
        config=load_config(),
        options=Options(),
        stars=Calibrators(
            data,
            np.full(6, 33),
            (11.0, 15.0),
            np.array([33, 34]),
            np.array([30, 20]),
            account,
            np.ones(6, bool),
        ),
        law=law,
        law_fits={0: fit},
        cell=np.array([33, 34, 44]),
        source=np.array([0, 0, 2]),
        fit=cells,
        e_map=np.full(3, 2.0),
        local=Local(0, 0.0, {(0, 0.0): -1.25}, star, 0.1 * star, star, 0.1 * star, zero),
        weights=usual_weights(),
        foreground=usual_foreground(),
        measurements=usual_measurements(),
        n_observed=np.array([30, 20, 5]),
        n_expected=np.array([25.0, 25.0, 5.0]),
        explained=np.array([True, True, False, True, True, True]),
        seconds=3.0,
    )
    return dataclasses.replace(given, **parts)
