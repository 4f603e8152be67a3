"""A relation for a synthetic band as a table of TOML: of the package, or a file of one's own."""

from __future__ import annotations

from pydantic import Field

from gcmock.settings.base import Section


class RelationTable(Section):
    """A polynomial in J - H: the keys of ``data/hw_relations.toml``."""

    coefficients: tuple[float, float, float] = Field(
        description="Of J - H, its square and its cube [mag^(1 - power)]"
    )
    scatter_mag: float = Field(ge=0, description="Scatter of stars about the relation [mag]")
    valid_j_minus_h: tuple[float, float] = Field(
        description="Range of J - H in which the relation holds [mag]"
    )
    source: str = Field(description="Publication")
    status: str = Field(description="How far to trust it")
