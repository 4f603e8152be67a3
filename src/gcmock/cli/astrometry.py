"""Commands of the closed loop: propagate, observe, export, solve, compare.

`gcmock.cli.app` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from gcmock.cli.options import MissionName, Whole, WholeIfGiven

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
Switch = Annotated[bool, Parameter(negative="")]
Many = Parameter(consume_multiple=True, negative="")


def propagate(
    catalogue: Path,
    /,
    *,
    output: Output,
    epochs: Annotated[list[float] | None, Many] = None,
    times: Path | None = None,
    product: Literal["directions", "sources"] = "directions",
    seen_from: Literal["earth", "barycentre"] = "earth",
    orbit: Path | None = None,
    aberration: Switch = False,
    deflection: Switch = False,
    realisation: WholeIfGiven = None,
    overwrite: Switch = False,
) -> None:
    """Compute where the stars of a catalogue are seen at other epochs.

    Example: gcmock propagate mock.parquet --epochs 2032.0 2034.5 -o directions.parquet

    Parameters
    ----------
    catalogue
        Mock catalogue, or a table of sources as warpfield has them.
    output
        Parquet, FITS, VOTable or ECSV file, by its suffix.
    epochs
        Julian years (TCB).
    times
        Table with a column time, or text file with one Julian year a line, instead of --epochs.
    product
        Apparent directions, a row per star and epoch; or sources: the five parameters at one epoch
        (as they are without --epochs), in the table that warpfield reads.
    seen_from
        Place of the observer.
    orbit
        Table of a satellite's geocentric orbit: time, x_km, y_km, z_km, vx_kms, vy_kms, vz_kms.
    aberration
        Include the aberration by the observer's velocity.
    deflection
        Include the deflection of light by the Sun.
    realisation
        Only this realisation of the catalogue; all of them by default.
    overwrite
        Replace an existing output.
    """
    from gcmock.reporting.terminal import progress
    from gcmock.verbs.propagate import propagate as run

    with progress("propagate", "stars") as update:
        done = run(
            catalogue,
            output,
            epochs=epochs or None,
            times=times,
            product=product,
            seen_from=seen_from,
            orbit=orbit,
            aberration=aberration,
            deflection=deflection,
            realisation=realisation,
            overwrite=overwrite,
            progress=update,
        )
    for name, value in done.defaults.items():
        print(f"note: {catalogue} has no column {name}; taken as {value:g}")
    rate = done.n_rows / done.seconds
    print(
        f"{output}: {done.n_star:,} stars x {done.n_epoch} epochs, {done.seconds:.1f} s, "
        f"{rate:,.0f} star-epochs/s"
    )


def observe(
    mock: Path,
    /,
    *,
    output: Output,
    mission: MissionName = "jasmine",
    config: Path | None = None,
    visits: WholeIfGiven = None,
    seasons: WholeIfGiven = None,
    faint: float | None = None,
    primaries_max: float | None = None,
    set: Annotated[list[str] | None, Many] = None,
    seed: Whole = 1,
    realisation: Whole = 0,
    noise_free: Switch = False,
    aberration: Switch = False,
    deflection: Switch = False,
    overwrite: Switch = False,
) -> None:
    """Observe the stars of a mock catalogue with a mission.

    Example: gcmock observe mock.parquet -o observations --visits 400

    Parameters
    ----------
    mock
        Mock catalogue.
    output
        Folder for the observations, what the mission knows, and the truth.
    mission
        Name of a mission (jasmine), or a file with all settings of one.
    config
        TOML file with settings of the mission that differ (all of them: gcmock info missions).
    visits
        Only so many visits, spread over all of the mission.
    seasons
        Only the first seasons.
    faint
        Faintest star [mag].
    primaries_max
        Faintest primary source [mag].
    set
        Settings of the mission as section.key=value.
    seed
        Seed of pointings, attitude, distortion and noise.
    realisation
        Realisation of the mock catalogue that is the truth.
    noise_free
        Leave noise and outliers out of observations and reference catalogue.
    aberration
        Include the aberration by the observer's velocity in the directions.
    deflection
        Include the deflection of light by the Sun.
    overwrite
        Replace an existing folder of observations.
    """
    from gcmock.reporting.terminal import progress
    from gcmock.verbs.observe import observe as run

    with progress("observe", "visits") as update:
        done = run(
            mock,
            output,
            mission=mission,
            config=config,
            visits=visits,
            seasons=seasons,
            faint=faint,
            primaries_max=primaries_max,
            set=set,
            seed=seed,
            realisation=realisation,
            noise_free=noise_free,
            aberration=aberration,
            deflection=deflection,
            overwrite=overwrite,
            progress=update,
        )
    rate = done.n_observation / done.seconds
    outliers = f", {done.n_outlier:,} outliers" if done.n_outlier else ""
    print(f"visits {done.n_visit:,} in {done.n_block:,} calibration blocks")
    print(f"stars {done.n_source:,}: {done.n_primary:,} primary, {done.n_reference:,} seen by Gaia")
    print(f"observations {done.n_observation:,}{outliers}")
    print(f"{output}: {done.seconds:.1f} s, {rate:,.0f} observations/s")


def export(
    mock: Path,
    /,
    *,
    output: Output,
    mission: MissionName = "jasmine",
    config: Path | None = None,
    set: Annotated[list[str] | None, Many] = None,
    realisation: WholeIfGiven = None,
    overwrite: Switch = False,
) -> None:
    """Write the true catalogue of a mission, with magnitudes in its bands and errors of one epoch.

    Example: gcmock export mock.parquet --mission roman-gbtds -o roman.parquet

    Parameters
    ----------
    mock
        Mock catalogue.
    output
        Parquet, FITS, VOTable or ECSV file, by its suffix.
    mission
        jasmine, roman-gbtds, roman-gbtds-2025, gaianir, or a file with all settings of a mission.
    config
        TOML file with settings of the mission that differ.
    set
        Settings of the mission as section.key=value.
    realisation
        Only this realisation of the catalogue; all of them by default.
    overwrite
        Replace an existing output.
    """
    from gcmock.reporting.terminal import progress
    from gcmock.verbs.export import export as run

    with progress("export", "stars") as update:
        done = run(
            mock,
            output,
            mission=mission,
            config=config,
            set=set,
            realisation=realisation,
            overwrite=overwrite,
            progress=update,
        )
    counts = f"{done.n_rows:,} of {done.n_read:,} stars"
    print(f"{output}: {counts}, {done.n_saturated:,} of them brighter than the bright limit")


def solve(
    observations: Path,
    /,
    *,
    output: Output,
    reference: str = "gaia-like",
    solver: Literal["auto", "direct", "iterative"] = "auto",
    order: Literal["auto", "sources", "instrument"] = "auto",
    robust: Literal["none", "huber", "agis"] = "none",
    primary_limit: float | None = None,
    no_secondaries: Switch = False,
    memory_limit: float | None = None,
    workers: Whole = 2,
    overwrite: Switch = False,
) -> None:
    """Solve observations for stars, attitude and distortion.

    Example: gcmock solve observations -o solution

    Parameters
    ----------
    observations
        Folder that gcmock observe wrote.
    output
        Folder for the stars with covariances, the attitude, the distortion and an account.
    reference
        What is known of some stars: gaia-like (the reference catalogue of the observations), exact
        (the truth of the same stars), none, or a file with the columns of the catalogue.
    solver
        direct factorises a matrix; iterative makes none; auto takes direct where its matrix is
        small.
    order
        Unknowns that the direct solver eliminates first; auto leaves the smaller matrix.
    robust
        Weights that bound the influence of disturbed observations.
    primary_limit
        Faintest Hw of the stars that are solved together with the instrument [mag].
    no_secondaries
        Leave the other stars out.
    memory_limit
        Memory that may be used [GB]; nine tenths of what is free if not given.
    workers
        Threads that read the observations; those of the matrices are a matter of BLAS.
    overwrite
        Replace an existing solution.
    """
    from gcmock.reporting.closed_loop import closed_loop_stages, print_solution
    from gcmock.verbs.solve import solve as run

    with closed_loop_stages() as stage:
        done = run(
            observations,
            output,
            reference=reference,
            solver=solver,
            order=order,
            robust=robust,
            primary_limit=primary_limit,
            no_secondaries=no_secondaries,
            memory_limit=memory_limit,
            workers=workers,
            overwrite=overwrite,
            progress=stage,
        )
    print_solution(done.output, done.account)
    print(_solver_line(done.account))


def _solver_line(account: dict[str, Any]) -> str:
    """Say which solver it was, and how good its covariances are."""
    if account["solver"] == "direct":
        return "solver direct: the matrix of the unknowns that are left was factorised"
    details = account["iterative"]
    accuracy = details["covariance_accuracy"]
    return (
        f"solver iterative: {sum(details['iterations'])} iterations with "
        f"{details['smooth_modes']} smooth modes; variances of {len(accuracy['stars'])} stars "
        f"differ from exact ones by at most {accuracy['largest']:.2%}"
    )


def compare(
    solution: Path,
    mock: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    observations: Path | None = None,
    overwrite: Switch = False,
) -> None:
    """Compare a solution with the mock catalogue that was observed.

    Example: gcmock compare solution mock.parquet -o comparison

    Parameters
    ----------
    solution
        Folder that gcmock solve wrote.
    mock
        Mock catalogue.
    output
        Folder for tables and figures; without it only a summary is printed.
    observations
        Folder that was solved, for the joint chi-square; the one that the solution names if it is
        still there.
    overwrite
        Replace an existing comparison.
    """
    from gcmock.reporting.closed_loop import print_comparison
    from gcmock.verbs.compare import compare as run

    done = run(solution, mock, output, observations=observations, overwrite=overwrite)
    print_comparison(done.account, done.tables)
    if output is not None:
        print(output)


COMMANDS: tuple[Callable[..., None], ...] = (propagate, observe, export, solve, compare)
"""Functions that become commands, in the order of the help."""
