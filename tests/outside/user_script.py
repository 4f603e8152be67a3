"""What a type checker sees of the installed package: `.ci/run` gives this to mypy --strict.

The assignments of wrong types are the test of the test: without types mypy would find nothing to
ignore there, and say so.
"""

from __future__ import annotations

from typing import assert_type

import gcmock
from gcmock.model import Model
from gcmock.settings.build import Config, load_config

assert_type(gcmock.__version__, str)
assert_type(gcmock.load_model(bar="G"), Model)
assert_type(load_config(None, {"run.seed": 7}), Config)
assert_type(load_config().run.seed, int)

number: int = gcmock.__version__  # type: ignore[assignment]
words: str = gcmock.load_model()  # type: ignore[assignment]
load_config(7)  # type: ignore[arg-type]
