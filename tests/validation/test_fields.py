"""Fields of a catalogue: where they lie, what belongs together, and how the model is seen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_rows import mock_rows

from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic_proper_motion
from gcmock.settings.build import load_config
from gcmock.settings.footprint import FootprintConfig
from gcmock.validation import fields as module
from gcmock.validation.fields import N_FIELDS, add_motion, settings_of_fields
from gcmock.words.bands import BANDS


def test_catalogue_without_settings(tmp_path):
    path = tmp_path / "mock.parquet"
    with pytest.raises(InputError, match="records no settings; expected a catalogue of gcmock"):
        settings_of_fields(path)
    Table({"a": [1.0]}).write(path)
    with pytest.raises(InputError, match="records no settings"):
        settings_of_fields(path)


def test_motion_along_the_galactic_axes():
    table = {"ra": np.array([266.0]), "dec": np.array([-29.0]), "pmra": np.array([3.0]),
             "pmdec": np.array([-4.0])}  # fmt: skip
    add_motion(table)
    expected = icrs_to_galactic_proper_motion(266.0, -29.0, 3.0, -4.0)
    np.testing.assert_allclose([table["pm_l"][0], table["pm_b"][0]], np.ravel(expected))
    # The speed does not depend on the axes.
    assert np.hypot(table["pm_l"], table["pm_b"])[0] == pytest.approx(5.0)


def test_limits_are_half_a_magnitude_before_the_peak():
    edges = np.arange(10.0, 15.01, 0.25)
    number = np.array([*range(1, 17), 10, 5, 2, 1])
    mag = np.repeat(edges[:-1] + 0.1, number)
    # The fullest bin begins at 13.75 mag.
    assert module._limits(np.append(mag, np.nan)) == (10.0, 13.5)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(40, 4000))
def test_windows_lie_apart_and_inside(seed, n_star):
    rng = np.random.default_rng(seed)
    sky = rng.uniform((-0.5, -0.2), (0.5, 0.2), (4000, 2))
    windows = module._windows(sky, n_star, seed)
    assert 1 <= len(windows) <= N_FIELDS
    for (l0, l1), (b0, b1) in windows:
        assert sky[:, 0].min() - 1e-9 <= l0 < l1 <= sky[:, 0].max() + 1e-9
        assert sky[:, 1].min() - 1e-9 <= b0 < b1 <= sky[:, 1].max() + 1e-9
        inside = module._inside(sky[:, 0], sky[:, 1], ((l0, l1), (b0, b1)))
        # As many stars as there are on average, within chance.
        assert inside.sum() < 2.5 * n_star / N_FIELDS + 20
    for i, first in enumerate(windows):
        for second in windows[:i]:
            overlap = [
                min(a[1], b[1]) - max(a[0], b[0]) for a, b in zip(first, second, strict=True)
            ]
            assert min(overlap) <= 1e-12


def test_borders_are_half_open_across_zero():
    l_deg = np.array([359.75, 0.0, 0.125, 0.25])
    inside = module._inside(l_deg, np.zeros(4), ((-0.25, 0.25), (0.0, 1.0)))
    np.testing.assert_array_equal(inside, [True, True, True, False])


@pytest.fixture
def files(tmp_path):
    """A list of six stars and their mock, in another order and with two realisations."""
    mag = np.linspace(12.0, 13.0, 6)
    stars = Table({"source_id": np.arange(6), "l": np.full(6, 0.1), "b": np.full(6, 0.1)})
    stars["phot_ks_mag"], stars["phot_ks_mag_error"] = mag, 0.1
    stars["l"][5] = 3.0
    rows = mock_rows(
        ["bar"] * 12, source_id=np.repeat(np.arange(6)[::-1], 2), realisation=np.tile([0, 1], 6),
        l=0.1, b=0.1, phot_ks_mag=np.repeat(mag[::-1], 2) + np.tile([0.0, 5.0], 6),
    )  # fmt: skip
    paths = tmp_path / "stars.parquet", tmp_path / "mock.parquet"
    stars.write(paths[0])
    Table(rows).write(paths[1])
    return paths


def test_stars_and_their_mock_in_the_same_order(files):
    window = [((0.0, 0.2), (0.0, 0.2))]
    (seen,), (true,) = module._read(window, *files, load_config())
    np.testing.assert_array_equal(seen["source_id"], np.arange(5))
    np.testing.assert_array_equal(true["source_id"], np.arange(5))
    ks = BANDS.index("ks")
    # The first realisation of each, and nothing of the star outside.
    np.testing.assert_allclose(true["mag"][:, ks], seen["mag"][:, ks])
    assert {"pm_l", "pm_b"} <= set(true)


def test_tables_that_do_not_belong_together(files, tmp_path):
    stars, mock = files
    window = [((0.0, 0.2), (0.0, 0.2))]
    other = Table.read(mock)
    other["source_id"] += 4
    other.write(tmp_path / "other.parquet")
    with pytest.raises(InputError, match=r"has 1 of 5 stars of .*: give the list from which"):
        module._read(window, stars, tmp_path / "other.parquet", load_config())
    other.remove_column("flags")
    other.write(tmp_path / "less.parquet")
    with pytest.raises(InputError, match="not a mock catalogue, lacks the columns flags"):
        module._read(window, stars, tmp_path / "less.parquet", load_config())


MODEL = SimpleNamespace(
    config=SimpleNamespace(photometry=SimpleNamespace(error_floor_mag=0.0)), relations={}
)


def see(known=None, band="ks", n=4000, error=0.2):
    drawn = mock_rows(["bar"] * n)
    mag = np.full((50, len(BANDS)), np.nan)
    mag[:, 1], mag[:, 2] = np.linspace(11.0, 16.0, 50), np.linspace(10.0, 15.0, 50)
    observed = {"mag": mag, "error": np.full(mag.shape, error)}
    return drawn, module._see(drawn, observed, MODEL, known, band, 3)


def test_model_is_seen_with_the_errors_of_the_catalogue():
    drawn, table = see()
    ks, h = BANDS.index("ks"), BANDS.index("h")
    assert table["mag"].shape == (4000, len(BANDS))
    assert (table["mag"][:, ks] - drawn["phot_ks_mag"]).std() == pytest.approx(0.2, rel=0.05)
    noise = [table["mag"][:, i] - drawn[f"phot_{BANDS[i]}_mag"] for i in (ks, h)]
    assert abs(np.corrcoef(noise)[0, 1]) < 0.06
    # Bands that the catalogue lacks are not seen.
    assert np.isnan(table["mag"][:, BANDS.index("j")]).all()


def test_completeness_removes_stars_of_the_main_band():
    class Known:
        def probability(self, l_deg, b_deg, mag, band):
            return np.full(mag.shape, {"j": 1.0, "h": 0.5, "ks": 0.25}[band])

    _, table = see(Known())
    n = table["l"].size
    assert n == pytest.approx(1000, abs=130)
    # Without H half of the others remain, but without that magnitude.
    assert np.isfinite(table["mag"][:, BANDS.index("h")]).mean() == pytest.approx(0.5, abs=0.08)
    assert np.isfinite(table["mag"][:, BANDS.index("ks")]).all()


def test_fields_of_a_catalogue(files, monkeypatch):
    stars, mock = files
    drawn = mock_rows(["bar"] * 30, l=0.1, b=0.1)
    calls = []
    monkeypatch.setattr(module, "settings_of_fields", lambda path: load_config())
    monkeypatch.setattr(module, "load_model", lambda config: MODEL)
    monkeypatch.setattr(module, "_windows", lambda *_: [((0.0, 0.2), (0.0, 0.2))])
    monkeypatch.setattr(module, "simulate", lambda *a, **k: calls.append((a, k)) or drawn)
    found = module.load_fields(Path(mock), Path(stars), None, 100, (11.0, 12.9), 7)
    assert (found.band, found.limits, found.with_map) == ("ks", (11.0, 12.9), False)
    np.testing.assert_array_equal(found.fractions, [0, 0, 1, 0])
    ((arguments, options),) = calls
    assert arguments == (MODEL, (0.0, 0.2), (0.0, 0.2))
    # Stars fainter than the limit are seen brighter by chance.
    assert options["ks_max"] == 12.9 + module.MARGIN_MAG
    assert found.fields[0].model["mag"].shape == (30, len(BANDS))


def test_stars_of_the_model_outside_the_footprint_are_not_compared(files, monkeypatch):
    """A field is a box; the list may cover a part of it only."""
    pytest.importorskip("mocpy")
    stars, mock = files
    monkeypatch.setattr(module, "settings_of_fields", lambda path: load_config())
    monkeypatch.setattr(module, "load_model", lambda config: MODEL)
    monkeypatch.setattr(module, "_windows", lambda *_: [((0.0, 0.2), (0.0, 0.2))])
    l_deg = np.where(np.arange(30) < 10, 0.1, 0.18)
    drawn = mock_rows(["bar"] * 30, l=l_deg, b=0.1)
    monkeypatch.setattr(module, "simulate", lambda *a, **k: drawn)
    ra, dec = galactic_to_icrs(np.array([0.1]), np.array([0.1]))
    cone = FootprintConfig(cone=(float(ra[0]), float(dec[0]), 0.05))
    given = (Path(mock), Path(stars), None, 100, (11.0, 12.9), 7)
    found = module.load_fields(*given, footprint=cone)
    assert found.footprint.area_deg2 == pytest.approx(np.pi * 0.0025, rel=0.01)
    assert found.fields[0].model["mag"].shape[0] == 10
    # A handful of stars is too few for a guess.
    assert module.load_fields(*given).footprint is None


def test_list_without_a_usual_band(files, monkeypatch, tmp_path):
    stars, mock = files
    table = Table.read(stars)
    table["phot_ks_mag"][:4] = np.nan
    table.write(tmp_path / "few.parquet")
    monkeypatch.setattr(module, "settings_of_fields", lambda path: load_config())
    monkeypatch.setattr(module, "load_model", lambda config: MODEL)
    with pytest.raises(InputError, match="no band that most of its stars have"):
        module.load_fields(mock, tmp_path / "few.parquet", None, 100, None, 7)
