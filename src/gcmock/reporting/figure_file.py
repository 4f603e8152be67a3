"""Figures as files that appear when they are complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from gcmock.io.disk import whole_file
from gcmock.io.provenance import creator


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
        kind = path.suffix[1:].lower()
        figure.savefig(partial, dpi=dpi, format=kind, metadata=origin_of_figure(kind))


def origin_of_figure(kind: str) -> dict[str, Any]:
    """Return the metadata by which a picture is known as one of gcmock, by its format."""
    if kind == "png":
        return {"Software": creator()}
    # Without a date equal pictures have equal bytes.
    return {"Creator": creator(), "CreationDate": None} if kind == "pdf" else {}
