"""The section ``[selection]`` of the settings of a run."""

from __future__ import annotations

from pydantic import Field, field_validator

from gcmock.settings.base import Section
from gcmock.words.limits import Limit, parse_limits


class SelectionConfig(Section):
    """What stars had to be to come into the list."""

    limits: tuple[str, ...] = Field(
        default=(),
        max_length=8,
        description="Limits in magnitudes and colours by which the list was cut, in bands that it "
        "may lack; a width behind +- is that of the step, for a survey that becomes incomplete",
        examples=[("j-h > 2.1", "hw < 14.5", "ks < 15 +- 0.3")],
    )
    find: bool = Field(
        default=True, description="Look for a limit that the list itself shows, and use it"
    )

    @field_validator("limits")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_limits(value)
        return value

    @property
    def parsed(self) -> tuple[Limit, ...]:
        """The limits that are given."""
        return parse_limits(self.limits)
