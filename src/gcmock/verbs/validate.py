"""The verb validate: tests of the science, as numbers with thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcmock.errors import InputError
from gcmock.verbs.given import (
    Location,
    Table,
    check_apart,
    check_system,
    on_disk_if_given,
    pair,
    pair_if_given,
    whole,
    words_of,
)
from gcmock.verbs.settings import Settings, settings_of

if TYPE_CHECKING:
    from gcmock.validation.run import Validation


def validate(
    mock: Location | Table | None = None,
    *,
    input: Location | Table | None = None,
    reference: Location | None = None,
    counts: Location | Table | None = None,
    completeness: Location | None = None,
    only: str | Sequence[str] | None = None,
    config: Settings = None,
    stars: int = 4000,
    l: Any = (-1.4, 0.7),
    b: Any = (-0.6, 0.6),
    limits: Any = None,
    output: Location | None = None,
    figure: Location | None = None,
    seed: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    **sections: Mapping[str, Any],
) -> Validation:
    """Test the science: calibration, predictions, published values, counts of real stars.

    Tests for which something is not given are skipped.

    Parameters
    ----------
    mock : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table, optional
        Mock catalogue, with the metadata that `gcmock.build` gave it (polars has none). Tables in
        memory are written to temporary Parquet files, and are read from there in chunks.
    input : str, Path or table, optional
        The table from which the catalogue was built.
    reference : str or Path, optional
        Folder with the star lists of genstars, ``stars_cellmean.parquet`` and
        ``stars_subcell.parquet``.
    counts : str, Path or table, optional
        List of real stars with Hw, whose numbers are compared with the model by tile.
    completeness : str or Path, optional
        Detection probability of the input: the map that `gcmock.merge` writes, or the folder it is
        in.
    only : str or sequence of str, optional
        Tests to do, or one text with commas between: ``"sbc,genstars,predictive,offshelf,truths,
        counts"``.
    config : str, Path, mapping or Config, optional
        TOML file with settings of the model, or its content.
    stars : int
        Stars of the tests that draw some; limits of statistical tests follow from it.
    l, b : tuple of 2 floats, or Quantity, shape (2,)
        Ranges of Galactic longitude and latitude of `counts` [deg].
    limits : tuple of 2 floats, or Quantity, shape (2,), optional
        Bright and faint limit [mag] between which the input is complete, in Ks (or H, J, Hw where
        most stars have no Ks).
    output : str or Path, optional
        JSON file with all numbers and how they were made, or a Markdown table (.md).
    figure : str or Path, optional
        Map of observed and expected counts by tile (PNG or PDF).
    seed : int, optional
        Seed of the random numbers.
    workers : int, optional
        Number of threads; 0 for one per core. The result does not depend on it.
    overwrite : bool
        Replace existing outputs.
    progress : callable, optional
        Called with the name of a test, and the numbers of finished and of all tests.
    **sections : mapping
        Sections of settings that win over `config`.

    Returns
    -------
    Validation
        Every check with its verdict, those that `failed`, and the `files` that were written.

    Raises
    ------
    InputError
        If something given cannot be used.

    Examples
    --------
    >>> import gcmock
    >>> gcmock.validate(only="genstars").checks[0].verdict
    'skip'
    """
    options = {"run.seed": seed, "run.workers": workers}
    settings = settings_of(validate, config, sections, options)
    page = None if output is None else Path(output)
    picture = None if figure is None else Path(figure)
    read = (mock, input, reference, counts, completeness, config)
    check_apart([page, picture], read, [settings])
    whole(stars, "--stars", 100, 10_000_000)
    _check(page, picture, counts is not None, overwrite)
    for table in (input, counts):
        if table is not None:
            check_system(table, settings)
    from gcmock.validation.run import TESTS, Request
    from gcmock.validation.run import validate as run

    names = TESTS if only is None else words_of(only)
    with (
        on_disk_if_given(mock, "mock") as mock_path,
        on_disk_if_given(input, "input") as input_path,
        on_disk_if_given(counts, "counts") as counts_path,
    ):
        result = run(
            Request(
                settings,
                mock_path,
                input_path,
                None if reference is None else Path(reference),
                counts_path,
                None if completeness is None else Path(completeness),
                names,
                stars,
                pair(l, "deg", "l"),
                pair(b, "deg", "b"),
                pair_if_given(limits, "mag", "limits"),
            ),
            progress,
        )
    return replace(result, files=_write(result, page, picture))


def _check(output: Path | None, figure: Path | None, has_counts: bool, overwrite: bool) -> None:
    """Refuse outputs that cannot be written, before anything is computed."""
    from gcmock.io.beside import take_left_behind
    from gcmock.io.disk import check_new_file

    if output is not None and output.suffix.lower() not in {".json", ".md"}:
        raise InputError(f"{output}: a validation is written as JSON or Markdown: .json or .md")
    if figure is not None:
        if figure.suffix.lower() not in {".png", ".pdf"}:
            raise InputError(f"{figure}: give a name that ends in .png or .pdf")
        if not has_counts:
            raise InputError("--figure shows the counts by tile: give a list with --counts")
        # A matplotlib that cannot draw says so before the work.
        import gcmock.reporting.validation  # noqa: F401

        if output is not None:
            take_left_behind(figure, output)
    for path in (output, figure):
        if path is not None:
            check_new_file(path, overwrite=overwrite)


def _write(result: Validation, output: Path | None, figure: Path | None) -> tuple[Path, ...]:
    """Write the map and, last, the numbers; return the files."""
    from gcmock.io.beside import announced
    from gcmock.io.disk import write_text

    files = []
    with announced(output):
        if figure is not None and result.map is not None:
            from gcmock.reporting.validation import write_figure

            write_figure(result.map, figure)
            files.append(figure)
        if output is not None:
            if output.suffix.lower() == ".md":
                from gcmock.io.provenance import creator
                from gcmock.reporting.validation import markdown

                write_text(output, f"{markdown(result)}\n<!-- {creator()} -->\n")
            else:
                from gcmock.validation.run import write_json

                write_json(result, output)
            files.insert(0, output)
    return tuple(files)
