"""Real tables: VVV variables as published, bright Gaia rows, targets of JASMINE."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.catalogue.columns import check_account
from gcmock.catalogue.link.neighbours import pairs_within
from gcmock.cli.app import run
from gcmock.surveys.read.open_survey import open_survey

REAL = Path(__file__).resolve().parents[3] / "shared" / "real"
pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason="no folder shared/real beside the repository"
)

VVV = "VVV_LPV_J_A+A_660_A35_tableb2.fits"
GAIA = "gaia_dr3_bright_window.csv"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    path = folder / "merge.toml"
    path.write_text(
        f'[[survey]]\nname = "vvv"\npath = "{REAL / VVV}"\n'
        f'[[survey]]\nname = "gaia"\npath = "{REAL / GAIA}"\n'
        "[run]\ncell_order = 5\n",
        encoding="utf-8",
    )
    assert run(["merge", str(path), "-o", str(folder / "out.parquet"), "--keep-rejected"]) == 0
    table = pq.read_table(folder / "out.parquet", partitioning=None)
    return folder, {name: table.column(name).to_numpy() for name in table.column_names}


@pytest.mark.slow
def test_real_tables_are_accounted_for(catalogue):
    folder, stars = catalogue
    account = json.loads((folder / "out_summary.json").read_text())["account"]
    for name in ("vvv", "gaia"):
        assert check_account(name, account[name]) == 0
    assert account["gaia"]["read"] == 606
    assert account["vvv"]["read"] == 1013
    assert (stars["gaia_source_id"] != "").sum() == account["gaia"]["linked"]


@pytest.mark.slow
def test_motions_are_those_of_gaia(catalogue):
    """A motion of 0.0 would be a missing one; these rows have no errors, which must not matter."""
    _, stars = catalogue
    table = pa.concat_tables(list(open_survey(REAL / GAIA, "gaia").chunks()))
    motion = dict(
        zip(
            table.column("source_id").to_pylist(),
            table.column("pmra").to_numpy().tolist(),
            strict=True,
        )
    )
    mine = np.flatnonzero(stars["gaia_source_id"] != "")
    expected = np.array([motion[one] for one in stars["gaia_source_id"][mine]])
    np.testing.assert_array_equal(stars["pmra"][mine], expected)
    assert not (stars["pmra"] == 0.0).any()
    assert np.isnan(stars["pmra"][stars["gaia_source_id"] == ""]).all()


@pytest.mark.slow
def test_bright_gaia_stars_and_faint_variables_are_different_stars(catalogue):
    """Gaia rows here have G < 10; variables of VVV are fainter than Ks = 9 behind much dust."""
    _, stars = catalogue
    both = (stars["gaia_source_id"] != "") & (stars["vvv_source_id"] != "")
    assert both.sum() <= 2


@pytest.mark.slow
def test_variables_are_among_the_targets_of_jasmine(catalogue):
    """Those that are bright enough in Hw are in the target list, at the same place."""
    _, stars = catalogue
    targets = pq.read_table(REAL / "jasmine_hw_catalogue.parquet")
    ra, dec, hw = (targets.column(n).to_numpy() for n in ("ra", "dec", "phot_hw_mag"))
    inside = (
        (stars["vvv_source_id"] != "")
        & (stars["phot_hw_mag"] < 14.0)
        & (stars["l"] > -2.4)
        & (stars["l"] < 1.1)
        & (np.abs(stars["b"]) < 1.1)
    )
    index = np.flatnonzero(inside)
    i, j = pairs_within(stars["ra"][index], stars["dec"][index], ra, dec, 1.0)
    found = np.isin(np.arange(len(index)), i)
    assert len(index) >= 15
    # Where the list is from 2MASS or SIRIUS, a variable may have been faint, or another source
    # nearer. By chance one in a hundred would have a neighbour.
    assert found.mean() > 0.3
    # Variables: a magnitude or two between two epochs is no surprise.
    assert np.median(np.abs(stars["phot_hw_mag"][index[i]] - hw[j])) < 1.0


@pytest.mark.slow
def test_no_star_of_a_real_2mass_field_is_lost_to_its_flags(tmp_path):
    """28 of 364 sources bear p, d or s in cc_flg: doubtful in a band, and stars all the same."""
    path = tmp_path / "cone.toml"
    table = REAL / "twomass_cone_rome02.tsv"
    path.write_text(f'[[survey]]\nname = "2mass"\npath = "{table}"\n', encoding="utf-8")
    assert run(["merge", str(path), "-o", str(tmp_path / "out.parquet")]) == 0
    summary = json.loads((tmp_path / "out_summary.json").read_text())
    account = summary["account"]["2mass"]
    assert account["read"] == 364
    assert account.get("artefact", 0) + account.get("extended", 0) == 0
    assert summary["real_looking"] == {}
    assert summary["flags"]["DOUBTFUL"] > 15
