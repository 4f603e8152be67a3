"""Stars of the model, measured as those of a list: which, how many, and how low their evidences."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

import gcmock
from gcmock.io.observed import read_observed
from gcmock.mock import reference_stars
from gcmock.mock.infer import prepare
from gcmock.mock.reference_stars import (
    LEAST_OF_KIND,
    ReferenceStars,
    brightest_band,
    choose,
    evidence_table,
    simulated_evidences,
    tables_of,
)
from gcmock.model import load_model
from gcmock.posterior.evidence import kind_of_data
from gcmock.random import star_key
from gcmock.settings.build import load_config
from gcmock.validation.scores import ks_uniform
from gcmock.words.bands import KS, H, J
from gcmock.words.flags import Flag


@pytest.fixture(scope="module")
def used():
    return load_model(config=load_config())


@pytest.fixture
def catalogue(few_stars, tmp_path, used):
    table = few_stars(300)
    table["phot_h_mag"][:100] = np.nan
    path = tmp_path / "stars.parquet"
    table.write(path)

    def read(order=None, config=used.config):
        if order is not None:
            table[order].write(path, overwrite=True)
        return read_observed(path, config)

    return read


def of_list(catalogue, used) -> ReferenceStars:
    stars = next(catalogue.chunks())
    data = prepare(stars, used, used.config.policy).data
    return ReferenceStars(data, star_key(1, stars.source_id))


def test_every_kind_of_measurements_has_its_stars(catalogue, used, monkeypatch):
    monkeypatch.setattr(reference_stars, "LEAST", 120)
    chosen = choose(catalogue(), used, used.config.policy)
    kind, count = np.unique(kind_of_data(chosen.data), return_counts=True)
    assert kind.size == 2
    assert sorted(count.tolist()) == [LEAST_OF_KIND, 80]


def test_neither_order_nor_chunks_matter(catalogue, used, monkeypatch):
    monkeypatch.setattr(reference_stars, "LEAST", 120)
    expected = choose(catalogue(), used, used.config.policy)
    small = load_config(None, {"run.chunk_size": 17})
    found = choose(catalogue(np.random.default_rng(1).permutation(300), small), used, small.policy)
    np.testing.assert_array_equal(found.key, expected.key)
    for name in ("mag", "l_deg", "e_jks_rc"):
        np.testing.assert_array_equal(getattr(found.data, name), getattr(expected.data, name))


def test_the_brightness_is_that_of_the_reddest_band(catalogue, used):
    data = of_list(catalogue(), used).data.take(np.arange(3))
    data.mag[:] = [[12.0, 11.0, 10.0, np.nan], [12.0, 11.0, np.nan, np.nan], [12.0] + 3 * [np.nan]]
    assert brightest_band(data).tolist() == [KS, H, J]


@pytest.mark.slow
def test_weights_are_those_of_importance_sampling(catalogue, used):
    """Their mean is one, and of ln Z no more is asked than that of plain draws."""
    stars = of_list(catalogue(), used).take(np.arange(150, 190))
    log_z, weight = simulated_evidences(stars, used, 128, 1)
    assert log_z.shape == weight.shape == (40, 128)
    assert weight.mean() == pytest.approx(1.0, abs=0.03)
    assert (weight >= 0.0).all()
    assert weight.max() <= 4.0 + 1e-9
    # The first half without preference for the foreground, every other with the errors as given.
    plain = log_z[:, :64:2]
    weighted = (weight * log_z).sum() / weight.sum()
    assert weighted == pytest.approx(plain.mean(), abs=0.1)


def test_workers_change_nothing(catalogue, used):
    stars = of_list(catalogue(), used).take(np.arange(90, 110))
    one, other = (simulated_evidences(stars, used, 8, workers) for workers in (1, 2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.slow
def test_single_magnitudes_are_compared_with_brighter_stars(catalogue, used):
    stars = of_list(catalogue(), used).take(np.arange(100))
    assert np.isnan(stars.data.mag[:, H]).all()
    (table,) = tables_of(stars, used, 1).values()
    faintest = np.quantile(stars.data.mag[:, KS], 0.999)
    one = stars.data.take(np.zeros(1200, int))
    one.mag[:, KS] = np.linspace(2.0, faintest, 1200)
    log_z = used.posterior.log_evidence(one)
    evidences = reference_stars.EvidenceTable({int(kind_of_data(one)[0]): table})
    p = evidences.p_value(one, used.posterior.variance(one), log_z)
    expected = np.cumsum(np.exp(log_z)) / np.exp(log_z).sum()
    np.testing.assert_allclose(p[400:], expected[400:], rtol=0.3, atol=0.03)
    assert p[200] < 1e-3
    assert (np.diff(p) >= 0.0).all()


def test_stars_without_magnitudes_have_no_table(catalogue, used):
    stars = of_list(catalogue(), used).take(np.arange(3))
    stars.data.mag[:] = np.nan
    assert tables_of(stars, used, 1) == {}


def measured(truth, rng, bands, error, **others) -> Table:
    """Stars of the model with noise in some bands."""
    n = len(truth)
    table = Table({name: np.asarray(truth[name]) for name in ("source_id", "l", "b")})
    for band in bands:
        sigma = np.exp(rng.uniform(*np.log(error), n))
        noise = rng.normal(0.0, np.hypot(sigma, 0.01))
        table[f"phot_{band}_mag"] = np.asarray(truth[f"phot_{band}_mag"]) + noise
        table[f"phot_{band}_mag_error"] = sigma
    for name, limits in others.items():
        table[f"{name}_error"] = np.exp(rng.uniform(*np.log(limits), n))
        table[name] = np.asarray(truth[name]) + rng.normal(0.0, table[f"{name}_error"])
    return table


@pytest.mark.long
@pytest.mark.parametrize(
    ("bands", "error", "others"),
    [
        (("j", "h", "ks"), (0.05, 0.05), {}),
        (("j", "h", "ks"), (0.02, 0.15), {}),
        (("h", "ks"), (0.02, 0.1), {}),
        (("ks",), (0.05, 0.05), {}),
        (("j", "h", "ks"), (0.03, 0.03), {"parallax": (0.03, 0.3)}),
        (("j", "ks"), (0.05, 0.05), {"pmra": (0.1, 2.0), "pmdec": (0.1, 2.0)}),
    ],
)
def test_p_is_uniform_on_the_models_own_stars(bands, error, others):
    truth = gcmock.simulate(l=(0.1, 0.2), b=(-0.25, -0.2), ks_max=14.5, seed=3)
    rng = np.random.default_rng(4)
    table = measured(truth, rng, bands, error, **others)
    table = table[np.asarray(table["phot_ks_mag"]) < 13.5]
    table = table[rng.permutation(len(table))[:3000]]
    mock = gcmock.build(table, no_learn=True)
    p = np.asarray(mock["evidence_pvalue"])
    # The scatter of 3,000 numbers is 0.03 at most in 99 of 100 cases; the table adds to it.
    assert ks_uniform(p) < 0.045
    assert (p < 1e-3).sum() <= 12
    flagged = (np.asarray(mock["flags"]) & Flag.UNEXPLAINED) != 0
    np.testing.assert_array_equal(flagged, p < 1e-4)


@pytest.mark.slow
def test_a_list_has_one_table_whatever_its_order(catalogue, used, monkeypatch):
    monkeypatch.setattr(reference_stars, "LEAST", 40)
    monkeypatch.setattr(reference_stars, "LEAST_OF_KIND", 20)
    first = evidence_table(catalogue(), used, used.config.policy)
    order = np.random.default_rng(2).permutation(300)
    second = evidence_table(catalogue(order), used, used.config.policy, 2)
    assert first.tables.keys() == second.tables.keys()
    for code, table in first.tables.items():
        for mine, other in zip(table, second.tables[code], strict=True):
            np.testing.assert_array_equal(mine, other)
