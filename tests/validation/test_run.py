"""The tests of the science pass for the right model and fail for a wrong one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from gcmock import cli
from gcmock.catalogue.learn.completeness import N_BINS, Completeness
from gcmock.mock.build import build
from gcmock.mock.simulate import simulate
from gcmock.mock.survey import survey
from gcmock.model import load_model
from gcmock.reporting.demo import read_columns
from gcmock.settings.build import load_config
from gcmock.validation import counts
from gcmock.validation.counts import counts_checks
from gcmock.validation.fields import load_fields
from gcmock.validation.genstars import load_truth
from gcmock.validation.offshelf import offshelf_checks
from gcmock.validation.predictive import predictive_checks
from gcmock.validation.result import failures
from gcmock.validation.sbc import (
    compare_sample,
    draw_sample,
    infer_sample,
    self_consistent,
    wrong_law,
)
from gcmock.validation.tiles import average, count_curves, make_tiles, red_model
from gcmock.validation.truths import EVALUATE, load_truths, truths_checks

pytestmark = pytest.mark.long

L_RANGE, B_RANGE, KS_MAX = (0.25, 0.3), (-0.2, -0.15), 13.0


@pytest.fixture(scope="module")
def config():
    return load_config(None, {"populations.name": "koshimoto2021", "run.workers": 1})


@pytest.fixture(scope="module")
def files(tmp_path_factory, config) -> tuple[Path, Path]:
    """A survey of the model and its mock catalogue."""
    folder = tmp_path_factory.mktemp("validation")
    model = load_model(config=config)
    truth = simulate(model, L_RANGE, B_RANGE, ks_max=KS_MAX, seed=3)
    observed = survey(truth, 3)
    stars, mock = folder / "stars.parquet", folder / "mock.parquet"
    Table(observed).write(stars)
    build(stars, mock, config)
    return stars, mock


def test_calibration_finds_a_wrong_law(config) -> None:
    """The same stars, inferred with the right extinction law and with another."""
    model = self_consistent(config)
    sample = draw_sample(model, 1500, 4)
    assert 1200 < sample.distance_pc.size <= 1500
    assert not failures(compare_sample(sample, *infer_sample(sample, model, 4, 1)))
    other = self_consistent(wrong_law(config))
    wrong = infer_sample(sample, other, 4, 1)
    assert failures(compare_sample(sample, *wrong))


def test_mock_and_model_look_like_the_survey(files) -> None:
    stars, mock = files
    fields = load_fields(mock, stars, None, 2500, (9.0, KS_MAX - 0.3), 1)
    assert fields.band == "ks"
    checks = predictive_checks(fields)
    assert not failures(checks)
    assert {"posterior", "prior"} <= {
        check.quantity.split(",")[0].split(":")[0] for check in checks
    }
    lines = offshelf_checks(fields)
    assert {check.verdict for check in lines} == {"info"}
    assert any("fraction of nsd" in check.quantity for check in lines)


def test_prediction_finds_missing_stars(files, tmp_path) -> None:
    """A catalogue that lacks a third of its stars is not what the model expects."""
    stars, mock = files
    table = pq.read_table(stars)
    kept = np.flatnonzero(np.random.default_rng(1).random(table.num_rows) < 0.67)
    pq.write_table(table.take(kept), tmp_path / "stars.parquet")
    ids = table["source_id"].to_numpy()[kept]
    whole = pq.read_table(mock)
    rows = np.flatnonzero(np.isin(whole["source_id"].to_numpy(), ids))
    pq.write_table(whole.take(rows), tmp_path / "mock.parquet")
    fields = load_fields(
        tmp_path / "mock.parquet", tmp_path / "stars.parquet", None, 2500, (9.0, KS_MAX - 0.3), 1
    )
    assert any("counts per ks" in check.quantity for check in failures(predictive_checks(fields)))


def test_completeness_enters_the_prediction(files, tmp_path) -> None:
    """With a map that says that half the stars are seen, the model expects half of them."""
    stars, mock = files
    shape = (1, 3, 1, N_BINS)
    nothing = np.zeros(shape, np.int64)
    half = Completeness(
        8, np.zeros(0, np.int64), ("merged",), nothing, nothing, np.full(shape, 0.5), np.ones(1)
    )
    half.write(tmp_path / "map.parquet", {})
    fields = load_fields(mock, stars, tmp_path / "map.parquet", 2500, (9.0, KS_MAX - 0.3), 1)
    assert fields.with_map
    checks = predictive_checks(fields)
    ratio = next(c.value for c in checks if "observed / model" in c.quantity)
    assert 1.5 < ratio < 2.7
    assert any("counts per ks" in check.quantity for check in failures(checks))


def test_prediction_finds_wrong_magnitudes(files) -> None:
    """True magnitudes that are 0.05 mag off do not scatter about the observed ones."""
    stars, mock = files
    fields = load_fields(mock, stars, None, 2500, (9.0, KS_MAX - 0.3), 1)
    one = fields.fields[0]
    off = one.mock | {"mag": one.mock["mag"] + 0.05}
    wrong = replace(fields, fields=(replace(one, mock=off),))
    assert any("observed - true" in check.quantity for check in failures(predictive_checks(wrong)))


def test_red_stars_are_those_of_the_simulation(config) -> None:
    """Counts of stars redder than a limit, against stars drawn one by one."""
    model = load_model(config=config)
    tiles = make_tiles((0.3, 0.35), (-0.2, -0.15), 0.05)
    e_jks, tau = model.reddening(tiles.l_deg, tiles.b_deg)
    fixed = load_config(None, config.model_dump() | {"extinction": {"map_value": "cell_mean"}})
    drawn = simulate(load_model(config=fixed), (0.3, 0.35), (-0.2, -0.15), ks_max=14.5, seed=2)
    edges = np.array([9.0, 14.0])
    near = [(0.3125, -0.1875), (0.3125, -0.1625), (0.3375, -0.1875), (0.3375, -0.1625)]
    means = [model.extinction_map.value(l, b, "cell_mean")[0] for l, b in near]
    colour = drawn["phot_j_mag"] - drawn["phot_h_mag"]
    bright = (drawn["phot_hw_mag"] < 14.0) & (drawn["phot_hw_mag"] >= 9.0)
    for limit in (-9.0, 2.4, 3.0):
        curves = count_curves(red_model(model, limit), tiles, edges)
        expected = float(average(curves, np.array([means], float), 0.02).sum())
        found = int((bright & (colour > limit)).sum())
        assert abs(found - expected) < 4 * np.sqrt(expected) + 0.02 * expected, limit
    assert np.isfinite([e_jks, tau]).all()


def test_counts_find_the_colour_limit_of_a_list(config, tmp_path, monkeypatch) -> None:
    """A list of the model with J - H > 2: the limit is found, and the ratio is 1."""
    monkeypatch.setattr(counts, "LAWS", ("nishiyama_2009",))
    monkeypatch.setattr(counts, "COLOUR_LIMITS", np.array([-np.inf, 1.8, 2.0, 2.2]))
    model = load_model(config=config)
    l_range, b_range = (-1.0, -0.6), (0.5, 0.8)
    drawn = simulate(model, l_range, b_range, ks_max=12.6, seed=5)
    colour = drawn["phot_j_mag"] - drawn["phot_h_mag"]
    # Deep enough: a star with Hw < 14.5 and such a colour has Ks < 12.6.
    red = colour > 2.0
    table = Table({name: drawn[name][red] for name in ("source_id", "l", "b", "phot_hw_mag")})
    table.write(tmp_path / "list.parquet")
    checks, found = counts_checks(tmp_path / "list.parquet", config, l_range, b_range)
    assert found.colour_min == 2.0
    ratio = next(c for c in checks if c.quantity == "observed / expected, as red as the list")
    assert ratio.verdict == "pass"
    assert ratio.value == pytest.approx(1.0, abs=0.05)
    without = found.observed.sum() / found.expected.sum()
    assert without < 0.9


def test_published_values(config) -> None:
    assert {entry["evaluate"] for entry in load_truths()} == set(EVALUATE)
    assert all(entry["source"] and entry["why"] for entry in load_truths())
    checks = truths_checks(load_model(config=load_config(None, {"run.workers": 1})))
    assert not failures(checks)


def test_a_wrong_sun_fails() -> None:
    wrong = load_model(config=load_config(None, {"model.sun_velocity_kms": (-10.0, 220.0, 7.0)}))
    failed = failures(truths_checks(wrong, ("sgr_a_pm_l", "sgr_a_pm_b")))
    assert any("Sgr A*" in check.quantity for check in failed)


def test_command(files, tmp_path, capsys) -> None:
    stars, mock = files
    output = tmp_path / "validation.json"
    words = ["validate", mock, "--input", stars, "--only", "predictive,offshelf,genstars,counts"]
    words += ["--stars", 1000, "--limits", 9, 12.7, "-o", output, "--workers", 1]
    assert cli.run([str(word) for word in words]) == 0
    text = capsys.readouterr().out
    assert "skip" in text
    assert "--reference" in text
    record = json.loads(output.read_text(encoding="utf-8"))
    assert record["summary"]["fail"] == 0
    assert record["summary"]["skip"] == 2
    assert record["provenance"]["given"]["mock"]["sha256"]
    assert sum(record["summary"].values()) == len(record["checks"])
    assert cli.run([str(word) for word in words]) == 2
    markdown = tmp_path / "validation.md"
    assert cli.run(["validate", "--only", "counts", "-o", str(markdown)]) == 0
    assert markdown.read_text(encoding="utf-8").startswith("| test |")


def test_command_fails_and_draws_the_map(config, tmp_path, capsys, monkeypatch) -> None:
    """A list with a tenth of the stars of the model fails, and says so in the exit code."""
    monkeypatch.setattr(counts, "LAWS", ("nishiyama_2009",))
    monkeypatch.setattr(counts, "COLOUR_LIMITS", np.array([-np.inf]))
    model = load_model(config=config)
    drawn = simulate(model, (0.2, 0.5), (-0.4, -0.2), ks_max=11.5, seed=5)
    bright = np.flatnonzero(drawn["phot_hw_mag"] < 14.5)[::10]
    table = Table({name: drawn[name][bright] for name in ("source_id", "l", "b", "phot_hw_mag")})
    table.write(tmp_path / "list.parquet")
    settings = tmp_path / "settings.toml"
    settings.write_text('[populations]\nname = "koshimoto2021"\n', encoding="utf-8")
    figure = tmp_path / "map.png"
    words = ["validate", "--only", "counts", "--counts", tmp_path / "list.parquet", "--figure"]
    words += [figure, "--l", 0.2, 0.5, "--b", -0.4, -0.2, "--config", settings]
    assert cli.run([str(word) for word in words]) == 1
    assert "checks failed (counts)" in capsys.readouterr().err
    assert figure.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "sbc,horoscope"], "horoscope"),
        (["--stars", "5"], "--stars = 5"),
        (["mock.parquet"], "both"),
        (["--reference", "nowhere"], "no such file"),
        (["-o", "validation.txt"], ".json or .md"),
        (["--figure", "map.png"], "--counts"),
        (["--limits", "14", "10"], "bright one first"),
    ],
)
def test_bad_input(words, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["validate", *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_tables_that_do_not_belong_together(files, tmp_path, capsys) -> None:
    stars, mock = files
    other = read_columns(stars)
    other["source_id"] = other["source_id"] + 10**15
    Table(other).write(tmp_path / "other.parquet")
    words = ["validate", str(mock), "--input", str(tmp_path / "other.parquet")]
    assert cli.run([*words, "--only", "predictive"]) == 2
    assert "the list from which" in capsys.readouterr().err


def test_star_lists_of_genstars(shared_dir, tmp_path) -> None:
    truth = load_truth(shared_dir / "reference", "subcell", 20)
    assert truth.mag.shape == (100, 3)
    Table({"l": [0.0]}).write(tmp_path / "stars_subcell.parquet")
    with pytest.raises(Exception, match="lacks"):
        load_truth(tmp_path, "subcell", 20)
