"""How many sources a survey has per area and magnitude: counted while it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.healpix import pixel_area_arcsec2, pixel_of
from gcmock.catalogue.link.likelihood import N_PATTERNS
from gcmock.words.bands import BANDS, COLOUR_INDICES, GAIA_BANDS, KS, SURVEY_BANDS, G, H, J

ORDER: Final = 10
"""HEALPix order of the maps: pixels of 3.4 arcmin."""

FIRST_MAG: Final = 4.0
STEP_MAG: Final = 0.5
N_BINS: Final = 40

_BANDS: Final = (*SURVEY_BANDS, GAIA_BANDS[G])
_COLOURS: Final = tuple((BANDS.index(blue), BANDS.index(red)) for blue, red in COLOUR_INDICES)

_MMAG: Final = 1000.0
_N_SLOTS: Final = len(_BANDS) * N_BINS
_PRIOR: Final = 20.0


class Counter:
    """Counts by pixel, band and magnitude, and sums of colours; chunks may come in any order.

    Everything is counted in whole numbers (colours in mmag), so that the order of the additions
    changes nothing.
    """

    def __init__(self) -> None:
        # Nothing counted has its shape too: a survey may have no source in the window.
        self._keys = [np.empty(0, np.int64)]
        self._counts = [np.empty(0, np.int64)]
        self._pixels = [np.empty(0, np.int64)]
        self._sums = [np.empty((0, 1 + 3 * len(_COLOURS)), np.int64)]

    def add(self, ra: Floats, dec: Floats, mag: Floats, g_mag: Floats) -> None:
        """Count sources.

        Parameters
        ----------
        ra, dec : ndarray, shape (n,)
            [deg].
        mag : ndarray, shape (n, 3)
            J, H, Ks [mag].
        g_mag : ndarray, shape (n,)
            [mag].
        """
        if not len(ra):
            return
        pixel = pixel_of(ra, dec, ORDER)
        every = np.column_stack((mag, g_mag))
        for band in range(len(_BANDS)):
            seen = np.isfinite(every[:, band])
            if seen.any():
                place = np.floor((every[seen, band] - FIRST_MAG) / STEP_MAG).astype(np.int64)
                place = np.clip(place, 0, N_BINS - 1) + band * N_BINS
                keys, counts = np.unique(pixel[seen] * _N_SLOTS + place, return_counts=True)
                self._keys.append(keys)
                self._counts.append(counts)
        pixels, inverse = np.unique(pixel, return_inverse=True)
        sums = np.zeros((len(pixels), 1 + 3 * len(_COLOURS)), np.int64)
        np.add.at(sums[:, 0], inverse, 1)
        for k, (blue, red) in enumerate(_COLOURS):
            colour = np.rint((mag[:, blue] - mag[:, red]) * _MMAG)
            good = np.isfinite(colour) & (np.abs(colour) < 10 * _MMAG)
            whole = colour[good].astype(np.int64)
            for part, values in enumerate((np.ones_like(whole), whole, whole * whole)):
                np.add.at(sums[:, 1 + 3 * k + part], inverse[good], values)
        self._pixels.append(pixels)
        self._sums.append(sums)

    def state(self) -> dict[str, NDArray[np.int64]]:
        """Return all counts, each once and in order, as arrays that can be stored."""
        keys, counts = _added(self._keys, self._counts)
        pixels, sums = _added(self._pixels, self._sums)
        self._keys, self._counts = [keys], [counts]
        self._pixels, self._sums = [pixels], [sums]
        return {"keys": keys, "counts": counts, "pixels": pixels, "sums": sums}

    def add_state(self, state: dict[str, Any]) -> None:
        """Add the counts of another counter."""
        self._keys.append(state["keys"])
        self._counts.append(state["counts"])
        self._pixels.append(state["pixels"])
        self._sums.append(state["sums"])

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Counter:
        """Return a counter that goes on from a stored state."""
        counter = cls()
        counter.add_state(state)
        return counter

    def density(self) -> Density:
        """Return the densities that follow from the counts."""
        state = self.state()
        pixels, sums = state["pixels"], state["sums"]
        counts = np.zeros((len(pixels) + 1, _N_SLOTS), np.int64)
        at = np.searchsorted(pixels, state["keys"] // _N_SLOTS)
        counts[at, state["keys"] % _N_SLOTS] = state["counts"]
        counts[-1] = counts[:-1].sum(axis=0)
        total = np.vstack((sums, sums.sum(axis=0)))
        return Density(pixels, *_smooth(counts, total))


def _added(keys: list[Any], values: list[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum values of equal keys."""
    every, weight = np.concatenate(keys), np.concatenate(values)
    unique, inverse = np.unique(every, return_inverse=True)
    summed = np.zeros((len(unique), *weight.shape[1:]), np.int64)
    np.add.at(summed, inverse, weight)
    return unique, summed


def _smooth(counts: NDArray[np.int64], sums: NDArray[np.int64]) -> tuple[Any, ...]:
    """Turn counts of pixels (the last row is all of them) into densities and colours."""
    n_pixel = max(len(counts) - 1, 1)
    number = sums[:, 0].astype(np.float64)
    number[-1] /= n_pixel
    shape = counts.reshape(len(counts), len(_BANDS), N_BINS).astype(np.float64)
    whole = shape[-1] / np.maximum(shape[-1].sum(axis=-1, keepdims=True), 1.0) + 1e-6
    # A pixel has few sources per bin: the distribution of the whole field fills in.
    in_band = shape.sum(axis=-1, keepdims=True)
    smooth = (shape + _PRIOR * whole) / (in_band + _PRIOR)
    area = pixel_area_arcsec2(ORDER)
    in_band[-1] /= n_pixel
    rate = (in_band + 0.5) * smooth / (area * STEP_MAG)
    mean = np.zeros((len(counts), len(_COLOURS)))
    sigma = np.zeros_like(mean)
    for k in range(len(_COLOURS)):
        n, first, second = sums[:, 1 + 3 * k : 4 + 3 * k].T.astype(np.float64)
        base = (first[-1] + 1000.0) / (n[-1] + 1.0)
        spread = second[-1] / max(n[-1], 1.0) - (first[-1] / max(n[-1], 1.0)) ** 2
        mean[:, k] = (first + _PRIOR * base) / (n + _PRIOR)
        around = (second - 2 * mean[:, k] * first + n * mean[:, k] ** 2).clip(min=0)
        sigma[:, k] = np.sqrt((around + _PRIOR * max(spread, 3e5)) / (n + _PRIOR))
    return np.log((number + 0.5) / area), np.log(rate), mean / _MMAG, sigma / _MMAG


@dataclass(frozen=True)
class Density:
    """Densities of a survey; the last row of every array is that of places without a source.

    Parameters
    ----------
    pixels : ndarray of int64, shape (n_pixel,)
        HEALPix pixels of `ORDER`, ascending.
    log_number : ndarray, shape (n_pixel + 1,)
        Log of the sources per arcsec².
    log_rate : ndarray, shape (n_pixel + 1, n_band, n_bin)
        Log of the sources per arcsec² and magnitude, by band (J, H, Ks, G) and magnitude.
    colour, colour_sigma : ndarray, shape (n_pixel + 1, 3)
        Mean and standard deviation of `gcmock.words.bands.COLOUR_INDICES` [mag].
    """

    pixels: NDArray[np.int64]
    log_number: Floats
    log_rate: Floats
    colour: Floats
    colour_sigma: Floats

    def rows(self, ra: Floats, dec: Floats) -> NDArray[np.int64]:
        """Return the rows of the arrays for positions [deg]."""
        pixel = pixel_of(ra, dec, ORDER)
        if not len(self.pixels):
            return np.zeros(len(ra), np.int64)
        row = np.searchsorted(self.pixels, pixel).clip(max=len(self.pixels) - 1)
        return np.where(self.pixels[row] == pixel, row, len(self.pixels))

    def log_density(self, ra: Floats, dec: Floats, mag: Floats, g_mag: Floats) -> Floats:
        """Return the log density of sources like the given ones.

        Parameters
        ----------
        ra, dec : ndarray, shape (n,)
        mag : ndarray, shape (n, 3)
        g_mag : ndarray, shape (n,)

        Returns
        -------
        ndarray, shape (n, N_PATTERNS)
            By the set of bands that are compared; NaN where one of them is missing.
        """
        row = self.rows(ra, dec)
        j, h, ks = (1 << place for place in (J, H, KS))
        rate = {1 << k: self._rate(row, mag[:, k], k) for k in (J, H, KS)}
        colour = {
            (blue, red): self._colour(row, mag[:, blue] - mag[:, red], k)
            for k, (blue, red) in enumerate(_COLOURS)
        }
        result = np.empty((len(ra), N_PATTERNS))
        has_g = np.isfinite(g_mag)
        g_rate = self._rate(row, g_mag, len(SURVEY_BANDS))
        result[:, 0] = np.where(has_g, g_rate, self.log_number[row])
        result[:, j], result[:, h], result[:, ks] = rate[j], rate[h], rate[ks]
        result[:, j | h] = rate[h] + colour[J, H]
        result[:, j | ks] = rate[ks] + colour[J, KS]
        result[:, h | ks] = rate[ks] + colour[H, KS]
        result[:, j | h | ks] = rate[ks] + colour[H, KS] + colour[J, H]
        return result

    def _rate(self, row: NDArray[np.int64], mag: Floats, band: int) -> Floats:
        """Log of the density at magnitudes, linear between the centres of bins."""
        place = (np.where(np.isfinite(mag), mag, FIRST_MAG) - FIRST_MAG) / STEP_MAG - 0.5
        place = place.clip(0, N_BINS - 1)
        low = np.floor(place).astype(np.int64).clip(max=N_BINS - 2)
        part = place - low
        values = (1 - part) * self.log_rate[row, band, low] + part * self.log_rate[
            row, band, low + 1
        ]
        return np.where(np.isfinite(mag), values, np.nan)

    def _colour(self, row: NDArray[np.int64], colour: Floats, k: int) -> Floats:
        """Log of the density of a colour."""
        sigma = self.colour_sigma[row, k]
        known = np.isfinite(colour)
        x = (np.where(known, colour, 0.0) - self.colour[row, k]) / sigma
        # Foreground and background are not one normal distribution: its wings are too thin.
        wings = np.log(0.05 / 8.0)
        normal = np.log(0.95) - 0.5 * x * x - np.log(sigma) - 0.5 * np.log(2 * np.pi)
        return np.where(known, np.logaddexp(normal, wings), np.nan)
