"""Whether an output has room on its disk, estimated before anything is computed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from gcmock.errors import InputError

BYTES_PER_TRUE_STAR: Final = 220
"""A row of a mock catalogue as compressed Parquet, which is the smallest form."""


def check_space(output: Path, n_rows: float, bytes_per_row: float, advice: str) -> None:
    """Refuse an output that is certain not to fit on the disk.

    Parameters
    ----------
    output : Path
        File or folder that is to be written.
    n_rows, bytes_per_row : float
        The estimate: rows, and bytes that a row takes at least.
    advice : str
        What would take less.

    Raises
    ------
    InputError
        With the estimate, and what is free.
    """
    folder = output.resolve().parent
    if not folder.is_dir():
        return
    needed, free = n_rows * bytes_per_row, shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{output}: would have about {n_rows:,.0f} rows and take at least {needed / 1e9:,.1f} "
            f"GB, but {free / 1e9:,.1f} GB are free: {advice}"
        )
