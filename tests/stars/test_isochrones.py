"""The isochrones have the stars they should have, and only living ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gcmock.data import read_toml
from gcmock.errors import InputError
from gcmock.stars.isochrones import IsochroneTable, load_isochrones
from gcmock.words.components import COMPONENTS, POPULATIONS

IMF_SLOPE = 2.3228  # Koshimoto+2021 E+E_X above 0.86 Msun
BIN_MAG = 0.05


@pytest.fixture(scope="module")
def parsec() -> IsochroneTable:
    return load_isochrones("parsec")


@pytest.fixture(scope="module")
def genstars() -> IsochroneTable:
    return load_isochrones("genstars")


def select(table: IsochroneTable, age_gyr: float, metallicity: float) -> IsochroneTable:
    row = (table.age_gyr == age_gyr) & (table.metallicity == metallicity)
    assert row.any()
    return IsochroneTable(*(column[row] for column in table))


def giants(isochrone: IsochroneTable, per_segment: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes and IMF weights of stars spread evenly along every segment."""
    part = (np.arange(per_segment) + 0.5) / per_segment
    mass, mag = isochrone.mass_init, isochrone.absolute_mag
    fine_mass = mass[:-1, None] + np.diff(mass)[:, None] * part
    weight = np.diff(mass)[:, None] * fine_mass**-IMF_SLOPE
    fine_mag = mag[:-1, None, :] + np.diff(mag, axis=0)[:, None, :] * part[:, None]
    fine_mag = fine_mag.reshape(-1, 3)
    bright = (fine_mag[:, 2] > -4.0) & (fine_mag[:, 2] < 0.0)
    return fine_mag[bright], weight.ravel()[bright]


def test_there_are_77_distinct_isochrones(parsec: IsochroneTable) -> None:
    numbers = np.unique(parsec.isochrone)
    pairs = np.unique(np.column_stack([parsec.age_gyr, parsec.metallicity]), axis=0)
    np.testing.assert_array_equal(numbers, np.arange(77))
    assert len(pairs) == 77
    assert np.unique(parsec.age_gyr).size == 19
    assert np.all(np.diff(parsec.isochrone) >= 0)
    assert len(parsec.mass_init) == 27_454


@pytest.mark.parametrize("name", ["parsec", "genstars"])
def test_masses_increase_along_every_isochrone(name: str) -> None:
    table = load_isochrones(name)
    same = np.diff(table.isochrone) == 0
    assert np.all(np.diff(table.mass_init)[same] > 0.0)


@pytest.mark.parametrize("name", ["parsec", "genstars"])
def test_no_dead_stars_and_no_absurd_brown_dwarfs(name: str) -> None:
    table = load_isochrones(name)
    j, _, ks = table.absolute_mag.T
    assert np.all(np.isfinite(table.absolute_mag))
    assert -11.0 < ks.min() < ks.max() < 11.0
    assert table.mass_init.min() >= 0.08
    # Carbon stars at the end of the AGB are red; nothing is bluer than a B star.
    assert (j - ks).min() > -0.3
    assert np.quantile(j - ks, 0.9) < 3.0
    np.testing.assert_array_equal(table.absolute_mag, table.absolute_mag.round(3))


@pytest.mark.parametrize(
    ("age_gyr", "metallicity", "m_ks", "j_ks", "h_ks", "brightest"),
    [
        (10.0, 0.0, -1.52, 0.667, 0.100, -7.45),
        (10.0, -0.5, -1.47, 0.584, 0.076, -6.66),
        (10.0, 0.25, -1.57, 0.710, 0.116, -7.62),
        (9.0, 0.0, -1.57, 0.666, 0.100, -7.51),
        (7.0, 0.0, -1.62, 0.663, 0.099, -7.71),
        (4.0684, 0.0, -1.72, 0.650, 0.096, -8.05),
        (2.0, 0.0, -1.62, 0.609, None, -8.37),
        (1.0, 0.0, -1.27, 0.555, None, -8.76),
        (12.0, -0.8, -1.27, 0.503, 0.067, -6.47),
    ],
)
def test_red_clump(
    parsec: IsochroneTable,
    age_gyr: float,
    metallicity: float,
    m_ks: float,
    j_ks: float,
    h_ks: float | None,
    brightest: float,
) -> None:
    """The most common giant is a red-clump star; colours are means over its bin of M_Ks.

    The bin also holds red-giant branch stars, hence the tolerance of 0.02 mag.
    """
    isochrone = select(parsec, age_gyr, metallicity)
    mag, weight = giants(isochrone)
    edges = np.arange(-4.0, 0.001, BIN_MAG)
    counts, _ = np.histogram(mag[:, 2], edges, weights=weight)
    peak = counts.argmax()
    inside = (mag[:, 2] >= edges[peak]) & (mag[:, 2] < edges[peak + 1])
    colours = np.average(mag[inside] - mag[inside][:, 2:], axis=0, weights=weight[inside])
    assert edges[peak] + 0.5 * BIN_MAG == pytest.approx(m_ks, abs=0.01)
    assert colours[0] == pytest.approx(j_ks, abs=0.02)
    if h_ks is not None:
        assert colours[1] == pytest.approx(h_ks, abs=0.005)
    assert isochrone.absolute_mag[:, 2].min() == pytest.approx(brightest, abs=0.006)


@pytest.mark.parametrize(
    ("mass", "mag"),
    [
        (0.1, (10.72, 10.11, 9.85)),
        (0.3, (7.96, 7.35, 7.11)),
        (0.5, (6.57, 5.94, 5.71)),
        (0.9, (3.69, 3.35, 3.30)),
    ],
)
def test_main_sequence_at_10_gyr(
    parsec: IsochroneTable, mass: float, mag: tuple[float, float, float]
) -> None:
    isochrone = select(parsec, 10.0, 0.0)
    found = [np.interp(mass, isochrone.mass_init, m) for m in isochrone.absolute_mag.T]
    np.testing.assert_allclose(found, mag, atol=0.02)


def test_roman_magnitudes_belong_to_the_same_stars(parsec: IsochroneTable) -> None:
    # F213 is nearly Ks: a shift by one row would show at the thermal pulses.
    difference = parsec.roman_mag[:, 2] - parsec.absolute_mag[:, 2]
    assert np.abs(difference).max() < 0.2
    f146_colour = parsec.roman_mag[:, 1] - parsec.absolute_mag[:, 1]
    assert np.all(np.abs(f146_colour - 0.7 * np.ptp(parsec.absolute_mag[:, :2], axis=1)) < 1.5)


def test_genstars_has_one_isochrone_per_component(genstars: IsochroneTable) -> None:
    np.testing.assert_array_equal(np.unique(genstars.isochrone), np.arange(10))
    assert np.all(np.isnan(genstars.roman_mag))


@pytest.mark.parametrize("name", ["parsec", "koshimoto2021"])
def test_population_nodes_name_isochrones_that_exist(name: str) -> None:
    mixes = read_toml("populations.toml")["sets"][name]
    table = load_isochrones(mixes["isochrones"])
    assert set(mixes["populations"]) == set(POPULATIONS)
    for mix in mixes["populations"].values():
        for number, age, metallicity in zip(
            mix["isochrone"], mix["age_gyr"], mix["metallicity"], strict=True
        ):
            row = np.flatnonzero(table.isochrone == number)
            assert (table.age_gyr[row[0]], table.metallicity[row[0]]) == (age, metallicity)
        assert sum(mix["weight"]) == pytest.approx(1.0, abs=1e-5)


def test_arrays_are_shared_and_read_only(parsec: IsochroneTable) -> None:
    assert load_isochrones("parsec") is parsec
    with pytest.raises(ValueError, match="read-only"):
        parsec.absolute_mag[0] = 0.0


def test_unknown_table_is_an_input_error() -> None:
    with pytest.raises(InputError, match="genstars"):
        load_isochrones("mist")


def test_genstars_magnitudes_are_those_of_its_star_lists(
    genstars: IsochroneTable, shared_dir: Path
) -> None:
    """Dereddened stars lie on the isochrone of their component."""
    stars = pq.read_table(shared_dir / "reference" / "stars_cellmean.parquet")
    component = stars["component"].to_numpy(zero_copy_only=False)
    distance_pc, mass = stars["distance_pc"].to_numpy(), stars["mass_ini"].to_numpy()
    a_ks = stars["a_ks"].to_numpy()
    a_over_a_ks = np.array([1.52287, 0.82843, 0.48091]) / 0.48091
    order = [name for name in COMPONENTS if name != "nsc"]
    for number, name in enumerate(order):
        star, row = component == name, genstars.isochrone == number
        for i, band in enumerate(("j", "h", "ks")):
            apparent = stars[f"phot_{band}_mag"].to_numpy()[star]
            # genstars computes the modulus at D + 0.1 pc.
            absolute = apparent - 5.0 * np.log10((distance_pc[star] + 0.1) / 10.0)
            absolute -= a_over_a_ks[i] * a_ks[star]
            expected = np.interp(mass[star], genstars.mass_init[row], genstars.absolute_mag[row, i])
            # Masses in the list are rounded, which matters at the tip of the AGB.
            assert np.quantile(np.abs(absolute - expected), 0.9) < 0.004
