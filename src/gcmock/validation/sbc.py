"""Simulation-based calibration: stars of the model, inferred under the same model.

Ranks of the truth among draws from the posterior are uniform if the inference is right (Cook,
Gelman & Rubin 2006; Talts et al. 2018, arXiv:1804.06788).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.mock.simulate import simulate
from gcmock.model import Model, load_model
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import Draws, PosteriorSummary
from gcmock.random import star_key
from gcmock.settings.build import Config, load_config
from gcmock.validation import scores
from gcmock.validation.result import LIMITATIONS, Check, above, below, likely, noted, within
from gcmock.words.bands import BANDS, KS, SURVEY_BANDS, J, magnitude_name
from gcmock.words.components import COMPONENTS, MERGED_GROUPS

WINDOWS: Final = (
    ((0.300, 0.315), (-0.25, -0.235)),
    ((-0.75, -0.73), (0.4, 0.42)),
    ((-1.2, -1.18), (-0.5, -0.48)),
    ((0.55, 0.565), (0.2, 0.215)),
    ((-0.065, -0.06), (-0.05, -0.045)),
    ((2.0, 2.03), (1.5, 1.53)),
)
"""Six directions, one of them at Sgr A*: borders in l and b [deg], about 3,900 stars in all."""

_STARS_OF_WINDOWS = 3600
NOISE_MAG, LIMIT_KS, MARGIN_MAG = 0.05, 15.5, 0.5
"""Errors, faint limit of the observed Ks, and how much fainter stars are simulated [mag]: noise
moves some of them across the limit, as the prior of the posterior expects."""

WITHOUT_J: Final = 0.25
"""Fraction of stars whose J is taken away."""

N_RANKED: Final = 49
SBC_GROUPS: Final = {
    group: [COMPONENTS.index(name) for name in names]
    for group, names in MERGED_GROUPS.items()
    if len(names) > 1
}
"""Places of the components whose sums are tested as well; groups of one are tested alone."""


class SbcSample(NamedTuple):
    """Observed stars with their truth, each (n_star,): component as its place in the schema."""

    data: Observations
    source_id: NDArray[np.int64]
    component: NDArray[np.int64]
    distance_pc: Floats
    e_jks: Floats


def self_consistent(config: Config) -> Model:
    """Model without an error of its own, as its simulated stars have none."""
    settings = config.model_dump()
    settings["photometry"]["error_floor_mag"] = 0.0
    return load_model(config=load_config(None, settings))


def draw_sample(model: Model, n_star: int, seed: int) -> SbcSample:
    """Simulate and observe stars of the model in six directions.

    Parameters
    ----------
    model : Model
    n_star : int
        Stars that are wanted; a few per cent more or fewer come where there are not enough.
    seed : int

    Returns
    -------
    SbcSample
        J, H and Ks with `NOISE_MAG`, observed Ks < `LIMIT_KS`, some of them without J.
    """
    factor = np.sqrt(1.15 * n_star / _STARS_OF_WINDOWS)
    parts = []
    for l_range, b_range in WINDOWS:
        l_max = l_range[0] + factor * (l_range[1] - l_range[0])
        b_max = b_range[0] + factor * (b_range[1] - b_range[0])
        window = ((l_range[0], l_max), (b_range[0], b_max))
        parts.append(simulate(model, *window, ks_max=LIMIT_KS + MARGIN_MAG, seed=seed))
    stars = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rng = np.random.default_rng(seed + 1)
    n = stars["l"].size
    mag = np.column_stack([stars[magnitude_name(band)] for band in BANDS])
    mag += rng.normal(0.0, NOISE_MAG, mag.shape)
    mag[:, len(SURVEY_BANDS) :] = np.nan
    mag[rng.random(n) < WITHOUT_J, J] = np.nan
    kept = np.flatnonzero(mag[:, KS] < LIMIT_KS)
    kept = np.sort(rng.permutation(kept)[:n_star])
    stars = {name: values[kept] for name, values in stars.items()}
    mag, l_deg, b_deg = mag[kept], stars["l"], stars["b"]
    missing = np.full(kept.size, np.nan)
    error = np.where(np.isfinite(mag), NOISE_MAG, np.nan)
    data = Observations(l_deg, b_deg, mag, error, missing, missing, *model.reddening(l_deg, b_deg))
    component = np.array([COMPONENTS.index(name) for name in stars["component"]], np.int64)
    e_jks = stars["a_ks"] / model.law.kappa(l_deg, b_deg)[:, KS]
    return SbcSample(data, stars["source_id"], component, stars["distance_pc"], e_jks)


def infer_sample(
    sample: SbcSample, model: Model, seed: int, workers: int
) -> tuple[PosteriorSummary, Draws]:
    """Posteriors of the sample under a model, with `N_RANKED` draws."""
    data = sample.data
    e_jks_rc, tau = model.reddening(data.l_deg, data.b_deg)
    keys = np.column_stack([star_key(seed + 2, sample.source_id, r) for r in range(N_RANKED)])
    return model.posterior.infer(data._replace(e_jks_rc=e_jks_rc, tau=tau), keys, workers)


def compare_sample(sample: SbcSample, summary: PosteriorSummary, draws: Draws) -> list[Check]:
    """Ranks, coverage and frequencies of posteriors against the truth."""
    n = sample.distance_pc.size
    more = {"limitation": LIMITATIONS["own"], "n": n}
    limit, statistic = scores.ks_limit(n), "Kolmogorov-Smirnov"
    checks = [
        below("sbc", f"KS distance of the ranks of {name}", scores.ks_uniform(rank), limit,
              statistic, **more)
        for name, rank in (
            ("D", scores.ranks(draws.distance_pc, sample.distance_pc)),
            ("E(J-Ks)", scores.ranks(draws.e_jks, sample.e_jks)),
        )
    ]  # fmt: skip
    quantile = summary.distance_quantile_pc
    for low, high, fraction in ((1, 3, 0.68), (0, 4, 0.90)):
        found = scores.coverage(sample.distance_pc, quantile[:, low], quantile[:, high])
        span = scores.coverage_limits(fraction, n)
        words = f"fraction of D inside the {fraction:.0%} interval"
        checks.append(within("sbc", words, found, fraction, span, "binomial", **more))
    for place, name in enumerate(COMPONENTS):
        p, true = summary.probability[:, place].astype(np.float64), sample.component == place
        distance = scores.ks_uniform(scores.binary_ranks(p, true))
        words = f"KS distance of the ranks of P({name})"
        checks.append(below("sbc", words, distance, limit, statistic, **more))
        words = f"number of {name}: {int(true.sum())}, expected {p.sum():.1f}"
        p_value = scores.number_p_value(p, int(true.sum()))
        checks.append(likely("sbc", words, p_value, "Poisson-binomial", **more))
    for name, places in SBC_GROUPS.items():
        p = np.clip(summary.probability[:, places].sum(axis=1).astype(np.float64), 0.0, 1.0)
        true = np.isin(sample.component, places)
        error = scores.expected_calibration_error(p, true)
        limit_ece = scores.calibration_error_limit(p)
        words = f"calibration error of P({name})"
        checks.append(below("sbc", words, error, limit_ece, "simulated truths", **more))
        score = scores.brier(p, true)
        checks.append(
            noted("sbc", f"Brier score of P({name})", score,
                  f"{true.mean() * (1 - true.mean()):.3f} if P were the fraction", **more)
        )  # fmt: skip
    return checks


def wrong_law(config: Config) -> Config:
    """Return the same settings with another extinction law: the control."""
    settings = config.model_dump()
    law = config.extinction.law
    settings["extinction"]["law"] = (
        "nogueras_lara_2020" if law.startswith("nishiyama") else "nishiyama_2009"
    )
    settings["extinction"]["calibration"] = ""
    return load_config(None, settings)


def sbc_checks(config: Config, n_star: int, seed: int, workers: int = 1) -> list[Check]:
    """Calibrate the model against itself, and a model with a wrong extinction law as a control.

    Parameters
    ----------
    config : Config
        Settings of the model; the error floor is left out.
    n_star : int
        Stars.
    seed, workers : int

    Returns
    -------
    list of Check
        The last is the control: it passes if the wrong law is found out.
    """
    model = self_consistent(config)
    sample = draw_sample(model, n_star, seed)
    checks = compare_sample(sample, *infer_sample(sample, model, seed, workers))
    other = self_consistent(wrong_law(config))
    _, draws = infer_sample(sample, other, seed, workers)
    distance = scores.ks_uniform(scores.ranks(draws.distance_pc, sample.distance_pc))
    n = sample.distance_pc.size
    words = f"control: KS distance of the ranks of D with the law {other.law.name}"
    control = above("sbc", words, distance, scores.ks_limit(n), "must be found out", n=n)
    return [*checks, control]
