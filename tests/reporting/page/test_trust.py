"""Verdicts, limits and provenance: each follows from a number of the catalogue."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from mock_rows import mock_rows, subject_of

from gcmock.dust.laws import load_law
from gcmock.learned import nothing_learned
from gcmock.reporting.page.content import Listing, Numbers, Picture, Text
from gcmock.reporting.page.trust import (
    MODEL_LIMITS,
    at_a_glance,
    evidence_section,
    extinction_section,
    learned_words,
    provenance_section,
    trust_section,
    truth_section,
    verdicts,
)
from gcmock.reporting.page.truth import TruthComparison
from gcmock.words.flags import Flag

COMPARISON = TruthComparison(
    100,
    np.array([0.05, 0.16, 0.5, 0.84, 0.95]),
    np.array([0.05, 0.95]),
    np.array([0.1, 0.9]),
    np.array([60.0, 40.0]),
    np.array([[10.0, 10, 0, 0], [2, 38, 0, 0], [0, 5, 30, 5], [0, 0, 0, 0]]),
    brier=0.1,
    base_brier=0.24,
    ece=0.01,
)


def kinds(subject, word):
    return [text.kind for text in verdicts(subject) if word in text.text]


def stars(n=100, **columns):
    return mock_rows(["bar"] * n, l=0.001 * np.arange(n), **columns)


def first(n_true, value, other, n=100):
    """Array of n values of which the first few are special."""
    return np.where(np.arange(n) < n_true, value, other)


@pytest.mark.parametrize(("n_flagged", "kind"), [(0, "good"), (1, "bad"), (7, "bad")])
def test_unexplained_stars(n_flagged, kind):
    subject = subject_of(stars(flags=first(n_flagged, int(Flag.UNEXPLAINED), 0)))
    assert kinds(subject, "flag UNEXPLAINED") == [kind]
    assert verdicts(subject)[0].text.startswith(f"{n_flagged:.2f} % of the stars")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"n_bands": first(6, 1, 3)}, "6.0 % of the stars have a single band"),
        ({"n_bands": first(1, 0, 3)}, "1.00 % of the stars have no magnitude"),
        ({"flags": first(6, int(Flag.NO_SUBCELL), 0)}, "For 6.0 % of the stars the extinction map"),
        ({"flags": first(6, int(Flag.ERROR_ASSUMED), 0)}, "valid magnitude error; 0.07 mag"),
    ],
)
def test_warnings_where_there_is_reason(columns, words):
    assert kinds(subject_of(stars(**columns)), words) == ["bad"]
    assert not kinds(subject_of(stars()), words)


@pytest.mark.parametrize("name", ["flags", "n_bands"])
def test_few_of_them_are_no_warning(name):
    value = {"flags": int(Flag.NO_SUBCELL | Flag.ERROR_ASSUMED), "n_bands": 1}[name]
    usual = {"flags": 0, "n_bands": 3}[name]
    subject = subject_of(stars(**{name: first(5, value, usual)}))
    assert len(verdicts(subject)) == 2


@pytest.mark.parametrize(("half_pc", "kind"), [(500.0, "good"), (2100.0, "bad")])
def test_width_of_distances(half_pc, kind):
    subject = subject_of(stars(distance_q16_pc=8000 - half_pc, distance_q84_pc=8000 + half_pc))
    (text,) = [t for t in verdicts(subject) if "68 % interval of the distance is" in t.text]
    assert f"± {half_pc / 1e3:.1f} kpc" in text.text
    assert text.kind == kind


@pytest.mark.parametrize(
    ("coverage_at_84", "ece", "expected"),
    [(0.84, 0.01, ["good", "good"]), (0.88, 0.01, ["bad", "good"]), (0.83, 0.03, ["good", "bad"])],
)
def test_verdicts_against_a_truth(coverage_at_84, ece, expected):
    below = COMPARISON.below.copy()
    below[3] = coverage_at_84
    comparison = dataclasses.replace(COMPARISON, below=below, ece=ece)
    found = verdicts(subject_of(stars(), comparison=comparison))[-2:]
    assert [text.kind for text in found] == expected
    assert f"covers {100 * (coverage_at_84 - 0.16):.1f} % of 100 stars" in found[0].text
    assert f"by {ece:.3f} on average" in found[1].text


def test_limits_are_always_said():
    section = trust_section(subject_of(stars()))
    assert [b.text for b in section.blocks if isinstance(b, Text) and b.kind == "limit"] == [
        *MODEL_LIMITS
    ]
    assert [b.name for b in section.blocks if isinstance(b, Picture)] == [
        "distance_errors",
        "distance_error_map",
    ]
    # 1 kpc is the lower edge of a bin of 12 %.
    assert "median 1.1 kpc" in next(b for b in section.blocks if isinstance(b, Picture)).alt


def test_extinction_names_the_law_and_the_scatter():
    section = extinction_section(subject_of(stars()))
    assert (
        section.blocks[0].caption == "At the distance of the red clump, law a_law. Grey: no stars."
    )
    assert "assume 0.03 mag of E(J − Ks)" in section.blocks[2].text
    assert section.blocks[1].table.caption.startswith("Mean A(Ks) of the stars [mag]")


def test_every_flag_is_counted():
    flags = first(10, int(Flag.HW_USED | Flag.ERROR_ASSUMED), 0)
    section = evidence_section(subject_of(stars(flags=flags, n_bands=first(25, 2, 3))))
    _, table, bands = section.blocks
    rows = {row[0]: row[1:] for row in table.rows}
    assert list(rows) == [flag.name for flag in Flag]
    assert rows["HW_USED"] == ("10", "10.00 %", Flag.HW_USED.description)
    assert rows["UNEXPLAINED"][:2] == ("0", "0.00 %")
    assert bands.rows == [("2", "25", "25.0 %"), ("3", "75", "75.0 %")]


def test_truth_in_tables():
    section = truth_section(COMPARISON, "t.fits")
    picture, coverage, fractions = section.blocks
    assert "100 stars of t.fits" in picture.caption
    assert "Brier score 0.100 (0.240 without any data)" in picture.caption
    assert picture.table.rows == [("0.05", "0.10", "60"), ("0.95", "0.90", "40")]
    assert coverage.rows[1] == ("16 %", "16.0 %")
    rows = {row[0]: row[1:] for row in fractions.rows}
    assert rows["discs"] == ("20.00 %", "12.00 %", "50.0 %", "50.0 %", "0.0 %", "0.0 %")
    assert rows["nuclear stellar disc"][:2] == ("40.00 %", "30.00 %")
    # A group without true stars divides by nothing.
    assert rows["nuclear star cluster"][2:] == ("0.0 %",) * 4


def test_provenance():
    metadata = {
        "input_sha256": "abc",
        "citation": '{"a": 1, "b": "two"}',
        "numbers": "[1, 2]",
        "config": "[run]\nseed = 3",
        "flags": "{}",
    }
    numbers, listing = provenance_section(subject_of(stars(), metadata=metadata)).blocks
    assert isinstance(numbers, Numbers)
    assert numbers.rows == [
        ("input sha256", "abc"), ("citation", "a 1, b two"), ("numbers", "[1, 2]"),
    ]  # fmt: skip
    assert listing == Listing("Settings (TOML)", "[run]\nseed = 3")
    assert len(provenance_section(subject_of(stars())).blocks) == 1


def test_what_was_learned_in_words():
    learned = nothing_learned("subcell", load_law("wang_chen_2019"))
    subject = subject_of(stars())
    subject = dataclasses.replace(subject, model=SimpleNamespace(learned=learned))
    words = dict(provenance_section(subject).blocks[1].rows)
    assert words["reddening"] == "that of the map, with what maps are wrong by"
    assert words["stated errors"] == "j × 1.00, h × 1.00, ks × 1.00"
    assert "blend 3.00 %" in words["measurements"]
    cells = {"cell": np.array([3, 4]), "factor": np.array([0.9, 1.0])}
    learned = dataclasses.replace(learned, **cells, scatter=np.full(2, 0.05), zero_point_mas=-0.04)
    words = dict(learned_words(learned))
    assert words["reddening"] == "0.950 of the map's in 2 cells, scatter 0.050"
    assert words["zero point of parallaxes [mas]"] == "-0.040"


def test_numbers_at_the_top():
    rows = mock_rows(["bar", "nsd", "nsd", "thin1"], flags=[1, 0, 0, 0], l=[359.0, 0.0, 0.1, 0.2])
    glance = dict(at_a_glance(subject_of(rows)))
    assert glance["stars"] == "4"
    assert glance["drawn stars each"] == "1"
    assert glance["window [deg]"].startswith("−1.00 < l < 0.2")
    assert glance["nuclear stellar disc"] == "50.0 %"
    assert glance["discs"] == "25.0 %"
    assert glance["unexplained"] == "25.00 %"
    assert glance["distance known to"] == "± 1.1 kpc"
