"""Stars, and what the verbs make of them, computed once."""

from __future__ import annotations

from html import escape

import pytest

import gcmock

WINDOW = {"l": (0.3, 0.32), "b": (-0.2, -0.18)}


@pytest.fixture(scope="session")
def table(few_stars):
    """A few observed stars, as an astropy table."""
    return few_stars(20)


@pytest.fixture(scope="session")
def stars_file(table, tmp_path_factory):
    """The same stars in a file."""
    path = tmp_path_factory.mktemp("stars") / "stars.parquet"
    table.write(path)
    return path


@pytest.fixture(scope="session")
def mock(table):
    """The mock catalogue of the stars, in memory."""
    return gcmock.build(table, seed=7, workers=1, no_learn=True)


@pytest.fixture(scope="session")
def mock_file(stars_file, tmp_path_factory):
    """The mock catalogue of the stars, in a file."""
    path = tmp_path_factory.mktemp("mock") / "mock.parquet"
    gcmock.build(stars_file, path, seed=7, workers=1, no_learn=True)
    return path


@pytest.fixture(scope="session")
def truth():
    """True stars spread over the JASMINE window, with units."""
    import astropy.units as u
    import numpy as np
    from astropy.table import QTable

    from gcmock.frames import galactic_to_icrs

    n, rng = 1200, np.random.default_rng(3)
    ra, dec = galactic_to_icrs(rng.uniform(-1.4, 0.7, n), rng.uniform(-0.6, 0.6, n))
    h = rng.uniform(10.0, 13.5, n)
    return QTable(
        {
            "source_id": np.arange(n),
            "ra": ra * u.deg,
            "dec": dec * u.deg,
            "ref_epoch": np.full(n, 2016.0) * u.yr,
            "parallax": rng.uniform(0.1, 1.0, n) * u.mas,
            "pmra": rng.normal(0.0, 4.0, n) * u.mas / u.yr,
            "pmdec": rng.normal(0.0, 4.0, n) * u.mas / u.yr,
            "radial_velocity": rng.normal(0.0, 100.0, n) * u.km / u.s,
            "component": np.full(n, "nsd"),
            "phot_j_mag": (h + 0.8) * u.mag,
            "phot_ks_mag": (h - 0.3) * u.mag,
            "phot_hw_mag": (h + 0.3) * u.mag,
        }
    )


@pytest.fixture(params=["astropy", "pandas", "pyarrow", "polars"])
def kind(request):
    """The library of a table."""
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture
def as_kind(kind):
    """Turn an astropy table into one of the library."""
    from gcmock.io.tables import to_arrow

    def convert(table):
        if kind == "astropy":
            return table
        found = to_arrow(table)
        if kind == "pandas":
            return found.to_pandas()
        if kind == "polars":
            import polars

            return polars.from_arrow(found)
        return found

    return convert


@pytest.fixture
def column(kind):
    """Return a column of a table of the library as plain numbers."""
    import numpy as np

    def values(table, name):
        found = table[name]
        return np.asarray(getattr(found, "value", found) if kind == "astropy" else found)

    return values


@pytest.fixture
def shown():
    """Check that a result shows itself in a line and as HTML, with some words."""

    def check(result, *words):
        line, page = repr(result), result._repr_html_()
        assert line.startswith(f"{type(result).__name__}(")
        assert "\n" not in line
        assert page.startswith("<table>")
        for word in words:
            shown = f"{word:,}" if isinstance(word, int) else str(word)
            assert shown in line
            assert escape(shown) in page

    return check
