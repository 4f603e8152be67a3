"""Codes of what was left out, and bits of what is to be known of a star."""

from __future__ import annotations

from gcmock.catalogue.cell.reasons import REASONS
from gcmock.words.flags import MatchFlag


def test_every_flag_is_one_bit_with_a_meaning_of_its_own():
    assert [int(flag) for flag in MatchFlag] == [1 << k for k in range(len(MatchFlag))]
    descriptions = [flag.description for flag in MatchFlag]
    assert len(set(descriptions)) == len(descriptions)
    assert all(descriptions)


def test_codes_fit_their_column():
    assert max(map(len, REASONS)) <= 16
    assert len(set(REASONS.values())) == len(REASONS)
