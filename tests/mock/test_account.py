"""The account of what was written."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.mock.account import Account, account_of
from gcmock.words.components import COMPONENTS
from gcmock.words.flags import Flag

N = len(COMPONENTS)


def inferred(probability: np.ndarray, flags: np.ndarray) -> SimpleNamespace:
    """Stars with the two arrays of `gcmock.mock.infer.Inferred` that are counted."""
    summary = SimpleNamespace(probability=probability.astype(np.float32))
    return SimpleNamespace(summary=summary, flags=flags.astype(np.int32))


@settings(max_examples=10, deadline=None)
@given(parts=st.permutations([(1, 3), (2, 5), (7, 11), (0, 0)]))
def test_accounts_do_not_depend_on_the_order(parts) -> None:
    total = Account()
    for n, units in parts:
        total.add(Account(n, component_units=np.full(N, units), variance_units=np.full(N, n)))
    assert total.n_written == 10
    np.testing.assert_array_equal(total.component_units, 19)
    assert Account.from_dict(total.to_dict()).to_dict() == total.to_dict()


def test_probabilities_are_added_up_with_their_variance() -> None:
    """Sum of p and of p (1 - p): 0.25 + 1 stars of the first component."""
    probability = np.zeros((2, N))
    probability[0, :2], probability[1, 0] = (0.25, 0.75), 1.0
    account = account_of(inferred(probability, np.zeros((2, 3))))
    assert account.n_written == 6
    assert account.component_sum[:3].tolist() == [1.25, 0.75, 0.0]
    assert account.component_variance[:3].tolist() == [0.1875, 0.1875, 0.0]


def test_a_flag_counts_in_every_row_that_has_it() -> None:
    flags = np.array([[Flag.HW_USED, Flag.HW_USED | Flag.NO_SUBCELL], [0, Flag.NO_SUBCELL]])
    account = account_of(inferred(np.zeros((2, N)), flags))
    assert account.flags == {"HW_USED": 2, "NO_SUBCELL": 2}


def test_parts_add_up_to_the_whole_bit_by_bit() -> None:
    rng = np.random.default_rng(4)
    probability = rng.dirichlet(np.ones(N), 300)
    flags = rng.integers(0, sum(Flag), (300, 2))
    total = Account()
    for part in (slice(200, 300), slice(0, 70), slice(70, 200)):
        total.add(account_of(inferred(probability[part], flags[part])))
    assert total.to_dict() == account_of(inferred(probability, flags)).to_dict()
    assert total.component_sum.sum() == pytest.approx(300.0, abs=1e-4)


def test_json_holds_accounts() -> None:
    account = Account(3, Counter(HW_USED=2), np.arange(N), np.arange(N) + 2**40)
    words = json.loads(json.dumps(account.to_dict()))
    assert set(words["flags"]) == {flag.name for flag in Flag}
    again = Account.from_dict(words)
    assert again.flags == account.flags
    np.testing.assert_array_equal(again.variance_units, account.variance_units)
    assert again.variance_units.dtype == np.int64


def test_empty_accounts_do_not_share_their_numbers() -> None:
    first, second = Account(), Account()
    first.add(Account(1, Counter(HW_USED=1), np.ones(N, np.int64), np.ones(N, np.int64)))
    assert (second.n_written, second.flags.total(), second.component_sum.sum()) == (0, 0, 0.0)
