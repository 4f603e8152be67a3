"""Columns of a true star agree with each other; the file records how it was made."""

import json

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

import gcmock
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic_proper_motion, observables_to_velocity
from gcmock.io.metadata import read_metadata
from gcmock.mock.build import build
from gcmock.model import load_model
from gcmock.settings.build import load_config
from gcmock.words.columns import OUTPUT_COLUMNS, columns_by_name
from gcmock.words.components import COMPONENTS

N, R = 30, 3


@pytest.fixture(scope="module")
def stars():
    rng = np.random.default_rng(8)
    l, b = rng.uniform(-0.8, -0.7, N) % 360.0, rng.uniform(-0.2, -0.1, N)
    ra, dec = galactic_to_icrs(l, b)
    table = Table({"source_id": np.arange(N) + 2**60, "ra": ra, "dec": dec, "l": l, "b": b})
    table["phot_h_mag"] = rng.uniform(11.5, 14, N)
    table["phot_ks_mag"] = table["phot_h_mag"] - rng.uniform(0.8, 2.0, N)
    table["phot_h_mag_error"] = table["phot_ks_mag_error"] = 0.03
    return table


@pytest.fixture(scope="module")
def mock(stars):
    return gcmock.build(stars, run={"realisations": R, "seed": 5}, no_learn=True)


def test_positions_and_identifiers_pass_through_bit_by_bit(stars, mock):
    for name in ("source_id", "ra", "dec", "l", "b"):
        given = np.repeat(np.asarray(stars[name]), R)
        np.testing.assert_array_equal(np.asarray(mock[name]), given)
    np.testing.assert_array_equal(mock["realisation"], np.tile(np.arange(R), N))


def test_columns_are_those_of_the_schema(mock):
    schema = columns_by_name(OUTPUT_COLUMNS)
    assert mock.colnames == list(schema)
    for name, column in schema.items():
        assert np.asarray(mock[name]).dtype == np.dtype(column.dtype), name
        unit = getattr(mock[name], "unit", None)
        assert unit == u.Unit(column.unit) if column.unit else unit is None, name
        if np.dtype(column.dtype).kind == "f":
            assert np.isfinite(np.asarray(mock[name])).all(), name
    assert set(mock["component"]) <= set(COMPONENTS)


def test_a_true_star_is_consistent(mock):
    values = {name: np.asarray(mock[name]) for name in mock.colnames}
    distance = values["distance_pc"]
    np.testing.assert_array_equal(values["parallax"], 1000.0 / distance)
    model = load_model()
    x, y, z = model.galaxy.position(values["l"], values["b"], distance)
    for name, expected in (("x_pc", x), ("y_pc", y), ("z_pc", z)):
        np.testing.assert_allclose(values[name], expected, rtol=0, atol=1e-6)
    pm_l, pm_b = icrs_to_galactic_proper_motion(
        values["ra"], values["dec"], values["pmra"], values["pmdec"]
    )
    velocity = observables_to_velocity(
        values["l"],
        values["b"],
        distance,
        pm_l,
        pm_b,
        values["radial_velocity"],
        model.galaxy.sun.velocity,
    )
    given = np.stack([values["vx"], values["vy"], values["vz"]], axis=-1)
    np.testing.assert_allclose(velocity, given, atol=1e-6)
    hw = model.relations["hw"].mag(values["phot_j_mag"], values["phot_h_mag"])
    np.testing.assert_allclose(values["phot_hw_mag"], hw, atol=0.2)
    total = np.sum([values[f"p_{name}"] for name in COMPONENTS], axis=0, dtype=float)
    np.testing.assert_allclose(total, 1.0, atol=1e-5)
    assert (values["a_ks"] >= 0).all()
    assert (values["ref_epoch"] == 2016.0).all()
    quantiles = np.array([values[f"distance_q{q}_pc"] for q in ("05", "16", "50", "84", "95")])
    assert (np.diff(quantiles, axis=0) > 0).all()


def test_realisations_differ_in_their_draws_only(mock):
    of_draw = ("distance_pc", "pmra", "radial_velocity", "phot_ks_mag")
    for name in (*of_draw, "log_evidence", "p_nsd", "distance_q50_pc"):
        values = np.asarray(mock[name]).reshape(N, R)
        same = (values == values[:, :1]).all(axis=1)
        assert same.all() != (name in of_draw), name


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["parquet", "fits", "vot", "ecsv"])
def test_every_format_holds_the_same_catalogue(stars, mock, tmp_path, suffix):
    given, output = tmp_path / "stars.fits", tmp_path / f"mock.{suffix}"
    stars.write(given)
    config = load_config(None, {"run": {"realisations": R, "seed": 5}, "input.ref_epoch": 2016.0})
    build(given, output, config)
    table = QTable.read(output)
    for name in mock.colnames:
        np.testing.assert_array_equal(
            np.asarray(table[name]).astype(mock[name].dtype), np.asarray(mock[name])
        )
        unit = columns_by_name(OUTPUT_COLUMNS)[name].unit
        # Neither FITS nor VOUnits know it: it stands in the description there.
        if unit == "dex" and suffix in ("fits", "vot"):
            assert table[name].unit is None
        elif unit:
            assert table[name].unit == mock[name].unit


@pytest.mark.slow
def test_a_file_says_how_it_was_made(stars, tmp_path):
    given, output = tmp_path / "stars.fits", tmp_path / "mock.parquet"
    stars.write(given)
    config = load_config(None, {"run.seed": 9, "extinction.law": "nishiyama_2009"})
    build(given, output, config)
    found = read_metadata(output)
    again = tmp_path / "again.toml"
    again.write_text(found["config"])
    assert load_config(again) == config
    assert found["seed"] == "9"
    assert found["input"] == "stars.fits"
    assert len(found["input_sha256"]) == len(found["data_sha256"]) == 64
    assert json.loads(found["rows"]) == {"read": N, "written": N}
    assert json.loads(found["versions"])["gcmock"] == gcmock.__version__
    assert "nishiyama_2009: Nishiyama et al. 2009" in found["extinction_law"]
    assert "yano2021_2mass: Yano 2021" in found["hw_relation"]
    assert found["date"].endswith("+00:00")
    assert "Koshimoto" in found["citation"]


def test_epoch_is_a_setting(stars):
    found = gcmock.build(stars[:2], input={"ref_epoch": 2000.0}, no_learn=True)
    assert set(found["ref_epoch"].value) == {2000.0}
    assert "ref_epoch = 2000.0" in found.meta["gcmock"]["config"]


def test_quantities_are_converted(stars):
    table = QTable(stars[:3], copy=True)
    table["ra"] = (np.asarray(stars["ra"][:3]) * u.deg).to(u.rad)
    table["dec"] = np.asarray(stars["dec"][:3]) * u.deg
    found = gcmock.build(table, no_learn=True)
    np.testing.assert_allclose(found["ra"].value, stars["ra"][:3], rtol=1e-14)


def test_tables_must_be_tables(stars):
    with pytest.raises(
        InputError,
        match="expected an astropy Table, a pandas or polars DataFrame or a pyarrow Table, got",
    ):
        gcmock.build([1, 2])
    with pytest.raises(InputError, match="no rows"):
        gcmock.build(stars[:0])
    with pytest.raises(InputError, match="realisation: unknown key; did you mean 'realisations'"):
        gcmock.build(stars, run={"realisation": 2})
