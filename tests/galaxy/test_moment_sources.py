"""The table of the nuclear cluster's velocities knows what it was computed from."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.data import path
from gcmock.errors import InputError
from gcmock.galaxy.galactic_model import load_galactic_model
from gcmock.galaxy.moment_sources import (
    azimuthal_mean,
    check_parameters,
    moment_sources,
    stale_moments,
)


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    with np.load(path("nuclear_cluster_moments.npz")) as table:
        return dict(table)


def test_the_shipped_table_fits_the_default_model(stored: dict[str, np.ndarray]) -> None:
    components = load_galactic_model().components
    for name, value in moment_sources(components).items():
        np.testing.assert_allclose(stored[name], value, rtol=1e-9, err_msg=name)
    assert stale_moments(components) == ""
    assert load_galactic_model().remarks == ()


@pytest.mark.parametrize(
    "option",
    [{"r0_pc": 8300.0}, {"imf": "kroupa2001"}, {"disc": "linear"}, {"bar_angle_deg": 20.0}],
)
def test_small_changes_do_not_matter(option: dict) -> None:
    assert load_galactic_model(**option).remarks == ()


@pytest.mark.parametrize("option", [{"bar": "G"}, {"bar": "E"}, {"inner_disc": "exponential"}])
def test_another_bar_is_remarked(option: dict) -> None:
    (remark,) = load_galactic_model(**option).remarks
    assert "nuclear star cluster" in remark
    assert "the bar is 0." in remark
    # Borrowed velocities do not come from the table.
    assert load_galactic_model(**option, nsc_kinematics="nuclear_disc").remarks == ()


def test_other_parameters_of_the_cluster_are_refused(stored: dict[str, np.ndarray]) -> None:
    check_parameters(stored, "table.npz")
    heavier = stored | {"parameter_black_hole_mass_msun": 4.0e6}
    with pytest.raises(InputError, match=r"black_hole_mass_msun = 4e\+06, but .* 4.3e\+06"):
        check_parameters(heavier, "table.npz")
    with pytest.raises(InputError, match="mass_msun = nan"):
        check_parameters({}, "table.npz")


def test_azimuthal_mean_of_the_bar() -> None:
    bar = load_galactic_model().components["bar"]
    mean = azimuthal_mean(bar)(np.array([300.0]), np.array([50.0]))
    angles = np.linspace(0.0, 2.0 * np.pi, 400, endpoint=False)
    around = bar.mass_density(300.0 * np.cos(angles), 300.0 * np.sin(angles), np.full(400, 50.0))
    assert mean[0] == pytest.approx(around.mean(), rel=1e-3)
