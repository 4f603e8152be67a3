"""The verb simulate: stars from the model alone, a mock survey of them, or real surveys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gcmock.errors import InputError
from gcmock.notebook import Outcome
from gcmock.verbs.given import (
    Location,
    Progress,
    check_apart,
    check_names,
    number,
    pair,
    whole,
    words_of,
)
from gcmock.verbs.settings import Settings, check_sections, settings_of

if TYPE_CHECKING:
    from gcmock.mock.survey import Detection
    from gcmock.model import Model
    from gcmock.settings.build import Config
    from gcmock.surveys.simulated.simulate import SimulatedSkySummary

SkyRanges: TypeAlias = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, repr=False)
class SimulateSummary(Outcome):
    """Account of simulated stars on disk.

    Attributes
    ----------
    output : Path
        The stars, or the mock survey of them.
    truth : Path or None
        The true stars behind a survey.
    n_rows : int
        Rows of `output`.
    """

    output: Path
    truth: Path | None
    n_rows: int


class SimulatedSurvey(NamedTuple):
    """A mock survey in memory, and the truth behind it.

    Attributes
    ----------
    survey : astropy.table.QTable
        What is observed: an input of `gcmock.build`.
    truth : astropy.table.QTable
        Every true star down to the limit.
    """

    survey: Any
    truth: Any


def simulate(
    model: Model | Mapping[str, Any] | None = None,
    l: Any = None,
    b: Any = None,
    *,
    output: Location | None = None,
    ks_max: Any = 15.5,
    survey: bool = False,
    surveys: Location | Sequence[Location] | None = None,
    completeness: Location | None = None,
    config: Settings = None,
    seed: int | None = None,
    workers: int | None = None,
    max_rows: int = 20_000_000,
    overwrite: bool = False,
    progress: Progress | None = None,
    **sections: Mapping[str, Any],
) -> Any:
    """Draw stars from the model alone, or a mock survey of them, or what real surveys would see.

    A seed is one sky: two windows that overlap hold the same stars where they do.

    Parameters
    ----------
    model : Model or mapping, optional
        From `gcmock.load_model`; that of the settings if not given. A mapping is the section
        ``[model]`` of these.
    l, b : tuple of 2 floats, or Quantity, shape (2,)
        Ranges of Galactic longitude and latitude [deg]: longitudes in -180 ... 180 or 0 ... 360;
        (359, 1) crosses the centre. With two corners as a SkyCoord: ``l=corners.galactic.l``.
    output : str or Path, optional
        Parquet, FITS, VOTable or ECSV file, by its suffix; without suffix a folder of Parquet
        files. If not given, the stars are returned.
    ks_max : float or Quantity
        Faintest true, reddened Ks [mag].
    survey : bool
        Make what a survey observes, in the input format of `gcmock.build`, and the truth beside it.
    surveys : str, Path, or sequence of these, optional
        Write the native tables of real surveys and the truth behind them into the folder `output`;
        names, or TOML files that define surveys of your own; or one text with commas between:
        ``"2mass,virac2,vvv,sirius,gnc,gaia"``.
    completeness : str or Path, optional
        Detection probability of the survey: the map that `gcmock.merge` writes, or the folder it
        is in.
    config : str, Path, mapping or Config, optional
        TOML file with settings, or its content; the defaults if not given.
    seed : int, optional
        Seed of the random numbers.
    workers : int, optional
        Number of threads; 0 for one per core. The result does not depend on it.
    max_rows : int
        A window in which more stars are expected is refused before anything is drawn.
    overwrite : bool
        Replace existing files.
    progress : callable, optional
        Called with the numbers of finished and of all cells of 0.025 deg.
    **sections : mapping
        Sections of settings that win over `config`.

    Returns
    -------
    astropy.table.QTable, SimulatedSurvey, SimulateSummary or SimulatedSkySummary
        Without `output` the true stars, with units (`gcmock.words.TRUTH_COLUMNS`), or the survey
        and the truth behind it; with `output` the account of what was written. Magnitudes are of
        the model, without the error floor; Hw follows from J and H.

    Raises
    ------
    InputError
        If the window is empty, an option is wrong or excludes another one, or the output cannot be
        written.
    OutsideModelError
        If the window is not entirely on the extinction map.

    Examples
    --------
    >>> import gcmock
    >>> stars = gcmock.simulate(l=(0.3, 0.32), b=(-0.2, -0.18), ks_max=11.0)
    >>> stars["distance_pc"].unit
    Unit("pc")
    >>> survey, truth = gcmock.simulate(l=(0.3, 0.32), b=(-0.2, -0.18), ks_max=11.0, survey=True)
    >>> len(survey) <= len(truth)
    True
    """
    if l is None or b is None:
        raise InputError("simulate: give the window as l=(low, high) and b=(low, high) [deg]")
    window = pair(l, "deg", "l"), pair(b, "deg", "b")
    limit = number(ks_max, "mag", "ks_max")
    whole(max_rows, "--max-rows", 1, 10**11)
    check_names([output], [completeness, config])
    if isinstance(model, Mapping):
        sections, model = {**sections, "model": model}, None
    settings = _settings(model, config, sections, seed, workers)
    truth = None
    if survey and output is not None:
        from gcmock.mock.simulate import truth_beside

        truth = truth_beside(Path(output))
    check_apart([output, truth], [completeness, config], [settings, *words_of(surveys or ())])
    detection = _detection_of(completeness, survey)
    if surveys is not None:
        if survey:
            raise InputError("--survey and --surveys: give one of them")
        if model is not None:
            raise InputError("surveys: are those of the settings; give config instead of model")
        return _real_surveys(
            words_of(surveys), output, window, settings, limit, max_rows, overwrite, progress
        )
    if output is None:
        return _in_memory(model, window, settings, limit, survey, detection, progress)
    from gcmock.mock.simulate import check_number, simulate_to_file
    from gcmock.mock.sky import check_window
    from gcmock.model import load_model

    output = Path(output)
    model = model or load_model(config=settings)
    check_number(model, check_window(model.extinction_map, *window), limit, output, max_rows)
    n_rows = simulate_to_file(
        output,
        *window,
        settings,
        model=model,
        ks_max=limit,
        seed=settings.run.seed,
        survey=survey,
        detection=detection,
        workers=settings.run.n_workers,
        overwrite=overwrite,
        progress=progress,
    )
    return SimulateSummary(output, truth, n_rows)


def _settings(
    model: Model | None,
    config: Settings,
    sections: Mapping[str, Any],
    seed: int | None,
    workers: int | None,
) -> Config:
    """Return the settings of the run: those of a model, if one is given, else of the options."""
    from gcmock.model import Model
    from gcmock.settings.build import Config

    options = {"run.seed": seed, "run.workers": workers}
    if model is None:
        return settings_of(simulate, config, sections, options)
    if not isinstance(model, Model):
        raise InputError(
            f"model: expected a model of gcmock.load_model, got {type(model).__name__}; give the "
            "window by name, l=(low, high), b=(low, high)"
        )
    check_sections(simulate, sections, Config.model_fields)
    if config is not None or sections:
        raise InputError("model and config: a model has its settings; give one of them")
    return settings_of(simulate, model.config, {}, options)


def _real_surveys(
    names: Sequence[str],
    output: Location | None,
    window: SkyRanges,
    settings: Config,
    ks_max: float,
    max_rows: int,
    overwrite: bool,
    progress: Progress | None,
) -> SimulatedSkySummary:
    """Write the native tables of surveys."""
    from gcmock.surveys.simulated.simulate import simulate_surveys

    if output is None:
        raise InputError("surveys: native tables are written to a folder; give it as output")
    return simulate_surveys(
        output,
        names,
        *window,
        settings,
        ks_max=ks_max,
        seed=settings.run.seed,
        workers=settings.run.n_workers,
        max_rows=max_rows,
        overwrite=overwrite,
        progress=progress,
    )


def _in_memory(
    model: Model | None,
    window: SkyRanges,
    settings: Config,
    ks_max: float,
    survey: bool,
    detection: tuple[str, Detection] | None,
    progress: Progress | None,
) -> Any:
    """Return the stars of a window, or a survey and its truth, as tables with units."""
    from gcmock.io.tables import to_qtable
    from gcmock.mock.simulate import simulate as draw
    from gcmock.mock.simulate import simulation_record
    from gcmock.mock.survey import SURVEY_COLUMNS, SurveyModel
    from gcmock.mock.survey import survey as observe
    from gcmock.model import load_model
    from gcmock.words.columns import TRUTH_COLUMNS

    model = model or load_model(config=settings)
    seed, workers = settings.run.seed, settings.run.n_workers
    drawn = draw(
        model, *window, ks_max=ks_max, seed=seed, workers=workers,
        ref_epoch=settings.input.ref_epoch, progress=progress,
    )  # fmt: skip
    record = simulation_record(model, *window, settings, ks_max, seed)
    truth = to_qtable([drawn], TRUTH_COLUMNS, record)
    if not survey:
        return truth
    instrument = SurveyModel()
    probability = None if detection is None else detection[1]
    zero_point = settings.parallax.zero_point_mas
    seen = observe(drawn, seed, instrument, probability, zero_point_mas=zero_point)
    words = {"content": "mock survey of simulated stars", "survey": repr(instrument)}
    if detection is not None:
        words["completeness"] = detection[0]
    return SimulatedSurvey(to_qtable([seen], SURVEY_COLUMNS, record | words), truth)


def _detection_of(path: Location | None, survey: bool) -> tuple[str, Detection] | None:
    """Return the detection probability of a map of completeness, and its name and checksum.

    Raises
    ------
    InputError
        If it is not such a map, or no survey is asked for.
    """
    if path is None:
        return None
    path = Path(path)
    if not survey:
        raise InputError(
            f"--completeness {path}: is for --survey, the mock survey of one catalogue"
        )
    import numpy as np

    from gcmock.catalogue.learn.completeness import COMPLETENESS_FILE, load_completeness
    from gcmock.io.disk import sha256_of
    from gcmock.words.bands import SURVEY_BANDS

    found = load_completeness(path)
    file = path / COMPLETENESS_FILE if path.is_dir() else path

    def probability(l_deg: Any, b_deg: Any, mag: Any) -> Any:
        bands = enumerate(SURVEY_BANDS)
        return np.column_stack(
            [found.probability(l_deg, b_deg, mag[:, k], band=band) for k, band in bands]
        )

    return f"{file}, sha256 {sha256_of(file)}", probability
