"""Absolute counts: a list of real stars in Hw against the numbers that the model expects.

The list says where it differs: by magnitude, by reddening, by tile. Causes are tried one after the
other, and what remains is given as a number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import poisson

from gcmock.arrays import Floats
from gcmock.dust.laws import load_law
from gcmock.errors import InputError
from gcmock.footprint import footprint_of_list
from gcmock.io.observed import read_observed
from gcmock.model import Model, load_model
from gcmock.settings.build import Config
from gcmock.stars.bands import load_relation, relation_names
from gcmock.validation import scores
from gcmock.validation.result import LIMITATIONS, Check, likely, noted, on_footprint, within
from gcmock.validation.tiles import (
    Tiles,
    average,
    count_curves,
    count_observed,
    make_tiles,
    red_model,
    reddenings_of,
    slope,
)
from gcmock.words.bands import HW

L_RANGE, B_RANGE = (-1.4, 0.7), (-0.6, 0.6)
"""The JASMINE window [deg]."""

COUNT_TILE_DEG: Final = 0.1
EDGES: Final = np.array([9.5, 11.0, 12.0, 13.0, 13.5, 14.0, 14.5])
"""Bins of Hw [mag]."""

COLOUR_LIMITS: Final = np.array([-np.inf, 1.6, 1.8, 1.9, 2.0, 2.1, 2.2, 2.4])
"""Bluest J - H of a list that are tried [mag]; the first is no limit."""

LAWS: Final = (
    "wang_chen_2019", "nishiyama_2006", "nishiyama_2009", "alonso_garcia_2017",
    "nogueras_lara_2020",
)  # fmt: skip
_FIT_TILES: Final = 60
_LEAST_COVERED: Final = 0.1


@dataclass(frozen=True)
class CountMap:
    """Counts by tile, for the figure.

    Attributes
    ----------
    tiles : Tiles
    observed, expected, selected : ndarray, shape (n_tile, n_bin)
        Stars of the list; expected with the sub-cells of the map; the same, as red as the list.
    e_jks : ndarray, shape (n_tile,)
        Mean reddening [mag].
    colour_min : float
        Bluest J - H [mag].
    """

    tiles: Tiles
    observed: Floats
    expected: Floats
    selected: Floats
    e_jks: Floats
    colour_min: float

    def record(self) -> dict[str, Any]:
        """Return the map as JSON understands it."""
        return {
            "l_deg": self.tiles.l_deg.round(4).tolist(),
            "b_deg": self.tiles.b_deg.round(4).tolist(),
            "tile_deg": self.tiles.size_deg,
            "observed": self.observed.sum(axis=1).tolist(),
            "expected": self.expected.sum(axis=1).round(2).tolist(),
            "expected_red": self.selected.sum(axis=1).round(2).tolist(),
            "e_jks": self.e_jks.round(4).tolist(),
        }


def read_list(path: Path, config: Config) -> tuple[Floats, Floats, Floats]:
    """Read l, b [deg] and Hw [mag] of a list, each (n_star,).

    Raises
    ------
    InputError
        If the table cannot be used, or has no Hw.
    """
    parts = list(read_observed(path, config).chunks())
    mag = np.concatenate([part.mag[:, HW] for part in parts])
    if not np.isfinite(mag).any():
        raise InputError(f"{path}: --counts takes a list with phot_hw_mag, and this has none")
    l_deg = np.concatenate([part.l for part in parts])
    return (l_deg + 180.0) % 360.0 - 180.0, np.concatenate([part.b for part in parts]), mag


def counts_checks(
    path: Path,
    config: Config,
    l_range: tuple[float, float] = L_RANGE,
    b_range: tuple[float, float] = B_RANGE,
) -> tuple[list[Check], CountMap]:
    """Compare a list with the model, tile by tile, and name causes.

    Parameters
    ----------
    path : Path
        List with positions and Hw.
    config : Config
    l_range, b_range : tuple of 2 floats
        Window [deg]; whole tiles of `COUNT_TILE_DEG` in it are used.

    Returns
    -------
    list of Check
    CountMap

    Raises
    ------
    InputError
        If the list has no Hw or no star in the window.
    """
    model = load_model(config=config)
    tiles = make_tiles(l_range, b_range, COUNT_TILE_DEG)
    l_deg, b_deg, mag = read_list(path, config)
    footprint = footprint_of_list(config.footprint, l_deg, b_deg)
    if footprint is not None:
        covered = footprint.covered(tiles.l_deg, tiles.b_deg, COUNT_TILE_DEG)
        # What is hardly covered says more of the edge than of the stars.
        tiles = replace(tiles, covered=np.where(covered < _LEAST_COVERED, 0.0, covered))
        inside = footprint.contains(l_deg, b_deg)
        l_deg, b_deg, mag = l_deg[inside], b_deg[inside], mag[inside]
    observed = count_observed(tiles, l_deg, b_deg, mag, EDGES) * (tiles.coverage > 0.0)[:, None]
    if not observed.any():
        raise InputError(f"{path}: no star with {EDGES[0]} <= Hw < {EDGES[-1]} in the window")
    sky = model.extinction_map
    fine, coarse = (reddenings_of(sky, tiles, kind) for kind in ("subcell", "cell_mean"))
    if not np.isfinite(fine).all():
        raise InputError("the window of --counts reaches beyond the extinction map")
    curves = count_curves(model, tiles, EDGES)
    expected = average(curves, fine)
    colour, chances = fit_colour(model, tiles, observed, fine)
    red_curves = (
        curves if np.isinf(colour) else count_curves(red_model(model, colour), tiles, EDGES)
    )
    tau = config.extinction.residual_scatter_mag
    selected = average(red_curves, fine, tau)
    found = CountMap(tiles, observed, expected, selected, fine.mean(axis=1), colour)
    more: dict[str, Any] = {"n": int(observed.sum())}
    checks = [
        *([] if footprint is None else [on_footprint("counts", footprint)]),
        *_budget(observed, curves, coarse, fine, found, tau, more),
        noted("counts", "gain in ln L of that limit against none", chances, **more),
        *_alternatives(model, tiles, fine, found, more),
        *_where(found, more),
        *_scatter(found, red_curves, coarse, fine),
    ]
    return checks, found


def fit_colour(model: Model, tiles: Tiles, observed: Floats, e_jks: Floats) -> tuple[float, float]:
    """Find the bluest J - H of a list, as a limit that its counts show [mag].

    The counts of red stars vanish where the reddening is low. Every bin of magnitude has a free
    scale, so that only the pattern on the sky counts.

    Returns
    -------
    colour : float
        The most likely of `COLOUR_LIMITS`.
    gain : float
        Its ln L minus that of no limit.
    """
    place = np.random.default_rng(1).permutation(observed.shape[0])[:_FIT_TILES]
    some = tiles.take(place)
    chance = np.array(
        [
            _log_likelihood(
                observed[place],
                average(
                    count_curves(model if np.isinf(c) else red_model(model, c), some, EDGES),
                    e_jks[place],
                ),
            )
            for c in COLOUR_LIMITS.tolist()
        ]
    )
    best = int(chance.argmax())
    return float(COLOUR_LIMITS[best]), float(chance[best] - chance[0])


def _log_likelihood(observed: Floats, expected: Floats) -> float:
    """Poisson ln L with a free scale in every bin of magnitude."""
    scale = observed.sum(axis=0) / np.maximum(expected.sum(axis=0), 1e-9)
    mean = np.maximum(expected * scale, 1e-9)
    return float((observed * np.log(mean) - mean).sum())


def _budget(
    observed: Floats, curves: Floats, coarse: Floats, fine: Floats, found: CountMap, tau: float,
    more: dict[str, Any],
) -> list[Check]:  # fmt: skip
    """Return expected numbers, one cause after the other."""
    n = observed.sum()
    steps = {
        "extinction: mean of the cells": average(curves, coarse).sum(),
        "extinction: sub-cells of the map": found.expected.sum(),
        f"extinction: and a scatter of {tau:g} mag below": average(curves, fine, tau).sum(),
        "extinction: a scatter of 0.1 mag below": average(curves, fine, 0.1).sum(),
        f"list: only J - H > {found.colour_min:g}, with {tau:g} mag": found.selected.sum(),
    }
    return [
        noted("counts", f"observed / expected, {words}", n / total, f"{n:,.0f} / {total:,.0f}",
              limitation=LIMITATIONS["map"] if "extinction" in words else "", **more)
        for words, total in steps.items()
    ]  # fmt: skip


def _alternatives(
    model: Model, tiles: Tiles, fine: Floats, found: CountMap, more: dict[str, Any]
) -> list[Check]:
    """Other relations of Hw, other laws; the ratio must be 1 within what they leave open."""
    place = np.random.default_rng(2).permutation(fine.shape[0])[:_FIT_TILES]
    some = tiles.take(place)

    def total(other: Model) -> float:
        red = other if np.isinf(found.colour_min) else red_model(other, found.colour_min)
        return float(average(count_curves(red, some, EDGES), fine[place]).sum())

    base = total(model)
    used_relation = model.relations["hw"].name
    relations = {
        name: total(replace(model, relations={**model.relations, "hw": load_relation("hw", name)}))
        / base
        for name in relation_names("hw")
        if name != used_relation
    }
    laws = {
        name: total(replace(model, law=load_law(name))) / base
        for name in LAWS
        if name != model.law.name and model.learned is None
    }
    checks = [
        noted("counts", f"expected with {what} {name} / with {used}", factor,
              limitation=LIMITATIONS["hw"] if what == "Hw" else "", **more)
        for what, used, factors in (("Hw", used_relation, relations), ("law", model.law.name, laws))
        for name, factor in factors.items()
    ]  # fmt: skip
    ratio = float(found.observed.sum() / found.selected.sum())
    spread = 2.0 * np.hypot(np.std([1.0, *relations.values()]), np.std([1.0, *laws.values()]))
    checks.append(
        within("counts", "observed / expected, as red as the list", ratio, 1.0, float(spread),
               "2 sigma of Hw relations and laws", limitation=LIMITATIONS["fit"],
               **more)
    )  # fmt: skip
    return checks


def _where(found: CountMap, more: dict[str, Any]) -> list[Check]:
    """Ratio by magnitude, latitude and reddening."""
    checks = []
    for i, (low, high) in enumerate(pairwise(EDGES.tolist())):
        o, s, e = (x[:, i].sum() for x in (found.observed, found.selected, found.expected))
        words = f"observed / expected red stars, {low:g} <= Hw < {high:g}"
        checks.append(noted("counts", words, o / s, f"{o / e:.2f} without the limit", **more))
    b = np.abs(found.tiles.b_deg)
    groups = {
        "|b| < 0.1": b < 0.1, "0.1 < |b| < 0.3": (b > 0.1) & (b < 0.3), "|b| > 0.3": b > 0.3
    }  # fmt: skip
    edges = [0.0, 1.25, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 9.0]
    for low, high in pairwise(edges):
        groups[f"{low:g} < E(J-Ks) < {high:g}"] = (found.e_jks >= low) & (found.e_jks < high)
    for words, part in groups.items():
        if found.selected[part].sum() > 0:
            o, s, e = (x[part].sum() for x in (found.observed, found.selected, found.expected))
            name = f"observed / expected red stars, {words}"
            checks.append(noted("counts", name, o / s, f"{o / e:.2f} without the limit", **more))
    return checks


def robust(values: Floats) -> float:
    """Half of the range of the inner 68 %: the standard deviation of a Gaussian."""
    low, high = np.percentile(values, [16.0, 84.0])
    return float(0.5 * (high - low))


def _scatter(found: CountMap, red_curves: Floats, coarse: Floats, fine: Floats) -> list[Check]:
    """Scatter from tile to tile, its part that chance makes, and empty tiles."""
    inside = found.tiles.coverage > 0.0
    coarse, fine, red_curves = coarse[inside], fine[inside], red_curves[inside]
    observed = found.observed[inside].sum(axis=1)
    expected, plainly = found.selected[inside].sum(axis=1), found.expected[inside].sum(axis=1)
    ratio = observed.sum() / expected.sum()
    mean = expected * ratio
    n = observed.size
    more: dict[str, Any] = {"n": n, "limitation": LIMITATIONS["map"]}
    # A tile whose number is this unlikely even if the expected one is half as large is a hole.
    hole = poisson.cdf(observed, 0.5 * mean) < 1e-3 / n
    good = ~hole & (observed > 0)
    log = np.log(observed[good] / mean[good])
    plain = np.log(observed[good] / plainly[good])
    with_cells = np.log(observed[good] / average(red_curves, coarse).sum(axis=1)[good])
    chance = float(np.sqrt(np.median(1.0 / mean[good])))
    e = found.e_jks[inside][good]
    trend = log - np.polyval(np.polyfit(e, log, 2), e) if good.sum() > 5 else log
    rest = float(np.sqrt(max(robust(trend) ** 2 - chance**2, 0.0)))
    steep = float(np.median(np.abs(slope(red_curves, fine)[good])))
    chi2 = float(((observed - mean) ** 2 / mean).sum())
    shift = _factor_of_unity(red_curves, fine, observed.sum())
    return [
        noted("counts", "holes: tiles with less than half the stars", float(hole.sum()), **more),
        noted("counts", "fraction of the expected stars in holes",
              float(mean[hole].sum() / mean.sum()), **more),
        noted("counts", "robust scatter of ln(observed / expected) of tiles, no limit in J - H",
              robust(plain), f"{chance:.3f} by chance", **more),
        noted("counts", "the same, as red as the list, means of the cells", robust(with_cells),
              f"{chance:.3f} by chance", **more),
        noted("counts", "the same, as red as the list, sub-cells", robust(log),
              f"{chance:.3f} by chance", **more),
        noted("counts", "the same, trend with the reddening removed", robust(trend),
              f"{chance:.3f} by chance", **more),
        noted("counts", "error of E(J-Ks) per tile that makes the rest", rest / steep,
              f"{rest:.3f} / {steep:.2f} per mag", unit="mag", **more),
        noted("counts", "factor on E(J-Ks) that makes observed / expected 1", shift, **more),
        likely("counts", f"tiles, chi2 = {chi2:,.0f} for {n - 1}",
               scores.chi2_p_value(chi2, n - 1), "Poisson, total fitted", **more),
    ]  # fmt: skip


def _factor_of_unity(curves: Floats, e_jks: Floats, observed: float) -> float:
    """Factor on the reddening with which the expected number is that observed."""
    factors = np.linspace(0.8, 1.3, 11)
    all_bins = curves.sum(axis=2, keepdims=True)
    # A quarter of the sub-cells of every tile is enough for the total.
    totals = [average(all_bins, e_jks[:, ::4], factor=f).sum() for f in factors]
    log = np.log(totals) - np.log(observed)
    return float(np.interp(0.0, -log, factors, left=np.nan, right=np.nan))
