"""Names of other catalogues are used where their meaning is sure, and remarked where not."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

from gcmock.errors import InputError
from gcmock.io.observed import read_observed
from gcmock.photometric_systems import system_names, to_2mass
from gcmock.settings.build import PhotometryConfig, load_config


def read(tmp_path, overrides=None, **columns):
    base = {"ra": np.array([266.4, 267.0]), "dec": np.array([-29.0, -28.5])}
    base |= {"phot_ks_mag": np.array([12.0, 12.5])}
    table = {k: v for k, v in {**base, **columns}.items() if v is not None}
    Table(table).write(tmp_path / "t.fits", overwrite=True)
    catalogue = read_observed(tmp_path / "t.fits", load_config(None, overrides))
    (stars,) = catalogue.chunks()
    return catalogue, stars


def test_names_of_vizier(tmp_path):
    two = np.ones(2)
    columns = {"pmRA": -3 * two, "pmDE": -5 * two, "Plx": 0.1 * two, "HRV": 50 * two}
    errors = {f"e_{name}": 0.2 * two for name in columns}
    catalogue, stars = read(tmp_path, **columns, **errors, RUWE=two, pmRApmDEcor=0.3 * two)
    assert catalogue.remarks == []
    for name, value in (("pmra", -3), ("pmdec", -5), ("parallax", 0.1), ("radial_velocity", 50)):
        np.testing.assert_array_equal(getattr(stars, name), value)
        np.testing.assert_array_equal(getattr(stars, f"{name}_error"), 0.2)
    np.testing.assert_array_equal(stars.pmra_pmdec_corr, 0.3)


@pytest.mark.parametrize(("l_name", "b_name"), [("pml", "pmb"), ("pm_l", "pm_b")])
def test_motions_along_galactic_axes(tmp_path, l_name, b_name):
    motion = {l_name: np.array([-6.0, 2.0]), b_name: np.array([-0.2, 1.0])}
    errors = {f"{l_name}_error": np.array([0.3, 0.1]), f"{b_name}_error": np.array([0.1, 0.3])}
    _, stars = read(tmp_path, **motion, **errors)
    sky = SkyCoord(
        l=stars.l * u.deg,
        b=stars.b * u.deg,
        pm_l_cosb=motion[l_name] * u.mas / u.yr,
        pm_b=motion[b_name] * u.mas / u.yr,
        frame="galactic",
    ).icrs
    np.testing.assert_allclose(stars.pmra, sky.pm_ra_cosdec.value, atol=1e-6)
    np.testing.assert_allclose(stars.pmdec, sky.pm_dec.value, atol=1e-6)
    # A rotation keeps the trace and the determinant of the covariance.
    ra, dec = stars.pmra_error**2, stars.pmdec_error**2
    np.testing.assert_allclose(ra + dec, 0.1, rtol=1e-12)
    np.testing.assert_allclose(ra * dec * (1 - stars.pmra_pmdec_corr**2), 0.0009, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("RV", "if it is radial_velocity"),
        ("v_los", "if it is radial_velocity"),
        ("mu_alpha", "if it is pmra"),
        ("muDE", "if it is pmdec"),
        ("epoch", "if it is ref_epoch"),
        ("e_Kmag", "if it is phot_ks_mag_error"),
        ("varpi", "if it is parallax"),
        ("pmra", "is not used without pmdec"),
    ],
)
def test_what_is_not_used_is_remarked(tmp_path, name, words):
    extra = {"Kmag": np.ones(2)} if name == "e_Kmag" else {}
    catalogue, _ = read(tmp_path, **extra, **{name: np.full(2, 1.0)})
    assert [x for x in catalogue.remarks if words in x], catalogue.remarks


def test_hints_have_errors(tmp_path):
    columns = {"Jmag": np.ones(2), "e_Jmag": np.ones(2), "phot_ks_mag": None}
    with pytest.raises(InputError, match=r'phot_j_mag = "Jmag", phot_j_mag_error = "e_Jmag"'):
        read(tmp_path, **columns)


def test_a_magnitude_is_no_latitude(tmp_path):
    catalogue, stars = read(tmp_path, b=np.array([14.0, 99.99]))
    assert abs(stars.b).max() < 2
    assert ["latitude or longitude" in x for x in catalogue.remarks] == [True]


def test_a_column_twice(tmp_path):
    with pytest.raises(InputError, match="would be both ra and dec"):
        read(tmp_path, {"columns": {"ra": "x", "dec": "x"}}, x=np.ones(2))


def test_upper_limits_of_2mass(tmp_path):
    columns = {"phot_ks_mag": None, "Jmag": np.array([14.0, 13.0]), "Kmag": np.array([12.0, 11.0])}
    columns |= {"e_Jmag": np.array([0.02, np.nan]), "e_Kmag": np.array([0.02, 0.0])}
    names = {"phot_j_mag": "Jmag", "phot_ks_mag": "Kmag"}
    names |= {f"{k}_error": f"e_{v}" for k, v in names.items()}
    flags = {"Qflg": np.array(["AAU", "AAA"])}
    catalogue, stars = read(tmp_path, {"columns": names}, **columns, **flags)
    # J of the second star has no error, Ks of the first the letter U.
    np.testing.assert_array_equal(stars.mag[:, 0], [14.0, np.nan])
    np.testing.assert_array_equal(stars.mag[:, 2], [np.nan, 11.0])
    assert "upper limits" in catalogue.remarks[0]


def test_photometric_systems(tmp_path):
    columns = {f"phot_{band}_mag": np.array([14.0, 13.0]) for band in ("j", "h", "ks")}
    for system in system_names():
        catalogue, stars = read(tmp_path, {"photometry.system": system}, **columns)
        _, plain = read(tmp_path, **columns)
        mag, error = to_2mass(system, plain.mag[:, :3], plain.mag_error[:, :3])
        if system == "2mass":
            np.testing.assert_array_equal(stars.mag, plain.mag)
        else:
            np.testing.assert_array_equal(stars.mag[:, :3], mag)
            np.testing.assert_array_equal(stars.mag_error[:, :3], error)
            assert f"converted from {system}" in catalogue.remarks[0]
    allowed = PhotometryConfig.model_fields["system"].annotation.__args__
    assert set(allowed) == set(system_names())


def test_vista_is_not_taken_for_2mass_in_silence(tmp_path):
    names = {"columns": {"phot_ks_mag": "KsAperMag3"}}
    columns = {"phot_ks_mag": None, "KsAperMag3": np.ones(2) * 12}
    catalogue, _ = read(tmp_path, names, **columns)
    assert 'system = "vista"' in catalogue.remarks[0]
    catalogue, _ = read(tmp_path, names | {"photometry.system": "2mass"}, **columns)
    assert catalogue.remarks == []
