"""Maps: where the stars are, how probable the nuclear disc is, how much dust, and what is odd."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import maximum_filter

from gcmock.arrays import Floats
from gcmock.errors import InputError
from gcmock.model import Model
from gcmock.posterior.sightline import prior_counts
from gcmock.reporting.page.bins import Axis
from gcmock.reporting.page.observed import ObservedTally
from gcmock.reporting.plots.catalogue import count_catalogue, crop, sky_map
from gcmock.reporting.plots.style import (
    BALANCE,
    DENSITY,
    DUST,
    NOTHING,
    PROBABILITY,
    colour_bar,
    sky_axes,
)
from gcmock.words.components import LABELS

ENOUGH_FOR_NUMBERS, ENOUGH_FOR_MEANS, ENOUGH_FOR_EVIDENCE = 6.0, 16.0, 60.0
"""Stars per cell (median) of maps of counts, of means, and of the evidence, which scatters."""


def sky_density(axis: Axes, catalogue: Any) -> None:
    """Draw the number of stars per square arcminute.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, ObservedTally, path or table
        See `gcmock.reporting.plots.count_catalogue`.
    """
    tally = catalogue if isinstance(catalogue, ObservedTally) else count_catalogue(catalogue)
    axes, total, stars = sky_map(tally, "stars", ENOUGH_FOR_NUMBERS)
    density = np.where(stars > 0, total / (axes[0].step * axes[1].step * 3600.0), np.nan)
    image = _map(axis, axes, density, stars, DENSITY, high=_quantile(density, 0.998))
    colour_bar(axis, image, "stars per arcmin²", "max")


def probability_map(axis: Axes, catalogue: Any, group: str = "nsd") -> None:
    """Draw the mean probability of a group of components per cell.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    group : str
        A name of `gcmock.words.components.GROUPS`.

    Raises
    ------
    InputError
        If there is no such group.
    """
    if group not in LABELS:
        raise InputError(f"{group!r} is no group of components; known: {', '.join(LABELS)}")
    axes, total, stars = sky_map(count_catalogue(catalogue), f"p_{group}", ENOUGH_FOR_MEANS)
    mean = _mean(total, stars)
    high = _quantile(mean, 0.998)
    image = _map(axis, axes, mean, stars, PROBABILITY, high=max(high, 1e-3))
    colour_bar(axis, image, f"mean P({LABELS[group]})", "max")


def extinction_used(
    axis: Axes, catalogue: Any, model: Model, *, limits: tuple[float, float] | None = None
) -> None:
    """Draw the extinction map of the model where the catalogue has stars.

    A_Ks at the distance of the red clump of the bulge, in the middle of every cell.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    model : Model
    limits : tuple of 2 floats, optional
        Ends of the scale [mag]: see `extinction_limits`; those of this map if not given.
    """
    axes, a_ks, stars = _of_model(catalogue, model, learned=False)
    _draw_extinction(axis, axes, a_ks, stars, limits, "A(Ks) at the red clump [mag]")


def extinction_learned(
    axis: Axes, catalogue: Any, model: Model, *, limits: tuple[float, float] | None = None
) -> None:
    """Draw the same as it was learned from stars; that of the map where nothing was learned.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    model : Model
    limits : tuple of 2 floats, optional
        Ends of the scale [mag].
    """
    axes, a_ks, stars = _of_model(catalogue, model, learned=True)
    _draw_extinction(axis, axes, a_ks, stars, limits, "learned A(Ks) at the red clump [mag]")


def extinction_change(axis: Axes, catalogue: Any, model: Model) -> None:
    """Draw the learned extinction less that of the map: red where there is more.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    model : Model
    """
    axes, learned, stars = _of_model(catalogue, model, learned=True)
    change = learned - _of_model(catalogue, model, learned=False)[1]
    size = max(_quantile(np.abs(change), 0.98), 0.01)
    image = _map(axis, axes, change, stars, f"{BALANCE}_r", low=-size, high=size)
    colour_bar(axis, image, "A(Ks), learned - map [mag]", "both")


def extinction_found(
    axis: Axes, catalogue: Any, *, limits: tuple[float, float] | None = None
) -> None:
    """Draw the mean extinction in Ks of the drawn stars per cell.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    limits : tuple of 2 floats, optional
        Ends of the scale [mag].
    """
    axes, total, stars = sky_map(count_catalogue(catalogue), "a_ks", ENOUGH_FOR_MEANS)
    _draw_extinction(
        axis, axes, _mean(total, stars), stars, limits, "mean A(Ks) of the stars [mag]"
    )


def extinction_limits(catalogue: Any, model: Model) -> tuple[float, float]:
    """Return the ends of one scale for all maps of the extinction [mag]."""
    _, total, stars = sky_map(count_catalogue(catalogue), "a_ks", ENOUGH_FOR_MEANS)
    maps = [_of_model(catalogue, model, learned=learned) for learned in (False, True)]
    every = [_mean(total, stars).ravel(), *(a_ks[crop(here)].ravel() for _, a_ks, here in maps)]
    low, high = (_quantile(np.concatenate(every), q) for q in (0.002, 0.998))
    return low, high


def model_extinction(axes: tuple[Axis, Axis], model: Model, *, learned: bool = False) -> Floats:
    """A_Ks of the model in the middle of cells (n_l, n_b) [mag]; NaN outside the map.

    Of the extinction map, or as it was learned from stars.
    """
    l_deg, b_deg = np.meshgrid(axes[0].centres, axes[1].centres, indexing="ij")
    if learned:
        e_jks, _ = model.reddening(l_deg.ravel(), b_deg.ravel())
        e_jks = e_jks.reshape(l_deg.shape)
    else:
        e_jks, _ = model.extinction_map.value(l_deg, b_deg, model.map_value)
    kappa = model.law.kappa(l_deg.ravel(), b_deg.ravel())[:, 2].reshape(l_deg.shape)
    return np.asarray(kappa * e_jks)


def _of_model(
    catalogue: Any, model: Model, *, learned: bool
) -> tuple[tuple[Axis, Axis], Floats, Floats]:
    """Cells, A_Ks of the model where there are stars, and the stars."""
    axes, _, stars = sky_map(count_catalogue(catalogue), "stars", ENOUGH_FOR_NUMBERS)
    # Single cells without a star are no holes.
    covered = maximum_filter(stars, 5) > 0
    a_ks = np.where(covered, model_extinction(axes, model, learned=learned), np.nan)
    return axes, a_ks, stars


def _draw_extinction(
    axis: Axes,
    axes: tuple[Axis, Axis],
    a_ks: Floats,
    stars: Floats,
    limits: tuple[float, float] | None,
    label: str,
) -> None:
    own = a_ks[crop(stars)]
    low, high = limits or (_quantile(own, 0.002), _quantile(own, 0.998))
    image = _map(axis, axes, a_ks, stars, DUST, low=low, high=high)
    colour_bar(axis, image, label, "both")


def evidence_map(axis: Axes, catalogue: Any, model: Model) -> None:
    """Draw where the model explains the stars worse (red) or better (blue) than it usually does.

    The mean per cell of ln(evidence / stars of the model in this direction): how probable
    magnitudes like these are for a star there. From it is subtracted the same mean over all stars
    of the catalogue with the same number of bands and the same Ks within half a magnitude.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    model : Model
    """
    axes, total, stars = sky_map(count_catalogue(catalogue), "evidence", ENOUGH_FOR_EVIDENCE)
    expected = log_stars(axes, model)
    mean = _mean(total, stars) - (expected - np.average(expected, weights=stars))
    # Symmetric, so that white is as usual.
    size = max(_quantile(np.abs(mean), 0.98), 1e-3)
    image = _map(axis, axes, mean, stars, BALANCE, low=-size, high=size)
    colour_bar(axis, image, "ln p, relative to similar stars", "both")


def log_stars(axes: tuple[Axis, Axis], model: Model) -> Floats:
    """Return ln of the living stars of the model per square degree in the middle of cells.

    Computed for a few thousand directions, closer to each other around Sgr A*, and interpolated.
    """
    l_fine, b_fine = (axis.centres for axis in axes)
    l_few, b_few = (
        np.unique(np.concatenate((x[:: -(-x.size // 40)], x[-1:], _near(x, centre))))
        for x, centre in (
            (l_fine, model.galaxy.sun.sgr_a_l_deg),
            (b_fine, model.galaxy.sun.sgr_a_b_deg),
        )
    )
    l_deg, b_deg = np.meshgrid(l_few, b_few, indexing="ij")
    parts = [
        prior_counts(model.galaxy, l_row, b_row, model.grid).sum(axis=(1, 2))
        for l_row, b_row in zip(l_deg, b_deg, strict=True)
    ]
    grid = RegularGridInterpolator((l_few, b_few), np.log(parts))
    points = np.stack(np.meshgrid(l_fine, b_fine, indexing="ij"), axis=-1)
    return np.asarray(grid(points))


def _near(x: Floats, centre: float) -> Floats:
    """Return some of the coordinates (n,) near that of Sgr A*, denser towards it."""
    offsets = np.array([0.0, 0.003, 0.007, 0.012, 0.02, 0.03, 0.045, 0.065, 0.09, 0.12, 0.16])
    wanted = centre + np.concatenate((-offsets, offsets))
    return wanted[(wanted >= x[0]) & (wanted <= x[-1])]


def distance_error_map(axis: Axes, catalogue: Any) -> None:
    """Draw the mean half width of the 68 % interval of the distance per cell.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    """
    axes, total, stars = sky_map(count_catalogue(catalogue), "width", ENOUGH_FOR_MEANS)
    mean = _mean(total, stars)
    image = _map(axis, axes, mean, stars, DENSITY, high=_quantile(mean, 0.998))
    colour_bar(axis, image, "uncertainty of the distance [kpc]", "max")


def _quantile(values: Floats, level: float) -> float:
    """Return a quantile of the finite values; 0 if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, level)) if finite.size else 0.0


def _mean(total: Floats, stars: Floats) -> Floats:
    """Mean per cell; NaN where there are too few stars for one."""
    least = max(3.0, 0.15 * float(np.median(stars[stars > 0])))
    # A handful of stars, each in a cell of its own, is better shown than not.
    least = min(least, float(stars.max()))
    return np.where(stars >= least, total / np.maximum(stars, 1.0), np.nan)


def _map(
    axis: Axes,
    axes: tuple[Axis, Axis],
    values: Floats,
    stars: Floats,
    cmap: Any,
    low: float = 0.0,
    high: float = 1.0,
) -> AxesImage:
    """Show values (n_l, n_b) where there are stars."""
    part = crop(stars)
    l_edges, b_edges = (
        a.edges[slice(p.start, p.stop + 1)] for a, p in zip(axes, part, strict=True)
    )
    image = axis.imshow(
        values[part].T,
        origin="lower",
        extent=(l_edges[0], l_edges[-1], b_edges[0], b_edges[-1]),
        cmap=cmap,
        vmin=low,
        vmax=high if high > low else low + 1.0,
        interpolation="nearest",
    )
    sky_axes(axis)
    # No colour of a scale means that there is nothing.
    axis.set_facecolor(NOTHING)
    return image
