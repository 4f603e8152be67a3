"""The verb fetch: a window of a survey from its archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcmock.verbs.given import Location, Progress, check_apart, pair, whole

if TYPE_CHECKING:
    from gcmock.surveys.fetch.download import FetchSummary


def fetch(
    survey: Location,
    l: Any,
    b: Any,
    output: Location,
    *,
    archive: str = "",
    service: str = "",
    tile_rows: int = 250_000,
    overwrite: bool = False,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> FetchSummary:
    """Fetch all rows of a survey in a window of the sky from its archive.

    The window is cut into tiles, each fetched with an asynchronous TAP job. An interrupted run goes
    on where it stopped when it is started again; tiles whose checksum is wrong are fetched again.

    Parameters
    ----------
    survey : str or Path
        2mass (archives irsa, vizier), virac2 (eso), vvv (vizier-dr2, vizier-dr4), gnc (vizier),
        gaia (gaia, vizier), or a TOML file that defines a survey of your own. The catalogue of
        sirius is not public: the error says whom to ask.
    l, b : tuple of 2 floats, or Quantity, shape (2,)
        Ranges of Galactic longitude (negative in the west) and latitude [deg].
    output : str or Path
        Folder for the tiles: Parquet files with the columns of the archive, and
        ``_manifest.jsonl`` with query, rows, date and checksum of each.
    archive : str
        Which archive, if the survey has several; the first by default.
    service : str
        Address of another TAP service with the same table, such as a mirror.
    tile_rows : int
        Most rows of a tile; tiles with more are divided.
    overwrite : bool
        Delete what an earlier run left in the folder; start afresh.
    progress : callable, optional
        Called with the numbers of finished and of known tiles.
    notice : callable, optional
        Called with a sentence when the service is waited for, or asked once more.

    Returns
    -------
    FetchSummary
        What was fetched, and where it is.

    Raises
    ------
    InputError
        If the survey is not public, the window is impossible, the folder holds something else, or
        the table of the archive has other columns than expected.
    GcmockError
        If the service fails for good, or pyvo is missing.
    InterruptedRunError
        After Ctrl-C; finished tiles are kept.
    """
    from gcmock.surveys.fetch.download import fetch as download

    check_apart([output], [], [survey])
    whole(tile_rows, "--tile-rows", 1, 100_000_000)
    return download(
        survey,
        pair(l, "deg", "l"),
        pair(b, "deg", "b"),
        Path(output),
        archive=archive,
        service=service,
        tile_rows=tile_rows,
        overwrite=overwrite,
        progress=progress,
        notice=notice,
    )
