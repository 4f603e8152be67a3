"""Names and order of what a merge writes; what a killed one left is taken by the next."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gcmock.catalogue.outputs import (
    beside,
    check_outputs,
    make_rejected,
    outputs_of,
    parts_folder,
    rejected_folder,
)
from gcmock.errors import InputError
from gcmock.io.manifest import Manifest

OWN = json.dumps({"creator": "gcmock 0"})


def test_names(tmp_path: Path) -> None:
    file, folder = tmp_path / "sky.fits", tmp_path / "sky"
    assert parts_folder(file) == tmp_path / ".sky.fits.parts"
    assert parts_folder(folder) == folder
    assert [p.name for p in beside(file)] == ["sky_summary.json", "sky_completeness.parquet"]
    assert outputs_of(folder, keep_rejected=True) == (folder, tmp_path / "sky_rejected")
    assert rejected_folder(file) == rejected_folder(folder)


def test_outputs_of_a_run_that_was_killed_at_its_end(tmp_path: Path) -> None:
    output = tmp_path / "sky.fits"
    summary = beside(output)[0]
    summary.write_text(OWN)
    with pytest.raises(InputError, match=r"sky_summary\.json: exists already"):
        check_outputs(output, keep_rejected=False, overwrite=False)
    with Manifest(parts_folder(output), {"a": 1}) as manifest:
        manifest.finish([])
    os.utime(summary, (1.0, 1.0))
    with pytest.raises(InputError, match=r"sky_summary\.json: exists already"):
        check_outputs(output, keep_rejected=False, overwrite=False)
    summary.write_text(OWN)
    check_outputs(output, keep_rejected=False, overwrite=False)
    output.write_text(OWN)
    check_outputs(output, keep_rejected=False, overwrite=False)


def test_what_was_left_out(tmp_path: Path) -> None:
    output = tmp_path / "sky"
    folder = rejected_folder(output)
    with Manifest(output, {"a": 1}) as manifest:
        assert make_rejected(output, manifest) == folder
        (folder / "part-0000001.parquet.partial-12-ab").touch()
        (folder / "part-0000002.parquet").write_text(OWN)
        (folder / "part-0000003.parquet").write_text("mine")
        make_rejected(output, manifest)
        assert [path.name for path in folder.iterdir()] == ["part-0000003.parquet"]
    with pytest.raises(InputError, match="sky_rejected: holds files that gcmock did not write"):
        check_outputs(output, keep_rejected=True, overwrite=False)
