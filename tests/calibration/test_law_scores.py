"""The stars behind a fit of the law, and which regions get one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from gcmock.calibration.law_sample import (
    LEAST_OF_GROUP,
    LEAST_OF_REGION,
    MOST_GROUPS,
    STARS_PER_GROUP,
    choose,
    fit_laws,
)

from gcmock.calibration import law_sample as module
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.errors import InputError
from gcmock.words.bands import BANDS


def test_same_number_of_stars_of_the_fullest_cells():
    cell = np.repeat(np.arange(8), [100, 60, 45, 44, 43, 42, 20, 5])
    chosen = choose(SimpleNamespace(cell=cell), np.arange(cell.size))
    cells, counts = np.unique(cell[chosen], return_counts=True)
    assert cells.size == MOST_GROUPS
    assert set(cells) <= set(range(6))
    assert set(counts) == {STARS_PER_GROUP}
    assert (np.diff(chosen) > 0).all()


def test_cells_with_few_stars_are_left_out():
    cell = np.repeat([0, 1, 2], [LEAST_OF_GROUP, LEAST_OF_GROUP - 1, 3])
    chosen = choose(SimpleNamespace(cell=cell), np.arange(cell.size))
    assert set(cell[chosen]) == {0}
    assert choose(SimpleNamespace(cell=np.array([1, 2])), np.arange(2)).size == 0


def test_only_the_rows_given():
    cell = np.zeros(60, np.int64)
    rows = np.arange(0, 60, 2)
    assert set(choose(SimpleNamespace(cell=cell), rows)) <= set(rows)


@pytest.fixture
def fits(monkeypatch):
    """Fits that return ten times the number of the row."""
    monkeypatch.setattr(module, "law_evidence", lambda stars, chosen, model: chosen)
    monkeypatch.setattr(module, "in_order", lambda function, items, workers: map(function, items))

    def fit_law(evidence, start, n_star, with_offset):
        kappa = np.array(start) + 1.0
        return SimpleNamespace(kappa=kappa, n_star=n_star, start=start, with_offset=with_offset)

    monkeypatch.setattr(module, "fit_law", fit_law)


def stars_of(quadrants, per_quadrant=100):
    """Stars with all bands in the middle of some quadrants."""
    sign = {"+l+b": (1, 1), "-l+b": (-1, 1), "+l-b": (1, -1), "-l-b": (-1, -1)}
    place = [sign[name] for name in quadrants for _ in range(per_quadrant)]
    l_deg, b_deg = 0.5 * np.array(place, float).reshape(-1, 2).T
    mag = np.full((l_deg.size, len(BANDS)), 13.0)
    data = SimpleNamespace(l_deg=l_deg, b_deg=b_deg, mag=mag)
    return SimpleNamespace(data=data, cell=np.arange(l_deg.size) // 50)


MODEL = SimpleNamespace(law=ExtinctionLaw("base", np.array([[1.5, 0.9, 0.5]]), "paper"))


def test_unknown_regions():
    with pytest.raises(InputError, match="law regions 'two': expected quadrants, one or none"):
        fit_laws(None, MODEL, "two", True, 1, print)


def test_no_regions_keep_the_law():
    assert fit_laws(None, MODEL, "none", True, 1, print) == (MODEL.law, {})


def test_one_law(fits):
    told = []
    law, found = fit_laws(
        stars_of(["+l+b"]), MODEL, "one", False, 1, lambda *what: told.append(what)
    )
    np.testing.assert_allclose(law.rows, [[2.5, 1.9, 1.5]])
    assert law.name == "fitted from base"
    assert list(found) == [0]
    assert not found[0].with_offset
    assert found[0].n_star == 2 * STARS_PER_GROUP
    assert told == [("law", 1, 1)]
    assert not law.rows.flags.writeable


def test_quadrants_with_stars_and_the_rest(fits):
    law, found = fit_laws(stars_of(["+l+b", "-l-b"]), MODEL, "quadrants", True, 1, lambda *_: None)
    assert law.rows.shape == (len(QUADRANTS), 3)
    assert len(found) == 2
    for i, row in enumerate(law.rows[:-1]):
        np.testing.assert_allclose(row, [2.5, 1.9, 1.5] if i in found else [1.5, 0.9, 0.5])
    # On the axes: the mean of the quadrants that were fitted.
    np.testing.assert_allclose(law.rows[-1], [2.5, 1.9, 1.5])


def test_too_few_stars_keep_the_law(fits):
    few = stars_of(["+l+b"], LEAST_OF_REGION - 1)
    assert fit_laws(few, MODEL, "one", True, 1, lambda *_: None) == (MODEL.law, {})
    # Stars without one of the bands do not count.
    some = stars_of(["+l+b"])
    some.data.mag[: 100 - LEAST_OF_REGION + 1, 0] = np.nan
    assert fit_laws(some, MODEL, "one", True, 1, lambda *_: None)[1] == {}
