"""Learn from a sample of the sky which shares of stars and sources have a partner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from gcmock.catalogue.density import ORDER
from gcmock.catalogue.healpix import pixel_of
from gcmock.catalogue.linking import N_MAG, Rates, magnitude_bin, rank_mag
from gcmock.catalogue.merging import Knowledge, merge_cell, probability_missed
from gcmock.catalogue.reality import learn_reality
from gcmock.catalogue.settings import MergeConfig
from gcmock.catalogue.sources import Sources
from gcmock.catalogue.traits import BACKBONE

N_ROUNDS: Final = 2
"""Times that the sample is merged, each with the rates of the time before."""

_LEAST: Final = 0.02
_PRIOR: Final = 4.0


def learn_rates(
    sample: Mapping[str, Sources], knowledge: Knowledge, config: MergeConfig
) -> Knowledge:
    """Return knowledge with the rates that a sample shows.

    Parameters
    ----------
    sample : mapping of str to Sources
        Sources of all surveys in some pixels of the sky.
    knowledge : Knowledge
    config : MergeConfig
    """
    for _ in range(N_ROUNDS):
        cell = merge_cell(sample, knowledge, config)
        stars = cell.stars
        rank = magnitude_bin(rank_mag(stars.side))
        pixel = pixel_of(stars.side.ra, stars.side.dec, ORDER)
        rates = {}
        for number, sources in cell.surveys.items():
            if not len(sources):
                continue
            covered = np.unique(pixel_of(sources.side.ra, sources.side.dec, ORDER))
            # Stars that were there before this survey, where it has looked.
            before = np.isin(pixel, covered) & (stars.primary < number)
            linked = before & (stars.link[:, number] >= 0)
            detected = _share(rank[linked], rank[before])
            sources_rank = magnitude_bin(rank_mag(sources.side))
            begun = stars.link[stars.primary == number, number]
            new = _share(sources_rank[begun], sources_rank)
            # Stars that others have, as the sky goes on where a survey ends.
            others = np.isin(pixel, covered) & (np.delete(stars.link, number, axis=1) >= 0).any(
                axis=1
            )
            mine = others & (stars.link[:, number] >= 0)
            rates[BACKBONE[number]] = Rates(detected, new, _share(rank[mine], rank[others]))
        knowledge = replace(knowledge, rates=rates)
        missed = probability_missed(stars, cell.surveys, knowledge)
        reality = learn_reality(stars, cell.surveys, missed, config.cleaning)
        knowledge = replace(knowledge, reality=reality)
    return knowledge


def _share(some: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Share of each magnitude, drawn to that of all magnitudes where there are few."""
    n_some = np.bincount(some, minlength=N_MAG)[:N_MAG]
    n_whole = np.bincount(whole, minlength=N_MAG)[:N_MAG]
    mean = (n_some.sum() + 1.0) / (n_whole.sum() + 2.0)
    return ((n_some + _PRIOR * mean) / (n_whole + _PRIOR)).clip(_LEAST, 1.0 - _LEAST)
