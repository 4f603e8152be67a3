"""What a run read, wrote and found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcmock.io.observed import ReadSummary
from gcmock.mock.infer import Inferred
from gcmock.schema import COMPONENTS, Flag


@dataclass
class BuildSummary:
    """Account of a run: every row of the input is written or skipped for a reason.

    Attributes
    ----------
    output : Path or None
        The catalogue; None if it stays in memory.
    n_realisation : int
        True stars per observed star.
    read : ReadSummary
        Rows, missing values and bands of the input.
    skipped : Counter of str
        Rows that were left out, by reason.
    n_written : int
        Rows of the output: n_realisation per star that was not left out.
    flags : Counter of str
        Rows of the output by name of a `Flag`.
    component_sum, component_variance : ndarray (n_component,)
        Expected number of stars of each component, and its variance sum p (1 - p) for stars with
        independent posteriors.
    remarks : list of str
        Columns of the input that look as if they should have been used.
    seconds : float
        Time of the whole run.
    """

    output: Path | None
    n_realisation: int
    read: ReadSummary = field(default_factory=ReadSummary)
    skipped: Counter[str] = field(default_factory=Counter)
    n_written: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    component_sum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(COMPONENTS)))
    component_variance: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros(len(COMPONENTS))
    )
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def n_rows(self) -> int:
        """Rows of the input."""
        return self.read.n_rows

    @property
    def n_star(self) -> int:
        """Stars that were not left out."""
        return self.n_rows - self.skipped.total()

    @property
    def rate(self) -> float:
        """Stars per second."""
        return self.n_star / self.seconds if self.seconds > 0 else 0.0

    def add(self, inferred: Inferred) -> None:
        """Count stars that were inferred."""
        probability = inferred.summary.probability.astype(np.float64)
        self.component_sum += probability.sum(axis=0)
        self.component_variance += (probability * (1.0 - probability)).sum(axis=0)
        for flag in Flag:
            if count := int(((inferred.flags & flag) != 0).sum()):
                self.flags[str(flag.name)] += count
        self.n_written += inferred.flags.size
