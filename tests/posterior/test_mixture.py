"""The mixture over cases: probabilities, quantiles and draws against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gcmock.model import Model
from gcmock.posterior.kernel.draw import QUANTILES
from gcmock.posterior.mixture import (
    Mixture,
    applies,
    as_case,
    case_probabilities,
    evidence_of,
    log_evidences,
    of_cases_in_use,
    quantiles_of,
)
from gcmock.posterior.observations import Observations
from gcmock.random import star_key
from gcmock.words.bands import BANDS, KS, H, J
from gcmock.words.cases import BAD_PARALLAX, CASE_COLUMNS, CASES, CLEAN, N_CASE, usual_fractions

NAMES = [case.name for case in CASES]


def case(name: str):
    return CASES[NAMES.index(name)]


def stars(n: int, error: float = 0.05) -> Observations:
    """Reddened giants; every other one has a parallax."""
    rng = np.random.default_rng(3)
    mag = np.full((n, len(BANDS)), np.nan)
    mag[:, :3] = [17.6, 14.4, 12.9] + rng.normal(0.0, 1.0, (n, 3)) * [0.5, 0.3, 0.3]
    parallax = np.where(np.arange(n) % 2 == 0, np.nan, rng.normal(0.12, 0.1, n))
    return Observations(
        np.full(n, 0.31), np.full(n, -0.23), mag, np.where(np.isfinite(mag), error, np.nan),
        parallax, np.where(np.isfinite(parallax), 0.1, np.nan), np.full(n, 3.6), np.full(n, 0.15),
    )  # fmt: skip


def everyone(data, summary):
    return np.ones(data.n_star, bool)


def nobody(data, summary):
    return np.zeros(data.n_star, bool)


def keys_of(n_star: int, n_realisation: int = 1) -> np.ndarray:
    return np.stack([star_key(1, np.arange(n_star), r) for r in range(n_realisation)], axis=1)


# Cases


def test_a_case_widens_the_errors_in_quadrature() -> None:
    data = stars(4)
    blend = as_case(case("blend"), data)
    np.testing.assert_allclose(blend.mag_error[:, H], np.hypot(0.05, case("blend").mag[H]))
    wrong_j = as_case(case("mismatch_j"), data)
    np.testing.assert_allclose(wrong_j.mag_error[:, J], np.hypot(0.05, case("mismatch_j").mag[J]))
    np.testing.assert_array_equal(wrong_j.mag_error[:, H:3], data.mag_error[:, H:3])
    dusty = as_case(case("dusty"), data)
    np.testing.assert_allclose(dusty.tau, np.hypot(0.15, case("dusty").tau))
    bad = as_case(case("parallax"), data)
    np.testing.assert_array_equal(bad.parallax_error, BAD_PARALLAX * data.parallax_error)
    for seen in (blend, wrong_j, dusty, bad):
        np.testing.assert_array_equal(seen.mag, data.mag)
        np.testing.assert_array_equal(seen.parallax, data.parallax)
    clean = as_case(CASES[CLEAN], data)
    for name in ("mag_error", "tau", "parallax_error"):
        np.testing.assert_array_equal(getattr(clean, name), getattr(data, name))


def test_cases_apply_where_they_make_a_difference() -> None:
    data = stars(4)
    data.mag[0, [J, H]] = np.nan
    data.mag[1, :] = np.nan
    data.mag[2, J] = np.nan
    # One band says nothing of its photometry; star 1 has a parallax alone.
    assert applies(case("blend"), data).tolist() == [False, False, True, True]
    assert applies(case("dusty"), data).tolist() == [False, False, True, True]
    assert applies(case("mismatch_j"), data).tolist() == [False, False, False, True]
    assert applies(case("mismatch_ks"), data).tolist() == [False, False, True, True]
    assert applies(case("parallax"), data).tolist() == [False, True, False, True]
    assert applies(case("outlier"), data).tolist() == [False, True, True, True]


# Probabilities


@settings(max_examples=50)
@given(
    st.lists(
        st.lists(st.one_of(st.just(-np.inf), st.floats(-300.0, 300.0)), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
)
def test_probabilities_of_cases_by_brute_force(log_z, weights) -> None:
    fraction = np.array(weights) / np.sum(weights)
    probability, evidence = case_probabilities(np.array(log_z), fraction)
    for row, p, z in zip(log_z, probability, evidence, strict=True):
        known = np.isfinite(row)
        if not known.any():
            assert z == -np.inf
            assert (p == 0.0).all()
            continue
        largest = max(row)
        terms = [f * np.exp(x - largest) for f, x in zip(fraction, row, strict=True)]
        np.testing.assert_allclose(p, np.array(terms) / sum(terms), atol=1e-12)
        # The clean case always applies, whether or not it explains the star.
        applied = fraction[known].sum() + (0.0 if known[CLEAN] else fraction[CLEAN])
        assert z == pytest.approx(largest + np.log(sum(terms) / applied), abs=1e-9)


def test_an_outlier_is_as_rare_as_outliers_are() -> None:
    """A star that only the case of an outlier explains has its evidence times its fraction."""
    fraction = usual_fractions()
    log_z = np.full((1, N_CASE), -np.inf)
    place = NAMES.index("outlier")
    log_z[0, place] = 2.0
    probability, evidence = case_probabilities(log_z, fraction)
    assert probability[0, place] == 1.0
    expected = fraction[place] / (fraction[CLEAN] + fraction[place])
    assert evidence[0] == pytest.approx(2.0 + np.log(expected))


def test_cases_without_any_stars_have_no_probability() -> None:
    fraction = np.array([0.7, 0.0, 0.3])
    probability, evidence = case_probabilities(np.zeros((1, 3)), fraction)
    assert probability[0].tolist() == [0.7, 0.0, 0.3]
    assert evidence[0] == pytest.approx(0.0)


def test_cases_can_be_switched_off() -> None:
    usual = usual_fractions()
    np.testing.assert_allclose(of_cases_in_use(usual, tuple(CASE_COLUMNS)), usual)
    only_clean = of_cases_in_use(usual, ())
    assert only_clean[CLEAN] == 1.0
    assert only_clean.sum() == 1.0
    blends = of_cases_in_use(usual, ("blend",))
    assert blends[NAMES.index("blend")] == usual[NAMES.index("blend")]
    assert blends[CLEAN] == pytest.approx(1.0 - usual[NAMES.index("blend")])
    assert (blends > 0.0).sum() == 2


# Quantiles


@settings(max_examples=30)
@given(
    st.lists(st.floats(0.0, 5.0), min_size=2, max_size=12).filter(lambda m: sum(m) > 0.1),
    st.floats(0.01, 0.99),
)
def test_quantiles_by_brute_force(mass, level) -> None:
    edges = np.cumsum(np.concatenate([[500.0], 10.0 + np.arange(len(mass)) ** 2]))
    found = quantiles_of(np.array([mass]), edges, np.array([level]))[0, 0]
    cumulative = np.concatenate([[0.0], np.cumsum(mass)]) / np.sum(mass)
    # Where bins are empty every place between two edges is a quantile: it lies on the curve.
    assert np.interp(found, edges, cumulative) == pytest.approx(level, abs=1e-9)


def test_quantiles_of_all_mass_in_one_bin() -> None:
    mass = np.array([[0.0, 0.0, 2.0, 0.0], [3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    edges = np.array([10.0, 20.0, 30.0, 50.0, 60.0])
    found = quantiles_of(mass, edges, np.array([0.25, 0.5]))
    np.testing.assert_allclose(found, [[35.0, 40.0], [12.5, 15.0], [52.5, 55.0]])


def test_masses_are_those_of_the_kernel(model: Model) -> None:
    """They add up to one, have the mean of the summary, and its quantiles."""
    data = stars(30)
    summary, _, mass = model.posterior.infer_case(data, keys_of(30), with_mass=True)
    np.testing.assert_allclose(mass.sum(axis=1), 1.0, rtol=1e-5)
    found = quantiles_of(mass, model.posterior.edges_pc, QUANTILES)
    np.testing.assert_allclose(found, summary.distance_quantile_pc, rtol=1e-4)
    centre = model.posterior.grid.centre_pc
    np.testing.assert_allclose(mass @ centre, summary.distance_mean_pc, rtol=1e-3)
    assert model.posterior.infer_case(data, keys_of(30)).mass.shape[0] == 0


# Mixing


def same_bits(found, expected) -> None:
    for a, b in zip((*found[0], *found[1]), (*expected[0], *expected[1]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("which", ["all clean", "no doubt"])
def test_clean_stars_keep_every_bit(model: Model, which: str) -> None:
    data, keys = stars(40), keys_of(40, 2)
    expected = model.posterior.infer(data, keys)
    only_clean = np.eye(N_CASE)[CLEAN]
    mixture = (
        Mixture(only_clean, everyone)
        if which == "all clean"
        else Mixture(usual_fractions(), nobody)
    )
    same_bits(model.posterior.infer(data, keys, mixture=mixture), expected)


@pytest.mark.slow
def test_summaries_are_the_mixture_of_those_of_the_cases(model: Model) -> None:
    data, keys = stars(24), keys_of(24)
    fraction = usual_fractions()
    summary, _ = model.posterior.infer(data, keys, mixture=Mixture(fraction, everyone))
    log_z = np.full((24, N_CASE), -np.inf)
    of_case = {}
    for k, one in enumerate(CASES):
        rows = np.arange(24) if k == CLEAN else np.flatnonzero(applies(one, data))
        seen = as_case(one, data.take(rows))
        found = model.posterior.infer_case(seen, keys[rows], with_mass=True)
        log_z[rows, k] = evidence_of(found.summary)
        of_case[k] = rows, found
    probability, evidence = case_probabilities(log_z, fraction)
    some = np.isfinite(evidence)
    assert some.sum() >= 20
    component = np.zeros_like(summary.probability, np.float64)
    mass = np.zeros((24, len(model.grid)))
    mean = np.zeros(24)
    for k, (rows, found) in of_case.items():
        weight = probability[rows, k]
        component[rows] += weight[:, None] * found.summary.probability
        mass[rows] += weight[:, None] * found.mass
        mean[rows] += weight * found.summary.distance_mean_pc
    np.testing.assert_allclose(summary.case[some], probability[some], atol=1e-6)
    np.testing.assert_allclose(summary.case.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(summary.probability[some], component[some], atol=1e-5)
    np.testing.assert_allclose(summary.distance_mean_pc[some], mean[some], rtol=1e-6)
    np.testing.assert_allclose(summary.log_evidence[some], evidence[some])
    quantiles = quantiles_of(mass[some], model.posterior.edges_pc, QUANTILES)
    np.testing.assert_allclose(summary.distance_quantile_pc[some], quantiles, rtol=1e-3)
    assert (summary.inflation[some] == 0).all()


def test_evidences_of_all_cases(model: Model) -> None:
    data = stars(12)
    found = log_evidences(data, model.posterior)
    for k, one in enumerate(CASES):
        applied = np.ones(12, bool) if k == CLEAN else applies(one, data)
        assert (found[~applied, k] == -np.inf).all()
        expected = model.posterior.log_evidence(as_case(one, data.take(applied)))
        np.testing.assert_allclose(found[applied, k], expected, rtol=1e-6)


def giant(model: Model, j_off: float = 0.0) -> Observations:
    """A giant of the bulge behind its dust, whose J may belong to somebody else."""
    one = stars(2).take(slice(1))
    kappa = model.law.kappa(one.l_deg, one.b_deg)[0]
    one.mag[0, :3] = np.array([-1.9, -2.5, -2.6]) + 14.5 + 3.6 * kappa
    one.mag[0, J] += j_off
    return one


def test_draws_are_mixed_in_the_stated_proportions(model: Model) -> None:
    """As many are those of the clean case as it is probable, and all of them follow the mixture."""
    n = 3000
    one = giant(model, 0.2)
    keys = np.stack([star_key(1, np.array([9]), r) for r in range(n)], axis=1)
    clean = model.posterior.infer_case(one, keys, with_mass=True)
    place = NAMES.index("mismatch_j")
    seen = as_case(CASES[place], one)
    other = model.posterior.infer_case(seen, keys, with_mass=True)
    assert clean.summary.inflation[0] == other.summary.inflation[0] == 0
    # Fractions for which both are about as probable.
    odds = np.exp(clean.summary.log_evidence[0] - other.summary.log_evidence[0])
    fraction = np.zeros(N_CASE)
    fraction[place] = odds * 0.7 / (1.0 + odds * 0.7)
    fraction[CLEAN] = 1.0 - fraction[place]
    summary, draws = model.posterior.infer(one, keys, mixture=Mixture(fraction, everyone))
    p_clean = float(summary.case[0, CLEAN])
    assert 0.3 < p_clean < 0.9
    # A drawn star is one star: its magnitudes are of the same case as its distance.
    of_clean, of_other = (
        (draws.distance_pc[0] == case.draws.distance_pc[0])
        & (draws.mag[0] == case.draws.mag[0]).all(axis=1)
        for case in (clean, other)
    )
    assert (of_clean | of_other).all()
    assert abs(of_clean.mean() - p_clean) < 4.0 * np.sqrt(p_clean * (1.0 - p_clean) / n)
    counts = np.bincount(draws.component[0], minlength=summary.probability.shape[1])
    share = summary.probability[0].astype(float)
    assert (np.abs(counts - n * share) < 4.5 * (np.sqrt(n * share * (1 - share)) + 1.0)).all()
    mass = p_clean * clean.mass[0] + (1.0 - p_clean) * other.mass[0]
    cumulative = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    rank = np.interp(draws.distance_pc[0], model.posterior.edges_pc, cumulative)
    assert stats.kstest(rank, "uniform").pvalue > 1e-3


def test_a_wrong_band_is_found_and_its_truth_is_not_what_was_observed(model: Model) -> None:
    one = giant(model, 1.5)
    keys = keys_of(1, 50)
    plain, _ = model.posterior.infer(one, keys)
    summary, draws = model.posterior.infer(one, keys, mixture=Mixture(usual_fractions(), everyone))
    assert summary.case[0, CLEAN] < 0.05
    assert summary.case[0, NAMES.index("mismatch_j")] > 0.3
    assert summary.log_evidence[0] > plain.log_evidence[0] or plain.inflation[0] > 0
    assert (draws.mag[0, :, J] - one.mag[0, J]).mean() < -0.5
    assert np.abs(draws.mag[0, :, KS] - one.mag[0, KS]).mean() < 0.3


def test_what_nothing_explains_keeps_its_inflated_errors(model: Model) -> None:
    one = stars(2).take(slice(1))
    one.mag[0, :3] = [2.0, 25.0, 5.0]
    keys = keys_of(1, 3)
    expected = model.posterior.infer(one, keys)
    assert expected[0].inflation[0] > 0
    mixture = Mixture(usual_fractions(), everyone)
    same_bits(model.posterior.infer(one, keys, mixture=mixture), expected)
    assert evidence_of(expected[0])[0] == -np.inf


def test_threads_and_order_change_nothing(model: Model) -> None:
    data, keys = stars(40), keys_of(40)
    mixture = Mixture(usual_fractions(), lambda data, summary: summary.distance_mean_pc > 8000.0)
    expected = model.posterior.infer(data, keys, 1, mixture)
    order = np.random.default_rng(1).permutation(40)
    found = model.posterior.infer(data.take(order), keys[order], 2, mixture)
    for a, b in zip((*expected[0], *expected[1]), (*found[0], *found[1]), strict=True):
        np.testing.assert_array_equal(np.asarray(a)[order], b)


def test_stars_without_anything_to_doubt(model: Model) -> None:
    """One band, no parallax: no case applies, and the star is what it was."""
    data = stars(3)
    data.mag[:, [J, H]] = np.nan
    data.parallax[:] = np.nan
    keys = keys_of(3)
    summary, draws = model.posterior.infer(data, keys, mixture=Mixture(usual_fractions(), everyone))
    plain, expected = model.posterior.infer(data, keys)
    np.testing.assert_array_equal(draws.distance_pc, expected.distance_pc)
    np.testing.assert_allclose(summary.probability, plain.probability)
    np.testing.assert_allclose(summary.log_evidence, plain.log_evidence)
    assert (summary.case[:, CLEAN] == 1.0).all()
