"""The sample as the page reads it: quantised densities, columns as JSON."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest
from mock_rows import mock_rows

from gcmock.reporting.page.payload import compressed, payload, quantised, view_of
from gcmock.reporting.page.sample import QUANTILE_COLUMNS, VIEW_COLUMNS, Posteriors, RowSample
from gcmock.words.bands import BANDS
from gcmock.words.components import GROUPS, PROBABILITIES


def unpack(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


@pytest.fixture(scope="module")
def sample():
    rows = mock_rows(
        ["nsd", "bar", "thin3"],
        p_own=[0.75, 1.0, 0.5],
        l=[359.9, 0.1, 180.0],
        source_id=[5, 6, 7],
        flags=[0, 1, 64],
    )
    found = RowSample(3, tuple(dict.fromkeys((*VIEW_COLUMNS, *PROBABILITIES, *QUANTILE_COLUMNS))))
    found.add(rows)
    return found


def posteriors(n_seen: int) -> Posteriors:
    """Of three stars, the first of which have all magnitudes."""
    mag = np.full((3, len(BANDS)), np.nan)
    mag[:n_seen] = [16.0, 14.5, 13.25, 14.0]
    p = np.ones((3, len(GROUPS), 2))
    return Posteriors(np.array([0.0, 1000.0, 3000.0]), p, mag, 0.02 + 0 * mag, mag[:, 0] > 0)


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


def test_packing_can_be_undone():
    content = bytes(range(256)) * 3
    assert unpack(compressed(content)) == content


def test_columns_of_the_catalogue_alone(sample):
    found = view_of(sample, None)
    row = found["id"].index("5")
    assert found["what"] == "drawn"
    assert found["l"][row] == -0.1
    assert found["l"][found["id"].index("7")] == -180.0
    assert dict(zip(GROUPS, found["p"][row], strict=True)) == {
        "disc": 0.0, "bar": 0.25, "nsd": 0.75, "nsc": 0.0,
    }  # fmt: skip
    # Colour and brightness are H - Ks and Ks: the true ones, 14 - 13 and 13.
    assert (found["colour"][row], found["bright"][row]) == (1.0, 13.0)
    assert found["observed"][row] == [None] * len(BANDS)
    assert found["quantiles"][row] == [6.0, 7.0, 8.0, 9.0, 10.0]
    assert found["components"][found["component"][row]] == "nsd"
    assert found["flag_names"]["1"] == "UNEXPLAINED"
    assert found["edges"] == []


def test_observed_colours_where_most_stars_have_them(sample):
    assert view_of(sample, posteriors(1))["what"] == "drawn"
    found = view_of(sample, posteriors(2))
    assert found["what"] == "observed"
    assert found["colour"] == [1.25, 1.25, None]
    assert found["bright"] == [13.25, 13.25, None]
    assert found["edges"] == [0.0, 1.0, 3.0]


def test_payload_holds_both(sample):
    columns, densities = payload(sample, posteriors(3))
    assert json.loads(unpack(columns)) == view_of(sample, posteriors(3))
    values = np.frombuffer(unpack(densities), np.uint8).reshape(3, len(GROUPS), 2)
    # Half the density in a bin twice as wide: 255 / sqrt(2).
    assert values[0, 0].tolist() == [255, 180]
    assert payload(sample, None)[1] == ""
