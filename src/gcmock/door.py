"""Rooms with a door: public names that are imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def attach(
    room: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return the ``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    A package that offers names of slow modules stays light: a module is imported when one of its
    names is first asked for.

    Parameters
    ----------
    room : str
        Name of the package, ``__name__`` in its ``__init__``.
    modules : mapping of str to sequence of str
        Public names by the module that has them, without the name of the package.

    Returns
    -------
    getter, lister : callable
        The functions that Python calls for an unknown name and for ``dir()``.
    names : list of str
        The public names in the order of the alphabet.

    Examples
    --------
    >>> getter, lister, names = attach("gcmock", {"errors": ["InputError"]})
    >>> names
    ['InputError']
    >>> getter("InputError").__module__
    'gcmock.errors'
    """
    where = {name: module for module, names in modules.items() for name in names}
    public = sorted(where)

    def getter(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(f"{room}.{where[name]}"), name)

    def lister() -> list[str]:
        return sorted({*public, *vars(sys.modules[room])})

    return getter, lister, public
