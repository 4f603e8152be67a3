"""A survey that the package does not know, by one TOML file: simulated, read, merged, fetched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.cli.app import run
from gcmock.errors import InputError
from gcmock.io.metadata import read_metadata
from gcmock.photometric_systems import from_2mass
from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.read.open_survey import open_survey

pytestmark = pytest.mark.long

NAME = "ukidss_gps"
WINDOW = (0.03, 0.07, -0.08, -0.04)

DEFINITION = """\
title = "UKIDSS Galactic Plane Survey"
label = "UKIDSS"
reference = "Lucas et al. 2008, MNRAS 391, 136"
hw_relation = "relation.toml"          # a file beside this one
ref_epoch = 2007.5
position_error_mas = 90.0
default_error = { j = 0.05, h = 0.05, ks = 0.05 }
saturation = { j = 12.5, h = 12.5, ks = 11.5 }
quality = "ppErrBits 0: clean; 16: deblended; 65536: close to saturation"
private = "Ask the WFCAM Science Archive (http://wsa.roe.ac.uk)."

[photometric_system]                   # WFCAM from 2MASS: Hodgkin et al. 2009, MNRAS 394, 675
colours = [["j", "h"], ["j", "h"], ["j", "ks"]]
slopes = [-0.065, 0.07, 0.01]
offsets = [0.0, -0.03, 0.0]
scatter_mag = [0.02, 0.02, 0.02]
valid_j_minus_ks = [0.0, 3.0]

[merge]
order = 45                             # finer images than 2MASS, coarser than SIRIUS' neighbours
fwhm_arcsec = 0.8
position_floor_mas = 20.0
magnitude_floor_mag = 0.01
source = "Lucas et al. 2008, MNRAS 391, 136; floors: choice"
position_rank = 4
magnitude_rank = 3

[instrument]
epoch = [2006.5, 2008.5]
limit_mag = [19.9, 19.0, 18.3]
saturation_mag = [12.5, 12.5, 11.5]
floor_mag = [0.01, 0.01, 0.01]
zero_point_mag = [0.02, 0.02, 0.02]
fwhm_arcsec = 0.8
beams_per_source = [14.0, 18.5, 14.0]
field_deg = [0.9, 0.9]
overlap_arcsec = 30.0
position_mas = 50.0
field_offset_mas = 20.0
ghost_mag = 10.0
ghosts = 3.0
noise_per_deg2 = 3000.0
marked = 0.6

[simulated_table]
form = "error_bits"
suffix = ".fits"

[[spelling]]
name = "wsa"
columns = [
  { role = "source_id", name = "sourceID", dtype = "int64" },
  { role = "ra", name = "RA", unit = "deg" },
  { role = "dec", name = "Dec", unit = "deg" },
  { role = "ref_epoch", name = "epoch", unit = "yr" },
  { role = "phot_j_mag", name = "jAperMag3", unit = "mag", dtype = "float32" },
  { role = "phot_j_mag_error", name = "jAperMag3Err", unit = "mag", dtype = "float32" },
  { role = "j_error_bits", name = "jppErrBits", dtype = "int32" },
  { role = "phot_h_mag", name = "hAperMag3", unit = "mag", dtype = "float32" },
  { role = "phot_h_mag_error", name = "hAperMag3Err", unit = "mag", dtype = "float32" },
  { role = "h_error_bits", name = "hppErrBits", dtype = "int32" },
  { role = "phot_ks_mag", name = "k_1AperMag3", unit = "mag", dtype = "float32" },
  { role = "phot_ks_mag_error", name = "k_1AperMag3Err", unit = "mag", dtype = "float32" },
  { role = "ks_error_bits", name = "k_1ppErrBits", dtype = "int32" },
]
"""

RELATION = """\
coefficients = [0.7829, -0.0323, 0.0]
scatter_mag = 0.04
valid_j_minus_h = [-0.3, 5.0]
source = "the form for 2MASS"
status = "an example"
"""

MERGE = f"""\
[[survey]]
name = "{NAME}.toml"
path = "sky/{NAME}.fits"
[[survey]]
name = "virac2"
path = "sky/virac2.fits"
[[survey]]
name = "2mass"
path = "sky/2mass.csv"
"""


def write_definition(folder: Path, text: str = DEFINITION) -> Path:
    (folder / "relation.toml").write_text(RELATION, encoding="utf-8")
    path = folder / f"{NAME}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The definition, a sky as three surveys see it, and their merged catalogue."""
    folder = tmp_path_factory.mktemp("survey")
    path = write_definition(folder)
    l0, l1, b0, b1 = map(str, WINDOW)
    where = ["-o", str(folder / "sky"), "--l", l0, l1, "--b", b0, b1, "--ks-max", "16.5"]
    assert run(["simulate", "--surveys", f"2mass,virac2,{path}", *where, "--seed", "4"]) == 0
    (folder / "merge.toml").write_text(MERGE, encoding="utf-8")
    words = [str(folder / "merge.toml"), "-o", str(folder / "catalogue.parquet")]
    assert run(["merge", *words]) == 0
    return folder


@pytest.fixture(scope="module")
def links(folder):
    """What is in a source, by survey and identifier."""
    table = pq.read_table(folder / "sky" / "truth_links.parquet").to_pandas()
    return table.set_index(table.survey + " " + table.source_id)


@pytest.fixture(scope="module")
def merged(folder):
    return pq.read_table(folder / "catalogue.parquet", partitioning=None).to_pandas()


@pytest.fixture(scope="module")
def truth(folder):
    return pq.read_table(folder / "sky" / "truth.parquet").to_pandas().set_index("source_id")


def test_the_definition_is_all_that_the_package_knows():
    assert NAME not in survey_names()


def test_the_simulated_table_is_read_back(folder, links, truth):
    path = folder / f"{NAME}.toml"
    source = open_survey(folder / "sky" / f"{NAME}.fits", path)
    assert (source.survey.name, source.spelling.name) == (NAME, "wsa")
    table = pa.concat_tables(list(source.chunks()))
    assert table.num_rows == source.n_rows > 1000
    assert (table["quality"].to_numpy() > 0).any()
    names = [f"{NAME} {one}" for one in table["source_id"].to_pylist()]
    of = links.true_source_id.loc[names].to_numpy()
    real = np.isin(of, truth.index) & (table["quality"].to_numpy() == 0)
    true = truth.loc[of[real]]
    bands = ("j", "h", "ks")
    expected = true[[f"phot_{band}_mag" for band in bands]].to_numpy()
    expected, _ = from_2mass(load_survey(path).system, expected)
    for k, band in enumerate(bands):
        apart = table[f"phot_{band}_mag"].to_numpy()[real] - expected[:, k]
        assert abs(np.nanmedian(apart)) < 0.06, "the magnitudes are those of WFCAM"


def test_links_of_the_merged_catalogue_are_right(merged, links):
    column = f"{NAME}_source_id"
    assert {column, "virac2_source_id", "tmass_source_id"} <= set(merged.columns)
    both = merged[(merged[column] != "") & (merged.virac2_source_id != "")]
    assert len(both) > 500
    mine = links.true_source_id.loc[NAME + " " + both[column]].to_numpy()
    other = links.true_source_id.loc["virac2 " + both.virac2_source_id].to_numpy()
    real = (mine >= 0) & (other >= 0)
    assert (mine == other)[real].mean() > 0.96
    assert NAME in set(merged.position_source) | set(merged.phot_h_mag_source)


def test_its_magnitudes_are_chosen_where_they_are_better(folder, merged, links, truth):
    """VIRAC2 has few epochs in J, and its limit in a single one is a magnitude brighter."""
    chosen = merged.phot_j_mag_source == NAME
    faint = merged.phot_j_mag > 17.0
    assert chosen[faint].mean() > 0.3
    both = merged[(merged[f"{NAME}_source_id"] != "") & chosen]
    source = links.loc[NAME + " " + both[f"{NAME}_source_id"]]
    # Blends are brighter than their star: by up to 0.01 mag where it gives 99 % of the light.
    single = ((source.true_source_id >= 0) & (source.blend_fraction > 0.99)).to_numpy()
    assert single.sum() > 500
    true = truth.loc[source.true_source_id[single]]
    apart = both.phot_j_mag.to_numpy()[single] - true.phot_j_mag.to_numpy()
    # Half of normal deviations are within 0.67 standard deviations; errors may be half too small.
    assert np.median(np.abs(apart) / both.phot_j_mag_error.to_numpy()[single]) < 1.5 * 0.67
    # Where J and H are its own, so is the relation for Hw.
    own = both[(both.phot_h_mag_source == NAME) & np.isfinite(both.phot_hw_mag)]
    assert set(own.phot_hw_mag_source) == {NAME}


def test_the_catalogue_says_what_the_file_said(folder):
    words = read_metadata(folder / "catalogue.parquet")
    order = json.loads(words["survey_order"])
    assert order == ["virac2", "gaia", "gnc", "sirius", NAME, "vvv", "2mass"]
    digest = load_survey(folder / f"{NAME}.toml").sha256
    assert json.loads(words["definitions"])[NAME] == digest
    account = json.loads((folder / "sky" / "survey.json").read_text(encoding="utf-8"))
    assert account["surveys"][NAME]["definition_sha256"] == digest
    assert "definition_sha256" not in account["surveys"]["2mass"]
    summary = json.loads((folder / "catalogue_summary.json").read_text(encoding="utf-8"))
    assert summary["by_survey"][NAME] > 1000
    table = pd.read_parquet(folder / "catalogue_completeness.parquet")
    assert NAME in set(table.survey)


def test_fetch_knows_it(folder, capsys):
    where = ["--l", "0", "0.1", "--b", "0", "0.1", "-o", str(folder / "fetched")]
    assert run(["fetch", str(folder / f"{NAME}.toml"), *where]) == 2
    assert "Ask the WFCAM Science Archive" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ref_epoch", "ref_epoc", "ref_epoc: unknown key; did you mean 'ref_epoch'?"),
        ("fwhm_arcsec = 0.8", "fwhm_arcsec = -0.8", "[merge] fwhm_arcsec = -0.8: expected greater"),
        ('form = "error_bits"', 'form = "bits"', "[simulated_table] form = 'bits': expected 'pl"),
        ('role = "ra"', 'role = "alpha"', "[[spelling]] 1: columns.2.role = 'alpha': unknown role"),
        ("slopes = [-0.065, 0.07, 0.01]", "slopes = [0.07]", "slopes.2 = [0.07]: expected one val"),
        ("ks = 0.05 }", "k = 0.05 }", "[default_error]: unknown band k; known: j, h, ks"),
        ("[merge]\norder = 45 ", "[merge]\n#", "[merge] order: is missing"),
    ],
)
def test_errors_name_the_file_the_key_and_what_is_expected(tmp_path, old, new, message):
    assert old in DEFINITION
    path = write_definition(tmp_path, DEFINITION.replace(old, new))
    with pytest.raises(InputError) as error:
        load_survey(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


def test_a_survey_without_an_instrument_is_not_simulated(tmp_path, capsys):
    text = DEFINITION[: DEFINITION.index("[instrument]")]
    text += DEFINITION[DEFINITION.index("[[spelling]]") :]
    path = write_definition(tmp_path, text)
    words = ["-o", str(tmp_path / "sky"), "--l", "0", "0.05", "--b", "0", "0.05"]
    assert run(["simulate", "--surveys", str(path), *words]) == 2
    assert "has no section [instrument]" in capsys.readouterr().err
