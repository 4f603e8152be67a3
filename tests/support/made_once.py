"""Functions that repeat in nearly every test, made once for the same arguments."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from hashlib import blake2b
from typing import Any

import numpy as np


def digest(value: Any) -> bytes:
    """Digest of numbers, arrays, and tuples and dataclasses of them, by content."""
    found = blake2b(digest_size=16)
    if isinstance(value, np.ndarray):
        found.update(f"{value.dtype} {value.shape}".encode())
        found.update(np.ascontiguousarray(value))
    elif isinstance(value, tuple) or is_dataclass(value):
        items = value if isinstance(value, tuple) else vars(value).values()
        for item in items:
            found.update(digest(item))
    else:
        if not isinstance(value, int | float | str | bytes | np.generic | None):
            raise TypeError(f"no digest of {type(value)}")
        found.update(repr(value).encode())
    return found.digest()


def made_once(function: Callable[..., Any], n_kept: int = 40) -> Callable[..., Any]:
    """Return a pure function that remembers its last results, which nobody may change.

    With arguments other than numbers, arrays, tuples and dataclasses of them it is called.
    """
    kept: OrderedDict[bytes, Any] = OrderedDict()

    @wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            key = digest(arguments)
        except TypeError:
            return function(*arguments)
        if key not in kept:
            kept[key] = function(*arguments)
        result = kept[key]
        while len(kept) > n_kept:
            try:
                kept.popitem(last=False)
            except KeyError:  # another thread was faster
                break
        return result

    return call
