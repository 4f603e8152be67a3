"""What a user should know of the columns of a table, before any row is read."""

from __future__ import annotations

from types import SimpleNamespace

from gcmock.io.columns import ColumnMatch
from gcmock.io.hints import remarks_on_columns
from gcmock.io.upper_limits import QUALITY
from gcmock.settings.build import load_config

POSITION = {"ra": "ra", "dec": "dec"}


def remarks(names, matches, **settings):
    keys = {name.replace("__", "."): value for name, value in settings.items()}
    source = SimpleNamespace(columns=tuple(names))
    found = {name: ColumnMatch(column) for name, column in {**POSITION, **matches}.items()}
    return remarks_on_columns(source, found, load_config(None, keys))


def test_a_plain_table_needs_no_remark():
    names = ["ra", "dec", "phot_ks_mag"]
    assert remarks(names, {"phot_ks_mag": "phot_ks_mag"}) == []


def test_columns_that_are_not_used():
    assert remarks(["ra", "dec", "l"], {}) == [
        "column 'l' is not used: a latitude or longitude comes with the other"
    ]
    names = ["ra", "dec", "pmra"]
    assert "column 'pmra' (pmra) is not used without pmdec" in remarks(names, {"pmra": "pmra"})
    both = {name: name for name in ("pmra", "pmdec", "pml", "pmb")}
    assert remarks([*POSITION, *both], both) == [
        "pml and pmb are not used, because pmra and pmdec are there"
    ]
    (found,) = remarks(["ra", "dec", "Qflg"], {QUALITY: "Qflg"})
    assert found.startswith("magnitudes with U or X in column 'Qflg' are upper limits")


def test_epochs():
    names = {"ra": "RAJ2000", "dec": "DEJ2000"}
    (found,) = remarks(names.values(), names)
    assert found.startswith("column 'RAJ2000' does not say at which epoch")
    assert remarks(names.values(), names, input__ref_epoch=2000.0) == []
    matches = {"ref_epoch": "epoch"}
    (found,) = remarks(["ra", "dec", "epoch"], matches, input__ref_epoch=2000.0)
    assert "ref_epoch = 2000 counts only where a row has none" in found
    assert remarks(["ra", "dec", "epoch"], matches) == []


def test_photometric_systems():
    names = ["ra", "dec", "ksAperMag3"]
    matches = {"phot_ks_mag": "ksAperMag3"}
    (found,) = remarks(names, matches)
    assert '[photometry] system = "vista" converts it' in found
    assert remarks(names, matches, photometry__system="2mass") == []
    (found,) = remarks(names, matches, photometry__system="vista")
    assert found.startswith("J, H, Ks are converted from ")


def test_distances_are_not_measured():
    (found,) = remarks(["ra", "dec", "Dist_kpc"], {})
    assert found == "column 'Dist_kpc' is not used: what is measured are parallaxes, not distances"
    assert remarks(["ra", "dec", "distance", "parallax"], {"parallax": "parallax"}) == []
