"""The real surveys: what their tables look like, how to read them and how to fetch them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.surveys.definition import SurveyDefinition as SurveyDefinition
    from gcmock.surveys.definition import load_survey as load_survey
    from gcmock.surveys.definition import survey_names as survey_names
    from gcmock.surveys.fetch.download import FetchSummary as FetchSummary
    from gcmock.surveys.read.open_survey import SurveySource as SurveySource
    from gcmock.surveys.read.open_survey import open_survey as open_survey
    from gcmock.surveys.simulated.simulate import SimulatedSkySummary as SimulatedSkySummary
    from gcmock.surveys.source_table import SOURCE_COLUMNS as SOURCE_COLUMNS
    from gcmock.surveys.source_table import Quality as Quality

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "definition": ["SurveyDefinition", "load_survey", "survey_names"],
        "fetch.download": ["FetchSummary"],
        "read.open_survey": ["SurveySource", "open_survey"],
        "simulated.simulate": ["SimulatedSkySummary"],
        "source_table": ["Quality", "SOURCE_COLUMNS"],
    },
)
