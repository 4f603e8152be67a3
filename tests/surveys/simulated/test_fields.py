"""Fields of a survey: footprint, overlaps, and what their sources fraction."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.surveys.simulated.fields import apparitions, fields_of, in_footprint

INSTRUMENT = SimpleNamespace(
    boxes_deg=((0.0, 1.0, -0.5, 0.5), (2.0, 3.0, 0.0, 1.0)),
    overlap_arcsec=36.0,
    field_deg=(0.5, 0.4),
    number=3,
    stream=3,
    epoch=(2010.0, 2015.0),
    field_offset_mas=10.0,
    zero_point_mag=(0.01, 0.02, 0.03),
    depth_scatter_mag=0.1,
)


def test_boxes_are_half_open():
    l_deg, b_deg = np.array([[0.0, 1.0, 2.5, -0.1], [0.0, 0.0, 0.5, 0.0]])
    found = in_footprint(l_deg, b_deg, INSTRUMENT)
    assert found.tolist() == [True, False, True, False]
    everywhere = SimpleNamespace(boxes_deg=())
    assert in_footprint(np.zeros(2), np.zeros(2), everywhere).all()


def grid(n=60):
    side = np.linspace(-1.0, 1.0, n)
    return (x.ravel() for x in np.meshgrid(side, side, indexing="ij"))


def test_every_source_once_for_each_field():
    l_deg, b_deg = grid()
    row, copy = apparitions(l_deg, b_deg, INSTRUMENT)
    assert len(set(zip(row.tolist(), copy.tolist(), strict=True))) == row.size
    assert (copy == 0).sum() == l_deg.size
    found = fields_of(l_deg[row], b_deg[row], copy, INSTRUMENT, 1)
    # All apparitions of a source are in different fields, and inside them with their overlap.
    pairs = set(zip(row.tolist(), found.identity.tolist(), strict=True))
    assert len(pairs) == row.size
    assert found.along_l.min() >= -1e-6
    assert found.along_l.max() < 3600.0 * 0.5 + 36.0
    assert found.along_b.min() >= -1e-6
    assert found.along_b.max() < 3600.0 * 0.4 + 36.0
    corner = np.flatnonzero(copy == 3)
    assert (np.bincount(row)[row[corner]] == 4).all()


def test_sources_of_a_field_share_everything():
    l_deg, b_deg = grid(20)
    found = fields_of(l_deg, b_deg, np.zeros(400, np.int64), INSTRUMENT, 1)
    for name in ("zero_point", "depth", "east", "north", "epoch"):
        values = np.column_stack([found.identity, getattr(found, name)])
        assert len(np.unique(values, axis=0)) == len(np.unique(found.identity))
    assert found.epoch.min() >= 2010.0
    assert found.epoch.max() <= 2015.0
    some = found.take(np.array([5, 7]))
    np.testing.assert_array_equal(some.zero_point, found.zero_point[[5, 7]])


def test_offsets_have_their_widths_and_follow_the_seed():
    l_deg, b_deg = np.arange(4000) * 0.5, np.zeros(4000)
    found = fields_of(l_deg, b_deg, np.zeros(4000, np.int64), INSTRUMENT, 7)
    assert np.unique(found.identity).size == 4000
    np.testing.assert_allclose(found.zero_point.std(axis=0), INSTRUMENT.zero_point_mag, rtol=0.05)
    assert found.depth.std() == pytest.approx(0.1, rel=0.05)
    assert found.east.std() == pytest.approx(10.0, rel=0.05)
    again = fields_of(l_deg, b_deg, np.zeros(4000, np.int64), INSTRUMENT, 7)
    np.testing.assert_array_equal(found.east, again.east)
    other = fields_of(l_deg, b_deg, np.zeros(4000, np.int64), INSTRUMENT, 8)
    assert abs(np.corrcoef(found.east, other.east)[0, 1]) < 0.1
