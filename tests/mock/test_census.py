"""Rows are counted, and looked at, before the first star is computed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from small_map import small_map

from gcmock.errors import OutsideModelError
from gcmock.mock import census as module
from gcmock.mock.census import NO_PHOTOMETRY, OUTSIDE_MAP, InputCensus
from gcmock.settings.build import InputConfig

SKY = small_map()


def stars(l_deg: np.ndarray, first_row: int = 0, bright: bool = True) -> SimpleNamespace:
    """Stars at b = 0.01 deg with what the census looks at."""
    n = len(l_deg)
    mag = np.full((n, 4), 12.0 if bright else np.nan)
    rows = np.arange(n) + first_row
    return SimpleNamespace(row=rows, l=np.asarray(l_deg), b=np.full(n, 0.01), mag=mag, n_star=n)


@pytest.mark.parametrize("chunk", [7, 64, 1000])
def test_cells_are_counted_in_blocks_that_chunks_cannot_shift(monkeypatch, chunk: int) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 50)
    l_deg = np.random.default_rng(2).integers(0, 4, 230) * 0.1 + 0.01
    l_deg[5] = 90.0
    census = InputCensus(SKY, InputConfig())
    for start in range(0, 230, chunk):
        census.visit(stars(l_deg[start : start + chunk], start))
    with pytest.raises(OutsideModelError, match=r"^stars.fits: 1 star lies outside .* in row 5"):
        census.finish("stars.fits")
    assert census.stars_of_cell.sum() == 229
    assert np.count_nonzero(census.stars_of_cell) == 4
    assert census.visits == 5 * 4
    assert census.skipped == {OUTSIDE_MAP: 1}


def test_stars_are_left_out_for_one_reason() -> None:
    """A star without magnitudes that lies outside the map counts as outside."""
    census = InputCensus(SKY, InputConfig(outside_map="skip", no_photometry="skip"))
    census.visit(stars(np.array([0.01, 0.02, 5.0])))
    census.visit(stars(np.array([0.01, 5.0, 6.0]), 3, bright=False))
    census.finish("stars.fits")
    assert census.skipped == {OUTSIDE_MAP: 3, NO_PHOTOMETRY: 1}
    assert census.stars_of_cell.sum() == 3


def test_the_first_star_outside_is_named_once() -> None:
    census = InputCensus(SKY, InputConfig())
    census.visit(stars(np.array([0.01, 7.0])))
    census.visit(stars(np.array([8.0, 9.0]), 2))
    with pytest.raises(OutsideModelError, match=r"3 stars lie .* in row 1 .* l = 7,"):
        census.finish("stars.fits")


def test_nothing_is_wrong_with_no_rows() -> None:
    census = InputCensus(SKY, InputConfig())
    census.finish("stars.fits")
    assert (census.visits, census.skipped.total(), census.jumps) == (0, 0, False)


def test_rows_jump_if_cells_come_back(monkeypatch) -> None:
    """Ten cells, each in all ten blocks, or each in one."""
    monkeypatch.setattr(module, "BLOCK_ROWS", 20)
    monkeypatch.setattr(module, "FEW_CELLS", 9)
    cells = np.tile(np.arange(10), 20) * 0.025 + 0.01
    for l_deg, jumps in ((cells, True), (np.sort(cells), False)):
        census = InputCensus(SKY, InputConfig())
        census.visit(stars(l_deg))
        census.finish("stars.fits")
        assert census.visits == (100 if jumps else 10)
        assert census.jumps == jumps


def test_few_cells_never_jump(monkeypatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 20)
    census = InputCensus(SKY, InputConfig())
    census.visit(stars(np.tile(np.arange(10), 20) * 0.025 + 0.01))
    census.finish("stars.fits")
    assert not census.jumps
