"""Counts behind the report: bins, chunks, samples, posteriors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.io.readers.opening import open_table
from gcmock.model import load_model
from gcmock.reporting.demo import read_columns
from gcmock.reporting.page.bins import Axis, count, merged, occupied, place
from gcmock.reporting.page.extent import look
from gcmock.reporting.page.observed import ObservedTally, observed_stars
from gcmock.reporting.page.payload import quantised
from gcmock.reporting.page.sample import (
    QUANTILES,
    PosteriorsOf,
    RowSample,
    distance_edges,
    rebinned,
)
from gcmock.reporting.page.tally import COLUMNS, PROBABILITIES, RADII, Tally, component_places
from gcmock.reporting.page.truth import compare_with_truth
from gcmock.settings.build import load_config
from gcmock.validation.recovery import group_probability
from gcmock.words.components import COMPONENTS, GROUPS


@given(st.lists(st.floats(-3, 3) | st.just(np.nan), max_size=40), st.integers(1, 7))
def test_counts_are_those_of_numpy(values, n):
    x, y = Axis(-1.5, 0.375, 8), Axis(0.0, 0.5, n)
    data = np.array(values + values[::-1])
    where = place((x, y), (x.place(data), y.place(data[::-1])))
    inside = (data >= -1.5) & (data < 1.5) & (data[::-1] >= 0) & (data[::-1] < 0.5 * n)
    found = count(where, (8, n), np.where(np.isnan(data), 0.0, data))
    expected, _, _ = np.histogram2d(
        data[inside], data[::-1][inside], (x.edges, y.edges), weights=data[inside]
    )
    # numpy closes the last bin on the right, but nothing inside lies there.
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert count(where, (8, n)).sum() == inside.sum()


def test_blocks_keep_the_sum():
    values = np.arange(24.0).reshape(4, 6)
    np.testing.assert_array_equal(merged(values, 2)[0], [0 + 1 + 6 + 7, 2 + 3 + 8 + 9, 30])
    assert Axis(1.0, 0.5, 6).coarser(3) == Axis(1.0, 1.5, 2)


def test_range_that_holds_most():
    assert occupied(np.array([0.0, 0, 5, 1, 0])) == slice(2, 4)
    assert occupied(np.zeros(3)) == slice(0, 3)
    assert occupied(np.array([1.0, 1000, 1000, 1]), 0.01) == slice(1, 3)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 5), min_size=6, max_size=6), st.floats(0.1, 4.9))
def test_rebinning_keeps_probability(p, inner):
    edges = np.array([0.0, 0.5, 1.0, 2.0, 3.5, 4.0, 5.0])
    coarse = np.array([0.0, inner, 5.0])
    found = rebinned(np.array([p]), edges, coarse)
    assert found.sum() == pytest.approx(sum(p))
    below = np.interp(inner, edges, np.concatenate(([0.0], np.cumsum(p))))
    assert found[0, 0] == pytest.approx(below, abs=1e-9)


def test_bins_of_the_page():
    edges = distance_edges(8160.0, 20.0, 16000.0)
    step = np.diff(edges)
    assert edges[0] == 20.0
    assert edges[-1] == 16000.0
    assert (step > 0).all()
    near = np.abs(edges[:-1] - 8160.0) < 300
    np.testing.assert_allclose(step[near], 20.0)
    assert 100 < edges.size < 130


def test_components_by_name():
    names = np.array([*COMPONENTS[::-1], "nsd"])
    np.testing.assert_array_equal(component_places(names), [*range(10, -1, -1), 9])


def test_chunks_do_not_matter(report_files):
    source = open_table(report_files.mock)
    extent = look(source)
    whole, parts = Tally(extent), Tally(extent)
    (chunk,) = source.chunks(10**6, COLUMNS)
    whole.add(chunk)
    for piece in source.chunks(170, COLUMNS):
        parts.add(piece)
    assert parts.n_row == whole.n_row == source.n_rows
    assert parts.n_star == report_files.n_star
    assert parts.flags == whole.flags
    assert parts.bands == whole.bands
    for name in ("p_sum", "drawn", "magnitudes", "diagrams", "distances", "motions", "widths"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)
    for name, values in whole.sky.items():
        np.testing.assert_allclose(parts.sky[name], values, rtol=1e-9, atol=1e-12)


def test_tally_counts_the_catalogue(report_files):
    source = open_table(report_files.mock)
    tally = Tally(look(source))
    for chunk in source.chunks(200, COLUMNS):
        tally.add(chunk)
    table = read_columns(report_files.mock)
    first = table["realisation"] == 0
    assert tally.extent.n_realisation == 2
    assert tally.sky["stars"].sum() == report_files.n_star
    assert tally.p_sum.sum() == pytest.approx(report_files.n_star, rel=1e-5)
    assert tally.sky["p_nsd"].sum() == pytest.approx(table["p_nsd"][first].sum(), rel=1e-6)
    assert tally.drawn[COMPONENTS.index("bar")] == 0.5 * (table["component"] == "bar").sum()
    assert tally.distances.sum() == report_files.n_star
    # Rotation: the mean over all rings is the mean of the stars.
    near = np.hypot(table["x_pc"], table["y_pc"]) < 1e3 * RADII[1].edges[-1]
    v_phi = table["x_pc"] * table["vy"] - table["y_pc"] * table["vx"]
    v_phi /= np.hypot(table["x_pc"], table["y_pc"])
    assert tally.rotation[1][:, 1].sum() == pytest.approx(0.5 * v_phi[near].sum(), rel=1e-9)
    # The evidence relative to similar stars averages to nothing.
    assert abs(tally.sky["evidence"].sum()) < 1e-6 * report_files.n_star


def test_sample_does_not_depend_on_the_order(report_files):
    table = read_columns(report_files.mock)
    names = ("source_id", "p_bar")
    forward, backward = RowSample(50, names), RowSample(50, names)
    forward.add(table)
    for start in range(len(table["l"]), 0, -90):
        part = slice(max(start - 90, 0), start)
        backward.add({name: values[part] for name, values in table.items()})
    assert len(forward) == 50
    np.testing.assert_array_equal(forward.rows["source_id"], backward.rows["source_id"])
    np.testing.assert_array_equal(forward.rows["p_bar"], backward.rows["p_bar"])
    place = forward.place(table["source_id"])
    found = place >= 0
    assert len(np.unique(table["source_id"][found])) == 50
    ids = forward.rows["source_id"]
    np.testing.assert_array_equal(ids[place[found]], table["source_id"][found])


def test_posteriors_are_those_of_the_catalogue(report_files):
    source = open_table(report_files.mock)
    sample = RowSample(40, ("source_id", *PROBABILITIES, *QUANTILES))
    for chunk in source.chunks(1000):
        sample.add(chunk)
    model = load_model(config=load_config())
    posteriors = PosteriorsOf(sample, model)
    observed = ObservedTally(look(source))
    for stars in observed_stars(open_table(report_files.stars), model.config):
        observed.add(stars)
        posteriors.add(stars)
    result = posteriors.result
    assert result.known.all()
    assert observed.n_star == report_files.n_star
    assert observed.bands["h"] == observed.bands["ks"] == report_files.n_star
    for i, group in enumerate(GROUPS):
        expected = group_probability(sample.rows, group)
        np.testing.assert_allclose(result.probability[:, i].sum(axis=1), expected, atol=2e-3)
    total = np.cumsum(result.probability.sum(axis=1), axis=1)
    for row, name in ((0.16, "distance_q16_pc"), (0.84, "distance_q84_pc")):
        found = [np.interp(row, t, result.edges_pc[1:]) for t in total]
        # The bins of the page are up to 250 pc wide.
        np.testing.assert_allclose(found, sample.rows[name], atol=260.0)


def test_densities_survive_the_page():
    rng = np.random.default_rng(3)
    edges = np.array([0.0, 100.0, 120.0, 500.0])
    p = rng.random((5, 4, 3))
    p[2] = 0.0
    found = quantised(p, edges)
    density = p / np.diff(edges)
    largest = density.max(axis=(1, 2), keepdims=True)
    expected = np.divide(density, largest, out=np.zeros_like(density), where=largest > 0)
    np.testing.assert_allclose((found / 255.0) ** 2, expected, atol=0.005)
    assert not found[2].any()


def test_comparison_with_itself(report_files, tmp_path):
    """A truth that the posteriors draw themselves is what they say: perfect calibration."""
    sample = RowSample(10**6, ("source_id", *PROBABILITIES, *QUANTILES))
    source = open_table(report_files.mock)
    for chunk in source.chunks(10**6):
        sample.add(chunk)
    comparison = compare_with_truth(sample, open_table(report_files.truth))
    assert comparison.n_star == report_files.n_star
    error = np.sqrt(0.68 * 0.32 / report_files.n_star)
    assert abs(comparison.coverage - 0.68) < 4 * error
    assert comparison.confusion.sum() == pytest.approx(report_files.n_star, rel=1e-5)
    assert comparison.brier < comparison.base_brier


def test_other_tables_are_refused(report_files):
    with pytest.raises(InputError, match="no mock catalogue"):
        look(open_table(report_files.stars))
    with pytest.raises(InputError, match="no table of true stars"):
        compare_with_truth(RowSample(0, ()), open_table(report_files.stars))
