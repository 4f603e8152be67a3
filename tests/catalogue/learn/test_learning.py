"""What is learned of the surveys: densities, offsets, rates, and which lone sources are stars."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_sky import LOOKS, make_sky

from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.cell.sources import canonical_order, make_sources, stored_columns
from gcmock.catalogue.cell.surroundings import (
    N_BESIDE,
    N_DIRECTIONS,
    N_PLACES,
    Surroundings,
    find_spikes,
    no_surroundings,
    places,
    surroundings,
)
from gcmock.catalogue.healpix import memberships, pixel_of
from gcmock.catalogue.learn.density import Counter
from gcmock.catalogue.learn.offsets import bright_sources, mean_motion, measure_offsets
from gcmock.catalogue.learn.rates import fit_g_relation
from gcmock.catalogue.learn.reality import (
    N_KINDS,
    N_PATTERNS,
    kinds,
    learn_reality,
    learn_spikes,
    reality_beyond,
)
from gcmock.catalogue.link.linking import SHARE_STEPS, magnitude_bin
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.settings.merge import CleaningConfig
from gcmock.surveys.definition import load_survey

ORDER = names_of(packaged_order())


def test_offsets_that_were_put_in_are_found():
    sky = make_sky(seed=9, size=0.2)
    bright = {}
    for name, table in sky.tables.items():
        table = table.select(list(stored_columns(load_survey(name))))
        bright[name] = bright_sources(
            make_sources(load_survey(name), table, np.ones(table.num_rows, bool))
        )
    motion = mean_motion(bright)
    np.testing.assert_allclose(motion, (-3.0, -5.5), atol=0.3)
    found = measure_offsets(bright, motion)
    for name in ("2mass", "sirius"):
        record = found[name].record
        np.testing.assert_allclose(record["position_offset_mas"], LOOKS[name].offset_mas, atol=12.0)
    # 2MASS magnitudes of crowded stars are a little too bright.
    np.testing.assert_allclose(
        found["sirius"].record["zero_point_mag"], LOOKS["sirius"].zero_point, atol=0.05
    )
    where = found["sirius"].position.at(np.array([266.9]), np.array([-28.5]))
    np.testing.assert_allclose(where[0] * 1000.0, LOOKS["sirius"].offset_mas, atol=25.0)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 900))
def test_counts_do_not_depend_on_chunks(seed, size):
    rng = np.random.default_rng(seed)
    n = 900
    ra, dec = 266.0 + rng.uniform(0, 0.3, n), -29.0 + rng.uniform(0, 0.3, n)
    mag = rng.uniform(10, 18, (n, 3))
    mag[rng.random((n, 3)) < 0.3] = np.nan
    g = np.full(n, np.nan)
    whole, parts = Counter(), Counter()
    whole.add(ra, dec, mag, g)
    for start in range(0, n, size):
        some = slice(start, start + size)
        parts.add(ra[some], dec[some], mag[some], g[some])
    for name, values in whole.state().items():
        np.testing.assert_array_equal(values, parts.state()[name])


def test_densities_are_those_of_the_sky():
    rng = np.random.default_rng(0)
    n = 200_000
    size = 0.5
    ra = 266.0 + rng.uniform(0, size, n) / np.cos(np.radians(28.75))
    dec = -29.0 + rng.uniform(0, size, n)
    mag = np.column_stack([rng.normal(15.0 + k, 0.3, n) for k in (3, 1, 0)])
    counter = Counter()
    counter.add(ra, dec, mag, np.full(n, np.nan))
    density = counter.density()
    at = np.array([266.25]), np.array([-28.75])
    found = density.log_density(*at, np.array([[18.0, 16.0, 15.0]]), np.array([np.nan]))[0]
    per_arcsec2 = n / (size * 3600.0) ** 2
    assert found[0] == pytest.approx(np.log(per_arcsec2), abs=0.15)
    in_bin = 0.5 * 0.952  # of a normal distribution in its two middle bins
    assert found[4] == pytest.approx(np.log(per_arcsec2 * in_bin / 0.5), abs=0.25)
    # Two independent magnitudes: the colour is a normal distribution of 0.3 sqrt(2).
    colour = 1.0 / (0.3 * np.sqrt(2) * np.sqrt(2 * np.pi))
    assert found[6] - found[4] == pytest.approx(np.log(colour), abs=0.25)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(1.0, 40.0))
def test_margins_hold_all_neighbours(seed, margin):
    rng = np.random.default_rng(seed)
    ra, dec = 266.4 + rng.uniform(0, 0.4, 600), -29.0 + rng.uniform(0, 0.4, 600)
    row, pixel, core = memberships(ra, dec, 9, margin)
    own = pixel_of(ra, dec, 9)
    assert sorted(row[core].tolist()) == list(range(600))
    np.testing.assert_array_equal(pixel[core], own[row[core]])
    listed = set(zip(row.tolist(), pixel.tolist(), strict=True))
    assert len(listed) == len(row)
    # A point moved by less than the margin into another pixel lies in the margin of that pixel.
    angle, step = rng.uniform(0, 2 * np.pi, 600), rng.uniform(0, margin, 600) / 3600.0
    moved = pixel_of(
        ra + step * np.cos(angle) / np.cos(np.radians(dec)), dec + step * np.sin(angle), 9
    )
    assert set(zip(range(600), moved.tolist(), strict=True)) <= listed


def test_rates_follow_the_depth(knowledge):
    alone = len(SHARE_STEPS)
    depth = knowledge.rates["2mass"].depth[0, alone, magnitude_bin(np.array([11.5, 13.0, 15.5]))]
    assert depth[0] > 0.85
    assert depth[2] < 0.3
    assert min(depth[:2]) > depth[2]


def test_peaks_of_noise_are_recognised(merged, cell, sky):
    """Most sources left out as single detections are nobody's."""
    number = ORDER.index("virac2")
    sources = merged.surveys[number]
    true = dict(
        zip(
            sky.tables["virac2"].column("source_id").to_pylist(),
            sky.truth["virac2"].tolist(),
            strict=True,
        )
    )
    out = np.flatnonzero((merged.reason == "single_detection") & (merged.stars.primary == number))
    ids = sources.ids.take(pa.array(merged.stars.link[out, number])).to_pylist()
    assert len(ids) >= 5
    assert np.mean([true[one] < 0 for one in ids]) > 0.9


def test_stars_in_the_light_of_others_are_missed_oftener(knowledge):
    depth = knowledge.rates["2mass"].depth[0, :, magnitude_bin(np.array([12.0]))[0]]
    assert 1.0 - depth[1] > 2.0 * (1.0 - depth[-1])


def test_a_kind_without_any_partner_is_not_real(merged):
    missed = np.zeros((len(merged.stars), len(ORDER)))
    spikes = learn_spikes(merged.stars, merged.surveys, merged.around)
    found = learn_reality(merged.stars, merged.surveys, merged.around, spikes, missed)
    assert set(found) == {"virac2", "sirius", "2mass"}
    for number in (ORDER.index(name) for name in found):
        known = found[ORDER[number]]
        assert known.probability.shape == (N_KINDS + N_PATTERNS,)
        assert (known.probability > 0).all()
        assert (known.probability <= 1).all()
        # No survey ever misses a star: of those without a partner none is real, as surely as there
        # are many.
        place = places(merged.around, known.spikes)
        star, kind, _ = kinds(merged.stars, merged.surveys, place, missed, number)
        alone = (merged.stars.link[star] >= 0).sum(axis=1) == 1
        far = np.bincount(kind[alone], minlength=N_KINDS)[: N_KINDS // N_PLACES]
        assert far.max() > 0
        np.testing.assert_allclose(known.probability[: len(far)], 2.0 / (far + 2.0))


def test_faint_stars_that_nobody_else_reaches_are_kept():
    """Stars lose J, then H, towards faint magnitudes: their sets of bands are no sign of noise."""
    # Bits: J, H, Ks. Bright stars have all three bands, faint ones Ks with or without H.
    lone = np.array([0, 50, 50, 50, 4000, 3000, 8000, 500])
    paired = np.array([0, 5, 5, 5, 5, 5, 100, 20_000])
    real = reality_beyond(lone, paired)
    assert (real[[4, 6, 7]] == 1.0).all()
    assert real[5] < 0.1


def test_places_are_around_bright_stars(merged):
    config = CleaningConfig(bright_ks_mag=11.0, bright_radius_arcsec=6.0)
    no_spikes = np.zeros(N_DIRECTIONS, bool)
    around = surroundings(merged.stars, config)
    place = places(around, no_spikes)
    assert 0 < (place > 0).mean() < 0.5
    np.testing.assert_array_equal(place > 0, around.ring > 0)
    everywhere = places(around, ~no_spikes)
    np.testing.assert_array_equal(everywhere, np.where(place > 0, place + N_BESIDE - 1, 0))
    none = surroundings(merged.stars, CleaningConfig(bright_radius_arcsec=0.0))
    assert not places(none, ~no_spikes).any()
    assert not places(no_surroundings(3), ~no_spikes).any()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, N_DIRECTIONS - 1))
def test_spikes_are_where_lone_sources_pile_up(seed, direction):
    """Of 4000 sources around bright stars 400 lie on a spike; pairs do not count."""
    rng = np.random.default_rng(seed)
    where = rng.integers(0, N_DIRECTIONS, 8000)
    where[:400] = direction
    lone = np.arange(8000) < 4000
    # Many pairs in another direction are stars, not a spike.
    where[4000:5000] = (direction + 45) % N_DIRECTIONS
    one = np.ones(8000, np.int64)
    around = Surroundings(one, np.arange(8000), one, rng.uniform(0, 3, 8000), where)
    found = find_spikes(around, lone)
    assert found[direction]
    assert found.sum() <= 3
    assert not find_spikes(around, ~lone)[direction]


def test_equal_positions_are_ordered_by_their_identifier():
    table = pa.table({"source_id": ["b", "a", "c"], "ra": [1.0, 1.0, 1.0], "dec": [2.0, 2.0, 1.0]})
    np.testing.assert_array_equal(canonical_order(table), [2, 1, 0])


def test_relation_of_g_is_found_among_outliers():
    """G - J = 0.4 + 2.2 (J - Ks), with one in ten anywhere."""
    rng = np.random.default_rng(4)
    n = 400
    ks, colour = rng.uniform(11, 14, n), rng.uniform(0.5, 4.0, n)
    g_mag = ks + colour + 0.4 + 2.2 * colour + rng.normal(0, 0.3, n)
    g_mag[:40] = rng.uniform(14, 21, 40)
    where = np.zeros(n)
    common = {"source_id": [str(k) for k in range(n)], "ra": 266.0 + np.arange(n) / 3600.0}
    common |= {"dec": where - 29.0, "ref_epoch": where + 2016.0}
    common |= {"n_epochs": np.ones(n, np.int32), "quality": np.zeros(n, np.int32)}
    infrared = pa.table(common | {"phot_j_mag": ks + colour, "phot_ks_mag": ks})
    every = np.ones(n, bool)
    surveys = {
        0: make_sources(load_survey("virac2"), infrared, every),
        1: make_sources(load_survey("gaia"), pa.table(common | {"phot_g_mag": g_mag}), every),
    }
    stars = no_stars(packaged_order())
    stars.add(0, surveys[0], np.arange(n))
    stars.link[:, 1], stars.probability[:, 1] = np.arange(n), 1.0
    j_mag, _, ks_mag = surveys[0].side.mag.T
    offset, slope, scatter = fit_g_relation(stars, surveys)
    away = g_mag[40:] - j_mag[40:] - offset - slope * (j_mag - ks_mag)[40:]
    assert abs(np.median(away)) < 0.06
    assert slope == pytest.approx(2.2, abs=0.15)
    assert scatter == pytest.approx(0.33, abs=0.08)
    stars.probability[:, 1] = 0.5
    assert fit_g_relation(stars, surveys) is None
