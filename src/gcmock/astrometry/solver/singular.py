"""What is said where equations cannot be inverted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from gcmock.errors import InputError


@contextmanager
def invertible(given: object) -> Iterator[None]:
    """Turn a matrix that cannot be inverted into an error of the input.

    Parameters
    ----------
    given : str or Path
        What the equations were made of, for the message.

    Raises
    ------
    InputError
        Instead of `numpy.linalg.LinAlgError`.
    """
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"{given}: the equations of a star, a visit or a calibration block cannot be inverted "
            f"({error}); check errors, times and places of the observations and of the reference "
            "catalogue: some are missing, zero or far too large"
        ) from error
