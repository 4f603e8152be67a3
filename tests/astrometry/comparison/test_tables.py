"""Tables of a comparison."""

from __future__ import annotations

import numpy as np
import pytest
from astrometry_errors import errors_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from gcmock.astrometry.comparison.separation import MEASURES
from gcmock.astrometry.comparison.tables import (
    BIN_MAG,
    BY_MAGNITUDE_COLUMNS,
    CELL_DEG,
    MAP_COLUMNS,
    SEPARATION_COLUMNS,
    binned_errors,
    expected_half_range,
    pull_table,
    residual_map,
    separated,
)
from gcmock.astrometry.observations.folder import PARAMETERS

pytestmark = pytest.mark.usefixtures("interpreted")


@pytest.fixture(scope="module")
def errors():
    return errors_of()


def test_pulls_are_errors_over_formal_errors(errors):
    without = errors_of(without_modes=0.5 * errors.error)
    for k, row in enumerate(pull_table(without)):
        pull = errors.error[:, k] / np.sqrt(errors.covariance[:, k, k])
        assert row["parameter"] == PARAMETERS[k]
        assert row["mean_as_is"] == pytest.approx(pull.mean())
        assert row["std_as_is"] == pytest.approx(1.0, abs=0.05)
        assert row["std_without_modes"] == pytest.approx(0.5 * row["std_as_is"])


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(sigma=st.lists(st.floats(0.01, 100.0), min_size=1, max_size=8))
def test_half_ranges_hold_their_part_of_the_errors(sigma):
    sigma = np.array(sigma)
    found = expected_half_range(sigma)
    assert sigma.min() * 0.999 <= found <= sigma.max() * 1.001
    # Sizes of one kind end at the border of the range, where the part is 0.6827 to four digits.
    assert erf(found / sigma / np.sqrt(2.0)).mean() == pytest.approx(0.6827, abs=1e-4)


def test_bins_of_half_a_magnitude(errors):
    found = binned_errors(errors)
    assert list(found) == [column.name for column in BY_MAGNITUDE_COLUMNS]
    assert found["phot_hw_mag"].tolist() == [10.25 + 0.5 * k for k in range(9)]
    assert found["n_star"].sum() == len(errors.hw)
    inside = (errors.hw >= 11.0) & (errors.hw < 11.0 + BIN_MAG)
    assert found["n_star"][2] == inside.sum()
    rms = np.sqrt((errors.error[inside, 4] ** 2).mean())
    assert found["pmdec_rms"][2] == pytest.approx(rms)
    for kind in ("rms", "robust"):
        ratio = found[f"parallax_{kind}"] / found["parallax_formal"]
        np.testing.assert_allclose(ratio, 1.0, atol=0.25)
    assert (np.diff(found["parallax_formal"]) > 0).all()


def test_maps_are_weighted_means(errors):
    found = residual_map(errors)
    assert list(found) == [column.name for column in MAP_COLUMNS]
    assert found["n_star"].sum() == len(errors.hw)
    # A gnomonic map of 0.6 deg around the mean direction.
    k = int(np.argmax(found["n_star"]))
    mean = errors.ra.mean(), errors.dec.mean()
    east = (errors.ra - mean[0]) * np.cos(np.radians(errors.dec))
    inside = np.abs(east - found["east"][k]) < 0.49 * CELL_DEG
    inside &= np.abs(errors.dec - mean[1] - found["north"][k]) < 0.49 * CELL_DEG
    assert inside.sum() == pytest.approx(found["n_star"][k], rel=0.15)
    assert found["ra"][k] == pytest.approx(errors.ra[inside].mean(), abs=0.01)


def test_a_cell_weighs_its_stars():
    # A little to the south-west, so that the centre is no border of cells.
    ra, dec = 266.4 + np.array([0.0, 0.02, 0.03, 0.3]), np.full(4, -28.9)
    few = errors_of(4, ra=ra, dec=dec)
    found = residual_map(few)
    for k in range(len(found["n_star"])):
        inside = np.abs(ra.mean() - ra + found["east"][k] / np.cos(np.radians(dec))) < 0.0571
        assert found["n_star"][k] == inside.sum()
        weight = 1.0 / few.sigma[inside, 2] ** 2
        mean = (weight * few.without_modes[inside, 2]).sum() / weight.sum()
        assert found["parallax_residual"][k] == pytest.approx(mean)
        assert found["parallax_residual_error"][k] == pytest.approx(1.0 / np.sqrt(weight.sum()))
    assert sorted(found["n_star"]) == [1, 3]


def test_separation_counts_what_it_says(errors):
    few = errors_of(120)
    found = separated(few)
    assert list(found) == [column.name for column in SEPARATION_COLUMNS]
    assert found["measure"].tolist() == [name for name in MEASURES for _ in range(2)]
    nsd = few.component == "nsd"
    assert found["n_nsd"].tolist() == [int((nsd & (few.hw < 12.5)).sum()), int(nsd.sum())] * 3
    assert found["hw_max"].tolist() == [12.5, few.hw.max()] * 3
    assert found["n_star"][1] == 120
    for limit in (50, 90):
        for kind in ("found", "purity"):
            assert ((found[f"{kind}_{limit}"] >= 0) & (found[f"{kind}_{limit}"] <= 1)).all()
    assert (found["found_90"] <= found["found_50"]).all()
    # Parallaxes are all alike here; motions are not.
    assert found["purity_50"][3] > nsd.mean() + 0.1


def test_hardly_any_disc_is_not_separated():
    few = errors_of(100, component=np.where(np.arange(100) < 19, "nsd", "bar"))
    assert separated(few) is None
