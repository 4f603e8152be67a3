"""What is learned of parallaxes, from stars whose evidence is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from known_stars import Known, stars

from gcmock.calibration.parallaxes import (
    PHOTOMETRIC_SCALE_MAG,
    ZERO_POINT_PRIOR,
    fit_parallaxes,
    with_common_error,
)


@pytest.mark.parametrize(("zero", "scale"), [(-0.04, 1.3), (0.0, 1.0), (-0.06, 1.5)])
def test_zero_point_and_errors_of_parallaxes(zero, scale):
    n = 2000
    data = stars(n, zero=zero, parallax_scale=scale)
    found, error, found_scale, _ = fit_parallaxes(Known(), data, 1)
    assert abs(found - zero) < 4.0 * error
    # Photometric distances may all be wrong by 5 %, and so far the prior counts.
    common = 0.2 * np.log(10.0) * PHOTOMETRIC_SCALE_MAG * np.median(data.parallax)
    expected = np.hypot(scale * 0.045 / np.sqrt(n), common)
    expected = (expected**-2 + ZERO_POINT_PRIOR[1] ** -2) ** -0.5
    assert error == pytest.approx(expected, rel=0.2)
    # Ten in a thousand bad ones are allowed for: they hide a little of the scale.
    assert found_scale == pytest.approx(scale, rel=0.06)


def test_bad_parallaxes_do_not_move_the_zero_point():
    n = 2000
    data = stars(n, zero=-0.04)
    rng = np.random.default_rng(8)
    data.parallax[: n // 20] += 8.0 * data.parallax_error[: n // 20] * rng.random(n // 20)
    found, error, _, _ = fit_parallaxes(Known(), data, 1)
    assert abs(found + 0.04) < 4.0 * error + 0.002


def test_data_with_an_error_in_common_tell_no_more_than_that():
    prior = (-0.03, 0.02)
    exact = with_common_error(0.01, 1e-4, prior, 0.02)
    np.testing.assert_allclose(exact, (-0.01, 0.02 / np.sqrt(2.0)), rtol=1e-3)
    np.testing.assert_allclose(with_common_error(-0.02, 0.01, prior, 0.0), (-0.02, 0.01))
    # Data that tell nothing leave what there is.
    assert with_common_error(-0.03, 0.02, prior, 0.5) == prior


def test_one_parallax_leaves_the_prior():
    data = stars(1)
    data.parallax_error[:] = 50.0
    found, error, _, _ = fit_parallaxes(Known(), data, 1)
    assert found == pytest.approx(ZERO_POINT_PRIOR[0], abs=1e-3)
    assert error == pytest.approx(ZERO_POINT_PRIOR[1], rel=0.01)
