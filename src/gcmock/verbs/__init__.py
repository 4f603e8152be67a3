"""The verbs: what the commands do, as functions that take files or tables in memory.

`gcmock` itself offers them, as ``gcmock.build`` and so on; every module here holds the verb of its
name. They have the names and the options of the commands. Where a command takes a table, a verb
takes a path or a table of astropy, pandas, pyarrow or polars; where it takes a number with a unit,
a verb takes a Quantity as well. The command line only parses, calls them and prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.verbs.import_hats import ImportSummary as ImportSummary
    from gcmock.verbs.info import Words as Words
    from gcmock.verbs.simulate import SimulatedSurvey as SimulatedSurvey
    from gcmock.verbs.simulate import SimulateSummary as SimulateSummary

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "import_hats": ["ImportSummary"],
        "info": ["Words"],
        "simulate": ["SimulateSummary", "SimulatedSurvey"],
    },
)
