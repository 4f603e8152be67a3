"""solve: units of its options, references by name and as tables, errors."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import pytest
from astropy.table import Table

import gcmock
from gcmock.astrometry.solver import solve as module
from gcmock.errors import InputError


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict]:
    """Calls of what solves, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    calls: list[dict] = []

    def stand_in(observations, output, **options):
        calls.append({"observations": observations, "output": output} | options)
        if options["reference"].endswith(".parquet"):
            calls[-1]["rows"] = len(Table.read(options["reference"]))
        return "solved"

    monkeypatch.setattr(module, "solve", stand_in)
    return calls


def test_defaults(solved) -> None:
    assert gcmock.solve("obs", "out") == "solved"
    (call,) = solved
    assert call.pop("stage")("reading") is None
    assert call == {
        "observations": Path("obs"), "output": Path("out"), "reference": "gaia-like",
        "solver": "auto", "order": "auto", "robust": "none", "primary_limit": None,
        "secondaries": True,
        "memory_limit_gb": None, "workers": 2, "overwrite": False,
    }  # fmt: skip


def test_units_are_converted(solved) -> None:
    gcmock.solve("obs", "out", memory_limit=500 * u.MB, primary_limit=12.5, no_secondaries=True)
    assert solved[0]["memory_limit_gb"] == pytest.approx(0.5)
    assert solved[0]["primary_limit"] == 12.5
    assert solved[0]["secondaries"] is False


def test_references_may_be_tables(solved) -> None:
    gcmock.solve("obs", "out", reference=Table({"source_id": [1, 2, 3]}))
    assert solved[0]["rows"] == 3
    assert not Path(solved[0]["reference"]).exists()
    gcmock.solve("obs", "out", reference=Path("g.fits"))
    assert solved[1]["reference"] == "g.fits"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"memory_limit": "all"}, "memory_limit = 'all': expected one number in Gbyte"),
        ({"primary_limit": [12, 13]}, r"primary_limit = .*: expected one number in mag"),
        ({"reference": Table({"x": []})}, "the table has no rows"),
    ],
)
def test_wrong_options(solved, options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        gcmock.solve("obs", "out", **options)
    assert solved == []


def test_folders_without_observations_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        gcmock.solve(tmp_path, tmp_path / "solution")
