"""A matrix that cannot be inverted is an error of the input."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.astrometry.solver.elimination import inverse_root
from gcmock.astrometry.solver.singular import invertible
from gcmock.errors import InputError


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_words_instead_of_a_traceback(value):
    matrices = np.stack([np.eye(5), np.eye(5)])
    matrices[1, 2, 2] = value
    with (
        pytest.raises(InputError, match=r"observations: the equations of a star, .*inverted"),
        invertible("observations"),
    ):
        inverse_root(matrices)


def test_other_errors_pass():
    with pytest.raises(KeyError), invertible("observations"):
        raise KeyError
