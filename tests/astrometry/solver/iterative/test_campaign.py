"""Folders into strips: the same stars, visits and remarks as the direct solver finds."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from catalogues import true_stars, write_catalogue

from gcmock import cli
from gcmock.astrometry.observations.folder import open_observations
from gcmock.astrometry.solver.assembly import read_campaign
from gcmock.astrometry.solver.iterative.campaign import read_strips
from gcmock.astrometry.solver.priors import load_references
from gcmock.errors import InputError

OPTIONS = (
    *("--visits", "60", "--primaries-max", "12.0"),
    *("--set", "calibration.block_days=200", "reference.g_max=15.5"),
)


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strips")
    mock = write_catalogue(folder / "mock.parquet", true_stars(500, seed=3))
    assert cli.run(["observe", str(mock), "-o", str(folder / "observed"), *OPTIONS]) == 0
    return folder / "observed"


def both(path, **options):
    folder = open_observations(path)
    return [
        read(folder, lambda epoch: load_references("gaia-like", folder, epoch), **options)
        for read in (read_campaign, read_strips)
    ]


@pytest.mark.parametrize("options", [{}, {"secondaries": False}, {"primary_limit": 13.0}])
def test_stars_visits_and_remarks_are_the_same(observed, options):
    direct, strips = both(observed, **options)
    n = direct.store.n_primary
    assert strips.n_primary == n
    order = np.argsort(strips.source_id[:n])
    np.testing.assert_array_equal(strips.source_id[:n][order], direct.store.source_id[:n])
    counts = np.diff(direct.store.first)
    np.testing.assert_array_equal(strips.n_visits[:n][order], counts[:n])
    assert strips.n_visits.sum() == counts.sum()
    np.testing.assert_array_equal(strips.visit_number, direct.visit_number)
    np.testing.assert_array_equal(strips.block_number, direct.block_number)
    assert strips.remarks == direct.remarks
    np.testing.assert_array_equal(strips.hw[:n][order], direct.hw[:n])
    assert (strips.secondary is None) == (options.get("secondaries") is False)
    seen = strips.primary.strips.stars_per_visit(len(strips.visit_number))
    expected = np.bincount(direct.store.visit[: direct.store.first[n]])
    np.testing.assert_array_equal(seen, expected)


def test_the_order_of_the_observations_does_not_matter(observed, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(observed, mixed)
    (part,) = sorted((mixed / "observations").iterdir())
    table = pq.read_table(part)
    order = np.random.default_rng(0).permutation(len(table))
    pq.write_table(table.take(pa.array(order)), part)
    a, b = (both(path)[1].primary.strips for path in (observed, mixed))
    np.testing.assert_array_equal(a.residual, b.residual)
    np.testing.assert_array_equal(a.root_x, b.root_x)


def test_bad_observations_are_named(observed, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(observed, bad)
    (part,) = sorted((bad / "observations").iterdir())
    table = pq.read_table(part)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), part)
    with pytest.raises(InputError, match="observed more than once in one visit"):
        both(bad)[1]
