"""The verb observe: observations of the stars of a mock catalogue by a mission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcmock.verbs.given import (
    Location,
    Progress,
    Table,
    check_apart,
    check_names,
    number_if_given,
    on_disk,
    whole,
)
from gcmock.verbs.settings import mission_of

if TYPE_CHECKING:
    from gcmock.astrometry.missions.mission import Mission
    from gcmock.astrometry.observations.observe import ObserveSummary


def observe(
    mock: Location | Table,
    output: Location,
    *,
    mission: Location | Mission = "jasmine",
    config: Location | Mapping[str, Any] | None = None,
    visits: int | None = None,
    seasons: int | None = None,
    faint: Any = None,
    primaries_max: Any = None,
    set: Mapping[str, Any] | Sequence[str] | None = None,
    seed: int = 1,
    realisation: int = 0,
    noise_free: bool = False,
    aberration: bool = False,
    deflection: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ObserveSummary:
    """Observe the stars of a mock catalogue with a mission.

    Parameters
    ----------
    mock : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Mock catalogue. A table in memory is written to a temporary Parquet file, and is read from
        there in chunks.
    output : str or Path
        Folder for the observations, what the mission knows, and the truth.
    mission : str, Path or Mission
        Name of a mission (jasmine), a file with all settings of one, or a `Mission`.
    config : str, Path or mapping, optional
        TOML file with settings of the mission that differ, or its content (all of them:
        ``gcmock.info("missions")``).
    visits : int, optional
        Only so many visits, spread over all of the mission.
    seasons : int, optional
        Only the first seasons.
    faint : float or Quantity, optional
        Faintest star [mag].
    primaries_max : float or Quantity, optional
        Faintest primary source [mag].
    set : mapping or sequence of str, optional
        Settings of the mission, ``{"schedule.visits": 400}`` or ``["schedule.visits=400"]``.
    seed : int
        Seed of pointings, attitude, distortion and noise.
    realisation : int
        Realisation of the mock catalogue that is the truth.
    noise_free : bool
        Leave noise and outliers out of observations and reference catalogue.
    aberration : bool
        Include the aberration by the observer's velocity in the directions.
    deflection : bool
        Include the deflection of light by the Sun.
    overwrite : bool
        Replace an existing folder of observations.
    progress : callable, optional
        Called with the numbers of finished and of all visits.

    Returns
    -------
    ObserveSummary
        Numbers of visits, stars and observations, and where they are.

    Raises
    ------
    InputError
        If the mission cannot be observed, the catalogue lacks a column or has no star in the
        window, or the output cannot be written.
    """
    from gcmock.astrometry.observations.observe import observe as simulate_visits

    options = {
        "schedule.visits": visits,
        "schedule.seasons": seasons,
        "magnitudes.faint": number_if_given(faint, "mag", "faint"),
        "magnitudes.primaries": number_if_given(primaries_max, "mag", "primaries_max"),
        "directions.aberration": aberration or None,
        "directions.deflection": deflection or None,
    }
    check_names([output], [mock, config, mission])
    whole(seed, "--seed", 0, 2**63 - 1)
    whole(realisation, "--realisation", 0)
    chosen = mission_of(mission, config, set, options)
    check_apart([output], [mock, config], [mission, chosen])
    with on_disk(mock, "mock") as path:
        return simulate_visits(
            path,
            Path(output),
            chosen,
            seed=seed,
            realisation=realisation,
            noise=not noise_free,
            overwrite=overwrite,
            progress=progress,
        )
