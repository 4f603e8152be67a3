"""Mock catalogues: true stars behind observed ones, and stars from the model alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.mock.summary import BuildSummary as BuildSummary
    from gcmock.mock.survey import SURVEY_COLUMNS as SURVEY_COLUMNS
    from gcmock.mock.survey import SurveyModel as SurveyModel

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "summary": ["BuildSummary"],
        "survey": ["SURVEY_COLUMNS", "SurveyModel"],
    },
)
