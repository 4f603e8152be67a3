"""Kinds of stars: who is taken together, and on which lattice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.posterior.kernel.lattice import Steps
from gcmock.posterior.kernel.limits import limits_of
from gcmock.posterior.kinds import (
    FEW_STARS,
    NARROW_COLOUR,
    StarKind,
    few_lattices,
    for_limits,
    group_by_kind,
    one_lattice_each,
    sharing,
)
from gcmock.words.limits import parse_limits

NO_STEPS = Steps(-1, -1, -1, -1)


def test_lattice_or_nodes():
    assert StarKind(7, 0, Steps(1, 2, 3, 4)).on_lattice
    assert not StarKind(7, 0, NO_STEPS).on_lattice
    # A star without any band has no lattice, whatever the steps say.
    assert not StarKind(0, 0, Steps(1, 2, 3, 4)).on_lattice


@pytest.mark.parametrize(
    ("mask", "bands"), [(0, 4), (1, 1), (7, 7), (8, 8), (9, 9), (11, 3), (13, 7), (14, 7), (15, 7)]
)
def test_bands_of_the_tables(mask, bands):
    assert StarKind(mask, 0, NO_STEPS).bands == bands


CODE = st.tuples(*(st.integers(low, low + 1) for low in (6, 0, -1, -1, -1, -1, 0)))


@pytest.mark.slow
@given(st.lists(CODE, min_size=1, max_size=30))
def test_every_star_belongs_to_the_kind_of_its_code(codes):
    codes = np.array(codes, np.int64)
    rng = np.random.default_rng(1)
    l_deg, b_deg = rng.integers(0, 3, (2, len(codes))).astype(float)
    groups = group_by_kind(codes, l_deg, b_deg)
    members = np.concatenate([rows for _, rows in groups])
    assert sorted(members.tolist()) == list(range(len(codes)))
    for kind, rows in groups:
        for row in rows:
            assert (kind.mask, kind.row, kind.synthetic, *kind.steps) == tuple(codes[row])
        # Neighbours in the sky follow one another.
        where = list(zip(l_deg[rows], b_deg[rows], strict=True))
        assert where == sorted(where)


def test_kinds_that_differ_in_their_lattices_are_merged():
    def kind(mask, *steps, row=0):
        return StarKind(mask, row, Steps(*steps))

    found = one_lattice_each([
        (kind(7, 3, 5, 2, 1), np.array([0])),
        (kind(7, 4, 4, 2, 3), np.array([1, 2, 3])),
        (kind(7, -1, -1, -1, -1), np.array([4])),
        (kind(7, 0, 0, 0, 0, row=1), np.array([5])),
        (kind(6, 2, 2, 0, 0), np.array([6])),
    ])  # fmt: skip
    assert [rows.tolist() for _, rows in found] == [[0, 1, 2, 3], [4], [5], [6]]
    # The finest steps of all, and the tilt of most stars.
    assert found[0][0] == kind(7, 3, 4, 2, 3)
    assert found[1][0].steps == NO_STEPS


def test_few_stars_share_a_lattice_with_those_that_need_nearly_the_same():
    def kind(*steps, row=0):
        return StarKind(7, row, Steps(*steps))

    many = np.arange(FEW_STARS)
    found = few_lattices([
        (kind(2, 5, 2, 1), many),
        (kind(2, 4, 2, 1), np.array([1000])),
        (kind(3, 5, 3, 1), np.array([1001])),
        (kind(3, 5, 3, 2), np.array([1002])),
        (kind(1, 6, 1, 2), np.array([1003])),
        (kind(-1, -1, -1, 0), np.array([1004])),
        (kind(2, 4, 2, 1, row=1), np.array([1005])),
    ])  # fmt: skip
    assert [rows.tolist() for _, rows in found] == [
        many.tolist(), [1000, 1001], [1002], [1003], [1004], [1005],
    ]  # fmt: skip
    assert [of for of, _ in found[:5]] == [
        kind(2, 5, 2, 1), kind(2, 4, 2, 1), kind(3, 5, 3, 2), kind(1, 6, 1, 2), kind(-1, -1, -1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("lattices", ["few", "one"])
@given(st.lists(CODE, min_size=1, max_size=60))
def test_no_star_gets_a_coarser_lattice_than_it_needs(lattices, codes):
    codes = np.array(codes, np.int64)
    shared = sharing(group_by_kind(codes, np.zeros(len(codes)), np.zeros(len(codes))), lattices)
    members = np.concatenate([rows for _, rows in shared])
    assert sorted(members.tolist()) == list(range(len(codes)))
    for kind, rows in shared:
        assert (codes[rows, :3] == [kind.mask, kind.row, kind.synthetic]).all()
        assert ((codes[rows, 3] >= 0) == kind.on_lattice).all()
        assert (codes[rows, 3:6] >= kind.steps[:3]).all()


HW, KS_HW, LINEAR = 8, 12, 4


@pytest.mark.parametrize(
    ("mask", "text", "error", "by_nodes"),
    [
        (HW, "j-h > 2.1", 0.3, False),
        (KS_HW, "j-h > 2.1", 0.3, False),
        (HW, "ks < 15 +- 0.3", 0.05, False),
        (HW, "ks < 15 +- 0.1", 0.05, True),
        (KS_HW, "h < 15 +- 0.3", 0.05, True),
        (LINEAR, "j-h > 2.1", 0.05, True),
    ],
)
def test_stars_with_limits_go_to_rows_of_colour_or_to_nodes(mask, text, error, by_nodes):
    steps = np.array([[3, 4, 2, 1]])
    for_limits(mask, limits_of(parse_limits([text]), mask), np.array([error**2]), steps)
    assert steps.tolist() == ([[-1, -1, -1, 0]] if by_nodes else [[3, 4, NARROW_COLOUR, 1]])
