"""The model in one object: what it is made of, and what its parts are asked."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from small_map import small_map

from gcmock import model as module
from gcmock.dust.laws import load_law
from gcmock.errors import InputError, ModelWarning
from gcmock.galaxy.sun import load_sun
from gcmock.model import Model, load_model
from gcmock.posterior.kernel.structures import MotionModel
from gcmock.settings.build import Config, load_config
from gcmock.stars.bands import load_relations
from gcmock.words.components import COMPONENTS, PARTS

SKY = small_map(divided=(0,))


class Galaxy:
    """Stands for a Galactic model of two components; notes what it is asked."""

    def __init__(self, **options: Any) -> None:
        self.options, self.sun, self.imf = options, options.get("sun", load_sun()), "imf"
        self.remarks: tuple[str, ...] = ()
        self.components = {"thin1": "a disc", "bar": "a bar"}

    def number_density(self, *given: Any) -> tuple[Any, ...]:
        return ("number", *given)

    def mass_density(self, *given: Any) -> tuple[Any, ...]:
        return ("mass", *given)

    def sample_observables(self, *given: Any) -> tuple[Any, ...]:
        return ("draws", *given)


def small_model(config: Config | None = None, learned: Any = None) -> Model:
    return Model(
        config or Config(),
        Galaxy(),
        SimpleNamespace(name="mine"),
        load_law("wang_chen_2019"),
        SKY,
        load_relations("yano2021_2mass"),
        learned,
    )


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading takes stand-ins for the parts that take time."""
    monkeypatch.setattr(module, "load_galactic_model", Galaxy)
    monkeypatch.setattr(module, "load_populations", lambda name, imf: SimpleNamespace(name=name))


def test_the_defaults(light: None) -> None:
    found = load_model()
    assert found.config == Config()
    assert found.galaxy.options["bar"] == "E+E_X"
    assert found.galaxy.sun == load_sun()
    assert (found.populations.name, found.law.name) == ("parsec", "wang_chen_2019")
    assert found.learned is None


def test_overrides_win_over_the_settings_in_every_form(light: None, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[model]\nbar = "G"\nr0_pc = 8300.0\n[run]\nseed = 4\n')
    content = {"model": {"bar": "G", "r0_pc": 8300.0}, "run": {"seed": 4}}
    given = load_config(file)
    for config in (file, str(file), content, given):
        found = load_model(config=config, bar="E", z_sun_pc=20.0)
        assert found.galaxy.options["bar"] == "E"
        assert (found.galaxy.sun.r0_pc, found.galaxy.sun.z_sun_pc) == (8300.0, 20.0)
        assert found.config.run.seed == 4
    assert given.model.bar == "G"
    assert load_model(config=given).config is given


def test_the_sun_is_that_of_the_settings(light: None) -> None:
    found = load_model(sun_velocity_kms=(-11.0, 248.0, 7.3), r0_pc="8.2 kpc")
    assert found.galaxy.sun == replace(load_sun(), r0_pc=8200.0, velocity=(-11.0, 248.0, 7.3))
    assert not {"r0_pc", "z_sun_pc", "sun_velocity_kms"} & set(found.galaxy.options)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bar": "H"}, r"\[model\] bar = 'H': expected 'E', 'G'"),
        ({"bars": "G"}, r"\[model\] bars: unknown key; did you mean 'bar'"),
        ({"preset": "besancon"}, r"\[model\] preset = 'besancon'"),
        ({"r0_pc": -1.0}, "r0_pc = -1.0: expected greater than"),
        ({"config": "none.toml"}, "none.toml: cannot be read"),
    ],
)
def test_wrong_settings(light: None, given: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_model(**given)


def test_remarks_are_warnings_but_not_of_every_worker(light: None, monkeypatch) -> None:
    def heavy(**options: Any) -> Galaxy:
        galaxy = Galaxy(**options)
        galaxy.remarks = ("too heavy",)
        return galaxy

    monkeypatch.setattr(module, "load_galactic_model", heavy)
    with pytest.warns(ModelWarning, match="too heavy"):
        load_model()
    monkeypatch.setattr(module, "parent_process", lambda: "a process")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model()


def test_what_was_learned_brings_its_law_and_its_value_of_the_map(light: None, monkeypatch) -> None:
    found = SimpleNamespace(map_value="cell_mean", law="the fitted law")
    monkeypatch.setattr(module, "load_learned", lambda _: found)
    settings = {"learn": {"file": "c.fits"}, "extinction": {"map_value": "cell_mean"}}
    assert load_model(config=settings).law == "the fitted law"
    assert load_model(config=settings).learned is found
    # As the settings of gcmock 0.1 call it.
    old = {"extinction": {"calibration": "c.fits", "map_value": "cell_mean"}}
    assert load_model(config=old).law == "the fitted law"
    # What the stars follow wins over the settings.
    settings["extinction"]["map_value"] = "subcell"
    assert load_model(config=settings).map_value == "cell_mean"


def test_a_model_with_what_was_learned() -> None:
    """Law and all that is computed once follow; the model that it is made of stays."""
    plain = small_model()
    learned = SimpleNamespace(law="the fitted law", weights=np.zeros(1), field=np.zeros(0))
    other = plain.with_learned(learned)
    assert (other.learned, other.law) == (learned, "the fitted law")
    assert (plain.learned, plain.law.name) == (None, "wang_chen_2019")
    assert other.galaxy is plain.galaxy


def test_reddening_is_the_map_with_more_scatter() -> None:
    """Sub-cell 0 of the first cell has 1.00 mag, the next cell 2 mag; nothing beyond the map."""
    config = load_config(None, {"extinction.residual_scatter_mag": 0.3})
    e_jks, tau = small_model(config).reddening([0.001, 0.03, 5.0], [0.001, 0.001, 0.0])
    np.testing.assert_array_equal(e_jks, [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(tau, [0.3, 0.3, np.nan])


def test_scatter_in_a_cell_adds_in_quadrature() -> None:
    values = {"extinction.residual_scatter_mag": 0.05, "extinction.map_value": "subcell_mean"}
    e_jks, tau = small_model(load_config(None, values)).reddening(0.001, 0.001)
    inside = np.arange(1.0, 1.245, 0.01)
    assert e_jks == pytest.approx(inside.mean())
    assert tau == pytest.approx(np.hypot(inside.std(), 0.05))


def test_what_was_learned_is_asked_with_signed_longitudes() -> None:
    calls = []

    def reddening(sky: object, *given: np.ndarray) -> tuple[str, str]:
        calls.append((sky, [np.asarray(values).tolist() for values in given]))
        return "mean", "scatter"

    used = small_model(learned=SimpleNamespace(reddening=reddening, map_value="subcell"))
    assert used.reddening([360.03, 0.001], 0.001) == ("mean", "scatter")
    sky, (l_deg, b_deg, e_jks, scatter) = calls[0]
    assert sky is SKY
    assert l_deg == pytest.approx([0.03, 0.001])
    assert (b_deg, e_jks, scatter) == ([0.001, 0.001], [2.0, 1.0], [0.0, 0.0])


def test_weights_of_parts() -> None:
    """As many stars as the model has, and none that are younger, where nothing was learned."""
    found = small_model().part_weights([0.1, 0.2, 0.3], [0.0, 0.0, 0.0])
    n = len(COMPONENTS)
    assert found.shape == (3, len(PARTS))
    assert (found[:, :n] == 1.0).all()
    assert not found[:, n:].any()
    weights = np.linspace(1.0, 2.0, len(PARTS))
    learned = small_model(learned=SimpleNamespace(weights=weights)).part_weights([0.1, 0.2], 0.0)
    np.testing.assert_array_equal(learned, [weights, weights])


def test_settings_of_distances_and_motions_arrive() -> None:
    config = load_config(
        None,
        {
            "distance": {"min_pc": 500.0, "max_pc": 12_000.0},
            "motion": {"floor_masyr": 0.2, "floor_kms": 3.0, "outlier_fraction": 0.02},
        },
    )
    used = small_model(config)
    assert used.grid.edges_pc[[0, -1]].tolist() == [500.0, 12_000.0]
    assert used.grid is used.grid
    assert used.motion == MotionModel(0.2, 3.0, 0.02)


def test_densities_and_draws_are_those_of_the_galaxy() -> None:
    used = small_model()
    assert used.number_density(1.0, 2.0, 3.0) == ("number", 1.0, 2.0, 3.0)
    assert used.mass_density(1.0, 2.0, 3.0) == ("mass", 1.0, 2.0, 3.0)
    assert used.sample_observables("bar", 1.0, 2.0, 3.0, "rng") == (
        "draws", "bar", 1.0, 2.0, 3.0, "rng",
    )  # fmt: skip
    assert list(used.components) == ["thin1", "bar"]
    used.components.clear()
    assert list(used.components) == ["thin1", "bar"]


def test_a_line_and_a_table() -> None:
    used = small_model()
    line = repr(used)
    assert line.startswith("Model(model: koshimoto2021, bar E+E_X, disc flat, inner disc break; ")
    assert line.endswith(
        "populations: parsec; extinction: wang_chen_2019, map value subcell; Hw: yano2021_2mass)"
    )
    page = used._repr_html_()
    assert "thin1, bar" in page
    assert "8160 pc from Sgr A*, 25 pc above the plane" in page
    assert "remarks" not in page
    used.galaxy.remarks = ("too heavy", "too old")
    assert "too heavy; too old" in used._repr_html_()


def test_quantities_are_converted_everywhere() -> None:
    model = load_model()
    l, b = [18.0] * u.arcmin, [-12.0] * u.arcmin
    for named in ("reddening", "part_weights"):
        function = getattr(model, named)
        np.testing.assert_allclose(function(l, b), function([0.3], [-0.2]))
    counts = model.expected_counts(l, b, mag_edges=[10, 12] * u.mag, area_deg2=3600 * u.arcmin**2)
    np.testing.assert_allclose(counts, model.expected_counts([0.3], [-0.2], mag_edges=[10, 12]))
    with pytest.raises(InputError, match="expected a quantity in deg"):
        model.reddening(l, 3 * u.mag)
