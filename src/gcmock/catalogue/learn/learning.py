"""What is learned of the surveys before the first cell, and a cell merged with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from gcmock.catalogue.cell.merging import Knowledge, merge_cell
from gcmock.catalogue.cell.pilot import merge_cell_pilot
from gcmock.catalogue.cell.sources import SurveySources, make_sources, numbers
from gcmock.catalogue.columns import Product, cell_product
from gcmock.catalogue.learn.density import Counter
from gcmock.catalogue.learn.offsets import Offsets, mean_motion, measure_offsets
from gcmock.catalogue.learn.rates import learn_rates
from gcmock.catalogue.order import linking_order
from gcmock.settings.merge import MergeConfig


class LearnedSurvey(Protocol):
    """What reading a survey leaves behind, such as `gcmock.catalogue.partition.Partitioned`."""

    @property
    def account(self) -> dict[str, int]:
        """Rows read, and rows that are in no cell, by reason."""
        ...

    @property
    def counter(self) -> Counter:
        """Counts by place and magnitude."""
        ...

    def bright(self) -> pa.Table:
        """Return the bright sources."""
        ...

    def sample(self) -> pa.Table:
        """Return the sources in the sample of the sky."""
        ...


def learn(
    parts: Mapping[str, LearnedSurvey], config: MergeConfig
) -> tuple[Knowledge, dict[str, Offsets]]:
    """Learn offsets, densities, motions and rates from what was counted while reading."""
    surveys = {one.name: one for one in linking_order(config)}

    def plain(name: str, table: pa.Table) -> SurveySources:
        return make_sources(surveys[name], table, np.ones(table.num_rows, bool))

    bright = {name: plain(name, part.bright()) for name, part in parts.items()}
    motion = mean_motion(bright)
    offsets = measure_offsets(bright, motion)
    density = {name: part.counter.density() for name, part in parts.items()}
    knowledge = Knowledge(density, {}, motion)
    if config.match.rule == "probabilistic":
        tables = {name: part.sample() for name, part in parts.items()}
        ones = {name: (table, np.ones(table.num_rows, bool)) for name, table in tables.items()}
        knowledge = learn_rates(prepared(ones, offsets, config), knowledge, config)
    return knowledge, offsets


def prepared(
    tables: Mapping[str, tuple[pa.Table, Any]],
    offsets: Mapping[str, Offsets],
    config: MergeConfig,
) -> dict[str, SurveySources]:
    """Rows without the offsets of their surveys."""
    cell = {}
    surveys = {one.name: one for one in linking_order(config)}
    for name, (table, core) in tables.items():
        ra, dec = numbers(table, "ra"), numbers(table, "dec")
        found = offsets[name]
        where, zero = found.position.at(ra, dec), found.zero_point.at(ra, dec)
        cell[name] = make_sources(surveys[name], table, core, where, zero)
    return cell


def merge_tables(
    tables: Mapping[str, tuple[pa.Table, Any]],
    offsets: Mapping[str, Offsets],
    knowledge: Knowledge,
    config: MergeConfig,
) -> Product:
    """Merge the rows of one cell.

    Parameters
    ----------
    tables : mapping of str to (pyarrow.Table, ndarray of bool)
        By survey: rows of the cell and its margin, and which lie in the cell itself.
    offsets, knowledge
        From `learn`.
    config : MergeConfig
    """
    cell = prepared(tables, offsets, config)
    if config.match.rule == "pilot2023":
        return cell_product(merge_cell_pilot(cell, config), config)
    return cell_product(merge_cell(cell, knowledge, config), config)
