"""Tables are made once for each kind of star, whoever asks, and a failure is not hidden."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.posterior import tables
from gcmock.posterior.kernel.lattice import Steps
from gcmock.posterior.kinds import StarKind
from gcmock.posterior.tables import Tables, shared_tables
from gcmock.words.bands import N_LINEAR

LAW = SimpleNamespace(rows=np.array([[1.5, 0.9, 0.5], [1.6, 1.0, 0.5]]))
RELATIONS = [SimpleNamespace(coefficients=(0.8, -0.03, 0.0)),
             SimpleNamespace(coefficients=(0.5, 0.01, 0.0))]  # fmt: skip
JHK, HW = 7, 8


@pytest.fixture
def made(monkeypatch):
    """Calls that make something, by what they were asked for."""
    calls = []

    def note(name, n):
        def make(*args):
            calls.append((name, *args[-n:]))
            return calls[-1]

        return make

    monkeypatch.setattr(tables, "original_nodes", lambda _: SimpleNamespace(mag=None))
    monkeypatch.setattr(tables, "coordinates", lambda bands, mag, row, relation: row[0])
    monkeypatch.setattr(tables, "node_table", note("nodes", 2))
    monkeypatch.setattr(tables, "sort_nodes", note("sorted", 1))
    monkeypatch.setattr(tables, "build_lattice", note("lattice", 1))
    return calls


@pytest.fixture
def known(made):
    return Tables(None, LAW, RELATIONS)


def kind(mask=JHK, row=0, w=3, tilt=0, synthetic=0):
    return StarKind(mask, row, Steps(w, 3, 3, tilt), synthetic)


def names(made):
    return [call[0] for call in made]


def test_law_of_a_kind(known):
    law = known.law(kind(HW, row=1, synthetic=1))
    np.testing.assert_array_equal(law.kappa, LAW.rows[1])
    np.testing.assert_array_equal(law.relation, [0.5, 0.01, 0.0])
    assert law.place == N_LINEAR + 1


def test_everything_is_made_once(known, made):
    known.build([kind(), kind(), kind(w=4), kind(tilt=1)])
    assert names(made) == ["nodes", "sorted", "sorted", "lattice", "lattice", "lattice"]
    first = known.lattice(kind())
    assert known.lattice(kind()) is first
    assert known.node_table(kind()) is known.node_table(kind(w=4))
    assert len(made) == 6
    known.node_table(kind(row=1))
    assert made[-1][0] == "nodes"


def test_stars_that_are_summed_over_nodes_have_no_lattice(known, made):
    outlier = kind(w=-1)
    known.build([outlier])
    assert known.lattice(outlier).block.shape[0] == 0
    assert names(made) == ["nodes"]


def test_a_lattice_that_cannot_be_built_fails_for_all_who_ask(known, monkeypatch):
    def fail(*_):
        raise MemoryError("too many places")

    monkeypatch.setattr(tables, "build_lattice", fail)
    for _ in range(2):
        with pytest.raises(MemoryError, match="too many places"):
            known.lattice(kind())


@pytest.mark.slow
def test_all_who_ask_share_tables_while_they_are_used(made):
    """Of the same populations under the same law and relations; others have their own."""
    populations = SimpleNamespace(populations=("one",))
    relations = [SimpleNamespace(name="a", coefficients=[0.8, 0.0, 0.0])]
    law = SimpleNamespace(rows=LAW.rows.copy())
    first = shared_tables(populations, law, relations)
    again = shared_tables(populations, SimpleNamespace(rows=LAW.rows.copy()), list(relations))
    assert again is first
    other_law = SimpleNamespace(rows=2.0 * LAW.rows)
    assert shared_tables(populations, other_law, relations) is not first
    others = SimpleNamespace(populations=("two",))
    assert shared_tables(others, law, relations) is not first
    relation = SimpleNamespace(name="b", coefficients=[0.7, 0.0, 0.0])
    assert shared_tables(populations, law, [relation]) is not first
    n = len(tables._SHARED)
    del first, again
    gc.collect()
    assert len(tables._SHARED) < n


def test_read_only_laws_are_copied(known):
    assert known.law(kind()).kappa.flags.writeable
    assert known.law(kind()).kappa is not LAW.rows[0]
