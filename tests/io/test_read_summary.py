"""What was read of a table is counted, whatever the chunks."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcmock.io.read_summary import ReadSummary
from gcmock.words.bands import BANDS


def test_bands_and_their_sets() -> None:
    """J H Ks Hw: one star with H and Ks, two with all, one with none."""
    present = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    found = ReadSummary()
    found.add_bands(present)
    assert found.bands == {"j": 2, "h": 3, "ks": 3, "hw": 2}
    assert found.band_sets == {"h+ks": 1, "j+h+ks+hw": 2, "none": 1}
    assert found.n_no_photometry == 1


def test_bands_that_no_star_has_are_left_out() -> None:
    found = ReadSummary()
    found.add_bands(np.zeros((2, len(BANDS)), bool))
    assert found.bands == {}
    assert found.band_sets == {"none": 2}


@settings(max_examples=20, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(0, 12), st.just(len(BANDS)))), st.integers(0, 12))
def test_parts_add_up_to_the_whole(present: np.ndarray, cut: int) -> None:
    whole, total = ReadSummary(n_rows=len(present)), ReadSummary()
    whole.add_bands(present)
    for part in (present[cut:], present[:cut]):
        one = ReadSummary(n_rows=len(part))
        one.add_bands(part)
        total.add(one)
    assert total == whole
    assert whole.band_sets.total() == len(present)


def test_all_counts_are_added() -> None:
    first = ReadSummary(3, missing=Counter(ra=1), error_assumed=Counter(phot_h_mag=2))
    first.add(ReadSummary(4, missing=Counter(ra=1, dec=5), error_assumed=Counter(phot_h_mag=1)))
    assert first.n_rows == 7
    assert first.missing == {"ra": 2, "dec": 5}
    assert first.error_assumed == {"phot_h_mag": 3}
