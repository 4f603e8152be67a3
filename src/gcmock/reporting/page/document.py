"""The page: sections, styles, script and data in one HTML text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Final

from gcmock.reporting.page.content import Block, Listing, Numbers, PageSection, Picture, Text
from gcmock.reporting.page.render import data_uri, encode, pixels_of
from gcmock.words.components import GROUP_TABLE

_HERE: Final = Path(__file__).parent
_LABELS: Final = {"good": "Good: ", "bad": "Take care: "}
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
"""The browser itself refuses whatever would need a network."""


def page(
    title: str,
    lead: str,
    glance: Sequence[tuple[str, str]],
    sections: Sequence[PageSection],
    stars: tuple[str, str] | None = None,
    n_stars: int = 0,
    footer: str = "",
) -> str:
    """Return the HTML of a page.

    Parameters
    ----------
    title, lead, footer : str
    glance : sequence of (str, str)
        Numbers at the top: what, how many.
    sections : sequence of PageSection
    stars : tuple of str, optional
        Columns and posteriors of the sample (`gcmock.reporting.page.payload`).
    n_stars : int
        Stars of the sample.
    """
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    links = "".join(f'<li><a href="#{s.name}">{escape(s.title)}</a></li>' for s in sections)
    numbers = "".join(
        f"<div{' class=wide' if len(value) > 16 else ''}><dt>{escape(what)}</dt>"
        f"<dd>{escape(value)}</dd></div>"
        for what, value in glance
    )
    body = "\n".join(_section(s, stars, n_stars) for s in sections)
    script = data = ""
    if stars is not None:
        code = (_HERE / "page.js").read_text(encoding="utf-8")
        names = ("stars-columns", "stars-posteriors")
        data = "".join(
            f'<script type="text/plain" id="{name}">{text}</script>\n'
            for name, text in zip(names, stars, strict=True)
        )
        script = f"<script>\n{code}</script>"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="generator" content="gcmock">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>
<dl class="glance">{numbers}</dl>
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main id="main" tabindex="-1">
{body}
</main>
<footer>{escape(footer)}</footer>
{data}{script}
</body>
</html>
"""


def _section(section: PageSection, stars: tuple[str, str] | None, n_stars: int) -> str:
    parts = [_view(n_stars, bool(stars and stars[1]))] if section.view and stars is not None else []
    for kind, blocks in groupby(section.blocks, _kind):
        if kind == "limits":
            parts.append(_limits([block for block in blocks if isinstance(block, Text)]))
            continue
        inside = "\n".join(map(_block, blocks))
        parts.append(f'<div class="{kind}">\n{inside}\n</div>' if kind else inside)
    content = "\n".join(parts)
    return (
        f'<section id="{section.name}" aria-labelledby="{section.name}-title">\n'
        f'<h2 id="{section.name}-title">{escape(section.title)}</h2>\n{content}\n</section>'
    )


def _kind(block: Block) -> str:
    """Return the class of what stands side by side."""
    if isinstance(block, Text) and block.kind == "limit":
        return "limits"
    if isinstance(block, Picture):
        return "gallery"
    return "tables" if isinstance(block, Numbers) else ""


def _limits(texts: Sequence[Text]) -> str:
    if len(texts) == 1:
        return f'<p class="note limit"><b>Limit of the model: </b>{escape(texts[0].text)}</p>'
    items = "".join(f"<li>{escape(text.text)}</li>" for text in texts)
    return f'<div class="note limit"><b>Limits of the model</b><ul>{items}</ul></div>'


def _block(block: Block) -> str:
    if isinstance(block, Text):
        if not block.kind:
            return f"<p>{escape(block.text)}</p>"
        label = _LABELS[block.kind]
        return f'<p class="note {block.kind}"><b>{label}</b>{escape(block.text)}</p>'
    if isinstance(block, Numbers):
        return _table(block)
    if isinstance(block, Listing):
        return (
            f"<details><summary>{escape(block.caption)}</summary>"
            f'<pre tabindex="0">{escape(block.text)}</pre></details>'
        )
    return _figure(block)


def _figure(picture: Picture) -> str:
    (svg,) = encode(picture, "svg")
    width, height = pixels_of(svg)
    source = data_uri(svg)
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    table = _table(picture.table) if picture.table is not None else ""
    return (
        f'<figure id="{picture.name}" style="--width:{round(1.3 * width)}px">'
        f"<h3>{escape(picture.title)}</h3>"
        f'<img src="{source}" width="{width}" height="{height}" alt="{escape(picture.alt)}">'
        f"{caption}{table}</figure>"
    )


def _table(table: Numbers) -> str:
    words = [_is_words(row[k] for row in table.rows) for k in range(len(table.head))]
    head = "".join(
        f'<th scope="col"{_class(w)}>{escape(text)}</th>'
        for text, w in zip(table.head, words, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + f'<th scope="row">{escape(row[0])}</th>'
        + "".join(
            f"<td{_class(w)}>{escape(v)}</td>" for v, w in zip(row[1:], words[1:], strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(table.head) else ""
    inside = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.caption)}">'
        f"<table><caption>{escape(table.caption)}</caption>{top}"
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )
    if not table.hidden:
        return inside
    return f"<details><summary>As a table</summary>{inside}</details>"


def _is_words(cells: Iterable[str]) -> bool:
    """Whether a column holds text, which is set to the left."""
    return any(len(cell) > 3 and not any(c.isdigit() for c in cell) for cell in cells)


def _class(words: bool) -> str:
    return ' class="words"' if words else ""


def _view(n_stars: int, with_posteriors: bool) -> str:
    """Return the view of single stars, which `page.js` brings to life."""
    what = (
        "Curves: posterior of the distance by group, computed from the observed magnitudes."
        if with_posteriors
        else "Intervals of the distance from the catalogue; with --input the curves are shown "
        "as well."
    )
    groups = "".join(f'<th scope="col">{escape(g.label)}</th>' for g in GROUP_TABLE)
    template = Template((_HERE / "view.html").read_text(encoding="utf-8"))
    return template.substitute(n_stars=f"{n_stars:,}", what=what, groups=groups)
