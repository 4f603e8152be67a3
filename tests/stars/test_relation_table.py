"""Relations as tables of TOML."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gcmock.data import read_toml
from gcmock.stars.relation_table import RelationTable


def test_the_relations_of_the_package_are_such_tables():
    for values in read_toml("hw_relations.toml").values():
        assert len(RelationTable.model_validate(values).coefficients) == 3


def test_a_scatter_below_zero_is_refused():
    values = next(iter(read_toml("hw_relations.toml").values()))
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        RelationTable.model_validate(values | {"scatter_mag": -1.0})
