"""Figures as files that appear when they are complete."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from gcmock.io.disk import whole_file


def save_figure(figure: Figure, path: Path, *, dpi: int = 110) -> None:
    """Write a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : Path
        Its suffix gives the format.
    dpi : int
        Resolution of formats that have pixels.

    Raises
    ------
    InputError
        If the file cannot be begun.
    GcmockError
        If the disk is full or fails.
    """
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=dpi, format=path.suffix[1:].lower())
