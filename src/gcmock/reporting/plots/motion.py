"""Rotation and proper motions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from gcmock.arrays import Floats
from gcmock.galaxy.rotation_curve import circular_velocity
from gcmock.model import Model
from gcmock.reporting.page.bins import merged
from gcmock.reporting.page.tally import MOTION_AXIS, RADII, Tally
from gcmock.reporting.plots.catalogue import count_catalogue
from gcmock.reporting.plots.style import DENSITY, GREY, colour_bar, legend
from gcmock.words.components import COLOURS, GROUP_TABLE, GROUPS, LABELS

_LEAST: Final = 12.0
"""Stars of a ring whose mean is shown."""


def rotation(axis: Axes, catalogue: Any, model: Model | None = None, *, near: bool = False) -> None:
    """Draw the mean azimuthal velocity of the groups against the Galactocentric radius.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    model : Model, optional
        Adds the mean rotation of the nuclear disc in the plane (near) or the circular velocity.
    near : bool
        The inner 500 pc instead of 10 kpc.
    """
    tally = count_catalogue(catalogue)
    place = 0 if near else 1
    radii, sums = RADII[place], tally.rotation[place]
    scale = 1e3 if near else 1.0
    for i, group in enumerate(GROUP_TABLE):
        n, first, second = sums[i]
        good = n >= _LEAST
        if not good.any():
            continue
        mean = first[good] / n[good]
        spread = np.sqrt(np.maximum(second[good] / n[good] - mean**2, 0.0))
        x = scale * radii.centres[good]
        axis.fill_between(x, mean - spread, mean + spread, color=group.colour, alpha=0.10, lw=0)
        error = spread / np.sqrt(n[good])
        fmt = f"{group.marker}-"
        axis.errorbar(x, mean, error, fmt=fmt, color=group.colour, lw=1.3, ms=3, label=group.label)
    if model is not None and near:
        x = np.linspace(2.0, 1e3 * radii.edges[-1], 200)
        mean, _ = model.components["nsd"].velocity_moments(x, 0.0 * x, 0.0 * x)
        style = {"color": COLOURS["nsd"], "ls": "--", "lw": 1.2}
        axis.plot(x, mean[:, 1], label="model, nuclear disc at z = 0", **style)  # type: ignore[arg-type]
    elif model is not None:
        x = np.linspace(0.01, radii.edges[-1], 300)
        curve = circular_velocity(1e3 * x)
        axis.plot(x, curve, color=GREY, ls="--", lw=1.2, label="circular velocity of the model")
    axis.axhline(0.0, color=GREY, lw=0.6)
    unit = "pc" if near else "kpc"
    axis.set(xlabel=f"Galactocentric radius [{unit}]", ylabel="azimuthal velocity [km/s]")
    axis.set_xlim(0.0, scale * radii.edges[-1])
    low, high = (-120.0, 300.0) if near else (-100.0, 380.0)
    axis.set_ylim(low, high)
    legend(axis, loc="upper right", ncols=2, fontsize=8)


def motion_moments(catalogue: Tally, group: str) -> tuple[Floats, Floats]:
    """Mean (2,) and covariance (2, 2) of the proper motion along l and b of a group [mas/yr]."""
    n, l, b, ll, lb, bb = catalogue.motion_sums[list(GROUPS).index(group)]
    if n < 3:
        return np.full(2, np.nan), np.full((2, 2), np.nan)
    mean = np.array([l, b]) / n
    covariance = np.array([[ll, lb], [lb, bb]]) / n - np.outer(mean, mean)
    return mean, covariance


def proper_motions(axis: Axes, catalogue: Any) -> None:
    """Draw the motions of the drawn stars with 1 and 2 sigma ellipses of bar and nuclear disc.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    """
    tally = count_catalogue(catalogue)
    values = merged(tally.motions.sum(axis=0), 1)
    image = axis.imshow(
        np.where(values > 0, values, np.nan).T,
        origin="lower",
        extent=(
            MOTION_AXIS.edges[0],
            MOTION_AXIS.edges[-1],
            MOTION_AXIS.edges[0],
            MOTION_AXIS.edges[-1],
        ),
        cmap=DENSITY,
        interpolation="nearest",
    )
    for group in ("bar", "nsd"):
        mean, covariance = motion_moments(tally, group)
        if not np.isfinite(covariance).all():
            continue
        size, axes = np.linalg.eigh(covariance)
        angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])))
        for n_sigma in (1.0, 2.0):
            width, height = 2.0 * n_sigma * np.sqrt(size[::-1])
            style: dict[str, Any] = {
                "fill": False,
                "edgecolor": COLOURS[group],
                "lw": 2.2 - 0.5 * n_sigma,
            }
            label = f"{LABELS[group]}, 1 and 2 sigma" if n_sigma == 1.0 else None
            ellipse = Ellipse(tuple(mean), width, height, angle=angle, label=label, **style)
            axis.add_patch(ellipse)
        axis.plot(*mean, "+", color=COLOURS[group], ms=8)
    axis.set(xlabel="µ(l) cos b [mas/yr]", ylabel="µ(b) [mas/yr]")
    axis.set_aspect("equal")
    axis.set_xlim(-16.0, 8.0)
    axis.set_ylim(-11.0, 11.0)
    legend(axis, loc="upper left", fontsize=8.5)
    colour_bar(axis, image, "stars per bin")
