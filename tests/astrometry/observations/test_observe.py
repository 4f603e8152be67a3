"""`gcmock observe`: what falls on the detectors, what is measured, and the files of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.table import QTable
from catalogues import true_stars, write_catalogue
from numpy.polynomial.legendre import legval2d

from gcmock import cli
from gcmock.astrometry.directions.apparent import MovingStars, apparent_directions
from gcmock.astrometry.directions.ephemeris import CircularOrbit, Observer, observer
from gcmock.astrometry.directions.geometry import MAS, field_coordinates, tangent_offset
from gcmock.astrometry.missions.focal_plane import detector_at, detector_grid, visit_error
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations import folder as observations
from gcmock.astrometry.observations.reference_catalogue import (
    ERROR_RATIO,
    correlation_matrix,
    moved_to_reference,
)
from gcmock.astrometry.observations.targets import read_targets
from gcmock.mock.survey import SurveyModel
from gcmock.random import star_key, uniform_scalar
from gcmock.stars.gaia import gaia_g_mag

OPTIONS = ("--visits", 24, "--set", "calibration.block_days=90")
GRID = detector_grid(load_mission().focal_plane)


def observe(mock, output, *options):
    return cli.run(["observe", *map(str, (mock, "-o", output, *options))])


@pytest.fixture(scope="module")
def stars():
    return true_stars(4000)


@pytest.fixture(scope="module")
def mock(tmp_path_factory, stars):
    return write_catalogue(tmp_path_factory.mktemp("mock") / "mock.parquet", stars)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory, mock):
    output = tmp_path_factory.mktemp("noisy") / "obs"
    assert observe(mock, output, *OPTIONS) == 0
    return observations.open_observations(output)


@pytest.fixture(scope="module")
def exact(tmp_path_factory, mock):
    output = tmp_path_factory.mktemp("exact") / "obs"
    assert observe(mock, output, *OPTIONS, "--noise-free") == 0
    return observations.open_observations(output)


def rows(found):
    """All observations in one table."""
    chunks = list(found.observations())
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def predicted(found, aberration=False, deflection=False):
    """Field coordinates [rad] and distortion [mas] of every row, by the readable functions."""
    table, truth = rows(found), found.table("truth/sources.parquet")
    visits, attitude = found.table("visits.parquet"), found.table("truth/attitude.parquet")
    star = np.searchsorted(truth["source_id"], table["source_id"])
    orbit = CircularOrbit(600.0, 6.0)
    x, y = np.empty(len(star)), np.empty(len(star))
    dx, dy = np.empty(len(star)), np.empty(len(star))
    calibration = found.table("truth/calibration.parquet")
    for v, time in enumerate(visits["time"]):
        at = table["visit"] == v
        one = MovingStars(*(truth[name][star[at]] for name in MovingStars._fields))
        seen_from = observer(np.array([time]), orbit)
        seen = apparent_directions(
            one, np.array([time]), seen_from, aberration=aberration, deflection=deflection
        )
        where = tuple(attitude[name][v] for name in ("ra", "dec", "roll"))
        x[at], y[at], *_ = field_coordinates(
            one.ra, one.dec, seen.xi[:, 0], seen.eta[:, 0], 0.0, *where
        )
        for axis, out in (("x", dx), ("y", dy)):
            terms = np.zeros((4, 4))
            mine = (calibration["block"] == visits["block"][v]) & (calibration["axis"] == axis)
            places = calibration["degree_x"][mine], calibration["degree_y"][mine]
            terms[places] = calibration["coefficient"][mine]
            out[at] = legval2d(x[at] / GRID.half_field, y[at] / GRID.half_field, terms)
    return table, x, y, dx, dy


def test_layout_of_the_folder(noisy):
    names = {path.relative_to(noisy.path).as_posix() for path in noisy.path.rglob("*.*")}
    assert names == {
        "observations/part-00000.parquet",
        "visits.parquet",
        "sources.parquet",
        "colours.parquet",
        "reference_gaia_like.parquet",
        "truth/attitude.parquet",
        "truth/calibration.parquet",
        "truth/sources.parquet",
        "mission.toml",
        "provenance.json",
    }
    for name, columns in {
        **observations.OBSERVATION_TABLES,
        "observations/part-00000.parquet": observations.OBSERVATION_COLUMNS,
    }.items():
        if name in names:
            table = QTable.read(noisy.path / name)
            assert table.colnames == [column.name for column in columns]
            for column in columns:
                assert table[column.name].dtype == np.dtype(column.dtype) or column.dtype[0] == "U"
                unit = getattr(table[column.name], "unit", None)
                assert ("" if unit is None else str(unit).replace(" ", "")) == column.unit
    provenance = noisy.provenance
    assert provenance["seed"] == 1
    assert len(provenance["mock_sha256"]) == 64
    assert (provenance["aberration"], provenance["noise"]) == (False, True)
    assert provenance["n_observation"] == noisy.n_observation == len(rows(noisy)["x"])
    assert noisy.mission.schedule.visits == 24


def test_rows_are_sorted_and_complete(noisy):
    table = rows(noisy)
    order = np.lexsort((table["source_id"], table["visit"]))
    assert (order == np.arange(len(order))).all()
    pairs = np.stack([table["visit"], table["source_id"]])
    assert np.unique(pairs, axis=1).shape == pairs.shape
    visits = noisy.table("visits.parquet")
    np.testing.assert_array_equal(table["time"], visits["time"][table["visit"]])
    assert (table["n_exposure"] == 44).all()
    seen = noisy.table("sources.parquet")["source_id"]
    np.testing.assert_array_equal(seen, np.unique(table["source_id"]))


def test_measurements_are_those_of_the_readable_functions(exact):
    table, x, y, dx, dy = predicted(exact)
    # 1e-4 micro-arcsec
    np.testing.assert_allclose(table["x"], x / MAS + dx, rtol=0, atol=1e-7)
    np.testing.assert_allclose(table["y"], y / MAS + dy, rtol=0, atol=1e-7)
    assert np.abs(dx).max() > 10.0


def test_every_star_of_a_visit_is_on_a_detector_and_none_in_a_gap(exact):
    table, x, y, *_ = predicted(exact)
    np.testing.assert_array_equal(detector_at(x, y, *GRID[:4]), table["detector"])
    assert set(table["detector"]) == {0, 1, 2, 3}
    gap = 0.5 * GRID.separation - GRID.half_size
    assert np.minimum(np.abs(x), np.abs(y)).min() > gap
    assert np.maximum(np.abs(x), np.abs(y)).max() < GRID.half_field


def test_every_star_on_a_detector_is_observed(exact, mock):
    ids, stars, *_ = read_targets(mock, exact.mission, 0)
    visits, attitude = exact.table("visits.parquet"), exact.table("truth/attitude.parquet")
    table = rows(exact)
    for v in (0, 7, 23):
        position = np.column_stack([visits[f"{a}_au"] for a in "xyz"])[v : v + 1]
        place = Observer(position, position, position)
        seen = apparent_directions(stars, visits["time"][v : v + 1], place)
        where = tuple(attitude[name][v] for name in ("ra", "dec", "roll"))
        x, y, *_ = field_coordinates(
            stars.ra, stars.dec, seen.xi[:, 0], seen.eta[:, 0], 0.0, *where
        )
        # A position angle beyond the horizon is no field coordinate.
        near = np.hypot(*tangent_offset(stars.ra, stars.dec, *where[:2])) < 0.02
        expected = ids[near & (detector_at(x, y, *GRID[:4]) >= 0)]
        np.testing.assert_array_equal(table["source_id"][table["visit"] == v], expected)
        assert len(expected) > 100


def test_noise_has_the_stated_size(noisy, exact):
    a, b = rows(noisy), rows(exact)
    np.testing.assert_array_equal(a["source_id"], b["source_id"])
    x, y = (a["x"] - b["x"]) / a["x_error"], (a["y"] - b["y"]) / a["y_error"]
    for pull in (x, y):
        assert pull.mean() == pytest.approx(0.0, abs=4 / np.sqrt(len(pull)))
        assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(pull)))
        assert ((np.abs(pull) < 1).mean()) == pytest.approx(0.683, abs=0.015)
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.0, abs=4 / np.sqrt(len(x)))
    sources = noisy.table("sources.parquet")
    hw = sources["phot_hw_mag"][np.searchsorted(sources["source_id"], a["source_id"])]
    mission = noisy.mission
    expected = visit_error(hw, mission.centroid, mission.exposures.exposure_s, 44)
    np.testing.assert_allclose(a["x_error"], expected)


@pytest.mark.slow
def test_noise_is_a_function_of_star_visit_and_seed(tmp_path, noisy, mock, stars):
    """Other stars in the catalogue, or another order of its rows, change nothing."""
    order = np.random.default_rng(5).permutation(4000)[:2500]
    some = write_catalogue(tmp_path / "some.parquet", {k: v[order] for k, v in stars.items()})
    assert observe(some, tmp_path / "obs", *OPTIONS) == 0
    a, b = rows(noisy), rows(observations.open_observations(tmp_path / "obs"))
    kept = np.isin(a["source_id"], stars["source_id"][order])
    for name in ("source_id", "visit", "x", "y"):
        np.testing.assert_array_equal(a[name][kept], b[name])
    assert observe(mock, tmp_path / "other", *OPTIONS, "--seed", 2) == 0
    other = rows(observations.open_observations(tmp_path / "other"))
    assert len(other["x"]) != len(a["x"]) or (other["x"] != a["x"]).any()


@pytest.mark.slow
def test_kernel_draws_from_the_documented_stream(noisy, exact):
    a, b = rows(noisy), rows(exact)
    i = 1234
    key = star_key(1, a["source_id"][i : i + 1], -2)[0]
    u1, u2 = (uniform_scalar(key, 8 * a["visit"][i] + k) for k in range(2))
    noise = a["x_error"][i] * np.sqrt(-2 * np.log(u1)) * np.cos(2 * np.pi * u2)
    assert a["x"][i] - b["x"][i] == pytest.approx(noise, abs=1e-8)


@pytest.mark.slow
def test_aberration_and_deflection(capsys, tmp_path, mock):
    options = [*OPTIONS, "--noise-free", "--aberration", "--deflection"]
    assert observe(mock, tmp_path / "obs", *options) == 0
    found = observations.open_observations(tmp_path / "obs")
    assert found.provenance["aberration"]
    assert found.provenance["deflection"]
    assert found.mission.directions.aberration
    table, x, y, dx, dy = predicted(found, aberration=True, deflection=True)
    np.testing.assert_allclose(table["x"], x / MAS + dx, rtol=0, atol=1e-7)
    np.testing.assert_allclose(table["y"], y / MAS + dy, rtol=0, atol=1e-7)


def test_visits_know_the_nominal_attitude_only(noisy):
    visits, attitude = noisy.table("visits.parquet"), noisy.table("truth/attitude.parquet")
    off = np.hypot(*tangent_offset(*(t[n] for t in (attitude, visits) for n in ("ra", "dec"))))
    assert 50.0 < np.sqrt((off**2).mean()) / MAS < 250.0
    orbit = observer(visits["time"], CircularOrbit(600.0, 6.0))
    for i, axis in enumerate("xyz"):
        np.testing.assert_allclose(visits[f"{axis}_au"], orbit.position[:, i])
        np.testing.assert_allclose(visits[f"v{axis}_kms"], orbit.velocity[:, i])


def test_input_catalogue_has_errors_and_primaries(noisy):
    sources, truth = noisy.table("sources.parquet"), noisy.table("truth/sources.parquet")
    off = np.array(tangent_offset(*(t[n] for t in (sources, truth) for n in ("ra", "dec"))))
    assert (off / MAS / 50.0).std() == pytest.approx(1.0, rel=0.05)
    np.testing.assert_array_equal(sources["primary"], sources["phot_hw_mag"] <= 12.5)
    assert 0.05 < sources["primary"].mean() < 0.95


def test_bright_and_faint_stars_are_left_out(tmp_path, mock, stars):
    assert observe(mock, tmp_path / "obs", *OPTIONS, "--faint", 12.0, "--primaries-max", 11.0) == 0
    found = observations.open_observations(tmp_path / "obs")
    hw = found.table("sources.parquet")["phot_hw_mag"]
    assert (hw.max() <= 12.0) & (hw.min() >= 9.5)
    assert found.provenance["n_primary"] == (hw <= 11.0).sum()


@pytest.mark.slow
def test_reference_catalogue_has_the_stated_covariance(tmp_path, stars):
    many = true_stars(20_000, seed=3)
    mock = write_catalogue(tmp_path / "mock.parquet", many)
    assert observe(mock, tmp_path / "obs", "--visits", 40) == 0
    found = observations.open_observations(tmp_path / "obs")
    table, truth = found.table("reference_gaia_like.parquet"), found.table("truth/sources.parquet")
    at = np.searchsorted(truth["source_id"], table["source_id"])
    np.testing.assert_array_equal(truth["source_id"][at], table["source_id"])
    true = moved_to_reference(
        MovingStars(*(truth[name][at] for name in MovingStars._fields)), 2017.5
    )
    east, north = tangent_offset(table["ra"], table["dec"], true.ra, true.dec)
    delta = np.column_stack(
        [east / MAS, north / MAS]
        + [table[name] - getattr(true, name) for name in ("parallax", "pmra", "pmdec")]
    )
    errors = np.column_stack([table[f"{name}_error"] for name in observations.PARAMETERS])
    expected = correlation_matrix(found.mission.reference)
    sample = np.cov((delta / errors).T)
    np.testing.assert_allclose(sample, expected, atol=5.0 / np.sqrt(len(at)))
    for i, j, name in observations.correlation_names():
        assert (table[name] == expected[i, j]).all()
    chi2 = ((delta / errors) @ np.linalg.inv(expected) * (delta / errors)).sum(axis=1)
    assert chi2.mean() == pytest.approx(5.0, rel=0.05)
    # Who is seen, and how well, is as in mock surveys.
    star = np.argsort(many["source_id"])
    star = star[np.searchsorted(many["source_id"][star], table["source_id"])]
    g_mag = gaia_g_mag(many["phot_j_mag"][star], many["phot_ks_mag"][star])
    np.testing.assert_allclose(table["phot_g_mean_mag"], g_mag)
    assert g_mag.max() <= 20.0
    parallax_error = 0.749 * SurveyModel().parallax_error(g_mag)
    np.testing.assert_allclose(errors, parallax_error[:, None] * ERROR_RATIO["dr4"])


def test_noise_free_references_are_exact(exact):
    table, truth = exact.table("reference_gaia_like.parquet"), exact.table("truth/sources.parquet")
    at = np.searchsorted(truth["source_id"], table["source_id"])
    true = moved_to_reference(
        MovingStars(*(truth[name][at] for name in MovingStars._fields)), 2017.5
    )
    for name in observations.PARAMETERS:
        np.testing.assert_allclose(table[name], getattr(true, name), rtol=1e-13)
    assert (table["parallax_error"] > 0).all()


def test_outliers_are_recorded(tmp_path, noisy, mock):
    options = [*OPTIONS, "outliers.fraction=0.02", "outliers.sigma_mas=200.0"]
    assert observe(mock, tmp_path / "obs", *options) == 0
    found = observations.open_observations(tmp_path / "obs")
    a, b = rows(noisy), rows(found)
    outliers = found.table("truth/outliers.parquet")
    n = len(outliers["dx"])
    assert n / len(b["x"]) == pytest.approx(0.02, abs=0.005)
    changed = np.flatnonzero((a["x"] != b["x"]) | (a["y"] != b["y"]))
    np.testing.assert_array_equal(a["source_id"][changed], outliers["source_id"])
    np.testing.assert_array_equal(a["visit"][changed], outliers["visit"])
    np.testing.assert_allclose((b["x"] - a["x"])[changed], outliers["dx"], atol=1e-8)
    assert outliers["dy"].std() == pytest.approx(200.0, rel=0.15)


def test_mismodelled_distortion_has_terms_above_the_degree(tmp_path, mock, exact):
    options = [*OPTIONS, "calibration.true_degree=5", "calibration.mismodelled_mas=3.0"]
    assert observe(mock, tmp_path / "obs", *options) == 0
    found = observations.open_observations(tmp_path / "obs")
    table = found.table("truth/calibration.parquet")
    total = table["degree_x"] + table["degree_y"]
    assert (found.mission.calibration.degree, total.max()) == (3, 5)
    high, low = table["coefficient"][total > 3], table["coefficient"][total <= 3]
    assert high.std() == pytest.approx(3.0, rel=0.2)
    assert low.std() > 20.0
    # Up to the degree the coefficients have a common part, and vary little between blocks.
    known = exact.table("truth/calibration.parquet")
    per_block = known["coefficient"].reshape(-1, 17)
    assert per_block.std(axis=0).mean() == pytest.approx(5.0, rel=0.3)
    assert per_block.mean(axis=0).std() == pytest.approx(50.0, rel=0.5)


@pytest.mark.slow
def test_no_distortion(tmp_path, mock):
    options = [*OPTIONS, "calibration.true_degree=0", "--noise-free"]
    assert observe(mock, tmp_path / "obs", *options) == 0
    found = observations.open_observations(tmp_path / "obs")
    assert len(found.table("truth/calibration.parquet")["block"]) == 0
    table, x, y, *_ = predicted(found)
    np.testing.assert_allclose(table["x"], x / MAS, rtol=0, atol=1e-7)
    np.testing.assert_allclose(table["y"], y / MAS, rtol=0, atol=1e-7)


@pytest.mark.slow
def test_parts(tmp_path, monkeypatch, mock, noisy):
    monkeypatch.setattr("gcmock.astrometry.observations.observe._BATCH_ROWS", 700)
    original = observations.PartWriter.__init__
    monkeypatch.setattr(
        observations.PartWriter, "__init__",
        lambda self, folder, metadata: original(self, folder, metadata, rows_per_part=2000),
    )  # fmt: skip
    assert observe(mock, tmp_path / "obs", *OPTIONS) == 0
    found = observations.open_observations(tmp_path / "obs")
    assert len(list((found.path / "observations").iterdir())) > 3
    a, b = rows(noisy), rows(found)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def fails(capsys, tmp_path, *arguments):
    before = sorted(tmp_path.rglob("*"))
    assert observe(*arguments) == 2
    printed, error = capsys.readouterr()
    assert sorted(tmp_path.rglob("*")) == before
    assert printed == ""
    assert error.startswith("gcmock: error: ")
    return error


BAD_CALLS = {
    "mission": (["--mission", "jasmin"], "did you mean 'jasmine'"),
    "no instrument": (["--mission", "gaianir"], "needs an instrument and a schedule"),
    "another band": (["--set", "magnitudes.band=f146"], "limits in Hw"),
    "key": (["--set", "schedule.visit=3"], "unknown key; did you mean 'visits'"),
    "value": (["--set", "schedule.visits=many"], "expected a valid integer"),
    "no equals": (["--set", "visits"], "write section.key=value"),
    "visits": (["--visits", "1000000"], "have room for"),
    "config": (["--config", "missing.toml"], "cannot be read"),
    "realisation": (["--realisation", "3"], "no star of realisation 3"),
    "nothing bright": (["--faint", "9.6", "--set", "magnitudes.bright=9.5"], "has Hw between"),
    "correlations": (
        ["--set", f"reference.correlations={[-0.9] * 10}"],
        "not positive definite",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(capsys, tmp_path, mock, case):
    options, words = BAD_CALLS[case]
    assert words in fails(capsys, tmp_path, mock, tmp_path / "obs", *options)


@pytest.mark.parametrize("name", ["parallax", "pmra", "phot_hw_mag", "phot_ks_mag", "ref_epoch"])
def test_missing_columns_are_named(capsys, tmp_path, stars, name):
    mock = write_catalogue(tmp_path / "mock.parquet", stars, name)
    assert f"no column {name}" in fails(capsys, tmp_path, mock, tmp_path / "obs", *OPTIONS)


def test_bad_catalogues(capsys, tmp_path, stars):
    far = stars | {"ra": stars["ra"] - 90.0}
    mock = write_catalogue(tmp_path / "far.parquet", far)
    error = fails(capsys, tmp_path, mock, tmp_path / "obs", *OPTIONS)
    assert "none of its 4,000 stars is in the window" in error
    text = stars | {"source_id": np.array([f"s{i}" for i in stars["source_id"]])}
    mock = write_catalogue(tmp_path / "text.parquet", text)
    assert "must be integers" in fails(capsys, tmp_path, mock, tmp_path / "obs", *OPTIONS)
    twice = stars | {"source_id": np.zeros(4000, dtype=np.int64)}
    mock = write_catalogue(tmp_path / "twice.parquet", twice)
    assert "more than once" in fails(capsys, tmp_path, mock, tmp_path / "obs", *OPTIONS)


@pytest.mark.slow
def test_folders_are_replaced_only_if_they_are_ours(capsys, tmp_path, mock, noisy):
    error = fails(capsys, tmp_path, mock, noisy.path, *OPTIONS)
    assert "exists already" in error
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("work of years")
    error = fails(capsys, tmp_path, mock, other, *OPTIONS, "--overwrite")
    assert "gcmock did not write" in error
    assert observe(mock, tmp_path / "obs", *OPTIONS) == 0
    assert observe(mock, tmp_path / "obs", "--visits", 12, "--overwrite") == 0
    assert observations.open_observations(tmp_path / "obs").provenance["n_visit"] == 12
    capsys.readouterr()
    error = fails(capsys, tmp_path, mock, tmp_path / "no" / "obs", *OPTIONS)
    assert "does not exist" in error


def test_interruption_leaves_nothing_behind(monkeypatch, tmp_path, mock):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("gcmock.astrometry.observations.observe.source_table", interrupt)
    assert observe(mock, tmp_path / "obs", *OPTIONS) == 130
    assert list(tmp_path.iterdir()) == []


def test_damaged_folders_are_named(tmp_path, noisy):
    from gcmock.errors import InputError

    with pytest.raises(InputError, match="not a folder of observations"):
        observations.open_observations(tmp_path)
    import shutil

    copy = shutil.copytree(noisy.path, tmp_path / "obs")
    (copy / "provenance.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        observations.open_observations(copy)
    (copy / "provenance.json").write_text(json.dumps(noisy.provenance))
    shutil.copy(copy / "visits.parquet", copy / "sources.parquet")
    with pytest.raises(InputError, match="lacks the columns source_id"):
        observations.open_observations(copy).table("sources.parquet")
