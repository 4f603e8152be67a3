"""The section that subtracts the mock from the data."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from gcmock.reporting.page.content import Picture, Text
from gcmock.reporting.page.residuals import deviation_words, large_deviations, residual_section
from gcmock.reporting.page.tally import BRIGHTNESS, COLOUR, DIAGRAMS, MAGNITUDE
from gcmock.words.bands import BANDS, KS


def remeasured(stars=40.0, excess=0.0):
    """Twenty by ten bins with so many stars each; in one of them the data have more."""
    diagrams = np.zeros((2, len(DIAGRAMS), COLOUR.n, BRIGHTNESS.n))
    diagrams[:, :2, 40:60, 100:110] = stars
    diagrams[0, 0, 44, 104] += excess
    magnitudes = np.zeros((2, len(BANDS), MAGNITUDE.n))
    magnitudes[:, KS, 100:110] = 100.0
    magnitudes[0, KS, 105:110] = 120.0
    colours = np.zeros((2, COLOUR.n, COLOUR.n))
    return SimpleNamespace(n_star=8000, diagrams=diagrams, colours=colours, magnitudes=magnitudes)


def section_of(found):
    return residual_section(SimpleNamespace(remeasured=found))


def test_pictures_of_what_was_measured():
    section = section_of(remeasured())
    names = [block.name for block in section.blocks if isinstance(block, Picture)]
    assert names == ["residual_hks", "residual_jks", "residual_counts_ks"]
    assert section.blocks[0].text.startswith("8\u202f000 drawn stars were measured again")
    for block in section.blocks[1:]:
        block.draw(Figure().add_subplot())


def test_an_excess_is_found_and_said():
    data, mock = remeasured(excess=150.0).diagrams[:, 0]
    # Of 10 x 5 joined bins one deviates.
    assert large_deviations(data, mock) == (1, 50)
    words = deviation_words(data, mock, (COLOUR, BRIGHTNESS))
    place = COLOUR.coarser(2).centres[22], BRIGHTNESS.coarser(2).centres[52]
    assert f"in excess in the data by 9.8 at ({place[0]:.1f}, {place[1]:.1f}) mag" in words
    (picture,) = [b for b in section_of(remeasured(excess=150.0)).blocks
                  if isinstance(b, Picture) and b.name == "residual_hks"]  # fmt: skip
    assert picture.caption.startswith("1 of 50 bins with ten stars or more (2.0 %)")


def test_counts_have_their_numbers():
    (picture,) = [b for b in section_of(remeasured()).blocks
                  if isinstance(b, Picture) and b.name == "residual_counts_ks"]  # fmt: skip
    assert picture.table.rows == [
        ("12.0 to 12.5", "500", "500", "1.00"),
        ("12.5 to 13.0", "600", "500", "1.20"),
    ]
    assert "from 1.00 to 1.20" in picture.alt


@pytest.mark.parametrize("stars", [0.0, 1e-3])
def test_too_few_stars(stars):
    found = remeasured(stars)
    found.magnitudes[:] = 0.0
    section = section_of(found)
    texts = [block.text for block in section.blocks if isinstance(block, Text)]
    if stars:
        pictures = [block for block in section.blocks if isinstance(block, Picture)]
        assert {picture.caption for picture in pictures} == {"No bin has ten stars."}
    else:
        assert texts[-1] == "Too few stars for a comparison."
