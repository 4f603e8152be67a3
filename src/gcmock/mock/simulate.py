"""Stars from the model alone: the catalogue of a window, and a mock survey of it.

A seed is one sky: every patch of the extinction map has its own random stream, so that two windows
that overlap hold the same stars where they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns, Floats
from gcmock.counts import expected_counts
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, galactic_to_icrs_proper_motion
from gcmock.io.beside import take_left_behind
from gcmock.io.provenance import creator, own_files
from gcmock.io.space import BYTES_PER_TRUE_STAR, check_space
from gcmock.io.writers.folder import TableWriter, open_output
from gcmock.mock.patches import BrightFirst, Drawn, bright_first, draw_patches
from gcmock.mock.sky import Range, SkyWindow, check_window, layout, make_patches, window_cells
from gcmock.mock.survey import SURVEY_COLUMNS, Detection, SurveyModel
from gcmock.mock.survey import survey as observe
from gcmock.model import Model, load_model
from gcmock.pool import in_order
from gcmock.progress import Progress
from gcmock.random import star_key, uniform
from gcmock.settings.build import USUAL_EPOCH, Config
from gcmock.stars.bands import with_synthetic
from gcmock.words.bands import BANDS, KS, magnitude_name
from gcmock.words.columns import TRUTH_COLUMNS, Column
from gcmock.words.components import COMPONENTS

Result = TypeVar("Result")

VELOCITY_STREAM = -2
"""Stands for the realisation in keys: no draw from a posterior ever shares this stream."""

_CELLS_PER_BLOCK = 16
_NUMBER_BITS = 24
MAX_ROWS = 20_000_000
"""Stars that are drawn without being asked twice: five gigabytes."""

_RAYS, _FEW = 3, 1e4
_DENSEST = 3e9
"""Stars per square degree towards the Galactic centre, about: all of them [deg^-2]."""


def simulate(
    model: Model,
    l_range: Range,
    b_range: Range,
    *,
    ks_max: float = 15.5,
    seed: int = 1,
    workers: int = 1,
    ref_epoch: float = USUAL_EPOCH,
    progress: Progress | None = None,
) -> Columns:
    """Draw every star of the model in a window down to a magnitude.

    Parameters
    ----------
    model : Model
        The model.
    l_range, b_range : tuple of 2 floats
        Borders [deg]. Longitudes in -180 ... 180 or 0 ... 360; (359, 1) crosses the centre.
    ks_max : float
        Faintest true, reddened Ks [mag].
    seed : int
        Seed of the sky.
    workers : int
        Threads. The result does not depend on it.
    ref_epoch : float
        Epoch of the positions [Julian year].
    progress : callable, optional
        Called with the numbers of finished and of all cells of 0.025 deg.

    Returns
    -------
    dict of str to ndarray, shape (n_star,)
        The columns `gcmock.words.columns.TRUTH_COLUMNS`. Magnitudes are of the model, without the
        error floor; synthetic bands such as Hw follow from J and H.

    Raises
    ------
    InputError
        If the window is empty, or a border or the magnitude is not a number.
    OutsideModelError
        If the window is not entirely on the extinction map.
    """
    window = check_window(model.extinction_map, l_range, b_range)
    parts = list(simulate_blocks(model, window, ks_max, seed, ref_epoch, workers, progress))
    return {
        column.name: np.concatenate([part[column.name] for part in parts])
        for column in TRUTH_COLUMNS
    }


def simulate_to_file(
    output: str | Path,
    l_range: Range,
    b_range: Range,
    config: Config,
    *,
    model: Model | None = None,
    ks_max: float = 15.5,
    seed: int = 1,
    survey: bool | SurveyModel = False,
    detection: tuple[str, Detection] | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> int:
    """Simulate a window into a file, block by block.

    Parameters
    ----------
    output : str or Path
        Parquet, FITS, VOTable or ECSV by suffix; without suffix a folder of Parquet files.
    l_range, b_range, ks_max, seed, workers, progress
        See `simulate`.
    config : Config
        Settings of the model.
    model : Model, optional
        The model of these settings; it is loaded if not given.
    survey : bool or SurveyModel
        Write observed stars, the input of ``gcmock build``, and every true star down to `ks_max`
        beside them, in ``<stem>_truth<suffix>``. Stars that are neighbours in the file are
        neighbours on the sky, about: cells of 0.025 deg follow one another.
    detection : tuple of str and callable, optional
        Probability that the survey detects a star, in place of its own, and where it comes from,
        for the metadata.
    overwrite : bool
        Replace existing files.

    Returns
    -------
    int
        Rows of `output`.

    Raises
    ------
    InputError
        See `simulate` and `gcmock.io.writers.writer.open_writer`.
    """
    output = Path(output)
    model = model or load_model(config=config)
    window = check_window(model.extinction_map, l_range, b_range)
    settings = survey if isinstance(survey, SurveyModel) else SurveyModel()
    metadata = simulation_record(model, l_range, b_range, config, ks_max, seed)
    with ExitStack() as stack:

        def opened(path: Path, columns: Sequence[Column], words: dict[str, str]) -> TableWriter:
            size = config.run.partition_size
            table = open_output(path, columns, words, size, overwrite=overwrite)
            return stack.enter_context(table)

        if survey:
            beside = truth_beside(output)
            take_left_behind(beside, output)
            observed = metadata | {
                "content": "mock survey of simulated stars",
                "survey": repr(settings),
            }
            if detection is not None:
                observed["completeness"] = detection[0]
            # What is opened first gets its name last.
            main = opened(output, SURVEY_COLUMNS, observed)
            truth_file = opened(beside, TRUTH_COLUMNS, metadata)
        else:
            main = truth_file = opened(output, TRUTH_COLUMNS, metadata)

        def finish(truth: Columns) -> tuple[Columns, Columns | None]:
            if not survey:
                return truth, None
            probability = None if detection is None else detection[1]
            zero_point = config.parallax.zero_point_mas
            return truth, observe(truth, seed, settings, probability, zero_point_mas=zero_point)

        sky = ks_max, seed, config.input.ref_epoch
        for truth, seen in _blocks(finish, model, window, *sky, workers, progress):
            truth_file.write(truth)
            if seen is not None:
                main.write(seen)
        return main.n_rows


def truth_beside(output: Path) -> Path:
    """Return the name of the true stars beside a simulated survey."""
    return output.with_name(f"{output.stem}_truth{output.suffix}")


def check_number(
    model: Model, window: SkyWindow, ks_max: float, output: Path, max_rows: int
) -> None:
    """Estimate the stars of a window, and refuse what would fill the disk.

    Parameters
    ----------
    model, ks_max
        See `simulate`.
    window : SkyWindow
        From `check_window`.
    output : Path
        Where they are to be written.
    max_rows : int
        Most of them that are drawn.

    Raises
    ------
    InputError
        If they are more than `max_rows`, or have no room.
    """
    area = (window.l_max - window.l_min) * (window.b_max - window.b_min)
    area *= float(np.cos(np.radians(0.5 * (window.b_min + window.b_max))))
    l_deg, b_deg = np.meshgrid(
        *(
            low + (np.arange(_RAYS) + 0.5) * (high - low) / _RAYS
            for low, high in ((window.l_min, window.l_max), (window.b_min, window.b_max))
        )
    )
    # Cells without reddening are left out.
    known = np.isfinite(model.reddening(l_deg.ravel(), b_deg.ravel())[0])
    if not known.any() or area * _DENSEST < _FEW or not np.isfinite(ks_max):
        return
    edges = np.array([-np.inf, ks_max])
    rays = l_deg.ravel()[known], b_deg.ravel()[known]
    n = float(expected_counts(model, *rays, "ks", edges, area).sum(axis=(1, 2)).mean())
    if n > max_rows:
        raise InputError(
            f"{output}: about {n:,.0f} stars are expected down to Ks = {ks_max:g}, about "
            f"{n * BYTES_PER_TRUE_STAR / 1e9:,.1f} GB; --max-rows {max_rows:,} allows fewer: "
            "take a brighter --ks-max or a smaller window, or raise it if all of them are meant"
        )
    check_space(output, n, BYTES_PER_TRUE_STAR, "a brighter --ks-max, or a smaller window")


def simulation_record(
    model: Model, l_range: Range, b_range: Range, config: Config, ks_max: float, seed: int
) -> dict[str, str]:
    """Return how simulated stars were made, for the metadata of their table.

    Parameters
    ----------
    model, l_range, b_range, ks_max, seed
        See `simulate`.
    config : Config
        Settings of the model.
    """
    window = check_window(model.extinction_map, l_range, b_range)
    return {
        "creator": creator(),
        "content": "stars simulated from the model alone",
        "config": config.to_toml(),
        **own_files(config),
        "seed": str(seed),
        "window_deg": f"{window.l_min:g} <= l < {window.l_max:g}, "
        f"{window.b_min:g} <= b < {window.b_max:g}",
        "ks_max": f"{ks_max:g}",
    }


def simulate_blocks(
    model: Model,
    window: SkyWindow,
    ks_max: float,
    seed: int,
    ref_epoch: float = USUAL_EPOCH,
    workers: int = 1,
    progress: Progress | None = None,
) -> Iterator[Columns]:
    """Yield the stars of a window, some cells at a time, always in the same order.

    Parameters
    ----------
    model, ks_max, seed, ref_epoch, workers, progress
        See `simulate`.
    window : SkyWindow
        From `check_window`.

    Raises
    ------
    InputError
        If `ks_max` is not a number.
    """
    sky = ks_max, seed, ref_epoch
    yield from _blocks(lambda truth: truth, model, window, *sky, workers, progress)


def _blocks(
    finish: Callable[[Columns], Result],
    model: Model,
    window: SkyWindow,
    ks_max: float,
    seed: int,
    ref_epoch: float,
    workers: int,
    progress: Progress | None,
) -> Iterator[Result]:
    """Yield what a function makes of the stars of a window, some cells at a time."""
    if not np.isfinite(ks_max):
        raise InputError(f"ks_max = {ks_max}: expected a magnitude")
    cells = window_cells(model.extinction_map, window)
    blocks = np.split(cells, range(_CELLS_PER_BLOCK, cells.size, _CELLS_PER_BLOCK))
    nodes = bright_first(model.populations)

    def work(block: NDArray[np.int64]) -> tuple[int, Result]:
        truth = _simulate_cells(model, nodes, block, window, ks_max, seed)
        truth["ref_epoch"] = np.full(len(truth["source_id"]), ref_epoch)
        return block.size, finish(truth)

    done = 0
    for size, result in in_order(work, blocks, workers):
        yield result
        done += size
        if progress is not None:
            progress(done, cells.size)


def _simulate_cells(
    model: Model,
    nodes: BrightFirst,
    cells: NDArray[np.int64],
    window: SkyWindow,
    ks_max: float,
    seed: int,
) -> Columns:
    """Stars of some cells, cut to the window."""
    where = layout(model, cells)
    groups = np.array(model.populations.of_component, np.int64)
    patches = make_patches(model, where, seed)
    stars = draw_patches(patches, nodes, groups, model.grid.edges_pc, ks_max)
    patch = stars.patch
    l_deg = where.l_low_deg[patch] + stars.along_l * where.side_deg[patch]
    sin_low, sin_high = where.sin_b
    sin_b = sin_low[patch] + stars.along_b * (sin_high - sin_low)[patch]
    b_deg = np.degrees(np.arcsin(sin_b))
    inside = (l_deg >= window.l_min) & (l_deg < window.l_max)
    inside &= (b_deg >= window.b_min) & (b_deg < window.b_max)
    if not inside.all():
        stars = stars.take(inside)
        l_deg, b_deg = l_deg[inside], b_deg[inside]
    source_id = (where.identity[stars.patch] << _NUMBER_BITS) + stars.number
    return _table(model, nodes, source_id, l_deg, b_deg, stars, seed)


def _table(
    model: Model,
    nodes: BrightFirst,
    source_id: NDArray[np.int64],
    l_deg: Floats,
    b_deg: Floats,
    stars: Drawn,
    seed: int,
) -> Columns:
    """Columns of a true star, velocities included."""
    distance, e_jks, node = stars.distance_pc, stars.e_jks, stars.node
    key = star_key(seed, source_id, VELOCITY_STREAM)
    x, y, z = model.galaxy.position(l_deg, b_deg, distance)
    velocity = model.galaxy.sample_velocity(
        stars.component, x, y, z, lambda attempt, rows: uniform(key[rows], 3 * attempt, 3)
    )
    seen = model.galaxy.observables(l_deg, b_deg, distance, velocity)
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    pmra, pmdec = galactic_to_icrs_proper_motion(l_deg, b_deg, seen.pm_l_cosb, seen.pm_b)
    extinction = model.law.kappa(l_deg, b_deg) * e_jks[:, None]
    linear_mag = nodes.mag[node] + (5.0 * np.log10(distance) - 5.0)[:, None] + extinction
    mag = with_synthetic(linear_mag, model.relations)
    n = source_id.size
    return {
        "source_id": source_id,
        "realisation": np.zeros(n, np.int32),
        "ra": ra,
        "dec": dec,
        "l": l_deg,
        "b": b_deg,
        "distance_pc": distance,
        "parallax": 1000.0 / distance,
        "pmra": pmra,
        "pmdec": pmdec,
        "radial_velocity": seen.radial_velocity,
        "component": np.array(COMPONENTS)[stars.component],
        "mass_init": nodes.mass_init[node].astype(np.float32),
        "age_gyr": nodes.age_gyr[node].astype(np.float32),
        "metallicity": nodes.metallicity[node].astype(np.float32),
        **{magnitude_name(band): mag[:, i] for i, band in enumerate(BANDS)},
        "a_ks": extinction[:, KS],
        "x_pc": x,
        "y_pc": y,
        "z_pc": z,
        "vx": velocity[:, 0],
        "vy": velocity[:, 1],
        "vz": velocity[:, 2],
    }
