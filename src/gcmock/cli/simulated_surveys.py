"""``gcmock simulate --surveys`` and ``--completeness``: parses, calls, prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcmock.errors import InputError

if TYPE_CHECKING:
    from gcmock.mock.survey import Detection
    from gcmock.settings.build import Config


def simulate_surveys(
    output: Path,
    surveys: str,
    l: tuple[float, float],
    b: tuple[float, float],
    settings: Config,
    ks_max: float,
    survey: bool,
    overwrite: bool,
) -> None:
    """Simulate native tables of surveys into a folder and print what each one has.

    Raises
    ------
    InputError
        See `gcmock.surveys.simulated.simulate.simulate_surveys`; also if both `survey` and
        `surveys` are given.
    """
    if survey:
        raise InputError("--survey and --surveys: give one of them")
    from gcmock.reporting.terminal import progress
    from gcmock.surveys.simulated.simulate import simulate_surveys as run

    names = [name.strip() for name in surveys.split(",") if name.strip()]
    with progress("simulate", "blocks") as update:
        summary = run(
            output,
            names,
            l,
            b,
            settings,
            ks_max=ks_max,
            seed=settings.run.seed,
            workers=settings.run.n_workers,
            overwrite=overwrite,
            progress=update,
        )
    print(f"{output}: {summary.n_stars:,} true stars")
    for name, n_rows in summary.n_rows.items():
        print(f"{name}: {n_rows:,} rows" if n_rows else f"{name}: no rows in this window, no file")


def detection_of(path: Path | None, survey: bool) -> tuple[str, Detection] | None:
    """Return the detection probability of a map of completeness, and its name and checksum.

    Raises
    ------
    InputError
        If it is not such a map, or no survey is asked for.
    """
    if path is None:
        return None
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
