"""build learns from its own list, leaves what it learned, and takes it again."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from astropy.table import Table, vstack

import gcmock
from gcmock.errors import InputError, InterruptedRunError, OutsideModelError
from gcmock.io.metadata import read_metadata, recorded_config
from gcmock.learned import load_learned
from gcmock.reporting.demo import read_columns
from gcmock.words.cases import CASE_COLUMNS
from gcmock.words.flags import Flag

pytestmark = pytest.mark.slow

SETTINGS = {"populations": {"name": "koshimoto2021"}, "run": {"seed": 7, "partition_size": 40}}
N = 80


@pytest.fixture(scope="module")
def stars(few_stars):
    """Enough stars to learn the reddening from, too few for their numbers."""
    return few_stars(N, seed=5, size_deg=0.03)


@pytest.fixture(scope="module")
def folder(stars, tmp_path_factory):
    """Return a folder with the list and its mock catalogue in two partitions."""
    folder = tmp_path_factory.mktemp("learning")
    stars.write(folder / "stars.parquet")
    done = gcmock.build(folder / "stars.parquet", folder / "mock", **SETTINGS)
    assert done.remarks[0].startswith(f"learned from {N} stars: reddening ")
    return folder


@pytest.fixture
def learns_nothing(monkeypatch):
    """Fail if anything is learned."""

    def calibrate(*_, **__):
        raise AssertionError("learned again")

    monkeypatch.setattr("gcmock.calibration.learn.calibrate", calibrate)


def contents(folder):
    """Checksums of the files of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_list_is_learned_from_and_the_file_stays(folder):
    learned = load_learned(folder / "mock_learned.fits")
    assert learned.cell.size > 0
    part = next((folder / "mock").glob("part*.parquet"))
    metadata = read_metadata(part)
    assert metadata["learned_sha256"] == learned.sha256
    assert recorded_config(part, metadata).learn.file == str(folder / "mock_learned.fits")
    found = read_columns(folder / "mock")
    assert not (np.asarray(found["flags"]) & Flag.NOT_LEARNED).any()
    p = np.stack([np.asarray(found[f"p_{name}"]) for name in CASE_COLUMNS])
    assert ((p >= 0.0) & (p <= 1.0)).all()
    assert (p.sum(axis=0) > 0.0).any()


def test_what_was_learned_serves_again(folder, tmp_path, learns_nothing):
    done = gcmock.build(
        folder / "stars.parquet", tmp_path / "again",
        learned=folder / "mock_learned.fits", **SETTINGS,
    )  # fmt: skip
    assert not any("learned" in remark for remark in done.remarks)
    assert contents(tmp_path / "again") == contents(folder / "mock")
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_the_same_list_gives_the_same_bytes(folder, tmp_path):
    gcmock.build(folder / "stars.parquet", tmp_path / "mock", workers=1, **SETTINGS)
    name = "mock_learned.fits"
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_an_interrupted_run_takes_what_it_learned(folder, stars, tmp_path, monkeypatch):
    stars.write(tmp_path / "stars.parquet")

    def build(**options):
        return gcmock.build(tmp_path / "stars.parquet", tmp_path / "mock", **SETTINGS, **options)

    def stop(done, _):
        if done >= N // 2:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError):
        build(workers=1, progress=stop)
    monkeypatch.setattr("gcmock.calibration.learn.calibrate", None)
    done = build(workers=2)
    assert done.remarks[0] == "what was learned is taken from mock_learned.fits, of an earlier run"
    np.testing.assert_array_equal(
        read_columns(tmp_path / "mock")["distance_pc"], read_columns(folder / "mock")["distance_pc"]
    )


@pytest.mark.parametrize("what", ["list", "settings"])
def test_what_another_list_taught_is_refused(folder, few_stars, tmp_path, what, learns_nothing):
    list_, options = folder / "stars.parquet", dict(SETTINGS)
    if what == "list":
        list_ = tmp_path / "other.parquet"
        few_stars(N, seed=6).write(list_)
    else:
        options["model"] = {"r0_pc": 8200.0}
    (tmp_path / "mock_learned.fits").write_bytes((folder / "mock_learned.fits").read_bytes())
    words = "mock_learned.fits: exists already, .*use --overwrite, or use it with --learned"
    with pytest.raises(InputError, match=words):
        gcmock.build(list_, tmp_path / "mock.parquet", **options)
    assert not (tmp_path / "mock.parquet").exists()


def test_a_table_in_memory_teaches_what_a_file_does(folder, stars):
    found, expected = gcmock.build(stars, **SETTINGS), read_columns(folder / "mock")
    for name in ("source_id", "distance_pc", "p_nsd", "p_blend", "flags"):
        np.testing.assert_array_equal(np.asarray(found[name]), expected[name])
    record = found.meta["gcmock"]
    assert record["extinction_law"].startswith("learned (")
    assert len(record["learned_sha256"]) == 64


def test_nothing_is_learned_where_that_is_not_wanted(folder, tmp_path, learns_nothing):
    done = gcmock.build(folder / "stars.parquet", tmp_path / "mock.fits", no_learn=True, **SETTINGS)
    assert not any("learned" in remark for remark in done.remarks)
    assert [path.name for path in tmp_path.iterdir()] == ["mock.fits"]
    found = read_columns(tmp_path / "mock.fits")
    assert not any(np.asarray(found[f"p_{name}"]).any() for name in CASE_COLUMNS)
    assert not (np.asarray(found["flags"]) & Flag.NOT_LEARNED).any()
    assert "use = false" in read_metadata(tmp_path / "mock.fits")["config"].split("[learn]")[1]


def test_a_handful_of_stars_has_the_width_of_what_maps_are_wrong_by(stars, tmp_path):
    done = gcmock.build(stars[:20], tmp_path / "mock.parquet", **SETTINGS)
    assert done.remarks[0].startswith("nothing was learned from the list (")
    assert load_learned(tmp_path / "mock_learned.fits").cell.size == 0
    found = read_columns(tmp_path / "mock.parquet")
    assert (np.asarray(found["flags"]) & Flag.NOT_LEARNED).all()


def test_a_list_that_is_refused_leaves_nothing(stars, tmp_path):
    outside = stars[:1].copy()
    outside["source_id"], outside["b"] = 10**6, 30.0
    vstack([stars[:20], outside]).write(tmp_path / "stars.parquet")
    with pytest.raises(OutsideModelError):
        gcmock.build(tmp_path / "stars.parquet", tmp_path / "mock.parquet", **SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["stars.parquet"]


@pytest.mark.parametrize("suffix", ["fits", "vot", "ecsv"])
def test_probabilities_of_cases_are_in_every_format(folder, tmp_path, suffix):
    learned, output = folder / "mock_learned.fits", tmp_path / f"mock.{suffix}"
    gcmock.build(folder / "stars.parquet", output, learned=learned, **SETTINGS)
    found, expected = Table.read(output), read_columns(folder / "mock")
    for name in CASE_COLUMNS:
        np.testing.assert_array_equal(found[f"p_{name}"], np.asarray(expected[f"p_{name}"]))


def test_a_catalogue_that_was_moved_finds_what_was_learned(folder, tmp_path):
    learned = folder / "mock_learned.fits"
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "m_learned.fits").write_bytes(learned.read_bytes())
    gcmock.build(
        folder / "stars.parquet", first / "m.parquet", learned=first / "m_learned.fits", **SETTINGS
    )
    first.rename(second)
    mock = second / "m.parquet"
    config = recorded_config(mock, read_metadata(mock))
    assert config.learn.file == str(second / "m_learned.fits")
    (second / "m_learned.fits").unlink()
    config = recorded_config(mock, read_metadata(mock))
    assert config.learn.file == str(first / "m_learned.fits")


def test_old_settings_name_a_calibration(folder, tmp_path):
    text = (
        '[populations]\nname = "koshimoto2021"\n[run]\nseed = 7\n'
        f'[extinction]\ncalibration = "{folder / "mock_learned.fits"}"\n'
    )
    (tmp_path / "old.toml").write_text(text)
    found = gcmock.build(folder / "stars.parquet", config=tmp_path / "old.toml")
    np.testing.assert_array_equal(
        np.asarray(found["distance_pc"]), np.asarray(read_columns(folder / "mock")["distance_pc"])
    )


@pytest.mark.long
def test_report_and_validate_take_what_was_learned(folder, tmp_path):
    mock, stars = folder / "mock", folder / "stars.parquet"
    gcmock.report(mock, input=stars, output=tmp_path / "report.html", sample=10)
    assert "learned (" in (tmp_path / "report.html").read_text(encoding="utf-8")
    found = gcmock.validate(mock, input=stars, only=["predictive"])
    assert any(np.isfinite(check.value) for check in found.checks)
