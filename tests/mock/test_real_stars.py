"""Real stars: the JASMINE target list (Hw only) and VVV variables (J and H often missing)."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gcmock.frames import icrs_to_galactic
from gcmock.mock.build import build
from gcmock.reporting.demo import read_columns
from gcmock.settings.build import load_config
from gcmock.words.components import COMPONENTS

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
N_JASMINE = 400


@pytest.fixture(scope="module")
def real_dir(shared_dir):
    folder = shared_dir / "real"
    if not folder.is_dir():
        pytest.skip(f"real stars not found in {folder}")
    return folder


def check(summary, mock, n_rows):
    assert summary.n_rows == summary.n_written == n_rows == len(mock["l"])
    assert summary.skipped.total() == 0
    p = np.stack([mock[f"p_{name}"] for name in COMPONENTS])
    np.testing.assert_allclose(p.sum(axis=0, dtype=float), 1.0, atol=1e-5)
    assert summary.component_sum.sum() == pytest.approx(n_rows, rel=1e-5)
    return dict(zip(COMPONENTS, summary.component_sum / n_rows))


@pytest.mark.slow
def test_jasmine_targets(tmp_path, real_dir):
    table = pq.read_table(real_dir / "jasmine_hw_catalogue.parquet")
    l, b = icrs_to_galactic(table["ra"].to_numpy(), table["dec"].to_numpy())
    # One corner of the nuclear disc keeps the number of lines of sight low.
    rows = np.flatnonzero((l > -0.7) & (l < 0.3) & (np.abs(b + 0.1) < 0.1))[:N_JASMINE]
    pq.write_table(table.take(rows), tmp_path / "jasmine.parquet")
    config = load_config(EXAMPLES / "jasmine_window.toml")
    summary = build(tmp_path / "jasmine.parquet", tmp_path / "mock.parquet", config)
    mock = read_columns(tmp_path / "mock.parquet")
    fraction = check(summary, mock, N_JASMINE)
    assert summary.read.band_sets == {"hw": N_JASMINE}
    assert fraction["nsd"] + fraction["nsc"] > 0.2
    pull = (table["phot_hw_mag"].to_numpy()[rows] - mock["phot_hw_mag"]) / 0.05
    assert 0.8 < pull.std() < 1.2
    np.testing.assert_array_equal(mock["ra"], table["ra"].to_numpy()[rows])
    np.testing.assert_array_equal(mock["dec"], table["dec"].to_numpy()[rows])


@pytest.mark.slow
def test_vvv_variables(tmp_path, real_dir):
    given = real_dir / "vvv_lpv_mira_window.csv"
    config = load_config(EXAMPLES / "vvv_variables.toml")
    summary = build(given, tmp_path / "mock.parquet", config)
    mock = read_columns(tmp_path / "mock.parquet")
    fraction = check(summary, mock, 393)
    assert max(fraction, key=fraction.get) == "bar"
    assert summary.read.band_sets == {"ks": 205, "j+h+ks": 128, "h+ks": 54, "j+ks": 6}
    assert summary.read.missing["phot_j_mag"] == 259
    observed = read_columns(given)
    np.testing.assert_array_equal(mock["source_id"], observed["vvv_id"])
    np.testing.assert_array_equal(mock["l"], observed["l"])
