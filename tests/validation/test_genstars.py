"""Star lists of genstars: how they are read, observed and scored."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table

from gcmock.dust.laws import load_law
from gcmock.errors import InputError
from gcmock.validation import genstars as module
from gcmock.validation.genstars import (
    LAW,
    Truth,
    draw_keys,
    load_truth,
    nuclear_of_summary,
    observed,
    score,
)
from gcmock.words.bands import BANDS, KS, J
from gcmock.words.components import COMPONENTS


@pytest.fixture
def folder(tmp_path):
    """A list of two fields of 30 stars each."""
    n = 60
    table = Table(
        {
            "field": np.repeat(["a", "b"], n // 2),
            "l": np.linspace(-0.5, 0.5, n),
            "b": np.full(n, -0.1),
            "a_ks": np.full(n, 2.0),
            "distance_pc": 7000.0 + np.arange(n),
            "component": np.tile(["bar", "nsd", "nsc"], n // 3),
            "phot_j_mag": np.full(n, 18.0),
            "phot_h_mag": np.full(n, 15.0),
            "phot_ks_mag": np.full(n, 13.0),
        }
    )
    table.write(tmp_path / "stars_cellmean.parquet")
    return tmp_path


def test_whole_list(folder):
    truth = load_truth(folder, "cellmean")
    np.testing.assert_array_equal(truth.distance_pc, 7000.0 + np.arange(60))
    np.testing.assert_array_equal(truth.mag[0], [18.0, 15.0, 13.0])
    # The nuclear cluster counts as nuclear as well.
    np.testing.assert_array_equal(truth.nuclear[:4], [False, True, True, False])


def test_same_random_stars_of_every_field(folder):
    truth, again = (load_truth(folder, "cellmean", 7) for _ in range(2))
    np.testing.assert_array_equal(truth.distance_pc, again.distance_pc)
    assert (truth.l_deg < 0).sum() == (truth.l_deg > 0).sum() == 7
    assert (np.diff(truth.distance_pc) > 0).all()


def test_another_law_is_put_on_by_the_reddening(folder):
    plain = load_truth(folder, "cellmean")
    other = load_truth(folder, "cellmean", true_law="nishiyama_2009")
    base = load_law(LAW).kappa(plain.l_deg, plain.b_deg)
    law = load_law("nishiyama_2009").kappa(plain.l_deg, plain.b_deg)
    reddening = plain.a_ks / base[:, KS]
    np.testing.assert_allclose(other.a_ks, law[:, KS] * reddening)
    # The magnitudes without extinction are the same.
    np.testing.assert_allclose(
        other.mag - law * reddening[:, None], plain.mag - base * reddening[:, None]
    )


def test_lists_that_cannot_be_used(folder):
    with pytest.raises(InputError, match=r"stars_subcell.parquet: no such file; --reference takes"):
        load_truth(folder, "subcell")
    Table({"l": [0.0], "b": [0.0]}).write(folder / "stars_subcell.parquet")
    with pytest.raises(InputError, match="lacks field, a_ks, distance_pc, component, phot_j_mag"):
        load_truth(folder, "subcell")


def test_observations_have_the_noise_and_no_hw(folder):
    truth = load_truth(folder, "cellmean")
    model = SimpleNamespace(reddening=lambda l_deg, b_deg: (l_deg + 2.0, b_deg**2))
    data = observed(truth, model, 0.05)
    assert data.mag.shape == (60, len(BANDS))
    pull = (data.mag[:, :3] - truth.mag) / data.mag_error[:, :3]
    assert pull.std() == pytest.approx(1.0, abs=0.25)
    assert np.isnan(data.mag[:, 3:]).all()
    assert np.isnan(data.mag_error[:, 3:]).all()
    np.testing.assert_array_equal(data.e_jks_rc, truth.l_deg + 2.0)
    without = observed(truth, model, 0.05, without_j=True)
    assert np.isnan(without.mag[:, J]).all()
    np.testing.assert_array_equal(without.mag[:, 1:3], data.mag[:, 1:3])


def test_every_draw_has_its_own_key():
    keys = draw_keys(20, 5)
    assert keys.shape == (20, 5)
    assert np.unique(keys).size == 100
    np.testing.assert_array_equal(draw_keys(10, 5), keys[:10])


def summary_of(p_nsd, p_nsc):
    p = np.zeros((len(p_nsd), len(COMPONENTS)), np.float32)
    p[:, COMPONENTS.index("nsd")], p[:, COMPONENTS.index("nsc")] = p_nsd, p_nsc
    quantile = np.tile([6000.0, 7000.0, 8000.0, 9000.0, 10000.0], (len(p_nsd), 1))
    return SimpleNamespace(probability=p, distance_quantile_pc=quantile)


def test_probability_of_both_nuclear_components():
    found = nuclear_of_summary(summary_of([0.25, 0.7], [0.5, 0.3000001]))
    np.testing.assert_allclose(found, [0.75, 1.0])
    assert (found <= 1.0).all()


def test_scores_by_hand():
    n = 40
    distance = np.where(np.arange(n) < 10, 9500.0, 8000.0)
    nuclear = np.arange(n) % 4 > 0
    zero = np.zeros(n)
    truth = Truth(zero, zero, np.zeros((n, 3)), zero, distance, nuclear)
    draws = SimpleNamespace(distance_pc=np.tile(np.arange(100.0), (n, 1)))
    found = score(truth, summary_of(np.full(n, 0.75), zero), draws)
    assert found.n == n
    assert found.base_brier == pytest.approx(0.1875)
    assert found.brier == pytest.approx(0.1875)
    assert found.ece == pytest.approx(0.0)
    assert found.coverage == 0.75
    # All truths lie above all draws.
    assert found.ks > 0.9


def test_lines_of_the_table(folder, monkeypatch):
    (folder / "stars_subcell.parquet").write_bytes((folder / "stars_cellmean.parquet").read_bytes())
    n = 20
    calls = []

    def infer(truth, model, workers):
        calls.append((truth.l_deg.size, model, workers))
        draws = truth.distance_pc[:, None] + np.linspace(-500.0, 500.0, 64)
        return summary_of(np.full(n, 0.7), np.zeros(n)), SimpleNamespace(distance_pc=draws)

    monkeypatch.setattr(module, "make_model", lambda *what: what)
    monkeypatch.setattr(module, "_infer", infer)
    checks = module.genstars_checks(folder, 50, 3)
    # A fifth of the stars of each field.
    assert calls == [
        (n, ("cell_mean", 0.0), 3), (n, ("subcell", 0.0), 3), (n, ("cell_mean", 0.0), 3),
    ]  # fmt: skip
    assert len(checks) == 11
    assert [check.quantity.split(":")[0] for check in checks[::5]] == [
        "mean of the cell", "own sub-cell", "control",
    ]  # fmt: skip
    # The control must be found out: here it is perfect too, which is a failure.
    assert checks[-1].expected.startswith("> ")
