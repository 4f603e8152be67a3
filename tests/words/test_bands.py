"""The table of bands, and what is asked of sets of bands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.words import bands
from gcmock.words.bands import ALL_LINEAR, BANDS, LINEAR_BANDS, N_LINEAR, SYNTHETIC, band

masks = st.integers(0, 2 * ALL_LINEAR + 1)


def names(mask: int) -> set[str]:
    return {LINEAR_BANDS[i] for i in range(N_LINEAR) if mask >> i & 1}


def test_bits_are_places() -> None:
    assert [band(name).bit for name in BANDS] == [1 << i for i in range(len(BANDS))]
    assert BANDS[:N_LINEAR] == LINEAR_BANDS


def test_unknown_band() -> None:
    with pytest.raises(KeyError, match="'k' is no band; known: j, h"):
        band("k")


@given(masks)
def test_questions_about_a_set(mask: int) -> None:
    linear, synthetic = names(mask), bool(mask & SYNTHETIC)
    assert names(bands.linear_part(mask)) == linear
    assert bands.linear_part(mask) <= ALL_LINEAR
    assert bands.has_synthetic(mask) == synthetic
    assert bands.by_colour(mask) == (synthetic and len(linear) < 2)
    assert bands.is_single(mask) == (len(linear) == 1 and not synthetic)
    assert bands.first_band(mask) == min((LINEAR_BANDS.index(n) for n in linear), default=0)


@given(masks)
def test_a_synthetic_band_beside_two_others_says_what_j_and_h_say(mask: int) -> None:
    found = bands.equivalent(mask)
    if mask & SYNTHETIC and len(names(mask)) > 1:
        assert names(found) == names(mask) | {"j", "h"}
        assert found <= ALL_LINEAR
    else:
        assert found == mask
