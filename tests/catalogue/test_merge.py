from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.catalogue.columns import check_account, merged_columns
from gcmock.catalogue.learn.completeness import load_completeness
from gcmock.catalogue.order import packaged_order
from gcmock.cli.app import run
from gcmock.errors import InputError
from gcmock.settings.merge import (
    CleaningConfig,
    MatchConfig,
    default_merge_toml,
    load_merge_config,
)

pytestmark = pytest.mark.slow

WINDOW = ("0.30", "0.42", "-0.30", "-0.20")
SURVEYS = ("2mass.csv", "virac2.fits", "sirius.dat", "gaia.csv")


EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "jasmine_merge.toml"


def write_config(folder, *, extra="", window=WINDOW, surveys=SURVEYS):
    l0, l1, b0, b1 = window
    lines = [f"[window]\nl = [{l0}, {l1}]\nb = [{b0}, {b1}]"]
    for file in surveys:
        lines.append(f'[[survey]]\nname = "{file.split(".")[0]}"\npath = "{folder / file}"')
    path = folder / "merge.toml"
    path.write_text("\n".join([*lines, extra]), encoding="utf-8")
    return path


def read(folder):
    parts = sorted(folder.glob("part-*.parquet"))
    table = pa.concat_tables([pq.read_table(part, partitioning=None) for part in parts])
    return {name: table.column(name).to_numpy() for name in table.column_names}


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def surveys(tmp_path_factory):
    """Native tables of a simulated sky."""
    folder = tmp_path_factory.mktemp("merge") / "sky"
    words = ["simulate", "--surveys", "2mass,virac2,sirius,gaia", "-o", str(folder)]
    words += ["--l", *WINDOW[:2], "--b", *WINDOW[2:], "--ks-max", "16.5", "--seed", "4"]
    assert run(words) == 0
    return folder


@pytest.fixture(scope="module")
def catalogue(surveys):
    output = surveys / "catalogue"
    words = ["merge", str(write_config(surveys)), "-o", str(output), "--keep-rejected"]
    assert run(words) == 0
    return output


def test_the_columns_are_those_of_an_input_and_more(catalogue):
    stars = read(catalogue)
    assert list(stars) == [column.name for column in merged_columns(packaged_order())]
    assert len(np.unique(stars["source_id"])) == len(stars["source_id"]) > 5000
    assert np.isfinite(stars["ra"]).all()
    for band in ("j", "h", "ks"):
        has = np.isfinite(stars[f"phot_{band}_mag"])
        assert (stars[f"phot_{band}_mag_error"][has] > 0).all()
        assert (stars[f"phot_{band}_mag_source"][has] != "").all()
        assert (stars[f"phot_{band}_mag_source"][~has] == "").all()
    has_hw = np.isfinite(stars["phot_hw_mag"])
    np.testing.assert_array_equal(
        has_hw, np.isfinite(stars["phot_j_mag"]) & np.isfinite(stars["phot_h_mag"])
    )
    schema = pq.read_schema(next(iter(sorted(catalogue.glob("part-*")))))
    for column in merged_columns(packaged_order()):
        words = schema.field(column.name).metadata
        assert words[b"unit"].decode() == column.unit
        assert words[b"description"]


def test_the_account_adds_up(catalogue, surveys):
    summary = json.loads((catalogue / "_summary.json").read_text())
    rejected = read(surveys / "catalogue_rejected")
    stars = read(catalogue)
    for file in SURVEYS:
        name = file.split(".")[0]
        account = summary["account"][name]
        assert check_account(name, account) == 0
        column = "tmass_source_id" if name == "2mass" else f"{name}_source_id"
        assert (stars[column] != "").sum() == account["linked"]
        reasons = {w: n for w, n in account.items() if w not in ("read", "linked")}
        reasons = {w: n for w, n in reasons.items() if w not in ("outside_window", "no_position")}
        mine = rejected["rejected"][rejected[column] != ""]
        words, numbers = np.unique(mine.astype(str), return_counts=True)
        assert dict(zip(words.tolist(), numbers.tolist(), strict=True)) == reasons
    assert summary["stars"]["stars"] == len(stars["ra"])
    faint = stars["phot_hw_mag"] < 14.5
    assert summary["stars"]["Hw < 14.5"] == faint.sum()
    assert summary["stars"]["with Gaia astrometry"] == (stars["astrometry_source"] == "gaia").sum()


def test_offsets_of_the_surveys_are_found(catalogue):
    offsets = json.loads((catalogue / "_summary.json").read_text())["offsets"]
    assert offsets["virac2"]["position_reference"] == "gaia"
    assert offsets["sirius"]["magnitude_reference"] == "2mass"
    assert offsets["sirius"]["position_stars"] > 50
    assert max(abs(v) for v in offsets["virac2"]["position_offset_mas"]) < 20.0


def test_magnitudes_agree_with_the_truth(catalogue, surveys):
    stars = read(catalogue)
    truth = pq.read_table(surveys / "truth.parquet").to_pandas().set_index("source_id")
    links = pq.read_table(surveys / "truth_links.parquet").to_pandas()
    links = links[(links.survey == "virac2") & (links.n_stars == 1) & (links.true_source_id >= 0)]
    links = links.set_index(links.source_id.astype(str)).true_source_id
    found = links.reindex(stars["virac2_source_id"]).to_numpy()
    good = np.isfinite(found) & (stars["phot_ks_mag_source"] == "virac2")
    true = truth.loc[found[good].astype(np.int64)]
    pull = (stars["phot_ks_mag"][good] - true.phot_ks_mag) / stars["phot_ks_mag_error"][good]
    assert abs(np.median(pull)) < 0.7
    assert 0.5 < 1.4826 * np.median(np.abs(pull - np.median(pull))) < 1.5


@pytest.mark.long
@pytest.mark.parametrize("extra", ["[run]\nchunk_size = 777", "[run]\nworkers = 1"])
def test_chunks_and_threads_do_not_change_a_byte(catalogue, surveys, tmp_path, extra):
    output = tmp_path / "again"
    path = write_config(surveys, extra=extra)
    assert run(["merge", str(path), "-o", str(output), "--keep-rejected"]) == 0
    assert contents(output) == contents(catalogue)


@pytest.mark.long
@pytest.mark.parametrize("order", [7, 10])
def test_other_cells_give_the_same_stars(catalogue, surveys, tmp_path, order):
    path = write_config(surveys, extra=f"[run]\ncell_order = {order}")
    assert run(["merge", str(path), "-o", str(tmp_path / "again")]) == 0
    one, other = read(catalogue), read(tmp_path / "again")
    first, second = np.argsort(one["source_id"]), np.argsort(other["source_id"])
    for name in one:
        np.testing.assert_array_equal(one[name][first], other[name][second], err_msg=name)
    summaries = [
        json.loads((f / "_summary.json").read_text()) for f in (catalogue, tmp_path / "again")
    ]
    assert summaries[0] == summaries[1]


def test_the_order_of_the_surveys_does_not_matter(catalogue, surveys, tmp_path):
    path = write_config(surveys, surveys=SURVEYS[::-1])
    assert run(["merge", str(path), "-o", str(tmp_path / "again"), "--keep-rejected"]) == 0
    assert contents(tmp_path / "again") == contents(catalogue)


def test_a_file_has_the_same_rows(catalogue, surveys, tmp_path):
    output = tmp_path / "stars.fits"
    assert run(["merge", str(write_config(surveys)), "-o", str(output)]) == 0
    from astropy.table import Table

    table = Table.read(output)
    assert len(table) == len(read(catalogue)["ra"])
    assert table["parallax"].unit == "mas"
    assert (tmp_path / "stars_summary.json").exists()
    assert load_completeness(tmp_path / "stars_completeness.parquet").surveys[-1] == "merged"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "stars.fits",
        "stars_completeness.parquet",
        "stars_summary.json",
    ]


# A command that is killed when the third partition is in place, but not yet in the manifest.
KILLED = """
import os, signal, sys
from gcmock.cli.app import run
from gcmock.io.manifest import Manifest

def append(manifest, entry, append=Manifest.append):
    if len(manifest.entries) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    append(manifest, entry)

Manifest.append = append
run(sys.argv[1:])
"""


@pytest.mark.long
def test_a_killed_run_goes_on(catalogue, surveys, tmp_path):
    output = tmp_path / "killed"
    path = write_config(surveys, extra="[run]\ncell_order = 10\nworkers = 1")
    words = [sys.executable, "-c", KILLED, "merge", str(path), "-o", str(output)]
    assert subprocess.run(words, capture_output=True).returncode == -signal.SIGKILL
    assert not (output / "_summary.json").exists()
    written = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*.parquet")}
    manifest = (output / "_manifest.jsonl").read_text(encoding="utf-8")
    kept = {name: at for name, at in written.items() if name in manifest}
    assert (len(written), len(kept)) == (3, 2)
    assert run(["merge", str(path), "-o", str(output)]) == 0
    listed = set(contents(output))
    assert not [name for name in listed if "partial" in name or name == "_cells"]
    whole = tmp_path / "whole"
    assert run(["merge", str(path), "-o", str(whole)]) == 0
    assert contents(output) == contents(whole)
    # What the manifest knows is as it was; the third was written again.
    same = {n: at for n, at in written.items() if (output / n).stat().st_mtime_ns == at}
    assert same == kept


def test_a_finished_run_is_not_repeated(catalogue, surveys, capsys):
    before = contents(catalogue)
    path = write_config(surveys)
    assert run(["merge", str(path), "-o", str(catalogue), "--keep-rejected"]) == 0
    assert contents(catalogue) == before
    assert "Hw < 14.5" in capsys.readouterr().out


def test_other_settings_do_not_mix(catalogue, surveys, capsys):
    path = write_config(surveys, extra="[match]\nscatter_mag = 0.1")
    assert run(["merge", str(path), "-o", str(catalogue), "--keep-rejected"]) == 2
    assert "config.match.scatter_mag = 0.05, now 0.1" in capsys.readouterr().err


def test_the_rule_of_the_pilot_catalogue(catalogue, surveys, tmp_path):
    output = tmp_path / "pilot"
    words = ["merge", str(write_config(surveys)), "-o", str(output), "--rule", "pilot2023"]
    assert run(words) == 0
    pilot = read(output)
    assert len(pilot["ra"]) > len(read(catalogue)["ra"])
    assert set(pilot["match_probability"]) == {1.0}


def test_build_takes_it_without_settings(catalogue, tmp_path):
    """The merged catalogue is an input of `gcmock build` as it is."""
    from gcmock.io.observed import read_observed
    from gcmock.settings.build import load_config

    observed = read_observed(catalogue, load_config())
    stars = read(catalogue)
    assert observed.n_rows == len(stars["ra"])
    assert observed.remarks == []
    rows = next(iter(observed.rows(1000)))
    taken = observed.stars(rows)
    np.testing.assert_array_equal(taken.source_id, stars["source_id"][:1000])
    np.testing.assert_array_equal(taken.mag[:, 2], stars["phot_ks_mag"][:1000])
    few = tmp_path / "few"
    few.mkdir()
    part = sorted(catalogue.glob("part-*.parquet"), key=lambda one: one.stat().st_size)[-1]
    pq.write_table(
        pq.read_table(part, partitioning=None).slice(0, 40).replace_schema_metadata(None),
        few / "stars.parquet",
    )
    assert run(["build", str(few), "-o", str(tmp_path / "mock.parquet"), "--no-learn"]) == 0
    assert pq.read_metadata(tmp_path / "mock.parquet").num_rows == 40


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "",
            "[[survey]]: is missing; expected at least one [[survey]] with name = ... and",
        ),
        (
            "[[survey]]\nname = 'ukidss'\npath = 'x'",
            "[[survey]] 1: name = 'ukidss': unknown survey 'ukidss'",
        ),
        ("[[survey]]\nname = 'gaia'\npath = 'gaia.csv'", "at least one near-infrared survey"),
        ("[[survey]]\nname = '2mass'\npath = 'none.csv'", "none.csv"),
        ("[match]\nrul = 1\n[[survey]]\nname = '2mass'\npath = 'x'", "did you mean 'rule'"),
        ("[window]\nl = [2, 1]\n[[survey]]\nname = '2mass'\npath = 'x'", "smaller value first"),
        (
            "[window]\nl = [80, 81]\n[[survey]]\nname = '2mass'\npath = '2mass.csv'",
            "no source lies in the window",
        ),
        ("[[survey]\n", "not valid TOML"),
    ],
)
def test_bad_settings_are_one_line(surveys, capsys, text, words):
    path = surveys / "bad.toml"
    path.write_text(text, encoding="utf-8")
    output = surveys / "bad_output"
    assert run(["merge", str(path), "-o", str(output)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("gcmock: error: ")
    assert words in error
    if output.exists():
        assert not list(output.glob("part-*"))
        import shutil

        shutil.rmtree(output)


def test_completeness_falls_with_magnitude(catalogue):
    found = load_completeness(catalogue)
    assert found.surveys == ("virac2", "sirius", "2mass", "merged")
    l_deg, b_deg = np.full(3, 0.36), np.full(3, -0.25)
    for survey in ("2mass", "sirius"):
        value = found.probability(l_deg, b_deg, [11.0, 13.5, 15.5], survey=survey)
        assert value[0] > 0.8
        assert value[2] < 0.35
        assert (value >= 0).all()
        assert (value <= 1).all()
    merged = found.probability(l_deg, b_deg, [11.0, 13.5, 15.0])
    alone = found.probability(l_deg, b_deg, [11.0, 13.5, 15.0], survey="2mass")
    assert (merged >= alone - 1e-9).all()
    with pytest.raises(InputError, match="no completeness of 'vvv'"):
        found.probability(0.0, 0.0, 12.0, survey="vvv")


def test_a_file_that_is_no_map_is_refused(catalogue, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_completeness(tmp_path)
    part = next(iter(catalogue.glob("part-*.parquet")))
    with pytest.raises(InputError, match="not a map of completeness"):
        load_completeness(part)


@pytest.mark.long
def test_ctrl_c_keeps_what_is_finished(surveys, tmp_path):
    output = tmp_path / "stopped"
    path = write_config(surveys, extra="[run]\ncell_order = 10\nworkers = 2")
    words = [sys.executable, "-m", "gcmock", "merge", str(path), "-o", str(output)]
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    for _ in range(1200):
        if list(output.glob("part-*.parquet")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    if process.returncode:  # it may have been quicker
        assert process.returncode == 130
        assert "run the same command again to go on" in error


def test_the_example_is_valid():
    config = load_merge_config(EXAMPLE)
    assert [one.name for one in config.survey] == ["virac2", "gaia", "gnc", "sirius", "2mass"]
    assert config.window.l == (-1.4, 0.7)
    assert config.match.rule == "probabilistic"


def test_the_default_settings_say_themselves(tmp_path):
    path = tmp_path / "defaults.toml"
    path.write_text(default_merge_toml(), encoding="utf-8")
    config = load_merge_config(path)
    assert config.match == MatchConfig()
    assert config.cleaning == CleaningConfig()


def test_nothing_of_another_run_stays_among_what_was_left_out(surveys, tmp_path):
    output, beside = tmp_path / "again", tmp_path / "again_rejected"
    for order in (9, 7):
        path = write_config(surveys, extra=f"[run]\ncell_order = {order}")
        words = ["merge", str(path), "-o", str(output), "--keep-rejected", "--overwrite"]
        assert run(words) == 0
        names = [sorted(part.name for part in f.glob("part-*")) for f in (output, beside)]
        assert names[0] == names[1]
