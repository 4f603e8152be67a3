"""Verbs that only note how a command calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

Install = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a stand-in in the place of a verb, which takes what the verb takes.

    ``called("merge", result)`` returns the list of calls to come: for each, the arguments that are
    not the defaults of the verb. What is told of the progress is left out.
    """

    def install(verb: str, result: Any = None) -> list[dict[str, Any]]:
        module = import_module(f"gcmock.verbs.{verb}")
        signature = inspect.signature(getattr(module, verb))
        calls: list[dict[str, Any]] = []

        def stand_in(*given: Any, **named: Any) -> Any:
            arguments = signature.bind(*given, **named).arguments
            # None where stderr is no terminal.
            progress = arguments.pop("progress", None)
            assert progress is None or callable(progress)
            assert callable(arguments.pop("notice", print))
            defaults = {name: p.default for name, p in signature.parameters.items()}
            calls.append({k: v for k, v in arguments.items() if v != defaults[k]})
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(module, verb, stand_in)
        return calls

    return install


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[tuple[Any, ...]]]:
    """Note what is given to a function that prints, by its place ``module:function``."""

    def install(place: str) -> list[tuple[Any, ...]]:
        calls: list[tuple[Any, ...]] = []
        monkeypatch.setattr(place.replace(":", "."), lambda *given: calls.append(given))
        return calls

    return install
