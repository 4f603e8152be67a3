"""Relations of synthetic bands: documented forms, derivatives and names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.stars.bands import load_relation, load_relations, relation_names, with_synthetic
from gcmock.words.bands import BANDS, HW, LINEAR_BANDS, SYNTHETIC_BANDS, band

# As printed in the sources: coefficients of J, H, (J-H)^2.
LINEAR_FORMS = {
    "yano2021_2mass": (0.7829, 0.2171, -0.0323),
    "yano2021_vvv": (0.7988, 0.2012, -0.0315),
    "yano2021_sirius": (0.7796, 0.2204, -0.0326),
    "kawata2024": (0.9, 0.1, -0.06),
    "genstars": (0.78, 0.22, -0.03),
}
MAGNITUDE = st.floats(5.0, 25.0)


@pytest.mark.parametrize("name", LINEAR_FORMS)
@given(j=MAGNITUDE, h=MAGNITUDE)
def test_relations_are_those_of_their_sources(name: str, j: float, h: float) -> None:
    a, b, c = LINEAR_FORMS[name]
    expected = a * j + b * h + c * (j - h) ** 2
    assert load_relation("hw", name).mag(j, h) == pytest.approx(expected, abs=1e-9)


@given(j=MAGNITUDE, h=MAGNITUDE)
def test_etc2023_is_a_cubic_added_to_j(j: float, h: float) -> None:
    x = j - h
    expected = j + 0.08 * x - 0.15 * x**2 + 0.01 * x**3
    assert load_relation("hw", "etc2023").mag(j, h) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", relation_names("hw"))
def test_derivatives(name: str) -> None:
    relation = load_relation("hw", name)
    j, h, step = np.linspace(10.0, 17.0, 15), np.full(15, 11.0), 1e-5
    d_j, d_h = relation.derivatives(j, h)
    numeric_j = (relation.mag(j + step, h) - relation.mag(j - step, h)) / (2 * step)
    numeric_h = (relation.mag(j, h + step) - relation.mag(j, h - step)) / (2 * step)
    np.testing.assert_allclose(d_j, numeric_j, atol=1e-8)
    np.testing.assert_allclose(d_h, numeric_h, atol=1e-8)


@pytest.mark.parametrize("name", relation_names("hw"))
def test_hw_lies_between_h_and_j_of_giants_and_reddens(name: str) -> None:
    relation = load_relation("hw", name)
    x = np.linspace(0.5, 3.5, 31)
    hw = relation.mag(12.0 + x, 12.0)
    assert np.all((hw > 12.0) & (hw <= 12.0 + x + 0.01))
    assert np.all(relation.derivatives(12.0 + x, 12.0)[0] > 0.0)


def test_valid_range_and_missing_bands() -> None:
    relation = load_relation("hw", "yano2021_2mass")
    valid = relation.is_valid([12.0, 20.0, np.nan], [11.0, 11.0, 11.0])
    np.testing.assert_array_equal(valid, [True, False, False])
    assert np.isnan(relation.mag(np.nan, 11.0))


def test_every_relation_tells_its_source_and_status() -> None:
    assert set(relation_names("hw")) == {*LINEAR_FORMS, "etc2023"}
    for name in relation_names("hw"):
        relation = load_relation("hw", name)
        assert relation.source
        assert relation.status
        assert relation.scatter_mag >= 0.0
    assert "not confirmed" in load_relation("hw", "kawata2024").status


def test_unknown_relation_lists_the_names() -> None:
    with pytest.raises(InputError, match=r"kawata2024.*yano2021_vvv"):
        load_relation("hw", "kawata2023")


def test_every_synthetic_band_has_the_relation_of_its_row_unless_another_is_chosen() -> None:
    default = load_relations()
    assert tuple(default) == SYNTHETIC_BANDS
    for name, relation in default.items():
        assert (relation.band, relation.name) == (name, band(name).relation)
    assert load_relations("kawata2024")["hw"].name == "kawata2024"


def test_synthetic_magnitudes_stand_behind_the_linear_ones() -> None:
    relations = load_relations()
    linear = np.array([[[14.0, 12.5, 11.8], [13.0, np.nan, 11.0]]])
    mag = with_synthetic(linear, relations)
    assert mag.shape == (1, 2, len(BANDS))
    np.testing.assert_array_equal(mag[..., : len(LINEAR_BANDS)], linear)
    assert mag[0, 0, HW] == relations["hw"].mag(14.0, 12.5)
    assert np.isnan(mag[0, 1, HW])


def test_genstars_relation_gives_the_hw_of_its_star_lists(shared_dir: Path) -> None:
    stars = pq.read_table(shared_dir / "reference" / "stars_cellmean.parquet")
    j, h, hw = (stars[f"phot_{band}_mag"].to_numpy() for band in ("j", "h", "hw"))
    found = load_relation("hw", "genstars").mag(j, h)
    np.testing.assert_allclose(found, hw, atol=2e-4)
