"""compare: what is compared, and that files are written if an output is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.table import Table

import gcmock
from gcmock.astrometry.comparison import compare as module
from gcmock.astrometry.comparison.compare import Comparison
from gcmock.errors import InputError
from gcmock.reporting import comparison as reporting

FOUND = Comparison({"n_star": 3}, None, {})


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Calls of what compares, and of what writes."""
    calls: list[tuple] = []

    def stand_in(solution, mock, observations):
        calls.append(("compare", solution, mock, observations))
        return FOUND

    def write(comparison, output, *, overwrite):
        calls.append(("write", comparison, output, overwrite))
        return (output / "comparison.json",)

    monkeypatch.setattr(module, "compare", stand_in)
    monkeypatch.setattr(reporting, "write", write)
    return calls


def test_without_an_output_nothing_is_written(compared) -> None:
    assert gcmock.compare("s", "m.fits") is FOUND
    assert compared == [("compare", "s", Path("m.fits"), None)]


def test_files_are_named_in_the_result(compared) -> None:
    done = gcmock.compare("s", "m.fits", "out", observations="obs", overwrite=True)
    assert done.files == (Path("out/comparison.json"),)
    assert (done.account, FOUND.files) == ({"n_star": 3}, ())
    assert compared == [
        ("compare", "s", Path("m.fits"), "obs"),
        ("write", FOUND, Path("out"), True),
    ]


def test_tables_in_memory(compared) -> None:
    gcmock.compare("s", Table({"source_id": [1]}))
    path = compared[0][2]
    assert path.name == "mock-in-memory.parquet"
    assert not path.exists()
    with pytest.raises(InputError, match=r"expected an astropy Table, .* got dict"):
        gcmock.compare("s", {"source_id": [1]})


def test_folders_without_a_solution_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        gcmock.compare(tmp_path, "m.fits")
