"""fetch: options, and what cannot be fetched."""

from __future__ import annotations

import astropy.units as u
import pytest

import gcmock
from gcmock.errors import InputError
from gcmock.surveys.fetch.download import FetchSummary

WINDOW = {"l": (0.0, 0.1), "b": (0.0, 0.1)}


@pytest.mark.parametrize(
    ("survey", "options", "words"),
    [
        ("ukidss", {}, "ukidss"),
        ("sirius", {}, "not public|ask"),
        ("2mass", {"archive": "eso"}, "eso"),
        ("2mass", {"tile_rows": 0}, "--tile-rows = 0: expected a whole number from 1"),
        ("2mass", {"l": 1}, "l = 1: expected two numbers in deg"),
        ("2mass", {"l": [0, 1] * u.pc}, "l = .*: expected two numbers in deg"),
    ],
)
def test_errors(survey, options, words, tmp_path):
    with pytest.raises(InputError, match=words):
        gcmock.fetch(survey, output=tmp_path / "tiles", **{**WINDOW, **options})


def test_the_options_reach_the_archive(monkeypatch, tmp_path, shown):
    def download(survey, l, b, output, **options):
        assert (l, b) == ((0.0, 0.1), pytest.approx((0.0, 0.1)))
        assert options["archive"] == "irsa"
        return FetchSummary(survey, "irsa", "https://irsa", output, n_rows=1234)

    monkeypatch.setattr("gcmock.surveys.fetch.download.fetch", download)
    done = gcmock.fetch("2mass", l=(0, 0.1), b=[0, 6] * u.arcmin, output=tmp_path, archive="irsa")
    shown(done, tmp_path, "1,234")
