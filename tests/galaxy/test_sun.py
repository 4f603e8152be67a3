"""The Sun: the published values, what positions and motions follow from it, wrong values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gcmock.errors import InputError
from gcmock.galaxy.sun import Sun, load_sun


def test_published_values() -> None:
    """Koshimoto+2021: 8160 pc, 25 pc above the plane, (U, V, W) = (10, 243, 7) km/s."""
    expected = Sun(8160.0, 25.0, (-10.0, 243.0, 7.0), -0.056, -0.046)
    assert load_sun() == load_sun("koshimoto2021") == expected


def test_unknown_presets_list_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown Sun 'mine'; valid: koshimoto2021"):
        load_sun("mine")


@pytest.mark.parametrize("r0_pc", [0.0, -8160.0, np.nan])
def test_the_centre_is_at_a_positive_distance(r0_pc: float) -> None:
    with pytest.raises(InputError, match=f"r0_pc must be positive, got {r0_pc}"):
        replace(load_sun(), r0_pc=r0_pc)


def test_velocities_have_three_numbers() -> None:
    with pytest.raises(InputError, match=r"is \(vx, vy, vz\), got \(1.0, 2.0\)"):
        replace(load_sun(), velocity=(1.0, 2.0))


def test_sgr_a_is_the_origin_and_the_sun_lies_on_the_x_axis() -> None:
    sun = load_sun()
    sgr_a = sun.position(sun.sgr_a_l_deg, sun.sgr_a_b_deg, sun.r0_pc)
    np.testing.assert_allclose(sgr_a, 0.0, atol=1e-6)
    x, y, z = sun.position(0.0, 0.0, 0.0)
    assert x == pytest.approx(sun.r0_pc, rel=1e-4)
    assert abs(y) < 1e-3 * sun.r0_pc
    # Sgr A* itself lies below the plane, by 0.046 deg seen from here.
    assert z == pytest.approx(25.0 + 8160.0 * np.sin(np.radians(0.046)), abs=1e-3)


def test_a_star_that_moves_with_the_sun_seems_to_stand_still() -> None:
    sun = load_sun()
    seen = sun.observables(0.5, -0.3, np.array([4000.0]), np.array([sun.velocity]))
    np.testing.assert_allclose(np.concatenate(seen), 0.0, atol=1e-12)


def test_sgr_a_moves_as_the_sun_reflects() -> None:
    """A source at rest: mu_l = -vy / (4.74 r0), towards negative longitudes."""
    sun = load_sun()
    place = np.array([sun.sgr_a_l_deg]), np.array([sun.sgr_a_b_deg]), np.array([sun.r0_pc])
    pm_l, pm_b, radial = (v[0] for v in sun.observables(*place, np.zeros((1, 3))))
    assert pm_l == pytest.approx(-243.0 / (4.74047 * 8.16), rel=1e-3)
    assert pm_b == pytest.approx(-7.0 / (4.74047 * 8.16), rel=0.01)
    assert radial == pytest.approx(-10.0, abs=0.3)
