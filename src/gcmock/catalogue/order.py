"""The surveys of a merge, in the order in which they are linked: a survey's number is its place.

All surveys of the package have a place, whether they are given or not, so that a number means the
same in every merge without surveys of one's own; such a survey takes its place among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gcmock.errors import InputError
from gcmock.settings.merge import MergeConfig
from gcmock.settings.name_or_path import is_path
from gcmock.surveys.definition import SurveyDefinition, load_survey, survey_names
from gcmock.surveys.own_columns import with_own_columns

Order = tuple[SurveyDefinition, ...]

Given = tuple[str, tuple[int, int], tuple[tuple[str, str], ...]]
"""Name of a survey, state of its file, and its ``[survey.columns]``."""

MOST_SURVEYS = 10
"""The column `detections` has three bits for each."""


def linking_order(config: MergeConfig) -> Order:
    """Return the surveys of a merge in the order of linking.

    Parameters
    ----------
    config : MergeConfig
        Its surveys are known names, or paths of definitions; one of the package is replaced by one
        of the same name.

    Returns
    -------
    tuple of SurveyDefinition
        The first is the one that others are linked to.

    Raises
    ------
    InputError
        If a survey is unknown, a definition cannot be read, or there are too many.
    """
    return _linking_order(
        tuple((one.name, _state(one.name), tuple(one.columns.items())) for one in config.survey)
    )


def _state(name: str) -> tuple[int, int]:
    """Return what changes when a file changes; it is read again then."""
    if not is_path(name) or not Path(name).is_file():
        return 0, 0
    status = Path(name).stat()
    return status.st_mtime_ns, status.st_size


@cache
def _linking_order(given: tuple[Given, ...]) -> Order:
    surveys = {name: load_survey(name) for name in survey_names()}
    for name, _, own in given:
        survey = with_own_columns(load_survey(name), dict(own))
        surveys[survey.name] = survey
    if len(surveys) > MOST_SURVEYS:
        raise InputError(
            f"{len(surveys)} surveys, those of the package included: a merge takes up to "
            f"{MOST_SURVEYS}; leave out {len(surveys) - MOST_SURVEYS} of your own"
        )
    columns = [one.id_column for one in surveys.values()]
    repeated = sorted({one for one in columns if columns.count(one) > 1})
    if repeated:
        raise InputError(
            f"[merge] id_column of two surveys is {', '.join(repeated)}; expected one of its own "
            "for each"
        )
    return tuple(sorted(surveys.values(), key=lambda one: (one.merge.order, one.name)))


def packaged_order() -> Order:
    """Return the surveys of the package in the order of linking.

    Returns
    -------
    tuple of SurveyDefinition
        The first is the one that others are linked to.
    """
    return _linking_order(())


def names_of(order: Order) -> tuple[str, ...]:
    """Return the names of surveys."""
    return tuple(one.name for one in order)


def first_number(order: Order, among: Sequence[int], *, infrared: bool) -> int | None:
    """Return the number of the first survey with motions, infrared or optical; None without one.

    Parameters
    ----------
    order : tuple of SurveyDefinition
    among : sequence of int
        Numbers of the surveys that are there.
    infrared : bool
    """
    return next(
        (
            number
            for number, one in enumerate(order)
            if number in among and one.merge.astrometry and one.is_infrared == infrared
        ),
        None,
    )
