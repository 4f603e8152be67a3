"""Counter-based random numbers: every number is a function of a star's key and a counter.

The key of a star comes from (seed, source_id, realisation); the counter says for what the number
is used. There is no state, so the order of rows, chunks and workers cannot change a result.
The mixing function is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA '14, 453).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.compilation import compiled

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S12 = (np.uint64(shift) for shift in (27, 30, 31, 12))
_ONE = np.uint64(1)
_TWO_TO_MINUS_52 = 2.0**-52


def _mix(z: Any) -> Any:
    """Finaliser of SplitMix64: a bijection of 64 bits in which every bit depends on every bit."""
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


# Always inlined: there is nothing to keep on disk.
_mix_scalar = numba.njit(nogil=True, inline="always")(_mix)


def id_bits(source_id: ArrayLike) -> NDArray[np.uint64]:
    """Turn identifiers into 64 bits: integers as they are, text by a stable hash.

    Bytes and text of the same (UTF-8) characters give the same bits.
    """
    ids = np.asarray(source_id)
    if ids.dtype.kind == "u":
        return ids.astype(np.uint64)
    if ids.dtype.kind == "i":
        return ids.astype(np.int64).view(np.uint64)
    if ids.dtype.kind not in "USO":
        raise TypeError(f"source_id must be integers or text, not {ids.dtype}")
    hashes = [
        int.from_bytes(
            blake2b(x if isinstance(x, bytes) else str(x).encode(), digest_size=8).digest(),
            "little",
        )
        for x in ids.tolist()
    ]
    return np.array(hashes, dtype=np.uint64)


def star_key(seed: int, source_id: ArrayLike, realisation: int = 0) -> NDArray[np.uint64]:
    """Return the key of each star's random stream.

    Parameters
    ----------
    seed : int
        Seed of the run; used modulo 2**64.
    source_id : ndarray of int, shape (n_star,) or text
    realisation : int

    Returns
    -------
    key : ndarray of uint64, shape (n_star,)

    Raises
    ------
    TypeError
        If `source_id` is neither integer nor text.
    """
    bits = id_bits(source_id)
    seed_bits = np.array([seed % 2**64], dtype=np.uint64)
    step = np.array([realisation % 2**64], dtype=np.uint64) * _GOLDEN
    return np.asarray(_mix(_mix(_mix(seed_bits + _GOLDEN) + bits) + step))


def uniform(key: ArrayLike, counter: ArrayLike, k: int = 1) -> NDArray[np.float64]:
    """Return `k` uniform numbers of each star, at counters ``counter ... counter + k - 1``.

    Parameters
    ----------
    key : ndarray of uint64, shape (n_star,)
    counter : int or ndarray of int, shape (n_star,)
        First counter; not negative.
    k : int

    Returns
    -------
    u : ndarray of float64, shape (n_star, k)
        In the open interval (0, 1).
    """
    keys = np.asarray(key, dtype=np.uint64).reshape(-1, 1)
    first = np.asarray(counter).astype(np.uint64).reshape(-1, 1)
    counters = first + np.arange(1, k + 1, dtype=np.uint64)
    # The second round with the key keeps two streams apart that once meet in the first.
    bits = _mix(_mix(keys + counters * _GOLDEN) ^ keys)
    return ((bits >> _S12).astype(np.float64) + 0.5) * _TWO_TO_MINUS_52


@compiled(nogil=True)
def uniform_scalar(key: int, counter: int) -> float:  # pragma: no cover
    """Return one uniform number in (0, 1): the same bits as `uniform`, for use inside kernels.

    Parameters
    ----------
    key : uint64
    counter : int
        Not negative.
    """
    k = np.uint64(key)
    z = _mix_scalar(k + (np.uint64(counter) + _ONE) * _GOLDEN)
    bits = _mix_scalar(z ^ k)
    return (np.float64(bits >> _S12) + 0.5) * _TWO_TO_MINUS_52
