"""Published values: the table, and the measures of a model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.validation import truths as module
from gcmock.validation.result import LIMITATIONS
from gcmock.validation.truths import EVALUATE, load_truths, truths_checks
from gcmock.words.bands import KS
from gcmock.words.components import COMPONENTS


def test_every_entry_can_be_evaluated():
    entries = load_truths()
    assert {entry["evaluate"] for entry in entries} == set(EVALUATE)
    for entry in entries:
        assert entry["source"]
        assert entry["why"]
        assert np.min(entry["tolerance"]) > 0.0
        assert entry["limitation"] in {"", *LIMITATIONS}
    assert len({(entry["quantity"], entry["source"]) for entry in entries}) == len(entries)


def test_every_entry_becomes_a_check_and_each_measure_is_taken_once(monkeypatch):
    calls = []
    entries = load_truths()
    name = "sgr_a_pm_l"
    of_name = [entry for entry in entries if entry["evaluate"] == name]
    monkeypatch.setitem(EVALUATE, name, lambda model: calls.append(model) or of_name[0]["value"])
    checks = truths_checks("model", [name])
    assert calls == ["model"]
    assert len(checks) == len(of_name) > 1
    assert checks[0].verdict == "pass"
    assert of_name[0]["source"] in checks[0].source
    assert f"tolerance: {of_name[0]['why']}" in checks[0].source
    monkeypatch.setitem(EVALUATE, name, lambda model: 1e3)
    assert {check.verdict for check in truths_checks("model", [name])} == {"fail"}


def exponential_disc(scale=90.0, height=30.0):
    """Model of a nuclear disc with an exponential density and the rotation curve R e^(-R/100)."""

    class Disc:
        def mass_density(self, x, y, z):
            return 5.0 * np.exp(-np.hypot(x, y) / scale - np.abs(z) / height)

        def velocity_moments(self, x, y, z):
            mean = np.zeros((x.size, 3))
            mean[:, 1] = -x * np.exp(-x / 100.0)
            return mean, None

    class Cluster:
        def mass_density(self, x, y, z):
            return 1.0 / (1.0 + np.hypot(x, y) ** 2 + (z / 0.7) ** 2)

    return SimpleNamespace(components={"nsd": Disc(), "nsc": Cluster()})


def test_scales_and_mass_of_a_disc_that_is_known():
    model = exponential_disc()
    assert EVALUATE["nsd_scale_length"](model) == pytest.approx(90.0)
    assert EVALUATE["nsd_scale_height"](model) == pytest.approx(30.0)
    # 4 pi rho0 R^2 h of a double exponential.
    mass = 4.0 * np.pi * 5.0 * 90.0**2 * 30.0 / 1e8
    assert EVALUATE["nsd_mass"](model) == pytest.approx(mass, rel=2e-3)


def test_largest_rotation():
    # R e^(-R/100) is largest at 100 pc.
    assert EVALUATE["nsd_rotation"](exponential_disc()) == pytest.approx(100.0 / np.e)


def test_flattening_of_ellipsoids():
    assert EVALUATE["nsc_flattening"](exponential_disc()) == pytest.approx(0.7, abs=1e-3)


def test_motion_of_the_centre():
    asked = {}

    class Galaxy:
        sun = SimpleNamespace(sgr_a_l_deg=-0.05, sgr_a_b_deg=-0.04, r0_pc=8000.0)

        def observables(self, l_deg, b_deg, distance_pc, velocity):
            asked.update(d=distance_pc, v=velocity)
            return SimpleNamespace(pm_l_cosb=np.array([-6.4]), pm_b=np.array([-0.2]))

    model = SimpleNamespace(galaxy=Galaxy())
    assert EVALUATE["sgr_a_pm_l"](model) == -6.4
    assert EVALUATE["sgr_a_pm_b"](model) == -0.2
    assert asked["d"].tolist() == [8000.0]
    assert not asked["v"].any()


def test_red_clump_above_a_smooth_luminosity_function():
    mag = np.repeat(np.arange(-3.975, 1.0, 0.05), 1)
    weight = 100.0 * 10.0 ** (0.3 * mag)
    weight += 200.0 * np.exp(-0.5 * ((mag + 1.6) / 0.08) ** 2)
    absolute = np.zeros((mag.size, 4))
    absolute[:, KS] = mag
    nodes = SimpleNamespace(absolute_mag=absolute, weight=weight)
    of_component = [0] * len(COMPONENTS)
    of_component[COMPONENTS.index("bar")] = 1
    populations = SimpleNamespace(of_component=of_component, populations=[None, nodes])
    found = EVALUATE["red_clump"](SimpleNamespace(populations=populations))
    assert found == pytest.approx(-1.6, abs=0.025)


def test_dispersions_along_a_ray(monkeypatch):
    """Distances are drawn from the stars of the component along the line of sight."""
    n = 4
    prior = np.zeros((1, len(COMPONENTS), n))
    prior[0, COMPONENTS.index("bar")] = [0.0, 1.0, 3.0, 0.0]
    monkeypatch.setattr(module, "prior_counts", lambda *_: prior)

    class Model:
        galaxy = None
        grid = SimpleNamespace(centre_pc=np.array([1.0, 2.0, 4.0, 8.0]))

        def sample_observables(self, component, l_deg, b_deg, distance_pc, rng):
            self.distance = distance_pc
            z = rng.standard_normal(distance_pc.size)
            return SimpleNamespace(pm_l_cosb=3.0 * z, pm_b=2.0 * z, radial_velocity=100.0 * z)

    model = Model()
    found = module._dispersions(model, "bar", (1.0, -2.0))
    np.testing.assert_allclose(found, [3.0, 2.0, 100.0], rtol=0.03)
    assert set(model.distance) == {2.0, 4.0}
    assert (model.distance == 4.0).mean() == pytest.approx(0.75, abs=0.02)
