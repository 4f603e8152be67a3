"""The mock survey: errors, incompleteness, parallaxes; a function of star and seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

from gcmock.errors import InputError
from gcmock.mock.survey import SURVEY_COLUMNS, SurveyModel, survey
from gcmock.words.bands import SURVEY_BANDS

N_STAR = 6000


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    ks = rng.uniform(9.0, 16.0, N_STAR)
    return {
        "source_id": rng.permutation(10 * N_STAR)[:N_STAR],
        "ra": rng.uniform(266.0, 267.0, N_STAR),
        "dec": rng.uniform(-29.5, -28.5, N_STAR),
        "l": rng.uniform(-0.5, 0.5, N_STAR),
        "b": rng.uniform(-0.5, 0.5, N_STAR),
        "parallax": rng.uniform(0.1, 0.2, N_STAR),
        "phot_ks_mag": ks,
        "phot_h_mag": ks + 0.3,
        "phot_j_mag": ks + 1.0,
    }


def magnitudes(table: dict[str, np.ndarray]) -> np.ndarray:
    return np.column_stack([table[f"phot_{band}_mag"] for band in SURVEY_BANDS])


def rows_of(seen: dict[str, np.ndarray], truth: dict[str, np.ndarray]) -> np.ndarray:
    order = np.argsort(truth["source_id"])
    return order[np.searchsorted(truth["source_id"], seen["source_id"], sorter=order)]


def test_errors_and_completeness_at_the_limit() -> None:
    """0.2 mag and one half there; a magnitude further, 10^0.4 times the error."""
    settings = SurveyModel(floor_mag=(0.0, 0.0, 0.0))
    limit = np.array(settings.limit_mag)
    np.testing.assert_allclose(settings.magnitude_error(limit), 0.2)
    np.testing.assert_allclose(settings.magnitude_error(limit + 1.0), 0.2 * 10.0**0.4)
    np.testing.assert_allclose(settings.completeness(limit), 0.5)
    np.testing.assert_allclose(settings.completeness(limit - 0.3), norm.cdf(1.0))
    floor = SurveyModel().magnitude_error(np.array([0.0, 0.0, 0.0]))
    np.testing.assert_allclose(floor, SurveyModel().floor_mag, rtol=1e-6)


def test_errors_of_parallaxes() -> None:
    g_mag = np.array([10.0, 17.0, 20.0])
    expected = np.array([0.01295, 0.0793, 0.617])
    np.testing.assert_allclose(SurveyModel().parallax_error(g_mag), expected, rtol=0.01)
    half = SurveyModel(parallax_error_factor=0.5).parallax_error(g_mag)
    np.testing.assert_allclose(half, 0.5 * expected, rtol=0.01)


def test_columns_pass_through_and_what_is_not_seen_is_missing(truth) -> None:
    seen = survey(truth, 4)
    assert tuple(seen) == tuple(column.name for column in SURVEY_COLUMNS)
    rows = rows_of(seen, truth)
    assert (np.diff(rows) > 0).all()
    for name in ("ra", "dec", "l", "b"):
        np.testing.assert_array_equal(seen[name], truth[name][rows])
    assert np.isfinite(seen["phot_ks_mag"]).all()
    for band in SURVEY_BANDS:
        mag, error = seen[f"phot_{band}_mag"], seen[f"phot_{band}_mag_error"]
        np.testing.assert_array_equal(np.isfinite(mag), np.isfinite(error))
    np.testing.assert_array_equal(np.isfinite(seen["ruwe"]), np.isfinite(seen["parallax"]))


def test_zero_point_is_put_on_all_parallaxes(truth) -> None:
    seen, moved = survey(truth, 4), survey(truth, 4, zero_point_mas=-0.03)
    np.testing.assert_allclose(moved["parallax"], seen["parallax"] - 0.03, atol=1e-12)


def test_errors_have_the_claimed_distribution(truth) -> None:
    settings = SurveyModel(limit_mag=(15.0, 14.3, 14.0), gaia_g_max=30.0)
    seen = survey(truth, 4, settings)
    rows = rows_of(seen, truth)
    true_mag = magnitudes(truth)[rows]
    for i, band in enumerate(SURVEY_BANDS):
        error = seen[f"phot_{band}_mag_error"]
        has = np.isfinite(error)
        np.testing.assert_allclose(error[has], settings.magnitude_error(true_mag)[has, i])
        pull = (seen[f"phot_{band}_mag"] - true_mag[:, i])[has] / error[has]
        assert kstest(pull, norm.cdf).pvalue > 1e-3, band
    near = np.abs(truth["phot_ks_mag"] - 14.0) < 0.3
    chance = settings.completeness(magnitudes(truth))[near, 2]
    found = np.isin(truth["source_id"][near], seen["source_id"]).sum()
    assert abs(found - chance.sum()) < 4.0 * np.sqrt((chance * (1.0 - chance)).sum())


def test_bad_parallaxes_are_as_bad_as_their_ruwe(truth) -> None:
    settings = SurveyModel(gaia_g_max=30.0)
    seen = survey(truth, 4, settings)
    true = truth["parallax"][rows_of(seen, truth)]
    pull = (seen["parallax"] - true) / seen["parallax_error"]
    bad = seen["ruwe"] > 2.0
    assert bad.mean() == pytest.approx(0.05, abs=0.02)
    assert kstest(pull[~bad], norm.cdf).pvalue > 1e-3
    assert np.std(pull[bad]) == pytest.approx(3.0, rel=0.2)
    assert np.std(seen["ruwe"][~bad]) == pytest.approx(0.05, rel=0.1)
    assert np.mean(seen["ruwe"][bad]) == pytest.approx(3.0, rel=0.02)


def test_faint_stars_have_no_parallax(truth) -> None:
    """G = J + 2.5 (J - Ks), here Ks + 3.5."""
    seen = survey(truth, 4, SurveyModel(gaia_g_max=15.5))
    expected = truth["phot_ks_mag"][rows_of(seen, truth)] < 12.0
    np.testing.assert_array_equal(np.isfinite(seen["parallax"]), expected)


def test_a_survey_of_a_part_is_a_part_of_the_survey(truth) -> None:
    whole = survey(truth, 4)
    half = survey({name: values[::-2] for name, values in truth.items()}, 4)
    rows = rows_of(half, whole)
    for name, values in half.items():
        np.testing.assert_array_equal(values, whole[name][rows], err_msg=name)
    other = survey(truth, 5)
    both = np.isin(other["source_id"], whole["source_id"])
    again = whole["phot_ks_mag"][rows_of({k: v[both] for k, v in other.items()}, whole)]
    assert (other["phot_ks_mag"][both] != again).all()


def test_another_detection_probability(truth) -> None:
    def west_only(l_deg: np.ndarray, b_deg: np.ndarray, mag: np.ndarray) -> np.ndarray:
        np.testing.assert_array_equal(mag, magnitudes(truth))
        np.testing.assert_array_equal(b_deg, truth["b"])
        return np.where(l_deg < 0.0, 1.0, 0.0)[:, None] * np.array([0.5, 1.0, 1.0])

    seen = survey(truth, detection=west_only)
    assert seen["source_id"].tolist() == truth["source_id"][truth["l"] < 0.0].tolist()
    fraction = np.isfinite(seen["phot_j_mag"])
    assert fraction.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(fraction.size))
    assert np.isfinite(seen["phot_h_mag"]).all()


def test_missing_columns_are_all_named() -> None:
    words = "lack the columns ra, dec, b, parallax, phot_j_mag, phot_h_mag"
    with pytest.raises(InputError, match=words):
        survey({"source_id": np.arange(3), "l": np.zeros(3), "phot_ks_mag": np.ones(3)})
