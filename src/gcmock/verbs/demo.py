"""The verb demo: a small survey, its mock catalogue, and the two compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gcmock.verbs.given import Location, Progress
from gcmock.verbs.settings import settings_of

if TYPE_CHECKING:
    from gcmock.reporting.demo import DemoResult


def demo(
    output: Location = "gcmock-demo",
    *,
    seed: int | None = None,
    progress: Progress | None = None,
    **sections: Mapping[str, Any],
) -> DemoResult:
    """Simulate a small survey, build its mock catalogue and compare it with the truth.

    Parameters
    ----------
    output : str or Path
        Folder for the input, the truth, the catalogue and a picture; files of an earlier
        demonstration are replaced.
    seed : int, optional
        Seed of the random numbers.
    progress : callable, optional
        Called with the numbers of finished and of all stars.
    **sections : mapping
        Sections of settings.

    Returns
    -------
    DemoResult
        The files, the account of the run, and how well catalogue and truth agree.

    Raises
    ------
    InputError
        If the folder cannot be made or written to.
    """
    from gcmock.reporting.demo import run_demo

    # Its sky is the map's: nothing is wrong that could be learned, and it is to be quick.
    settings = settings_of(demo, None, sections, {"run.seed": seed, "learn.use": False})
    return run_demo(output, settings, progress=progress)
