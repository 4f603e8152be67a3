"""Fixtures of the tests of astrometry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def interpreted() -> Iterator[None]:
    """Run the kernels of astrometry as the Python that they are: quick to start, for few rows."""
    from gcmock.astrometry.comparison import separation
    from gcmock.astrometry.observations import visit
    from gcmock.astrometry.solver import dense, normal, rows, store, sweeps

    with pytest.MonkeyPatch.context() as patch:
        for module in (separation, visit, dense, normal, rows, store, sweeps):
            for name, value in list(vars(module).items()):
                plain = getattr(value, "py_func", None)
                if plain is not None and plain.__module__.startswith("gcmock.astrometry"):
                    patch.setattr(module, name, plain)
        yield
