"""Published values of the Galactic centre against those of the model."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from importlib.resources import files
from typing import Any, Final

import numpy as np

from gcmock.arrays import Floats
from gcmock.model import Model
from gcmock.posterior.sightline import prior_counts
from gcmock.validation.result import LIMITATIONS, Check, within
from gcmock.validation.tiles import average, count_curves, make_tiles, reddenings_of
from gcmock.words.bands import KS
from gcmock.words.components import COMPONENTS

_N_VELOCITIES: Final = 20_000
_BAR_FIELDS: Final = {"sgr_i": (1.25, -2.65), "baade": (1.13, -3.77)}
_CENTRE: Final = (0.3, -0.05)


def _dispersions(model: Model, component: str, place: tuple[float, float]) -> Floats:
    """Dispersions of pm_l cos b, pm_b [mas/yr] and v_r [km/s] of a component along a ray, (3,)."""
    l_deg, b_deg = place
    rng = np.random.default_rng(1)
    prior = prior_counts(model.galaxy, np.array([l_deg]), np.array([b_deg]), model.grid)[
        0, COMPONENTS.index(component)
    ]
    at = rng.choice(prior.size, _N_VELOCITIES, p=prior / prior.sum())
    seen = model.sample_observables(component, l_deg, b_deg, model.grid.centre_pc[at], rng)
    return np.array([x.std() for x in (seen.pm_l_cosb, seen.pm_b, seen.radial_velocity)])


def _sgr_a(model: Model) -> Floats:
    """Proper motion of a body at rest at the centre [mas/yr], (2,)."""
    sun = model.galaxy.sun
    seen = model.galaxy.observables(
        np.array([sun.sgr_a_l_deg]), np.array([sun.sgr_a_b_deg]), np.array([sun.r0_pc]),
        np.zeros((1, 3)),
    )  # fmt: skip
    return np.array([seen.pm_l_cosb[0], seen.pm_b[0]])


def _nsd_density(model: Model, radius: Floats, height: Floats) -> Floats:
    radius, height = np.broadcast_arrays(radius, height)
    part = model.components["nsd"]
    flat = radius.ravel(), np.zeros(radius.size), height.ravel()
    return np.asarray(part.mass_density(*flat).reshape(radius.shape))


def _scale(x: Floats, density: Floats) -> float:
    """Scale length of the exponential that fits a density."""
    return float(-1.0 / np.polyfit(x, np.log(density), 1)[0])


def _nsd_mass(model: Model) -> float:
    radius, height = np.arange(0.5, 1000.0, 1.0), np.arange(0.5, 400.0, 1.0)
    density = _nsd_density(model, radius[:, None], height[None, :])
    return float((4.0 * np.pi * radius[:, None] * density).sum() / 1e8)


def _red_clump(model: Model) -> float:
    """M_Ks where the giants of the bar are most above a smooth luminosity function [mag]."""
    place = model.populations.of_component[COMPONENTS.index("bar")]
    nodes = model.populations.populations[place]
    edges = np.arange(-4.0, 1.01, 0.05)
    number, _ = np.histogram(nodes.absolute_mag[:, KS], edges, weights=nodes.weight)
    centre = 0.5 * (edges[1:] + edges[:-1])
    away = np.abs(centre + 1.6) > 0.5
    smooth = np.polyval(np.polyfit(centre[away], np.log(number[away] + 1e-30), 2), centre)
    excess = np.where(away, 0.0, number - np.exp(smooth))
    peak = np.abs(centre - centre[excess.argmax()]) < 0.13
    return float((centre * excess)[peak].sum() / excess[peak].sum())


def _window_counts(model: Model) -> float:
    """Stars with Hw < 14.5 in the JASMINE window, with the sub-cells of the map."""
    tiles = make_tiles((-1.4, 0.7), (-0.6, 0.6), 0.1)
    edges = np.array([-10.0, 14.5])
    e_jks = reddenings_of(model.extinction_map, tiles, "subcell")
    return float(average(count_curves(model, tiles, edges), e_jks).sum())


def _rotation(model: Model) -> float:
    """Largest mean rotation of the nuclear disc in its plane [km/s]."""
    radius = np.arange(5.0, 400.0, 5.0)
    zero = np.zeros(radius.size)
    mean, _ = model.components["nsd"].velocity_moments(radius, zero, zero)
    return float(np.abs(mean[:, 1]).max())


def _flattening(model: Model) -> float:
    """Axis ratio of the surface of equal density through R = 5 pc of the nuclear cluster."""
    cluster, zero = model.components["nsc"], np.zeros(1)
    height = np.arange(0.5, 8.0, 0.01)
    nothing = np.zeros(height.size)
    along = cluster.mass_density(nothing, nothing, height)
    target = cluster.mass_density(np.full(1, 5.0), zero, zero)
    return float(np.interp(-target[0], -along, height) / 5.0)


EVALUATE: Final[Mapping[str, Callable[[Model], float]]] = {
    "sgr_a_pm_l": lambda model: float(_sgr_a(model)[0]),
    "sgr_a_pm_b": lambda model: float(_sgr_a(model)[1]),
    **{
        f"bar_sigma_{axis}_{name}": lambda model, i=i, place=place: float(  # type: ignore[misc]
            _dispersions(model, "bar", place)[i]
        )
        for name, place in _BAR_FIELDS.items()
        for i, axis in enumerate("lb")
    },
    "nsd_sigma_rv": lambda model: float(_dispersions(model, "nsd", _CENTRE)[2]),
    "nsd_rotation": _rotation,
    "nsd_over_bar_sigma_b": lambda model: float(
        _dispersions(model, "nsd", _CENTRE)[1] / _dispersions(model, "bar", _CENTRE)[1]
    ),
    "red_clump": _red_clump,
    "nsd_mass": _nsd_mass,
    "nsd_scale_length": lambda model: _scale(
        np.arange(50.0, 251.0, 5.0), _nsd_density(model, np.arange(50.0, 251.0, 5.0), np.zeros(1))
    ),
    "nsd_scale_height": lambda model: _scale(
        np.arange(10.0, 76.0, 5.0),
        _nsd_density(model, np.full(1, 100.0), np.arange(10.0, 76.0, 5.0)),
    ),
    "nsc_flattening": _flattening,
    "window_counts": _window_counts,
}
"""Functions that give the model's value of a quantity of ``truths.toml``."""


def load_truths() -> list[dict[str, Any]]:
    """Return the entries of ``truths.toml``."""
    text = files("gcmock.validation").joinpath("truths.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text)["truth"])


def truths_checks(model: Model, names: Collection[str] | None = None) -> list[Check]:
    """Compare the model with published values.

    Parameters
    ----------
    model : Model
    names : collection of str, optional
        Functions of `EVALUATE` that are used; all by default.

    Returns
    -------
    list of Check
        One for every entry of ``truths.toml``.
    """
    values: dict[str, float] = {}
    checks = []
    for entry in load_truths():
        name = entry["evaluate"]
        if names is not None and name not in names:
            continue
        if name not in values:
            values[name] = EVALUATE[name](model)
        words = f"{entry['source']}; tolerance: {entry['why']}"
        limitation = LIMITATIONS.get(entry["limitation"], "")
        checks.append(
            within("truths", entry["quantity"], values[name], entry["value"], entry["tolerance"],
                   words, unit=entry["unit"], limitation=limitation)
        )  # fmt: skip
    return checks
