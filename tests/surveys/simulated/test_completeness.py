"""``gcmock simulate --survey --completeness``: the detection probability of a merged catalogue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gcmock.catalogue.learn.completeness import (
    COMPLETENESS_FILE,
    FIRST_MAG,
    MERGED,
    N_BINS,
    STEP_MAG,
    Completeness,
)
from gcmock.cli.app import run
from gcmock.io.metadata import read_metadata
from gcmock.words.bands import SURVEY_BANDS

WINDOW = ["--l", "0.5", "0.55", "--b", "0.3", "0.35", "--ks-max", "14.5"]


@pytest.fixture
def completeness(tmp_path: Path) -> Path:
    """A map of one value for the whole sky: half of the stars beyond 12 mag, all before."""
    shape = (1, len(SURVEY_BANDS), 1, N_BINS)
    low = FIRST_MAG + STEP_MAG * np.arange(N_BINS)
    value = np.broadcast_to(np.where(low < 12.0, 1.0, 0.5), shape).copy()
    counts = np.full(shape, 100, np.int64)
    made = Completeness(5, np.zeros(0, np.int64), (MERGED,), counts, counts, value, np.array([1e6]))
    path = tmp_path / COMPLETENESS_FILE
    made.write(path, {})
    return path


@pytest.mark.slow
def test_stars_are_seen_with_the_probability_of_the_map(completeness: Path, tmp_path: Path) -> None:
    output = tmp_path / "survey.parquet"
    command = ["simulate", "-o", str(output), *WINDOW, "--survey", "--completeness"]
    assert run([*command, str(completeness)]) == 0
    seen = pq.read_table(output)["source_id"].to_numpy()
    truth = pq.read_table(tmp_path / "survey_truth.parquet")
    ks = truth["phot_ks_mag"].to_numpy()
    found = np.isin(truth["source_id"].to_numpy(), seen)
    assert (ks < 11.7).sum() > 50
    assert found[ks < 11.7].all()
    faint = found[ks > 12.3]
    assert faint.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(faint.size))
    words = read_metadata(output)["completeness"]
    assert words.startswith(f"{completeness}, sha256 ")
    # The folder of the catalogue serves as well.
    elsewhere = tmp_path.with_name(f"{tmp_path.name}-again")
    elsewhere.mkdir()
    again = elsewhere / "again.parquet"
    command[2] = str(again)
    assert run([*command, str(tmp_path)]) == 0
    assert pq.read_table(again)["source_id"].to_numpy().tolist() == seen.tolist()


def test_bad_input(completeness: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["simulate", "-o", str(tmp_path / "stars.parquet"), *WINDOW, "--completeness"]
    assert run([*command, str(completeness)]) == 2
    assert "is for --survey" in capsys.readouterr().err
    assert run([*command, str(completeness), "--surveys", "gaia"]) == 2
    assert "is for --survey" in capsys.readouterr().err
    assert run([*command, str(tmp_path / "none.parquet"), "--survey"]) == 2
    assert "no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [completeness]


def test_bins_without_stars_have_the_value_of_the_nearest_but_on_the_faint_side() -> None:
    """Bright bins are empty because bright stars are rare, faint ones because none is seen."""
    value = np.full((1, len(SURVEY_BANDS), 1, N_BINS), np.nan)
    low = FIRST_MAG + STEP_MAG * np.arange(N_BINS)
    value[..., (low >= 9.0) & (low < 15.0)] = 0.8
    value[..., low == 11.0] = np.nan
    counts = np.zeros(value.shape, np.int64)
    made = Completeness(5, np.zeros(0, np.int64), (MERGED,), counts, counts, value, np.ones(1))
    mag = np.array([5.0, 7.0, 9.0, 11.2, 14.7, 15.25, 16.0, np.nan])
    found = made.probability(np.zeros(8), np.zeros(8), mag)
    np.testing.assert_allclose(found, [0.8, 0.8, 0.8, 0.8, 0.8, 0.0, 0.0, 0.0], atol=1e-12)
