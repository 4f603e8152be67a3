"""The learning stage of a build: what a list says of itself, beside its mock catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from gcmock.calibration.calibrate import Calibration, Options, calibrate
from gcmock.calibration.calibration_file import (
    check_output,
    learned_of,
    nothing_of,
    write_calibration,
    write_nothing,
)
from gcmock.calibration.found_limits import FoundLimit, find_limit
from gcmock.errors import InputError, NothingToLearnError
from gcmock.io.disk import sha256_of_input
from gcmock.io.readers.choice import chosen_in, split_choice
from gcmock.learned import Learned, load_learned, nothing_learned
from gcmock.mock.folder import without_means
from gcmock.model import load_model
from gcmock.progress import StagedProgress
from gcmock.settings.build import Config, load_config

SUFFIX: Final = "_learned.fits"

SPARSE: Final = 0.1
"""A list with a smaller fraction of the expected stars was chosen from them, nobody says how."""


def name_beside(output: Path) -> Path:
    """Return the name of the file with what was learned for an output."""
    return output.with_name(f"{output.stem if output.suffix else output.name}{SUFFIX}")


def learn_table(
    catalogue: Path, config: Config, *, progress: StagedProgress | None = None
) -> tuple[Learned, str]:
    """Learn from a list, without a file.

    Parameters
    ----------
    catalogue : Path
        The list.
    config : Config
        Settings of the build.
    progress : callable, optional
        Called with the stage and the numbers done and in total.

    Returns
    -------
    learned : Learned
    remark : str
        What was learned, in a line.
    """
    try:
        found = calibrate(catalogue, config, _options(config), progress=progress)
    except NothingToLearnError as error:
        limit = limit_of(catalogue, config)
        nothing = nothing_of(config, str(error), limit, zero_point_removed=error.zero_point_removed)
        return nothing, nothing_in_words(error, limit)
    return learned_of(found), in_words(found)


def learn(
    catalogue: Path,
    output: Path,
    config: Config,
    *,
    overwrite: bool = False,
    progress: StagedProgress | None = None,
) -> tuple[Config, str]:
    """Learn from a list, into a file beside the output of its build.

    A file that an interrupted run of the same list and the same settings left is taken as it is.

    Parameters
    ----------
    catalogue : Path
        The list.
    output : Path
        Of the build; see `name_beside`.
    config : Config
        Settings of the build.
    overwrite : bool
        Replace an existing file.
    progress : callable, optional
        Called with the stage and the numbers done and in total.

    Returns
    -------
    config : Config
        The settings with the file in ``[learn] file``.
    remark : str
        What was learned, in a line.

    Raises
    ------
    InputError
        If the list or a setting cannot be used, or the file exists and is of another run.
    """
    path = name_beside(output)
    changed = config.learn.model_copy(update={"file": str(path.resolve())})
    with_file = config.model_copy(update={"learn": changed})
    if path.exists() and not overwrite:
        if _is_of(path, catalogue, config):
            return with_file, f"what was learned is taken from {path.name}, of an earlier run"
        raise InputError(
            f"{path}: exists already, and was learned from another list or with other settings; "
            "choose another output, use --overwrite, or use it with --learned"
        )
    check_output(path, overwrite=overwrite)
    try:
        found = calibrate(catalogue, config, _options(config), progress=progress)
    except NothingToLearnError as error:
        limit = limit_of(catalogue, config)
        source, means = _source(catalogue), without_means(config)
        write_nothing(
            path, means, source, str(error), limit,
            zero_point_removed=error.zero_point_removed, overwrite=overwrite,
        )  # fmt: skip
        return with_file, nothing_in_words(error, limit)
    # How many workers there were changes no byte.
    found = replace(found, config=without_means(config))
    write_calibration(found, path, _source(catalogue), overwrite=overwrite, dated=False)
    return with_file, in_words(found)


def _options(config: Config) -> Options:
    learn = config.learn
    return Options(
        stars_per_cell=learn.stars_per_cell,
        law=learn.law,
        fractions=learn.numbers,
        errors=learn.errors,
    )


def _source(catalogue: Path) -> dict[str, str]:
    # `sha256_of_input` of the file, as build asks for it, whatever table of it is chosen.
    return {"name": catalogue.name, "sha256": sha256_of_input(split_choice(catalogue)[0])}


def _is_of(path: Path, catalogue: Path, config: Config) -> bool:
    """Whether a file was learned from the same list, with the same settings but for workers."""
    import json

    from astropy.io import fits

    try:
        load_learned(path)
        record = json.loads(fits.getheader(path)["GCMOCK"])
        return bool(
            record["input_sha256"] == _source(catalogue)["sha256"]
            # A file may hold several tables.
            and chosen_in(record["input"]) == split_choice(catalogue)[1]
            and _comparable(record["config"]) == _comparable(config.to_toml())
        )
    except (InputError, OSError, KeyError, ValueError):
        return False


def _comparable(text: str) -> str:
    """Return settings without those that change no star."""
    aside = ("workers", "chunk_size", "partition_size", "sort", "realisations")
    lines = text.splitlines()
    return "\n".join(line for line in lines if line.split("=")[0].strip() not in aside)


def in_words(found: Calibration) -> str:
    """Say in a line what was learned."""
    own = found.fit.n_star > 0
    factor = (found.fit.factor[own] * found.fit.n_star[own]).sum() / found.fit.n_star[own].sum()
    kappa = found.law.rows[-1]
    ratio, error = found.weights.ratio
    words = [
        f"reddening {factor:.3f} of the map in {int(own.sum()):,} cells",
        f"A_Ks/E(J-Ks) {kappa[-1]:.3f}",
    ]
    if found.weights.n_star:
        words.append(f"nuclear over bar stars {ratio:.2f} +- {error:.2f} of the model")
    words.append(f"errors x {found.measurements.error_scale[0]:.2f}")
    clean = found.measurements.case_fraction[0]
    words.append(f"{100.0 * (1.0 - clean):.1f} % of the measurements not clean")
    line = f"learned from {int(found.explained.size):,} stars: " + ", ".join(words)
    expected = float(found.n_expected[found.n_observed > 0].sum())
    fraction = float(found.n_observed.sum()) / max(expected, 1.0)
    if fraction < SPARSE:
        line += (
            f"; the list has {100.0 * fraction:.2g} % of the stars that the model expects in its "
            "cells: this holds if they are a random part of them (--no-learn if they are not)"
        )
    return line


def limit_of(catalogue: Path, config: Config) -> FoundLimit | None:
    """Return the limit that a list with one band shows; None if none is looked for or there."""
    if not config.selection.find or any(limit.red for limit in config.selection.parsed):
        return None
    settings = load_config(None, config.model_dump() | {"input.outside_map": "skip"})
    model = load_model(config=settings)
    priors = nothing_learned(settings.extinction.map_value, model.law)
    return find_limit(catalogue, model.with_learned(priors), settings)


def nothing_in_words(error: NothingToLearnError, limit: FoundLimit | None = None) -> str:
    """Say in a line that nothing was learned, why, what stands in for it, and what shows."""
    reason = str(error).split(": ", 1)[-1].split(". ")[0].split("; ")[0]
    words = (
        f"nothing was learned from the list ({reason}): the map is taken with what maps are wrong "
        "by, 5 % and 0.1 mag; more stars of the field with two bands would teach it"
    )
    if limit is not None:
        words += (
            f"; the list lacks stars that were cut away by colour: taken as {limit.limit} "
            f"(ln L {limit.gain:+.0f}); give [selection] limits if that is known"
        )
    return words
