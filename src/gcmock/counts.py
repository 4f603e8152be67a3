"""Expected numbers of stars: the absolute normalisation of the model.

Λ_c(bin) = Σ_D N_c(D) Σ_k w_ck P(m_low <= M_k + µ(D) + κ e < m_high), with the
reddening e a Gaussian of mean E s(D) and standard deviation τ s(D) that is cut at zero.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.arrays import Floats
from gcmock.compilation import compiled
from gcmock.dust.extinction_map import SUBCELLS_PER_SIDE, ExtinctionMap
from gcmock.dust.laws import ExtinctionLaw
from gcmock.dust.profile import profile, signed_longitude
from gcmock.errors import InputError, OutsideModelError
from gcmock.galaxy.galactic_model import GalacticModel
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.results import of_components
from gcmock.posterior.sightline import cell_of, prior_counts
from gcmock.settings.build import Config
from gcmock.stars.bands import Relations
from gcmock.stars.populations import PopulationSet
from gcmock.units import to_value
from gcmock.words.bands import BANDS, LINEAR_BANDS, SYNTHETIC_BANDS, H, J
from gcmock.words.components import PART_COMPONENT

MAG_EDGES = np.arange(6.0, 17.01, 0.5)
"""Default edges of the magnitude bins [mag]."""

MAG_STEP, REDDENING_STEP, REDDENING_MAX = 0.02, 0.05, 12.0
"""Steps and end of the tables [mag]."""

# 15 nodes: with 7 the red clump, narrower than the scatter, costs 1.5 %.
_HERMITE_NODES, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_HERMITE_WEIGHTS /= _HERMITE_WEIGHTS.sum()

_SIGHTLINES_AT_ONCE = 16


class CountTable(NamedTuple):
    """Stars brighter than a magnitude, per living star, of every distinct population.

    Attributes
    ----------
    cumulative : ndarray, shape (n_population, n_reddening, n_mag)
        At magnitudes ``mag_min + i MAG_STEP`` (absolute, reddened) and reddenings ``i
        REDDENING_STEP``; one reddening only where the extinction is a shift.
    mag_min : float
        First magnitude [mag]; nothing is brighter.
    kappa : float
        Shift per unit of E(J-Ks): A_band / E(J-Ks); 0 where the reddening is an axis of the table.
    """

    cumulative: Floats
    mag_min: float
    kappa: float


class CountTables:
    """Tables of cumulative counts, built on first use for every band and row of the law.

    Parameters
    ----------
    populations : PopulationSet
        Stellar populations.
    law : ExtinctionLaw
        Extinction law.
    relations : mapping of str to SyntheticRelation
        Relation of every synthetic band to J and H.
    """

    def __init__(
        self, populations: PopulationSet, law: ExtinctionLaw, relations: Relations
    ) -> None:
        self._populations = populations
        self._law = law
        self._relations = relations
        self._tables: dict[tuple[str, int], CountTable] = {}

    def get(self, band: str, row: int) -> CountTable:
        """Return the table of a band under one row of the extinction law."""
        key = (band, row)
        if key not in self._tables:
            self._tables[key] = self._build(band, self._law.rows[row])
        return self._tables[key]

    def _build(self, band: str, kappa: Floats) -> CountTable:
        """Table of one band; those whose extinction depends on the colour need the axis."""
        if band in SYNTHETIC_BANDS:
            reddening = np.arange(0.0, REDDENING_MAX + REDDENING_STEP, REDDENING_STEP)
            shift = 0.0
        else:
            reddening = np.zeros(1)
            shift = float(kappa[LINEAR_BANDS.index(band)])
        nodes = self._populations.populations
        # One reddening at a time: all at once would take 2 kB per node.
        ranges = [
            (float(mag.min()), float(mag.max()))
            for population in nodes
            for mag in (self._reddened(population.absolute_mag, band, e, kappa) for e in reddening)
        ]
        low = min(ranges)[0] - MAG_STEP
        n = int((max(high for _, high in ranges) - low) / MAG_STEP) + 3
        cumulative = np.zeros((len(nodes), reddening.size, n))
        for i, population in enumerate(nodes):
            for j, e in enumerate(reddening):
                mag = self._reddened(population.absolute_mag, band, e, kappa)
                place = ((mag - low) / MAG_STEP).astype(np.int64) + 1
                cumulative[i, j] = np.bincount(place, population.weight, n)
        return CountTable(np.cumsum(cumulative, axis=-1), low, shift)

    def _reddened(self, mag: Floats, band: str, e_jks: float, kappa: Floats) -> Floats:
        """Absolute magnitudes, those of synthetic bands seen through a reddening, (n_node,)."""
        if band in LINEAR_BANDS:
            return mag[:, LINEAR_BANDS.index(band)]
        return self._relations[band].mag(mag[:, J] + kappa[J] * e_jks, mag[:, H] + kappa[H] * e_jks)


class CountedModel(Protocol):
    """What the counts need of a `gcmock.model.Model`."""

    @property
    def config(self) -> Config: ...  # noqa: D102
    @property
    def galaxy(self) -> GalacticModel: ...  # noqa: D102
    @property
    def populations(self) -> PopulationSet: ...  # noqa: D102
    @property
    def law(self) -> ExtinctionLaw: ...  # noqa: D102
    @property
    def extinction_map(self) -> ExtinctionMap: ...  # noqa: D102
    @property
    def grid(self) -> DistanceGrid: ...  # noqa: D102
    @property
    def count_tables(self) -> CountTables: ...  # noqa: D102
    @property
    def learned(self) -> object | None: ...  # noqa: D102

    def reddening(self, l_deg: ArrayLike, b_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Mean and standard deviation of E(J-Ks) at the red-clump distance [mag]."""
        ...

    def part_weights(self, l_deg: ArrayLike, b_deg: ArrayLike) -> Floats:
        """Factors on the numbers of stars of components, shape (n_sightline, n_part)."""
        ...


def expected_counts(
    model: CountedModel,
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    band: str = "ks",
    mag_edges: ArrayLike = MAG_EDGES,
    area_deg2: float = 1.0,
    *,
    e_jks: ArrayLike | None = None,
    tau: ArrayLike | None = None,
    subcells: bool = False,
) -> Floats:
    """Count the stars that the model expects in magnitude bins, by component.

    Parameters
    ----------
    model : Model
        The model.
    l_deg, b_deg : array_like, shape (n_sightline,)
        Galactic coordinates [deg]; longitudes of any turn.
    band : str
        Band of the magnitudes, one of `gcmock.words.bands.BANDS`.
    mag_edges : array_like, shape (n_bin + 1,)
        Edges of the bins, increasing [mag]; infinite edges are allowed.
    area_deg2 : float
        Solid angle [square degrees].
    e_jks, tau : array_like, shape (n_sightline,), optional
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag]; `Model.reddening`
        by default.
    subcells : bool
        Average over the 25 sub-cells of the extinction map in the cell of each position, where it
        has them: the counts of the cell instead of those at the position.

    Returns
    -------
    ndarray, shape (n_sightline, n_component, n_bin)
        Stars in `area_deg2`. Stars below the least mass of the isochrones (0.09 Msun) are missing.

    Raises
    ------
    InputError
        If the band is unknown, the edges do not increase, or `subcells` comes with `e_jks`.
    OutsideModelError
        If a position lies outside the extinction map.
    """
    l_deg, b_deg = to_value(l_deg, "deg"), to_value(b_deg, "deg")
    edges, area_deg2 = to_value(mag_edges, "mag"), float(to_value(area_deg2, "deg2"))
    if band not in BANDS:
        raise InputError(f"unknown band {band!r}: expected one of {', '.join(BANDS)}")
    if edges.ndim != 1 or edges.size < 2 or not (edges[1:] > edges[:-1]).all():
        raise InputError("mag_edges: expected at least two increasing magnitudes")
    if subcells and (e_jks is not None or tau is not None):
        raise InputError("subcells=True takes the reddening from the map: leave out e_jks and tau")
    lon = np.atleast_1d(signed_longitude(l_deg))
    lat = np.atleast_1d(b_deg)
    lon, lat = (np.ravel(a) for a in np.broadcast_arrays(lon, lat))
    if subcells:
        owner, lon, lat = _subcell_centres(model, lon, lat)
    else:
        owner = np.arange(lon.size)
    from_map = model.reddening(lon, lat)
    mean, scatter = (
        np.broadcast_to(to_value(mapped if given is None else given, "mag"), lon.shape)
        for given, mapped in zip((e_jks, tau), from_map, strict=True)
    )
    if subcells and model.learned is None:
        mean, _ = model.extinction_map.value(lon, lat, "subcell")
        scatter = np.full(lon.size, model.config.extinction.residual_scatter_mag)
    outside = ~(np.isfinite(mean) & np.isfinite(scatter))
    if outside.any():
        i = int(np.argmax(outside))
        raise OutsideModelError(f"l = {lon[i]:g}, b = {lat[i]:g} is outside the extinction map")
    counts = _count_rays(model, lon, lat, mean, scatter, band, edges)
    total = np.zeros((owner[-1] + 1 if owner.size else 0, *counts.shape[1:]))
    np.add.at(total, owner, counts)
    rays = np.bincount(owner)
    return np.diff(total, axis=-1) * (area_deg2 / rays[:, None, None])


def _subcell_centres(
    model: CountedModel, l_deg: Floats, b_deg: Floats
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Centres of the sub-cells around each position, or the position where there are none."""
    sky = model.extinction_map
    cell = sky.cell_index(l_deg, b_deg)
    divided = sky.has_subcells(cell)
    centre_l, centre_b = sky.cell_centre(cell)
    middle = (SUBCELLS_PER_SIDE - 1) / 2
    offset = (np.arange(SUBCELLS_PER_SIDE) - middle) * sky.step_deg / SUBCELLS_PER_SIDE
    dl, db = (a.ravel() for a in np.meshgrid(offset, offset, indexing="ij"))
    owner = np.repeat(np.arange(l_deg.size), np.where(divided, dl.size, 1))
    split = divided[owner]
    lon, lat = l_deg[owner], b_deg[owner]
    n_divided = int(divided.sum())
    lon[split] = centre_l[owner][split] + np.tile(dl, n_divided)
    lat[split] = centre_b[owner][split] + np.tile(db, n_divided)
    return owner, lon, lat


def _count_rays(
    model: CountedModel,
    l_deg: Floats,
    b_deg: Floats,
    e_jks: Floats,
    tau: Floats,
    band: str,
    edges: Floats,
) -> Floats:
    """Stars per square degree brighter than each edge, shape (n_ray, n_component, n_edge)."""
    grid, sun = model.grid, model.galaxy.sun
    groups = np.array(model.populations.of_part, np.int64)
    cells = cell_of(l_deg, b_deg, (sun.sgr_a_l_deg, sun.sgr_a_b_deg))
    row = model.law.row(l_deg, b_deg)
    _, first, sightline = np.unique(cells.identity, return_index=True, return_inverse=True)
    out = np.zeros((l_deg.size, groups.size, edges.size))
    for start in range(0, first.size, _SIGHTLINES_AT_ONCE):
        part = first[start : start + _SIGHTLINES_AT_ONCE]
        lon, lat = cells.l_deg[part], cells.b_deg[part]
        priors = prior_counts(model.galaxy, lon, lat, grid)
        priors = priors[:, PART_COMPONENT] * model.part_weights(lon, lat)[:, :, None]
        shapes = profile(
            lon[:, None],
            lat[:, None],
            grid.centre_pc,
            model.config.extinction.dust_scale_height_pc,
        )
        for ray in np.flatnonzero((sightline >= start) & (sightline < start + part.size)):
            table = model.count_tables.get(band, int(row[ray]))
            i = sightline[ray] - start
            _accumulate(
                priors[i], groups, table.cumulative, table.mag_min, table.kappa,
                grid.distance_modulus, shapes[i], e_jks[ray], tau[ray], edges, out[ray],
            )  # fmt: skip
    return np.asarray(of_components(out, axis=1))


@compiled(nogil=True, error_model="numpy")
def _accumulate(prior, groups, cumulative, mag_min, kappa, mu, shape, e_jks, tau, edges, out):  # type: ignore[no-untyped-def]
    """Add up the stars of one line of sight brighter than each edge into `out`."""
    n_population, n_reddening, n_mag = cumulative.shape
    bright = np.empty((n_population, edges.size))
    for i in range(mu.size):
        bright[:] = 0.0
        for q in range(_HERMITE_NODES.size):
            # One value of the reddening where it has no scatter.
            weight = _HERMITE_WEIGHTS[q] if tau > 0.0 else 1.0
            e = max(e_jks + tau * (_HERMITE_NODES[q] if tau > 0.0 else 0.0), 0.0) * shape[i]
            y = min(e / REDDENING_STEP, n_reddening - 1.0)
            j = min(int(y), max(n_reddening - 2, 0))
            y -= j
            above = min(j + 1, n_reddening - 1)
            for g in range(edges.size):
                x = (edges[g] - mu[i] - kappa * e - mag_min) / MAG_STEP
                if x <= 0.0:
                    continue
                x = min(x, n_mag - 1.0)
                k = min(int(x), n_mag - 2)
                x -= k
                for p in range(n_population):
                    near, far = cumulative[p, j], cumulative[p, above]
                    bright[p, g] += weight * (
                        (1.0 - y) * (near[k] + x * (near[k + 1] - near[k]))
                        + y * (far[k] + x * (far[k + 1] - far[k]))
                    )
            if not tau > 0.0:
                break
        for c in range(groups.size):
            for g in range(edges.size):
                out[c, g] += prior[c, i] * bright[groups[c], g]
