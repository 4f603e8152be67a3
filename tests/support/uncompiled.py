"""Compiled functions as the Python that they are made of: quick for a few calls."""

from __future__ import annotations

from importlib import import_module


def uncompile(monkeypatch, *names):
    """Replace the compiled functions of modules, where they are defined and where they are used."""
    for name in names:
        module = import_module(name)
        for key, value in list(vars(module).items()):
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, key, value.py_func)
