"""Rows of a mock catalogue made by hand: what a report counts, without inferring a star."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcmock.reporting.page.extent import Extent, look
from gcmock.reporting.page.tally import Tally
from gcmock.words.bands import BANDS, magnitude_name
from gcmock.words.components import COMPONENTS, PROBABILITIES


class Rows:
    """A table source over arrays in memory."""

    def __init__(self, rows, path="rows"):
        self.rows = {name: np.asarray(values) for name, values in rows.items()}
        self.path = Path(path)
        self.columns = tuple(self.rows)
        self.units: dict[str, str] = {}
        self.n_rows = len(next(iter(self.rows.values())))

    def chunks(self, size, columns=None):
        names = list(self.columns if columns is None else columns)
        for start in range(0, self.n_rows, size):
            yield {name: self.rows[name][start : start + size] for name in names}


def mock_rows(component, *, p_own=1.0, **columns):
    """Rows of stars of given components, one realisation, all alike unless columns are given.

    A star has the probability `p_own` of its own component; the rest goes to the bar (of a star of
    the bar: to the nuclear disc).
    """
    component = np.asarray(component)
    n = component.size
    rows = {
        "source_id": np.arange(n),
        "realisation": np.zeros(n, np.int64),
        "ra": np.full(n, 266.4),
        "dec": np.full(n, -28.9),
        "l": np.full(n, 0.0),
        "b": np.full(n, 0.0),
        "distance_pc": np.full(n, 8000.0),
        "pmra": np.zeros(n),
        "pmdec": np.zeros(n),
        "component": component,
        **{magnitude_name(band): np.full(n, 15.0 - i) for i, band in enumerate(BANDS)},
        "a_ks": np.full(n, 2.0),
        "x_pc": np.full(n, 100.0),
        "y_pc": np.zeros(n),
        "vx": np.zeros(n),
        "vy": np.full(n, 80.0),
        **{name: np.zeros(n) for name in PROBABILITIES},
        **{f"distance_q{q:02d}_pc": np.full(n, 8000.0) for q in (5, 16, 50, 84, 95)},
        "log_evidence": np.full(n, 5.0),
        "evidence_pvalue": np.full(n, 0.5),
        "n_bands": np.full(n, 3),
        "flags": np.zeros(n, np.int64),
    }
    rows["distance_q05_pc"] -= 2000.0
    rows["distance_q16_pc"] -= 1000.0
    rows["distance_q84_pc"] += 1000.0
    rows["distance_q95_pc"] += 2000.0
    p = np.broadcast_to(p_own, n)
    for i, name in enumerate(component.tolist()):
        rows[f"p_{name}"][i] += p[i]
        rows["p_nsd" if name == "bar" else "p_bar"][i] += 1.0 - p[i]
    assert set(component.tolist()) <= set(COMPONENTS)
    unknown = set(columns) - set(rows)
    assert not unknown, unknown
    return rows | {name: np.broadcast_to(values, n).copy() for name, values in columns.items()}


def extent_of(rows) -> Extent:
    return look(Rows(rows))


def tally_of(rows) -> Tally:
    """Count rows as a report does."""
    tally = Tally(extent_of(rows))
    tally.add({name: np.asarray(values) for name, values in rows.items()})
    return tally


def subject_of(rows, **parts):
    """What a page is written from, with a stand-in for the model."""
    from types import SimpleNamespace

    from gcmock.reporting.page.subject import Subject

    config = SimpleNamespace(extinction=SimpleNamespace(residual_scatter_mag=0.03))
    photometry = SimpleNamespace(default_error_mag=0.07)
    model = SimpleNamespace(config=config, law=SimpleNamespace(name="a_law"), learned=None)
    metadata = parts.pop("metadata", {})
    return Subject("mock.parquet", tally_of(rows), model, photometry, metadata, **parts)
