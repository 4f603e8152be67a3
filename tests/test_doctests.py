"""The examples in the docstrings of what is public do what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import gcmock


def modules() -> list[str]:
    """Modules of public things with an example, found through the rooms."""
    rooms = ["gcmock", "gcmock.model"]
    rooms += [m.name for m in pkgutil.walk_packages(gcmock.__path__, "gcmock.") if m.ispkg]
    found = {"gcmock.reporting.plots"}
    for room in rooms:
        module = importlib.import_module(room)
        for name in getattr(module, "__all__", ()):
            thing = inspect.unwrap(getattr(module, name))
            home = getattr(thing, "__module__", "")
            if not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            if home.startswith("gcmock.") and ">>>" in (
                inspect.getsource(thing) if inspect.isclass(thing) else thing.__doc__ or ""
            ):
                found.add(home)
    return sorted(found)


@pytest.mark.long
@pytest.mark.parametrize("name", modules())
def test_examples(name, tmp_path, monkeypatch, few_stars):
    stars = few_stars(20)
    stars.write(tmp_path / "stars.parquet")
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    if name.endswith("plots"):
        gcmock.build("stars.parquet", "mock.parquet", workers=1, no_learn=True)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    names = vars(module) | {"stars": stars}
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=options)
    tests = [test for test in finder.find(module, extraglobs=names) if test.examples]
    assert tests, f"{name} has no example"
    for test in tests:
        runner.run(test)
    assert runner.failures == 0
