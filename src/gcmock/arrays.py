"""Names of the types of arrays, and of tables of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

Columns = dict[str, NDArray[Any]]
"""Columns of a table by name, arrays of one length."""

Table = Mapping[str, NDArray[Any]]
"""The same, to be read only."""
