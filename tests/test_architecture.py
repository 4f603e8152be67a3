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
    "progress",
    "door",
    "compilation",
    "pool",
    "words",
    "units",
    "frames",
    "photometric_systems",
    "gaia_zero_point",
    "random",
    "notebook",
    "settings",
    "footprint",
    "data",
    "stars",
    "dust",
    "learned",
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
    "verbs",
    "cli",
    "__main__",
)
"""Modules and folders of the package: each imports from itself and from those before it only."""

IO_MAY_IMPORT = {
    *("errors", "arrays", "progress", "door", "pool", "words", "units", "frames"),
    *("photometric_systems", "gaia_zero_point", "random", "settings", "data", "io"),
}
"""Tables know the words of the project, but nothing of the model."""

MAX_LINES = 400

MAX_CODE_LINES, MAX_PARAMETERS = 60, 12
"""Of a function: lines without its docstring, blank lines and comments; and what it is given."""

LONG_FUNCTIONS = {
    # Compiled sums: each is one loop whose values stay in registers.
    "posterior/kernel/likelihood.py:coarse_likelihood",
    "mock/patches.py:_draw",
}

MANY_PARAMETERS = (
    # Compiled sums: arrays and scratch, which Numba would have to unpack in every call.
    "posterior/kernel/",
    # An option of a command is a parameter of its function, here and there.
    "cli/",
    "verbs/",
)

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


@pytest.mark.slow
def test_imports_go_one_way():
    wrong = {}
    for path in MODULES:
        if path == FACE:
            continue
        own = layer_of(path)
        allowed = set(LAYERS[: LAYERS.index(own) + 1])
        if own == "io":
            allowed &= IO_MAY_IMPORT
        if against := imported_layers(path) - allowed:
            wrong[short(path)] = sorted(against)
    assert not wrong, "modules that import what stands after them in LAYERS"


def test_modules_are_small():
    lines = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert not {name: n for name, n in lines.items() if n > MAX_LINES}


def functions(path: Path) -> list[tuple[str, int, int]]:
    """Name, lines of code and parameters of every function of a module."""
    text = path.read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0].lineno
        code = [line for line in lines[first - 1 : node.end_lineno] if line and line[0] != "#"]
        a = node.args
        given = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        found.append((node.name, len(code), len(given)))
    return found


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_functions_are_small(path):
    name = short(path)
    found = functions(path)
    assert not [
        f for f, n, _ in found if n > MAX_CODE_LINES and f"{name}:{f}" not in LONG_FUNCTIONS
    ]
    if not name.startswith(MANY_PARAMETERS):
        assert not [f for f, _, n in found if n > MAX_PARAMETERS]


def test_what_is_written_goes_one_way():
    """Only one module renames what was written, so that nothing is ever half there."""
    words = re.compile(r"os\.replace\(|os\.rename\(|\.rename\(|mkdtemp|NamedTemporaryFile")
    found = [
        f"{short(path)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line) and short(path) != "io/disk.py"
    ]
    assert not found


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


TESTS = Path(__file__).parent

NOT_YET_TESTED_BY_NAME = TESTS / "modules_without_tests.txt"
"""Modules with logic that no test file has the name of; the list may only get shorter."""


def has_logic(path: Path) -> bool:
    """Tell whether a module has a function that does something: more than a docstring and `...`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = [
                statement
                for statement in node.body
                if not isinstance(statement, ast.Pass)
                and not (
                    isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
                )
            ]
            if body:
                return True
    return False


def mirrored(path: Path) -> Path:
    """Test file of a module: the same room, the same name; that of a package lies beside it."""
    place = path.relative_to(PACKAGE)
    if path.name == "__init__.py":
        place = place.parent.with_suffix(".py")
    return TESTS / place.with_name(f"test_{place.name}")


@pytest.mark.slow
def test_every_module_with_logic_has_a_test_file_of_its_name():
    found = {short(p) for p in MODULES if p != FACE and has_logic(p) and not mirrored(p).is_file()}
    known = set(NOT_YET_TESTED_BY_NAME.read_text(encoding="utf-8").split())
    assert not found - known, "write tests/<room>/test_<module>.py for these"
    assert not known - found, f"take these out of {NOT_YET_TESTED_BY_NAME.name}"


def test_every_test_file_has_a_room_of_the_package():
    """Rooms of tests are those of the package, which `tests/support` and the like are not."""
    rooms = {p.parent.relative_to(TESTS).as_posix() for p in TESTS.rglob("test_*.py")} - {"."}
    rooms -= {"exercises"}
    assert not [room for room in sorted(rooms) if not (PACKAGE / room).is_dir()]
