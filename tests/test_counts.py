"""Expected counts against genstars' star lists, against brute force, and against themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import ndtr

from gcmock.dust.profile import profile
from gcmock.errors import InputError, OutsideModelError
from gcmock.model import Model, load_model
from gcmock.posterior.sightline import prior_counts
from gcmock.settings.build import load_config
from gcmock.words.components import COMPONENTS

CELL_DEG = 0.025
FIELDS = {"T1": (0.30, -0.25), "T2": (-0.75, 0.40), "T3": (0.0, -0.15), "T4": (-1.2, -0.5),
          "T5": (0.55, 0.2)}  # fmt: skip
DISTANCES = np.array([900.0, 3000.0, 6000.0, 7600.0, 8160.0, 9000.0])
NSD, NSC = COMPONENTS.index("nsd"), COMPONENTS.index("nsc")


def make_model(map_value: str = "subcell", scatter: float = 0.0, **settings: object) -> Model:
    values = {
        "populations.name": "koshimoto2021",
        "extinction.map_value": map_value,
        "extinction.residual_scatter_mag": scatter,
    }
    return load_model(config=load_config(None, values | settings))


@pytest.fixture(scope="module")
def model() -> Model:
    return make_model(scatter=0.1)


def genstars_counts(shared: Path, stars: str) -> tuple[np.ndarray, np.ndarray]:
    """Stars of a list and expected stars, (n_field, n_component) without the cluster.

    genstars counts the stars of the nuclear cluster as nuclear disc.
    """
    table = pq.read_table(shared / "reference" / f"stars_{stars}.parquet")
    field, component = (np.array(table[name].to_pylist()) for name in ("field", "component"))
    model = make_model("cell_mean" if stars == "cellmean" else "subcell")
    half, inner = CELL_DEG / 2, 3 * CELL_DEG / 2
    found, expected = [], []
    for name, (l0, b0) in FIELDS.items():
        counts = model.expected_counts(
            l0 + np.array([half, inner, half, inner]),
            b0 + np.array([half, half, inner, inner]),
            "ks",
            (6.0, 15.5),
            CELL_DEG**2,
            subcells=stars == "subcell",
        ).sum(axis=(0, 2))
        counts[NSD] += counts[NSC]
        expected.append(counts[:NSC])
        found.append([((component == c) & (field == name)).sum() for c in COMPONENTS[:NSC]])
    return np.array(found), np.array(expected)


@pytest.mark.parametrize("stars", ["cellmean", "subcell"])
def test_genstars_lists(stars: str, shared_dir: Path) -> None:
    for name, found, expected in zip(FIELDS, *genstars_counts(shared_dir, stars), strict=True):
        tolerance = 3.0 * np.sqrt(expected) + 0.02 * expected
        np.testing.assert_array_less(np.abs(found - expected), tolerance, err_msg=name)
        assert abs(sum(found) - expected.sum()) < 0.02 * expected.sum()


@pytest.mark.slow
@pytest.mark.parametrize("band", ["j", "h", "ks", "hw"])
def test_brute_force(model: Model, band: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A direct sum over nodes, some distances and a fine grid of reddenings gives the same."""
    l_deg, b_deg, e_jks, tau = 1.0125, -0.9875, 1.3, 0.15
    edges = np.array([12.0, 14.0, 16.0])
    grid = model.grid
    bins = np.flatnonzero(np.isin(np.arange(len(grid)), np.searchsorted(grid.centre_pc, DISTANCES)))
    prior = np.zeros((1, len(COMPONENTS), len(grid)))
    prior[..., bins] = 1.0
    monkeypatch.setattr("gcmock.counts.prior_counts", lambda *_: prior)
    counts = model.expected_counts(l_deg, b_deg, band, edges, e_jks=e_jks, tau=tau)[0]
    shape = profile(l_deg, b_deg, grid.centre_pc)
    x = np.linspace(-4.5, 4.5, 46)
    mass = np.diff(ndtr(np.concatenate([[-np.inf], 0.5 * (x[1:] + x[:-1]), [np.inf]])))
    kappa = model.law.kappa(l_deg, b_deg)
    for c in (0, 8, 9):
        nodes = model.populations.nodes(COMPONENTS[c])
        direct = np.zeros(2)
        for i in bins:
            e = np.maximum(e_jks + tau * x, 0.0)[:, None, None] * shape[i]
            mag = nodes.absolute_mag + grid.distance_modulus[i] + kappa * e
            value = model.relations["hw"].mag(mag[..., 0], mag[..., 1])
            if band != "hw":
                value = mag[..., ("j", "h", "ks").index(band)]
            weight = mass[:, None] * nodes.weight
            direct += np.histogram(value, edges, weights=weight)[0]
        np.testing.assert_allclose(counts[c], direct, rtol=0.01)


def test_bins_add_up_and_area_scales(model: Model) -> None:
    fine = model.expected_counts([0.3, 2.0], [-0.2, 1.5], "h", np.arange(8.0, 17.0, 0.5))
    coarse = model.expected_counts([0.3, 2.0], [-0.2, 1.5], "h", (8.0, 16.5), area_deg2=2.0)
    np.testing.assert_allclose(2.0 * fine.sum(axis=2), coarse[..., 0], rtol=1e-10)
    assert (fine >= 0.0).all()


def test_all_stars_with_magnitudes(model: Model) -> None:
    """Without a limit: the living stars times the fraction of them that the isochrones cover."""
    counts = model.expected_counts(0.5125, 0.1125, "ks", (-np.inf, np.inf))[0, :, 0]
    prior = prior_counts(model.galaxy, [0.5125], [0.1125], model.grid)[0].sum(axis=1)
    fraction = [model.populations.nodes(name).weight.sum() for name in COMPONENTS]
    np.testing.assert_allclose(counts, prior * fraction, rtol=1e-9)


def test_subcells_average(model: Model) -> None:
    cell = (0.3125, -0.2375)
    offset = np.arange(-2, 3) * 0.005
    l_deg, b_deg = (a.ravel() for a in np.meshgrid(cell[0] + offset, cell[1] + offset))
    each = model.expected_counts(l_deg, b_deg, "ks", (6.0, 15.0))
    mean = model.expected_counts(*cell, "ks", (6.0, 15.0), subcells=True)
    np.testing.assert_allclose(each.mean(axis=0), mean[0], rtol=1e-9)


def test_more_dust_fewer_stars(model: Model) -> None:
    edges = (6.0, 15.0)
    few = model.expected_counts(0.3, -0.2, "j", edges, e_jks=5.0, tau=0.0)
    many = model.expected_counts(0.3, -0.2, "j", edges, e_jks=1.0, tau=0.0)
    assert (few[0, :, 0] < many[0, :, 0]).all()


def test_longitude_of_any_turn(model: Model) -> None:
    np.testing.assert_array_equal(
        model.expected_counts(359.5, 0.1), model.expected_counts(-0.5, 0.1)
    )


def test_errors(model: Model) -> None:
    with pytest.raises(InputError, match="unknown band 'k'"):
        model.expected_counts(0.0, 0.0, "k")
    with pytest.raises(InputError, match="increasing"):
        model.expected_counts(0.0, 0.0, "ks", (15.0, 14.0))
    with pytest.raises(InputError, match="leave out e_jks"):
        model.expected_counts(0.0, 0.0, subcells=True, e_jks=1.0)
    with pytest.raises(OutsideModelError, match="b = 30"):
        model.expected_counts(0.0, 30.0)
