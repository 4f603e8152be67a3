"""The house rules: one-way imports, small modules, a light command line, no workshop traces."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gcmock

PACKAGE = Path(gcmock.__file__).parent

LAYERS = (
    "errors",
    "arrays",
    "compilation",
    "words",
    "units",
    "frames",
    "photometric_systems",
    "random",
    "notebook",
    "settings",
    "data",
    "stars",
    "dust",
    "galaxy",
    "posterior",
    "counts",
    "model",
    "io",
    "mock",
    "calibration",
    "surveys",
    "catalogue",
    "astrometry",
    "validation",
    "reporting",
    "runtime",
    "cli",
    "__main__",
)
"""Modules and folders of the package: each imports from itself and from those before it only."""

IO_MAY_IMPORT = {
    *("errors", "arrays", "words", "units", "frames", "photometric_systems"),
    *("random", "settings", "io"),
}
"""Tables know the words of the project, but nothing of the model."""

MAX_LINES = 400

SLOW_TO_IMPORT = {
    "astropy",
    "numba",
    "pyarrow",
    "scipy",
    "matplotlib",
    "pandas",
    "hats",
    "lsdb",
    "pyvo",
}

# pyvo and requests have an argument of this name.
WORKSHOP = re.compile(r"(?i)\bissues?\b|\bsessions?\b(?!=)|/work/|/tmp/|/home/|\.\./shared")

MODULES = sorted(PACKAGE.rglob("*.py"))
FACE = PACKAGE / "__init__.py"


def short(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_layers(path: Path) -> set[str]:
    """Layers that a module imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{short(path)}: relative import in line {node.lineno}"
            if node.module == "gcmock":
                names.update(f"gcmock.{alias.name}" for alias in node.names)
            elif node.module:
                names.add(node.module)
    parts = [name.split(".") for name in names]
    return {p[1] for p in parts if p[0] == "gcmock" and len(p) > 1 and p[1] != "__version__"}


def test_every_module_has_a_place():
    assert {layer_of(path) for path in MODULES if path != FACE} <= set(LAYERS)


@pytest.mark.parametrize("path", [p for p in MODULES if p != FACE], ids=short)
def test_imports_go_one_way(path):
    own = layer_of(path)
    allowed = set(LAYERS[: LAYERS.index(own) + 1])
    if own == "io":
        allowed &= IO_MAY_IMPORT
    assert imported_layers(path) <= allowed, f"{own} may import {sorted(allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_modules_are_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_names_are_nouns_of_the_domain():
    vague = {"utils", "util", "helpers", "common", "misc"}
    assert not [short(p) for p in MODULES if vague & {part.removesuffix(".py") for part in p.parts}]


@pytest.mark.parametrize("module", ["gcmock", "gcmock.settings.build", "gcmock.cli.app"])
def test_import_is_light(module):
    """`gcmock --help` answers at once because nothing slow is imported before it is needed."""
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not SLOW_TO_IMPORT & set(done.stdout.split())


def test_package_speaks_of_itself_only():
    found = []
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in {".py", ".toml", ".md"}:
            lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            found += [f"{short(path)}:{n}: {line}" for n, line in lines if WORKSHOP.search(line)]
    assert not found
