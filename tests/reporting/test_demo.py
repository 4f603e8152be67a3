"""The demonstration: which stars, in which order, and what is kept."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from mock_rows import mock_rows

from gcmock.errors import InputError
from gcmock.reporting import demo as module
from gcmock.reporting.demo import DemoResult, read_columns, run_demo
from gcmock.settings.build import load_config


def test_columns_of_a_file(tmp_path):
    path = tmp_path / "rows.parquet"
    Table({"a": np.arange(5), "b": np.linspace(0.0, 1.0, 5)}).write(path)
    found = read_columns(path)
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], np.arange(5))
    np.testing.assert_array_equal(found["b"], np.linspace(0.0, 1.0, 5))


def test_folder_that_cannot_be_made(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(InputError, match="cannot be made: "):
        run_demo(file / "demo", load_config())
    assert file.read_text() == "mine"


def test_truth_of_the_stars_that_were_seen(tmp_path, monkeypatch):
    """The catalogue has the stars of the survey alone; the truth is cut to them, in its order."""
    truth = mock_rows(["bar", "nsd", "bar", "nsd"], source_id=[10, 11, 12, 13])
    seen = {"source_id": np.array([11, 13])}
    mock = {"source_id": np.array([11, 13])}
    calls = {}
    monkeypatch.setattr(module, "load_model", lambda config: "model")
    monkeypatch.setattr(module, "simulate", lambda *a, **k: calls.update(k) or truth)
    monkeypatch.setattr(module, "survey", lambda *a, **k: seen)

    class Writer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, table):
            calls.setdefault("written", []).append(table)

    monkeypatch.setattr(module, "open_writer", lambda *a, **k: Writer())
    monkeypatch.setattr(module, "build", lambda *a, **k: calls.update(build=a) or "summary")
    monkeypatch.setattr(module, "read_columns", lambda path: mock)
    monkeypatch.setattr(module, "compare_with_truth", lambda *tables: tables)
    monkeypatch.setattr("gcmock.reporting.demo_picture.draw_demo", lambda *a: calls.update(draw=a))
    config = load_config(None, {"run.seed": 9, "run.workers": 1})
    done = run_demo(tmp_path / "new" / "demo", config)
    assert (calls["seed"], calls["workers"], calls["ks_max"]) == (9, 1, module.KS_MAX)
    assert calls["written"] == [seen, truth]
    survey, _, catalogue, picture = done.files
    assert calls["build"][:2] == (survey, catalogue)
    assert calls["draw"][0] == picture
    kept, observed, drawn = done.calibration
    np.testing.assert_array_equal(kept["source_id"], [11, 13])
    assert kept["component"].tolist() == ["nsd", "nsd"]
    assert (observed, drawn) == (seen, mock)
    assert [path.name for path in done.files] == [
        "survey.parquet", "truth.parquet", "mock.parquet", "demo.png",
    ]  # fmt: skip


def test_result_says_how_well_stars_were_recovered(tmp_path):
    result = DemoResult(
        (tmp_path / "demo.png",),
        SimpleNamespace(n_star=1200, seconds=3.0),
        SimpleNamespace(coverage=0.6875, brier=0.125),
    )
    listing = dict(result.listing())
    assert any(text.replace(",", "") == "1200" for text in listing.values())
    assert listing["68 % interval of the distance covers"] == "0.6875"
    assert listing["Brier score of P(nuclear)"] == "0.125"
    assert "demo.png" in listing["files"]
