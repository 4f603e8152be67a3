"""A validation in the terminal, as Markdown, and its maps."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.reporting.validation import HEADS, cells, markdown, print_validation, validation_figure
from gcmock.validation.counts import CountMap
from gcmock.validation.result import Check, skipped
from gcmock.validation.run import Validation
from gcmock.validation.tiles import make_tiles


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.123456, "", "0.1235"),
        (-6.396, "mas/yr", "-6.396 mas/yr"),
        (1234567.0, "", "1,234,567"),
        (-12345.0, "pc", "-12,345 pc"),
        (float("nan"), "pc", ""),
    ],
)
def test_values(value, unit, text):
    assert cells(Check("sbc", "q", value, "< 1", "pass", unit=unit))[2] == text


RESULT = Validation(
    (
        Check("sbc", "ranks | of D", 0.01, "< 0.05", "pass", "Kolmogorov", "a limit"),
        Check("sbc", "coverage", 0.9, "0.68 +- 0.02", "fail"),
        skipped("counts", "no list"),
    ),
    None,
)


def test_markdown():
    lines = markdown(RESULT).splitlines()
    assert lines[0] == "| " + " | ".join(HEADS) + " |"
    assert lines[1] == "|---|---|---|---|---|---|---|"
    assert lines[2] == "| sbc | ranks \\| of D | 0.01 | < 0.05 | pass | Kolmogorov | a limit |"
    assert lines[4] == "| counts | no list |  |  | skip |  |  |"
    assert len(lines) == 5


def test_terminal(capsys):
    print_validation(RESULT)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "sbc ranks | of D 0.01 < 0.05 pass" in lines
    # The name of a test stands on its first line only; notes below the quantity.
    assert "coverage 0.9 0.68 +- 0.02 fail" in lines
    assert "Kolmogorov" in lines
    assert "limit: a limit" in lines
    assert lines[-1] == "1 pass, 1 fail, 0 info, 1 skip"


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "words"), [(-np.inf, ""), (1.8, ", J - H > 1.8")])
def test_maps(limit, words):
    tiles = make_tiles((0.0, 0.3), (-0.1, 0.1), 0.1)
    n = tiles.l_deg.size
    observed = np.stack([np.arange(n), np.ones(n)], axis=1).astype(float)
    expected, selected = np.full((n, 2), 4.0), np.full((n, 2), 2.0)
    figure = validation_figure(CountMap(tiles, observed, expected, selected, np.ones(n), limit))
    shown = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in shown] == [
        "stars of the list per tile",
        f"expected{words}",
        "observed / expected, all colours",
        f"observed / expected{words}",
    ]
    counts = observed.sum(axis=1).reshape(tiles.shape).T
    for axis, values in zip(shown, (counts, 0 * counts + 4, counts / 8, counts / 4), strict=True):
        np.testing.assert_allclose(axis.images[0].get_array(), values)
        # Longitude grows to the left, from border to border.
        np.testing.assert_allclose(axis.get_xlim(), (0.3, 0.0), atol=1e-12)
    # Observed and expected share a scale.
    assert shown[0].images[0].get_clim() == shown[1].images[0].get_clim() == (0.0, 6.0)
    assert shown[2].images[0].get_clim() == (0.0, 2.0)
