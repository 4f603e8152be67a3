"""gcmock: ground-truth star catalogues of the Galactic centre."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcmock.mock.build import build_table as build
    from gcmock.mock.simulate import simulate
    from gcmock.model import load_model

__version__ = "0.2.0"
__all__ = ["__version__", "build", "load_model", "simulate"]

_WHERE = {
    "build": ("gcmock.mock.build", "build_table"),
    "load_model": ("gcmock.model", "load_model"),
    "simulate": ("gcmock.mock.simulate", "simulate"),
}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first used: the model needs seconds to import."""
    if name not in _WHERE:
        raise AttributeError(f"module 'gcmock' has no attribute {name!r}")
    from importlib import import_module

    module, function = _WHERE[name]
    return getattr(import_module(module), function)


def __dir__() -> list[str]:
    """Names for completion in notebooks."""
    return sorted([*globals(), *__all__])
