"""Extinction laws: the published ratios and the quadrants."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.dust.laws import QUADRANTS, law_names, load_law
from gcmock.errors import InputError

J_UM, H_UM, KS_UM = 1.240, 1.664, 2.164
VVV_J_UM, VVV_H_UM, VVV_KS_UM = 1.254, 1.646, 2.149


def from_ratios(ks_per_jks: float, ks_per_hks: float) -> np.ndarray:
    """A_J, A_H, A_Ks per E(J-Ks) from A_Ks/E(J-Ks) and A_Ks/E(H-Ks)."""
    return np.array([ks_per_jks + 1.0, ks_per_jks * (1.0 + 1.0 / ks_per_hks), ks_per_jks])


def test_names() -> None:
    assert set(law_names()) == {
        "wang_chen_2019",
        "nishiyama_2006",
        "nishiyama_2009",
        "nishiyama_2009_quadrants",
        "alonso_garcia_2017",
        "nogueras_lara_2020",
    }


@pytest.mark.parametrize("name", law_names())
def test_extinction_falls_with_wavelength(name: str) -> None:
    law = load_law(name)
    assert law.source
    assert np.all(np.diff(law.rows, axis=1) < 0.0)
    # The map's excess is in VVV bands, ours are wider apart: 1 to 5 % more reddening.
    assert np.all((law.rows[:, 0] - law.rows[:, 2]).round(4) >= 1.0)
    assert np.all(law.rows[:, 0] - law.rows[:, 2] < 1.05)


def test_wang_chen_is_a_power_law_over_the_vvv_excess() -> None:
    power = np.array([J_UM, H_UM, KS_UM]) ** -2.07
    excess = VVV_J_UM**-2.07 - VVV_KS_UM**-2.07
    np.testing.assert_allclose(load_law("wang_chen_2019").rows[0], power / excess, atol=6e-6)


def test_nishiyama_2009_quadrants() -> None:
    law = load_law("nishiyama_2009_quadrants")
    ratios = [(0.497, 1.64), (0.494, 1.48), (0.534, 1.54), (0.587, 1.63), (0.528, 1.61)]
    expected = np.array([from_ratios(*pair) for pair in ratios]) / 0.970
    np.testing.assert_allclose(law.rows, expected, atol=6e-6)
    np.testing.assert_array_equal(load_law("nishiyama_2009").rows[0], law.rows[-1])
    np.testing.assert_allclose(law.rows[:, 0] - law.rows[:, 2], 1.031, atol=1e-3)


def test_nishiyama_2006() -> None:
    row = load_law("nishiyama_2006").rows[0]
    np.testing.assert_allclose(row / row[0], [1.0, 0.573, 0.331], atol=1e-5)
    assert row[2] == pytest.approx(0.494, abs=0.001)


def test_alonso_garcia_2017() -> None:
    native = from_ratios(0.428, 1.10)
    ratio = np.array([J_UM / VVV_J_UM, H_UM / VVV_H_UM, KS_UM / VVV_KS_UM])
    expected = native * ratio**-2.47
    np.testing.assert_allclose(load_law("alonso_garcia_2017").rows[0], expected, atol=6e-6)


def test_nogueras_lara_2020() -> None:
    a_j, a_h, a_ks = load_law("nogueras_lara_2020").rows[0]
    assert a_j / a_h == pytest.approx(1.87, abs=1e-4)
    assert a_h / a_ks == pytest.approx(1.84, abs=1e-4)
    assert a_j - a_ks == pytest.approx(1.0, abs=1e-4)


def test_rows_by_quadrant() -> None:
    law = load_law("nishiyama_2009_quadrants")
    l_deg = np.array([0.5, 359.5, 0.5, -0.5, 0.0, 1.0, 360.0])
    b_deg = np.array([0.5, 0.5, -0.5, -0.5, 0.3, 0.0, -0.2])
    np.testing.assert_array_equal(law.row(l_deg, b_deg), [0, 1, 2, 3, 4, 4, 4])
    assert law.kappa(l_deg, b_deg).shape == (7, 3)
    np.testing.assert_array_equal(law.kappa(l_deg, b_deg)[1], law.rows[1])
    assert len(law.rows) == len(QUADRANTS)


def test_one_row_holds_everywhere() -> None:
    law = load_law("wang_chen_2019")
    np.testing.assert_array_equal(law.row([0.5, -0.5], [[0.1], [-0.1]]), np.zeros((2, 2)))
    assert law.kappa(0.0, 0.0).shape == (3,)


def test_rows_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_law("wang_chen_2019").rows[0, 0] = 0.0


def test_unknown_law_lists_the_names() -> None:
    with pytest.raises(InputError, match=r"nishiyama_2006.*wang_chen_2019"):
        load_law("cardelli_1989")
