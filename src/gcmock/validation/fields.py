"""Fields of a catalogue: its observed stars, their mock, and stars of the model seen likewise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns, Floats
from gcmock.catalogue.learn.completeness import Completeness, load_completeness
from gcmock.errors import InputError
from gcmock.footprint import FEWEST, Footprint, footprint_of_list, from_stars, has_mocpy
from gcmock.frames import icrs_to_galactic_proper_motion
from gcmock.io.known_columns import CheckedSource
from gcmock.io.metadata import catalogue_metadata, recorded_config
from gcmock.io.observed import read_observed
from gcmock.io.readers.opening import open_table
from gcmock.mock.simulate import simulate
from gcmock.model import Model, load_model
from gcmock.settings.build import Config
from gcmock.settings.footprint import FootprintConfig
from gcmock.words.bands import BANDS, LINEAR_BANDS, SURVEY_BANDS, SYNTHETIC_BANDS, magnitude_name
from gcmock.words.components import COMPONENTS

N_FIELDS: Final = 4
MARGIN_MAG: Final = 0.5
_STEP_DEG: Final = 0.025
_CHUNK: Final = 200_000
_ORDER: Final = (*reversed(LINEAR_BANDS), *SYNTHETIC_BANDS)
"""The main band is the first of these that most stars have."""

_MOCK_COLUMNS: Final = (
    "source_id", "realisation", "ra", "dec", "l", "b", "distance_pc", "pmra", "pmdec", "component",
    "flags", *(f"p_{name}" for name in COMPONENTS), *(magnitude_name(band) for band in BANDS),
)  # fmt: skip


@dataclass(frozen=True)
class CatalogueField:
    """A rectangle on the sky: borders [deg], and the stars in it.

    Attributes
    ----------
    l_range, b_range : tuple of 2 floats
    observed : dict of str to ndarray
        ``mag``, ``error`` (n_star, n_band).
    mock : dict of str to ndarray
        One true star for each of them, in the same order.
    model : dict of str to ndarray
        Simulated stars of the model that the survey sees, with ``mag`` (n, n_band) as it sees them.
    """

    l_range: tuple[float, float]
    b_range: tuple[float, float]
    observed: Columns
    mock: Columns
    model: Columns


@dataclass(frozen=True)
class CatalogueFields:
    """Fields of a catalogue.

    Attributes
    ----------
    fields : tuple of CatalogueField
    band : str
        Main band, in which stars are selected.
    limits : tuple of 2 floats
        Observed magnitudes that are compared [mag].
    with_map : bool
        Whether the completeness is known from a map.
    fractions : ndarray, shape (n_band,)
        Fraction of the stars that have each band.
    footprint : Footprint, optional
        Area of the list; all of every field if not given.
    """

    fields: tuple[CatalogueField, ...]
    band: str
    limits: tuple[float, float]
    with_map: bool
    fractions: Floats
    footprint: Footprint | None = None


def settings_of_fields(mock: Path) -> Config:
    """Return the settings that a catalogue records.

    Raises
    ------
    InputError
        If it records none, or this version does not understand them.
    """
    config = recorded_config(mock, catalogue_metadata(mock)) if mock.exists() else None
    if config is None:
        raise InputError(f"{mock}: records no settings; expected a catalogue of gcmock build")
    return config


def load_fields(
    mock: Path,
    input: Path,
    completeness: Path | None,
    n_star: int,
    limits: tuple[float, float] | None,
    seed: int,
    workers: int = 1,
    footprint: FootprintConfig | None = None,
) -> CatalogueFields:
    """Choose fields of a catalogue and simulate the model in them.

    Parameters
    ----------
    mock, input : Path
        Catalogue, and the list that it was built from.
    completeness : Path, optional
        Map of ``gcmock merge``.
    n_star : int
        Stars of all fields together, about.
    limits : tuple of 2 floats, optional
        Observed magnitudes in the main band [mag]; found from the counts if not given.
    seed, workers : int
    footprint : FootprintConfig, optional
        Area of the list; guessed from its stars if none is given.

    Returns
    -------
    CatalogueFields

    Raises
    ------
    InputError
        If the tables do not belong together or cannot be used.
    """
    config = settings_of_fields(mock)
    model = load_model(config=config)
    known = None if completeness is None else load_completeness(completeness)
    listed = [
        np.column_stack((_signed(s.l), s.b, s.mag)) for s in read_observed(input, config).chunks()
    ]
    sky = np.concatenate(listed)
    fractions = np.isfinite(sky[:, 2:]).mean(axis=0)
    band = next((b for b in _ORDER if fractions[BANDS.index(b)] > 0.5), "")
    if not band:
        raise InputError(f"{input}: no band that most of its stars have")
    mag = sky[:, 2 + BANDS.index(band)]
    limits = _limits(mag) if limits is None else limits
    area = _footprint(footprint, sky[:, 0], sky[:, 1])
    windows = _windows(sky[:, :2], n_star, seed)
    seen, true = _read(windows, input, mock, config)
    fields = []
    for (l_range, b_range), observed, rows in zip(windows, seen, true, strict=True):
        drawn = simulate(
            model, l_range, b_range, ks_max=limits[1] + MARGIN_MAG, seed=seed + 5, workers=workers
        )
        if area is not None:
            inside = area.contains(drawn["l"], drawn["b"])
            drawn = {name: values[inside] for name, values in drawn.items()}
            kept = area.contains(rows["l"], rows["b"])
            observed, rows = (
                {name: values[kept] for name, values in table.items()} for table in (observed, rows)
            )
        fields.append(
            CatalogueField(
                l_range, b_range, observed, rows, _see(drawn, observed, model, known, band, seed)
            )
        )
    return CatalogueFields(tuple(fields), band, limits, known is not None, fractions, area)


def _footprint(settings: FootprintConfig | None, l_deg: Floats, b_deg: Floats) -> Footprint | None:
    """Return the area of a list: what the settings give, else a guess where one is possible."""
    if settings is not None and settings.is_given:
        return footprint_of_list(settings, l_deg, b_deg)
    if len(l_deg) < FEWEST or not has_mocpy():
        return None
    return from_stars(l_deg, b_deg)


def _signed(l_deg: Floats) -> Floats:
    return (np.asarray(l_deg) + 180.0) % 360.0 - 180.0


def _limits(mag: Floats) -> tuple[float, float]:
    """Limits between which the counts rise: up to half a magnitude before their peak."""
    good = mag[np.isfinite(mag)]
    edges = np.arange(np.floor(good.min()), good.max() + 0.25, 0.25)
    if np.unique(good).size < 2 or edges.size < 3:
        raise InputError(
            f"the input has {good.size:,} magnitudes that are hardly different: no limits follow "
            "from their counts; give --limits"
        )
    number, _ = np.histogram(good, edges)
    return float(edges[0]), float(edges[max(int(number.argmax()) - 1, 1)])


def _windows(
    sky: Floats, n_star: int, seed: int
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Rectangles around random stars, inside of the box that holds all of them."""
    low, high = sky.min(axis=0), sky.max(axis=0)
    cells = np.unique(np.floor(sky / _STEP_DEG).astype(np.int64), axis=0).shape[0]
    density = sky.shape[0] / (cells * _STEP_DEG**2)
    side = np.sqrt(n_star / N_FIELDS / density)
    size = np.minimum(np.full(2, side), high - low)
    size = np.minimum(n_star / N_FIELDS / density / size[::-1], high - low)
    rng = np.random.default_rng(seed)
    chosen: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for place in rng.permutation(sky.shape[0])[: 50 * N_FIELDS]:
        corner = np.clip(sky[place] - 0.5 * size, low, high - size)
        box = tuple((float(c), float(c + s)) for c, s in zip(corner, size, strict=True))
        apart = all(
            any(new[1] <= old[0] or new[0] >= old[1] for new, old in zip(box, other, strict=True))
            for other in chosen
        )
        if apart:
            chosen.append((box[0], box[1]))
        if len(chosen) == N_FIELDS:
            break
    return chosen


def _inside(l_deg: Floats, b_deg: Floats, window: Any) -> NDArray[np.bool_]:
    (l_low, l_high), (b_low, b_high) = window
    l_deg = _signed(l_deg)
    return (l_deg >= l_low) & (l_deg < l_high) & (b_deg >= b_low) & (b_deg < b_high)


def _read(
    windows: list[Any], input: Path, mock: Path, config: Config
) -> tuple[list[Columns], list[Columns]]:
    """Read the stars of the fields from both tables, in the same order."""
    parts: list[list[Columns]] = [[] for _ in windows]
    for stars in read_observed(input, config).chunks():
        for part, window in zip(parts, windows, strict=True):
            rows = stars.take(_inside(stars.l, stars.b, window))
            part.append({"source_id": rows.source_id, "mag": rows.mag, "error": rows.mag_error})
    seen = [_joined(part) for part in parts]
    source = CheckedSource(open_table(mock))
    missing = [name for name in _MOCK_COLUMNS if name not in source.columns]
    if missing:
        raise InputError(f"{mock}: not a mock catalogue, lacks the columns {', '.join(missing)}")
    parts = [[] for _ in windows]
    for chunk in source.chunks(_CHUNK, list(_MOCK_COLUMNS)):
        first = np.asarray(chunk["realisation"]) == 0
        for part, window in zip(parts, windows, strict=True):
            rows = first & _inside(np.asarray(chunk["l"]), np.asarray(chunk["b"]), window)
            part.append({name: np.asarray(chunk[name])[rows] for name in _MOCK_COLUMNS})
    true = [_joined(part) for part in parts]
    for i, (observed, drawn) in enumerate(zip(seen, true, strict=True)):
        ids, a, b = np.intersect1d(observed["source_id"], drawn["source_id"], return_indices=True)
        if ids.size == 0 or ids.size < 0.5 * observed["source_id"].size:
            raise InputError(
                f"{mock}: has {ids.size} of {observed['source_id'].size} stars of {input} in a "
                "field: give the list from which the catalogue was built"
            )
        seen[i] = {name: values[a] for name, values in observed.items()}
        true[i] = {name: values[b] for name, values in drawn.items()}
        true[i]["mag"] = np.column_stack([true[i][magnitude_name(band)] for band in BANDS])
        add_motion(true[i])
    return seen, true


def _joined(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def add_motion(table: Columns) -> None:
    """Add the proper motion in Galactic axes, ``pm_l`` and ``pm_b`` [mas/yr]."""
    table["pm_l"], table["pm_b"] = icrs_to_galactic_proper_motion(
        table["ra"], table["dec"], table["pmra"], table["pmdec"]
    )


def _see(
    drawn: Columns,
    observed: Columns,
    model: Model,
    known: Completeness | None,
    band: str,
    seed: int,
) -> Columns:
    """Push stars of the model through the errors of the catalogue, and its completeness."""
    rng = np.random.default_rng(seed + 6)
    n = drawn["l"].size
    mag = np.column_stack([drawn[magnitude_name(b)] for b in BANDS])
    floor = model.config.photometry.error_floor_mag
    for i, name in enumerate(BANDS):
        has = np.isfinite(observed["mag"][:, i])
        if not has.any():
            mag[:, i] = np.nan
            continue
        order = np.argsort(observed["mag"][has, i])
        bright, errors = observed["mag"][has, i][order], observed["error"][has, i][order]
        near = np.searchsorted(bright, mag[:, i]) + rng.integers(-10, 11, n)
        error = errors[near.clip(0, bright.size - 1)]
        own = np.hypot(floor, model.relations[name].scatter_mag if name in model.relations else 0.0)
        mag[:, i] += rng.normal(0.0, 1.0, n) * np.hypot(error, own)
    kept = np.ones(n, bool)
    if known is not None:
        for i, name in enumerate(BANDS):
            if name not in SURVEY_BANDS:
                continue
            chance = known.probability(
                drawn["l"], drawn["b"], drawn[magnitude_name(name)], band=name
            )
            seen = rng.random(n) < chance
            if name == band:
                kept &= seen
            mag[~seen, i] = np.nan
    table = {name: values[kept] for name, values in drawn.items()}
    table["mag"] = mag[kept]
    add_motion(table)
    return table
