"""A simulated sky from end to end: files, truth, independence of the way it is computed."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.cli.app import run
from gcmock.errors import InputError
from gcmock.io.metadata import read_metadata
from gcmock.settings.build import load_config
from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.read.open_survey import open_survey
from gcmock.surveys.simulated import simulate as module
from gcmock.surveys.simulated.simulate import check_surveys, simulate_surveys
from gcmock.surveys.source_table import Quality
from gcmock.words.columns import TRUTH_COLUMNS

pytestmark = pytest.mark.long

WINDOW = (-0.1, -0.05), (0.0, 0.05)
KS_MAX = 14.5
CONFIG = load_config(None, {})


def table(folder, survey: str) -> pa.Table:
    path = next(folder.glob(f"{survey}.*"))
    return pa.concat_tables(list(open_survey(path).chunks()))


def links(folder, survey: str) -> dict:
    whole = pq.read_table(folder / "truth_links.parquet")
    return whole.filter(pa.compute.equal(whole["survey"], survey)).to_pydict()


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sky") / "sky"
    (l0, l1), (b0, b1) = WINDOW
    code = run(
        f"simulate --surveys {','.join(survey_names())} -o {folder} --l {l0} {l1} --b {b0} {b1} "
        f"--ks-max {KS_MAX} --seed 5".split()
    )
    assert code == 0
    return folder


def test_the_folder_has_what_it_should(sky):
    account = json.loads((sky / "survey.json").read_text())
    assert account["seed"] == "5"
    assert account["ks_max"] == "14.5"
    assert set(account["surveys"]) == set(survey_names())
    assert account["surveys"]["sirius"]["instrument"]["fwhm_arcsec"] == 1.2
    files = {one["file"] for one in account["surveys"].values()}
    assert {path.name for path in sky.iterdir()} == files | {
        "truth.parquet", "truth_links.parquet", "survey.json"
    }  # fmt: skip
    assert list(sky.parent.iterdir()) == [sky]
    truth = pq.read_table(sky / "truth.parquet")
    assert truth.column_names == [column.name for column in TRUTH_COLUMNS]
    assert truth.num_rows == account["true_stars"]
    assert pa.compute.max(truth["phot_ks_mag"]).as_py() < KS_MAX
    assert read_metadata(sky / "gnc.fits")["survey"] == "GALACTICNUCLEUS survey"


@pytest.mark.parametrize("survey", survey_names())
def test_links_follow_the_rows_and_lead_to_true_stars(sky, survey):
    rows, link = table(sky, survey), links(sky, survey)
    assert rows["source_id"].to_pylist() == link["source_id"]
    assert len(set(link["source_id"])) == rows.num_rows
    truth = pq.read_table(sky / "truth.parquet").to_pandas().set_index("source_id")
    star = np.array(link["true_source_id"])
    kind = np.array(link["kind"])
    np.testing.assert_array_equal(star >= 0, kind == "star")
    assert set(star[star >= 0]) <= set(truth.index)
    real = truth.loc[star[star >= 0]]
    of = star >= 0
    years = rows["ref_epoch"].to_numpy()[of] - real["ref_epoch"].to_numpy()
    north = 3.6e6 * (rows["dec"].to_numpy()[of] - real["dec"].to_numpy())
    away = north - years * real["pmdec"].to_numpy()
    scale = 1000.0 * load_survey(survey).instrument.fwhm_arcsec
    fraction = np.array(link["blend_fraction"])[of]
    assert ((fraction > 0) & (fraction <= 1)).all()
    alone = np.array(link["n_stars"])[of] == 1
    np.testing.assert_allclose(fraction[alone], 1.0)
    assert alone.any()
    assert np.abs(away[alone]).max() < max(scale, 300.0)
    if survey != "gaia":
        ks = rows["phot_ks_mag"].to_numpy()[of] - real["phot_ks_mag"].to_numpy()
        good = alone & (rows["phot_ks_mag_error"].to_numpy()[of] < 0.15)
        good &= rows["quality"].to_numpy()[of] & int(Quality.SATURATED) == 0
        assert abs(np.nanmedian(ks[good])) < 0.12


def content(folder, survey: str) -> list:
    """Rows of a survey in an order that does not depend on the blocks."""
    rows = table(folder, survey)
    names = [n for n in rows.column_names if survey != "sirius" or n != "source_id"]
    order = np.lexsort((rows["dec"].to_numpy(), rows["ra"].to_numpy()))
    return rows.select(names).take(pa.array(order)).to_pandas()


def test_blocks_and_workers_change_nothing(sky, tmp_path):
    for changes in ({"block_cells": 1}, {"block_cells": 1, "workers": 2}):
        other = tmp_path / f"sky{len(list(tmp_path.iterdir()))}"
        simulate_surveys(other, survey_names(), *WINDOW, CONFIG, ks_max=KS_MAX, seed=5, **changes)
        for survey in survey_names():
            one, two = content(sky, survey), content(other, survey)
            assert len(one) == len(two)
            for name in one.columns:
                if one[name].dtype.kind == "f":
                    np.testing.assert_allclose(one[name], two[name], rtol=1e-9, err_msg=name)
                else:
                    assert (one[name] == two[name]).all()


def test_the_same_seed_gives_the_same_files(sky, tmp_path):
    simulate_surveys(tmp_path / "again", ["sirius"], *WINDOW, CONFIG, ks_max=KS_MAX, seed=5)
    assert (tmp_path / "again" / "sirius.dat").read_bytes() == (sky / "sirius.dat").read_bytes()
    simulate_surveys(tmp_path / "other", ["sirius"], *WINDOW, CONFIG, ks_max=KS_MAX, seed=6)
    assert (tmp_path / "other" / "sirius.dat").read_bytes() != (sky / "sirius.dat").read_bytes()


def test_a_part_of_the_window_sees_the_same(sky, tmp_path):
    part = (-0.1, -0.075), (0.0, 0.025)
    simulate_surveys(tmp_path / "part", ["virac2"], *part, CONFIG, ks_max=KS_MAX, seed=5)
    whole = set(links(sky, "virac2")["source_id"])
    found = links(tmp_path / "part", "virac2")["source_id"]
    assert len(found) > 100
    assert set(found) <= whole


def test_a_survey_that_sees_nothing_has_no_file(tmp_path, capsys):
    code = run(
        f"simulate --surveys gnc,gaia -o {tmp_path / 'sky'} --l 1 1.025 --b 0.5 0.525 "
        "--ks-max 14".split()
    )
    assert code == 0
    assert "gnc: no rows in this window, no file" in capsys.readouterr().out
    assert not list((tmp_path / "sky").glob("gnc.*"))
    account = json.loads((tmp_path / "sky" / "survey.json").read_text())
    assert account["surveys"]["gnc"]["file"] is None


def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "native_roles", interrupt)
    with pytest.raises(KeyboardInterrupt):
        simulate_surveys(tmp_path / "sky", ["gaia"], *WINDOW, CONFIG, ks_max=12.0)
    assert not list(tmp_path.iterdir())


def test_overwriting(sky, tmp_path):
    output = tmp_path / "sky"
    arguments = (["gaia"], *WINDOW, CONFIG)
    simulate_surveys(output, *arguments, ks_max=12.0)
    with pytest.raises(InputError, match="exists already"):
        simulate_surveys(output, *arguments, ks_max=12.0)
    simulate_surveys(output, *arguments, ks_max=12.0, overwrite=True)
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "thesis.tex").touch()
    with pytest.raises(InputError, match="gcmock did not write"):
        simulate_surveys(foreign, *arguments, ks_max=12.0, overwrite=True)
    with pytest.raises(InputError, match="does not exist"):
        simulate_surveys(tmp_path / "a" / "b", *arguments, ks_max=12.0)


def test_bad_input(tmp_path, capsys):
    with pytest.raises(InputError, match="unknown survey 'ukidss': expected one of 2mass"):
        check_surveys(["gaia", "ukidss"])
    with pytest.raises(InputError, match="none given"):
        check_surveys([])
    assert [one.name for one in check_surveys(["gaia", "2mass", "gaia"])] == ["gaia", "2mass"]
    where = ["-o", str(tmp_path / "sky"), "--l", "0", "0.05", "--b", "0", "0.05"]
    assert run(["simulate", "--surveys", "gaia", "--survey", *where]) == 2
    assert "give one of them" in capsys.readouterr().err
    assert run(["simulate", "--surveys", "gaia", *where, "--ks-max", "nan"]) == 2
    assert "ks_max = nan: expected one number in mag" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
