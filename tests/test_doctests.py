"""The examples in the docstrings of public functions do what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = ("gcmock.model", "gcmock.mock.build", "gcmock.reporting.plots")


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch, few_stars):
    stars = few_stars(20)
    stars.write(tmp_path / "stars.parquet")
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    if name.endswith("plots"):
        from gcmock.mock.build import build

        build("stars.parquet", "mock.parquet", workers=1)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    names = vars(module) | {"stars": stars}
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=options)
    tests = [test for test in finder.find(module, extraglobs=names) if test.examples]
    assert tests, f"{name} has no example"
    for test in tests:
        runner.run(test)
    assert runner.failures == 0
