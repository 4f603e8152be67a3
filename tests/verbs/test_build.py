"""build: tables of every library, files, settings."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

import gcmock
from gcmock.errors import InputError, ModelWarning
from gcmock.io.tables import kind_of, read_table
from gcmock.settings.build import load_config

# What a list says of itself is another matter: tests/verbs/test_learning.py.
build = partial(gcmock.build, no_learn=True)


def test_tables_in_tables_out(kind, as_kind, column, table, mock):
    found = build(as_kind(table), seed=7, workers=1)
    assert kind_of(found) == kind
    for name in ("source_id", "distance_pc", "component"):
        assert (column(found, name) == np.asarray(mock[name])).all()


def test_files_in_and_out(stars_file, mock_file, table, mock, tmp_path, shown):
    assert (build(stars_file, seed=7)["distance_pc"] == mock["distance_pc"]).all()
    done = build(table, tmp_path / "mock.fits", seed=7)
    shown(done, tmp_path / "mock.fits", 20)
    assert done.n_written == 20
    assert (read_table(mock_file)["distance_pc"] == mock["distance_pc"]).all()
    with pytest.raises(InputError, match="exists already"):
        build(stars_file, mock_file)


def test_settings_in_second_place(table, mock):
    config = load_config(None, {"run.seed": 7, "run.workers": 1})
    for found in (build(table, config), build(table, {"run": {"seed": 7}})):
        assert (found["distance_pc"] == mock["distance_pc"]).all()
    with pytest.raises(InputError, match="settings are given twice"):
        build(table, config, config)


def test_options_and_sections(table):
    found = build(table, realisations=2, extinction={"law": "nishiyama_2009"}, no_pm=True)
    assert len(found) == 40
    assert "nishiyama_2009" in found.meta["gcmock"]["config"]
    assert "use = false" in found.meta["gcmock"]["config"].split("[motion]")[1]


def test_positions_as_sky_coordinates(table, mock):
    given = QTable(table)
    l_deg, b_deg = (np.asarray(given[name]) for name in "lb")
    given.remove_columns(["l", "b"])
    given["where"] = SkyCoord(l_deg, b_deg, unit="deg", frame="galactic")
    assert (build(given, seed=7)["distance_pc"] == mock["distance_pc"]).all()


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (3, {}, "expected an astropy Table"),
        ("no_such_file.fits", {}, "no_such_file.fits: no such file"),
        ("table", {"realisation": 3}, "did you mean 'realisations'"),
        ("table", {"seed": -1}, "seed"),
        ("table", {"learned": "no.fits"}, "no.fits"),
        ("table", {"learned": "l.fits", "no_learn": True}, "give one of the two"),
        ("table", {"scheduler": "local"}, "needs an output"),
        ("table", {"scheduler": "local", "output": "mock"}, "gcmock.import_hats makes one"),
    ],
)
def test_errors(given, options, words, table):
    with pytest.raises(InputError, match=words):
        build(table if given == "table" else given, **options)


def test_progress(table):
    told = []
    build(table, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (20, 20)


@pytest.mark.slow
def test_remarks_on_a_table_in_memory_are_warnings(table):
    """What the account of a run with an output says, and that nothing was learned."""
    odd = table.copy()
    odd["RV"] = 1.0
    with pytest.warns(ModelWarning) as found:
        gcmock.build(odd, seed=1, workers=1)
    words = [str(one.message) for one in found]
    assert [w for w in words if w.startswith("column 'RV' is not used")]
    assert len([w for w in words if w.startswith("nothing was learned from the list (")]) == 1
    assert len(words) == 2
