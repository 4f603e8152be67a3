"""What a verb is given: tables on disk or in memory, numbers with units, windows, epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from os.path import isfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias
from warnings import catch_warnings, filterwarnings

from gcmock.errors import InputError, MissingColumnsError, shown

if TYPE_CHECKING:
    from gcmock.io.readers.source import TableSource
    from gcmock.io.tables import Kind
    from gcmock.settings.build import Config

Location: TypeAlias = str | Path
Table: TypeAlias = Any
"""A table of astropy, pandas, pyarrow or polars: none of them is imported here."""

Progress: TypeAlias = Callable[[int, int], None]


def is_path(given: object) -> bool:
    """Whether something is the name of a file."""
    return isinstance(given, str | Path)


def check_names(outputs: Iterable[Any], inputs: Iterable[Any]) -> None:
    """Refuse names that no file can have, before anything is read; see `gcmock.io.file_names`.

    Parameters
    ----------
    outputs, inputs : iterable
        What a verb was given; whatever is no path (None, a table) is passed over.
    """
    from gcmock.io.file_names import check_input_name, check_output_name

    for given in filter(is_path, outputs):
        check_output_name(Path(given))
    for given in filter(is_path, inputs):
        check_input_name(Path(given))


def check_apart(outputs: Iterable[Any], inputs: Iterable[Any], named: Iterable[Any] = ()) -> None:
    """Refuse names that no file can have, and outputs that would replace something that is read.

    See `check_names` and `gcmock.io.ownership`.

    Parameters
    ----------
    outputs, inputs : iterable
        What a verb was given; whatever is no path (None, a table) is passed over.
    named : iterable
        Settings, and names of which some are files: a law, a mission, a survey.
    """
    from gcmock.io.ownership import check_apart as check

    written, read = ([Path(x) for x in given if is_path(x)] for given in (outputs, inputs))
    check_names(written, read)
    files = [path for given in named for path in _paths_in(given) if isfile(path)]
    check(written, [*read, *files])


def check_table(output: Location | None, *, overwrite: bool) -> None:
    """Refuse a table on disk that cannot be written, before anything is read."""
    if output is not None:
        from gcmock.io.writers.writer import check_output

        check_output(Path(output), overwrite=overwrite)


def _paths_in(given: Any) -> Iterator[Path]:
    """Paths that are given, alone or as values of settings."""
    if is_path(given):
        yield Path(given)
    elif hasattr(given, "model_dump"):
        yield from _paths_in(given.model_dump())
    elif isinstance(given, Mapping):
        yield from (path for value in given.values() for path in _paths_in(value))
    elif isinstance(given, list | tuple):
        yield from (path for value in given for path in _paths_in(value))


@contextmanager
def on_disk(given: Location | Table, role: str) -> Iterator[Path]:
    """Give the path of a table; one in memory is written to a temporary Parquet file.

    Parameters
    ----------
    given : str, Path or table
        A path is passed on as it is.
    role : str
        What the table is, for messages: errors name ``<role>`` where a file would be named.

    Yields
    ------
    Path
        It is there while the context is open.

    Raises
    ------
    InputError
        If it is neither a path nor a table, or the table has no rows.
    """
    if is_path(given):
        with native_tables_explained(given):
            yield Path(given)
        return
    from gcmock.io.tables import to_arrow

    table = to_arrow(given)
    import pyarrow.parquet as pq

    with TemporaryDirectory(prefix="gcmock-") as folder:
        path = Path(folder) / f"{role}-in-memory.parquet"
        pq.write_table(table, path)
        try:
            with native_tables_explained(path):
                yield path
        except InputError as error:
            raise type(error)(str(error).replace(str(path), f"<{role}>")) from None


@contextmanager
def native_tables_explained(given: Location | Table) -> Iterator[None]:
    """Say which command reads a native table of a survey, where columns are not found.

    Parameters
    ----------
    given : str, Path or table
        The table that is read meanwhile.
    """
    try:
        yield
    except MissingColumnsError as error:
        from gcmock.io.tables import in_memory
        from gcmock.surveys.read.native_input import what_to_do

        table = _header_of(Path(given)) if is_path(given) else in_memory(given)
        # Another table than this one may be the reason.
        mine = str(error).startswith(f"{table.path}:")
        text = what_to_do(table.path, table.columns) if mine else ""
        raise (InputError(text) if text else error) from None


def check_system(given: Location | Table, config: Config) -> str:
    """Refuse magnitudes of a survey whose photometric system the settings do not say.

    Parameters
    ----------
    given : str, Path or table
    config : Config

    Returns
    -------
    str
        A remark on a native table; empty for others.
    """
    if not config.columns:
        return ""
    from gcmock.io.tables import in_memory
    from gcmock.surveys.read.native_input import check_system as check

    table = _header_of(Path(given), config.columns) if is_path(given) else in_memory(given)
    return check(table, config)


def _header_of(path: Path, chosen: Mapping[str, str] | None = None) -> TableSource:
    """Open a table for its names only: text is not scanned."""
    from gcmock.io.readers.choice import split_choice
    from gcmock.io.readers.opening import open_table
    from gcmock.surveys.read.csv_table import NativeCsvSource, is_plain_csv

    file, _ = split_choice(path)
    is_csv = file.suffix.lower() == ".csv" and is_plain_csv(file)
    return NativeCsvSource(file) if is_csv else open_table(path, chosen)


@contextmanager
def on_disk_if_given(given: Location | Table | None, role: str) -> Iterator[Path | None]:
    """Do what `on_disk` does for a table that may not be given: then it is None."""
    if given is None:
        yield None
        return
    with on_disk(given, role) as path:
        yield path


def kind_of_result(given: Location | Table) -> Kind:
    """Return the library of a result in memory: that of the input, and astropy for a file."""
    if is_path(given):
        return "astropy"
    from gcmock.io.tables import kind_of

    return kind_of(given)


def made_in_memory(write: Callable[[Path], object], kind: Kind) -> Table:
    """Return the table that a function writes to a temporary Parquet file.

    Parameters
    ----------
    write : callable
        Takes the path of the file.
    kind : {"astropy", "pandas", "pyarrow", "polars"}
        Library of the table.

    Returns
    -------
    astropy.table.QTable, pandas.DataFrame, pyarrow.Table or polars.DataFrame
        With units and metadata, as far as the library has a place for them.
    """
    from gcmock.io.tables import read_table

    with TemporaryDirectory(prefix="gcmock-") as folder:
        path = Path(folder) / "result.parquet"
        write(path)
        return read_table(path, kind)


def whole(given: Any, name: str, low: int, high: int = 2**31) -> int:
    """Return a whole number of a range.

    Raises
    ------
    InputError
        If it is no whole number, or not from `low` to `high`.
    """
    is_number = isinstance(given, Integral) and not isinstance(given, bool)
    if not is_number or not low <= given <= high:
        raise InputError(f"{name} = {shown(given)}: expected a whole number from {low} to {high:,}")
    return int(given)


def whole_if_given(given: Any, name: str, low: int, high: int = 2**31) -> int | None:
    """Do what `whole` does for an option that may not be given."""
    return None if given is None else whole(given, name, low, high)


def number(given: Any, unit: str, name: str) -> float:
    """Return a number in a unit; a Quantity is converted.

    Raises
    ------
    InputError
        If it is not one finite number, or its unit is another one.
    """
    return _numbers(given, unit, name, 1)[0]


def number_if_given(given: Any, unit: str, name: str) -> float | None:
    """Do what `number` does for an option that may not be given."""
    return None if given is None else number(given, unit, name)


def pair(given: Any, unit: str, name: str) -> tuple[float, float]:
    """Return two numbers in a unit, such as the borders of a range; Quantities are converted.

    Raises
    ------
    InputError
        If these are not two numbers, or their unit is another one.
    """
    low, high = _numbers(given, unit, name, 2)
    return low, high


def pair_if_given(given: Any, unit: str, name: str) -> tuple[float, float] | None:
    """Do what `pair` does for an option that may not be given."""
    return None if given is None else pair(given, unit, name)


def _numbers(given: Any, unit: str, name: str, n: int) -> list[float]:
    import numpy as np

    from gcmock.units import to_value

    count = {1: "one number", 2: "two numbers"}[n]
    try:
        if given is None:
            raise TypeError
        if isinstance(given, tuple | list):
            values = np.array([float(to_value(item, unit)) for item in given])
        else:
            values = np.atleast_1d(to_value(given, unit))
    except (InputError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{name} = {shown(given)}: expected {count} in {unit}, or a Quantity"
        ) from error
    if values.shape != (n,) or not np.isfinite(values).all():
        raise InputError(f"{name} = {shown(given)}: expected {count} in {unit}, or a Quantity")
    return [float(value) for value in values]


def julian_years(given: Any) -> list[float]:
    """Return epochs as Julian years (TCB).

    Parameters
    ----------
    given : float, sequence of float, Quantity or astropy.time.Time
        Julian years, or times of any scale and format.

    Raises
    ------
    InputError
        If these are no times.
    """
    import numpy as np

    from gcmock.units import to_value

    if hasattr(given, "tcb"):
        # Leap seconds of the future are not known: a second of time moves no star.
        with catch_warnings():
            filterwarnings("ignore", message=".*dubious year")
            given = given.tcb.jyear
    try:
        return [float(year) for year in np.atleast_1d(to_value(given, "yr")).ravel()]
    except (InputError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"epochs = {shown(given)}: expected Julian years such as 2032.5, a Quantity in yr, or "
            "an astropy Time"
        ) from error


def words_of(given: Location | Sequence[Location]) -> tuple[str, ...]:
    """Return names or paths given in a sequence, or as a text with commas between."""
    several = str(given).split(",") if isinstance(given, str | Path) else map(str, given)
    return tuple(name.strip() for name in several if name.strip())
