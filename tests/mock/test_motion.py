"""Measured motions from the table to the catalogue: used, rejected, kept in the true motion."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from gcmock.cli.app import run
from gcmock.frames import icrs_to_galactic_proper_motion
from gcmock.mock.build import build
from gcmock.mock.infer import measured_motion
from gcmock.model import load_model
from gcmock.settings.build import load_config
from gcmock.words.flags import Flag

N = 120


@pytest.fixture(scope="module")
def stars(few_stars):
    """Stars with proper motions; some wild, some imprecise, some without, some with velocities."""
    table = few_stars(N)
    rng = np.random.default_rng(6)
    table["pmra"], table["pmdec"] = rng.normal(-4.0, 3.0, N), rng.normal(-5.0, 3.0, N)
    table["pmra_error"] = table["pmdec_error"] = 0.8
    table["pmra_pmdec_corr"] = 0.4
    table["pmra"][:10] = np.nan
    table["pmra_error"][10:20] = 9.0
    table["radial_velocity"] = np.where(np.arange(N) % 3 == 0, rng.normal(0.0, 100.0, N), np.nan)
    table["radial_velocity_error"] = 5.0
    table["ruwe"] = np.where(np.arange(N) < 30, np.nan, 1.0)
    table["ruwe"][30:35] = 4.0
    return table


def catalogue(stars, tmp_path, **overrides):
    given, out = tmp_path / "stars.parquet", tmp_path / "mock.parquet"
    stars.write(given, overwrite=True)
    build(given, out, load_config(None, overrides), workers=1, overwrite=True)
    table = pq.read_table(out)
    return {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}


@pytest.mark.slow
def test_motions_are_used_and_kept(stars, tmp_path):
    mock = catalogue(stars, tmp_path, **{"run.realisations": 20})
    assert (mock["source_id"] == np.repeat(stars["source_id"], 20)).all()
    used = (mock["flags"] & Flag.MOTION_USED) != 0
    rejected = (mock["flags"] & Flag.MOTION_REJECTED) != 0
    with_pm = np.ones(N, bool)
    with_pm[:20] = with_pm[30:35] = False
    with_rv = np.isfinite(stars["radial_velocity"])
    np.testing.assert_array_equal(used[::20], with_pm | with_rv)
    expected = np.zeros(N, bool)
    expected[10:20] = expected[30:35] = True
    np.testing.assert_array_equal(rejected[::20], expected)
    # What was observed minus the true motion scatters by the error, and not by that of components.
    off = (np.repeat(stars["pmra"], 20) - mock["pmra"])[np.repeat(with_pm, 20)]
    assert np.median(np.abs(off)) < 1.0
    off = np.repeat(stars["radial_velocity"], 20) - mock["radial_velocity"]
    off = off[np.repeat(with_rv, 20)]
    assert np.median(np.abs(off)) < 6.0
    # The columns of the velocity are those of the motion.
    assert np.isfinite(mock["vx"]).all()


@pytest.mark.slow
def test_no_star_is_faster_than_its_component_allows(few_stars, tmp_path):
    """Motions near the largest speed, and beyond it for any distance of a bulge star."""
    table = few_stars(60)
    rng = np.random.default_rng(8)
    angle = rng.uniform(0.0, 2.0 * np.pi, 60)
    size = np.repeat([12.0, 18.0, 60.0], 20)
    table["pmra"], table["pmdec"] = size * np.cos(angle), size * np.sin(angle)
    table["pmra_error"] = table["pmdec_error"] = 0.3
    mock = catalogue(table, tmp_path, **{"run.realisations": 50})
    speed = np.sqrt(mock["vx"] ** 2 + mock["vy"] ** 2 + mock["vz"] ** 2)
    galaxy = load_model().galaxy
    largest = {name: component.max_speed for name, component in galaxy.components.items()}
    allowed = np.array([largest[name] for name in mock["component"].astype(str)])
    assert (speed <= allowed * (1.0 + 1e-9)).all()
    # Where the motion is possible it is kept.
    near = np.hypot(
        mock["pmra"] - np.repeat(table["pmra"], 50), mock["pmdec"] - np.repeat(table["pmdec"], 50)
    )
    assert (near[:1000] < 1.5).mean() > 0.3


@pytest.mark.slow
def test_switched_off(stars, tmp_path):
    off = catalogue(stars, tmp_path, **{"motion.use": False})
    columns = [n for n in stars.colnames if not n.startswith(("pm", "radial"))]
    none = catalogue(stars[columns], tmp_path)
    assert not (off["flags"] & (Flag.MOTION_USED | Flag.MOTION_REJECTED)).any()
    for name in ("p_nsd", "distance_pc", "pmra", "vx"):
        np.testing.assert_array_equal(off[name], none[name])


@pytest.mark.slow
def test_command_line_switch(stars, tmp_path):
    given, out = tmp_path / "stars.parquet", tmp_path / "mock.parquet"
    stars.write(given, overwrite=True)
    assert run(["build", str(given), "-o", str(out), "--no-pm", "--no-learn"]) == 0
    assert not (pq.read_table(out)["flags"].to_numpy() & Flag.MOTION_USED).any()


def test_covariance_is_rotated(few_stars, tmp_path):
    """Errors and correlation in Galactic axes: against draws that are rotated one by one."""
    from gcmock.io.observed import read_observed

    table = few_stars(1)
    table["pmra"], table["pmdec"] = -3.0, -6.0
    table["pmra_error"], table["pmdec_error"], table["pmra_pmdec_corr"] = 0.9, 0.4, -0.6
    table.write(tmp_path / "one.parquet")
    model = load_model()
    observed = next(read_observed(tmp_path / "one.parquet", model.config).chunks())
    found = measured_motion(observed, model.config.motion, observed.flags.copy())
    rng = np.random.default_rng(1)
    c = -0.6 * 0.9 * 0.4
    pm = rng.multivariate_normal([-3.0, -6.0], [[0.81, c], [c, 0.16]], 200_000)
    ra, dec = np.full(len(pm), observed.ra[0]), np.full(len(pm), observed.dec[0])
    turned = np.stack(icrs_to_galactic_proper_motion(ra, dec, *pm.T))
    np.testing.assert_allclose([found.pm_l[0], found.pm_b[0]], turned.mean(axis=1), atol=0.01)
    covariance = np.cov(turned)
    expected = covariance[[0, 0, 1], [0, 1, 1]]
    np.testing.assert_allclose(np.ravel(found[2:5]), expected, atol=0.01)
    assert np.isnan(found[5:]).all()


@pytest.mark.slow
def test_zero_motions_are_missing(few_stars, tmp_path):
    table = few_stars(6)
    table["pmra"] = table["pmdec"] = 0.0
    table["pmra_error"] = table["pmdec_error"] = 0.1
    mock = catalogue(table, tmp_path)
    assert not (mock["flags"] & Flag.MOTION_USED).any()
