"""The limit in colour that a list with one band shows: what it lacks of the bright foreground.

A list that was cut in a colour that it does not have, such as the targets of JASMINE, has fewer
stars than the model expects where those that were cut away are most of all: among the brightest,
nearly all of which stand before the dust, and where there is little dust. With λ_gam(x) the stars
of group g (disc, bar, nuclear) that the model expects in cell a and magnitude bin m after a cut at
J - H > x,

    ln L(x, w) = T Σ_am N_am ln [Σ_g w_g λ_gam(x) / Σ_gam w_g λ_gam(x)] - Σ_g ln² w_g / (2 s²),

summed over fields, each with its own normalisation: the shape of the counts, not their number,
because neither the area of a list nor its completeness is known. Cells at the border of the list,
of which only a part may be covered, are taken together, so that their magnitudes alone say
something. The model's own error in the numbers of the groups is allowed for, `LEAK` of what is cut
away comes back, and T makes counts scatter more than Poisson's law. A limit is used if it gains
`LEAST_GAIN` over none; it is the mean under exp(ln L).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gcmock.arrays import Floats
from gcmock.calibration.curves import GROUP_OF_PART, USUAL_OF_GROUP
from gcmock.compilation import compiled
from gcmock.dust.profile import scatter_at
from gcmock.io.observed import ObservedCatalogue
from gcmock.io.readers.opening import open_table
from gcmock.learned import field_number
from gcmock.mock.infer import prepare
from gcmock.model import Model
from gcmock.settings.build import Config
from gcmock.words.bands import BANDS, LINEAR_BANDS, H, J
from gcmock.words.limits import USUAL_WIDTH_MAG, Limit

COLOURS: Final = np.round(np.arange(0.0, 3.61, 0.1), 2)
"""Limits in J - H that are tried; the first stands for none: no star is bluer [mag]."""

MAG_STEP: Final = 0.5
"""Width of the bins of magnitude [mag]."""

LEAST_STARS: Final = 300
"""Fewer stars show no limit."""

MOST_FIELDS, MOST_CELLS = 16, 64
"""Fields that are looked at, those with the most stars, and cells in each."""

GROUP_ERROR: Final = 0.3
"""Error of ln of the number of stars of a group in the model: masses of the bar and of the nuclear
disc by different authors differ by so much (Sormani et al. 2020, 2022)."""

LEAK: Final = 0.02
"""Fraction of the stars beyond a limit that are in the list: they are not what they seem."""

TEMPER: Final = 0.5
"""Factor on ln L: counts of cells scatter more than their number says, as the map is wrong."""

LEAST_GAIN: Final = 6.0
"""Least gain in ln of the likelihood of a limit that is used."""

_EVERY: Final = 6
_REDDENING: Final = np.array([-1.6, -0.8, 0.0, 0.8, 1.6])
_E_STEP, _N_E = 0.1, 90
_M_MIN, _M_STEP, _N_M = -12.0, 0.1, 260


class FoundLimit(NamedTuple):
    """A limit that a list shows.

    Attributes
    ----------
    limit : Limit
    gain : float
        ln of the likelihood with it over that without.
    """

    limit: Limit
    gain: float


class FieldCounts(NamedTuple):
    """What is compared in a field.

    Attributes
    ----------
    observed : ndarray, shape (n_cell, n_mag)
        Stars in bins of magnitude.
    expected : ndarray, shape (n_cell, n_group, n_mag, n_colour)
        Those of the model that are left after every limit.
    """

    observed: Floats
    expected: Floats


def find_limit(catalogue: str | Path, model: Model, config: Config) -> FoundLimit | None:
    """Look for a limit in J - H in a list whose stars have one synthetic band and nothing else.

    Parameters
    ----------
    catalogue : str or Path
        Any table that ``gcmock build`` reads.
    model : Model
    config : Config

    Returns
    -------
    FoundLimit or None
        None if the list shows none, has other bands, or too few stars.
    """
    table = ObservedCatalogue(open_table(catalogue, config.columns), config)
    parts = []
    for stars in table.chunks():
        data = prepare(stars, model, config.policy).data
        given = np.isfinite(data.mag)
        alone = ~given[:, : len(LINEAR_BANDS)].any(axis=1) & (given.sum(axis=1) == 1)
        band = given.argmax(axis=1)
        mag = data.mag[np.arange(data.n_star), band]
        parts.append((data.l_deg[alone], data.b_deg[alone], mag[alone], band[alone]))
    l_deg, b_deg, mag, band = (np.concatenate(x) for x in zip(*parts, strict=True))
    if mag.size < LEAST_STARS:
        return None
    name = BANDS[int(np.bincount(band).argmax())]
    same = band == BANDS.index(name)
    counts = _counts(l_deg[same], b_deg[same], mag[same], name, model)
    return best_limit(counts)


def _counts(
    l_deg: Floats, b_deg: Floats, mag: Floats, name: str, model: Model
) -> list[FieldCounts]:
    """Count the stars of the fields with the most of them, to where the list is complete."""
    edges = np.arange(np.floor(mag.min()), np.ceil(mag.max()) + MAG_STEP, MAG_STEP)
    whole = np.histogram(mag, edges)[0]
    # Up to the fullest bin: behind it the list becomes incomplete, or was cut inside.
    edges = edges[: int(whole.argmax()) + 1]
    if edges.size < 3:
        return []
    sky = model.extinction_map
    cell = sky.cell_index(l_deg, b_deg)
    cells, of_star = np.unique(cell, return_inverse=True)
    bins = np.clip(np.digitize(mag, edges) - 1, -1, edges.size - 1)
    inside = (bins >= 0) & (bins < edges.size - 1)
    observed = np.zeros((cells.size, edges.size - 1))
    np.add.at(observed, (of_star[inside], bins[inside]), 1.0)
    whole_cell = _inner(cells, sky.mean.shape[1])
    field = field_number(sky, cells)
    _, place = np.unique(field, return_inverse=True)
    n_star = np.bincount(place, observed.sum(axis=1))
    table = _table(model, name)
    found = []
    for i in np.argsort(-n_star, kind="stable")[:MOST_FIELDS]:
        members = np.flatnonzero(place == i)
        # Those with the most stars say the most; the order of rows changes nothing.
        order = np.argsort(-observed[members].sum(axis=1), kind="stable")
        members = members[order[:MOST_CELLS]]
        l_cell, b_cell = sky.cell_centre(cells[members])
        expected = expected_colours(model, l_cell, b_cell, table, edges)
        inner = whole_cell[members]
        if inner.any():
            found.append(FieldCounts(observed[members[inner]], expected[inner]))
        if not inner.all():
            rest = observed[members[~inner]]
            # As many stars in every cell as there are.
            share = rest.sum(axis=1) / expected[~inner][..., 0].sum(axis=(1, 2))
            mean = np.einsum("a,agmc->gmc", share, expected[~inner])
            found.append(FieldCounts(rest.sum(axis=0)[None], mean[None]))
    return found


def _inner(cells: NDArray[np.int64], n_b: int) -> NDArray[np.bool_]:
    """Return which cells have stars in all eight cells around them."""
    around = [i * n_b + j for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return np.all([np.isin(cells + step, cells) for step in around], axis=0)


def best_limit(fields: list[FieldCounts]) -> FoundLimit | None:
    """Return the limit that counts show; None if there is none."""
    if not fields:
        return None
    log_l = np.array([_log_likelihood(fields, i) for i in range(COLOURS.size)])
    gain = float(log_l.max() - log_l[0])
    if not gain > LEAST_GAIN:
        return None
    weight = np.exp(log_l - log_l.max())
    mean = float((weight * COLOURS).sum() / weight.sum())
    error = float(np.sqrt((weight * (COLOURS - mean) ** 2).sum() / weight.sum()))
    width = float(np.hypot(USUAL_WIDTH_MAG * np.sqrt(2.0), error))
    return FoundLimit(Limit("j", "h", True, round(mean, 3), round(width, 3)), gain)


def _log_likelihood(fields: list[FieldCounts], colour: int) -> float:
    """Ln L of a limit, the numbers of the groups maximised."""
    used = USUAL_OF_GROUP > 0.0
    pairs = []
    for one in fields:
        all_of, left = (one.expected[..., i][:, used] for i in (0, colour))
        left = (1.0 - LEAK) * left + LEAK * all_of
        pairs.append((one.observed, left + 1e-9 * left.sum() / left.size))

    def minus(log_w: Floats) -> float:
        total = 0.5 * float((log_w**2).sum()) / GROUP_ERROR**2
        for observed, expected in pairs:
            shape = np.einsum("g,agm->am", np.exp(log_w), expected)
            total -= TEMPER * float((observed * np.log(shape / shape.sum())).sum())
        return total

    return -float(minimize(minus, np.zeros(int(used.sum())), method="L-BFGS-B").fun)


class CountsByColour(NamedTuple):
    """Stars of every population brighter than a magnitude and redder than a limit.

    Attributes
    ----------
    value : ndarray, shape (n_population, n_reddening, n_mag, n_colour)
        Per living star, at steps of the reddening and of the absolute, reddened magnitude.
    """

    value: Floats


def _table(model: Model, name: str) -> CountsByColour:
    """Count the nodes of all populations in a synthetic band, by reddening and limit."""
    nodes = model.posterior.nodes
    kappa = model.law.rows[-1]
    relation = model.relations[name]
    n_population = nodes.start.size - 1
    population = np.repeat(np.arange(n_population), np.diff(nodes.start))
    value = np.zeros((n_population, _N_E, _N_M, COLOURS.size))
    for i in range(_N_E):
        j, h = (nodes.mag[band] + kappa[band] * i * _E_STEP for band in (J, H))
        m = np.clip((relation.mag(j, h) - _M_MIN) / _M_STEP + 1.0, 0, _N_M - 1).astype(np.int64)
        colour = np.clip(np.floor((j - h) * 10.0), 0, COLOURS.size - 1).astype(np.int64)
        np.add.at(value[:, i], (population, m, colour), nodes.weight)
    redder = np.cumsum(value[..., ::-1], axis=-1)[..., ::-1]
    return CountsByColour(np.ascontiguousarray(np.cumsum(redder, axis=2)))


def expected_colours(
    model: Model, l_deg: Floats, b_deg: Floats, table: CountsByColour, edges: Floats
) -> NDArray[np.float64]:
    """Count the stars that the model expects in bins of magnitude, by the limit in J - H.

    Parameters
    ----------
    model : Model
    l_deg, b_deg : ndarray, shape (n_place,)
        Directions [deg].
    table : CountsByColour
    edges : ndarray, shape (n_mag + 1,)
        Edges of the bins [mag].

    Returns
    -------
    ndarray, shape (n_place, n_group, n_mag, n_colour)
        Stars per square degree that are redder than every limit of `COLOURS`.
    """
    population = np.array(model.populations.of_part, np.int64)
    weights = np.exp(-0.5 * _REDDENING**2) / np.exp(-0.5 * _REDDENING**2).sum()
    sightlines, which = model.sightlines.get(l_deg, b_deg, model.profile_scatter)
    e_jks, tau = model.reddening(l_deg, b_deg)
    grid = model.grid
    n = len(grid) // _EVERY * _EVERY
    place = slice(_EVERY // 2, n, _EVERY)
    out = np.zeros((l_deg.size, USUAL_OF_GROUP.size, edges.size, COLOURS.size))
    for i, s in enumerate(which):
        prior = sightlines.prior[s][:n, : population.size].astype(np.float64)
        prior = prior.reshape(-1, _EVERY, population.size).sum(axis=1)
        dust = sightlines.dust.at(s)
        shape = dust.value(grid.centre_pc[place])
        scatter = scatter_at(dust, e_jks[i], tau[i], shape)
        mean = np.maximum(e_jks[i] * shape + scatter * _REDDENING[:, None], 0.0)
        _add_stars(
            prior, population, GROUP_OF_PART, table.value, grid.distance_modulus[place], mean,
            weights, edges, out[i],
        )  # fmt: skip
    return np.diff(out, axis=2)


@compiled(nogil=True, error_model="numpy")
def _add_stars(prior, population, group, table, mu, reddening, weights, edges, out):  # type: ignore[no-untyped-def]
    """Add the stars of one line of sight that are brighter than each edge, by limit."""
    n_population, n_e, n_m, n_colour = table.shape
    for i in range(mu.size):
        for p in range(n_population):
            some = 0.0
            for c in range(population.size):
                some += prior[i, c] if population[c] == p else 0.0
            if some == 0.0:
                continue
            for q in range(weights.size):
                e = min(int(reddening[q, i] / _E_STEP + 0.5), n_e - 1)
                for k in range(edges.size):
                    x = (edges[k] - mu[i] - _M_MIN) / _M_STEP
                    if x <= 0.0:
                        continue
                    x = min(x, n_m - 1.001)
                    m = int(x)
                    x -= m
                    for c in range(population.size):
                        if population[c] != p or prior[i, c] == 0.0:
                            continue
                        w = weights[q] * prior[i, c]
                        for colour in range(n_colour):
                            near = table[p, e, m, colour]
                            far = table[p, e, m + 1, colour]
                            out[group[c], k, colour] += w * (near + x * (far - near))
