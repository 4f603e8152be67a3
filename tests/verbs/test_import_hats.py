"""import_hats: from a table in memory."""

from __future__ import annotations

import pytest

import gcmock
from gcmock.errors import InputError


@pytest.fixture
def imported(monkeypatch):
    """Take the place of the import itself, which starts worker processes."""
    pytest.importorskip("hats_import")
    from gcmock.io.readers.opening import open_table

    def import_table(path, output, config, scheduler, *, pixel_threshold, overwrite):
        assert (scheduler, pixel_threshold, config.run.workers) == ("local", 100, 1)
        return open_table(path).n_rows

    monkeypatch.setattr("gcmock.runtime.import_hats.import_table", import_table)


def test_import_hats(imported, as_kind, table, tmp_path, shown):
    done = gcmock.import_hats(as_kind(table), tmp_path / "hats", workers=1, pixel_threshold=100)
    shown(done, tmp_path / "hats", 20)


def test_errors(table, tmp_path):
    pytest.importorskip("hats_import")
    with pytest.raises(InputError, match="did you mean 'workers'"):
        gcmock.import_hats(table, tmp_path / "hats", worker=1)
