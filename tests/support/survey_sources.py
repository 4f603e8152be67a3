"""A few sources of a survey at chosen places, for tests of what the merge does with them."""

from __future__ import annotations

import numpy as np
from small_sky import table_of, to_sky

from gcmock.catalogue.cell.sources import make_sources, stored_columns
from gcmock.surveys.definition import load_survey


def survey_table(survey, x, y=10.0, **columns):
    """Rows in the columns that a merge needs, `x` and `y` arcsec from the corner of the sky."""
    x = np.atleast_1d(np.asarray(x, dtype=float))
    ra, dec = to_sky(x, np.broadcast_to(np.asarray(y, dtype=float), x.shape))
    common = {"source_id": [f"{survey}-{k}" for k in range(len(x))], "ra": ra, "dec": dec}
    common |= {"ref_epoch": 2014.0, "n_epochs": 2, "ra_error": 5.0, "dec_error": 5.0}
    return table_of(common | columns, len(x)).select(list(stored_columns(load_survey(survey))))


def survey_sources(survey, x, y=10.0, **columns):
    """Sources of a survey, all of them in the cell; on one line they keep the order of `x`."""
    table = survey_table(survey, x, y, **columns)
    return make_sources(load_survey(survey), table, np.ones(table.num_rows, bool))
