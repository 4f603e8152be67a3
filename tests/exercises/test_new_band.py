"""A synthetic band in a copy of the package: one row of the table, and its relation.

The band must enter everything as Hw does: simulated and expected stars, the posterior, alone and
beside another band, the catalogue, the export for a mission. `docs/extending.md` is this exercise
in words, with the same row and the same relation.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gcmock

PACKAGE = Path(gcmock.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "extending.md"

LAST_ROW = re.compile(r'    Band\("hw", .*\n')
NEW_ROW = (
    'Band("gaianir", "GaiaNIR", "synthetic", "gaianir", "em.IR", "#56b4e9", relation="mean_flux"),'
)
RELATIONS = "gaianir_relations.toml"
RELATION = """\
[mean_flux]
coefficients = [0.4917, -0.1161, 0.0096]
scatter_mag = 0.02
valid_j_minus_h = [-0.3, 5.0]
source = "cubic through the magnitude of the mean of the J and H fluxes, to 0.01 mag"
status = "approximation: GaiaNIR has no adopted passband"
"""

# Runs in the copy: what is looked at, as JSON.
LOOK = """
import json
from dataclasses import replace

import numpy as np
from astropy.table import Table

import gcmock
from gcmock.catalogue.columns import merged_columns
from gcmock.catalogue.order import packaged_order
from gcmock.cli.app import run
from gcmock.mock.simulate import simulate
from gcmock.model import load_model
from gcmock.posterior.observations import Observations
from gcmock.random import star_key
from gcmock.words.bands import BANDS
from gcmock.words.components import COMPONENTS

found = {"file": gcmock.__file__, "bands": BANDS}
names = [column.name for column in merged_columns(packaged_order())]
found["merged"] = [name for name in names if "gaianir" in name]

# Simulated and expected stars.
model = load_model()
window = ((0.30, 0.33), (-0.22, -0.19))
sky = simulate(model, *window, ks_max=15.0, seed=3)
found["columns"] = [name for name in sky if name.startswith("phot_")]
relation = model.relations["gaianir"]
found["off_relation"] = float(
    np.abs(sky["phot_gaianir_mag"] - relation.mag(sky["phot_j_mag"], sky["phot_h_mag"])).max()
)
limit = 15.0
found["simulated"] = int((sky["phot_gaianir_mag"] < limit).sum())
# The centres of the sub-cells of the extinction map.
l_deg, b_deg = (x.ravel() for x in np.meshgrid(*(np.linspace(*r, 13)[1::2] for r in window)))
counts = model.expected_counts(
    l_deg, b_deg, band="gaianir", mag_edges=[-np.inf, limit], area_deg2=0.03**2
)
found["expected"] = float(counts.sum(axis=(1, 2)).mean())

# Catalogues of a list with the band alone, and with Ks beside it.
some = np.flatnonzero(sky["phot_gaianir_mag"] < limit)[:40]
rng = np.random.default_rng(5)
stars = Table({name: sky[name][some] for name in ("source_id", "l", "b")})
for name in ("phot_gaianir_mag", "phot_ks_mag"):
    stars[name] = sky[name][some] + rng.normal(0.0, 0.05, some.size)
    stars[name + "_error"] = 0.05
alone = stars["source_id", "l", "b", "phot_gaianir_mag", "phot_gaianir_mag_error"]
for name, table in (("alone", alone), ("with_ks", stars)):
    mock = gcmock.build(table, run={"seed": 7, "realisations": 20, "workers": 1})
    drawn = np.asarray(mock["phot_gaianir_mag"]).reshape(some.size, -1)
    given = np.asarray(table["phot_gaianir_mag"])
    probability = np.sum([np.asarray(mock[f"p_{c}"]) for c in COMPONENTS], axis=0)
    found[name] = {
        "columns": [c for c in mock.colnames if c.startswith("phot_")],
        "n_bands": sorted(set(mock["n_bands"].tolist())),
        "flags": sorted(set((np.asarray(mock["flags"]) & 64).tolist())),
        "pull": float(np.std((drawn - given[:, None]) / np.hypot(0.05, 0.03))),
        "probability": [float(probability.min()), float(probability.max())],
        "metadata": mock.meta["gcmock"]["gaianir_relation"],
    }

# With the relation of Hw the posterior is that of Hw.
same = replace(model.relations["hw"], band="gaianir")
twin = replace(model, relations={**model.relations, "gaianir": same})
keys = np.stack([star_key(1, np.asarray(stars["source_id"]), r) for r in range(3)], axis=1)
none = np.full(some.size, np.nan)

def observed(band, beside):
    mag = np.full((some.size, len(BANDS)), np.nan)
    mag[:, BANDS.index(band)] = sky["phot_hw_mag"][some]
    for other in beside:
        mag[:, BANDS.index(other)] = sky[f"phot_{other}_mag"][some]
    error = np.where(np.isfinite(mag), 0.05, np.nan)
    l, b = (np.asarray(stars[name]) for name in ("l", "b"))
    return Observations(l, b, mag, error, none, none, *twin.reddening(l, b))

found["as_hw"] = {}
for beside in ((), ("ks",), ("j",), ("h", "ks")):
    (one, one_draws), (two, two_draws) = (
        twin.posterior.infer(observed(band, beside), keys) for band in ("hw", "gaianir")
    )
    found["as_hw"]["+".join(beside)] = bool(
        all(np.array_equal(x, y, equal_nan=True) for x, y in zip(one, two, strict=True))
        and np.array_equal(one_draws.distance_pc, two_draws.distance_pc)
        and np.array_equal(one_draws.mag, two_draws.mag[..., [0, 1, 2, 4, 3]], equal_nan=True)
    )

# The export for a mission takes the band of the catalogue.
stars.write("stars.parquet")
assert run(["build", "stars.parquet", "-o", "mock.parquet", "--seed", "7"]) == 0
assert run(["export", "mock.parquet", "-o", "export.fits", "--mission", "gaianir"]) == 0
mock, exported = Table.read("mock.parquet"), Table.read("export.fits")
found["export"] = [
    exported.colnames.count("phot_gaianir_mag"),
    bool(np.array_equal(exported["phot_gaianir_mag"], mock["phot_gaianir_mag"])),
]
assert run(["info", "hw"]) == 0
json.dump(found, open("found.json", "w"))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """Copy of the package with one row more, and a file with its relation."""
    copied = tmp_path_factory.mktemp("new_band") / "gcmock"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    table = copied / "words" / "bands.py"
    text = table.read_text(encoding="utf-8")
    with_row, n = LAST_ROW.subn(rf"\g<0>    {NEW_ROW}\n", text)
    assert n == 1
    table.write_text(with_row, encoding="utf-8")
    (copied / "data" / RELATIONS).write_text(RELATION, encoding="utf-8")
    return copied


@pytest.fixture(scope="module")
def found(copy, tmp_path_factory):
    """What the copy makes of the band."""
    folder = tmp_path_factory.mktemp("look")
    environment = os.environ | {"PYTHONPATH": str(copy.parent)}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "found.json").read_text()) | {"printed": done.stdout}


def test_page_has_the_same_row_and_relation():
    page = PAGE.read_text(encoding="utf-8")
    assert NEW_ROW in page
    assert RELATION in page
    assert RELATIONS in page


@pytest.mark.long
def test_the_band_stands_on_every_list(copy, found):
    assert Path(found["file"]).parent == copy
    assert found["bands"] == ["j", "h", "ks", "hw", "gaianir"]
    names = [f"phot_{band}_mag" for band in found["bands"]]
    assert found["columns"] == names
    for name in ("alone", "with_ks"):
        assert found[name]["columns"] == names
        assert found[name]["metadata"].startswith("mean_flux: cubic")
    name = "phot_gaianir_mag"
    assert found["merged"] == [name, f"{name}_error", f"{name}_source"]
    assert "GaiaNIR" in found["printed"]


@pytest.mark.long
def test_simulated_stars_follow_the_relation_and_the_expected_counts(found):
    assert found["off_relation"] == 0.0
    assert found["simulated"] > 100
    assert abs(found["simulated"] - found["expected"]) < 5.0 * np.sqrt(found["expected"])


@pytest.mark.long
@pytest.mark.parametrize(("name", "n_bands"), [("alone", 1), ("with_ks", 2)])
def test_catalogue_of_a_list_with_the_band(found, name, n_bands):
    built = found[name]
    assert built["n_bands"] == [n_bands]
    assert built["flags"] == [64]
    assert built["probability"] == pytest.approx([1.0, 1.0], abs=1e-5)
    assert 0.5 < built["pull"] < 1.5


@pytest.mark.long
def test_posterior_with_the_relation_of_hw_is_that_of_hw(found):
    assert found["as_hw"] == dict.fromkeys(("", "ks", "j", "h+ks"), True)


@pytest.mark.long
def test_export_takes_the_band_of_the_catalogue(found):
    assert found["export"] == [1, True]
