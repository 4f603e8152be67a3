"""Sections that show what a catalogue contains: their words and numbers follow from the counts."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from mock_rows import mock_rows, subject_of

from gcmock.reporting.page.content import Numbers, Picture, Text
from gcmock.reporting.page.sections import (
    EXTRAPOLATED,
    component_section,
    motion_section,
    nuclear_section,
    sky_section,
)
from gcmock.words.components import COMPONENTS


@pytest.fixture(scope="module")
def rows():
    """Forty stars of the bar, sixty of the nuclear disc, with known motions and probabilities."""
    component = ["bar"] * 40 + ["nsd"] * 60
    return mock_rows(
        component,
        p_own=[1.0] * 40 + [0.75] * 60,
        l=0.002 * np.arange(100),
        distance_pc=[7000.0] * 40 + [8100.0] * 60,
        pmra=np.linspace(-6.0, 6.0, 100),
        pmdec=np.linspace(-1.0, 1.0, 100) ** 2,
    )


@pytest.fixture(scope="module")
def subject(rows):
    return subject_of(rows)


def named(section):
    return {block.name: block for block in section.blocks if isinstance(block, Picture)}


def test_observed_stars_stand_beside_those_of_the_catalogue(subject, rows):
    assert list(named(sky_section(subject))) == ["sky_density"]
    seen = SimpleNamespace(n_star=1234, sky=subject.tally.sky["stars"])
    both = subject_of(rows, observed=seen, extra={"input": "stars.fits"})
    pictures = named(sky_section(both))
    assert list(pictures) == ["sky_observed", "sky_density"]
    assert pictures["sky_observed"].caption == "1\u202f234 rows of stars.fits."
    assert pictures["sky_density"].table.caption.startswith("Stars per square arcminute")
    assert pictures["sky_density"].size == both.sky_size


def test_membership_in_words_and_numbers(subject):
    pictures = named(nuclear_section(subject))
    # No cluster, no map of it.
    assert list(pictures) == ["nsd_probability", "membership"]
    membership = pictures["membership"]
    assert "40.0 % of the stars below 0.1, 0.0 % above 0.9" in membership.alt
    stars = [row[1] for row in membership.table.rows]
    assert stars == ["40", "0", "0", "0", "0", "0", "0", "60", "0", "0"]
    assert membership.table.rows[7][0] == "0.7 to 0.8"


def test_cluster_has_a_map_where_it_counts():
    rows = mock_rows(["bar"] * 50 + ["nsc"])
    assert "nsc_probability" in named(nuclear_section(subject_of(rows)))


def test_components_in_numbers(subject):
    section = component_section(subject)
    table = next(block for block in section.blocks if isinstance(block, Numbers))
    rows = {row[0]: row[1:] for row in table.rows}
    assert list(rows) == list(COMPONENTS)
    # 60 stars with p = 0.75: 45 +- sqrt(60 * 0.75 * 0.25).
    assert rows["nsd"][:4] == ("45.0", "3.4", "45.00 %", "60")
    assert rows["bar"][:4] == ("55.0", "3.4", "55.00 %", "40")
    assert rows["thin1"] == ("0.0", "0.0", "0.00 %", "0", "–")
    assert rows["bar"][4].startswith("7.0")
    fractions, distances = named(section)["fractions"], named(section)["distances"]
    assert "bar 55.0 %" in fractions.alt
    assert fractions.alt.endswith("The largest is: bar.")
    assert "nuclear stellar disc median 8.1 kpc" in distances.alt
    assert Text(EXTRAPOLATED, "limit") in section.blocks


def test_motions_in_numbers(rows):
    rng = np.random.default_rng(1)
    moving = rows | {"pmra": rng.normal(-3.0, 2.0, 100), "pmdec": rng.normal(-5.0, 1.0, 100)}
    subject = subject_of(moving)
    section = motion_section(subject)
    table = next(block for block in section.blocks if isinstance(block, Numbers))
    assert [row[0] for row in table.rows] == ["bar", "nuclear stellar disc"]
    values = [float(v.replace("−", "-")) for v in table.rows[1][1:]]
    n, x, y, xx, xy, yy = subject.tally.motion_sums[2]
    assert n == 60
    mean = np.array([x, y]) / n
    sigma = np.sqrt([xx / n - mean[0] ** 2, yy / n - mean[1] ** 2])
    correlation = (xy / n - mean[0] * mean[1]) / sigma.prod()
    np.testing.assert_allclose(values, [*mean, *sigma, correlation], atol=0.0051)
    words = named(section)["proper_motions"].alt
    assert f"nuclear stellar disc {table.rows[1][3]} and {table.rows[1][4]} mas/yr" in words


def test_rotation_by_radius(subject):
    tables = [p.table for p in named(motion_section(subject)).values() if p.table is not None]
    near, far = tables
    # All stars lie at R = 0.1 kpc and go round with 80 km/s.
    assert near.head[0] == "radius [pc]"
    assert near.rows == [("110", "–", "80", "80", "–")]
    assert far.head[0] == "radius [kpc]"
    assert far.rows == [("0.125", "–", "80", "80", "–")]


def test_every_picture_draws_its_own_plot(subject):
    drawn = {}
    for section in (nuclear_section(subject), component_section(subject)):
        for name, picture in named(section).items():
            axis = Figure().add_subplot()
            picture.draw(axis)
            drawn[name] = axis.get_xlabel()
    assert drawn == {
        "nsd_probability": "Galactic longitude l [deg]",
        "membership": "P(nuclear disc or cluster)",
        "fractions": "fraction of the stars",
        "distances": "distance [kpc]",
    }
