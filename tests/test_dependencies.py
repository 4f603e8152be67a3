"""What is imported is declared, what is declared is imported, what is optional is not needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

DISTRIBUTION = {
    "distributed": "dask",
    "erfa": "pyerfa",
    "hats_import": "hats-import",
    "PIL": "pillow",
    "xdist": "pytest-xdist",
    "yaml": "pyyaml",
    "zero_point": "gaiadr3-zeropoint",
}
"""Distributions whose name is not that of what is imported."""

TOOLS_OF_DEVELOPERS = {
    *("build", "codespell", "furo", "mypy", "myst-parser", "pre-commit", "pytest-cov"),
    *("ruff", "sphinx"),
}
"""Extras that are run and not imported."""

ONLY_ON_UNIX = {"curses", "fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty"}


def name_of(requirement: str) -> str:
    """Name of a distribution in a line of pyproject.toml."""
    return re.match(r"[\w.-]+", requirement)[0].lower()


def extra(name: str) -> set[str]:
    """Names of the distributions of an extra, those of the extras that it names included."""
    found = set()
    for requirement in PROJECT["optional-dependencies"][name]:
        if match := re.match(r"gcmock\[(.*)\]", requirement):
            found |= set().union(*(extra(other) for other in match[1].split(",")))
        else:
            found.add(name_of(requirement))
    return found


REQUIRED = {name_of(requirement) for requirement in PROJECT["dependencies"]}
OF_USERS = set().union(
    *(extra(name) for name in ("fetch", "footprint", "hats", "pandas", "polars", "zeropoint"))
)


def imports(*folders: str) -> Iterator[tuple[str, bool, str]]:
    """Every import of modules that are not our own: name, whether a function makes it, where."""
    for folder in folders:
        yield from imports_of(folder)


@cache
def imports_of(folder: str) -> list[tuple[str, bool, str]]:
    """Every import of the modules of a folder; see `imports`."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        late = {
            id(node)
            for outer in ast.walk(tree)
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.unparse(outer.test))
            for node in ast.walk(outer)
        }
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            where = f"{path.relative_to(ROOT).as_posix()}:{getattr(node, 'lineno', 0)}"
            found += [(name.partition(".")[0], id(node) in late, where) for name in names]
    return found


def foreign(*folders: str) -> Iterator[tuple[str, bool, str]]:
    """Like `imports`: distributions of others, by their name."""
    own = {"gcmock"}
    for folder in ("tests", "tools", "benchmarks", "docs"):
        own |= {path.stem for path in (ROOT / folder).rglob("*.py")}
    for name, late, where in imports(*folders):
        if name not in own and name not in sys.stdlib_module_names:
            yield DISTRIBUTION.get(name, name).lower(), late, where


@pytest.mark.slow
def test_what_the_package_imports_is_declared():
    declared = REQUIRED | OF_USERS
    assert not [f"{where}: {name}" for name, _, where in foreign("src") if name not in declared]


@pytest.mark.slow
def test_extras_are_imported_where_they_are_used():
    """Without its extra a module can be imported: only the function that needs it fails."""
    early = [f"{where}: {name}" for name, late, where in foreign("src") if not late]
    assert not [line for line in early if line.split(": ")[1] not in REQUIRED]


@pytest.mark.slow
def test_what_is_declared_is_imported():
    used = {name for name, _, _ in foreign("src")}
    # hats-import writes with it; a cluster needs its part "distributed".
    assert used | {"dask"} >= REQUIRED | OF_USERS


@pytest.mark.slow
def test_tests_and_tools_declare_what_they_import():
    declared = REQUIRED | extra("dev") | extra("tables")
    found = foreign("tests", "tools", "benchmarks", "docs")
    assert not [f"{where}: {name}" for name, _, where in found if name not in declared]
    used = {name for name, _, _ in foreign("src", "tests", "tools", "benchmarks", "docs")}
    assert extra("dev") - used - TOOLS_OF_DEVELOPERS <= {"dask"}


@pytest.mark.slow
def test_nothing_of_unix_is_imported_before_it_is_needed():
    """The package can be imported on Windows."""
    found = [(name, where) for name, late, where in imports("src") if not late]
    assert not [f"{where}: {name}" for name, where in found if name in ONLY_ON_UNIX]


def test_bounds():
    """Everything has a lower bound; Numba, whose compiled code we rely on, an upper one too."""
    assert all(">=" in requirement for requirement in PROJECT["dependencies"])
    assert re.search(r"numba>=[\d.]+,<[\d.]+", " ".join(PROJECT["dependencies"]))


def test_recipe_has_the_same_requirements():
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
    run = [line.replace(" ", "") for line in recipe["requirements"]["run"]]
    assert run[0] == "python>=${{python_min}}"
    assert PROJECT["requires-python"] == f">={recipe['context']['python_min']}"
    names = {line.replace("matplotlib-base", "matplotlib") for line in run[1:]}
    assert names == set(PROJECT["dependencies"])
    assert recipe["context"]["version"] == PROJECT["version"]


WITHOUT = """
import sys

from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: (
    None if name.partition(".")[0] in {names!r} else found(name, *more)
)
import gcmock
from astropy.table import Table
stars = Table({{"l": [0.3], "b": [-0.2], "phot_ks_mag": [12.5], "phot_ks_mag_error": [0.03]}})
import pyarrow as pa
for table in (stars, pa.table({{name: list(stars[name]) for name in stars.colnames}})):
    assert len(gcmock.build(table, run={{"seed": 1, "workers": 1}}, no_learn=True)) == 1
"""


@pytest.mark.long
def test_nothing_optional_is_needed():
    """Without pandas and the other extras tables of astropy and pyarrow still go in and out."""
    modules = ("pandas", "pyvo", "requests", "hats", "hats_import", "lsdb", "dask", "distributed")
    code = WITHOUT.format(names=modules)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
