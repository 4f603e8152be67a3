"""The verb report: what a mock catalogue contains and where it can be trusted, on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gcmock.verbs.given import (
    Location,
    Progress,
    Table,
    check_apart,
    on_disk,
    on_disk_if_given,
    whole,
)

if TYPE_CHECKING:
    from gcmock.reporting.page.write import ReportSummary

_MOST_SAMPLE: Final = 100_000
"""Every star takes a kilobyte of the page: a browser shows no more."""


def report(
    mock: Location | Table,
    output: Location,
    *,
    input: Location | Table | None = None,
    truth: Location | Table | None = None,
    figures: Location | None = None,
    sample: int = 2000,
    overwrite: bool = False,
    progress: Callable[[str], Progress | None] | None = None,
) -> ReportSummary:
    """Show what a mock catalogue contains and where it can be trusted, on one HTML page.

    Parameters
    ----------
    mock : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Mock catalogue. Tables in memory are written to temporary Parquet files, and are read from
        there in chunks; settings are those in the metadata (polars has none: the defaults then).
    output : str or Path
        HTML file. It needs no other file and no network.
    input : str, Path or table, optional
        The table from which the catalogue was built: shown side by side, and needed for the
        posteriors of single stars.
    truth : str, Path or table, optional
        Table of the true stars, where they are known (`gcmock.simulate` with ``survey=True`` makes
        one).
    figures : str or Path, optional
        Folder for all figures as PNG and PDF.
    sample : int
        Stars that can be picked one by one in the page; 0 for none.
    overwrite : bool
        Replace an existing page.
    progress : callable, optional
        Called with the name of every stage; returns what to call with the rows done and in total,
        or None.

    Returns
    -------
    ReportSummary
        Files, numbers of rows and stars, seconds.

    Raises
    ------
    InputError
        If a table or the output cannot be used; nothing is written then.
    """
    check_apart([output, figures], [mock, input, truth])
    whole(sample, "--sample", 0, _MOST_SAMPLE)
    from gcmock.reporting.page.write import write_report

    with (
        on_disk(mock, "mock") as mock_path,
        on_disk_if_given(input, "input") as input_path,
        on_disk_if_given(truth, "truth") as truth_path,
    ):
        return write_report(
            mock_path,
            Path(output),
            input=input_path,
            truth=truth_path,
            figures=figures,
            n_sample=sample,
            overwrite=overwrite,
            stage=progress,
        )
