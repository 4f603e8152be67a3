"""What is learned of the surveys: densities, offsets, rates, and which lone sources are stars."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from survey_sources import survey_table

from gcmock.catalogue.cell.surroundings import (
    N_BESIDE,
    N_DIRECTIONS,
    N_PLACES,
    no_surroundings,
    places,
    surroundings,
)
from gcmock.catalogue.learn.learning import prepared
from gcmock.catalogue.learn.offsets import OffsetMap, Offsets
from gcmock.catalogue.learn.reality import (
    N_KINDS,
    N_PATTERNS,
    kinds,
    learn_reality,
    learn_spikes,
)
from gcmock.catalogue.link.linking import FRACTION_STEPS, magnitude_bin
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.settings.merge import CleaningConfig

pytestmark = pytest.mark.slow

ORDER = names_of(packaged_order())


def test_rates_follow_the_depth(knowledge):
    alone = len(FRACTION_STEPS)
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


def test_sources_lose_the_offsets_of_their_survey(config):
    table = survey_table("2mass", [0.0, 3.0], phot_ks_mag=12.0)
    none = np.empty(0, np.int64)
    offsets = Offsets(
        OffsetMap(none, np.array([[0.0, 0.3]])), OffsetMap(none, np.array([[0.0, 0.0, 0.05]])), {}
    )
    cell = prepared({"2mass": (table, np.array([True, False]))}, {"2mass": offsets}, config)
    sources = cell["2mass"]
    np.testing.assert_array_equal(sources.core, [True, False])
    np.testing.assert_allclose(sources.side.mag[:, 2], 11.95)
    moved = (sources.side.dec - table.column("dec").to_numpy()) * 3600.0
    np.testing.assert_allclose(moved, -0.3, atol=1e-8)
