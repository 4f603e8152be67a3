"""Roles of native columns have units that gcmock uses."""

from __future__ import annotations

import pytest
from astropy import units as u

from gcmock.surveys.roles import OTHER_ROLES, role_unit
from gcmock.surveys.source_table import SOURCE_NAMES


@pytest.mark.parametrize("role", [*SOURCE_NAMES, *OTHER_ROLES])
def test_every_role_has_a_unit_or_is_a_number_or_text(role):
    u.Unit(role_unit(role))


def test_units_of_other_roles_are_those_in_their_meaning():
    assert role_unit("error_major") == "mas"
    assert role_unit("ra") == "deg"
    assert role_unit("duplicate") == ""
    assert not set(OTHER_ROLES) & set(SOURCE_NAMES)
