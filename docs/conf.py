"""Sphinx: ``sphinx-build -W -c docs . build/docs`` in the root of the repository.

The source is the whole repository, so that links between README, docs and the README of the data
work here as they do on the pages of a code host.
"""

from __future__ import annotations

import gcmock

project = "gcmock"
author = "The gcmock developers"
copyright = "The gcmock developers"
version = release = gcmock.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
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
# Formulas are indented blocks.
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
# Nothing is fetched by a reader's browser but MathJax, and only where there is mathematics.
html_show_sphinx = False
