"""What is learned of measurements, from stars whose evidence is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from known_stars import INTRINSIC, MAG, Known, moving, normal, stars

from gcmock.calibration.measurements import (
    LEAST_STARS,
    LOG_ERROR_PRIOR,
    OUTLIER,
    fit_cases,
    fit_error_scale,
    fit_measurements,
    log_floor,
    some_of,
    usual_measurements,
    with_scale,
)
from gcmock.calibration.parallaxes import ZERO_POINT_PRIOR
from gcmock.posterior.mixture import of_cases_in_use
from gcmock.words.bands import KS, LINEAR_BANDS
from gcmock.words.cases import BAD_PARALLAX, CASES, CLEAN, N_CASE, usual_fractions

NAMES = [case.name for case in CASES]


def none_other(n):
    """Evidence of other cases: next to none."""
    return np.full(n, -500.0)


# Errors


def test_errors_that_are_too_small_are_found():
    n = 1500
    data = stars(n, scale=1.5, with_parallax=False)
    scale, error = fit_error_scale(Known(), data, none_other(n), 1)
    assert abs(np.log(scale / 1.5)) < 4.0 * error + 0.01
    # Of 3 n measurements the logarithm of a width is known to 1 / sqrt(6 n).
    assert error == pytest.approx(1.0 / np.sqrt(6.0 * n), rel=0.3)


def test_errors_that_are_right_stay():
    data = stars(1500, with_parallax=False)
    scale, error = fit_error_scale(Known(), data, none_other(1500), 1)
    assert abs(np.log(scale)) < 3.0 * error + 0.005


def test_outliers_do_not_make_errors_larger():
    n = 1500
    data = stars(n, with_parallax=False)
    rng = np.random.default_rng(2)
    data.mag[: n // 20, :3] += rng.normal(0.0, 0.5, (n // 20, 3))
    plain, _ = fit_error_scale(Known(), data, none_other(n), 1)
    robust, _ = fit_error_scale(Known(), data, log_floor(Known(), data, 1), 1)
    assert plain > 1.5
    assert robust < 1.1


def test_few_stars_have_the_prior():
    data = stars(1, with_parallax=False)
    data.mag[:, :3] = np.nan
    scale, error = fit_error_scale(Known(), data, none_other(1), 1)
    assert scale == pytest.approx(1.0, abs=1e-6)
    assert error == pytest.approx(LOG_ERROR_PRIOR, rel=1e-6)


def test_scales_are_those_of_linear_bands():
    data = stars(3)
    data.mag_error[:, len(LINEAR_BANDS) :] = 0.05
    found = with_scale(data, np.array([1.1, 1.2, 1.3]))
    np.testing.assert_allclose(found.mag_error[:, :3], data.mag_error[:, :3] * [1.1, 1.2, 1.3])
    np.testing.assert_array_equal(found.mag_error[:, 3:], data.mag_error[:, 3:])


def test_the_floor_is_that_of_an_outlier():
    data = stars(4, with_parallax=False)
    data.mag[0, KS] += 2.0
    found = log_floor(Known(), data, 1)
    width = np.sqrt(data.mag_error[:, :3] ** 2 + OUTLIER.mag[KS] ** 2 + INTRINSIC**2)
    expected = normal(data.mag[:, :3], MAG, width).sum(axis=1)
    expected += np.log(1.0 - usual_fractions()[CLEAN])
    np.testing.assert_allclose(found, expected)
    # The outlier is below the floor, the others above.
    above = Known().log_evidence(data) > found
    assert above.tolist() == [False, True, True, True]


# The search


# Cases


def test_fractions_are_recovered():
    """Stars of three cases of different widths: expectation and maximisation."""
    rng = np.random.default_rng(4)
    n = 20_000
    width = {"clean": 1.0, "blend": 4.0, "outlier": 20.0}
    true = {"clean": 0.8, "blend": 0.15, "outlier": 0.05}
    kind = rng.choice(list(width), n, p=list(true.values()))
    x = rng.normal(0.0, [width[k] for k in kind])
    log_z = np.full((n, N_CASE), -np.inf)
    for name, w in width.items():
        log_z[:, NAMES.index(name)] = normal(x, 0.0, w)
    fraction, error = fit_cases(log_z, usual_fractions())
    assert fraction.sum() == pytest.approx(1.0)
    # What never applies keeps its fraction; the others share what is left.
    learned = sum(usual_fractions()[NAMES.index(name)] for name in width)
    for name, expected in true.items():
        place = NAMES.index(name)
        assert abs(fraction[place] - expected * learned) < 0.012
        assert 0.0005 < error[place] < 0.005
    # Of cases that never apply nothing is learned.
    rest = [i for i, name in enumerate(NAMES) if name not in width]
    np.testing.assert_allclose(fraction[rest], usual_fractions()[rest])


def test_cases_that_are_switched_off_get_no_stars():
    usual = of_cases_in_use(usual_fractions(), ("blend",))
    log_z = np.zeros((500, N_CASE))
    log_z[:, NAMES.index("outlier")] = 9.0
    fraction, error = fit_cases(log_z, usual)
    assert fraction.sum() == pytest.approx(1.0)
    off = [i for i, name in enumerate(NAMES) if name not in ("clean", "blend")]
    assert (fraction[off] == 0.0).all()
    assert np.isfinite(error).all()


def test_few_stars_have_nearly_the_usual_fractions():
    fraction, _ = fit_cases(np.zeros((3, N_CASE)), usual_fractions())
    np.testing.assert_allclose(fraction, usual_fractions(), atol=0.02)


def test_evidences_that_are_equal_teach_nothing():
    fraction, _ = fit_cases(np.zeros((5000, N_CASE)), usual_fractions())
    np.testing.assert_allclose(fraction, usual_fractions(), atol=1e-4)


# All of it


def test_everything_that_a_list_says_of_its_measurements():
    n = 3000
    data = stars(n, zero=-0.05, parallax_scale=1.3)
    rng = np.random.default_rng(9)
    wrong = rng.random(n) < 0.06
    data.mag[wrong, 0] += rng.normal(0.0, 0.8, int(wrong.sum()))
    bad = rng.random(n) < 0.1
    data.parallax[bad] += BAD_PARALLAX * data.parallax_error[bad] * rng.normal(size=int(bad.sum()))
    found = fit_measurements(Known(), data, 1.25, 0.03, 1)
    assert found.error_scale.tolist() == [1.25] * len(LINEAR_BANDS)
    assert found.error_scale_error == 0.03
    assert abs(found.zero_point_mas + 0.05) < 4.0 * found.zero_point_error_mas + 0.002
    assert 1.15 < found.parallax_scale < 1.6
    fraction = dict(zip(NAMES, found.case_fraction, strict=True))
    assert fraction["mismatch_j"] == pytest.approx(0.06, abs=0.025)
    assert 0.03 < fraction["parallax"] < 0.13
    assert fraction["mismatch_h"] < 0.01
    assert found.case_fraction.sum() == pytest.approx(1.0)
    assert found.n_star == 2000
    assert found.n_parallax == 1000
    assert found.doubt.code.size == 1


def test_a_list_without_parallaxes_says_nothing_of_them():
    found = fit_measurements(Known(), stars(200, with_parallax=False), 1.0, 0.1, 1)
    assert (found.zero_point_mas, found.zero_point_error_mas) == ZERO_POINT_PRIOR
    assert (found.parallax_scale, found.n_parallax) == (1.0, 0)
    place = NAMES.index("parallax")
    assert found.case_fraction[place] == pytest.approx(usual_fractions()[place])


def test_motions_know_their_frame():
    data = moving(stars(1200, with_parallax=False), seed=5, scale=1.3, offset=(0.4, 0.0))
    found = fit_measurements(Known(), data, 1.0, 0.1, 1)
    assert found.motions.n_star == 1000
    assert found.motions.scale == pytest.approx(1.3, abs=0.1)
    assert 0.2 < found.motions.frame_masyr[0] < 0.4
    assert found.n_parallax == 0


def test_too_few_stars_keep_what_is_usual():
    found = fit_measurements(Known(), stars(LEAST_STARS - 1), 1.0, 0.3, 1)
    usual = usual_measurements()
    np.testing.assert_array_equal(found.case_fraction, usual.case_fraction)
    assert (found.zero_point_mas, found.parallax_scale) == (ZERO_POINT_PRIOR[0], 1.0)
    assert found.doubt.code.size == 0


def test_some_stars_are_chosen_at_random_and_again():
    data = stars(100)
    assert some_of(data, 100) is data
    one, again = some_of(data, 40), some_of(data, 40)
    assert one.n_star == 40
    np.testing.assert_array_equal(one.mag, again.mag)
