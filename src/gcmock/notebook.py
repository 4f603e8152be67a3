"""How objects look in a notebook: small tables of HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


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
