"""The compiled posterior against the readable one, and against limits with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gcmock.dust.profile import scatter_at
from gcmock.model import Model, load_model
from gcmock.posterior import reference
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.observations import Observations
from gcmock.random import star_key
from gcmock.settings.build import load_config
from gcmock.words.bands import equivalent

# Total variation of P(c, D) between kernel and reference.
TOLERANCE_EXACT, TOLERANCE_LATTICE = 0.01, 0.02

# ln evidence of the sums over nodes and over a lattice: every sixth node is a rough population for
# errors of 0.005 mag.
TOLERANCE_EVIDENCE = {True: 0.02, False: 0.1}

# TV under limits: rows of a colour share a probability to pass.
TOLERANCE_LIMITS = 0.06

# TV and ln evidence where Hw is beside two other bands: ln L is of second order in J and H.
TOLERANCE_ALIKE, TOLERANCE_LINEAR_HW = 0.02, 0.15


def one_star(
    mag, error, tau, e_jks, l_deg, b_deg, parallax=np.nan, parallax_error=np.nan
) -> Observations:
    return Observations(
        np.array([l_deg]),
        np.array([b_deg]),
        np.array([mag], dtype=float),
        np.array([error], dtype=float),
        np.array([parallax]),
        np.array([parallax_error]),
        np.array([e_jks]),
        np.array([tau]),
    )


def from_reference(model: Model, data: Observations) -> np.ndarray:
    """Evidence by the readable formula, shape (n_component, n_distance)."""
    post = model.posterior
    lines, index = model.sightlines.get(data.l_deg, data.b_deg, model.profile_scatter)
    i = index[0]
    dust = lines.dust.at(i)
    shape = dust.value(model.grid.centre_pc)
    row = int(model.law.row(data.l_deg, data.b_deg)[0])
    sightline = reference.Sightline(
        lines.prior[i, :, :11].T.astype(float),
        data.e_jks_rc[0] * shape,
        scatter_at(dust, data.e_jks_rc[0], data.tau[0], shape),
        model.law.rows[row],
    )
    error = np.sqrt(data.mag_error[0] ** 2 + post.model_variance)
    star = reference.Star(
        data.mag[0], error, data.parallax[0], data.parallax_error[0], limits=model.limits
    )
    sets = model.populations
    return reference.joint(
        star, sightline, sets.populations, sets.of_component, model.grid, model.relations
    )


def differences(
    found: np.ndarray, log_evidence: float, expected: np.ndarray
) -> tuple[float, float]:
    """Total variation of P(c, D), and difference of the log evidence."""
    variation = 0.5 * np.abs(found - expected / expected.sum()).sum()
    return variation, log_evidence - np.log(expected.sum())


def observed_from_model(model, rng, mask, l_deg, b_deg):
    """Draw magnitudes, errors, reddening and distance of a star that the model could make."""
    e_jks, _ = model.reddening([l_deg], [b_deg])
    nodes = model.posterior.nodes
    pop = rng.integers(0, nodes.start.size - 1)
    part = slice(nodes.start[pop], nodes.start[pop + 1])
    distance = rng.uniform(300.0, 9500.0)
    mu = 5.0 * np.log10(distance) - 5.0
    lines, _ = model.sightlines.get([l_deg], [b_deg])
    e = e_jks[0] * float(lines.dust.at(0).value(distance))
    kappa = model.law.kappa([l_deg], [b_deg])[0]
    visible = nodes.mag[2, part] + mu + kappa[2] * e < 16.0
    weight = np.where(visible, nodes.weight[part], 0.0) + 1e-30
    node = rng.choice(weight.size, p=weight / weight.sum()) + nodes.start[pop]
    jhk = nodes.mag[:, node] + mu + kappa * e
    mag = np.append(jhk, model.relations["hw"].mag(jhk[0], jhk[1]))
    error = np.exp(rng.uniform(np.log(0.005), np.log(0.3), 4))
    mag = mag + error * rng.normal(size=4)
    mag[[not mask >> b & 1 for b in range(4)]] = np.nan
    return mag, error, e_jks[0], distance


def agreement(model, seed, mask, tau, place, with_parallax, lattice=TOLERANCE_LATTICE) -> None:
    """Compare kernel and reference in every bin, for a star that the model could make."""
    rng = np.random.default_rng(seed)
    mag, error, e_jks, distance = observed_from_model(model, rng, mask, *place)
    parallax, parallax_error = np.nan, np.nan
    if with_parallax:
        parallax_error = rng.uniform(0.02, 0.5)
        parallax = 1000.0 / distance + parallax_error * rng.normal()
    data = one_star(mag, error, tau, e_jks, *place, parallax, parallax_error)
    expected = from_reference(model, data)
    if expected.sum() < (1e-3 if model.limits else 1e-12):
        return  # far beyond what the kernel sums (inflated and flagged), or no star of the list
    for exact, tolerance in ((True, TOLERANCE_EXACT), (False, lattice)):
        found, log_evidence = model.posterior.joint(data, exact=exact)
        most = max(tolerance, TOLERANCE_ALIKE) if equivalent(mask) != mask else tolerance
        variation, difference = differences(found[0], log_evidence[0], expected)
        assert variation < most
        near = TOLERANCE_LINEAR_HW if equivalent(mask) != mask else TOLERANCE_EVIDENCE[exact]
        assert abs(difference) <= near


EXAMPLES = {
    "seed": st.integers(0, 2**32 - 1),
    "mask": st.integers(1, 15),
    "tau": st.sampled_from([0.0, 0.05, 0.2, 0.4]),
    "place": st.sampled_from([(0.31, -0.23), (-0.06, -0.04), (-1.2, 0.5), (3.0, -2.0)]),
    "with_parallax": st.booleans(),
}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a counterexample takes seconds: do not shrink it
)
@given(**EXAMPLES)
def test_kernel_equals_reference(model, seed, mask, tau, place, with_parallax) -> None:
    agreement(model, seed, mask, tau, place, with_parallax)


LIMITS = ("j-h > 2.1", "ks < 12.5 +- 0.2", "hw < 15.5 +- 0.1")


def with_limits(model: Model, limits=LIMITS) -> Model:
    """Return the model of a list that was cut."""
    config = load_config(None, model.config.model_dump() | {"selection": {"limits": limits}})
    return replace(model, config=config)


@pytest.mark.long
@pytest.mark.parametrize("mask", range(1, 16))
@pytest.mark.parametrize("tau", [0.0, 0.2])
def test_kernel_equals_reference_under_limits(model, mask, tau) -> None:
    agreement(with_limits(model), 40 + mask, mask, tau, (0.31, -0.23), False, TOLERANCE_LIMITS)


@pytest.mark.long
@pytest.mark.parametrize("mask", [4, 8])
def test_kernel_equals_reference_under_limits_quickly(model, mask) -> None:
    agreement(with_limits(model), 20 + mask, mask, 0.2, (0.31, -0.23), False, TOLERANCE_LIMITS)


@pytest.mark.long
@pytest.mark.parametrize("mask", [3, 7, 14])
def test_kernel_equals_reference_quickly(model, mask) -> None:
    agreement(model, 10 + mask, mask, 0.2, (0.31, -0.23), mask == 3)


@pytest.mark.slow
@pytest.mark.parametrize(("mask", "tau"), [(4, 0.0), (7, 0.1)])
def test_kernel_equals_reference_where_the_dust_in_front_is_uncertain(model, mask, tau) -> None:
    changed = {"extinction": model.config.extinction.model_dump() | {"profile_scatter": 0.8}}
    config = load_config(None, model.config.model_dump() | changed)
    agreement(replace(model, config=config), 30 + mask, mask, tau, (0.31, -0.23), True)


@pytest.mark.parametrize("mask", [1, 2, 7, 8, 13, 15])
@pytest.mark.parametrize("tau", [0.0, 1e-3, 0.3])
def test_likelihood_of_all_nodes_and_distances_is_that_of_each(model, mask, tau) -> None:
    """Any number of distances at once, with and without scatter, gives the sum over single ones."""
    rng = np.random.default_rng(mask)
    mag, error, e_jks, _ = observed_from_model(model, rng, mask, 0.31, -0.23)
    grid, star = DistanceGrid(np.linspace(300.0, 12_000.0, 6)), reference.Star(mag, error)
    some = model.populations.nodes("bar")
    nodes = some._replace(weight=some.weight[::9], absolute_mag=some.absolute_mag[::9])
    growth = np.linspace(0.0, 1.3, len(grid))
    line = reference.Sightline(
        np.ones((1, len(grid))), e_jks * growth, tau * growth, model.law.rows[0]
    )
    found = reference.likelihood(star, line, nodes, grid, model.relations)
    expected = [
        sum(
            weight * of_one_node(star, m + mu, e, t, line.kappa, list(model.relations.values()))
            for weight, m in zip(nodes.weight, nodes.absolute_mag)
        )
        for mu, e, t in zip(grid.distance_modulus, line.e_jks, line.tau)
    ]
    # Of exponents, because those of far nodes are differences of numbers of 1e5.
    some = np.array(expected) > 1e-300
    np.testing.assert_allclose(
        np.log(found[some]), np.log(np.array(expected)[some]), rtol=1e-12, atol=1e-12
    )
    assert some.any()


def of_one_node(star, unreddened, mean, tau, kappa, relations) -> float:
    """N(m; ...) of one node at one distance, the reddening in magnitudes and all bands at once."""
    used = np.isfinite(star.mag)
    variance = star.mag_error[used] ** 2
    e = mean
    for _ in range(4 if used[3:].any() else 1):
        linear = unreddened + kappa * e
        j, h = linear[:2]
        d_j = [r.derivatives(j, h)[0] for r in relations]
        predicted = np.append(linear, [r.mag(j, h) for r in relations])
        slope = np.append(kappa, [x * kappa[0] + (1.0 - x) * kappa[1] for x in d_j])[used]
        bend = [r.curvature(j, h) * (kappa[0] - kappa[1]) ** 2 for r in relations]
        bend = np.append(np.zeros(3), bend)[used]
        residual = (star.mag - predicted)[used]
        information = np.sum(slope**2 / variance)
        chi2 = np.sum(residual**2 / variance)
        if tau == 0.0:
            break
        chi2 += (e - mean) ** 2 / tau**2
        uphill = np.sum(slope * residual / variance) - (e - mean) / tau**2
        step = uphill / (information + 1.0 / tau**2)
        chi2 -= uphill * step
        e += step
    curvature = information - np.sum(residual * bend / variance)
    norm = np.sqrt(np.prod(2.0 * np.pi * variance) * (1.0 + tau**2 * curvature))
    return np.exp(-0.5 * chi2) / norm


def test_memory_does_not_change_the_likelihood(model, monkeypatch) -> None:
    grid, kappa = model.grid, model.law.rows[0]
    star = reference.Star(np.array([np.nan, 14.9, 13.2, np.nan]), np.full(4, 0.05))
    shape = np.linspace(0.0, 1.5, len(grid))
    line = reference.Sightline(np.ones((1, len(grid))), 3.0 * shape, 0.2 * shape, kappa)
    nodes = model.populations.nodes("nsd")
    at_once = reference.likelihood(star, line, nodes, grid, model.relations)
    monkeypatch.setattr(reference, "N_AT_ONCE", 1)
    one_by_one = reference.likelihood(star, line, nodes, grid, model.relations)
    np.testing.assert_allclose(at_once, one_by_one, rtol=1e-13)


@pytest.mark.long
@pytest.mark.parametrize("hw", [18.0, 18.095])
def test_very_red_star_with_h_and_hw(model, hw) -> None:
    """Hw stands for J here, which is 5 mag fainter than H."""
    mag, error = [np.nan, 14.934, 12.622, hw], [0.02, 0.018, 0.085, 0.0104]
    data = one_star(mag, error, 0.05, 6.0, 0.31, -0.23, 0.0236, 0.0632)
    expected = from_reference(model, data)
    found, _ = model.posterior.joint(data)
    assert 0.5 * np.abs(found[0] - expected / expected.sum()).sum() < TOLERANCE_ALIKE


@pytest.mark.long
def test_precise_j_with_hw(model) -> None:
    """The extinction in Hw changes with the colour of the star by more than the error of J."""
    mag, error = [18.146, np.nan, np.nan, 17.299], [0.0125, 0.06, 0.05, 0.034]
    data = one_star(mag, error, 0.4, 4.585, -0.06, -0.04, 0.05, 0.36)
    expected = from_reference(model, data)
    found, log_evidence = model.posterior.joint(data)
    assert differences(found[0], log_evidence[0], expected)[0] < TOLERANCE_LATTICE


@pytest.mark.long
@pytest.mark.parametrize("tau", [0.05, 0.2])
def test_lattice_equals_nodes_for_typical_stars(tau) -> None:
    """The full PARSEC populations, three bands: 99 % of stars within 1 %, all within 2 %."""
    model = load_model()
    rng = np.random.default_rng(5)
    n = 150
    stars = [observed_from_model(model, rng, 7, 0.31, -0.23) for _ in range(n)]
    error = np.exp(rng.uniform(np.log(0.02), np.log(0.1), (n, 4)))
    mag = np.array([s[0] for s in stars])
    e_jks = np.full(n, stars[0][2])
    nan = np.full(n, np.nan)
    data = Observations(
        np.full(n, 0.31), np.full(n, -0.23), mag, error, nan, nan, e_jks, np.full(n, tau)
    )
    fast, _ = model.posterior.joint(data)
    exact, _ = model.posterior.joint(data, exact=True)
    variation = 0.5 * np.abs(fast - exact).sum(axis=(1, 2))
    assert np.median(variation) < 0.003
    assert np.mean(variation > 0.01) <= 0.01
    assert variation.max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mag", "error", "tau"),
    [
        # Bluer than any star behind so much dust.
        ([13.5393, 13.0888, 13.0015], [0.0503, 0.0550, 0.0288], 0.05),
        # Three standard deviations off all stars in the colour that reddening does not change.
        ([18.9999, 15.7993, 14.0559], [0.0284, 0.0251, 0.0590], 0.05),
    ],
)
def test_stars_in_the_tail_of_their_errors(mag, error, tau) -> None:
    """What is outside the ellipse of a typical star decides here: 2.5 to 2.8 % were missing."""
    model = load_model()
    data = one_star([*mag, np.nan], [*error, 0.05], np.nan, np.nan, 0.31, -0.23, 4.133, tau)
    fast, _ = model.posterior.joint(data)
    exact, _ = model.posterior.joint(data, exact=True)
    assert 0.5 * np.abs(fast - exact).sum() < 0.016


def test_no_photometry_gives_the_prior(model) -> None:
    data = one_star([np.nan] * 4, [0.05] * 4, 0.1, 3.0, 0.3, -0.2)
    found, _ = model.posterior.joint(data)
    lines, _ = model.sightlines.get(data.l_deg, data.b_deg)
    prior = lines.prior[0, :, :11].T.astype(float)
    np.testing.assert_allclose(found[0], prior / prior.sum(), rtol=1e-5, atol=1e-12)


def test_precise_parallax_gives_the_distance(model) -> None:
    data = one_star([np.nan] * 4, [0.05] * 4, 0.1, 3.0, 0.3, -0.2, 2.0, 1e-4)
    keys = star_key(1, np.arange(1))[:, None]
    summary, draws = model.posterior.infer(data, keys)
    assert draws.distance_pc[0, 0] == pytest.approx(500.0, abs=0.2)
    width = model.grid.width_pc[np.searchsorted(model.grid.edges_pc, 500.0) - 1]
    assert abs(summary.distance_quantile_pc[0, 2] - 500.0) < width


@pytest.mark.long
@pytest.mark.parametrize(
    "mag",
    [
        (np.nan, np.nan, np.nan, 19.5),
        (np.nan, 17.0, np.nan, 19.7),
        (20.9, np.nan, 15.3, 19.3),
        (np.nan, 17.0, 15.3, 19.7),
        (20.9, 17.0, 15.3, 19.7),
    ],
)
def test_reddening_is_integrated(model, mag) -> None:
    """Integrate the reddening numerically: the analytic integral agrees, also if Hw is off."""
    grid = DistanceGrid(np.array([7000.0, 7010.0, 8160.0, 8170.0]))
    nodes = model.populations.nodes("nsd")
    kappa, tau, e_jks = model.law.rows[0], 0.3, 4.6
    star = reference.Star(np.array(mag), np.full(4, 0.06))

    def likelihood(e: float, scatter: float) -> np.ndarray:
        line = reference.Sightline(np.ones((1, 3)), np.full(3, e), np.full(3, scatter), kappa)
        return reference.likelihood(star, line, nodes, grid, model.relations)

    offsets = np.linspace(-7.0, 7.0, 701)
    weights = np.exp(-0.5 * offsets**2) / np.exp(-0.5 * offsets**2).sum()
    numeric = sum(w * likelihood(e_jks + tau * x, 0.0) for x, w in zip(offsets, weights))
    np.testing.assert_allclose(likelihood(e_jks, tau), numeric, rtol=1e-3)


@pytest.mark.long
@pytest.mark.parametrize(
    ("mag", "error", "tau", "e_jks"),
    [
        # Hw is 3 to 5 standard deviations from what the other bands say, J - H above 5.
        ((np.nan, 17.259, np.nan, 21.433), (0.02, 0.006, 0.02, 0.147), 0.2, 7.65),
        ((np.nan, 19.1, 15.783, 22.692), (0.038, 0.027, 0.006, 0.041), 0.05, 9.06),
        ((np.nan, 18.957, 15.335, 22.96), (0.02, 0.027, 0.114, 0.141), 0.2, 9.47),
        ((21.537, 15.216, np.nan, 18.874), (0.012, 0.12, 0.006, 0.018), 0.05, 7.48),
        ((24.082, np.nan, 15.219, 22.063), (0.043, 0.016, 0.041, 0.066), 0.2, 7.49),
        ((23.54, 16.301, 12.895, 20.441), (0.044, 0.012, 0.009, 0.011), 0.4, 9.06),
    ],
)
def test_hw_that_contradicts_other_bands(model, mag, error, tau, e_jks) -> None:
    data = one_star(mag, error, tau, e_jks, 0.31, -0.23)
    expected = from_reference(model, data)
    assert expected.sum() > 1e-12
    for exact in (True, False):
        found, log_evidence = model.posterior.joint(data, exact=exact)
        assert differences(found[0], log_evidence[0], expected)[0] < TOLERANCE_ALIKE
