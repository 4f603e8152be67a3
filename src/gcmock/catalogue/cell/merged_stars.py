"""The merged list while it grows: one row per star, with the sources that are linked to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.link.likelihood import SourceAstrometry
from gcmock.catalogue.order import Order
from gcmock.words.bands import SURVEY_BANDS


@dataclass
class MergedStars:
    """Stars, and their sources.

    Attributes
    ----------
    order : tuple of SurveyDefinition
        Surveys in the order of linking; the number of a survey is its place.
    side : SourceAstrometry
        Best position, motion and magnitudes so far.
    primary : ndarray of int64, shape (n_star,)
        Number of the survey that began the star.
    link : ndarray of int64, shape (n_star, n_survey)
        Source of every survey, -1 for none.
    probability : ndarray, shape (n_star, n_survey)
        Probability of the link, 1 for the source that began the star; NaN for none.
    blended : ndarray of bool, shape (n_star, n_survey)
        Whether the light of neighbours enters the magnitudes of that source.
    position_from : ndarray of int64, shape (n_star,)
        Number of the survey that the position is from.
    """

    order: Order
    side: SourceAstrometry
    primary: NDArray[np.int64]
    link: NDArray[np.int64]
    probability: Floats
    blended: NDArray[np.bool_]
    position_from: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.primary)

    def add(self, number: int, sources: SurveySources, index: NDArray[np.int64]) -> None:
        """Begin a star with every one of some sources of survey `number`."""
        n = len(index)
        link = np.full((n, len(self.order)), -1, np.int64)
        probability = np.full((n, len(self.order)), np.nan)
        link[:, number], probability[:, number] = index, 1.0
        side = SourceAstrometry(*(values[index] for values in sources.side))
        pairs = zip(self.side, side, strict=True)
        self.side = SourceAstrometry(*(np.concatenate(pair) for pair in pairs))
        self.primary = np.concatenate((self.primary, np.full(n, number, np.int64)))
        self.link = np.concatenate((self.link, link))
        self.probability = np.concatenate((self.probability, probability))
        self.blended = np.concatenate((self.blended, np.zeros_like(link, dtype=np.bool_)))
        own = np.full(n, number, np.int64)
        self.position_from = np.concatenate((self.position_from, own))

    def attach(
        self,
        number: int,
        sources: SurveySources,
        star: NDArray[np.int64],
        source: NDArray[np.int64],
        probability: Floats,
        blended: NDArray[np.bool_],
    ) -> None:
        """Link sources to stars, and take over what they measured better.

        A position is taken over if it is the better one at its own epoch; a proper motion or G if
        there is none or a better one; a magnitude if its error is smaller and it is not blended,
        or if there is none.
        """
        self.link[star, number] = source
        self.probability[star, number] = probability
        self.blended[star, number] = blended
        old, new = self.side, sources.side
        better = _size(new.error[source]) < _size(old.error[star])
        at, of = star[better], source[better]
        for name in ("ra", "dec", "epoch", "error"):
            getattr(old, name)[at] = getattr(new, name)[of]
        self.position_from[at] = number
        size_old, size_new = _size(old.motion_error[star]), _size(new.motion_error[source])
        better = np.isfinite(size_new) & ~(size_old <= size_new)
        old.motion[star[better]] = new.motion[source[better]]
        old.motion_error[star[better]] = new.motion_error[source[better]]
        has_g = np.isfinite(new.g_mag[source])
        old.g_mag[star[has_g]] = new.g_mag[source[has_g]]
        missing = np.isnan(old.mag[star])
        take = np.isfinite(new.mag[source]) & (
            missing | ((new.mag_error[source] < old.mag_error[star]) & ~blended[:, None])
        )
        old.mag[star] = np.where(take, new.mag[source], old.mag[star])
        old.mag_error[star] = np.where(take, new.mag_error[source], old.mag_error[star])


def no_stars(order: Order) -> MergedStars:
    """Return an empty list for surveys in the order of linking."""
    none, two, mags = np.empty(0), np.empty((0, 2)), np.empty((0, len(SURVEY_BANDS)))
    side = SourceAstrometry(none, none, none, two, two, two, mags, mags, none)
    shape: Any = (0, len(order))
    return MergedStars(
        order,
        side,
        np.empty(0, np.int64),
        np.empty(shape, np.int64),
        np.empty(shape),
        np.empty(shape, bool),
        np.empty(0, np.int64),
    )


def _size(error: Floats) -> Floats:
    return error[:, 0] ** 2 + error[:, 1] ** 2
