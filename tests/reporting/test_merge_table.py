"""The account of a merge in the terminal."""

from __future__ import annotations

from gcmock.catalogue.cell.reasons import REASONS
from gcmock.catalogue.summary import MergeSummary
from gcmock.reporting.merge_table import print_merge_summary


def lines_of(capsys):
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_everything_that_is_not_zero(capsys):
    reason, other = list(REASONS)[:2]
    print_merge_summary(
        MergeSummary(
            stars={"all": 12345, "with Hw": 0},
            by_magnitude={"j": {"9-10": 3, "10-11": 0}, "ks": {"9-10": 4, "10-11": 0}},
            by_survey={"gaia": 9, "vvv": 1234},
            magnitude_sources={"j": {"vvv": 7, "mixed": 2}, "ks": {"vvv": 8}},
            flags={"BLENDED": 1001, "SATURATED": 0},
            account={
                "gaia": {"read": 10, "linked": 9, reason: 1},
                "vvv": {"read": 1990, "linked": 1234},
                "stars": {"linked": 5},
            },
            real_looking={"2mass: extended": 1200},
            seconds=4.0,
            output="merged",
        )
    )
    lines = lines_of(capsys)
    for line in (
        "all 12,345",
        "flag blended 1,001",
        "magnitude J Ks",
        "9-10 3 4",
        "survey stars gives J gives Ks",
        "vvv 1,234 7 8",
        "gaia 9 0 0",
        # Magnitudes averaged over surveys are of none of them.
        "mixed 2 0",
        "sources gaia vvv",
        "read 10 1,990",
        "in a star 9 1,234",
        f"left out: {reason} 1 0",
        "2mass: extended 1,200",
        "merged: 2,000 sources, 4.0 s, 500 sources/s",
    ):
        assert line in lines
    text = "\n".join(lines)
    assert "saturated" not in text
    assert "10-11" not in text
    assert f"left out: {other}" not in text


def test_mixed_is_left_out_where_nothing_is(capsys):
    print_merge_summary(
        MergeSummary(
            by_magnitude={"j": {}},
            by_survey={"vvv": 1},
            magnitude_sources={"j": {"vvv": 1}},
            account={"vvv": {"read": 1}},
        )
    )
    assert not any(line.startswith("mixed") for line in lines_of(capsys))
