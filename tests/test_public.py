"""What is public has a docstring that says all: every parameter, what comes back, which errors."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import textwrap

import pytest
from numpydoc.docscrape import FunctionDoc

import gcmock

NOT_PYTHON = {"gcmock.cli"}
"""The command line is for a terminal."""

ROOMS = sorted(
    {"gcmock", "gcmock.model", "gcmock.errors"}
    | {found.name for found in pkgutil.walk_packages(gcmock.__path__, "gcmock.") if found.ispkg}
    - NOT_PYTHON
)


def public() -> dict[str, object]:
    """Everything public by its full name, each thing once."""
    things: dict[int, tuple[str, object]] = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing) or callable(thing):
                things.setdefault(id(thing), (f"{room}.{name}", thing))
    return dict(things.values())


PUBLIC = public()


def named(section) -> set[str]:
    """Names of a section; several may stand in a line."""
    return {name.strip().lstrip("*") for part in section for name in part.name.split(",")}


def gives_something(function) -> bool:
    """Whether a function returns or yields a value."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    inner = {
        id(node)
        for top in ast.walk(tree.body[0])
        if isinstance(top, ast.FunctionDef | ast.Lambda) and top is not tree.body[0]
        for node in ast.walk(top)
    }
    return any(
        isinstance(node, ast.Return | ast.Yield) and node.value is not None
        for node in ast.walk(tree)
        if id(node) not in inner
    )


def parameters_of(function) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self", "cls"}


def complaints_of_function(function) -> list[str]:
    doc = FunctionDoc(inspect.unwrap(function))
    found = []
    if not doc["Summary"]:
        return ["has no docstring"]
    documented = named(doc["Parameters"])
    if documented != parameters_of(function):
        found.append(f"parameters differ: {sorted(documented ^ parameters_of(function))}")
    found += [f"{part.name} has no type" for part in doc["Parameters"] if not part.type]
    if gives_something(function) and not (doc["Returns"] or doc["Yields"]):
        found.append("does not say what it returns")
    return found


def complaints_of_class(thing) -> list[str]:
    text = inspect.getdoc(thing) or ""
    if not text:
        return ["has no docstring"]
    found = []
    doc = FunctionDoc(None, doc=text)
    if dataclasses.is_dataclass(thing) or hasattr(thing, "_fields"):
        fields = getattr(thing, "_fields", None) or [f.name for f in dataclasses.fields(thing)]
        known = named(doc["Parameters"]) | named(doc["Attributes"])
        missing = {name for name in fields if not name.startswith("_")} - known
        if missing:
            found.append(f"fields without words: {sorted(missing)}")
    return found


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_say_all(name):
    thing = PUBLIC[name]
    complain = complaints_of_class if inspect.isclass(thing) else complaints_of_function
    assert not complain(thing)


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_keep_their_word(room):
    """Every name is there, in the order of the alphabet, and is none of a module."""
    module = importlib.import_module(room)
    names = list(getattr(module, "__all__", ()))
    assert set(names) <= set(dir(module))
    assert all(hasattr(module, name) for name in names)
    if hasattr(module, "__path__"):
        assert not {found.name for found in pkgutil.iter_modules(module.__path__)} & set(names)


def test_editors_see_the_same_names():
    """The imports for type checkers are those that are made when a name is asked for."""
    for room in ROOMS:
        module = importlib.import_module(room)
        tree = ast.parse(inspect.getsource(module))
        blocks = [
            node
            for node in tree.body
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        ]
        if "__getattr__, __dir__" not in inspect.getsource(module):
            continue
        seen = {alias.name for block in blocks for node in block.body for alias in node.names}
        offered = {name for name in module.__all__ if not name.startswith("__")}
        assert offered - {"VERBS"} == seen, room
