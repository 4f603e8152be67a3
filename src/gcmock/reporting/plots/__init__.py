"""Plots of a mock catalogue: functions that take an axis and a catalogue.

The catalogue is a path, a table (astropy, pandas, pyarrow) or what `count_catalogue` returns for
one, which saves counting it again for every plot.

>>> from matplotlib.figure import Figure
>>> axis = Figure().add_subplot()
>>> sky_density(axis, count_catalogue("mock.parquet"))
"""

from gcmock.reporting.plots.catalogue import count_catalogue
from gcmock.reporting.plots.motion import proper_motions, rotation
from gcmock.reporting.plots.residuals import (
    residual_colour_colour,
    residual_colour_magnitude,
    residual_counts,
)
from gcmock.reporting.plots.sky import (
    distance_error_map,
    evidence_map,
    extinction_change,
    extinction_found,
    extinction_learned,
    extinction_used,
    probability_map,
    sky_density,
)
from gcmock.reporting.plots.stars import (
    colour_colour,
    colour_magnitude,
    distance_errors,
    distances,
    fractions,
    magnitude_counts,
    membership,
    nuclear_colour_magnitude,
    reliability,
)
from gcmock.reporting.plots.style import RC

__all__ = [
    "RC",
    "colour_colour",
    "colour_magnitude",
    "count_catalogue",
    "distance_error_map",
    "distance_errors",
    "distances",
    "evidence_map",
    "extinction_change",
    "extinction_found",
    "extinction_learned",
    "extinction_used",
    "fractions",
    "magnitude_counts",
    "membership",
    "nuclear_colour_magnitude",
    "probability_map",
    "proper_motions",
    "reliability",
    "residual_colour_colour",
    "residual_colour_magnitude",
    "residual_counts",
    "rotation",
    "sky_density",
]
