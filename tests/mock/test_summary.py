"""What a run says of itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from gcmock.io.read_summary import ReadSummary
from gcmock.mock.account import Account
from gcmock.mock.summary import BuildSummary
from gcmock.words.components import COMPONENTS

N = len(COMPONENTS)


def summary() -> BuildSummary:
    """2000 rows read, 500 left out, two true stars for each of the others."""
    return BuildSummary(
        Path("mock.fits"),
        2,
        read=ReadSummary(n_rows=2000),
        skipped=Counter({"no magnitude": 300, "outside the extinction map": 200}),
        account=Account(
            3000, Counter(HW_USED=7), np.arange(N) * 2**30, np.full(N, 4 * 2**30, np.int64)
        ),
        n_kept=1000,
        seconds=2.5,
    )


def test_every_row_is_accounted_for() -> None:
    found = summary()
    assert (found.n_rows, found.n_star, found.n_written) == (2000, 1500, 3000)
    assert found.n_written == found.n_star * found.n_realisation
    assert found.flags == {"HW_USED": 7}
    np.testing.assert_array_equal(found.component_sum, np.arange(N))
    np.testing.assert_array_equal(found.component_variance, 4.0)


def test_the_rate_is_that_of_this_run() -> None:
    """1000 of the rows, 500 stars, were there from an earlier one."""
    assert summary().rate == (1500 - 500) / 2.5
    assert BuildSummary(None, 1).rate == 0.0


def test_a_line() -> None:
    assert repr(summary()) == (
        "BuildSummary(mock.fits: 2,000 rows read, 500 skipped, 3,000 written, 2.5 s)"
    )
    assert repr(BuildSummary(None, 1)).startswith("BuildSummary(in memory: 0 rows read")


def test_a_table() -> None:
    table = ElementTree.fromstring(summary()._repr_html_())
    rows = {row.find("th").text: row.find("td").text for row in table.iter("tr")}
    assert rows["skipped: no magnitude"] == "300"
    assert rows["flag HW_USED"] == "7"
    assert rows[f"stars of {COMPONENTS[3]}"] == "3.0 ± 2.0"
    assert len(rows) == 4 + 2 + 1 + N
