"""The section of colours and magnitudes, with and without the input."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from mock_rows import Rows, mock_rows, subject_of

from gcmock.reporting.page.colours import colour_section
from gcmock.reporting.page.content import Numbers, Picture, Text
from gcmock.reporting.page.observed import ObservedTally, observed_stars
from gcmock.settings.build import load_config


@pytest.fixture(scope="module")
def rows():
    """Ten stars of the bar and five of the nuclear disc; those of the disc are fainter in Hw."""
    return mock_rows(
        ["bar"] * 10 + ["nsd"] * 5,
        phot_hw_mag=[11.05] * 10 + [13.05] * 5,
        phot_h_mag=14.02,
        phot_ks_mag=13.05,
        phot_j_mag=16.0,
    )


def observed(subject, **magnitudes):
    table = {"l": np.zeros(3), "b": np.zeros(3)}
    table |= {f"phot_{name}_mag": np.full(3, mag) for name, mag in magnitudes.items()}
    tally = ObservedTally(subject.tally.extent)
    for stars in observed_stars(Rows(table), load_config()):
        tally.add(stars)
    return tally


def parts(section):
    pictures = {b.name: b for b in section.blocks if isinstance(b, Picture)}
    tables = [b for b in section.blocks if isinstance(b, Numbers)]
    return pictures, tables, [b.text for b in section.blocks if isinstance(b, Text)]


def test_catalogue_alone(rows):
    pictures, (table,), texts = parts(colour_section(subject_of(rows)))
    assert list(pictures) == [
        "cmd_hks_mock", "cmd_jks_mock", "colours_mock", "cmd_hks_nuclear", "counts_hw", "counts_ks",
    ]  # fmt: skip
    assert not texts
    # All stars have H - Ks = 0.97 and Ks = 13.05.
    alt = pictures["cmd_hks_mock"].alt
    assert alt.startswith(
        "Ks against H minus Ks of 15 drawn stars: 90 % have colours from 1.0 to 1"
    )
    assert alt.endswith("and Ks from 13.0 to 13.1 mag.")
    assert [row[0] for row in table.rows] == ["10.5", "11.5", "12.5", "13.5", "14.5"]
    by_limit = {row[0]: row[1:] for row in table.rows}
    assert by_limit["10.5"] == ("0", "0 (–)", "–")
    assert by_limit["11.5"] == ("10", "0 (0.0 %)", "–")
    assert by_limit["13.5"] == ("15", "5 (33.3 %)", "–")


def test_counts_per_magnitude(rows):
    pictures, _, _ = parts(colour_section(subject_of(rows)))
    counts = pictures["counts_hw"]
    assert counts.alt.endswith("most stars at 11.0 mag.")
    assert counts.table.rows == [
        ("11 to 12", "0", "10", "0", "0"),
        ("13 to 14", "0", "0", "5", "0"),
    ]
    assert counts.caption == "Drawn magnitudes by drawn component."


@pytest.mark.slow
def test_input_stands_beside_its_stars_on_the_same_scale(rows):
    seen = observed(subject_of(rows), j=15.0, h=12.52, ks=11.05, hw=13.05)
    subject = subject_of(rows, observed=seen)
    pictures, (table,), texts = parts(colour_section(subject))
    assert {"cmd_hks_observed", "cmd_jks_observed", "colours_observed"} <= set(pictures)
    assert not texts
    assert pictures["cmd_hks_observed"].caption.startswith("3 stars with both magnitudes")
    assert {row[0]: row[3] for row in table.rows}["13.5"] == "3"
    assert pictures["counts_hw"].caption.endswith("dots: the input.")
    shown = []
    for name in ("cmd_hks_observed", "cmd_hks_mock"):
        axis = Figure().add_subplot()
        pictures[name].draw(axis)
        (mesh,) = axis.collections
        total = np.nansum(mesh.get_array())
        shown.append((axis.get_xlim(), axis.get_ylim(), mesh.norm.vmax, total))
    assert shown[0][:3] == shown[1][:3]
    assert [stars for *_, stars in shown] == [3.0, 15.0]
    # Faint stars below, and both colours and magnitudes in the window.
    (low, high), (faint, bright), *_ = shown[0]
    assert low < 0.97 < 1.47 < high
    assert faint > 13.05 > 11.05 > bright


def test_input_without_colours(rows):
    seen = observed(subject_of(rows), hw=13.05)
    pictures, _, texts = parts(colour_section(subject_of(rows, observed=seen)))
    assert texts == ["The input has no colours (Hw alone): only the drawn stars are shown."]
    assert not any(name.endswith("_observed") for name in pictures)
