"""A relation for a synthetic band as a table of TOML: of the package, or a file of one's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from gcmock.settings.base import Section

Coefficient = Annotated[float, Field(ge=-10.0, le=10.0)]
Colour = Annotated[float, Field(ge=-20.0, le=50.0)]


class RelationTable(Section):
    """A polynomial in J - H: the keys of ``data/hw_relations.toml``."""

    # Hw lies between H and J: its relation is a weighted mean, with a slight curvature.
    coefficients: tuple[Coefficient, Coefficient, Coefficient] = Field(
        description="Of J - H, its square and its cube [mag^(1 - power)]"
    )
    scatter_mag: float = Field(ge=0, le=1, description="Scatter of stars about the relation [mag]")
    valid_j_minus_h: tuple[Colour, Colour] = Field(
        description="Range of J - H in which the relation holds [mag]"
    )
    source: str = Field(description="Publication")
    status: str = Field(description="How far to trust it")

    @field_validator("valid_j_minus_h")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise ValueError("expected the smaller value first")
        return value
