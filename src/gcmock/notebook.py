"""How objects look in a terminal and in a notebook: one line of text, small tables of HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import Any


def html_table(title: str, rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = ()) -> str:
    """Return a table of text; the first column names the row.

    Parameters
    ----------
    title : str
    rows : iterable of tuple of str
    head : tuple of str, optional
    """
    top = "".join(f"<th scope='col' style='text-align:left'>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope='row' style='text-align:left'>{escape(row[0])}</th>"
        + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f"<table><caption style='text-align:left;caption-side:top'><b>{escape(title)}</b></caption>"
        f"{f'<thead><tr>{top}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
    )


class Outcome:
    """A result that says what was read and written: in a line, and as a table in notebooks.

    Base of dataclasses (``repr=False``) whose fields are paths, numbers, texts and mappings of
    them. Fields that are empty, and arrays and tables, are left out.
    """

    def listing(self) -> list[tuple[str, str]]:
        """Return what there is to say: names and texts."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        return listing_of(values)

    def __repr__(self) -> str:
        """Return the listing in a line."""
        return f"{type(self).__name__}({', '.join(f'{n}: {text}' for n, text in self.listing())})"

    def _repr_html_(self) -> str:
        return html_table(type(self).__name__, self.listing())


def listing_of(values: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Return names and texts of what can be said in a few words; the rest is left out.

    Parameters
    ----------
    values : iterable of tuple of str and object
        Names and values. ``n_rows`` reads "rows".

    Returns
    -------
    list of tuple of str
    """
    rows = []
    for name, value in values:
        label = name.removeprefix("n_").replace("_", " ")
        if isinstance(value, Mapping):
            rows += [(f"{label}, {key}", t) for key, v in value.items() if (t := _text(v))]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            rows += [(label, text) for item in value if (text := _text(item))]
        elif text := _text(value):
            rows.append((label, text))
    return rows


def _text(value: Any) -> str:
    """Return a path, a text or a number in words; empty for anything else."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value) if isinstance(value, str | Path) else ""
