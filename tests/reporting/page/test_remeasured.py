"""Drawn stars measured again, beside what was measured of them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from mock_rows import Rows, mock_rows

from gcmock.learned import nothing_learned
from gcmock.model import load_model
from gcmock.reporting.page.observed import observed_stars
from gcmock.reporting.page.remeasured import REMEASURED_COLUMNS, Remeasured, deviation
from gcmock.reporting.page.sample import RowSample
from gcmock.settings.build import load_config
from gcmock.words.bands import BANDS, KS, N_LINEAR

N = 20_000


def model_with(floor=0.0, learned=None):
    variance = np.full(len(BANDS), floor**2)
    return SimpleNamespace(posterior=SimpleNamespace(model_variance=variance), learned=learned)


def remeasured(drawn, observed, model, n=N):
    """Drawn magnitudes and observed columns, both by name of the band."""
    rows = mock_rows(["bar"] * n, **{f"phot_{b}_mag": mag for b, mag in drawn.items()})
    sample = RowSample(n, REMEASURED_COLUMNS)
    sample.add(rows)
    found = Remeasured(sample, model)
    table = {"source_id": np.arange(n), "l": np.zeros(n), "b": np.zeros(n), **observed}
    for stars in observed_stars(Rows(table), load_config()):
        found.add(stars)
    return found


def measured(drawn, error, seed=1):
    rng = np.random.default_rng(seed)
    out = {}
    for band, mag in drawn.items():
        out[f"phot_{band}_mag"] = mag + error * rng.normal(size=np.size(mag))
        out[f"phot_{band}_mag_error"] = np.full(np.size(mag), error)
    return out


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(4)
    ks = rng.uniform(11.0, 14.0, N)
    return {"j": ks + 3.5 + rng.normal(0, 0.3, N), "h": ks + 1.2 + rng.normal(0, 0.1, N), "ks": ks}


def chi2_of(found):
    data, mock = found.colours
    good = data + mock >= 20
    return float(np.mean(deviation(data, mock)[good] ** 2))


def test_errors_as_they_are_said_to_be_leave_chance(drawn):
    found = remeasured(drawn, measured(drawn, 0.08), model_with())
    assert found.n_star == N
    assert found.diagrams[0, 0].sum() == pytest.approx(found.diagrams[1, 0].sum(), rel=1e-3)
    # Both sides scatter, each with a variance of one.
    assert 1.4 < chi2_of(found) < 2.6


def test_errors_that_are_too_small_show(drawn):
    table = measured(drawn, 0.16)
    for name in table:
        if name.endswith("_error"):
            table[name] /= 2.0
    stated = remeasured(drawn, table, model_with())
    assert chi2_of(stated) > 5.0
    # Learned, they do not.
    nothing = nothing_learned("subcell", load_model().law)
    scaled = replace(nothing, error_scale=np.full(N_LINEAR, 2.0))
    assert chi2_of(remeasured(drawn, table, model_with(learned=scaled))) < 2.6
    # Nor do they with the error of the model that makes up for them.
    assert chi2_of(remeasured(drawn, table, model_with(floor=0.16 * 0.75**0.5))) < 2.6


def test_both_sides_have_the_same_stars_in_the_same_bands(drawn):
    table = measured(drawn, 0.05)
    table["phot_j_mag"][: N // 2] = np.nan
    table["phot_j_mag_error"][: N // 2] = np.nan
    found = remeasured(drawn, table, model_with())
    assert found.colours.sum(axis=(1, 2)) == pytest.approx(N // 2, rel=2e-3)
    assert found.magnitudes[0, KS].sum() == found.magnitudes[1, KS].sum() == N
    assert found.magnitudes[:, N_LINEAR:].sum() == 0


def test_stars_that_are_not_in_the_input_do_not_count(drawn):
    table = measured(drawn, 0.05)
    found = remeasured(drawn, table | {"source_id": np.arange(N) + N // 2}, model_with())
    assert found.n_star == N // 2


def test_the_same_stars_are_measured_the_same_in_any_order(drawn):
    table = measured(drawn, 0.05)
    order = np.random.default_rng(2).permutation(N)
    one = remeasured(drawn, table, model_with())
    other = remeasured(
        drawn, {"source_id": order} | {k: v[order] for k, v in table.items()}, model_with()
    )
    np.testing.assert_array_equal(one.diagrams, other.diagrams)


def test_deviation():
    found = deviation(np.array([0.0, 9.0, 4.0, 0.0]), np.array([0.0, 9.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, [np.nan, 0.0, 4.0 / np.sqrt(2.0), -np.sqrt(2.0)])
