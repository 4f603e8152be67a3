"""The model as a whole: names, options, redraws."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from gcmock.errors import InputError
from gcmock.galaxy.galactic_model import component_index, load_galactic_model
from gcmock.galaxy.sun import Sun, load_sun
from gcmock.stars.imf import load_imf
from gcmock.words.components import COMPONENTS


@pytest.fixture(scope="module")
def model():
    return load_galactic_model()


def test_components_have_their_names_and_order(model):
    assert tuple(model.components) == COMPONENTS
    assert tuple(part.name for part in model.components.values()) == COMPONENTS
    assert {part.max_speed for part in list(model.components.values())[:10]} == {550.0, 600.0}
    assert all(2.0 < part.stars_per_mass < 3.0 for part in model.components.values())


def test_components_must_be_complete(model):
    parts = dict(model.components)
    del parts["nsc"]
    with pytest.raises(InputError, match="in this order"):
        dataclasses.replace(model, components=parts)


@pytest.mark.parametrize(
    ("option", "valid"),
    [
        ({"preset": "besancon"}, "koshimoto2021"),
        ({"bar": "F"}, r"E, G, E\+E_X, G\+G_X"),
        ({"disc": "warped"}, "flat, linear"),
        ({"inner_disc": "ring"}, "break, hole, exponential"),
        ({"nsc_kinematics": "cold"}, "jeans, nuclear_disc"),
        ({"imf": "salpeter"}, "of_bar, E, G"),
    ],
)
def test_unknown_options_list_the_valid_ones(option, valid):
    with pytest.raises(InputError, match=valid):
        load_galactic_model(**option)


def test_sun_can_be_changed():
    sun = load_sun()
    moved = dataclasses.replace(sun, velocity=(-11.1, 248.0, 7.25))
    model = load_galactic_model(sun=moved, r0_pc=8275.0, bar_angle_deg=20.0)
    assert model.sun.velocity == moved.velocity
    assert model.components["bar"].angle_deg == 20.0
    assert model.position(-0.056, -0.046, 8275.0) == (0.0, 0.0, 0.0)
    here = model.components["thin7"].mass_density(np.full(1, 8275.0), np.zeros(1), np.zeros(1))
    assert here[0] == pytest.approx(model.components["thin7"].local_density)
    with pytest.raises(InputError, match="r0_pc must be positive"):
        Sun(0.0, 25.0, (0.0, 0.0, 0.0), 0.0, 0.0)
    with pytest.raises(InputError, match="unknown Sun"):
        load_sun("somewhere")


def test_densities_follow_the_imf():
    kroupa = load_galactic_model(imf=load_imf("default", source="kroupa2001"))
    disc = kroupa.components["thin1"]
    budget_ratio = disc.stars_per_mass / load_galactic_model().components["thin1"].stars_per_mass
    assert 0.5 < budget_ratio < 2.0
    assert budget_ratio != 1.0
    assert load_galactic_model(imf="kroupa2001").imf == kroupa.imf


def test_the_imf_is_that_of_the_bar_unless_it_is_chosen():
    assert load_galactic_model().imf == load_imf("E+E_X")
    assert load_galactic_model(bar="G", nsc_kinematics="nuclear_disc").imf == load_imf("G")
    mixed = load_galactic_model(imf="G")
    assert mixed.imf == load_imf("G")
    assert mixed.components["bar"].shape == load_galactic_model().components["bar"].shape


def test_component_index():
    assert component_index("nsd") == 9
    np.testing.assert_array_equal(component_index(["thin1", "nsc"]), [0, 10])
    np.testing.assert_array_equal(component_index(np.array([3, 4])), [3, 4])
    with pytest.raises(InputError, match="unknown component halo"):
        component_index(["bar", "halo"])
    with pytest.raises(InputError, match="component index must be"):
        component_index(11)


def test_draws_depend_on_their_uniforms_only(model):
    n = 400
    rng = np.random.default_rng(11)
    index = rng.integers(0, 11, n)
    x, y, z = rng.normal(size=(3, n)) * 200.0
    pool = rng.random((100, n, 3))
    whole = model.sample_velocity(index, x, y, z, lambda attempt, rows: pool[attempt, rows])
    order = rng.permutation(n)
    shuffled = model.sample_velocity(
        index[order], x[order], y[order], z[order], lambda a, rows: pool[a, order[rows]]
    )
    np.testing.assert_array_equal(shuffled, whole[order])


def test_fast_draws_are_repeated(model):
    index = np.array([COMPONENTS.index("bar")] * 2)
    asked = []

    def uniforms(attempt, rows):
        asked.append((attempt, rows.tolist()))
        return np.where((attempt == 0) & (rows == 1), 1.0 - 1e-16, 0.5)[:, None] * np.ones(
            (rows.size, 3)
        )

    velocity = model.sample_velocity(index, *np.zeros((3, 2)), uniforms)
    assert asked == [(0, [0, 1]), (1, [1])]
    assert (np.hypot(*velocity[:, :2].T) < 600.0).all()


def test_hopeless_draws_end_at_the_largest_speed(model):
    index = np.array([COMPONENTS.index("nsc")])
    velocity = model.sample_velocity(
        index, *np.zeros((3, 1)), lambda attempt, rows: np.full((rows.size, 3), 1.0 - 1e-16)
    )
    assert np.linalg.norm(velocity) == pytest.approx(model.components["nsc"].max_speed)


def test_sample_observables_mixes_components(model):
    rng = np.random.default_rng(12)
    names = np.array(COMPONENTS * 200)
    drawn = model.sample_observables(names, 0.1, -0.1, 8100.0, rng)
    assert all(column.shape == names.shape for column in drawn)
    again = model.observables(0.1, -0.1, 8100.0, np.stack(drawn[:3], axis=-1))
    np.testing.assert_allclose(np.stack(drawn[3:]), np.stack(again))
    single = model.sample_observables(9, 0.1, -0.1, 8100.0, rng)
    assert single.vx.shape == (1,)


def test_model_can_be_pickled(model):
    copy = pickle.loads(pickle.dumps(model))
    place = 0.2, 0.1, np.array([5000.0, 8100.0])
    np.testing.assert_array_equal(copy.number_density(*place), model.number_density(*place))
