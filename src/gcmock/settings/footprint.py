"""The section ``[footprint]`` of the settings of a run."""

from __future__ import annotations

from pydantic import Field, model_validator

from gcmock.settings.base import Degree, Latitude, Longitude, Section


class FootprintConfig(Section):
    """The area that the list of stars covers, for numbers that are compared with the model."""

    cone: tuple[Longitude, Latitude, Degree] | None = Field(
        default=None,
        description="Right ascension, declination and radius of a circle [deg]",
        examples=[(266.4, -29.0, 0.5)],
    )
    polygon: tuple[tuple[Longitude, Latitude], ...] | None = Field(
        default=None,
        min_length=3,
        max_length=10_000,
        description="Right ascension and declination of its vertices [deg]",
        examples=[((266.0, -29.0), (266.5, -29.0), (266.5, -28.5))],
    )
    moc: str = Field(
        default="", description="File of a multi-order coverage map (MOC): FITS, JSON or text"
    )
    from_stars: bool = Field(
        default=False, description="Guess it from the positions of the stars; the guess is printed"
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> FootprintConfig:
        given = [name for name in type(self).model_fields if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given; expected one of them")
        if self.cone is not None and not 0.0 < self.cone[2] <= 90.0:
            raise ValueError(f"cone: radius {self.cone[2]:g}; expected up to 90 deg")
        return self

    @property
    def is_given(self) -> bool:
        """Whether any of them is."""
        return any(getattr(self, name) for name in type(self).model_fields)
