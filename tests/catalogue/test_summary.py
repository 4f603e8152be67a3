"""The account of a merge."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.catalogue.cell.reasons import REAL_LOOKING
from gcmock.catalogue.learn.offsets import OffsetMap, Offsets
from gcmock.catalogue.order import linking_order, names_of
from gcmock.catalogue.summary import MergeSummary, summarise
from gcmock.settings.merge import MergeConfig, SurveyInput
from gcmock.words.bands import SURVEY_BANDS, SYNTHETIC_BANDS
from gcmock.words.flags import MatchFlag

CONFIG = MergeConfig(
    survey=tuple(SurveyInput(name=name, path=name) for name in ("virac2", "2mass", "gaia"))
)
ORDER = names_of(linking_order(CONFIG))


def chunk_of(ks, hw, astrometry, parallax, flags, bits):
    n = len(ks)
    chunk = {"ra": np.full(n, 266.4), "parallax": np.array(parallax)}
    for band in (*SURVEY_BANDS, *SYNTHETIC_BANDS):
        chunk[f"phot_{band}_mag"] = np.full(n, np.nan)
        chunk[f"phot_{band}_mag_source"] = np.full(n, "", "U8")
    chunk |= {"phot_ks_mag": np.array(ks), "phot_hw_mag": np.array(hw)}
    chunk["phot_ks_mag_source"] = np.where(np.isfinite(ks), "virac2", "")
    chunk |= {"parallax_error": np.full(n, 0.1), "astrometry_source": np.array(astrometry)}
    chunk |= {"match_flags": np.array(flags, np.int32), "detections": np.array(bits, np.int32)}
    return chunk


@pytest.fixture(scope="module")
def summary():
    virac2, tmass = (1 << (3 * ORDER.index(name) + 2) for name in ("virac2", "2mass"))
    alone = int(MatchFlag.SINGLE_SURVEY)
    none = np.empty(0, np.int64)
    offsets = Offsets(
        OffsetMap(none, np.zeros((1, 2))), OffsetMap(none, np.zeros((1, 3))), {"a": 1}
    )
    first = chunk_of(
        [12.0, 12.9, np.nan], [13.0, 14.5, np.nan], ["gaia", "virac2", ""], [0.31, 0.2, np.nan],
        [0, alone, alone], [virac2 | tmass, virac2, tmass],
    )  # fmt: skip
    second = chunk_of([5.9], [13.0], ["virac2"], [0.29], [alone | 1], [virac2])
    account = {"2mass": {"read": 7, "linked": 2}, "stars": {"linked": 4}, "virac2": {"read": 3}}
    account[REAL_LOOKING] = {"2mass: ghost": 2}
    return summarise([first, second], account, CONFIG, {"2mass": offsets})


def test_stars_are_counted_by_what_is_known_of_them(summary):
    expected = {"stars": 4, "with Ks": 3, "with J, H and Ks": 0, "Hw < 14.5": 2}
    expected |= {"with Gaia astrometry": 1, "with VIRAC2 motions": 2, "parallax / error >= 3": 1}
    expected |= {"Hw < 14.5 with Gaia astrometry": 1, "Hw < 14.5 with VIRAC2 motions": 1}
    expected |= {"Hw < 14.5 with parallax / error >= 3": 1}
    assert expected.items() <= summary.stars.items()
    assert next(iter(summary.stars)) == "stars"


def test_stars_are_counted_by_survey_band_and_flag(summary):
    assert summary.by_survey == {"virac2": 3, "gaia": 0, "2mass": 2}
    assert summary.magnitude_sources["ks"] == {"virac2": 3}
    assert summary.magnitude_sources["j"] == {}
    # Magnitudes beyond the bins are in none of them.
    filled = {name: n for name, n in summary.by_magnitude["ks"].items() if n}
    assert filled == {"12-13": 2}
    flags = {name: n for name, n in summary.flags.items() if n}
    assert flags == {"AMBIGUOUS": 1, "SINGLE_SURVEY": 3}
    assert summary.n_read == 10
    assert summary.offsets == {"2mass": {"a": 1}}
    assert summary.real_looking == {"2mass: ghost": 2}
    assert set(summary.account) == {"2mass", "virac2", "stars"}


def test_a_summary_comes_back_without_time_and_place(summary):
    again = MergeSummary.from_json(summary.to_json())
    assert again == summary
    later = MergeSummary.from_json(summary.to_json())
    later.seconds, later.output = 3.0, "there"
    assert later.to_json() == summary.to_json()
    assert ("output", "there") in later.listing()
