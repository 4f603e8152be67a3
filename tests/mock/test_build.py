"""From file to file: every row accounted for, and results that depend on the stars alone."""

import numpy as np
import pytest
from astropy.table import QTable, Table

from gcmock.errors import InputError
from gcmock.mock.build import build
from gcmock.mock.census import NO_PHOTOMETRY, OUTSIDE_MAP
from gcmock.reporting.demo import read_columns
from gcmock.settings.build import load_config
from gcmock.words.bands import BANDS, magnitude_error_name, magnitude_name
from gcmock.words.components import COMPONENTS
from gcmock.words.flags import Flag

pytestmark = pytest.mark.slow

N = 100


@pytest.fixture(scope="module")
def stars():
    """Stars around Sgr A* and over the whole map: all sets of bands, some parallaxes."""
    rng = np.random.default_rng(4)
    table = Table({"source_id": rng.permutation(10 * N)[:N]})
    # A few lines of sight, because a new one costs more than a star.
    centres = rng.normal(-0.05, 0.1, (8, 2))
    table["l"], table["b"] = (centres[np.arange(N) % 4] + rng.normal(0, 0.001, (N, 2))).T
    table["l"][::50], table["b"][::50] = rng.uniform(-9, 9, N // 50), rng.uniform(-4, 4, N // 50)
    red = rng.uniform(0.5, 2.0, N)
    ks = rng.uniform(9.5, 13.0, N)
    for band, mag in (("j", ks + 3 * red), ("h", ks + red), ("ks", ks)):
        mag[rng.random(N) < 0.2] = np.nan
        table[magnitude_name(band)] = mag
        table[magnitude_error_name(band)] = rng.uniform(0.03, 0.1, N)
    table["parallax"] = np.where(rng.random(N) < 0.1, rng.normal(0.2, 0.1, N), np.nan)
    table["parallax_error"] = 0.1
    return table


def run(table, tmp_path, name="mock.parquet", **overrides):
    given = tmp_path / f"in-{name}"
    table.write(given, overwrite=True)
    workers = overrides.pop("workers", 1)
    summary = build(given, tmp_path / name, load_config(None, overrides), workers=workers)
    found = QTable.read(tmp_path / name)
    return summary, {column: np.asarray(found[column]) for column in found.colnames}


@pytest.fixture(scope="module")
def reference(stars, tmp_path_factory):
    return run(stars, tmp_path_factory.mktemp("reference"), **{"run.realisations": 2})


def rows_of(mock, source_id, realisation):
    """Rows of the catalogue in the order of the stars asked for."""
    place = {key: i for i, key in enumerate(zip(mock["source_id"], mock["realisation"]))}
    index = np.array([place[key] for key in zip(source_id, realisation)])
    return {name: values[index] for name, values in mock.items()}


def assert_same(mock, reference):
    """All that a star has, but how rare it is: that is told from the stars of its list."""
    wanted = rows_of(reference, mock["source_id"], mock["realisation"])
    for name, values in mock.items():
        if name != "evidence_pvalue":
            np.testing.assert_array_equal(values, wanted[name], err_msg=name)


def test_every_row_is_accounted_for(reference):
    summary, mock = reference
    assert summary.n_rows == N
    assert summary.skipped.total() == 0
    assert summary.n_written == len(mock["l"]) == 2 * N
    assert summary.read.band_sets.total() == N
    assert summary.component_sum.sum() == pytest.approx(N, abs=1e-3)
    for flag in Flag:
        assert summary.flags[flag.name] == ((mock["flags"] & flag) != 0).sum()
    assert summary.flags["NO_PHOTOMETRY"] > 0


def test_probabilities_are_probabilities(reference):
    p = np.stack([reference[1][f"p_{name}"] for name in COMPONENTS])
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=0, dtype=float), 1.0, atol=1e-5)
    drawn = np.array([COMPONENTS.index(name) for name in reference[1]["component"]])
    assert (np.take_along_axis(p, drawn[None], axis=0) > 0).all()


@pytest.mark.long
@pytest.mark.parametrize(
    "overrides",
    [{"run.chunk_size": 37}, {"workers": 2, "run.chunk_size": 90}],
    ids=["small chunks", "two workers"],
)
def test_chunks_and_workers_do_not_matter(stars, reference, tmp_path, overrides):
    _, mock = run(stars, tmp_path, **{"run.realisations": 2}, **overrides)
    for name, values in mock.items():
        np.testing.assert_array_equal(values, reference[1][name], err_msg=name)


def test_order_and_company_do_not_matter(stars, reference, tmp_path):
    order = np.random.default_rng(1).permutation(N)[:60]
    _, mock = run(stars[order], tmp_path)
    np.testing.assert_array_equal(mock["source_id"], stars["source_id"][order])
    assert_same(mock, reference[1])


@pytest.mark.long
def test_first_realisations_are_those_of_a_longer_run(stars, reference, tmp_path):
    _, mock = run(stars[:30], tmp_path, **{"run.realisations": 3})
    first = mock["realisation"] < 2
    assert_same({name: values[first] for name, values in mock.items()}, reference[1])
    distance = mock["distance_pc"].reshape(30, 3)
    assert (distance[:, 0] != distance[:, 2]).all()


def test_seeds_differ(stars, reference, tmp_path):
    _, mock = run(stars[:30], tmp_path, **{"run.seed": 2})
    other = rows_of(reference[1], mock["source_id"], mock["realisation"])
    assert (mock["distance_pc"] != other["distance_pc"]).all()
    np.testing.assert_array_equal(mock["log_evidence"], other["log_evidence"])


def test_observed_magnitudes_scatter_about_the_true_ones(tmp_path, shared_dir):
    true = read_columns(shared_dir / "reference" / "stars_subcell.parquet")
    rng = np.random.default_rng(2)
    rows = rng.permutation(len(true["l"]))[:1500]
    table = Table({"l": true["l"][rows], "b": true["b"][rows]})
    for band in BANDS[:3]:
        table[magnitude_name(band)] = true[magnitude_name(band)][rows] + rng.normal(0, 0.05, 1500)
        table[magnitude_error_name(band)] = 0.05
    # The populations of the program that made these stars.
    summary, mock = run(table, tmp_path, **{"populations.name": "koshimoto2021"})
    for band in BANDS[:3]:
        name = magnitude_name(band)
        pull = (np.asarray(table[name]) - mock[name]) / 0.05
        assert 0.8 < pull.std() < 1.2
        assert abs(pull.mean()) < 0.15
    # At most one star in a thousand that the model made is called unexplained.
    assert summary.flags["UNEXPLAINED"] <= 1 + 3


@pytest.mark.long
def test_stars_can_be_skipped_for_two_reasons(stars, tmp_path):
    table = stars[:20].copy()
    table["l"][3], table["b"][[7, 8]] = 30.0, 5.0
    for band in BANDS[:3]:
        table[magnitude_name(band)][[1, 8]] = np.nan
    bands = np.stack([np.isfinite(table[magnitude_name(band)]) for band in BANDS[:3]])
    dark = int((~bands.any(axis=0)).sum()) - 1
    skip = {"input.outside_map": "skip", "input.no_photometry": "skip", "run.realisations": 2}
    summary, mock = run(table, tmp_path, **skip)
    assert summary.skipped == {OUTSIDE_MAP: 3, NO_PHOTOMETRY: dark}
    assert summary.n_written == 2 * (20 - 3 - dark) == len(mock["l"])
    assert not np.isin(mock["source_id"], table["source_id"][[1, 3, 7, 8]]).any()


def test_stars_outside_the_map_stop_the_run_before_it_starts(stars, tmp_path):
    table = stars[:20].copy()
    table["l"][[12, 15]] = 40.0
    with pytest.raises(InputError, match=r"in-mock.parquet: 2 stars lie .* row 12 "):
        run(table, tmp_path, **{"run.chunk_size": 5})
    assert not (tmp_path / "mock.parquet").exists()


def test_all_stars_may_be_skipped(stars, tmp_path):
    table = stars[:5].copy()
    table["l"] = 50.0
    summary, mock = run(table, tmp_path, **{"input.outside_map": "skip"})
    assert summary.skipped == {OUTSIDE_MAP: 5}
    assert len(mock["l"]) == 0


def test_the_input_is_not_overwritten(stars, tmp_path):
    given = tmp_path / "stars.parquet"
    stars[:3].write(given)
    with pytest.raises(InputError, match="is read by this command"):
        build(given, given, overwrite=True)


def test_progress_counts_stars(stars, tmp_path, monkeypatch):
    monkeypatch.setattr("gcmock.mock.pipeline.SMALLEST_BATCH", 6)
    given = tmp_path / "stars.parquet"
    stars[:10].write(given)
    seen = []
    config = load_config(None, {"run": {"chunk_size": 8, "realisations": 2}})
    build(given, tmp_path / "m.fits", config, workers=1, progress=lambda *done: seen.append(done))
    assert seen == [(3, 10), (6, 10), (8, 10), (10, 10)]


def test_text_identifiers_are_kept(stars, tmp_path):
    table = stars[:6].copy()
    table["source_id"] = [f"star-{i}" for i in range(6)]
    _, mock = run(table, tmp_path)
    assert mock["source_id"].tolist() == [f"star-{i}" for i in range(6)]
