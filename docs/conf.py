"""Sphinx: ``sphinx-build -W -c docs . build/docs`` in the root of the repository.

The source is the whole repository, so that links between README, docs and the README of the data
work here as they do on the pages of a code host.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

import gcmock

project = "gcmock"
author = "The gcmock developers"
copyright = "The gcmock developers"
version = release = gcmock.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONVENTIONS.md",
    "CONTRIBUTING.md",
    "CODE_OF_CONDUCT.md",
    "SECURITY.md",
    "docs/**.md",
    "src/gcmock/data/README.md",
]
exclude_patterns = ["build", ".venv", "dist", "docs/numbers"]

# Anchors as code hosts make them; tests/test_docs.py checks all of them.
myst_heading_anchors = 3
# Formulas are blocks ```math, as code hosts read them.
myst_fence_as_directive = ["math"]
highlight_language = "none"
default_role = "code"

napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_preprocess_types = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"gcmock {release}"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#27497a", "color-brand-content": "#27497a"},
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False

# A browser fetches nothing from elsewhere: formulas are MathML, which it shows by itself.
html_math_renderer = "mathml"

_START = """<!doctype html>
<meta charset="utf-8">
<title>gcmock</title>
<meta http-equiv="refresh" content="0; url=docs/index.html">
<a href="docs/index.html">gcmock</a>
"""


def _inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line as MathML."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _display(translator: Any, node: nodes.math_block) -> None:
    """Write a formula of its own as MathML; one that is too wide scrolls inside itself."""
    formula = convert(node.astext().strip(), display="block")
    translator.body.append(f'<div class="math-display" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def _write_start(app: Any, error: Exception | None) -> None:
    """Lead the visitor of the site's root to its first page."""
    if error is None and app.builder.name == "html":
        Path(app.outdir, "index.html").write_text(_START, encoding="utf-8")


def setup(app: Any) -> None:
    """Register how formulas are written, and the page of the root."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("build-finished", _write_start)
