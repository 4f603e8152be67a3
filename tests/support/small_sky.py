"""A small sky with known truth, as tables in the common columns: fast, and independent of files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.spatial import cKDTree

from gcmock.photometric_systems import from_2mass
from gcmock.surveys.definition import load_survey
from gcmock.surveys.source_table import SOURCE_COLUMNS

RA_0, DEC_0 = 266.8, -28.6
BANDS = ("j", "h", "ks")


@dataclass(frozen=True)
class Look:
    """How a survey sees: resolution, depth, saturation, errors, fractions of what goes wrong."""

    fwhm: float
    faint: tuple[float, float, float]
    bright: float
    error_mas: float
    epoch: float
    spurious: float = 0.0
    duplicates: float = 0.0
    offset_mas: tuple[float, float] = (0.0, 0.0)
    zero_point: tuple[float, float, float] = (0.0, 0.0, 0.0)
    n_epochs: int = 1


LOOKS = {
    "2mass": Look(2.7, (15.8, 14.8, 14.0), 0.0, 70.0, 1999.5, 0.002, 0.0, (15.0, -10.0)),
    "virac2": Look(0.75, (19.0, 17.5, 16.7), 11.5, 5.0, 2014.0, 0.005, 0.002, n_epochs=60),
    "sirius": Look(
        1.2, (17.5, 16.5, 15.6), 9.0, 50.0, 2004.5, 0.004, 0.01, (40.0, 25.0), (0.02, -0.01, 0.02)
    ),
    "gnc": Look(0.25, (20.5, 18.5, 17.5), 11.5, 10.0, 2015.5, 0.004, 0.0, (-8.0, 12.0), n_epochs=0),
}


@dataclass(frozen=True)
class Sky:
    """True stars, tables by survey, and the true star (or -1) of every row."""

    ra: np.ndarray
    dec: np.ndarray
    mag: np.ndarray
    tables: dict[str, pa.Table]
    truth: dict[str, np.ndarray]


def make_sky(seed=1, size=0.06, density=1.1e6, surveys=("2mass", "virac2", "sirius", "gaia")):
    """Return a square of sky, `size` degrees wide, with `density` stars per deg2 to Ks = 17.5."""
    rng = np.random.default_rng(seed)
    n = int(density * size**2)
    x, y = rng.uniform(0, size * 3600, (2, n))
    ks = 17.5 + np.log10(rng.uniform(1e-4, 1, n)) / 0.38
    hk = np.where(rng.random(n) < 0.12, rng.normal(0.3, 0.15, n), rng.normal(1.6, 0.35, n))
    jh = 0.5 + 1.72 * hk + rng.normal(0, 0.1, n)
    mag = np.column_stack((ks + hk + jh, ks + hk, ks))
    pm = rng.normal((-3.0, -5.5), 3.0, (n, 2))
    parallax = np.where(hk < 0.8, rng.uniform(0.2, 1.5, n), 0.12)
    tables, truth = {}, {}
    for name in surveys:
        if name == "gaia":
            tables[name], truth[name] = _gaia(rng, x, y, mag, pm, parallax)
        else:
            tables[name], truth[name] = _infrared(rng, name, LOOKS[name], x, y, mag, pm, parallax)
    ra, dec = to_sky(x, y)
    return Sky(ra, dec, mag, tables, truth)


def to_sky(x, y):
    """Turn arcseconds from the corner into degrees."""
    dec = DEC_0 + y / 3600.0
    return RA_0 + x / 3600.0 / np.cos(np.radians(dec)), dec


def table_of(columns, n):
    """Return a table with all common columns; those that are not given are missing."""
    arrays = []
    for column in SOURCE_COLUMNS:
        if column.dtype.startswith("U"):
            arrays.append(pa.array([str(one) for one in columns[column.name]]))
        elif column.dtype == "int32":
            arrays.append(
                pa.array(np.broadcast_to(columns.get(column.name, 0), n).astype(np.int32))
            )
        else:
            values = np.broadcast_to(columns.get(column.name, np.nan), n).astype(np.float64)
            arrays.append(pa.array(values))
    return pa.Table.from_arrays(arrays, names=[column.name for column in SOURCE_COLUMNS])


def _infrared(rng, name, look, x, y, mag, pm, parallax):
    at = np.column_stack((x, y)) + pm * (look.epoch - 2016.0) / 1000.0
    sigma = look.fwhm / 2.355
    order = np.argsort(mag[:, 2])
    tree = cKDTree(at)
    close = tree.query_ball_point(at, 0.6 * look.fwhm)
    swallowed = np.zeros(len(x), bool)
    flux = 10 ** (-0.4 * mag)
    seen, where, light = [], [], []
    for i in order:
        if swallowed[i]:
            continue
        group = np.array([k for k in close[i] if not swallowed[k]])
        weight = np.exp(-0.5 * ((at[group] - at[i]) ** 2).sum(1) / sigma**2)
        total = (weight[:, None] * flux[group]).sum(0)
        fraction = weight * flux[group, 2]
        where.append((fraction[:, None] * at[group]).sum(0) / fraction.sum())
        light.append(-2.5 * np.log10(total))
        swallowed[group] = True
        seen.append(i)
    seen, where, light = np.array(seen), np.array(where), np.array(light)
    error = np.hypot(0.015, 0.1 * 10 ** (0.4 * (light - np.array(look.faint))))
    observed = light + rng.normal(size=light.shape) * error
    observed, _ = from_2mass(load_survey(name).photometric_system, observed)
    observed += np.array(look.zero_point)
    fade = 1 / (1 + np.exp((light - np.array(look.faint)) / 0.15))
    observed[(rng.random(light.shape) > fade) | (light < look.bright)] = np.nan
    faintness = 10 ** (0.3 * np.clip(light[:, 2] - look.faint[2] + 2, 0, 3))
    sigma_mas = look.error_mas * faintness
    where = (
        where
        + (rng.normal(size=where.shape) * sigma_mas[:, None] + np.array(look.offset_mas)) / 1000.0
    )
    good = np.isfinite(observed).any(1)
    parts = [(where[good], observed[good], error[good], sigma_mas[good], seen[good])]
    n_false = int(look.spurious * good.sum())
    false = np.full((n_false, 3), np.nan)
    false[np.arange(n_false), rng.integers(0, 3, n_false)] = rng.uniform(
        np.array(look.faint).min() - 1, np.array(look.faint).min() + 0.5, n_false
    )
    size = max(x.max(), y.max())
    parts.append(
        (rng.uniform(0, size, (n_false, 2)), false, np.full((n_false, 3), 0.15),
         np.full(n_false, 2 * look.error_mas), np.full(n_false, -1))
    )  # fmt: skip
    twice = np.flatnonzero(rng.random(good.sum()) < look.duplicates)
    spot, bright, err, mas, who = (part[twice] for part in parts[0])
    again = spot + rng.normal(size=spot.shape) * mas[:, None] / 1000.0
    parts.append((again, bright + rng.normal(size=bright.shape) * err, err, mas, who))
    where, observed, error, sigma_mas, who = (np.concatenate(p) for p in zip(*parts, strict=True))
    ra, dec = to_sky(*where.T)
    n = len(ra)
    columns = {
        "source_id": np.arange(n) + 10_000_000,
        "ra": ra,
        "dec": dec,
        "ra_error": sigma_mas,
        "dec_error": sigma_mas,
        "ref_epoch": look.epoch,
        "n_epochs": np.where(who < 0, min(look.n_epochs, 1), look.n_epochs),
        "quality": 0,
    }
    for k, band in enumerate(BANDS):
        columns[f"phot_{band}_mag"] = observed[:, k]
        columns[f"phot_{band}_mag_error"] = np.where(
            np.isfinite(observed[:, k]), error[:, k], np.nan
        )
    if name == "virac2":
        err = 0.4 * 10 ** (0.25 * np.clip(observed[:, 2] - 13.5, 0, 4))
        err = np.where(np.isfinite(err), err, 2.0)
        true = np.where(who[:, None] < 0, rng.normal(0, 5, (n, 2)), pm[who])
        measured = true + rng.normal(size=(n, 2)) * err[:, None]
        columns |= {"pmra": measured[:, 0], "pmdec": measured[:, 1]}
        columns |= {"pmra_error": err, "pmdec_error": err, "ruwe": 1.0}
        columns |= {"parallax": parallax[who] + rng.normal(size=n) * err, "parallax_error": err}
    shuffled = rng.permutation(n)
    return table_of(columns, n).take(pa.array(shuffled)), who[shuffled]


def _gaia(rng, x, y, mag, pm, parallax):
    g = mag[:, 0] + 2.0 + 1.2 * (mag[:, 0] - mag[:, 1]) + rng.normal(0, 0.4, len(x))
    who = np.flatnonzero(g < 20.5)
    n = len(who)
    err = 0.03 * 10 ** (0.2 * np.clip(g[who] - 14, 0, 7))
    where = np.column_stack((x, y))[who] + rng.normal(size=(n, 2)) * err[:, None] / 1000
    ra, dec = to_sky(*where.T)
    measured = pm[who] + rng.normal(size=(n, 2)) * err[:, None]
    columns = {
        "source_id": np.arange(n) + 4_000_000_000_000,
        "ra": ra,
        "dec": dec,
        "ra_error": err,
        "dec_error": err,
        "ref_epoch": 2016.0,
        "pmra": measured[:, 0],
        "pmdec": measured[:, 1],
        "pmra_error": err,
        "pmdec_error": err,
        "parallax": parallax[who] + rng.normal(size=n) * err,
        "parallax_error": err,
        "pmra_pmdec_corr": 0.1,
        "parallax_pmra_corr": 0.0,
        "parallax_pmdec_corr": 0.0,
        "ruwe": 1.02,
        "phot_g_mag": g[who],
        "phot_g_mag_error": 0.01,
        "nu_eff_used_in_astrometry": 1.3,
        "ecl_lat": -5.2,
        "astrometric_params_solved": 31,
        "n_epochs": 20,
        "quality": 0,
    }
    return table_of(columns, n), who
