"""demo: a smaller one."""

from __future__ import annotations

import pytest

import gcmock


@pytest.mark.slow
def test_demo(monkeypatch, tmp_path, shown):
    monkeypatch.setattr("gcmock.reporting.demo.L_RANGE", (-0.025, 0.0))
    monkeypatch.setattr("gcmock.reporting.demo.B_RANGE", (-0.25, -0.225))
    done = gcmock.demo(tmp_path / "demo", seed=2)
    shown(done, tmp_path / "demo" / "mock.parquet", "Brier")
