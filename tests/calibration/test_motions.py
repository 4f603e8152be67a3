"""What proper motions are: their frame and their errors."""

from __future__ import annotations

import numpy as np
import pytest
from known_stars import Known, moving, stars

from gcmock.calibration.motions import (
    FRAME_PRIOR_MASYR,
    LEAST_STARS,
    MODEL_MOTION_MASYR,
    fit_motions,
    log_area,
    usual_motions,
)


@pytest.mark.parametrize(
    ("offset", "scale"), [((0.0, 0.0), 1.0), ((0.3, -0.2), 1.4), ((-0.15, 0.4), 1.0)]
)
def test_frame_and_errors_are_found(offset, scale):
    data = moving(stars(1000, with_parallax=False), seed=4, scale=scale, offset=offset)
    found = fit_motions(Known(), data, 1)
    assert found.n_star == 1000
    assert found.scale == pytest.approx(scale, abs=0.07)
    # The model's own motion is not known better than this, whatever the list says.
    assert (found.frame_error_masyr > 0.8 * MODEL_MOTION_MASYR).all()
    assert (found.frame_error_masyr < FRAME_PRIOR_MASYR).all()
    # Drawn towards no offset by the prior, but by no more than its weight.
    weight = 1.0 - (found.frame_error_masyr / FRAME_PRIOR_MASYR) ** 2
    np.testing.assert_allclose(found.frame_masyr, weight * np.array(offset), atol=0.06)


def test_area_is_that_of_the_covariance_with_the_floor():
    motion = moving(stars(5)).motion._replace(pm_lb=np.full(5, 0.01))
    covariance = motion.covariance[:, :2, :2] + 0.3**2 * np.eye(2)
    np.testing.assert_allclose(log_area(motion, 0.3), 0.5 * np.log(np.linalg.det(covariance)))


def test_a_frame_far_off_is_followed_to_the_end_of_what_is_tried():
    data = moving(stars(1000, with_parallax=False), seed=4, offset=(1.6, 0.0))
    found = fit_motions(Known(), data, 1)
    assert 0.5 < found.frame_masyr[0] < 1.6
    assert abs(found.frame_masyr[1]) < 0.1


@pytest.mark.parametrize("n", [0, LEAST_STARS - 1])
def test_few_motions_leave_the_prior(n):
    data = moving(stars(n, with_parallax=False))
    for given in (data, data._replace(motion=None)):
        found = fit_motions(Known(), given, 1)
        assert found.n_star == 0
        for one, other in zip(found, usual_motions(), strict=True):
            np.testing.assert_array_equal(one, other)
