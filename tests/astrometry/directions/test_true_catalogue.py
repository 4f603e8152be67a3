"""Columns of tables of stars, in the units of gcmock."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from gcmock.astrometry.directions.true_catalogue import integer_ids, open_catalogue
from gcmock.errors import InputError


def written(path, columns):
    QTable(columns).write(path)
    return path


def whole(catalogue, size=2):
    chunks = list(catalogue.chunks(size))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def test_units_are_those_of_gcmock(tmp_path):
    path = written(
        tmp_path / "stars.ecsv",
        {
            "ra": np.array([1.0, 2.0, 3.0]) * u.hourangle,
            "dec": np.array([60.0, -30.0, 0.0]) * u.arcmin,
            "pmra": np.array([1.0, 2.0, 3.0]) * u.arcsec / u.yr,
            "parallax": np.array([5.0, 6.0, 7.0]),
        },
    )
    catalogue = open_catalogue(path, ("ra", "dec", "pmra", "parallax"))
    assert (catalogue.path, catalogue.n_rows) == (path, 3)
    found = whole(catalogue)
    np.testing.assert_allclose(found["ra"], [15.0, 30.0, 45.0])
    np.testing.assert_allclose(found["dec"], [1.0, -0.5, 0.0])
    np.testing.assert_allclose(found["pmra"], [1e3, 2e3, 3e3])
    # Without a unit they are what gcmock expects.
    assert found["parallax"].tolist() == [5.0, 6.0, 7.0]


def test_other_kinds_of_units_are_refused(tmp_path):
    path = written(tmp_path / "stars.ecsv", {"ra": np.ones(2) * u.km})
    with pytest.raises(InputError, match="column 'ra' has the unit 'km', but ra needs deg"):
        open_catalogue(path, ("ra",))


def test_parallaxes_of_distances(tmp_path):
    path = written(tmp_path / "stars.ecsv", {"distance": np.array([0.5, 8.0]) * u.kpc})
    catalogue = open_catalogue(path, ("parallax",))
    assert catalogue.stored("parallax") == "distance"
    np.testing.assert_allclose(whole(catalogue)["parallax"], [2.0, 0.125])
    # A parallax of its own wins.
    both = written(tmp_path / "both.ecsv", {"distance": np.ones(1), "parallax": np.full(1, 3.0)})
    assert whole(open_catalogue(both, ("parallax",)))["parallax"].tolist() == [3.0]
    bad = written(tmp_path / "bad.ecsv", {"distance": np.array([1.0, 0.0, 2.0])})
    with pytest.raises(InputError, match=r"distance = 0 pc in row 1 .*above zero"):
        whole(open_catalogue(bad, ("parallax",)))


def test_absent_columns_get_their_values(tmp_path):
    path = written(tmp_path / "stars.ecsv", {"ra": np.arange(3.0), "pmra": np.full(3, 7.0)})
    defaults = {"pmra": 0.0, "ref_epoch": 2000.0}
    found = whole(open_catalogue(path, ("ra", "pmra", "ref_epoch"), defaults=defaults))
    assert found["ref_epoch"].tolist() == [2000.0] * 3
    assert found["pmra"].tolist() == [7.0] * 3


def test_missing_columns_are_named_with_the_closest(tmp_path):
    path = written(tmp_path / "stars.ecsv", {"ra": np.ones(1), "pm_dec": np.ones(1)})
    words = r"no column pmdec, dec \(closest: 'pm_dec'\); motions need them\. Give a catalogue"
    with pytest.raises(InputError, match=words):
        open_catalogue(path, ("ra", "pmdec", "dec"), need="motions need them")
    with pytest.raises(InputError, match=r"no column parallax\. Give"):
        open_catalogue(path, ("parallax",))


def test_one_realisation(tmp_path):
    path = written(
        tmp_path / "stars.ecsv",
        {"ra": np.arange(6.0), "realisation": np.array([0, 1, 0, 1, 2, 0])},
    )
    assert whole(open_catalogue(path, ("ra",), realisation=1))["ra"].tolist() == [1.0, 3.0]
    assert len(whole(open_catalogue(path, ("ra",)))["ra"]) == 6
    found = whole(open_catalogue(path, ("ra", "realisation"), realisation=0))
    assert found["realisation"].tolist() == [0, 0, 0]
    single = written(tmp_path / "single.ecsv", {"ra": np.arange(2.0)})
    assert whole(open_catalogue(single, ("ra",), realisation=0))["ra"].tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match="has no column realisation, so there is only"):
        open_catalogue(single, ("ra",), realisation=1)


def test_missing_values_are_counted_from_the_first_row(tmp_path):
    values = MaskedColumn(np.arange(5.0), mask=[False, False, False, True, False])
    Table({"ra": values}).write(tmp_path / "masked.ecsv")
    with pytest.raises(InputError, match=r"ra is missing in row 3 \(counted from 0\); 1 such rows"):
        whole(open_catalogue(tmp_path / "masked.ecsv", ("ra",)))
    path = written(tmp_path / "text.ecsv", {"ra": np.array(["a", "b"])})
    with pytest.raises(InputError, match="holds text, not numbers"):
        whole(open_catalogue(path, ("ra",)))


def test_identifiers_are_integers():
    assert integer_ids("x", np.array([3, 4], np.uint32)).dtype == np.int64
    top = np.array([2**63 - 1], np.uint64)
    assert integer_ids("x", top).tolist() == [2**63 - 1]
    for bad in (top + np.uint64(1), np.array(["a"]), np.array([1.0])):
        with pytest.raises(InputError, match="x: source_id must be integers of at most 63 bits"):
            integer_ids("x", bad)


@pytest.mark.parametrize(("name", "default"), [("MJD", "ref_epoch"), ("RV", "radial_velocity")])
def test_a_value_that_is_there_under_another_name_is_not_assumed(tmp_path, name, default):
    Table({"ra": [1.0], "dec": [2.0], name: [57388.0]}).write(tmp_path / "t.parquet")
    words = f"has no column {default}, but column '{name}' looks like it: rename it"
    with pytest.raises(InputError, match=words):
        open_catalogue(tmp_path / "t.parquet", ["ra", default], defaults={default: 2000.0})
