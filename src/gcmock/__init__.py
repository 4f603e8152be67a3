"""gcmock: ground-truth star catalogues of the Galactic centre.

The verbs have the names and the options of the commands; they take files, or tables of astropy,
pandas, pyarrow and polars, numbers or Quantities. The model is `load_model`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.model import load_model as load_model
    from gcmock.verbs.build import build as build
    from gcmock.verbs.calibrate import calibrate as calibrate
    from gcmock.verbs.compare import compare as compare
    from gcmock.verbs.demo import demo as demo
    from gcmock.verbs.export import export as export
    from gcmock.verbs.fetch import fetch as fetch
    from gcmock.verbs.import_hats import import_hats as import_hats
    from gcmock.verbs.info import info as info
    from gcmock.verbs.merge import merge as merge
    from gcmock.verbs.observe import observe as observe
    from gcmock.verbs.propagate import propagate as propagate
    from gcmock.verbs.report import report as report
    from gcmock.verbs.simulate import simulate as simulate
    from gcmock.verbs.solve import solve as solve
    from gcmock.verbs.validate import validate as validate

__version__ = "0.2.0"

VERBS = (
    "merge",
    "fetch",
    "calibrate",
    "build",
    "simulate",
    "propagate",
    "observe",
    "solve",
    "compare",
    "export",
    "report",
    "validate",
    "info",
    "demo",
    "import_hats",
)
"""Functions that do what the commands of their names do."""

__getattr__, __dir__, _public = attach(
    __name__, {"model": ["load_model"], **{f"verbs.{name}": [name] for name in VERBS}}
)
__all__ = ["VERBS", "__version__", *_public]
