"""What was written: an account that does not depend on the order in which it was added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.mock.infer import Inferred
from gcmock.mock.pulls import Sums, added
from gcmock.words.components import COMPONENTS
from gcmock.words.flags import Flag

_UNIT: Final = 2.0**-30
"""Probabilities are added up in integers of this size: sums of floats depend on their order."""


def _zeros() -> NDArray[np.int64]:
    return np.zeros(len(COMPONENTS), np.int64)


@dataclass
class Account:
    """Rows of a catalogue, or of a part of it.

    Attributes
    ----------
    n_written : int
        Rows.
    flags : Counter of str
        Rows by name of a `Flag`.
    component_units, variance_units : ndarray of int64, shape (n_component,)
        Sums over stars of p and of p (1 - p), in units of 2^-30.
    pulls : dict of int to tuple of 4 int
        Of the drawn reddening, by field (`gcmock.mock.pulls`).
    """

    n_written: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    component_units: NDArray[np.int64] = field(default_factory=_zeros)
    variance_units: NDArray[np.int64] = field(default_factory=_zeros)
    pulls: dict[int, Sums] = field(default_factory=dict)

    @property
    def component_sum(self) -> NDArray[np.float64]:
        """Expected number of stars of each component, (n_component,)."""
        return np.asarray(self.component_units * _UNIT, np.float64)

    @property
    def component_variance(self) -> NDArray[np.float64]:
        """Its variance sum p (1 - p) for stars with independent posteriors, (n_component,)."""
        return np.asarray(self.variance_units * _UNIT, np.float64)

    def add(self, other: Account) -> None:
        """Add the account of other rows."""
        self.n_written += other.n_written
        self.flags.update(other.flags)
        self.component_units = self.component_units + other.component_units
        self.variance_units = self.variance_units + other.variance_units
        self.pulls = added(self.pulls, other.pulls)

    def to_dict(self) -> dict[str, Any]:
        """Return numbers and names that JSON can hold; `from_dict` reads them back."""
        return {
            "n_written": self.n_written,
            "flags": {flag.name: self.flags[str(flag.name)] for flag in Flag},
            "component_units": self.component_units.tolist(),
            "variance_units": self.variance_units.tolist(),
            "pulls": {str(key): list(sums) for key, sums in self.pulls.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Account:
        """Return the account that `to_dict` described."""
        return cls(
            int(values["n_written"]),
            Counter({name: n for name, n in values["flags"].items() if n}),
            np.array(values["component_units"], np.int64),
            np.array(values["variance_units"], np.int64),
            {int(key): (s[0], s[1], s[2], s[3]) for key, s in values.get("pulls", {}).items()},
        )


def account_of(inferred: Inferred, pulls: dict[int, Sums] | None = None) -> Account:
    """Return the account of stars that were inferred, with the pulls of their reddening."""
    probability = inferred.summary.probability.astype(np.float64)
    flags: Counter[str] = Counter()
    for flag in Flag:
        if count := int(((inferred.flags & flag) != 0).sum()):
            flags[str(flag.name)] = count
    return Account(
        int(inferred.flags.size),
        flags,
        np.rint(probability / _UNIT).astype(np.int64).sum(axis=0),
        np.rint(probability * (1.0 - probability) / _UNIT).astype(np.int64).sum(axis=0),
        pulls or {},
    )
