"""Stars per second of the posterior, next to the accuracy that goes with it.

    python benchmarks/speed.py [--stars N] [--sample M] [--workers W]

Stars are simulated from the model in four fields, get Gaussian errors and lose bands, and are
inferred with one draw each. The total variation (TV) compares P(c, D) with the sum over all
original nodes, on a sample of the same stars; the last table compares with the readable
implementation itself (`posterior/reference.py`), node by node and bin by bin in numpy. Times are
medians of three runs after a warm-up, so that compilation, tables and lines of sight are not
counted; `benchmarks/scale.py` has what a user sees. The bound is a kernel that only looks up a
table of likelihoods at 256 distances: what the machine could do if every star had the same errors.
"""

from __future__ import annotations

import argparse
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
from numba import njit

from gcmock.mock.simulate import simulate
from gcmock.model import Model, load_model
from gcmock.posterior import reference
from gcmock.posterior.observations import Observations
from gcmock.random import star_key
from gcmock.settings.build import load_config
from machine import cpu
from printed import part

FIELDS = ((0.30, -0.24), (-0.75, 0.40), (-1.20, -0.50), (0.02, -0.12))
FIELD_DEG = 0.05
NAMES = ("j", "h", "ks", "hw")
ALL = "j h ks"
WIDE = (0.005, 0.3)
SETUPS = (
    # populations, bands ("any": those of every star at random), range of errors [mag] (each band of
    # each star its own), scatter of E(J-Ks) [mag], with parallaxes
    ("parsec", ALL, (0.05, 0.05), 0.02, False),
    ("parsec", ALL, (0.05, 0.05), 0.2, False),
    ("parsec", ALL, (0.02, 0.02), 0.02, False),
    ("parsec", ALL, (0.02, 0.1), 0.02, False),
    ("parsec", ALL, (0.02, 0.1), 0.2, False),
    ("parsec", ALL, (0.02, 0.1), 0.02, True),
    ("parsec", ALL, WIDE, 0.02, False),
    ("parsec", ALL, WIDE, 0.1, True),
    ("parsec", "any", WIDE, 0.05, True),
    ("parsec", "h ks", (0.02, 0.1), 0.02, False),
    ("parsec", "j ks", (0.02, 0.1), 0.02, False),
    ("parsec", "ks", (0.02, 0.1), 0.02, False),
    ("parsec", "hw", (0.02, 0.1), 0.02, False),
    ("parsec", "ks hw", (0.02, 0.1), 0.02, False),
    ("parsec", "h ks hw", (0.02, 0.1), 0.02, False),
    ("parsec", "j h ks hw", (0.02, 0.1), 0.02, False),
    ("koshimoto2021", ALL, (0.05, 0.05), 0.02, False),
    ("koshimoto2021", ALL, (0.02, 0.1), 0.2, False),
    ("koshimoto2021", ALL, WIDE, 0.02, False),
    ("koshimoto2021", "any", WIDE, 0.05, True),
)
N_DISTANCE_BOUND = 256


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=20_000, help="stars of each row")
    parser.add_argument("--sample", type=int, default=1000, help="stars compared with all nodes")
    parser.add_argument("--reference", type=int, default=40, help="stars compared with numpy")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{cpu()}, {options.workers} threads, Python {platform.python_version()}\n")
    bound = table_bound(options.workers)
    print(f"Bound of table look-ups: {bound:,.0f} stars/s")
    part("table")
    print(
        "| populations | bands | error [mag] | scatter [mag] | parallax | stars/s | of bound | "
        "nodes | TV median | 99 % | 99.5 % | max | > 1 % |\n|" + "---|" * 13
    )
    rates = []
    models = {
        name: load_model(config=load_config(None, {"populations.name": name}))
        for name in ("parsec", "koshimoto2021")
    }
    for populations, bands, errors, scatter, with_parallax in SETUPS:
        model = models[populations]
        data = observations(model, options.stars, bands, errors, scatter, with_parallax)
        rate = stars_per_second(model, data, options.workers)
        rates.append(rate)
        exact, tv = total_variation(model, data, options.sample)
        label = f"{errors[0]:g}" if errors[0] == errors[1] else f"{errors[0]:g}-{errors[1]:g}"
        print(
            f"| {populations} | {bands} | {label} | {scatter:g} | "
            f"{'yes' if with_parallax else ''} | {rate:,.0f} | {rate / bound:.2f} | {exact:.1%} | "
            f"{np.median(tv):.4f} | {np.percentile(tv, 99):.4f} | {np.percentile(tv, 99.5):.4f} | "
            f"{tv.max():.4f} | {np.mean(tv > 0.01):.2%} |",
            flush=True,
        )
    part("rates")
    print(
        f"{min(rates):,.0f} to {max(rates):,.0f} stars/s; bound of table look-ups {bound:,.0f} "
        f"stars/s; {options.sample} stars of each row compared with the sum over all nodes"
    )
    part("reference")
    against_reference(models["koshimoto2021"], options.reference)


def observations(
    model: Model,
    n_star: int,
    bands: str,
    errors: tuple[float, float],
    scatter: float,
    with_parallax: bool = False,
) -> Observations:
    """Simulate stars, add noise, and keep the given bands."""
    half = FIELD_DEG / 2
    skies = [
        simulate(model, (l - half, l + half), (b - half, b + half), ks_max=15.5) for l, b in FIELDS
    ]
    rng = np.random.default_rng(1)
    sky = {k: np.concatenate([s[k] for s in skies]) for k in ("l", "b", "distance_pc")}
    mag = np.column_stack([np.concatenate([s[f"phot_{x}_mag"] for s in skies]) for x in NAMES])
    pick = rng.choice(len(mag), n_star)
    mag, l_deg, b_deg = mag[pick], sky["l"][pick], sky["b"][pick]
    mag_error = np.exp(rng.uniform(*np.log(errors), mag.shape))
    mag = mag + mag_error * rng.normal(size=mag.shape)
    if bands == "any":
        mag[(rng.integers(1, 16, n_star)[:, None] >> np.arange(4)) & 1 == 0] = np.nan
    else:
        mag[:, [x not in bands.split() for x in NAMES]] = np.nan
    parallax = parallax_error = np.full(n_star, np.nan)
    if with_parallax:
        parallax_error = np.exp(rng.uniform(np.log(0.02), np.log(0.5), n_star))
        parallax = 1000.0 / sky["distance_pc"][pick] + parallax_error * rng.normal(size=n_star)
    e_jks, _ = model.extinction_map.value(l_deg, b_deg)
    return Observations(
        l_deg, b_deg, mag, mag_error, parallax, parallax_error, e_jks, np.full(n_star, scatter)
    )


@njit(nogil=True, fastmath=True)
def look_up(w, c, table, prior, out):
    """Posterior from a table of likelihoods (W, c, component) at equidistant distances."""
    for i in range(w.size):
        for lane in range(16):
            out[i, lane] = 0.0
        for j in range(prior.shape[0]):
            a = min(max(int(w[i] - 0.5 * j), 0), table.shape[0] - 1)
            b = min(max(int(c[i] - 0.1 * j), 0), table.shape[1] - 1)
            for lane in range(16):
                out[i, lane] += table[a, b, lane] * prior[j, lane]


def table_bound(workers: int) -> float:
    """Rate of table look-ups, all threads together [stars/s]."""
    rng = np.random.default_rng(1)
    n, per_call = 100_000, 2000
    table = rng.random((120, 80, 16)).astype(np.float32)
    prior = rng.random((N_DISTANCE_BOUND, 16)).astype(np.float32)
    w, c = rng.uniform(0.0, 240.0, n), rng.uniform(0.0, 100.0, n)
    out = np.empty((n, 16), np.float32)

    def part(start: int) -> None:
        stop = start + per_call
        look_up(w[start:stop], c[start:stop], table, prior, out[start:stop])

    part(0)
    times = []
    with ThreadPoolExecutor(workers) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(part, range(0, n, per_call)))
            times.append(time.perf_counter() - start)
    return n / median(times)


def stars_per_second(model: Model, data: Observations, workers: int) -> float:
    """Rate of posterior, summary and one draw."""
    keys = star_key(1, np.arange(len(data.e_jks_rc)))[:, None]
    model.posterior.infer(data, keys, workers)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        model.posterior.infer(data, keys, workers)
        times.append(time.perf_counter() - start)
    return len(keys) / median(times)


def total_variation(model: Model, data: Observations, n_star: int) -> tuple[float, np.ndarray]:
    """Return the fraction of stars summed over nodes, and the total variation of a sample."""
    variance = data.mag_error**2 + model.posterior.model_variance
    kinds = model.posterior.kinds(data, variance)
    exact = sum(members.size for kind, members in kinds if not kind.on_lattice)
    sample = data.take(slice(n_star))
    fast, _ = model.posterior.joint(sample)
    full, _ = model.posterior.joint(sample, exact=True)
    return exact / len(data.e_jks_rc), 0.5 * np.abs(fast - full).sum(axis=(1, 2))


def against_reference(model: Model, n_star: int) -> None:
    """Compare kernel and readable implementation, with random bands, errors and parallaxes."""
    data = observations(model, n_star, "any", WIDE, 0.05, True)
    lines, index = model.sightlines.get(data.l_deg, data.b_deg)
    found, _ = model.posterior.joint(data)
    variation = np.empty(n_star)
    for i in range(n_star):
        s, distance = index[i], model.grid.centre_pc
        profile = lines.dust.at(s).value(distance)
        sightline = reference.Sightline(
            lines.prior[s, :, : found.shape[1]].T.astype(float),
            data.e_jks_rc[i] * profile,
            data.tau[i] * profile,
            model.law.kappa(data.l_deg[i], data.b_deg[i]),
        )
        error = np.sqrt(data.mag_error[i] ** 2 + model.posterior.model_variance)
        star = reference.Star(data.mag[i], error, data.parallax[i], data.parallax_error[i])
        sets = model.populations
        joint = reference.joint(
            star, sightline, sets.populations, sets.of_component, model.grid, model.relations
        )
        variation[i] = 0.5 * np.abs(found[i] - joint / joint.sum()).sum()
    print(
        f"{n_star} stars against posterior/reference.py (koshimoto2021, any bands, errors "
        f"{WIDE[0]:g}-{WIDE[1]:g}, parallaxes): TV median {np.median(variation):.4f}, "
        f"largest {variation.max():.4f}"
    )


if __name__ == "__main__":
    main()
