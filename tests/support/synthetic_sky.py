"""Skies made by hand for the tests of the simulated surveys."""

from __future__ import annotations

import numpy as np

from gcmock.frames import galactic_to_icrs
from gcmock.surveys.definition import SurveyDefinition, load_survey
from gcmock.surveys.simulated.blocks import TrueStars, flat_coordinates


def stars_at(l_deg, b_deg, mag, **given) -> TrueStars:
    """Stars at rest, or with the parallaxes and motions that are given."""
    l_deg, b_deg = np.asarray(l_deg, float), np.asarray(b_deg, float)
    n = l_deg.size
    x, y = flat_coordinates(l_deg, b_deg)
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    rest = {name: np.zeros(n) for name in ("parallax", "pmra", "pmdec", "radial_velocity")}
    rest |= {name: np.asarray(values, float) for name, values in given.items()}
    mag = np.broadcast_to(np.asarray(mag, float), (n, 3)).copy()
    return TrueStars(
        np.arange(1, n + 1), np.zeros(n, np.int8), x, y, l_deg, b_deg, ra, dec, mag=mag, **rest
    )


def lonely(n: int, mag, spacing_arcsec: float = 15.0, **given) -> TrueStars:
    """Stars on a grid so wide that none disturbs another."""
    side = int(np.ceil(np.sqrt(n)))
    row, column = np.divmod(np.arange(n), side)
    step = spacing_arcsec / 3600.0
    return stars_at(0.2 + step * column, 0.1 + step * row, mag, **given)


def clean(name: str, **changes) -> SurveyDefinition:
    """A survey without artefacts."""
    return changed(name, ghosts=0.0, noise_per_deg2=0.0, **changes)


def changed(name: str, **changes) -> SurveyDefinition:
    """A survey with another instrument."""
    survey = load_survey(name)
    return survey.model_copy(update={"instrument": survey.instrument.model_copy(update=changes)})
