"""Which fraction of the stars a survey, or the merged catalogue, detects: by place and magnitude.

Every survey is judged by the stars that other surveys have: of n such stars in a pixel of the sky
and a bin of magnitude it has k. Two surveys that detect stars independently of one another miss a
star both with the product of their probabilities to miss it (Lincoln 1930 and Petersen 1896, the
estimate of capture and recapture); so do more of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.healpix import pixel_of
from gcmock.catalogue.order import linking_order
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs
from gcmock.io.metadata import read_metadata
from gcmock.io.writers.writer import open_writer
from gcmock.settings.merge import MergeConfig
from gcmock.surveys.definition import N_NAME
from gcmock.words.bands import SURVEY_BANDS, magnitude_name, mask_of
from gcmock.words.columns import Column

COMPLETENESS_FILE: Final = "_completeness.parquet"
"""Name of the map in the folder of a merged catalogue."""

MERGED: Final = "merged"
"""Name under which the merged catalogue itself is listed."""

FIRST_MAG: Final = 6.0
STEP_MAG: Final = 0.5
N_BINS: Final = 30

_N_BAND: Final = len(SURVEY_BANDS)
_EVERY_BAND: Final = mask_of(*SURVEY_BANDS)

COLUMNS: Final = (
    Column("survey", f"U{N_NAME}", "", "meta.ref", "Survey, or 'merged'"),
    Column("band", "U2", "", "instr.bandpass", "Band"),
    Column("healpix", "int64", "", "pos.healpix", "Nested HEALPix pixel (ICRS); -1: all of them"),
    Column(
        "mag_low", "float64", "mag", "phot.mag;stat.min", "Bright end of the bin (2MASS system)"
    ),
    Column("mag_high", "float64", "mag", "phot.mag;stat.max", "Faint end of the bin"),
    Column("n_sample", "int64", "", "meta.number", "Stars that other surveys have"),
    Column("n_found", "int64", "", "meta.number", "Those of them that the survey has"),
    Column("completeness", "float64", "", "stat.fit.param", "Probability of detection"),
    Column("density", "float64", "deg**-2", "src.density", "Stars of the catalogue per area"),
)
"""Columns of the file."""


@dataclass(frozen=True)
class Completeness:
    """Probability of detection by survey, band, pixel and magnitude.

    Parameters
    ----------
    order : int
        HEALPix order of the pixels.
    pixels : ndarray of int64, shape (n_pixel,)
        Ascending.
    surveys : tuple of str
        Surveys, and `MERGED`.
    sample, found : ndarray of int64, shape (n_survey, 3, n_pixel + 1, N_BINS)
        Stars; the last pixel stands for all of them.
    value : ndarray, shape (n_survey, 3, n_pixel + 1, N_BINS)
        Completeness; NaN where nothing is known.
    density : ndarray, shape (n_pixel + 1,)
        Stars of the merged catalogue per square degree.
    """

    order: int
    pixels: NDArray[np.int64]
    surveys: tuple[str, ...]
    sample: NDArray[np.int64]
    found: NDArray[np.int64]
    value: Floats
    density: Floats

    def probability(
        self,
        l_deg: ArrayLike,
        b_deg: ArrayLike,
        mag: ArrayLike,
        *,
        band: str = "ks",
        survey: str = MERGED,
    ) -> Floats:
        """Return the probability that stars are detected.

        Linear in magnitude between the centres of bins; pixels without stars have the values of
        the whole window. Stars brighter than all that were seen have the value of the brightest
        bin: there are none because they are rare. Fainter ones than all are not detected.

        Parameters
        ----------
        l_deg, b_deg : array_like, shape (n,)
            Galactic coordinates [deg].
        mag : array_like, shape (n,)
            True magnitude in the 2MASS system [mag].
        band : str
            "j", "h" or "ks".
        survey : str
            One of `surveys`.

        Returns
        -------
        ndarray, shape (n,)
            0 for stars fainter than all that were seen, and without a magnitude.

        Raises
        ------
        InputError
            If the survey or the band is not in the map.
        """
        if survey not in self.surveys or band not in SURVEY_BANDS:
            raise InputError(
                f"no completeness of {survey!r} in {band!r}: the map has the surveys "
                f"{', '.join(self.surveys)} in {', '.join(SURVEY_BANDS)}"
            )
        value = _filled(self.value[self.surveys.index(survey), SURVEY_BANDS.index(band)])
        ra, dec = galactic_to_icrs(np.atleast_1d(l_deg), np.atleast_1d(b_deg))
        pixel = pixel_of(ra, dec, self.order)
        row = np.full(len(pixel), len(self.pixels))
        if len(self.pixels):
            at = np.searchsorted(self.pixels, pixel).clip(max=len(self.pixels) - 1)
            row = np.where(self.pixels[at] == pixel, at, row)
        place = (np.atleast_1d(np.asarray(mag, dtype=np.float64)) - FIRST_MAG) / STEP_MAG - 0.5
        known = np.isfinite(place)
        place = np.where(known, place, 0.0).clip(0.0, N_BINS - 1.0)
        low = np.floor(place).astype(np.int64).clip(max=N_BINS - 2)
        part = place - low
        result = (1.0 - part) * value[row, low] + part * value[row, low + 1]
        return np.where(known, result, 0.0)

    def write(self, path: Path, metadata: Mapping[str, str]) -> None:
        """Write the map as Parquet, one row per survey, band, pixel and bin with stars."""
        survey, band, pixel, place = np.nonzero(np.isfinite(self.value))
        at = (survey, band, pixel, place)
        words = {
            "creator": metadata.get("creator", "gcmock"),
            "content": "completeness of surveys by place and magnitude",
            "healpix_order": str(self.order),
            "surveys": json.dumps(self.surveys),
            "config": metadata.get("config", ""),
        }
        with open_writer(path, COLUMNS, words, overwrite=True) as writer:
            writer.write(
                {
                    "survey": np.array(self.surveys)[survey],
                    "band": np.array(SURVEY_BANDS)[band],
                    "healpix": np.append(self.pixels, -1)[pixel],
                    "mag_low": FIRST_MAG + STEP_MAG * place,
                    "mag_high": FIRST_MAG + STEP_MAG * (place + 1),
                    "n_sample": self.sample[at],
                    "n_found": self.found[at],
                    "completeness": self.value[at],
                    "density": self.density[pixel],
                }
            )


def _filled(value: Floats) -> Floats:
    """Values of bins in which nothing is known, by those that are known, (n_row, N_BINS)."""
    place = np.arange(N_BINS)
    result = np.zeros_like(value)
    for row, values in enumerate(value):
        known = np.isfinite(values)
        if known.any():
            result[row] = np.interp(place, place[known], values[known], right=0.0)
    return result


def load_completeness(path: str | Path) -> Completeness:
    """Read the map of a merged catalogue.

    Parameters
    ----------
    path : str or Path
        The file, or the folder of the catalogue.

    Returns
    -------
    Completeness

    Raises
    ------
    InputError
        If it is no such map.
    """
    import pyarrow.parquet as pq

    path = Path(path)
    if path.is_dir():
        path = path / COMPLETENESS_FILE
    if not path.is_file():
        raise InputError(f"{path}: no such file; gcmock merge writes it with its catalogue")
    words = read_metadata(path)
    if "healpix_order" not in words:
        raise InputError(f"{path}: not a map of completeness, which gcmock merge writes")
    table = pq.read_table(path, partitioning=None)
    rows = {name: table.column(name).to_numpy() for name in table.column_names}
    surveys = tuple(json.loads(words["surveys"]))
    pixels = np.unique(rows["healpix"][rows["healpix"] >= 0])
    shape = (len(surveys), len(SURVEY_BANDS), len(pixels) + 1, N_BINS)
    number = {name: k for k, name in enumerate(surveys)}
    at = (
        np.array([number[name] for name in rows["survey"].tolist()], dtype=np.int64),
        np.array([SURVEY_BANDS.index(band) for band in rows["band"].tolist()], dtype=np.int64),
        np.where(rows["healpix"] < 0, len(pixels), np.searchsorted(pixels, rows["healpix"])),
        np.rint((rows["mag_low"] - FIRST_MAG) / STEP_MAG).astype(np.int64),
    )
    sample, found = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    value, density = np.full(shape, np.nan), np.zeros(len(pixels) + 1)
    sample[at], found[at], value[at] = rows["n_sample"], rows["n_found"], rows["completeness"]
    density[at[2]] = rows["density"]
    return Completeness(int(words["healpix_order"]), pixels, surveys, sample, found, value, density)


def measure_completeness(chunks: Iterable[Mapping[str, Any]], config: MergeConfig) -> Completeness:
    """Measure the completeness of the surveys and of the catalogue that they were merged into.

    Parameters
    ----------
    chunks : iterable of mapping of str to ndarray
        Rows of the catalogue, with ``ra``, ``dec``, the magnitudes and ``detections``.
    config : MergeConfig
        Its [completeness].
    """
    given = {one.survey for one in config.survey}
    infrared = [
        (number, survey.name)
        for number, survey in enumerate(linking_order(config))
        if survey.is_infrared and survey.name in given
    ]
    order = config.completeness.order
    counts: dict[int, NDArray[np.int64]] = {}
    for chunk in chunks:
        _count(chunk, infrared, order, counts)
    pixels = np.array(sorted(counts), dtype=np.int64)
    n_survey = len(infrared)
    shape = (len(pixels), 2 * n_survey + 1, _N_BAND, N_BINS)
    whole = np.array([counts[p] for p in pixels.tolist()], dtype=np.int64).reshape(shape)
    whole = np.concatenate((whole, whole.sum(axis=0, keepdims=True)))
    sample = np.moveaxis(whole[:, :n_survey], 0, 2)
    found = np.moveaxis(whole[:, n_survey : 2 * n_survey], 0, 2)
    stars = whole[:, -1, 0, 0]
    value = _fractions(sample, found, config.completeness.prior_stars)
    # A star is in the catalogue if any survey has it.
    known = np.isfinite(value)
    merged = 1.0 - np.prod(np.where(known, 1.0 - np.nan_to_num(value), 1.0), axis=0)
    merged = np.where(known.any(axis=0), merged, np.nan)
    any_sample = sample.max(axis=0) if n_survey else np.zeros_like(merged, dtype=np.int64)
    area = 4.0 * 180.0**2 / np.pi / (12 * 4**order)
    density = stars / area
    density[-1] /= max(len(pixels), 1)
    return Completeness(
        order,
        pixels,
        (*(name for _, name in infrared), MERGED),
        np.concatenate((sample, any_sample[None])),
        np.concatenate((found, np.rint(np.nan_to_num(merged) * any_sample)[None].astype(np.int64))),
        np.concatenate((value, merged[None])),
        density,
    )


def _count(
    chunk: Mapping[str, Any],
    infrared: list[tuple[int, str]],
    order: int,
    counts: dict[int, NDArray[np.int64]],
) -> None:
    """Add the stars of a chunk: samples by survey, those found by survey, and their number."""
    pixel = pixel_of(chunk["ra"], chunk["dec"], order)
    bits = chunk["detections"].astype(np.int64)
    every = np.int64(0)
    for number, _ in infrared:
        every |= _EVERY_BAND << (_N_BAND * number)
    for one in np.unique(pixel).tolist():
        here = pixel == one
        shape = (2 * len(infrared) + 1, _N_BAND, N_BINS)
        table = counts.setdefault(one, np.zeros(shape, np.int64))
        table[-1, 0, 0] += int(here.sum())
        for k, (number, _) in enumerate(infrared):
            others = (bits[here] & every & ~(_EVERY_BAND << (_N_BAND * number))) != 0
            for band, name in enumerate(SURVEY_BANDS):
                mag = chunk[magnitude_name(name)][here]
                place = np.floor((mag - FIRST_MAG) / STEP_MAG)
                good = np.isfinite(place) & (place >= 0) & (place < N_BINS)
                # The magnitude must be known from another survey in this very band.
                band_bits = sum(
                    1 << (_N_BAND * other + band) for other, _ in infrared if other != number
                )
                good &= others & ((bits[here] & band_bits) != 0)
                has = (bits[here] >> (_N_BAND * number + band)) & 1 == 1
                index = place[good].astype(np.int64)
                table[k, band] += np.bincount(index, minlength=N_BINS)
                table[len(infrared) + k, band] += np.bincount(
                    place[good & has].astype(np.int64), minlength=N_BINS
                )


def _fractions(sample: NDArray[np.int64], found: NDArray[np.int64], prior: float) -> Floats:
    """Fractions of stars that are found, drawn to those of the whole window where there are few."""
    n_all, k_all = sample[:, :, -1:].astype(float), found[:, :, -1:].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n_all > 0, k_all / n_all, np.nan)
    value = (found + prior * mean) / (sample + prior)
    # Pixels that a survey has not looked at: none of many stars is found.
    covered = found.sum(axis=-1, keepdims=True) > 0
    value = np.where(covered | (sample.sum(axis=-1, keepdims=True) == 0), value, 0.0)
    value[:, :, -1:] = mean
    return np.asarray(value)
