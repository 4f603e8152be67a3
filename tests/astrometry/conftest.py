"""Fixtures of the tests of astrometry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def interpreted() -> Iterator[None]:
    """Run the kernels of the solver as the Python that they are: quick to start, for few rows."""
    from gcmock.astrometry.comparison import separation
    from gcmock.astrometry.solver import dense, normal, rows, store, sweeps

    with pytest.MonkeyPatch.context() as patch:
        for module in (separation, dense, normal, rows, store, sweeps):
            for name, value in list(vars(module).items()):
                if hasattr(value, "py_func"):
                    patch.setattr(module, name, value.py_func)
        yield
