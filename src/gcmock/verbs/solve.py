"""The verb solve: observations to stars, attitude and distortion."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gcmock.errors import InputError
from gcmock.verbs.given import (
    Location,
    Progress,
    Table,
    check_apart,
    is_path,
    number_if_given,
    on_disk,
    whole,
)

if TYPE_CHECKING:
    from gcmock.astrometry.solver.solve import SolveSummary


def solve(
    observations: Location,
    output: Location,
    *,
    reference: Location | Table = "gaia-like",
    solver: Literal["auto", "direct", "iterative"] = "auto",
    order: Literal["auto", "sources", "instrument"] = "auto",
    robust: Literal["none", "huber", "agis"] = "none",
    primary_limit: Any = None,
    no_secondaries: bool = False,
    memory_limit: Any = None,
    workers: int = 2,
    overwrite: bool = False,
    progress: Callable[[str], Progress | None] | None = None,
) -> SolveSummary:
    """Solve observations for stars, attitude and distortion.

    Parameters
    ----------
    observations : str or Path
        Folder that `gcmock.observe` wrote.
    output : str or Path
        Folder for the stars with covariances, the attitude, the distortion and an account.
    reference : str, Path or table
        What is known of some stars: gaia-like (the reference catalogue of the observations), exact
        (the truth of the same stars), none, or a table with the columns of the catalogue.
    solver : {"auto", "direct", "iterative"}
        With the matrix of the unknowns that are left after an elimination, or by conjugate
        gradients without one; auto takes the first where its matrix is small.
    order : {"auto", "sources", "instrument"}
        Unknowns that the direct solver eliminates first; auto leaves the smaller matrix.
    robust : {"none", "huber", "agis"}
        Weights that bound the influence of disturbed observations.
    primary_limit : float or Quantity, optional
        Faintest Hw of the stars that are solved together with the instrument [mag].
    no_secondaries : bool
        Leave the other stars out.
    memory_limit : float or Quantity, optional
        Memory that may be used [GB]; nine tenths of what is free if not given.
    workers : int
        Threads that read the observations; those of the matrices are a matter of BLAS.
    overwrite : bool
        Replace an existing solution.
    progress : callable, optional
        Called with the name of every stage; returns what to call with the numbers done and in
        total, or None.

    Returns
    -------
    SolveSummary
        Where the solution is, and its account.

    Raises
    ------
    InputError
        If the input cannot be used, the output exists, or memory does not suffice.
    GcmockError
        If the iteration does not converge.
    """
    from gcmock.astrometry.solver.singular import invertible
    from gcmock.astrometry.solver.solve import solve as run

    check_apart([output], [observations, reference])
    whole(workers, "--workers", 1, 1024)
    memory = number_if_given(memory_limit, "Gbyte", "memory_limit")
    if memory is not None and memory <= 0.0:
        raise InputError(f"--memory-limit {memory:g}: expected more than 0 GB")
    from gcmock.io.disk import check_new_folder

    check_new_folder(Path(output), overwrite=overwrite)
    with ExitStack() as stack, invertible(observations):
        if not is_path(reference):
            reference = stack.enter_context(on_disk(reference, "reference"))
        return run(
            Path(observations),
            Path(output),
            reference=str(reference),
            solver=solver,
            order=order,
            robust=robust,
            primary_limit=number_if_given(primary_limit, "mag", "primary_limit"),
            secondaries=not no_secondaries,
            memory_limit_gb=memory,
            workers=workers,
            overwrite=overwrite,
            stage=progress or (lambda _: None),
        )
