"""report: files and tables in memory."""

from __future__ import annotations

import pytest

import gcmock
from gcmock.errors import InputError

pytestmark = pytest.mark.slow


def test_report_of_tables(mock, table, tmp_path, shown):
    output = tmp_path / "report.html"
    done = gcmock.report(mock, output, input=table, sample=5)
    shown(done, output, 20)
    assert done.n_posterior == 5
    assert "in-memory" in output.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        gcmock.report(mock, output)


def test_errors(mock, table, tmp_path):
    with pytest.raises(InputError, match="--sample = -1: expected a whole number from 0"):
        gcmock.report(mock, tmp_path / "report.html", sample=-1)
    with pytest.raises(InputError, match=r"ends in .html"):
        gcmock.report(mock, tmp_path / "report.pdf")
    with pytest.raises(InputError, match="<mock>"):
        gcmock.report(table, tmp_path / "report.html")
