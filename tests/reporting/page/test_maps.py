"""Maps in words and as tables."""

from __future__ import annotations

import numpy as np
import pytest
from mock_rows import mock_rows, subject_of

from gcmock.reporting.page.maps import map_table, map_words


@pytest.fixture(scope="module")
def subject():
    """A degree of 40 x 40 positions; A_Ks grows with l, and the north has twice the stars."""
    side = np.arange(40) * 0.025 - 0.4875
    l_deg, b_deg = (x.ravel() for x in np.meshgrid(side, side, indexing="ij"))
    again = np.flatnonzero(b_deg > 0)
    l_deg, b_deg = (np.concatenate((x, x[again])) for x in (l_deg, b_deg))
    return subject_of(mock_rows(["bar"] * l_deg.size, l=l_deg % 360, b=b_deg, a_ks=2.0 + l_deg))


def test_words_say_where_the_extremes_are(subject):
    axes, *_ = subject.coarse_map("a_ks")
    words = map_words("Extinction", subject, "a_ks")
    assert words.startswith("Extinction, l from -0.49 to 0.49 and b from -0.49 to 0.49 degrees: ")
    high, low = (float(part.split(",")[0]) for part in words.split("around l = ")[1:])
    assert high > 0.3
    assert low < -0.3
    assert min(abs(axes[0].centres - high)) < 0.006


def test_north_is_up_and_longitude_to_the_left(subject):
    table = map_table("Extinction", subject, "a_ks")
    axes, total, number = subject.coarse_map("a_ks")
    l_deg = [float(text.removeprefix("l = ")) for text in table.head[1:]]
    b_deg = [float(row[0].removeprefix("b = ")) for row in table.rows]
    assert l_deg == sorted(l_deg, reverse=True)
    assert b_deg == sorted(b_deg, reverse=True)
    assert table.hidden
    assert table.caption == f"Extinction, in cells of {axes[0].step:g} deg"
    value = total / np.where(number > 0, number, np.nan)
    shown = [[np.nan if t == "–" else float(t) for t in row[1:]] for row in table.rows]
    np.testing.assert_allclose(np.array(shown)[::-1, ::-1].T, value, atol=5.1e-4)


def test_densities_are_per_square_arcminute(subject):
    table = map_table("Stars", subject, "stars", density=True)
    middle = [row for row in table.rows if 0.15 < float(row[0][4:].replace("−", "-")) < 0.3]
    # Two stars in 0.025 deg x 0.025 deg, which are 1.5' x 1.5'.
    inner = float(middle[0][len(table.head) // 2])
    assert inner == pytest.approx(2.0 / 1.5**2, rel=0.06)


def test_a_map_without_finite_values_says_so(subject):
    rows = mock_rows(["bar"] * 50, l=np.linspace(0, 1, 50), a_ks=np.full(50, np.inf))
    assert map_words("Extinction", subject_of(rows), "a_ks").endswith("degrees: no finite value.")
