"""What a run read, wrote and found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcmock.io.read_summary import ReadSummary
from gcmock.mock.account import Account
from gcmock.notebook import html_table
from gcmock.words.components import COMPONENTS


@dataclass(repr=False)
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
    account : Account
        Rows of the output.
    n_kept : int
        Rows that an earlier run, which was interrupted, had written; part of `account`.
    n_partition : int
        Files of the output if it is a folder, else 0.
    remarks : list of str
        What a user should know: columns that look as if they should have been used, another order
        of the rows.
    seconds : float
        Time of the whole run.
    """

    output: Path | None
    n_realisation: int
    read: ReadSummary = field(default_factory=ReadSummary)
    skipped: Counter[str] = field(default_factory=Counter)
    account: Account = field(default_factory=Account)
    n_kept: int = 0
    n_partition: int = 0
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
    def n_written(self) -> int:
        """Rows of the output: n_realisation per star that was not left out."""
        return self.account.n_written

    @property
    def flags(self) -> Counter[str]:
        """Rows of the output by name of a `Flag`."""
        return self.account.flags

    @property
    def component_sum(self) -> NDArray[np.float64]:
        """Expected number of stars of each component, (n_component,)."""
        return self.account.component_sum

    @property
    def component_variance(self) -> NDArray[np.float64]:
        """Its variance for stars with independent posteriors, (n_component,)."""
        return self.account.component_variance

    @property
    def rate(self) -> float:
        """Stars per second of this run."""
        n_star = self.n_star - self.n_kept // self.n_realisation
        return n_star / self.seconds if self.seconds > 0 else 0.0

    def __repr__(self) -> str:
        """Say in a line what was read and written."""
        return (
            f"BuildSummary({self.output or 'in memory'}: {self.n_rows:,} rows read, "
            f"{self.skipped.total():,} skipped, {self.n_written:,} written, {self.seconds:.1f} s)"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("output", str(self.output or "in memory")),
            ("rows read", f"{self.n_rows:,}"),
            *((f"skipped: {reason}", f"{n:,}") for reason, n in self.skipped.items()),
            ("rows written", f"{self.n_written:,}"),
            *((f"flag {name}", f"{n:,}") for name, n in self.flags.most_common()),
            ("seconds", f"{self.seconds:.1f}"),
        ]
        fractions = zip(COMPONENTS, self.component_sum, self.component_variance, strict=True)
        rows += [(f"stars of {name}", f"{n:,.1f} ± {v**0.5:,.1f}") for name, n, v in fractions]
        return html_table("A run of gcmock build", rows)
