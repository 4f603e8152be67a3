"""Counts behind the report, chunk by chunk, and what else is read of a built catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.io.readers.opening import open_table
from gcmock.model import load_model
from gcmock.reporting.demo import read_columns
from gcmock.reporting.page.extent import look
from gcmock.reporting.page.observed import ObservedTally, observed_stars
from gcmock.reporting.page.sample import QUANTILE_COLUMNS, PosteriorsOf, RowSample
from gcmock.reporting.page.tally import RADII, TALLY_COLUMNS, Tally, component_places
from gcmock.reporting.page.truth import compare_sample
from gcmock.settings.build import load_config
from gcmock.validation.recovery import stated_probability
from gcmock.words.components import COMPONENTS, GROUPS, PROBABILITIES


def test_components_by_name():
    names = np.array([*COMPONENTS[::-1], "nsd"])
    np.testing.assert_array_equal(component_places(names), [*range(10, -1, -1), 9])


@pytest.mark.slow
def test_chunks_do_not_matter(report_files):
    source = open_table(report_files.mock)
    extent = look(source)
    whole, parts = Tally(extent), Tally(extent)
    (chunk,) = source.chunks(10**6, TALLY_COLUMNS)
    whole.add(chunk)
    for piece in source.chunks(170, TALLY_COLUMNS):
        parts.add(piece)
    assert parts.n_row == whole.n_row == source.n_rows
    assert parts.n_star == report_files.n_star
    assert parts.flags == whole.flags
    assert parts.bands == whole.bands
    for name in ("p_sum", "drawn", "magnitudes", "diagrams", "distances", "motions", "widths"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)
    for name, values in whole.sky.items():
        np.testing.assert_allclose(parts.sky[name], values, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_tally_counts_the_catalogue(report_files):
    source = open_table(report_files.mock)
    tally = Tally(look(source))
    for chunk in source.chunks(200, TALLY_COLUMNS):
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_posteriors_are_those_of_the_catalogue(report_files):
    source = open_table(report_files.mock)
    sample = RowSample(40, ("source_id", "l", "b", *PROBABILITIES, *QUANTILE_COLUMNS))
    for chunk in source.chunks(1000):
        sample.add(chunk)
    model = load_model(config=load_config())
    posteriors = PosteriorsOf(sample, model, model.config.policy)
    for stars in observed_stars(open_table(report_files.stars), model.config):
        posteriors.add(stars)
    result = posteriors.result
    assert result.known.all()
    for i, group in enumerate(GROUPS):
        expected = stated_probability(sample.rows, group)
        np.testing.assert_allclose(result.probability[:, i].sum(axis=1), expected, atol=2e-3)
    total = np.cumsum(result.probability.sum(axis=1), axis=1)
    for row, name in ((0.16, "distance_q16_pc"), (0.84, "distance_q84_pc")):
        found = [np.interp(row, t, result.edges_pc[1:]) for t in total]
        # The bins of the page are up to 250 pc wide.
        np.testing.assert_allclose(found, sample.rows[name], atol=260.0)


@pytest.mark.slow
def test_comparison_with_itself(report_files):
    """A truth that the posteriors draw themselves is what they say: perfect calibration."""
    sample = RowSample(10**6, ("source_id", *PROBABILITIES, *QUANTILE_COLUMNS))
    source = open_table(report_files.mock)
    for chunk in source.chunks(10**6):
        sample.add(chunk)
    comparison = compare_sample(sample, open_table(report_files.truth))
    assert comparison.n_star == report_files.n_star
    error = np.sqrt(0.68 * 0.32 / report_files.n_star)
    assert abs(comparison.coverage - 0.68) < 4 * error
    assert comparison.confusion.sum() == pytest.approx(report_files.n_star, rel=1e-5)
    assert comparison.brier < comparison.base_brier


@pytest.mark.slow
def test_all_stars_of_a_file(report_files):
    observed = ObservedTally(look(open_table(report_files.mock)))
    for stars in observed_stars(open_table(report_files.stars), load_config()):
        observed.add(stars)
    assert observed.n_star == report_files.n_star
    assert observed.bands["h"] == observed.bands["ks"] == report_files.n_star
    assert observed.sky.sum() == report_files.n_star
