"""Windows and fields of missions."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.astrometry.missions.field import field_number_of, in_mission_window
from gcmock.astrometry.missions.mission import load_mission
from gcmock.frames import galactic_to_icrs
from gcmock.settings.mission import MissionWindow

JASMINE = load_mission("jasmine")


def test_a_window_may_cross_the_anticentre():
    window = MissionWindow(l_deg=(179.0, 182.0), b_deg=(-1.0, 1.0))
    l_deg = np.array([178.9, 179.1, 180.0, -178.1, -177.9, 0.0])
    found = in_mission_window(window, *galactic_to_icrs(l_deg, np.zeros(6)))
    assert found.tolist() == [False, True, True, True, False, False]


def test_the_first_of_overlapping_fields_counts():
    window = MissionWindow(fields=((0.0, 0.0), (0.2, 0.0)), field_size_deg=(0.4, 0.4))
    l_deg = np.array([-0.15, 0.1, 0.3, 0.5, 180.0])
    assert field_number_of(window, l_deg, np.zeros(5)).tolist() == [0, 0, 1, -1, -1]
    inside = in_mission_window(window, *galactic_to_icrs(l_deg, np.zeros(5)))
    assert inside.tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0])
def test_the_width_of_a_field_lies_along_its_angle(angle):
    window = MissionWindow(fields=((10.0, 0.0),), field_size_deg=(2.0, 0.5), field_angle_deg=angle)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = np.array([0.9, 1.1, 0.0, 0.0]), np.array([0.0, 0.0, 0.2, 0.3])
    l_deg, b_deg = 10.0 + cos * along - sin * across, sin * along + cos * across
    assert field_number_of(window, l_deg, b_deg).tolist() == [0, -1, 0, -1]


def test_borders_of_the_window_are_inside():
    l_deg = np.array([-1.4, 0.7, -1.4001, 0.7001, 0.0, 0.0, 0.0, 180.0])
    b_deg = np.array([0.6, -0.6, 0.0, 0.0, 0.6001, -0.6001, 0.0, 0.0])
    found = in_mission_window(JASMINE.window, *galactic_to_icrs(l_deg, b_deg))
    assert found.tolist() == [True, True, False, False, False, False, True, False]
    assert in_mission_window(MissionWindow(), *galactic_to_icrs(l_deg, b_deg)).all()


def test_fields_of_roman():
    window = load_mission("roman-gbtds").window
    assert len(window.fields) == 7
    l0, b0 = window.fields[3]
    l_deg, b_deg = np.array([l0, l0 + 0.2, l0 + 0.3, 0.0]), np.array([b0, b0 + 0.39, b0, 0.3])
    found = field_number_of(window, l_deg, b_deg)
    assert found[:2].tolist() == [3, 3]
    assert found[3] == -1
    recommended = load_mission("roman-gbtds-2025").window
    assert field_number_of(recommended, np.zeros(1), np.full(1, -0.125)).tolist() == [5]
