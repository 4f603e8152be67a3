"""Evidence curves agree with the posterior, and cells find the reddening that made their stars."""

import dataclasses

import numpy as np
import pytest

from gcmock.calibration.cells import fit_cells, gaussian_weights, usual_prior
from gcmock.calibration.curves import (
    FACTORS,
    GROUP_OF_PART,
    GROUPS,
    USUAL_OF_GROUP,
    Curves,
    evidence_curves,
)
from gcmock.calibration.law import WAVELENGTH_UM, parameters_of, power_law
from gcmock.calibration.local_reddening import plane, refine
from gcmock.calibration.selection import expected_density
from gcmock.dust.laws import ExtinctionLaw, load_law
from gcmock.model import load_model
from gcmock.posterior.observations import Observations
from gcmock.settings.build import load_config
from gcmock.words.components import COMPONENTS, PARTS

N = 60
OF_COMPONENT = GROUP_OF_PART[: len(COMPONENTS)]


@pytest.fixture(scope="module")
def model():
    settings = {"populations.name": "koshimoto2021", "extinction.map_value": "subcell_mean"}
    return load_model(config=load_config(None, settings))


@pytest.fixture(scope="module")
def stars(model):
    """Giants behind dust, in one cell; one star that nothing explains."""
    rng = np.random.default_rng(2)
    l_deg, b_deg = np.full(N, 0.3125), np.full(N, -0.2125)
    e_jks = model.extinction_map.value(l_deg, b_deg, "subcell_mean")[0]
    kappa = model.law.kappa(l_deg, b_deg)
    absolute = np.array([-0.9, -1.5, -1.6]) - rng.uniform(0.0, 2.5, (N, 1))
    mag = absolute + 14.5 + kappa * (e_jks * rng.normal(1.0, 0.05, N))[:, None]
    mag += rng.normal(0.0, 0.05, mag.shape)
    mag[-1, 1] += 2.0
    mag = np.column_stack([mag, np.full(N, np.nan)])
    missing = np.full(N, np.nan)
    error = np.where(np.isfinite(mag), 0.05, np.nan)
    return Observations(l_deg, b_deg, mag, error, missing, missing, e_jks, np.zeros(N))


@pytest.fixture(scope="module")
def curves(model, stars):
    return evidence_curves(model.posterior, stars)


@pytest.mark.parametrize(("factor", "scatter"), [(1.0, 0.07), (0.95, 0.04), (1.03, 0.03)])
def test_curves_agree_with_the_posterior(model, stars, curves, factor, scatter):
    """Σ_f L(f) p(f) is the evidence under a Gaussian scatter, and its groups are P(c)."""
    weights = gaussian_weights(np.array(factor), np.array(scatter))
    z = curves.value.astype(float) @ weights
    good = curves.explained
    log_z = np.log(z[good].sum(axis=1)) + curves.log_scale[good]
    given = stars._replace(e_jks_rc=factor * stars.e_jks_rc, tau=scatter * stars.e_jks_rc)
    probability, log_evidence = model.posterior.joint(given)
    likely = log_z > log_z.max() - 15.0
    off = (log_z - log_evidence[good])[likely]
    assert np.sqrt(np.mean(off**2)) < 0.03
    groups = np.stack(
        [probability[good][:, g == OF_COMPONENT].sum(axis=(1, 2)) for g in range(len(GROUPS))],
        axis=1,
    )
    fraction = z[good] / z[good].sum(axis=1, keepdims=True)
    assert np.abs(fraction - groups)[likely].max() < 0.03


def test_outliers_have_no_curve(curves):
    assert curves.explained[:-1].all()
    assert not curves.explained[-1]
    assert (curves.value[-1] == 0).all()


def test_lattices_shared_with_others_are_as_good(model, stars, curves):
    """The curve of a star alone, on a lattice of its own, is that among others."""
    for row in range(0, N - 1, 8):
        alone = evidence_curves(model.posterior, stars.take(np.array([row])))
        assert abs(alone.log_scale[0] - curves.log_scale[row]) < 0.02
        np.testing.assert_allclose(alone.value[0], curves.value[row], atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("law", [(2.1, 0.004), (2.0, -0.01)])
def test_a_law_moves_stars_through_the_lattices_of_another(model, stars, curves, law):
    """Curves under a law from the lattices of one close to it are those from its own."""
    kappa = power_law(*law, 1.042)
    own = dataclasses.replace(model, law=ExtinctionLaw("other", kappa[None], "")).posterior
    expected = evidence_curves(own, stars)
    moved = evidence_curves(model.posterior, stars, kappa=kappa)
    good = expected.explained & moved.explained & curves.explained
    assert good.sum() >= N - 3
    assert np.std(moved.log_scale[good] - expected.log_scale[good]) < 0.05
    # The law makes a difference that is far larger.
    assert np.std(curves.log_scale[good] - expected.log_scale[good]) > 0.1


def test_expected_density_agrees_with_expected_counts(model):
    """Without scatter and noise Λ(f) is what the counts say at f times the reddening."""
    l_deg, b_deg = np.array([0.3125, -0.7]), np.array([-0.2125, 0.4125])
    e_jks = model.extinction_map.value(l_deg, b_deg, "subcell_mean")[0]
    density = expected_density(model, l_deg, b_deg, e_jks, (10.0, 15.0), noise_mag=0.0)
    for factor in (0.8, 1.0, 1.2):
        at = int(np.argmin(np.abs(FACTORS - factor)))
        counts = model.expected_counts(
            l_deg, b_deg, "ks", [10.0, 15.0], e_jks=factor * e_jks, tau=np.zeros(2)
        )[..., 0]
        of_group = [counts[:, g == OF_COMPONENT].sum(axis=1) for g in range(len(GROUPS))]
        expected = np.stack(of_group, axis=1)
        np.testing.assert_allclose(density[:, :, at], expected, rtol=0.01, atol=1e-20)


def gaussian_curves(factor, width):
    """Curves of stars that measure their own factor with a Gaussian error."""
    return np.exp(-0.5 * ((FACTORS - factor[:, None]) / width) ** 2).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.93, 1.0, 1.07])
def test_cells_find_mean_and_scatter(true):
    """Of stars with known curves: no bias, and error bars of the right size."""
    rng = np.random.default_rng(1)
    n_cell, per_cell = 60, 30
    cell = np.repeat(np.arange(n_cell), per_cell)
    factor = rng.normal(true, 0.06, cell.size)
    curves = gaussian_curves(rng.normal(factor, 0.05), 0.05)
    fit = fit_cells(curves, cell, np.ones((cell.size, FACTORS.size)))
    error = fit.factor - true
    # The prior at 1 +- 0.1 draws a little.
    assert abs(error.mean()) < 0.005
    assert 0.8 < np.sqrt(np.mean((error / fit.factor_error) ** 2)) < 1.25
    assert abs(np.median(fit.scatter) - 0.06) < 0.008
    assert (fit.n_star == per_cell).all()


def test_selection_matters():
    """Stars behind more dust are rarer: without the term of the selection the mean is too low."""
    rng = np.random.default_rng(3)
    density = np.exp(-8.0 * FACTORS)
    n = 20_000
    factor = rng.normal(1.0, 0.06, n)
    seen = rng.random(n) < np.exp(-8.0 * (factor - factor.min()))
    factor = factor[seen]
    curves = gaussian_curves(rng.normal(factor, 0.02), 0.02)
    cell = np.zeros(factor.size, np.int64)
    # The evidence of a star contains how many such stars there are: its curve falls with dust.
    expected = np.tile(density, (cell.size, 1))
    with_density = fit_cells(curves, cell, expected)
    without = fit_cells(curves, cell, expected, selection=False)
    assert abs(with_density.factor[0] - 1.0) < 0.01
    assert without.factor[0] < 0.985


def test_empty_cells_have_the_prior():
    nothing = np.zeros((0, FACTORS.size))
    fit = fit_cells(nothing.astype(np.float32), np.zeros(0, int), nothing, prior=usual_prior(1))
    assert fit.n_star[0] == 0
    assert fit.factor[0] == pytest.approx(1.0, abs=0.002)
    assert fit.factor_error[0] == pytest.approx(0.1, abs=0.005)


def test_neighbours_recover_structure_and_leave_the_star_out():
    """A smooth gradient inside a cell: the neighbours know it, the star's own curve is not used."""
    rng = np.random.default_rng(4)
    n = 400
    l_deg, b_deg = rng.uniform(0.0, 0.025, n), rng.uniform(0.0, 0.025, n)
    factor = 1.0 + 4.0 * (l_deg - 0.0125)
    curves = gaussian_curves(rng.normal(factor, 0.03), 0.03)
    cell = np.zeros(n, np.int64)
    given = (np.array([1.0]), np.array([0.04]), np.ones((n, FACTORS.size)))
    local = refine(l_deg, b_deg, curves, cell, *given)
    assert local.n_neighbour > 0
    assert np.std(local.factor - factor) < 0.5 * np.std(factor)
    chi = np.std((local.factor - factor) / local.scatter)
    # Too wide, rather, where all is smooth: a neighbour may always lie behind another cloud.
    assert 0.4 < chi < 1.3
    # A star with a wild curve of its own must get the same answer.
    wild = curves.copy()
    wild[0] = gaussian_curves(np.array([1.4]), 0.03)
    again = refine(l_deg, b_deg, wild, cell, *given)
    assert again.factor[0] == pytest.approx(local.factor[0], abs=1e-6)
    assert again.factor_all[0] != local.factor_all[0]


def test_neighbours_are_dropped_where_they_say_nothing():
    """Without structure the cell alone scores best, or is as good."""
    rng = np.random.default_rng(5)
    n = 300
    factor = rng.normal(1.0, 0.08, n)
    curves = gaussian_curves(rng.normal(factor, 0.02), 0.02)
    local = refine(
        rng.uniform(0, 0.025, n), rng.uniform(0, 0.025, n), curves, np.zeros(n, np.int64),
        np.array([1.0]), np.array([0.082]), np.ones((n, FACTORS.size)),
    )  # fmt: skip
    assert local.n_neighbour == 0
    assert (local.scatter == 0.082).all()


def test_plane_has_true_distances():
    xy = plane(np.array([1.0, 1.01]), np.array([4.0, 4.0]))
    assert np.hypot(*np.diff(xy, axis=0)[0]) == pytest.approx(0.01 * np.cos(np.radians(4.0)))


def test_power_law_is_wang_and_chen():
    kappa = load_law("wang_chen_2019").rows[0]
    slope, offset = parameters_of(kappa)
    assert slope == pytest.approx(2.07, abs=1e-3)
    assert offset == pytest.approx(0.0, abs=1e-3)
    again = power_law(slope, offset, kappa[0] - kappa[2])
    np.testing.assert_allclose(again, kappa, atol=1e-12)
    assert again[0] - again[2] == pytest.approx(kappa[0] - kappa[2])
    assert WAVELENGTH_UM.shape == (3,)


def test_groups_cover_all_parts():
    assert len(GROUP_OF_PART) == len(PARTS)
    assert sorted(set(GROUP_OF_PART)) == list(range(len(GROUPS)))
    # Usual is what the components have, and nothing younger.
    usual = USUAL_OF_GROUP[GROUP_OF_PART]
    assert (usual[: len(COMPONENTS)] == 1.0).all()
    assert not usual[len(COMPONENTS) :].any()


def test_totals_are_relative_to_their_largest_value():
    value = np.random.default_rng(7).random((3, len(GROUPS), FACTORS.size)).astype(np.float16)
    curves = Curves(value, np.zeros(3))
    for weights in (None, np.arange(len(GROUPS)) + 0.5):
        used = USUAL_OF_GROUP if weights is None else weights
        expected = np.einsum("sgf,g->sf", value.astype(float), used)
        expected /= expected.max(axis=1, keepdims=True)
        np.testing.assert_allclose(curves.total(weights), expected, rtol=1e-5)


def test_no_scatter_is_exact():
    """Weights of a scatter below the step of the table pick the factor itself."""
    weights = gaussian_weights(np.array([1.0, 1.004]), np.array([0.0, 1e-4]))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(weights @ FACTORS, [1.0, 1.004])
    assert weights.max(axis=1) == pytest.approx([1.0, 0.6])
