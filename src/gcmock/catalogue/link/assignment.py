"""One-to-one assignment of sources, group by group, and the probabilities of its links (compiled).

A set of candidate links has a log-odds each: how much more probable the data are if the two
sources are one star than if they are unrelated. Sources that are connected by candidates form a
group. In every group the set of links in which no source occurs twice and whose log-odds have the
largest sum is found exactly (Hungarian method; Kuhn 1955, Naval Res. Logist. 2, 83, in the form
with shortest augmenting paths), leaving a source alone being always allowed.

The probability of a link takes all one-to-one sets of the group into account, each weighted with
the product of its odds. It is computed by belief propagation (Bayati, Shah & Sharma 2008, IEEE
Trans. Inf. Theory 54, 1241, for matchings), which is exact where candidates form no closed loop and
close otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.compilation import compiled

LARGEST_EXACT = 4_000_000
"""Elements of the cost matrix of a group; larger groups are assigned greedily."""

LARGEST_LOG_ODDS = 25.0
"""Odds beyond this are certain; larger numbers would drown the others in rounding."""

_SWEEPS = 40
_FORBIDDEN = 1.0


class Links(NamedTuple):
    """The assignment of a list of candidates.

    Attributes
    ----------
    chosen : ndarray of bool, shape (n_pair,)
        Candidates that are links.
    probability : ndarray, shape (n_pair,)
        Probability that the two sources are one star, for every candidate.
    group : ndarray of int64, shape (n_pair,)
        Number of the group of every candidate.
    """

    chosen: NDArray[np.bool_]
    probability: NDArray[np.float64]
    group: NDArray[np.int64]


@compiled(nogil=True)
def _root(parent, k):
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@compiled(nogil=True)
def _groups(i, j, n_i, n_j):
    """Group of every candidate: the smallest member of its connected set."""
    parent = np.arange(n_i + n_j)
    for k in range(len(i)):
        a, b = _root(parent, i[k]), _root(parent, n_i + j[k])
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    group = np.empty(len(i), np.int64)
    for k in range(len(i)):
        group[k] = _root(parent, i[k])
    return group


@compiled(nogil=True)
def _numbered(values):
    """Return the distinct values of a few, and the place of each among them."""
    distinct = np.unique(values)
    return distinct, np.searchsorted(distinct, values)


@compiled(nogil=True)
def _hungarian(cost):
    """Column of every row of the cheapest assignment; rows are not more than columns."""
    n, m = cost.shape
    u, v = np.zeros(n + 1), np.zeros(m + 1)
    row_of = np.zeros(m + 1, np.int64)
    way = np.zeros(m + 1, np.int64)
    for i in range(1, n + 1):
        row_of[0] = i
        column = 0
        least = np.full(m + 1, np.inf)
        used = np.zeros(m + 1, np.bool_)
        while True:
            used[column] = True
            row = row_of[column]
            delta, following = np.inf, 0
            for j in range(1, m + 1):
                if not used[j]:
                    reduced = cost[row - 1, j - 1] - u[row] - v[j]
                    if reduced < least[j]:
                        least[j] = reduced
                        way[j] = column
                    if least[j] < delta:
                        delta, following = least[j], j
            for j in range(m + 1):
                if used[j]:
                    u[row_of[j]] += delta
                    v[j] -= delta
                else:
                    least[j] -= delta
            column = following
            if row_of[column] == 0:
                break
        while column != 0:
            before = way[column]
            row_of[column] = row_of[before]
            column = before
    chosen = np.full(n, -1, np.int64)
    for j in range(1, m + 1):
        if row_of[j] > 0:
            chosen[row_of[j] - 1] = j - 1
    return chosen


@compiled(nogil=True)
def _greedy(a, b, log_odds, n_a, n_b, chosen):
    """Take the best candidate, then the best of those that are left."""
    taken_a, taken_b = np.zeros(n_a, np.bool_), np.zeros(n_b, np.bool_)
    order = np.argsort(-log_odds, kind="mergesort")
    for k in order:
        if log_odds[k] > 0 and not taken_a[a[k]] and not taken_b[b[k]]:
            chosen[k] = taken_a[a[k]] = taken_b[b[k]] = True


@compiled(nogil=True)
def _assign_group(a, b, log_odds, n_a, n_b, chosen):
    """Mark the links of a group."""
    if n_a * (n_a + n_b) > LARGEST_EXACT:
        _greedy(a, b, log_odds, n_a, n_b, chosen)
        return
    # A column per source of the second list, then one per source of the first that stays alone.
    cost = np.full((n_a, n_b + n_a), _FORBIDDEN)
    edge = np.full((n_a, n_b), -1, np.int64)
    for k in range(n_a):
        cost[k, n_b + k] = 0.0
    for k in range(len(a)):
        edge[a[k], b[k]] = k
        if log_odds[k] > 0:
            cost[a[k], b[k]] = -log_odds[k]
    column = _hungarian(cost)
    for k in range(n_a):
        if column[k] < n_b and log_odds[edge[k, column[k]]] > 0:
            chosen[edge[k, column[k]]] = True


@compiled(nogil=True)
def _propagate(a, b, log_odds, n_a, n_b, probability):
    """Marginal probabilities of the candidates of a group."""
    n = len(a)
    odds = np.exp(np.minimum(log_odds, LARGEST_LOG_ODDS))
    # What each end says of a candidate: the probability that it is free but for this one.
    free_a, free_b = np.ones(n), np.ones(n)
    for _ in range(_SWEEPS):
        total = np.ones(n_a)
        for k in range(n):
            total[a[k]] += odds[k] * free_b[k]
        for k in range(n):
            free_a[k] = 1.0 / max(total[a[k]] - odds[k] * free_b[k], 1.0)
        total = np.ones(n_b)
        for k in range(n):
            total[b[k]] += odds[k] * free_a[k]
        change = 0.0
        for k in range(n):
            value = 1.0 / max(total[b[k]] - odds[k] * free_a[k], 1.0)
            change = max(change, abs(value - free_b[k]))
            free_b[k] = value
        if change < 1e-9:
            break
    for k in range(n):
        joint = odds[k] * free_a[k] * free_b[k]
        probability[k] = joint / (1.0 + joint)


@compiled(nogil=True)
def _assign(i, j, log_odds, group, order):
    n = len(i)
    chosen = np.zeros(n, np.bool_)
    probability = np.zeros(n)
    start = 0
    while start < n:
        stop = start + 1
        while stop < n and group[order[stop]] == group[order[start]]:
            stop += 1
        members = order[start:stop]
        if stop - start == 1:
            k = members[0]
            probability[k] = 1.0 / (1.0 + np.exp(-max(min(log_odds[k], 60.0), -60.0)))
            chosen[k] = log_odds[k] > 0
        else:
            rows, a = _numbered(i[members])
            columns, b = _numbered(j[members])
            some, some_probability = np.zeros(len(members), np.bool_), np.zeros(len(members))
            some_odds = log_odds[members]
            _assign_group(a, b, some_odds, len(rows), len(columns), some)
            _propagate(a, b, some_odds, len(rows), len(columns), some_probability)
            for k in range(len(members)):
                chosen[members[k]] = some[k]
                probability[members[k]] = some_probability[k]
        start = stop
    return chosen, probability


def assign(
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    n_i: int,
    n_j: int,
) -> Links:
    """Choose the links among candidates, one-to-one.

    Parameters
    ----------
    i, j : ndarray of int64, shape (n_pair,)
        Sources of the two lists; no pair twice, sorted by i, then j.
    log_odds : ndarray, shape (n_pair,)
        Natural logarithm of the odds of one star against unrelated sources.
    n_i, n_j : int
        Lengths of the lists.

    Returns
    -------
    Links
    """
    group = _groups(i, j, n_i, n_j)
    order = np.argsort(group, kind="stable")
    chosen, probability = _assign(i, j, log_odds, group, order)
    return Links(chosen, probability, group)
