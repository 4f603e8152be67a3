"""What a page is made of: sections with text, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes

Draw = Callable[[Axes], None]


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text.

    Attributes
    ----------
    text : str
    kind : str
        "" for text, "limit" for a known limit of the model beside what it affects, "good" and
        "bad" for verdicts.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Numbers:
    """A table.

    Attributes
    ----------
    caption : str
    head : sequence of str
    rows : sequence of sequence of str
        The first column names the row.
    hidden : bool
        Folded: what a picture shows, for those who cannot see it.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    hidden: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes
    ----------
    name : str
        Name of its files, and anchor in the page.
    title : str
    alt : str
        What there is to see, for those who cannot.
    draw : callable
        Draws it on an axis.
    caption : str
    size : tuple of float
        Width and height [inch].
    table : Numbers, optional
        Its numbers.
    """

    name: str
    title: str
    alt: str
    draw: Draw
    caption: str = ""
    size: tuple[float, float] = (4.9, 3.75)
    table: Numbers | None = None


@dataclass(frozen=True)
class Listing:
    """A text file, folded.

    Attributes
    ----------
    caption : str
        What it is.
    text : str
        Its content.
    """

    caption: str
    text: str


Block = Text | Numbers | Picture | Listing
"""Pictures that follow one another stand side by side where there is room."""


@dataclass(frozen=True)
class PageSection:
    """A part of the page with a heading.

    Attributes
    ----------
    name : str
        Anchor.
    title : str
    blocks : sequence of Block
    view : bool
        Whether the view of single stars stands here.
    """

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    view: bool = False


def grouped(value: float, digits: int = 0) -> str:
    """Return a number for people, with thin spaces between thousands."""
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "\u2212")


def percent(value: float, digits: int = 1) -> str:
    """Return a fraction in per cent."""
    return f"{100.0 * value:.{digits}f} %"
