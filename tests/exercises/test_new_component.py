"""A stellar halo in a copy of the package: a module, its parameters, a population, one row.

The halo must enter everything that knows components, in a group of its own, and nothing that is
nuclear. `docs/extending.md` is this exercise in words, with the same files.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

import gcmock
from gcmock.words.cases import CASE_COLUMNS

PACKAGE = Path(gcmock.__file__).parent
SOURCES = Path(__file__).parent / "stellar_halo"
DOCS = Path(__file__).parents[2] / "docs"
LAST_ROW = re.compile(r'    Component\("nsc", .*\n')
WINDOW = ("--l", "0.1", "0.16", "--b", "-0.235", "-0.175", "--ks-max", "14")

# Runs in the copy. Scores are those of the room of validation, on a few stars of the model.
LOOK = """
import json
import numpy as np
import gcmock
from gcmock.words.cases import CASE_COLUMNS
from gcmock.settings.build import Config
from gcmock.validation import genstars, sbc
from gcmock.words import components as words

model = gcmock.load_model()
counts = model.expected_counts([0.12], [-0.21], band="ks", mag_edges=[10.0, 14.0])[0, :, 0]
drawn = model.sample_observables("halo", 0.1, -0.2, np.full(4000, 8160.0), np.random.default_rng(1))
own = sbc.self_consistent(Config())
sample = sbc.draw_sample(own, 300, 1)
summary, draws = sbc.infer_sample(sample, own, 1, 1)
checks = sbc.compare_sample(sample, summary, draws)
place = words.COMPONENTS.index("halo")
print(json.dumps({
    "components": words.COMPONENTS,
    "n_population": words.N_POPULATION,
    "counts": counts.tolist(),
    "spread_kms": float(np.std(drawn.vx)),
    "sums": summary.probability.sum(axis=1).tolist(),
    "p_halo": float(summary.probability[:, place].sum()),
    "drawn_halo": int((draws.component == place).sum()),
    "nuclear": genstars.nuclear_of_summary(summary).tolist(),
    "nsd_nsc": summary.probability[:, 9:11].sum(axis=1).tolist(),
    "checks": [check.quantity for check in checks],
}))
"""


def run(folder: Path, *words: str | Path) -> str:
    """Run Python with the copied package and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def add_halo(package: Path) -> None:
    """Do what `docs/extending.md` says."""
    shutil.copy(SOURCES / "stellar_halo.py", package / "galaxy")
    shutil.copy(SOURCES / "stellar_halo.toml", package / "data")
    with (package / "data" / "populations.toml").open("a", encoding="utf-8") as stream:
        stream.write((SOURCES / "population.toml").read_text(encoding="utf-8"))
    registry = package / "words" / "components.py"
    text = registry.read_text(encoding="utf-8")
    (last,) = LAST_ROW.findall(text)
    row = (SOURCES / "row.txt").read_text(encoding="utf-8")
    registry.write_text(text.replace(last, last + row), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with a halo, and what its commands made of a small survey."""
    folder = tmp_path_factory.mktemp("halo")
    package = folder / "src" / "gcmock"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    add_halo(package)
    gcmock_ = ("-m", "gcmock")
    run(folder, *gcmock_, "simulate", "-o", "stars.parquet", *WINDOW, "--survey", "--seed", "3")
    run(folder, *gcmock_, "build", "stars.parquet", "-o", "mock.parquet", "--seed", "4")
    truth = next(path for path in folder.glob("*truth*"))
    run(
        folder, *gcmock_, "report", "mock.parquet", "--input", "stars.parquet", "--truth", truth,
        "-o", "report.html", "--sample", "40",
    )  # fmt: skip
    run(
        folder, *gcmock_, "calibrate", "stars.parquet", "-o", "calibration.fits",
        "--law", "none", "--no-local", "--limits", "10", "13.7",
        "--stars-per-cell", "400",
    )  # fmt: skip
    run(
        folder, *gcmock_, "build", "stars.parquet", "-o", "calibrated.parquet", "--seed", "4",
        "--learned", "calibration.fits",
    )  # fmt: skip
    return folder


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def seen(folder: Path) -> dict:
    """What the copied package says of itself."""
    return json.loads(run(folder, "-c", LOOK).splitlines()[-1])


def test_the_model_has_it(seen: dict) -> None:
    assert seen["components"][-1] == "halo"
    assert seen["n_population"] == 11
    counts = np.array(seen["counts"])
    assert counts.shape == (12,)
    assert 0.002 < counts[-1] / counts.sum() < 0.5
    assert seen["spread_kms"] == pytest.approx(110.0, rel=0.05)


def test_posteriors_have_it_and_are_not_nuclear_for_it(seen: dict) -> None:
    np.testing.assert_allclose(seen["sums"], 1.0, atol=2e-5)
    assert seen["p_halo"] > 0.3
    assert seen["drawn_halo"] > 0
    np.testing.assert_allclose(seen["nuclear"], seen["nsd_nsc"], atol=1e-6)


def test_validation_scores_it(seen: dict) -> None:
    names = " ".join(seen["checks"])
    assert "P(halo)" in names
    assert "number of halo" in names
    assert "P(disc)" in names
    assert "P(nuclear)" in names


@pytest.mark.parametrize("name", ["mock.parquet", "calibrated.parquet"])
def test_the_catalogue_has_it(folder: Path, name: str) -> None:
    mock = Table.read(folder / name)
    of_cases = {f"p_{name}" for name in CASE_COLUMNS}
    names = [column for column in mock.colnames if re.fullmatch(r"p_[a-z]+\d?", column)]
    names = [name for name in names if name not in of_cases]
    assert names[-1] == "p_halo"
    assert len(names) == 12
    np.testing.assert_allclose(np.sum([mock[n] for n in names], axis=0), 1.0, atol=2e-5)
    expected = float(np.sum(mock["p_halo"]))
    n_drawn = int(np.sum(np.array(mock["component"]).astype(str) == "halo"))
    sigma = np.sqrt(np.sum(mock["p_halo"] * (1.0 - mock["p_halo"])))
    assert expected > 3.0
    assert abs(n_drawn - expected) < 4.0 * sigma
    halo = mock[np.array(mock["component"]).astype(str) == "halo"]
    assert set(np.round(np.array(halo["metallicity"], float), 2)) <= {-1.2, -1.0}


def test_the_page_has_it_in_a_group_of_its_own(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    packed = re.search(r'id="stars-columns">([^<]*)<', text)[1]
    stars = json.loads(zlib.decompress(base64.b64decode(packed)))
    (halo,) = [group for group in stars["groups"] if group["name"] == "halo"]
    assert (halo["label"], halo["colour"], halo["is_nuclear"]) == ("halo", "#222222", False)
    assert [group["name"] for group in stars["groups"] if group["is_nuclear"]] == ["nsd", "nsc"]
    np.testing.assert_allclose(np.sum(stars["p"], axis=1), 1.0, atol=2e-3)
    assert '<th scope="col">halo</th>' in text


def test_sums_of_the_report_leave_it_out_of_the_nuclear_stars(folder: Path) -> None:
    code = (
        "import json\n"
        "from gcmock.reporting.plots import count_catalogue\n"
        "from gcmock.validation.recovery import nuclear_probability\n"
        "from astropy.table import Table\n"
        "t, m = count_catalogue('mock.parquet'), Table.read('mock.parquet')\n"
        "print(json.dumps([float(t.diagrams_nuclear[0].sum()), float(nuclear_probability(m).sum()),"
        " float(t.sky['p_halo'].sum()), t.distances.shape[0]]))"
    )
    nuclear, of_table, halo, n_component = json.loads(run(folder, "-c", code).splitlines()[-1])
    mock = Table.read(folder / "mock.parquet")
    expected = float(np.sum(np.array(mock["p_nsd"], float) + np.array(mock["p_nsc"], float)))
    assert of_table == pytest.approx(expected, rel=1e-5)
    assert nuclear == pytest.approx(expected, rel=1e-3)
    assert halo == pytest.approx(float(np.sum(mock["p_halo"])), rel=1e-5)
    assert n_component == 12


def test_the_calibration_fits_a_weight_of_its_own(folder: Path) -> None:
    with fits.open(folder / "calibration.fits") as hdus:
        table = hdus["PARTS"].data
        group = dict(zip(np.char.strip(table["part"]), table["group"], strict=True))
        weight = dict(zip(np.char.strip(table["part"]), table["weight"], strict=True))
    assert group["halo"] not in {group[name] for name in group if name != "halo"}
    assert group["nsd"] == group["nsc"]
    assert 0.2 < weight["halo"] < 5.0
    assert weight["halo"] != weight["thin1"]


def test_a_calibration_of_other_components_is_refused(folder: Path) -> None:
    code = (
        "from gcmock.learned import load_learned\n"
        f"load_learned({str(folder / 'calibration.fits')!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    assert "InputError" in done.stderr
    assert "halo" in done.stderr
    assert "calibrate again" in done.stderr


def test_the_documentation_shows_these_files() -> None:
    text = (DOCS / "extending.md").read_text(encoding="utf-8")
    for name in ("stellar_halo.py", "stellar_halo.toml", "population.toml", "row.txt"):
        assert (SOURCES / name).read_text(encoding="utf-8").strip() in text, name
