"""gcmock calibrate and build --learned, from file to file."""

import dataclasses
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table

from gcmock.calibration.calibrate import Options
from gcmock.calibration.calibrate import calibrate as calibrate_list
from gcmock.calibration.calibration_file import learned_of
from gcmock.calibration.learn import learn, learn_table
from gcmock.cli.app import run
from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.learned import MAP_FACTOR_ERROR, MAP_SCATTER_MAG, load_learned
from gcmock.mock.simulate import simulate
from gcmock.model import load_model
from gcmock.settings.build import load_config
from gcmock.words.components import PARTS

pytestmark = pytest.mark.long

BAND_ERROR = 0.05
WINDOW = (0.750, 0.775), (-0.350, -0.325)
CONFIG = """
[populations]
name = "koshimoto2021"
[extinction]
map_value = "subcell_mean"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cell of simulated stars, its settings and its calibration."""
    place = tmp_path_factory.mktemp("calibrate")
    (place / "settings.toml").write_text(CONFIG)
    settings = load_config(
        place / "settings.toml",
        {"extinction.map_value": "subcell", "extinction.residual_scatter_mag": 0.0},
    )
    truth = simulate(load_model(config=settings), *WINDOW, ks_max=14.0, seed=3)
    n = truth["l"].size
    rng = np.random.default_rng(1)
    table = Table({name: truth[name] for name in ("source_id", "l", "b")})
    for band in ("j", "h", "ks"):
        name = f"phot_{band}_mag"
        table[name] = truth[name] + rng.normal(0.0, BAND_ERROR, n)
        table[f"{name}_error"] = BAND_ERROR
    table.write(place / "stars.parquet")
    assert n > 200
    options = ["--law", "none", "--limits", "9", "13.8", "--figure", str(place / "map.png")]
    assert calibrate(place, "stars.parquet", "calibration.fits", *options) == 0
    return place


def calibrate(place, stars, output, *options):
    return run(
        ["calibrate", str(place / stars), "-o", str(place / output), "--config",
         str(place / "settings.toml"), *options]
    )  # fmt: skip


def test_product_has_tables_units_and_provenance(folder):
    with fits.open(folder / "calibration.fits") as hdus:
        names = [hdu.name for hdu in hdus]
        cells, law = hdus["CELLS"].data, hdus["LAW"].data
        words = json.loads(hdus[0].header["GCMOCK"])
        header = hdus["CELLS"].header
        image = hdus["MAP_E_JKS"]
        assert names[1:6] == ["CELLS", "STARS", "LAW", "DOUBT", "PARTS"]
        own = cells["source"] == "cell"
        assert own.sum() == 1
        row = cells[own][0]
        # The map is right, so the factor is one within its error.
        assert abs(row["factor"] - 1.0) < 3.5 * row["factor_error"]
        assert 0.0 < row["factor_error"] < 0.03
        assert 0.02 < row["scatter"] < 0.15
        assert row["e_jks"] == pytest.approx(row["factor"] * row["e_jks_map"], rel=1e-5)
        assert row["a_ks"] == pytest.approx(law["a_ks"][0] * row["e_jks"], rel=1e-5)
        # 64 cells of the field; those without stars fall back on the field.
        assert len(cells) == 64
        assert set(cells["source"]) == {"cell", "field"}
        assert np.nanmax(image.data) == pytest.approx(cells["e_jks"].max())
        assert image.header["CTYPE1"] == "GLON-CAR"
    units = {header[f"TTYPE{i}"]: header.get(f"TUNIT{i}", "") for i in range(1, 20)}
    assert units["e_jks"] == "mag"
    assert units["l"] == "deg"
    assert words["input"] == "stars.parquet"
    assert len(words["input_sha256"]) == 64
    assert words["limits_ks_mag"] == "9 to 13.8"
    assert (folder / "map.png").stat().st_size > 10_000
    assert not list(folder.glob("*partial*"))


def test_image_agrees_with_the_table(folder):
    """Positions of the image by its world coordinates are those of the cells."""
    from astropy.wcs import WCS

    with fits.open(folder / "calibration.fits") as hdus:
        image = hdus["MAP_E_JKS"]
        cells = hdus["CELLS"].data
        x, y = WCS(image.header).world_to_pixel_values(cells["l"] % 360, cells["b"])
        found = image.data[np.rint(y).astype(int), np.rint(x).astype(int)]
        np.testing.assert_allclose(found, cells["e_jks"], rtol=1e-6)
        assert np.abs(x - np.rint(x)).max() < 1e-3


def test_build_uses_the_calibration(folder):
    output = folder / "mock.parquet"
    given = ["--config", str(folder / "settings.toml")]
    given += ["--learned", str(folder / "calibration.fits")]
    assert run(["build", str(folder / "stars.parquet"), "-o", str(output), *given]) == 0
    assert run(["build", str(folder / "stars.parquet"), "-o", str(folder / "plain.parquet"),
                "--no-learn", "--config", str(folder / "settings.toml")]) == 0  # fmt: skip
    mock, plain = pq.read_table(output), pq.read_table(folder / "plain.parquet")
    assert mock.num_rows == plain.num_rows
    assert not np.allclose(mock["p_nsd"].to_numpy(), plain["p_nsd"].to_numpy(), atol=1e-3)
    metadata = mock.schema.metadata
    text = b" ".join(metadata.values()).decode()
    assert load_learned(folder / "calibration.fits").sha256 in text
    # What was given is used, and nothing else is learned.
    assert not (folder / "mock_learned.fits").exists()
    assert not (folder / "plain_learned.fits").exists()


def test_reading_side(folder):
    """Own star, its surroundings, the cell, and where nothing is known."""
    found = load_learned(folder / "calibration.fits")
    sky = ExtinctionMap.load()
    table = Table.read(folder / "stars.parquet")
    ones = np.ones(3)
    l_deg = np.array([table["l"][0], 0.725, -5.0])
    b_deg = np.array([table["b"][0], -0.375, 2.0])
    e_jks, tau = found.reddening(sky, l_deg, b_deg, ones, 0.1 * ones)
    # Far away the map, with its own scatter and what maps are wrong by.
    assert e_jks[2] == 1.0
    assert tau[2] == pytest.approx(np.sqrt(0.1**2 + MAP_FACTOR_ERROR**2 + MAP_SCATTER_MAG**2))
    with fits.open(folder / "calibration.fits") as hdus:
        cells, stars = hdus["CELLS"].data, hdus["STARS"].data
        i = int(np.flatnonzero(cells["cell"] == sky.cell_index(l_deg[1], b_deg[1]))[0])
        assert e_jks[1] == pytest.approx(cells["factor"][i], rel=1e-6)
        if len(stars):
            at = np.argmin(np.hypot(stars["l"] - l_deg[0], stars["b"] - b_deg[0]))
            assert np.hypot(stars["l"][at] - l_deg[0], stars["b"][at] - b_deg[0]) < 1e-12
            assert e_jks[0] == pytest.approx(stars["factor"][at], rel=1e-6)
            assert tau[0] == pytest.approx(stars["scatter"][at], rel=1e-6)
            # Beside a star, not on it: with the star itself.
            near = found.reddening(sky, l_deg[:1] + 1e-4, b_deg[:1], ones[:1], ones[:1])
            distances = np.hypot((stars["l"] - l_deg[0] - 1e-4), stars["b"] - b_deg[0])
            k = int(np.argmin(distances))
            if distances[k] < stars["radius"][k]:
                assert near[0][0] == pytest.approx(stars["factor_all"][k], rel=1e-6)
    assert found.weights.shape == (len(PARTS),)


def test_errors_are_polite(folder, capsys):
    stars = Table.read(folder / "stars.parquet")

    def fails(name: str, table: Table, *options: str) -> str:
        table.write(folder / name, overwrite=True)
        assert calibrate(folder, name, "no.fits", *options) == 2
        assert not (folder / "no.fits").exists()
        return str(capsys.readouterr().err)

    one_band = stars["source_id", "l", "b"].copy()
    one_band["phot_hw_mag"] = stars["phot_h_mag"]
    text = fails("hw.parquet", one_band)
    assert "Ks and at least one of J, H" in text
    assert "star counts" in text
    only_ks = stars["source_id", "l", "b", "phot_ks_mag"].copy()
    assert "One band has no colour" in fails("ks.parquet", only_ks)
    assert "expected at least 30" in fails("few.parquet", stars[:20])
    assert "bright limit first" in fails("stars2.parquet", stars, "--limits", "14", "10")
    assert calibrate(folder, "stars.parquet", "no.txt") == 2
    assert "FITS" in capsys.readouterr().err
    assert calibrate(folder, "stars.parquet", "calibration.fits") == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"not a FITS file", None])
def test_bad_calibrations_are_refused(folder, tmp_path, content, capsys):
    bad = tmp_path / "bad.fits"
    if content is not None:
        bad.write_bytes(content)
    given = ["--learned", str(bad), "--config", str(folder / "settings.toml")]
    stars, output = folder / "stars.parquet", tmp_path / "m.parquet"
    assert run(["build", str(stars), "-o", str(output), *given]) == 2
    text = capsys.readouterr().err
    assert "bad.fits" in text
    assert not output.exists()


def test_the_value_of_the_map_is_that_of_the_file(folder):
    settings = {"learn.file": str(folder / "calibration.fits"), "extinction.map_value": "subcell"}
    assert load_model(config=load_config(None, settings)).map_value == "subcell_mean"


def test_hats_export(folder, tmp_path):
    pytest.importorskip("hats", reason="the extra [hats] is not installed")
    from hats import read_hats

    options = ["--law", "none", "--limits", "9", "13.8", "--hats", str(tmp_path / "dust_map")]
    assert calibrate(folder, "stars.parquet", "again.fits", *options) == 0
    catalogue = read_hats(tmp_path / "dust_map")
    assert catalogue.catalog_info.total_rows == 64
    assert "e_jks" in catalogue.schema.names


OPTIONS = Options(limits=(9.0, 13.8), law="none", stars_per_cell=150)


def same_values(one, other):
    """Whether two runs learned the same, to the last bit."""
    for field in dataclasses.fields(one):
        mine, yours = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, yours, err_msg=field.name)
    assert (one.zero_point_mas, one.parallax_scale) == (other.zero_point_mas, other.parallax_scale)


def test_order_chunks_and_workers_do_not_matter(folder):
    """More stars than are looked at one by one, so that some are chosen."""
    config = load_config(folder / "settings.toml", {"run.workers": 1})
    plain = calibrate_list(folder / "stars.parquet", config, OPTIONS)
    assert 0 < plain.stars.first.sum() == 150 < plain.stars.cell.size
    table = Table.read(folder / "stars.parquet")
    table[np.random.default_rng(3).permutation(len(table))].write(
        folder / "shuffled.parquet", overwrite=True
    )
    other = load_config(folder / "settings.toml", {"run.workers": 2, "run.chunk_size": 100})
    found = calibrate_list(folder / "shuffled.parquet", other, OPTIONS)
    # The places of stars that refine cells are those of the rows, in the order of their keys.
    same_values(learned_of(plain), learned_of(found))
    seed = load_config(folder / "settings.toml", {"run.seed": 99})
    chosen = calibrate_list(folder / "stars.parquet", seed, OPTIONS)
    assert not np.array_equal(chosen.stars.data.l_deg, plain.stars.data.l_deg)


def test_a_build_learns_the_same_bytes_and_takes_them_again(folder):
    config = load_config(folder / "settings.toml")
    files = []
    for name in ("first", "second"):
        _, remark = learn(folder / "stars.parquet", folder / f"{name}.parquet", config)
        assert remark.startswith("learned from ")
        files.append((folder / f"{name}_learned.fits").read_bytes())
    assert files[0] == files[1]
    used, remark = learn(folder / "stars.parquet", folder / "first.parquet", config)
    assert "of an earlier run" in remark
    assert used.learn.file.endswith("first_learned.fits")


def test_fifty_stars_say_a_little(folder):
    """Of their region only: the cell has nearly the width of its prior, and the law is kept."""
    table = Table.read(folder / "stars.parquet")
    table[table["phot_ks_mag"] < 13.8][:50].write(folder / "fifty.parquet", overwrite=True)
    config = load_config(folder / "settings.toml")
    found = calibrate_list(
        folder / "fifty.parquet", config, Options(limits=(9.0, 13.8), law="none")
    )
    own = found.fit.n_star > 0
    assert found.fit.n_star.sum() <= 50
    assert abs(found.fit.factor[own][0] - 1.0) < 4.0 * found.fit.factor_error[own][0]
    assert 0.01 < found.fit.factor_error[own][0] < 0.08
    assert found.weights.n_star == 0
    assert (found.measurements.error_scale == 1.0).all()


def test_real_lists(shared_dir, tmp_path, capsys):
    """The list of JASMINE has one band: refused, with what can be done. The variables of VVV are a
    choice of stars, not a complete sample, which is said."""
    real = shared_dir / "real"
    if not real.is_dir():
        pytest.skip(f"real stars not found in {real}")
    plain, output = tmp_path / "plain.toml", tmp_path / "no.fits"
    plain.write_text(CONFIG)
    words = ["calibrate", real / "jasmine_hw_catalogue.parquet", "-o", output, "--config", plain]
    assert run([str(word) for word in words]) == 2
    assert not output.exists()
    assert "Ks and at least one of J, H" in capsys.readouterr().err
    settings = {
        "photometry.system": "vista",
        "columns": {f"phot_{band.lower()}_mag": band for band in ("J", "H", "Ks")},
    }
    _, remark = learn_table(real / "vvv_lpv_mira_window.csv", load_config(None, settings))
    assert "if they are a random part of them" in remark
