"""Write the lists of what is public into docs/api.md, from the rooms themselves.

    python tools/make_api.py [--check]

Text between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->`` is replaced, the rest is kept.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpydoc.docscrape import NumpyDocString

import gcmock

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
ROOMS = (
    "model",
    "learned",
    "errors",
    "words",
    "settings",
    "stars",
    "dust",
    "galaxy",
    "posterior",
    "io",
    "mock",
    "surveys",
    "catalogue",
    "calibration",
    "astrometry.directions",
    "astrometry.missions",
    "astrometry.observations",
    "astrometry.solver",
    "astrometry.comparison",
    "validation",
    "reporting",
    "reporting.plots",
    "runtime",
    "verbs",
    "data",
)
"""Rooms with a list of public names, in the order of the page."""

_BLOCK = re.compile(r"(<!-- begin: (\w+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def public(room: str) -> list[tuple[str, Any]]:
    """Return the public names of a room and what they stand for."""
    module = importlib.import_module(f"gcmock.{room}")
    return [(name, getattr(module, name)) for name in module.__all__]


def first_sentence(text: str | None) -> str:
    """Return the first paragraph of a docstring, in a line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def comment_of(room: str, name: str) -> str:
    """Return the text that stands below a constant in the module that defines it."""
    module = importlib.import_module(f"gcmock.{room}")
    for found in {id(m): m for m in _modules_of(module)}.values():
        source = inspect.getsource(found)
        match = re.search(rf'^{name}\b[^\n]*=.*?\n"""(.*?)"""', source, re.DOTALL | re.MULTILINE)
        if match:
            return first_sentence(match[1])
    return ""


def _modules_of(module: Any) -> Iterable[Any]:
    """Yield a room and the modules in it that are imported."""
    yield module
    prefix = f"{module.__name__}."
    yield from (m for name, m in sorted(sys.modules.items()) if name.startswith(prefix))


def cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


def signature_of(name: str, thing: Any) -> str:
    """Return how a function is called: the names of its parameters, with their defaults."""
    parts, bare = [], False
    for parameter in inspect.signature(thing).parameters.values():
        text = parameter.name
        if parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{text}"
        elif parameter.kind is parameter.VAR_POSITIONAL:
            text, bare = f"*{text}", True
        elif parameter.kind is parameter.KEYWORD_ONLY and not bare:
            parts.append("*")
            bare = True
        if parameter.default is not parameter.empty:
            default = parameter.default
            text += f"={json.dumps(default) if isinstance(default, str) else repr(default)}"
        parts.append(text)
    return f"{name}({', '.join(parts)})"


def members_of(thing: type) -> list[str]:
    """Return the public methods of a class, with their parameters."""
    found = []
    for name, member in vars(thing).items():
        if not name.startswith("_") and inspect.isfunction(member):
            names = [p for p in inspect.signature(member).parameters if p != "self"]
            found.append(f"`{name}({', '.join(names)})`")
    return found


def entry(room: str, name: str, thing: Any) -> str:
    """Return the line of a public name."""
    if inspect.isfunction(inspect.unwrap(thing)):
        return f"| `{cell(signature_of(name, thing))}` | {cell(first_sentence(thing.__doc__))} |"
    if inspect.isclass(thing):
        methods = "" if issubclass(thing, Exception) else ", ".join(members_of(thing))
        text = first_sentence(thing.__doc__) + (f" Methods: {methods}." if methods else "")
        return f"| `{name}` | {cell(text)} |"
    return f"| `{name}` | {cell(comment_of(room, name))} |"


def room_text(room: str) -> str:
    """Return the part of the page on a room."""
    module = importlib.import_module(f"gcmock.{room}")
    lines = [f"### gcmock.{room}", "", first_sentence(module.__doc__), "", "| name | what |"]
    lines += ["|---|---|", *(entry(room, *item) for item in public(room))]
    return "\n".join(lines)


def verb_text(name: str) -> str:
    """Return the part of the page on a verb: its signature, parameters, result and errors."""
    verb = getattr(gcmock, name)
    doc = NumpyDocString(inspect.getdoc(verb) or "")
    lines = [f"### gcmock.{name}", "", " ".join(doc["Summary"]), ""]
    if doc["Extended Summary"]:
        lines += [" ".join(doc["Extended Summary"]), ""]
    lines += ["```python", signature_of(f"gcmock.{name}", verb), "```", ""]
    lines += ["| parameter | type | meaning |", "|---|---|---|"]
    for part in doc["Parameters"]:
        lines.append(f"| `{part.name}` | {cell(part.type)} | {cell(' '.join(part.desc))} |")
    for title, section in (("Returns", "Returns"), ("Raises", "Raises")):
        for part in doc[section]:
            what = part.type or part.name
            lines += ["", f"{title} *{cell(what)}*: {cell(' '.join(part.desc))}"]
    return "\n".join(lines)


def blocks() -> dict[str, str]:
    """Return the generated text by the name of its block."""
    return {
        "verbs": "\n\n".join(verb_text(name) for name in gcmock.VERBS),
        "rooms": "\n\n".join(room_text(room) for room in ROOMS),
    }


def render(page: str) -> str:
    """Return the page with its blocks brought up to date.

    Raises
    ------
    ValueError
        A block is missing from the page, or unknown.
    """
    text = blocks()
    found = [match[1] for match in _BLOCK.findall(page)]
    if sorted(found) != sorted(text):
        raise ValueError(f"the page has the blocks {sorted(found)}, expected {sorted(text)}")
    return _BLOCK.sub(lambda m: f"{m[1]}\n{text[m[2]]}\n\n{m[3]}", page)


def main(arguments: list[str]) -> int:
    """Rewrite the page; with ``--check`` only say whether it is up to date."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = render(page)
    if "--check" not in arguments:
        PAGE.write_text(fresh, encoding="utf-8")
    return int(fresh != page and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
